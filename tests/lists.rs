//! Lists: pages, hints of how long they hold, members of resource templates.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere};
use crate::steps::talk::Talk;

/// Every page of a list, as names.
async fn pages(client: &Client, method: &str, entries: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let page = client.ask(method, params).await.unwrap();
        let name = |entry: &Value| entry["name"].as_str().unwrap().to_owned();
        pages.push(page[entries].as_array().unwrap().iter().map(name).collect());
        match page["nextCursor"].as_str() {
            Some(next) => params = json!({ "cursor": next }),
            None => return pages,
        }
    }
}

fn spec(sizes: &str) -> Spec {
    Spec::new(&format!(
        r#"
        server: {{ name: test, lists: {{ {sizes} }} }}
        tools: {{ a: {{ text: a }}, b: {{ text: b }}, c: {{ text: c }}, d: {{ text: d }}, e: {{ text: e }} }}
        resources:
          "x:1": {{ name: one, text: "1", ttlMs: 5, cacheScope: public }}
          "x:2": {{ name: two, text: "2" }}
          "x:3": {{ name: three, text: "3" }}
          "y:{{a}}": {{ name: four, text: "{{{{a}}}}" }}
          "z:{{a}}": {{ name: five, text: "{{{{a}}}}" }}
        prompts: {{ p: {{ template: p }}, q: {{ template: q }}, r: {{ template: r }} }}
        "#
    ))
}

#[tokio::test]
async fn pages_hold_everything_in_the_order_of_the_spec() {
    let spec = spec("pageSize: 2, prompts: { pageSize: 1 }");
    everywhere(&spec, async |client| {
        let tools = pages(client, "tools/list", "tools").await;
        assert_eq!(tools, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert_eq!(pages(client, "tools/list", "tools").await, tools, "the same list again");
        assert_eq!(pages(client, "resources/list", "resources").await, [vec!["one", "two"], vec!["three"]]);
        let templates = pages(client, "resources/templates/list", "resourceTemplates").await;
        assert_eq!(templates, [vec!["four", "five"]]);
        assert_eq!(pages(client, "prompts/list", "prompts").await, [["p"], ["q"], ["r"]]);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_knows_no_cursors_gets_all_of_a_long_list() {
    let tools: String = (0..5000).map(|n| format!("  t{n}: {{ text: x }}\n")).collect();
    let client = Spec::new(&format!("tools:\n{tools}")).stdio(Era::Legacy).await;
    let page = client.ask("tools/list", json!({})).await.unwrap();
    assert_eq!((page["tools"].as_array().unwrap().len(), page.get("nextCursor")), (5000, None));
    assert_eq!(page["tools"][4999]["name"], "t4999");
}

#[tokio::test]
async fn cursors_of_other_lists_are_refused() {
    let spec = spec("pageSize: 2");
    let mut client = spec.stdio(Era::Legacy).await;
    let next = |page: Value| page["nextCursor"].as_str().unwrap().to_owned();
    let tools = next(client.ask("tools/list", json!({})).await.unwrap());
    let prompts = next(client.ask("prompts/list", json!({})).await.unwrap());
    let words = "unknown cursor: the list has changed, or never had it";
    for cursor in ["", "1", "AAAAAAAAAAAAAAAAAAAAAA", "🦀", &prompts, &tools.to_lowercase(), &"A".repeat(100_000)] {
        let refused = client.refused("tools/list", json!({ "cursor": cursor })).await;
        assert_eq!(refused, (-32602, words.to_owned()), "{cursor}");
    }
    assert_eq!(client.ask("tools/list", json!({ "cursor": tools })).await.unwrap()["tools"][0]["name"], "c");

    let text = spec.get("spec.yaml");
    spec.write(&text.replace("p: {", "new: { template: n }, p: {"));
    assert_eq!(client.hears().await, "prompts");
    let page = client.ask("tools/list", json!({ "cursor": tools })).await.unwrap();
    assert_eq!(page["tools"][0]["name"], "c", "a reload that leaves the list alone leaves its cursors alone");
    spec.write(&text.replace("b: {", "new: { text: b }, b: {"));
    while client.hears().await != "tools" {}
    let refused = client.refused("tools/list", json!({ "cursor": tools })).await;
    assert_eq!(refused, (-32602, words.to_owned()), "of the list before");
}

#[tokio::test]
async fn hints_are_told_to_those_who_know_them() {
    let spec = spec("ttlMs: 60000, cacheScope: public, tools: { ttlMs: 7, cacheScope: private }");
    let hints = |of: &Value| (of["ttlMs"].clone(), of["cacheScope"].clone());
    let public = (json!(60000), json!("public"));
    let client = spec.stdio(Era::Modern).await;
    assert_eq!(hints(&client.ask("tools/list", json!({})).await.unwrap()), (json!(7), json!("private")));
    for method in ["prompts/list", "resources/list", "resources/templates/list"] {
        assert_eq!(hints(&client.ask(method, json!({})).await.unwrap()), public, "{method}");
    }
    let read = client.ask("resources/read", json!({ "uri": "x:1" })).await.unwrap();
    assert_eq!(hints(&read), (json!(5), json!("public")));
    let read = client.ask("resources/read", json!({ "uri": "x:2" })).await.unwrap();
    assert_eq!(hints(&read), (json!(0), json!("private")), "nothing said is the safest");

    let client = spec.stdio(Era::Legacy).await;
    for (method, params) in [("tools/list", json!({})), ("resources/read", json!({ "uri": "x:1" }))] {
        assert_eq!(hints(&client.ask(method, params).await.unwrap()), (Value::Null, Value::Null), "{method}");
    }
}

#[tokio::test]
async fn a_template_lists_its_members() {
    let spec = Spec::new(
        r#"
        server: { name: test, lists: { pageSize: 2 } }
        sources: { shop: { sql: "sqlite:./shop.db", init: ./shop.sql } }
        resources:
          "shop://terms": { name: terms, text: terms }
          "shop://books/{genre}/{id}{?page}":
            name: book
            mimeType: text/plain
            annotations: { priority: 0.5 }
            text: "{{genre}} {{id}}"
            list:
              sql:
                source: shop
                query: SELECT genre, id, title AS name, 'By ' || author AS description FROM books ORDER BY id
          "shop://files/{name}":
            list: { shell: { script: "ls *.md" }, result: { as: lines, jq: "[.[] | {name: ., size: 5, mimeType: \"text/markdown\"}]" } }
            text: "{{name}}"
          "shop://broken/{x}": { text: "{{x}}", list: { shell: { script: exit 1 } } }
          "shop://odd/{x}": { text: "{{x}}", list: { text: no rows } }
          "shop://quiet/{x}": { text: "{{x}}" }
        "#,
    )
    .file("a.md", "a")
    .file(
        "shop.sql",
        "CREATE TABLE books (id INTEGER PRIMARY KEY, genre TEXT, title TEXT, author TEXT);
         INSERT INTO books VALUES (1, 'sea side', 'Tides', 'Ann'), (2, NULL, 'Lost', 'Bob'), (3, 'land', 'Tillage', 'Cy');",
    );
    everywhere(&spec, async |client| {
        let mut all = Vec::new();
        let mut params = json!({});
        loop {
            let page = client.ask("resources/list", params).await.unwrap();
            all.extend(page["resources"].as_array().unwrap().clone());
            let Some(next) = page["nextCursor"].as_str() else { break };
            params = json!({ "cursor": next });
        }
        let book = |uri: &str, name: &str, by: &str| {
            json!({ "uri": uri, "name": name, "description": by, "mimeType": "text/plain", "annotations": { "priority": 0.5 } })
        };
        assert_eq!(all[0]["uri"], "shop://terms");
        assert_eq!(all[1], book("shop://books/sea%20side/1", "Tides", "By Ann"));
        assert_eq!(all[2], book("shop://books/land/3", "Tillage", "By Cy"), "a row without a genre is no member");
        assert_eq!(all[3], json!({ "uri": "shop://files/a.md", "name": "a.md", "mimeType": "text/markdown", "size": 5 }));
        assert_eq!(all.len(), 4);
        assert_eq!(client.read("shop://books/sea%20side/1").await["text"], "sea side 1");
        assert_eq!(client.list("resourceTemplates").await.len(), 2, "a page of them");
    })
    .await;
}

#[tokio::test]
async fn mistakes_are_named_at_their_place() {
    for (text, words) in [
        ("server: { name: x, lists: { pageSize: 0 } }", "a page has at least 1 entry"),
        ("server: { name: x, lists: { tools: { pageSize: 0 } } }", "a page has at least 1 entry"),
        ("server: { name: x, lists: { pageSize: -1 } }", "expected a whole number, 0 or more"),
        ("server: { name: x, lists: { ttlMs: 5s } }", "expected a whole number, 0 or more"),
        ("server: { name: x, lists: { cacheScope: all } }", "`all` is not one of `public`, `private`"),
        ("server: { name: x, lists: { tool: {} } }", "unknown key `tool` in lists"),
        ("resources: { 'a:b': { text: x, ttlMs: soon } }", "expected a whole number, 0 or more"),
        ("resources: { 'a:b': { text: x, list: { text: y } } }", "a resource without variables has no members"),
        ("resources: { 'a:{b}': { text: x, list: { text: '{{b}}' } } }", "`b` is not defined in the list of resource"),
        ("resources: { 'a:{b}': { text: x, list: {} } }", "this list does nothing"),
        ("tools: { t: { text: x, params: { a: { type: number, x-mcp-header: A } } } }", "this param can't be a header"),
        (
            "tools: { t: { text: x, params: { a: { type: string, x-mcp-header: A }, b: { type: string, x-mcp-header: a } } } }",
            "two params are the header `a`",
        ),
        (
            "tools: { t: { text: x, inputSchema: { type: object, properties: { a: { type: string, x-mcp-header: 'a b' } } } } }",
            "this is no name of a header",
        ),
    ] {
        let said = Spec::new(text).run("check", &[]).await;
        assert!(said.code == 1 && said.out.contains(words) && said.out.contains("spec.yaml:"), "{text}: {}", said.out);
    }
}

#[tokio::test]
async fn a_cursor_that_is_no_text_is_refused_in_both_eras() {
    let spec = Spec::tools("one: { text: one }");
    let lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    for era in [Era::Legacy, Era::Modern] {
        for mut talk in [Talk::stdio(&spec, era, json!({})).await, Talk::http(&spec, era, json!({})).await] {
            for (list, cursor) in lists.into_iter().flat_map(|list| [(list, json!(5)), (list, json!(["a"]))]) {
                let refused = talk.once(list, json!({ "cursor": cursor })).await;
                assert_eq!(refused["error"]["code"], -32602, "{list} {cursor}: {refused}");
                let words = refused["error"]["message"].as_str().unwrap();
                assert!(words.contains(list) && words.contains("expected a string"), "{words}");
            }
            assert!(talk.once("tools/list", json!({ "cursor": null })).await["result"]["tools"].is_array());
        }
    }
}
