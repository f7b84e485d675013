//! Prompts: arguments, data, partials, and messages of every kind.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere};

async fn started(spec: &Spec) -> Client {
    spec.stdio(Era::Legacy).await
}

/// The text of a prompt's one message.
async fn text(client: &Client, prompt: &str, arguments: Value) -> String {
    client.prompt(prompt, arguments).await[0]["content"]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn are_listed_with_their_arguments() {
    let spec = Spec::new(
        "
        prompts:
          greet:
            title: Greeting
            description: Greets somebody.
            arguments:
              name: { title: Name, description: Who is greeted, required: true }
              how: { enum: [warmly, coolly], default: warmly }
            template: Greet {{name}} {{how}}.
          plain: { template: Say something. }
        ",
    );
    everywhere(&spec, async |client| {
        let arguments = json!([
            { "name": "name", "title": "Name", "description": "Who is greeted", "required": true },
            { "name": "how" },
        ]);
        let listed = client.list("prompts").await;
        let greet =
            json!({ "name": "greet", "title": "Greeting", "description": "Greets somebody.", "arguments": arguments });
        assert_eq!(listed, [greet, json!({ "name": "plain" })]);
        let got = client.ask("prompts/get", json!({ "name": "greet", "arguments": { "name": "Ann" } })).await.unwrap();
        assert_eq!(got["description"], "Greets somebody.");
        let said = json!([{ "role": "user", "content": { "type": "text", "text": "Greet Ann warmly." } }]);
        assert_eq!(got["messages"], said);
        assert_eq!(text(client, "plain", json!({})).await, "Say something.");
        assert_eq!(client.complete("greet", "how", "").await["values"], json!(["warmly", "coolly"]));
        let wrong = json!({ "name": "greet", "arguments": { "name": "Ann", "how": "not at all" } });
        let (code, words) = client.refused("prompts/get", wrong).await;
        assert!(code == -32602 && words.contains("`how` must be one of"), "{code} {words}");
    })
    .await;
}

#[tokio::test]
async fn typed_arguments_are_converted_from_text() {
    let spec = Spec::new(
        "
        prompts:
          repeat:
            arguments: { times: { type: integer, required: true }, loud: { type: boolean, default: false } }
            template: '{{#if loud}}LOUD {{/if}}{{#if (gt times 2)}}many{{else}}few{{/if}}'
        ",
    );
    let client = started(&spec).await;
    assert_eq!(text(&client, "repeat", json!({ "times": "3" })).await, "many");
    assert_eq!(text(&client, "repeat", json!({ "times": "1", "loud": "true" })).await, "LOUD few");
    let wrong = json!({ "name": "repeat", "arguments": { "times": "often", "loud": "very" } });
    let (code, words) = client.refused("prompts/get", wrong).await;
    assert_eq!(code, -32602);
    assert!(words.contains("`times` must be an integer") && words.contains("`loud` must be"), "{words}");
}

#[tokio::test]
async fn data_runs_first_and_has_names() {
    let spec = Spec::new(
        r#"
        sources: { db: { sql: 'sqlite:./db.sqlite', init: ./db.sql, readOnly: true } }
        partials:
          line: "- {{word}}\n"
          foot: { file: ./foot.hbs }
        prompts:
          words:
            arguments: { from: { type: integer, default: 0 } }
            data:
              rows: { sql: { source: db, query: 'SELECT id, word FROM words WHERE id > :from ORDER BY id' } }
              one: { sql: { source: db, query: 'SELECT word FROM words LIMIT 1', returns: row } }
              day: { exec: { command: [echo, Monday] } }
              shaped: { exec: { command: [echo, '[1, 2]'] }, result: { as: json, jq: add } }
              note: { file: ./note.txt }
            template: "{{#each rows}}{{> line}}{{/each}}{{one.word}} {{trim day}} {{shaped}} {{trim note}}{{> foot}}"
        "#,
    )
    .file(
        "db.sql",
        "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT); INSERT INTO words VALUES (1, 'sea'), (2, '{{day}}');",
    )
    .file("foot.hbs", " -- {{len rows}}")
    .file("note.txt", "see {{x}}\n");
    let client = started(&spec).await;
    assert_eq!(text(&client, "words", json!({})).await, "- sea\n- {{day}}\nsea Monday 3 see {{x}} -- 2");
    assert_eq!(text(&client, "words", json!({ "from": "1" })).await, "- {{day}}\nsea Monday 3 see {{x}} -- 1");
}

#[tokio::test]
async fn texts_become_what_their_types_say() {
    let spec = Spec::new(
        "
        prompts:
          types:
            arguments:
              whole: { type: integer, default: 1 }
              number: { type: number }
              flag: { type: boolean }
              list: { type: array }
              object: { type: object }
              text: {}
              any: { enum: [1, true, one] }
            template: '{{json whole}} {{json number}} {{json flag}} {{json list}} {{json object}} {{json text}} {{json any}}'
        ",
    );
    let client = started(&spec).await;
    for (given, expected) in [
        (json!({}), "1 null null null null null null"),
        (
            json!({ "whole": "-7", "number": "2.50", "flag": "false", "list": "a,b", "object": "{\"a\": 1}", "text": "7", "any": "one" }),
            r#"-7 2.5 false ["a","b"] {"a":1} "7" "one""#,
        ),
        (json!({ "number": "3", "any": "true", "text": "{{whole}}" }), r#"1 3 null null null "{{whole}}" true"#),
    ] {
        assert_eq!(text(&client, "types", given.clone()).await, expected, "{given}");
    }
    for (name, value) in [("whole", "1.5"), ("number", "many"), ("flag", "yes"), ("object", "x"), ("any", "two")] {
        let wrong = json!({ "name": "types", "arguments": { name: value } });
        let (code, words) = client.refused("prompts/get", wrong).await;
        assert!(code == -32602 && words.contains(&format!("`{name}` must be")), "{name}: {words}");
    }
}

#[tokio::test]
async fn data_runs_side_by_side_under_one_deadline() {
    let spec = Spec::new(
        "
        prompts:
          together:
            data:
              a: { shell: { script: 'touch a; for i in $(seq 600); do [ -e b ] && break; sleep 0.1; done; [ -e b ]; echo A' } }
              b: { shell: { script: 'touch b; for i in $(seq 600); do [ -e a ] && break; sleep 0.1; done; [ -e a ]; echo B' } }
            timeout: 60s
            template: '{{trim a}}{{trim b}}'
          late:
            data:
              quick: { text: done }
              slow: { exec: { command: [sleep, '60'], timeout: 60s } }
            timeout: 200ms
            template: '{{quick}}{{slow}}'
        ",
    );
    let client = started(&spec).await;
    assert_eq!(text(&client, "together", json!({})).await, "AB", "each waits for the other");
    let (_, words) = client.refused("prompts/get", json!({ "name": "late" })).await;
    assert_eq!(words, "slow: it took longer than 200ms");
}

#[tokio::test]
async fn a_text_that_was_cut_says_so() {
    let spec = Spec::new(
        "
        prompts:
          data: { data: { poem: { file: { path: ./poem.txt, maxBytes: 3B } } }, template: '<{{poem}}>' }
        ",
    )
    .file("poem.txt", "one two");
    let client = started(&spec).await;
    assert_eq!(text(&client, "data", json!({})).await, "<one\n[cut after 3 bytes (maxBytes)]>");

    let spec = Spec::new(
        "
        defaults: { maxBytes: 3B }
        prompts:
          file: { messages: [{ role: user, file: ./poem.txt }] }
          text: { arguments: { x: {} }, template: '{{x}}' }
        ",
    )
    .file("poem.txt", "one two");
    let client = started(&spec).await;
    assert_eq!(text(&client, "file", json!({})).await, "one\n[cut after 3 bytes (maxBytes)]");
    let refused = client.refused("prompts/get", json!({ "name": "text", "arguments": { "x": "long" } })).await;
    assert_eq!(refused, (-32602, "the rendered text is longer than 3 bytes".to_owned()));
}

#[tokio::test]
async fn a_failing_data_entry_is_named() {
    let spec = Spec::new(
        "
        prompts:
          broken:
            data: { day: { exec: { command: [sh, -c, 'echo no day >&2; exit 1'] } } }
            template: '{{day}}'
        ",
    );
    let client = started(&spec).await;
    let refused = client.refused("prompts/get", json!({ "name": "broken" })).await;
    assert_eq!(refused, (-32603, "day: `sh` ended with status 1: no day".to_owned()));
}

#[tokio::test]
async fn messages_embed_resources_images_and_files() {
    let spec = Spec::new(
        "
        resources:
          test://notes/{name}: { mimeType: text/plain, text: 'notes on {{name}}' }
        prompts:
          show:
            arguments: { what: { required: true } }
            messages:
              - { role: user, text: 'About {{what}}:' }
              - { role: user, resource: 'test://notes/{{what}}' }
              - { role: assistant, image: ./dot.png }
              - { role: user, file: ./ask.txt }
              - { role: user, audio: './{what}.wav' }
              - { role: user, content: { type: resource_link, uri: 'test://notes/{{what}}', name: '{{what}}' } }
              - { role: user, content: { type: audio, data: AAAA, mimeType: audio/mpeg } }
        ",
    )
    .file("tea.wav", "RIFF....WAVE")
    .file("dot.png", [0x89, 0xff])
    .file("ask.txt", "And {{what}} now?\n");
    everywhere(&spec, async |client| {
        let messages = client.prompt("show", json!({ "what": "tea" })).await;
        let notes = json!({ "uri": "test://notes/tea", "mimeType": "text/plain", "text": "notes on tea" });
        let expected = json!([
            { "role": "user", "content": { "type": "text", "text": "About tea:" } },
            { "role": "user", "content": { "type": "resource", "resource": notes } },
            { "role": "assistant", "content": { "type": "image", "data": "if8=", "mimeType": "image/png" } },
            { "role": "user", "content": { "type": "text", "text": "And {{what}} now?\n" } },
            { "role": "user", "content": { "type": "audio", "data": "UklGRi4uLi5XQVZF", "mimeType": "audio/wav" } },
            { "role": "user", "content": { "type": "resource_link", "uri": "test://notes/tea", "name": "tea" } },
            { "role": "user", "content": { "type": "audio", "data": "AAAA", "mimeType": "audio/mpeg" } },
        ]);
        assert_eq!(messages, expected);
    })
    .await;
}

#[tokio::test]
async fn unknown_prompts_and_arguments_are_refused() {
    let spec = Spec::new("prompts: { a: { arguments: { x: {} }, template: '{{x}}' } }");
    everywhere(&spec, async |client| {
        let refused = client.refused("prompts/get", json!({ "name": "b" })).await;
        assert_eq!(refused, (-32602, "there is no prompt `b`".to_owned()));
        let other = json!({ "name": "a", "arguments": { "y": "1" } });
        let (code, words) = client.refused("prompts/get", other).await;
        assert!(code == -32602 && words.contains("`y`"), "{words}");
        assert_eq!(text(client, "a", json!({})).await, "", "an argument that is not required may be left out");
    })
    .await;
}
