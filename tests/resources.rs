//! Resources: fixed and templated, over every action, matched back from their URIs.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere};

async fn started(spec: &Spec) -> Client {
    spec.stdio(Era::Legacy).await
}

/// What a client reads, as text.
async fn text(client: &Client, uri: &str) -> String {
    client.read(uri).await["text"].as_str().unwrap().to_owned()
}

async fn missing(client: &Client, uri: &str) -> String {
    let (code, words) = client.refused("resources/read", json!({ "uri": uri })).await;
    assert_eq!(code, -32002, "{uri}: {words}");
    words
}

#[tokio::test]
async fn fixed_ones_are_listed_with_what_is_known_of_them() {
    let spec = Spec::new(
        "
        resources:
          test://notes:
            name: notes
            title: My notes
            description: Written by hand.
            file: ./notes.md
            annotations: { audience: [user, assistant], priority: 0.5, lastModified: '2026-01-02T03:04:05Z' }
            icons: [{ src: 'https://example.org/a.png', mimeType: image/png, sizes: [48x48] }]
          test://now: { exec: { command: [echo, now] } }
          test://dot: { name: dot, mimeType: image/x-dot, file: ./dot.png }
        ",
    )
    .file("notes.md", "# Notes\n")
    .file("dot.png", [0x89, 0xff]);
    everywhere(&spec, async |client| {
        let listed = client.list("resources").await;
        let notes = json!({
            "uri": "test://notes", "name": "notes", "title": "My notes", "description": "Written by hand.",
            "mimeType": "text/markdown",
            "annotations": { "audience": ["user", "assistant"], "priority": 0.5, "lastModified": "2026-01-02T03:04:05Z" },
            "icons": [{ "src": "https://example.org/a.png", "mimeType": "image/png", "sizes": ["48x48"] }],
        });
        assert_eq!(listed[0], notes);
        assert_eq!(listed[1], json!({ "uri": "test://now", "name": "test://now" }));
        assert_eq!(listed[2]["mimeType"], "image/x-dot");
        assert_eq!(client.list("resourceTemplates").await, [Value::Null; 0]);
        let notes = json!({ "uri": "test://notes", "mimeType": "text/markdown", "text": "# Notes\n" });
        assert_eq!(client.read("test://notes").await, notes);
        assert_eq!(text(client, "test://now").await, "now\n");
        let dot = json!({ "uri": "test://dot", "mimeType": "image/x-dot", "blob": "if8=" });
        assert_eq!(client.read("test://dot").await, dot);
    })
    .await;
}

#[tokio::test]
async fn variables_are_matched_back_and_typed() {
    let spec = Spec::new(
        "
        sources: { db: { sql: 'sqlite:./db.sqlite', init: ./db.sql, readOnly: true } }
        resources:
          test://rows/{id}:
            params: { id: { type: integer, minimum: 1 } }
            sql: { source: db, query: 'SELECT id, word FROM words WHERE id = :id', returns: row }
          test://words/{word}:
            sql: { source: db, query: 'SELECT id FROM words WHERE word = :word', returns: value }
          test://names/{first}/{last}: { text: '{{last}}, {{first}}' }
        ",
    )
    .file(
        "db.sql",
        "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT); INSERT INTO words VALUES (1, 'a b/c'), (2, 'é');",
    );
    let client = started(&spec).await;
    assert_eq!(text(&client, "test://rows/1").await, r#"{"id":1,"word":"a b/c"}"#);
    assert_eq!(text(&client, "test://words/a%20b%2Fc").await, "1");
    assert_eq!(text(&client, "test://words/%C3%A9").await, "2");
    assert_eq!(text(&client, "test://names/Ann/O%27Hara").await, "O'Hara, Ann");
    assert!(missing(&client, "test://rows/0").await.contains("`id` must be at least 1"));
    assert!(missing(&client, "test://rows/1x").await.contains("`id` must be an integer"));
    assert_eq!(missing(&client, "test://rows/77").await, "not found: there is no such row");
    for uri in ["test://rows/1/", "test://rows", "test://rows/1?x=1", "TEST://rows/1/2", "test://names/a", ""] {
        assert_eq!(missing(&client, uri).await, "there is no such resource", "{uri}");
    }
}

#[tokio::test]
async fn explode_and_query_variables() {
    let spec = Spec::new(
        "
        resources:
          test://tree{/path*}: { text: '{{json path}}' }
          test://search{?q,page}:
            params: { page: { type: integer, default: 1 } }
            text: '{{q}}, page {{page}}'
          test://tags{?tag*}: { text: '{{json tag}}' }
        ",
    );
    let client = started(&spec).await;
    assert_eq!(text(&client, "test://tree/a/b%20c/d").await, r#"["a","b c","d"]"#);
    assert_eq!(text(&client, "test://search?q=sea%20stories&page=3").await, "sea stories, page 3");
    assert_eq!(text(&client, "test://search?page=3&q=x").await, "x, page 3", "in any order");
    assert_eq!(text(&client, "test://search?q=x").await, "x, page 1", "defaults are filled in");
    assert_eq!(text(&client, "test://tags?tag=a&tag=b").await, r#"["a","b"]"#);
}

#[tokio::test]
async fn the_more_literal_template_wins() {
    let spec = Spec::new(
        "
        resources:
          test://a/{x}: { text: 'any {{x}}' }
          test://a/first: { text: first }
          test://a/{x}/end: { text: 'end of {{x}}' }
          test://{all}/{x}: { text: 'all {{all}}' }
        ",
    );
    let client = started(&spec).await;
    assert_eq!(text(&client, "test://a/first").await, "first");
    assert_eq!(text(&client, "test://a/second").await, "any second");
    assert_eq!(text(&client, "test://a/b/end").await, "end of b");
    assert_eq!(text(&client, "test://b/c").await, "all b");
}

#[tokio::test]
async fn results_shape_resources_too() {
    let spec = Spec::new(
        "
        resources:
          test://lines/{name}:
            file: ./{name}.txt
            result: { as: lines, jq: '{first: .[0], lines: length}' }
          test://card/{name}:
            exec: { command: [printf, '{\"name\": \"%s\"}', '{{name}}'] }
            result: { as: json, text: '* {{name}} *' }
        ",
    )
    .file("poem.txt", "one\ntwo\n");
    let client = started(&spec).await;
    assert_eq!(text(&client, "test://lines/poem").await, r#"{"first":"one","lines":2}"#);
    assert_eq!(text(&client, "test://card/Ann").await, "* Ann *");
    assert!(missing(&client, "test://lines/prose").await.contains("there is no file"));
}

#[tokio::test]
async fn contents_that_were_cut_say_so() {
    let spec = Spec::new("resources: { 'test://start': { file: { path: ./poem.txt, maxBytes: 3B } } }")
        .file("poem.txt", "one two");
    everywhere(&spec, async |client| {
        let contents = client.read("test://start").await;
        assert_eq!((&contents["text"], &contents["mimeType"]), (&json!("one"), &json!("text/plain")));
        assert_eq!(contents["_meta"], json!({ "mcp-declare/truncated": "cut after 3 bytes (maxBytes)" }));
    })
    .await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let spec = Spec::new("resources: { 'test://in/{+path}': { file: { path: '{+path}', root: ./in } } }")
        .file("in/deep/a.txt", "inside")
        .file("secret.txt", "outside");
    std::os::unix::fs::symlink("../secret.txt", spec.folder().join("in/link")).unwrap();
    let client = started(&spec).await;
    assert_eq!(text(&client, "test://in/deep/a.txt").await, "inside");
    for path in [
        "../secret.txt",
        "deep/../../secret.txt",
        "%2e%2e/secret.txt",
        "..%2Fsecret.txt",
        "link",
        "/etc/passwd",
        "deep",
    ] {
        let error = client.ask("resources/read", json!({ "uri": format!("test://in/{path}") })).await.expect_err(path);
        assert!(!error.message.contains("outside\n") && [-32002, -32602].contains(&error.code.0), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn a_failing_action_is_an_internal_error_in_plain_words() {
    let spec = Spec::new("resources: { 'test://fails': { exec: { command: [sh, -c, 'echo sorry >&2; exit 3'] } } }");
    let client = started(&spec).await;
    let refused = client.refused("resources/read", json!({ "uri": "test://fails" })).await;
    assert_eq!(refused, (-32603, "`sh` ended with status 3: sorry".to_owned()));
}

#[tokio::test]
async fn completion_is_bounded_to_a_hundred_values() {
    let values: Vec<String> = (0..150).map(|n| format!("v{n:03}")).collect();
    let spec = Spec::new(&format!(
        "
        resources:
          test://many/{{v}}:
            text: '{{{{v}}}}'
            complete: {{ v: {{ values: [{}] }} }}
        ",
        values.join(", ")
    ));
    everywhere(&spec, async |client| {
        let all = client.complete("test://many/{v}", "v", "").await;
        assert_eq!((all["values"].as_array().unwrap().len(), &all["total"]), (100, &json!(150)));
        assert_eq!(all["hasMore"], true);
        let few = client.complete("test://many/{v}", "v", "v14").await;
        assert_eq!((&few["total"], &few["hasMore"]), (&json!(10), &json!(false)));
        let unknown = json!({ "ref": { "type": "ref/resource", "uri": "test://none/{v}" }, "argument": { "name": "v", "value": "" } });
        assert_eq!(client.refused("completion/complete", unknown).await.0, -32602);
    })
    .await;
}
