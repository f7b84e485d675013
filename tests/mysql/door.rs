//! MySQL through the whole server: a spec, a client, and what they say to each other.

use serde_json::{Value, json};

use super::BOOKS;
use crate::harness::{Database, Era, Process, Spec, database, dedent, everywhere, initialize, spec::tools, until};

/// A spec of these tools on a database; `source` goes on where the source's URL stands.
pub fn spec(db: &Database, source: &str, written: &str) -> Spec {
    let text = format!("sources:\n  db: {{ sql: \"${{DATABASE_URL}}\"{source} }}\n{}", tools(&dedent(written)));
    Spec::new(&text).env("DATABASE_URL", &db.url())
}

async fn books() -> Option<Database> {
    Database::mariadb(&format!("ALTER DATABASE CHARACTER SET utf8mb4; {BOOKS}")).await
}

#[tokio::test]
async fn statements_answer_in_every_shape() {
    let Some(db) = books().await else { return };
    let tools = "
        all: { sql: { source: db, query: 'SELECT id, title FROM books ORDER BY id DESC' } }
        one: { params: { id: integer }, sql: { source: db, query: 'SELECT * FROM books WHERE id = :id', returns: row } }
        tenfold: { params: { id: integer }, sql: { source: db, query: 'SELECT 10 * id FROM books WHERE id = :id', returns: value } }
        some:
          params:
            ids: { type: array, items: { type: integer } }
            sort: { type: string, enum: [title, id], default: id }
            with: { type: string, optional: true }
          sql:
            source: db
            query: |
              SELECT `id` FROM books -- :nothing
              WHERE id IN (:ids) {{#if with}} AND title LIKE CONCAT('%', :with, '%') {{/if}} # :nothing
              ORDER BY {{ident sort}}, @n := 1
        raise:
          params: { by: number }
          sql: { source: db, query: 'UPDATE books SET price = price + :by', returns: affected }
        add:
          params: { title: string, extra: { type: object } }
          sql:
            source: db
            query: INSERT INTO books (title, extra) VALUES (:title, :extra) RETURNING id, title, extra
            returns: row
        note: { params: { title: string }, sql: { source: db, query: 'INSERT INTO books (title) VALUES (:title)', returns: affected } }
    ";
    let client = spec(&db, "", tools).stdio(Era::Legacy).await;
    let rows = json!([{ "id": 2, "title": "Emma" }, { "id": 1, "title": "Dune" }]);
    assert_eq!(client.json("all", json!({})).await, json!({ "rows": rows, "rowCount": 2, "truncated": false }));
    let one = client.json("one", json!({ "id": 1 })).await;
    assert_eq!(serde_json::to_string(&one).unwrap(), r#"{"id":1,"title":"Dune","price":"9.90","extra":{"pages":412}}"#);
    assert_eq!(client.text("tenfold", json!({ "id": 2 })).await, "20");
    assert!(client.fails("tenfold", json!({ "id": 9 })).await.contains("not found"));
    let some = async |arguments: Value| client.json("some", arguments).await["rows"].clone();
    assert_eq!(some(json!({ "ids": [2, 1, 7], "sort": "title" })).await, json!([{ "id": 1 }, { "id": 2 }]));
    assert_eq!(some(json!({ "ids": [] })).await, json!([]));
    assert_eq!(some(json!({ "ids": [1, 2], "with": "mm" })).await, json!([{ "id": 2 }]));
    assert_eq!(client.json("raise", json!({ "by": 0.1 })).await, json!({ "affected": 2, "lastId": null }));
    let added = client.json("add", json!({ "title": "Momo", "extra": { "by": ["Ende"] } })).await;
    assert_eq!(added, json!({ "id": 3, "title": "Momo", "extra": { "by": ["Ende"] } }));
    assert_eq!(client.json("note", json!({ "title": "x" })).await, json!({ "affected": 1, "lastId": 4 }));
    let refused = client.fails("note", json!({ "title": "x".repeat(60) })).await;
    assert!(refused.contains("the database refuses these values: Data too long for column 'title'"), "{refused}");
    assert_eq!(db.text("SELECT CAST(price AS CHAR) FROM books WHERE id = 1").await, "10.00");
}

#[tokio::test]
async fn clients_are_told_what_a_statement_gives_and_does() {
    let Some(db) = books().await else { return };
    db.run("CREATE FUNCTION touch() RETURNS INT RETURN 1").await;
    let tools = "
        read: { sql: { source: db, query: 'SELECT id, price, extra, RAND() AS r FROM books', returns: row } }
        touch: { sql: { source: db, query: 'SELECT touch() AS t' } }
        gone: { sql: { source: db, query: 'DELETE FROM books WHERE id = 0 RETURNING title', returns: rows } }
        raise: { sql: { source: db, query: 'UPDATE books SET price = 1', returns: affected } }
    ";
    everywhere(&spec(&db, "", tools), async |client| {
        let listed = client.list("tools").await;
        let tool = |name: &str| listed.iter().find(|tool| tool["name"] == name).unwrap();
        let properties = &tool("read")["outputSchema"]["properties"];
        let allows_null = |name: &str| properties[name]["type"].as_array().unwrap().contains(&json!("null"));
        assert!(!allows_null("id") && allows_null("price"), "{properties}");
        assert_eq!(properties["extra"], json!({}));
        assert_eq!(tool("gone")["outputSchema"]["properties"]["rows"]["items"]["required"], json!(["title"]));
        for (name, reads) in [("read", true), ("touch", false), ("gone", false), ("raise", false)] {
            assert_eq!(tool(name)["annotations"]["readOnlyHint"], json!(reads), "{name}");
        }
        assert_eq!(client.json("read", json!({})).await["extra"], json!({ "pages": 412 }));
    })
    .await;
}

#[tokio::test]
async fn a_procedure_answers() {
    let Some(db) = books().await else { return };
    db.run("CREATE PROCEDURE list(IN least INT) SELECT id, title FROM books WHERE id >= least; CREATE PROCEDURE none() DO 0").await;
    let tools = "
        list: { params: { least: integer }, sql: { source: db, query: 'CALL list(:least)' } }
        first: { params: { least: integer }, sql: { source: db, query: 'CALL list(:least)', returns: row } }
        none: { sql: { source: db, query: 'CALL none()' } }
    ";
    let client = spec(&db, "", tools).stdio(Era::Legacy).await;
    let rows = client.json("list", json!({ "least": 2 })).await;
    assert_eq!(rows, json!({ "rows": [{ "id": 2, "title": "Emma" }], "rowCount": 1, "truncated": false }));
    assert_eq!(client.json("first", json!({ "least": 1 })).await, json!({ "id": 1, "title": "Dune" }));
    assert!(client.fails("first", json!({ "least": 9 })).await.contains("not found"));
    assert_eq!(client.json("none", json!({})).await["rowCount"], 0);
    let listed = client.list("tools").await;
    assert_eq!(listed[0]["outputSchema"]["properties"]["rows"]["items"], json!({ "type": "object" }));
    assert_eq!(listed[0]["annotations"]["readOnlyHint"], false);
}

#[tokio::test]
async fn the_server_has_to_show_a_certificate_that_is_vouched_for() {
    let Some(server) = database::server(database::Kind::Mariadb).await else { return };
    let db = Database::on(&server, BOOKS).await;
    let certificate = std::fs::read(server.certificate()).unwrap();
    let tools = "cipher: { sql: { source: db, query: \"SHOW SESSION STATUS LIKE 'Ssl_cipher'\", returns: row } }";
    for (tls, secure) in [
        (", tls: { ca: ./ca.pem }", true),
        (", tls: { ca: ./ca.pem, mode: verify-ca }", true),
        (", tls: { mode: require }", true),
        ("", true),
        (", tls: { mode: disable }", false),
    ] {
        let client = spec(&db, tls, tools).file("ca.pem", &certificate).stdio(Era::Legacy).await;
        assert_eq!(client.json("cipher", json!({})).await["Value"] != "", secure, "{tls}");
    }
    for tls in [", tls: { mode: verify-full }", ", tls: { mode: verify-ca }"] {
        let told = spec(&db, tls, tools).run("check", &[]).await.out;
        assert!(told.contains("source `db`: the server's certificate is not one that is trusted"), "{tls}: {told}");
    }
}

#[tokio::test]
async fn mistakes_are_told_at_their_place() {
    let Some(db) = books().await else { return };
    let tools = "
        column: { sql: { source: db, query: 'SELECT titel FROM books' } }
        table:
          params: { id: integer }
          sql:
            source: db
            query: |
              SELECT title
              FROM boks WHERE id = :id
        syntax:
          params: { ids: { type: array } }
          sql: { source: db, query: 'SELECT title FROM books WHERE id IN (:ids) ORDER TITLE' }
        writes: { sql: { source: db, query: 'DELETE FROM books', returns: affected } }
        leaves: { sql: { source: db, query: 'START TRANSACTION', returns: affected } }
        two: { sql: { source: db, query: 'SELECT 1; SELECT 2' } }
        nothing: { sql: { source: db, query: 'INSERT INTO books (id) VALUES (1) RETURNING id' } }
        twice: { sql: { source: db, query: 'SELECT id, id FROM books' } }
    ";
    let spec = spec(&db, ", readOnly: true", tools);
    let checked = spec.run("check", &[]).await;
    assert_eq!(checked.code, 1, "{checked:?}");
    for (words, place) in [
        ("Unknown column 'titel' in", "spec.yaml:5:47"),
        ("Table 'boks' doesn't exist", "spec.yaml:12:14"),
        ("near 'TITLE' at line 1", "spec.yaml:15:81"),
        ("refuses this statement: it writes, and its source is read-only", "spec.yaml:16:"),
        ("statements that begin with START are not allowed", "spec.yaml:17:"),
        ("only one statement is allowed here", "spec.yaml:18:"),
        ("two columns of the result are named `id`", "spec.yaml:20:"),
    ] {
        let at = checked.out.find(words).unwrap_or_else(|| panic!("{words}: {}", checked.out));
        let after = &checked.out[at..];
        let line = after.lines().find(|line| line.contains("spec.yaml:")).unwrap();
        assert!(line.contains(place), "{words}: {}", checked.out);
    }
    assert!(!checked.out.contains("s3cret"), "{}", checked.out);
    let offline = spec.run("check", &["--offline"]).await;
    assert_eq!(offline.code, 0, "{offline:?}");
}

#[tokio::test]
async fn a_server_that_is_away_or_refuses_us_is_told() {
    let Some(db) = books().await else { return };
    let tools = "all: { sql: { source: db, query: 'SELECT id FROM books' } }";
    let away = spec(&db, ", required: true", tools).env("DATABASE_URL", "mysql://tester:wr0ng@127.0.0.1:1/x");
    let told = away.run("check", &[]).await.out;
    assert!(told.contains("source `db`: the server can't be reached: connection refused"), "{told}");
    let wrong = spec(&db, ", onConnect: [SELECT boom]", tools).run("check", &[]).await.out;
    assert!(wrong.contains("a statement of `onConnect` failed: Unknown column 'boom'"), "{wrong}");
    let odd = spec(&db, "", tools).env("DATABASE_URL", &format!("{}?ssl_mode=REQUIRED", db.url()));
    let told = odd.run("check", &[]).await.out;
    assert!(told.contains("source `db`: the URL has an option that is not known"), "{told}");
    assert!(!format!("{told}{wrong}").contains("s3cret"));
}

#[tokio::test]
async fn a_cancelled_call_ends_in_the_database() {
    let Some(db) = books().await else { return };
    let tools = "
        slow: { sql: { source: db, query: 'SELECT SLEEP(60) AS endless' } }
        brief: { sql: { source: db, query: 'SELECT SLEEP(60) AS endless', timeout: 300ms } }
        quick: { sql: { source: db, query: 'SELECT 1 AS one' } }
    ";
    let spec = spec(&db, ", maxConnections: 1", tools);
    let running = async || {
        db.text("SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%' AND DB = DATABASE()").await == "1"
    };
    let mut server = Process::serve(&spec, &[]);
    server.send(&initialize("2025-11-25")).await;
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    let call = |id: u64, tool: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": {} } });
    server.send(&call(7, "slow")).await;
    until("the statement to run", running).await;
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } })).await;
    until("the statement to end", async || !running().await).await;
    server.send(&call(8, "quick")).await;
    let client = spec.stdio(Era::Legacy).await;
    assert!(client.fails("brief", json!({})).await.contains("the database took too long"));
    assert!(!running().await);
    assert_eq!(client.json("quick", json!({})).await["rows"], json!([{ "one": 1 }]));
}

#[tokio::test]
async fn resources_read_and_complete() {
    let Some(db) = books().await else { return };
    let text = "
        sources: { db: { sql: '${DATABASE_URL}', readOnly: true } }
        resources:
          book://{id}:
            name: book
            sql: { source: db, query: 'SELECT title, extra FROM books WHERE id = :id', returns: row }
            complete: { id: { sql: { source: db, query: \"SELECT id FROM books WHERE id LIKE CONCAT(:value, '%') LIMIT 10\" } } }
    ";
    let client = Spec::new(text).env("DATABASE_URL", &db.url()).stdio(Era::Modern).await;
    let book = client.read("book://1").await;
    assert_eq!(book["text"], r#"{"title":"Dune","extra":{"pages":412}}"#);
    assert_eq!(client.complete("book://{id}", "id", "2").await["values"], json!(["2"]));
}
