//! Completion of prompt arguments and resource variables.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Reply, Spec, Upstream, everywhere};

const SHOP: &str = "
    CREATE TABLE books (id INTEGER PRIMARY KEY, genre TEXT, title TEXT);
    INSERT INTO books (genre, title) VALUES ('sea', 'Tides'), ('sea', 'Tides and Time'), ('land', 'Tillage'), ('sea', 'Waves');
";

fn spec() -> Spec {
    Spec::new(
        r#"
        sources: { shop: { sql: "sqlite:./shop.db", init: ./shop.sql } }
        prompts:
          recommend:
            arguments:
              genre: { enum: [sea, land, air] }
              level: { type: integer, enum: [1, 2, 10] }
              title:
                complete:
                  sql:
                    source: shop
                    query: |
                      SELECT title FROM books WHERE title LIKE :value || '%' AND (:genre IS NULL OR genre = :genre)
              words: { complete: { text: "{{value}}-a\n\n {{value}}-b {{#if level}}{{level}}{{/if}}" } }
              json: { complete: { exec: { command: [echo, '{"list": ["x", {"name": "y"}, 3, null]}'] }, result: { as: json, jq: .list } } }
              broken: { complete: { shell: { script: "echo no >&2; exit 1" } } }
              many: { complete: { shell: { script: "seq 250" } } }
              cut: { complete: { sql: { source: shop, query: "SELECT title FROM books ORDER BY id", maxRows: 2 } } }
              fixed: { complete: { values: [Red, red wine, blue] } }
              free: {}
            template: "{{genre}}{{level}}{{title}}{{words}}{{json}}{{broken}}{{many}}{{cut}}{{fixed}}{{free}}"
        resources:
          test://books/{genre}/{id}:
            params: { genre: { type: string, enum: [sea, land] }, id: integer }
            complete:
              id: { sql: { source: shop, query: "SELECT id FROM books WHERE genre = :genre AND id LIKE :value || '%'" } }
            text: "{{genre}}{{id}}"
        "#,
    )
    .file("shop.sql", SHOP)
}

async fn with(client: &Client, reference: Value, argument: &str, typed: &str, others: Value) -> Value {
    let params = json!({
        "ref": reference, "argument": { "name": argument, "value": typed }, "context": { "arguments": others },
    });
    client.ask("completion/complete", params).await.unwrap()["completion"].take()
}

#[tokio::test]
async fn values_come_from_lists_enums_and_actions() {
    everywhere(&spec(), async |client| {
        let whole = |values: &[&str]| json!({ "values": values, "total": values.len(), "hasMore": false });
        for (argument, typed, values) in [
            ("genre", "", ["sea", "land", "air"].as_slice()),
            ("genre", "S", &["sea"]),
            ("level", "1", &["1", "10"]),
            ("fixed", "RED", &["Red", "red wine"]),
            ("title", "Ti", &["Tides", "Tides and Time", "Tillage"]),
            ("title", "'; DROP TABLE books; --", &[]),
            ("words", "w", &["w-a", "w-b"]),
            ("json", "", &["x", "y", "3"]),
            ("free", "x", &[]),
            ("nobody", "x", &[]),
        ] {
            assert_eq!(client.complete("recommend", argument, typed).await, whole(values), "{argument} {typed}");
        }
        let books = "test://books/{genre}/{id}";
        assert_eq!(client.complete(books, "genre", "l").await, whole(&["land"]));
        assert_eq!(client.complete(books, "id", "").await, whole(&[]), "no genre yet");
    })
    .await;
}

#[tokio::test]
async fn an_action_sees_the_arguments_given_so_far() {
    let client = spec().stdio(Era::Modern).await;
    let prompt = json!({ "type": "ref/prompt", "name": "recommend" });
    let titles = with(&client, prompt.clone(), "title", "Ti", json!({ "genre": "land", "title": "ignored" })).await;
    assert_eq!(titles["values"], json!(["Tillage"]));
    let words = with(&client, prompt, "words", "w", json!({ "level": "2", "unknown": "x" })).await;
    assert_eq!(words["values"], json!(["w-a", "w-b 2"]));
    let books = json!({ "type": "ref/resource", "uri": "test://books/{genre}/{id}" });
    let ids = with(&client, books, "id", "", json!({ "genre": "sea" })).await;
    assert_eq!(ids["values"], json!(["1", "2", "4"]));
}

#[tokio::test]
async fn an_api_and_a_command_see_them_too() {
    let api = Upstream::start(|asked| {
        let (typed, kind) = (asked.param("q").unwrap_or_default(), asked.param("kind").unwrap_or_default());
        Reply::json(&json!({ "found": [format!("{typed}-1-{kind}"), format!("{typed}-2-{kind}")] }))
    })
    .await;
    let spec = Spec::new(
        r#"
        sources: { api: { http: API } }
        prompts:
          p:
            arguments:
              kind: { type: integer }
              http: { complete: { http: { source: api, request: "GET /names?q={value}{&kind}" }, result: { jq: .found } } }
              exec: { complete: { exec: { command: [printf, '%s\n', "<{{value}}>", "<{{kind}}>"] } } }
            template: "{{kind}}{{http}}{{exec}}"
        "#
        .replace("API", &api.url(""))
        .as_str(),
    );
    let client = spec.stdio(Era::Modern).await;
    let prompt = json!({ "type": "ref/prompt", "name": "p" });
    let found = with(&client, prompt.clone(), "http", "a b&c", json!({ "kind": "7" })).await;
    assert_eq!(found["values"], json!(["a b&c-1-7", "a b&c-2-7"]));
    let found = with(&client, prompt.clone(), "http", "x", json!({})).await;
    assert_eq!(found["values"], json!(["x-1-", "x-2-"]), "what is not given yet is left out");
    let found = with(&client, prompt, "exec", "$(id)", json!({ "kind": "7" })).await;
    assert_eq!(found["values"], json!(["<$(id)>", "<7>"]));
}

#[tokio::test]
async fn no_answer_has_more_than_a_hundred_values() {
    let client = spec().stdio(Era::Legacy).await;
    let many = client.complete("recommend", "many", "").await;
    assert_eq!(many["values"].as_array().unwrap().len(), 100);
    assert_eq!((&many["total"], &many["hasMore"]), (&json!(250), &json!(true)));
    let cut = client.complete("recommend", "cut", "").await;
    assert_eq!(cut, json!({ "values": ["Tides", "Tides and Time"], "hasMore": true }), "nobody counted the others");
}

#[tokio::test]
async fn what_can_not_be_completed_is_refused() {
    let client = spec().stdio(Era::Legacy).await;
    for (reference, argument, words) in [
        (json!({ "type": "ref/prompt", "name": "nobody" }), "x", "there is no prompt `nobody`"),
        (json!({ "type": "ref/resource", "uri": "test://x" }), "x", "there is no resource template `test://x`"),
    ] {
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": "" } });
        assert_eq!(client.refused("completion/complete", params).await, (-32602, words.to_owned()));
    }
    let broken =
        json!({ "ref": { "type": "ref/prompt", "name": "recommend" }, "argument": { "name": "broken", "value": "" } });
    let (code, words) = client.refused("completion/complete", broken).await;
    assert!(code == -32603 && words.contains("ended with status 1: no"), "{code} {words}");
}

#[tokio::test]
async fn mistakes_are_named_at_their_place() {
    for (argument, words) in [
        ("{ complete: { } }", "this completion has no values"),
        ("{ complete: { values: [a], text: x } }", "a completion has `values` or an action, this one has both"),
        ("{ complete: { text: x, shell: { script: y } } }", "has one action, this one has a second"),
        ("{ complete: { text: '{{nobody}}' } }", "`nobody` is not defined in the completion of `a` in prompt `p`"),
        ("{ complete: { text: '{{a}}' } }", "`a` is not defined in the completion of `a` in prompt `p`"),
        ("{ complete: { vales: [a] } }", "unknown key `vales`"),
        ("{ complete: [a] }", "expected a map"),
    ] {
        let spec = Spec::new(&format!("prompts: {{ p: {{ arguments: {{ a: {argument} }}, template: '{{{{a}}}}' }} }}"));
        let said = spec.run("check", &[]).await;
        assert!(said.code == 1 && said.out.contains(words), "{argument}: {}", said.out);
    }
    let clash = Spec::new(
        "
        prompts:
          p:
            arguments: { value: {}, other: { complete: { text: '{{value}}' } } }
            template: '{{value}}{{other}}'
        ",
    );
    let said = clash.run("check", &[]).await.out;
    assert!(said.contains("in a completion `value` is what was typed"), "{said}");
    assert!(said.contains("give this another name"), "{said}");
    let unknown = Spec::new("resources: { 'a:{b}': { text: '{{b}}', complete: { c: { values: [x] } } } }");
    let said = unknown.run("check", &[]).await.out;
    assert!(said.contains("`c` is not defined in resource `a:{b}`"), "{said}");
    let fine =
        Spec::new("prompts: { p: { arguments: { value: { complete: { values: [x] } } }, template: '{{value}}' } }");
    assert_eq!(fine.run("check", &[]).await.code, 0, "`value` is free where no action wants it");
}
