//! Resources: fixed and templated, over every action, matched back from their URIs.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Reply, Spec, Upstream, everywhere};

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
async fn values_are_decoded_as_uris_say() {
    let spec = Spec::new(
        "
        resources:
          test://one/{x}: { text: '<{{x}}>' }
          test://all/{+x}: { text: '<{{x}}>' }
          test://dots{.x*}: { text: '{{json x}}' }
          test://semi{;a,b}: { text: '{{a}}|{{b}}' }
          test://find{?q,tag*}: { text: '<{{q}}>{{json tag}}' }
        ",
    );
    everywhere(&spec, async |client| {
        for (uri, expected) in [
            ("test://one/a+b", "<a+b>"),
            ("test://one/a%20b", "<a b>"),
            ("test://one/a%2Fb%3F%23%25", "<a/b?#%>"),
            ("test://one/%E2%82%AC%C3%BC", "<€ü>"),
            ("test://one/€ü", "<€ü>"),
            ("test://one/%7E%41", "<~A>"),
            ("test://one/%7B%7Bx%7D%7D", "<{{x}}>"),
            ("test://all/a/b%2Fc?d=e", "<a/b/c?d=e>"),
            ("test://dots.a.b%2Ec", r#"["a","b","c"]"#),
            ("test://semi;b=2;a=1", "1|2"),
            ("test://find?q=a+b%26c&tag=%C3%A9&tag=x%3Dy", r#"<a+b&c>["é","x=y"]"#),
            ("test://find?q=", "<>null"),
        ] {
            assert_eq!(text(client, uri).await, expected, "{uri}");
        }
        for uri in
            ["test://one/%", "test://one/%2", "test://one/%zz", "test://one/%ff", "test://one/%C3", "test://one/a/b"]
        {
            let error = client.ask("resources/read", json!({ "uri": uri })).await.expect_err(uri);
            assert!(error.message.contains("there is no such resource"), "{uri}: {error:?}");
            assert_eq!(error.data.unwrap()["uri"], uri);
        }
    })
    .await;
}

#[tokio::test]
async fn each_era_has_its_error_for_what_is_not_there() {
    let spec = Spec::new("resources: { 'test://{x}': { params: { x: integer }, text: '{{x}}' } }");
    for (era, code) in [(Era::Legacy, -32002), (Era::Modern, -32602)] {
        let client = spec.stdio(era).await;
        for uri in ["test://a", "test://1/2", "other://1"] {
            let error = client.ask("resources/read", json!({ "uri": uri })).await.expect_err(uri);
            assert_eq!((error.code.0, &error.data.unwrap()["uri"]), (code, &json!(uri)));
        }
    }
}

#[tokio::test]
async fn the_narrower_template_wins_among_those_as_literal() {
    let spec = Spec::new(
        "
        resources:
          test://{+all}: { text: 'all {{all}}' }
          test://{x}: { text: 'one {{x}}' }
          test://list{?page,size}: { text: 'pages' }
          test://list: { text: 'the list' }
          test://list{?page}: { text: 'page {{page}}' }
        ",
    );
    let client = started(&spec).await;
    for (uri, expected) in [
        ("test://a", "one a"),
        ("test://a/b", "all a/b"),
        ("test://list", "the list"),
        ("test://list?page=2", "page 2"),
        ("test://list?size=2", "pages"),
        ("test://list?other=2", "all list?other=2"),
    ] {
        assert_eq!(text(&client, uri).await, expected, "{uri}");
    }
}

#[tokio::test]
async fn a_uri_that_two_templates_mean_alike_is_an_error_at_both() {
    for (one, other, words) in [
        ("test://{x}/b", "test://a/{y}", "the URI `test://a/b` is one of this resource and one of `test://{x}/b`"),
        ("test://s{?a}", "test://s{?b}", "the URI `test://s` is one of this resource and one of `test://s{?a}`"),
        ("test://t{/x}", "test://t/{y}", "the URIs of this resource are those of `test://t{/x}` too"),
    ] {
        let spec = Spec::new(&format!("resources:\n  {one}: {{ text: x }}\n  {other}: {{ text: x }}\n"));
        let said = spec.run("check", &[]).await;
        assert!(said.code == 1 && said.out.contains(words), "{}", said.out);
        assert!(said.out.contains("spec.yaml:4:3") && said.out.contains("first defined here"), "{}", said.out);
    }
    let fine = "resources: { 'a://{x}/b': { text: x }, 'a://{x}/c': { text: x }, 'a://a/{y}/': { text: x } }";
    assert_eq!(Spec::new(fine).run("check", &[]).await.code, 0);
}

#[tokio::test]
async fn several_contents_text_and_blob() {
    let spec = Spec::new(
        "
        resources:
          test://pair/{name}:
            content:
              - { type: text, text: 'about {{name}}' }
              - { type: image, file: './{name}.png' }
              - { type: resource, uri: 'test://other/{{name}}', mimeType: application/json, text: '[1]' }
        ",
    )
    .file("dot.png", [0x89, 0xff]);
    everywhere(&spec, async |client| {
        let read = client.ask("resources/read", json!({ "uri": "test://pair/dot" })).await.unwrap();
        let contents = json!([
            { "uri": "test://pair/dot", "mimeType": "text/plain", "text": "about dot" },
            { "uri": "test://pair/dot", "mimeType": "image/png", "blob": "if8=" },
            { "uri": "test://other/dot", "mimeType": "application/json", "text": "[1]" },
        ]);
        assert_eq!(read["contents"], contents);
    })
    .await;
}

#[tokio::test]
async fn members_come_from_any_action() {
    let api = Upstream::start(|_| Reply::json(&json!([{ "id": "h", "name": "by HTTP", "size": 3 }]))).await;
    let spec = Spec::new(&format!(
        r#"
        sources: {{ db: {{ sql: "sqlite::memory:" }}, api: {{ http: "{}" }} }}
        resources:
          test://sql/{{id}}: {{ text: x, list: {{ sql: {{ source: db, query: "SELECT 's' AS id, 'by SQL' AS name" }} }} }}
          test://http/{{id}}: {{ text: x, list: {{ http: {{ source: api, request: GET /all }} }} }}
          test://exec/{{id}}:
            text: x
            list: {{ exec: {{ command: [echo, '[{{"id": "e", "name": "by exec"}}]'] }}, result: {{ as: json }} }}
          test://shell/{{id}}:
            text: x
            list: {{ shell: {{ script: 'echo a; echo b' }}, result: {{ as: lines, jq: "map({{id: ., name: .}})" }} }}
          test://file/{{id}}: {{ text: x, list: {{ file: ./all.csv, result: {{ as: csv }} }} }}
          test://text/{{id}}: {{ text: x, list: {{ text: "t1 t2", result: {{ jq: "split(\" \") | map({{id: ., name: .}})" }} }} }}
          test://steps/{{id}}:
            text: x
            list:
              steps: [{{ text: "st", as: it }}]
              result: {{ jq: "[{{id: .it, name: .it}}]" }}
        "#,
        api.url("")
    ))
    .file("all.csv", "id,name\nf,by file\n");
    let client = started(&spec).await;
    let listed = client.list("resources").await;
    let uris: Vec<&str> = listed.iter().map(|r| r["uri"].as_str().unwrap()).collect();
    assert_eq!(
        uris,
        [
            "test://sql/s",
            "test://http/h",
            "test://exec/e",
            "test://shell/a",
            "test://shell/b",
            "test://file/f",
            "test://text/t1",
            "test://text/t2",
            "test://steps/st",
        ]
    );
    assert_eq!((&listed[1]["name"], &listed[1]["size"]), (&json!("by HTTP"), &json!(3)));
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
