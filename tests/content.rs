//! `content`: blocks of every kind, in tools, resources and prompts, and what describes them.

use serde_json::json;

use crate::harness::{Era, Spec, everywhere};

/// An image of one red dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
/// The same as bytes that a shell prints.
const PRINT_DOT: &str = "base64 -d dot.base64";

fn spec(text: &str) -> Spec {
    Spec::new(&text.replace("DOT", DOT))
        .file("dot.base64", DOT)
        .file("notes.md", "# Notes\n")
        .file("blob.bin", [0, 255])
}

#[tokio::test]
async fn a_tool_answers_with_blocks_of_every_kind() {
    let spec = spec(
        r#"
        tools:
          all:
            params: { name: string, n: { type: integer, default: 1 } }
            content:
              - { type: text, text: "Hello {{name}}", annotations: { audience: [user], priority: 0.5 } }
              - { type: image, data: DOT, mimeType: image/png, _meta: { "example.org/width": 1 } }
              - { type: audio, data: "{{name}}", mimeType: "audio/x-{{n}}" }
              - { type: resource, uri: "test://{{name}}", file: ./notes.md }
              - { type: resource, uri: "test://blob", mimeType: application/x-blob, file: "./{name}.bin" }
              - type: resource_link
                uri: test://{{name}}/{{n}}
                name: number {{n}}
                title: "{{name}}!"
                description: One of them.
                mimeType: text/plain
                size: 7
                icons: [{ src: "https://example.org/i.svg", mimeType: image/svg+xml, sizes: [any], theme: dark }]
                annotations: { lastModified: "2026-01-02T03:04:05Z" }
          one: { content: { type: text, text: alone } }
          none: { content: [] }
        "#,
    );
    everywhere(&spec, async |client| {
        let answer = client.call("all", json!({ "name": "blob" })).await;
        assert_eq!((&answer["isError"], answer.get("structuredContent")), (&json!(false), None));
        let expected = json!([
            { "type": "text", "text": "Hello blob", "annotations": { "audience": ["user"], "priority": 0.5 } },
            { "type": "image", "data": DOT, "mimeType": "image/png", "_meta": { "example.org/width": 1 } },
            { "type": "audio", "data": "blob", "mimeType": "audio/x-1" },
            { "type": "resource", "resource": { "uri": "test://blob", "mimeType": "text/markdown", "text": "# Notes\n" } },
            { "type": "resource",
              "resource": { "uri": "test://blob", "mimeType": "application/x-blob", "blob": "AP8=" } },
            { "type": "resource_link", "uri": "test://blob/1", "name": "number 1", "title": "blob!",
              "description": "One of them.", "mimeType": "text/plain", "size": 7,
              "icons": [{ "src": "https://example.org/i.svg", "mimeType": "image/svg+xml", "sizes": ["any"], "theme": "dark" }],
              "annotations": { "lastModified": "2026-01-02T03:04:05Z" } },
        ]);
        assert_eq!(answer["content"], expected);
        assert_eq!(client.text("one", json!({})).await, "alone");
        assert_eq!(client.call("none", json!({})).await["content"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn what_a_block_shows_may_come_from_any_action() {
    let spec = spec(&format!(
        r#"
        tools:
          printed: {{ content: {{ type: image, shell: {{ script: {PRINT_DOT} }} }} }}
          words: {{ content: {{ type: text, exec: {{ command: [echo, said] }} }} }}
          drawn: {{ params: {{ r: integer }}, content: {{ type: image, text: "<svg><circle r='{{{{r}}}}'/></svg>" }} }}
          nothing: {{ content: {{ type: image, text: no image }} }}
          sound: {{ content: {{ type: audio, shell: {{ script: {PRINT_DOT} }} }} }}
          cut: {{ content: {{ type: image, shell: {{ script: {PRINT_DOT}, maxBytes: 20 }} }} }}
          bytes: {{ content: {{ type: text, file: ./blob.bin }} }}
          broken: {{ content: [{{ type: text, text: fine }}, {{ type: text, shell: {{ script: exit 3 }} }}] }}
        "#
    ));
    let client = spec.stdio(Era::Legacy).await;
    let dot = json!([{ "type": "image", "data": DOT, "mimeType": "image/png" }]);
    assert_eq!(client.call("printed", json!({})).await["content"], dot);
    assert_eq!(client.text("words", json!({})).await, "said\n");
    let drawn = client.call("drawn", json!({ "r": 5 })).await;
    assert_eq!(drawn["content"][0]["mimeType"], "image/svg+xml");
    assert_eq!(client.fails("nothing", json!({})).await, "the answer is no image of a known kind");
    assert_eq!(client.fails("sound", json!({})).await, "the answer is no audio of a known kind");
    assert_eq!(client.fails("cut", json!({})).await, "the image is incomplete: cut after 20 bytes (maxBytes)");
    assert_eq!(client.fails("bytes", json!({})).await, "the answer is not text");
    assert!(client.fails("broken", json!({})).await.contains("ended with status 3"));
}

#[tokio::test]
async fn an_error_keeps_its_blocks() {
    let spec = spec(
        r#"
        tools:
          refused:
            params: { why: string }
            content: [{ type: text, text: "Sorry: {{why}}" }, { type: image, data: DOT, mimeType: image/png }]
            isError: true
          silent: { content: [], isError: true }
          fine: { content: [{ type: text, text: fine }], isError: false }
        "#,
    );
    everywhere(&spec, async |client| {
        let answer = client.call("refused", json!({ "why": "{{no}}" })).await;
        assert_eq!(answer["isError"], true);
        assert_eq!(answer["content"][0], json!({ "type": "text", "text": "Sorry: {{no}}" }), "a value is no template");
        assert_eq!(answer["content"][1]["data"], DOT);
        assert_eq!(client.fails("silent", json!({})).await, "the tool answered with an error");
        assert_eq!(client.text("fine", json!({})).await, "fine");
    })
    .await;
}

#[tokio::test]
async fn data_that_a_caller_gives_is_checked() {
    let spec = Spec::tools("show: { params: { data: string }, content: { type: image, data: '{{data}}' } }");
    let client = spec.stdio(Era::Modern).await;
    let shown = client.call("show", json!({ "data": DOT })).await;
    assert_eq!(shown["content"][0]["mimeType"], "image/png", "by how the data begins");
    assert_eq!(client.fails("show", json!({ "data": "no base64!" })).await, "the data is not base64");
    assert_eq!(client.fails("show", json!({ "data": "AAAA" })).await, "the answer is no image of a known kind");
}

#[tokio::test]
async fn a_resource_has_the_contents_that_are_written_out() {
    let spec = spec(
        r#"
        resources:
          test://dot: { content: { type: image, data: DOT } }
          test://two/{name}:
            content:
              - { type: text, text: "About {{name}}", _meta: { a: 1 } }
              - { type: resource, uri: "test://two/{{name}}/dot", mimeType: image/png, data: DOT }
        "#,
    );
    everywhere(&spec, async |client| {
        assert_eq!(
            client.list("resources").await,
            [json!({ "uri": "test://dot", "name": "test://dot", "mimeType": "image/png" })]
        );
        assert_eq!(
            client.read("test://dot").await,
            json!({ "uri": "test://dot", "mimeType": "image/png", "blob": DOT })
        );
        let two = client.ask("resources/read", json!({ "uri": "test://two/x" })).await.unwrap();
        let expected = json!([
            { "uri": "test://two/x", "mimeType": "text/plain", "text": "About x", "_meta": { "a": 1 } },
            { "uri": "test://two/x/dot", "mimeType": "image/png", "blob": DOT },
        ]);
        assert_eq!(two["contents"], expected);
    })
    .await;
}

#[tokio::test]
async fn a_prompt_says_content_of_every_kind() {
    let spec = spec(
        r#"
        resources:
          test://two: { content: [{ type: text, text: one }, { type: text, text: two }] }
        prompts:
          show:
            arguments: { of: { required: true } }
            messages:
              - { role: user, content: { type: image, data: DOT, annotations: { audience: [assistant] } } }
              - { role: assistant, content: { type: resource_link, uri: "test://{{of}}", name: "{{of}}" } }
              - { role: user, content: { type: resource, uri: "test://{{of}}", text: "All of {{of}}" } }
              - { role: user, content: { type: text, exec: { command: [echo, "-n", --, "{{of}}"] } } }
              - { role: user, resource: "test://two" }
        "#,
    );
    everywhere(&spec, async |client| {
        let expected = json!([
            { "role": "user", "content":
                { "type": "image", "data": DOT, "mimeType": "image/png", "annotations": { "audience": ["assistant"] } } },
            { "role": "assistant", "content": { "type": "resource_link", "uri": "test://x", "name": "x" } },
            { "role": "user", "content": { "type": "resource", "resource": { "uri": "test://x", "text": "All of x" } } },
            { "role": "user", "content": { "type": "text", "text": "-- x" } },
            { "role": "user", "content":
                { "type": "resource", "resource": { "uri": "test://two", "mimeType": "text/plain", "text": "one" } } },
            { "role": "user", "content":
                { "type": "resource", "resource": { "uri": "test://two", "mimeType": "text/plain", "text": "two" } } },
        ]);
        assert_eq!(client.prompt("show", json!({ "of": "x" })).await, expected);
    })
    .await;
}

#[tokio::test]
async fn bytes_of_commands_and_files_are_images_and_sounds() {
    let wav = [b"RIFF\x24\0\0\0WAVEfmt ".as_slice(), &[0xff; 24]].concat();
    let spec = spec(&format!(
        r#"
        tools:
          image: {{ shell: {{ script: {PRINT_DOT} }}, result: {{ as: image }} }}
          sound: {{ file: ./tone, result: {{ as: audio }} }}
          named: {{ file: ./dot.png }}
          text: {{ text: words, result: {{ as: image }} }}
          empty: {{ exec: {{ command: ["true"] }}, result: {{ as: image }} }}
        "#
    ))
    .file("tone", wav)
    .file("dot.png", [0xff, 0xfe]);
    let client = spec.stdio(Era::Legacy).await;
    let image = json!([{ "type": "image", "data": DOT, "mimeType": "image/png" }]);
    assert_eq!(client.call("image", json!({})).await["content"], image);
    assert_eq!(client.call("sound", json!({})).await["content"][0]["mimeType"], "audio/wav");
    let named = json!([{ "type": "image", "data": "//4=", "mimeType": "image/png" }]);
    assert_eq!(client.call("named", json!({})).await["content"], named);
    for tool in ["text", "empty"] {
        assert_eq!(client.fails(tool, json!({})).await, "the answer is no image of a known kind");
    }
}

#[tokio::test]
async fn what_describes_things_is_told_as_written() {
    let spec = Spec::new(
        r#"
        server:
          name: described
          title: Described
          description: What it is for.
          websiteUrl: https://example.org
          icons: [{ src: "https://example.org/dark.png", theme: dark }, { src: "https://example.org/light.png", theme: light }]
        tools:
          t: { title: T, text: t, icons: [{ src: "data:image/png;base64,AA==", theme: light }], _meta: { "example.org/a": [1, { b: null }] } }
        resources:
          test://r: { title: R, text: r, _meta: { x: 1 }, annotations: { priority: 1 } }
          test://r/{id}: { title: RT, text: "{{id}}", _meta: { x: 2 }, annotations: { audience: [assistant] } }
        prompts:
          p: { title: P, template: p, _meta: { x: 3 }, icons: [{ src: "https://example.org/p.png" }] }
        "#,
    );
    everywhere(&spec, async |client| {
        let server = client.server()["serverInfo"].clone();
        assert_eq!((&server["title"], &server["description"]), (&json!("Described"), &json!("What it is for.")));
        assert_eq!(server["icons"][0]["theme"], "dark");
        let tool = &client.list("tools").await[0];
        assert_eq!((&tool["title"], &tool["_meta"]), (&json!("T"), &json!({ "example.org/a": [1, { "b": null }] })));
        assert_eq!(tool["icons"], json!([{ "src": "data:image/png;base64,AA==", "theme": "light" }]));
        let resource = &client.list("resources").await[0];
        assert_eq!((&resource["_meta"], &resource["annotations"]), (&json!({ "x": 1 }), &json!({ "priority": 1.0 })));
        let template = &client.list("resourceTemplates").await[0];
        assert_eq!((&template["_meta"], &template["title"]), (&json!({ "x": 2 }), &json!("RT")));
        let prompt = &client.list("prompts").await[0];
        assert_eq!((&prompt["_meta"], &prompt["title"]), (&json!({ "x": 3 }), &json!("P")));
    })
    .await;
}

/// What `check` says of a tool, resource or prompt that is at fault.
async fn complaint(text: &str) -> String {
    let output = Spec::new(text).run("check", &[]).await;
    assert_eq!(output.code, 1, "{text}: {}", output.out);
    output.out
}

#[tokio::test]
async fn mistakes_are_named_at_their_place() {
    for (block, words) in [
        ("{ type: picture, text: x }", "`picture` is not one of `text`, `image`, `audio`, `resource`, `resource_link`"),
        ("{ text: x }", "`type` is missing"),
        ("{ type: text }", "this content says nothing"),
        ("{ type: text, txt: x }", "unknown key `txt`"),
        ("{ type: text, text: '{{nobody}}' }", "`nobody` is not defined"),
        ("{ type: text, text: x, uri: 'a:b' }", "content of type `text` has no `uri`"),
        ("{ type: text, text: x, data: AAAA }", "content has `data` or an action, this has both"),
        ("{ type: text, text: x, file: ./y }", "has one action, this one has a second"),
        ("{ type: image, mimeType: image/png }", "this content of type `image` shows nothing"),
        ("{ type: image, mimeType: image/png, data: '!' }", "this is not base64"),
        ("{ type: image, data: AAAA }", "`mimeType` is missing: the data is no image of a known kind"),
        ("{ type: audio, data: AAAA, name: x, mimeType: audio/x }", "content of type `audio` has no `name`"),
        ("{ type: resource, text: x }", "`uri` is missing in this content of type `resource`"),
        ("{ type: resource_link, uri: 'a:b' }", "`name` is missing in this content of type `resource_link`"),
        ("{ type: resource_link, uri: 'a:b', name: x, text: y }", "shows nothing itself"),
        ("{ type: text, content: [] }", "content blocks can't stand in one another"),
        ("{ type: text, text: x, annotations: { priority: 2 } }", "a priority is a number from 0 to 1"),
        ("{ type: text, text: x, annotations: { audience: [all] } }", "`all` is not one of `user`, `assistant`"),
        ("{ type: text, text: x, _meta: 5 }", "expected a map, found an integer"),
        ("{ type: resource_link, uri: 'a:b', name: x, icons: [{ src: y, theme: red }] }", "`red` is not one of"),
        ("5", "expected a map"),
    ] {
        let said = complaint(&format!("tools: {{ t: {{ content: [{block}] }} }}")).await;
        assert!(said.contains(words) && said.contains("spec.yaml:2:"), "{block}: {said}");
    }
    for (text, words) in [
        ("tools: { t: { text: x, isError: true } }", "`isError` goes with `content`"),
        ("tools: { t: { content: [], isError: yes please } }", "expected a boolean"),
        ("tools: { t: { content: 5 } }", "expected a list"),
        ("tools: { t: { text: x, result: { as: video } } }", "`video` is not one of"),
        ("resources: { 'a:b': { content: [], isError: true } }", "a resource's contents can't be an error"),
        ("resources: { 'a:b': { content: [] } }", "a resource has contents"),
        (
            "resources: { 'a:b': { content: { type: resource_link, uri: 'a:c', name: x } } }",
            "a link can't be the contents of a resource",
        ),
        (
            "prompts: { p: { messages: [{ role: user, text: x, content: { type: text, text: y } }] } }",
            "a message has one of `text`, `resource`, `image`, `audio`, `file`, `content`",
        ),
    ] {
        let said = complaint(text).await;
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[tokio::test]
async fn call_shows_and_explains_blocks() {
    let spec = spec(
        "tools: { t: { params: { x: string }, content: [{ type: text, text: 'Say {{x}}' }, { type: image, data: DOT }] } }",
    );
    let said = spec.run("call", &["t", "x=it"]).await;
    assert_eq!((said.code, said.out.lines().next()), (0, Some("Say it")), "{}", said.err);
    assert!(said.out.contains("[image/png, "), "{}", said.out);
    let explained = spec.run("call", &["t", "x=it", "--explain"]).await;
    assert!(explained.out.contains("image: data of the spec"), "{}", explained.out);
}
