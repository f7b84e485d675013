//! Tools over every action, in small specs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere};

const STOCK: &str = "
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, tag TEXT, photo BLOB);
INSERT INTO items VALUES (1, 'anvil', 9.5, 'iron', x'00ff'), (2, 'bell', NULL, NULL, NULL), (3, 'cup', 2.0, 'clay', NULL);
";

/// A spec of these tools over a database of three items; the sources are `stock` (read-only) and `desk`.
fn stocked(tools: &str) -> Spec {
    let sources = "
        sources:
          stock: { sql: 'sqlite:./stock.db', init: ./stock.sql, readOnly: true }
          desk: { sql: 'sqlite:./desk.db', init: ./stock.sql }
    ";
    let text = format!("{}{}", crate::harness::dedent(sources), crate::harness::spec::tools(tools));
    Spec::new("").file("stock.sql", STOCK).with(&text)
}

async fn started(spec: &Spec) -> Client {
    spec.stdio(Era::Legacy).await
}

fn ids(answer: &Value) -> Vec<i64> {
    answer["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn sql_returns_rows_a_row_a_value_or_what_it_changed() {
    let spec = stocked(
        "
        rows: { sql: { source: stock, query: 'SELECT id, price FROM items ORDER BY id' } }
        row: { params: { id: integer }, sql: { source: stock, query: 'SELECT * FROM items WHERE id = :id', returns: row } }
        value: { sql: { source: stock, query: 'SELECT count(*) FROM items', returns: value } }
        add: { params: { name: string }, sql: { source: desk, query: 'INSERT INTO items (name) VALUES (:name)', returns: affected } }
        added: { params: { name: string }, sql: { source: desk, query: 'INSERT INTO items (name) VALUES (:name) RETURNING id, name' } }
        ",
    );
    everywhere(&spec, async |client| {
        let rows = json!([{ "id": 1, "price": 9.5 }, { "id": 2, "price": null }, { "id": 3, "price": 2.0 }]);
        let expected = json!({ "rows": rows, "rowCount": 3, "truncated": false });
        assert_eq!(client.json("rows", json!({})).await, expected);
        let anvil = json!({ "id": 1, "name": "anvil", "price": 9.5, "tag": "iron", "photo": "AP8=" });
        assert_eq!(client.json("row", json!({ "id": 1 })).await, anvil);
        assert_eq!(client.fails("row", json!({ "id": 9 })).await, "not found: there is no such row");
        assert_eq!(client.text("value", json!({})).await, "3");
        let first = client.json("add", json!({ "name": "dish" })).await;
        assert_eq!(first["affected"], 1);
        let next = client.json("added", json!({ "name": "egg" })).await;
        let id = first["lastId"].as_i64().unwrap() + 1;
        assert_eq!(next["rows"], json!([{ "id": id, "name": "egg" }]));
    })
    .await;
}

#[tokio::test]
async fn a_statement_can_stand_in_a_file() {
    let spec = stocked("all: { sql: { source: stock, file: ./all.sql } }").file("all.sql", "SELECT id FROM items;\n");
    assert_eq!(ids(&started(&spec).await.json("all", json!({})).await), [1, 2, 3]);
}

#[tokio::test]
async fn blocks_ask_what_was_given() {
    let spec = stocked(
        "
        find:
          params:
            most: { type: number, optional: true }
            tagged: { type: boolean, default: false }
            by: { type: string, enum: [id, name, price], default: id }
          sql:
            source: stock
            query: |
              SELECT id FROM items WHERE 1 = 1
              {{#if most}} AND price <= :most {{else}} AND id < 4 {{/if}}
              {{#unless tagged}} {{else}} AND tag IS NOT NULL {{/unless}}
              ORDER BY {{ident by}} DESC
        ",
    );
    let client = started(&spec).await;
    assert_eq!(ids(&client.json("find", json!({})).await), [3, 2, 1]);
    assert_eq!(ids(&client.json("find", json!({ "most": 5 })).await), [3]);
    assert_eq!(ids(&client.json("find", json!({ "most": 0 })).await), [0; 0], "0 was given");
    assert_eq!(ids(&client.json("find", json!({ "tagged": true })).await), [3, 1]);
    assert_eq!(ids(&client.json("find", json!({ "by": "price" })).await), [1, 3, 2]);
    let refused = client.fails("find", json!({ "by": "price; DROP TABLE items" })).await;
    assert!(refused.starts_with("`by` must be one of \"id\", \"name\", \"price\""), "{refused}");
}

#[tokio::test]
async fn lists_bind_as_lists_and_null_as_null() {
    let spec = stocked(
        "
        among: { params: { ids: { type: array, items: integer-list } }, sql: { source: stock, query: 'SELECT id FROM items WHERE id IN (:ids) ORDER BY id' } }
        others: { params: { ids: { type: array, items: integer-list } }, sql: { source: stock, query: 'SELECT id FROM items WHERE id NOT IN (:ids) ORDER BY id' } }
        tagged: { params: { tag: { type: [string, 'null'] } }, sql: { source: stock, query: 'SELECT id FROM items WHERE tag IS :tag ORDER BY id' } }
        "
        .replace("integer-list", "{ type: integer }")
        .as_str(),
    );
    let client = started(&spec).await;
    assert_eq!(ids(&client.json("among", json!({ "ids": [1, 3, 7] })).await), [1, 3]);
    assert_eq!(ids(&client.json("among", json!({ "ids": [] })).await), [0; 0]);
    assert_eq!(ids(&client.json("others", json!({ "ids": [1, 3] })).await), [2]);
    assert_eq!(ids(&client.json("others", json!({ "ids": [] })).await), [1, 2, 3]);
    assert_eq!(ids(&client.json("tagged", json!({ "tag": null })).await), [2]);
    assert_eq!(ids(&client.json("tagged", json!({ "tag": "iron" })).await), [1]);
}

#[tokio::test]
async fn a_cut_result_says_so() {
    let spec = stocked("two: { sql: { source: stock, query: 'SELECT id FROM items ORDER BY id', maxRows: 2 } }");
    everywhere(&spec, async |client| {
        let answer = client.call("two", json!({})).await;
        let expected = json!({ "rows": [{ "id": 1 }, { "id": 2 }], "rowCount": 2, "truncated": true });
        assert_eq!(answer["structuredContent"], expected);
        assert_eq!(answer["content"][1]["text"], "[cut after 2 rows (maxRows)]");
    })
    .await;
}

#[tokio::test]
async fn an_endless_statement_is_stopped_and_the_next_one_runs() {
    let spec = stocked(
        "
        endless:
          sql:
            source: stock
            query: WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS c FROM n
            timeout: 300ms
        one: { sql: { source: stock, query: SELECT 1 AS id } }
        ",
    );
    let client = started(&spec).await;
    let began = Instant::now();
    assert_eq!(client.fails("endless", json!({})).await, "the database took too long");
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(ids(&client.json("one", json!({})).await), [1]);
}

#[tokio::test]
async fn read_only_is_held_by_the_database() {
    let spec = stocked("bad: { sql: { source: stock, query: 'DELETE FROM items', returns: affected } }");
    let checked = spec.run("check", &[]).await;
    assert_eq!(checked.code, 1);
    assert!(checked.out.contains("this statement writes, and its source is read-only"), "{}", checked.out);
}

#[tokio::test]
async fn exec_gives_the_program_whole_arguments() {
    let spec = Spec::tools(
        r#"
        args:
          params: { name: string, count: { type: integer, optional: true } }
          exec: { command: [printf, "[%s]", "{{name}}", --, "{{count}}", "n={{count}}"] }
        where: { exec: { command: [pwd, -P], cwd: ./below } }
        env: { exec: { command: [env], env: { GREETING: hello, TOKEN: "${TOKEN}" } } }
        echo: { params: { text: string }, exec: { command: [cat], stdin: "<{{text}}>" } }
        script: { params: { n: integer }, exec: { command: [./own.sh, "{{n}}"] } }
        "#,
    )
    .env("TOKEN", "a-long-secret")
    .env("UNSEEN", "unseen")
    .file("below/x", "")
    .file("own.sh", "#!/bin/sh\necho got \"$1\"\n");
    std::fs::set_permissions(spec.folder().join("own.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .unwrap();
    let client = started(&spec).await;
    assert_eq!(client.text("args", json!({ "name": "a b *", "count": 2 })).await, "[a b *][--][2][n=2]");
    assert_eq!(client.text("args", json!({ "name": "" })).await, "[][--]", "what was not given is left out");
    let below = spec.folder().canonicalize().unwrap().join("below");
    assert_eq!(client.text("where", json!({})).await.trim_end(), below.to_str().unwrap());
    let env = client.text("env", json!({})).await;
    assert!(env.contains("GREETING=hello\n") && env.contains("PATH="), "{env}");
    assert!(env.contains("TOKEN=***\n") && !env.contains("unseen"), "{env}");
    assert_eq!(client.text("echo", json!({ "text": "é\n{{x}}" })).await, "<é\n{{x}}>");
    assert_eq!(client.text("script", json!({ "n": -5 })).await, "got -5\n", "a negative number is no option");
}

#[tokio::test]
async fn a_program_that_fails_says_how() {
    let spec = Spec::tools(
        r#"
        status: { exec: { command: [sh, -c, "echo out; echo 'no such thing' >&2; exit 7"] } }
        silent: { exec: { command: ["false"] } }
        killed: { exec: { command: [sh, -c, 'kill -9 $$'] } }
        slow: { exec: { command: [sleep, "600"], timeout: 200ms } }
        much: { exec: { command: ["yes"], maxBytes: 10B } }
        "#,
    );
    everywhere(&spec, async |client| {
        assert_eq!(client.fails("status", json!({})).await, "`sh` ended with status 7: no such thing");
        assert_eq!(client.fails("silent", json!({})).await, "`false` ended with status 1");
        assert_eq!(client.fails("killed", json!({})).await, "`sh` was ended by signal 9");
        assert_eq!(client.fails("slow", json!({})).await, "`sleep`: the program did not finish within 200ms");
        let much = client.call("much", json!({})).await;
        assert_eq!(much["content"][0]["text"], "y\ny\ny\ny\ny\n");
        assert_eq!(much["content"][1]["text"], "[cut after 10 bytes (maxBytes)]");
    })
    .await;
}

#[tokio::test]
async fn max_bytes_bounds_the_answer_and_not_what_goes_in() {
    let spec = Spec::tools(
        r#"
        argument: { params: { x: string }, exec: { command: [printf, "%.3s", "{{x}}"], maxBytes: 3B } }
        stdin: { params: { x: string }, exec: { command: [head, -c1], stdin: "{{x}}", maxBytes: 1B } }
        script: { params: { x: string }, shell: { script: head -c2, stdin: "{{x}}", maxBytes: 2B } }
        "#,
    );
    let client = started(&spec).await;
    for (tool, start) in [("argument", "lon"), ("stdin", "l"), ("script", "lo")] {
        assert_eq!(client.text(tool, json!({ "x": "longer than that" })).await, start);
    }
}

#[tokio::test]
async fn bytes_come_as_what_they_are() {
    let png = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0xff];
    let spec = Spec::tools(
        r"
        bytes: { exec: { command: [printf, '\377\000'] } }
        image: { file: ./dot.png }
        sound: { file: ./hum.wav }
        other: { file: ./data.bin }
        ",
    )
    .file("dot.png", png)
    .file("hum.wav", b"RIFF\xff\xff")
    .file("data.bin", [0xff, 0xfe]);
    everywhere(&spec, async |client| {
        let bytes = client.call("bytes", json!({})).await;
        let resource = json!({ "uri": "answer://bytes", "mimeType": "application/octet-stream", "blob": "/wA=" });
        assert_eq!(bytes["content"], json!([{ "type": "resource", "resource": resource }]));
        let image = client.call("image", json!({})).await;
        let expected = json!([{ "type": "image", "mimeType": "image/png", "data": "iVBORw0KGgoA/w==" }]);
        assert_eq!(image["content"], expected);
        let sound = client.call("sound", json!({})).await;
        assert_eq!((&sound["content"][0]["type"], &sound["content"][0]["data"]), (&json!("audio"), &json!("UklGRv//")));
        assert_eq!(client.call("other", json!({})).await["content"][0]["type"], "resource");
    })
    .await;
}

#[tokio::test]
async fn shell_params_are_variables() {
    let spec = Spec::tools(
        r#"
        say:
          params:
            title: string
            note: { type: string, optional: true }
            tags: { type: array, items: { type: string }, optional: true }
            many: { type: object, optional: true }
            on: { type: boolean, default: true }
          shell:
            script: |
              printf '%s|' "$title" "${note-unset}" "${tags-}" "${many-}" "$on" "$FIXED"
            env: { FIXED: "$${x}" }
        strict: { params: { gone: { type: string, optional: true } }, shell: { script: 'echo "$gone"' } }
        bash: { shell: { shell: bash, script: 'a=(1 2 3); echo ${#a[@]}' } }
        stops: { shell: { script: "false\necho not reached" } }
        "#,
    );
    let client = started(&spec).await;
    let all = json!({ "title": "a 'b' $(c)", "note": "", "tags": ["x", "y z"], "many": { "k": [1] }, "on": false });
    assert_eq!(client.text("say", all).await, r#"a 'b' $(c)||["x","y z"]|{"k":[1]}|false|${x}|"#);
    assert_eq!(client.text("say", json!({ "title": "t" })).await, "t|unset|||true|${x}|");
    let unset = client.fails("strict", json!({})).await;
    assert!(unset.starts_with("`script` ended with status") && unset.contains("gone"), "{unset}");
    assert_eq!(client.text("bash", json!({})).await, "3\n");
    assert_eq!(client.fails("stops", json!({})).await, "`script` ended with status 1");
}

#[tokio::test]
async fn files_and_texts() {
    let spec = Spec::tools(
        "
        fixed: { file: ./a.txt }
        chosen: { params: { name: string }, file: { path: './{name}.txt', root: ./texts } }
        start: { file: { path: ./a.txt, maxBytes: 3B } }
        greet:
          params: { name: string, titles: { type: array, items: { type: string }, optional: true } }
          text: |
            Hello {{#each titles}}{{this}} {{/each}}{{name}}{{#unless titles}}, without a title{{/unless}}
        ",
    )
    .file("a.txt", "alpha\n")
    .file("texts/b c.txt", "beta");
    let client = started(&spec).await;
    assert_eq!(client.text("fixed", json!({})).await, "alpha\n");
    assert_eq!(client.text("chosen", json!({ "name": "b c" })).await, "beta");
    assert_eq!(client.fails("chosen", json!({ "name": "zz" })).await, "there is no file `./zz.txt`");
    let start = client.call("start", json!({})).await;
    assert_eq!(start["content"][0]["text"], "alp");
    assert_eq!(start["content"][1]["text"], "[cut after 3 bytes (maxBytes)]");
    let name = json!({ "name": "<b>{{name}}</b>", "titles": ["Dr", "Prof"] });
    assert_eq!(client.text("greet", name).await, "Hello Dr Prof <b>{{name}}</b>\n");
    assert_eq!(client.text("greet", json!({ "name": "you" })).await, "Hello you, without a title\n");
}

#[tokio::test]
async fn results_are_shaped() {
    let spec = stocked(
        r#"
        names: { sql: { source: stock, query: 'SELECT name FROM items ORDER BY id' }, result: { jq: "[.rows[].name]" } }
        told: { sql: { source: stock, query: 'SELECT name FROM items ORDER BY id' }, result: { text: "{{rowCount}}:{{#each rows}} {{name}}{{/each}}" } }
        both: { sql: { source: stock, query: 'SELECT name FROM items ORDER BY id' }, result: { jq: "{first: .rows[0].name}", text: "the {{first}}" } }
        json: { exec: { command: [echo, '{"a": [1, 2]}'] }, result: { as: json } }
        lines: { exec: { command: [printf, 'a\nb\n'] }, result: { as: lines } }
        broken: { exec: { command: [echo, '{"a":'] }, result: { as: json } }
        wrong: { exec: { command: [echo, '{"a": 5}'] }, result: { as: json, jq: ".a.b" } }
        "#,
    );
    let client = started(&spec).await;
    assert_eq!(client.text("names", json!({})).await, r#"["anvil","bell","cup"]"#);
    let told = client.call("told", json!({})).await;
    assert_eq!(told["content"][0]["text"], "3: anvil bell cup");
    assert_eq!(told["structuredContent"]["rowCount"], 3, "text is for the reader, the JSON stays");
    let both = client.call("both", json!({})).await;
    assert_eq!(both["content"], json!([{ "type": "text", "text": "the anvil" }]));
    assert_eq!(both["structuredContent"], json!({ "first": "anvil" }));
    assert_eq!(client.json("json", json!({})).await, json!({ "a": [1, 2] }));
    assert_eq!(client.text("lines", json!({})).await, r#"["a","b"]"#);
    assert_eq!(client.fails("broken", json!({})).await, "the answer is not JSON: it ends too early");
    let wrong = client.fails("wrong", json!({})).await;
    assert!(wrong.starts_with("the answer is not of the expected shape: "), "{wrong}");
}

#[tokio::test]
async fn annotations_are_inferred_and_can_be_overridden() {
    let spec = stocked(
        "
        reads: { sql: { source: desk, query: SELECT 1 AS x } }
        writes: { sql: { source: desk, query: DELETE FROM items, returns: affected } }
        file: { file: ./stock.sql }
        text: { text: hello }
        exec: { exec: { command: [date] } }
        said:
          exec: { command: [date] }
          annotations: { title: The date, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }
        ",
    );
    let tools = started(&spec).await.list("tools").await;
    let reads = json!({ "readOnlyHint": true, "openWorldHint": false });
    assert_eq!(tools[0]["annotations"], reads);
    let writes =
        json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false });
    assert_eq!(tools[1]["annotations"], writes);
    assert_eq!((&tools[2]["annotations"], &tools[3]["annotations"]), (&reads, &reads));
    assert_eq!(tools[4]["annotations"], Value::Null);
    let said = json!({
        "title": "The date", "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false,
    });
    assert_eq!(tools[5]["annotations"], said);
}

#[tokio::test]
async fn wrong_arguments_are_all_named_at_once() {
    let spec = Spec::tools(
        "
        order:
          params:
            book: { type: integer, minimum: 1 }
            name: { type: string, minLength: 2 }
            how: { type: string, enum: [post, bike] }
            address: { type: object, properties: { zip: { type: string, pattern: '^[0-9]+$' } }, required: [zip] }
          text: ordered
        ",
    );
    everywhere(&spec, async |client| {
        let arguments = json!({ "book": "two", "how": "by boat", "address": { "zip": "x1" }, "nmae": "Ann" });
        let told = client.fails("order", arguments).await;
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 5, "{told}");
        for (name, words) in [
            ("`book`", "must be an integer"),
            ("`how`", "must be one of \"post\", \"bike\""),
            ("`address.zip`", "must match the pattern `^[0-9]+$`"),
            ("`nmae`", "did you mean `name`?"),
            ("`name`", "is required"),
        ] {
            assert!(lines.iter().any(|line| line.contains(name) && line.contains(words)), "{name} in {told}");
        }
        let told = client.fails("order", json!({})).await;
        assert_eq!(told.lines().count(), 4, "{told}");
    })
    .await;
}

#[tokio::test]
async fn a_whole_input_schema_can_be_written_out() {
    let spec = Spec::tools(
        "
        pick:
          inputSchema:
            type: object
            properties: { a: { type: integer }, b: { type: integer, default: 5 } }
            anyOf: [{ required: [a] }, { required: [b] }]
          outputSchema: { type: object, properties: { sum: { type: string } } }
          exec: { command: [echo, '{\"sum\": \"x\"}'] }
          result: { as: json }
        ",
    );
    let client = started(&spec).await;
    let tool = client.list("tools").await.remove(0);
    assert_eq!(tool["inputSchema"]["anyOf"], json!([{ "required": ["a"] }, { "required": ["b"] }]));
    assert_eq!(tool["outputSchema"]["properties"]["sum"], json!({ "type": "string" }));
    assert_eq!(client.json("pick", json!({ "a": 1 })).await, json!({ "sum": "x" }));
    assert!(client.fails("pick", json!({ "a": "one" })).await.contains("`a` must be an integer"));
}

#[tokio::test]
async fn an_answer_is_what_the_output_schema_says_or_an_error() {
    let spec = Spec::tools(
        r#"
        sum:
          params: { sum: string }
          outputSchema: { type: object, properties: { sum: { type: integer } }, required: [sum] }
          content: { type: text, text: '{"sum": {{sum}}}' }
        echo:
          params: { json: string }
          outputSchema: { type: object, properties: { sum: { type: integer } }, required: [sum] }
          exec: { command: [printf, '%s', '{{json}}'] }
          result: { as: json }
        numbers:
          outputSchema: { type: array, items: { type: integer } }
          exec: { command: [echo, '[1, 2]'] }
          result: { as: json }
        "#,
    );
    everywhere(&spec, async |client| {
        assert_eq!(client.json("echo", json!({ "json": r#"{"sum": 3}"# })).await, json!({ "sum": 3 }));
        for (given, fault) in [(r#"{"sum": "x"}"#, "`sum`"), ("{}", "`sum`"), ("[]", "object")] {
            let words = client.fails("echo", json!({ "json": given })).await;
            assert!(words.starts_with("the answer does not fit this tool's output schema: "), "{words}");
            assert!(words.contains(fault), "{words}");
        }
        let words = client.fails("sum", json!({ "sum": "3" })).await;
        assert_eq!(words, "the answer is not the JSON that this tool's output schema promises");
    })
    .await;
    // Only the later era can promise lists.
    let promises = async |era: Era| {
        let tools = spec.stdio(era).await.list("tools").await;
        tools.into_iter().find(|tool| tool["name"] == "numbers").unwrap()["outputSchema"].take()
    };
    assert_eq!(promises(Era::Legacy).await, Value::Null);
    assert_eq!(promises(Era::Modern).await["type"], "array");
}
