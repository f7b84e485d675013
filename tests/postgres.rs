//! PostgreSQL, a real one.

mod attacks;
mod binds;
mod reaching;
mod sessions;
mod stopping;
mod types;

use serde_json::json;

use crate::harness::{Client, Database, Era, Spec, dedent};

/// A spec of these tools on a database; `source` goes on where the source's URL stands.
pub fn spec(db: &Database, source: &str, tools: &str) -> Spec {
    Spec::new(&text(source, tools)).env("DATABASE_URL", &db.url())
}

/// The text of such a spec.
pub fn text(source: &str, tools: &str) -> String {
    format!("sources:\n  db: {{ sql: \"${{DATABASE_URL}}\"{source} }}\n{}", crate::harness::spec::tools(&dedent(tools)))
}

/// A client of such a spec.
pub async fn served(db: &Database, source: &str, tools: &str) -> Client {
    let spec = spec(db, source, tools);
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    spec.stdio(Era::Legacy).await
}

const BOOKS: &str = "
    CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL, price numeric(8, 2), sold int NOT NULL DEFAULT 0);
    INSERT INTO books VALUES (1, 'Dune', 9.90, 3), (2, 'Emma', NULL, 5), (3, 'Ulysses', 12.50, 0);
";

#[tokio::test]
async fn statements_answer_in_every_shape() {
    let Some(db) = Database::postgres(BOOKS).await else { return };
    let tools = "
        all: { sql: { source: db, query: 'SELECT id, title FROM books ORDER BY id DESC' } }
        one: { params: { id: integer }, sql: { source: db, query: 'SELECT * FROM books WHERE id = :id', returns: row } }
        title: { params: { id: integer }, sql: { source: db, query: 'SELECT title FROM books WHERE id = :id', returns: value } }
        sell:
          params: { id: integer }
          sql: { source: db, query: 'UPDATE books SET sold = sold + 1 WHERE id >= :id', returns: affected }
        add:
          params: { id: integer, title: string }
          sql:
            source: db
            query: |
              WITH gone AS (DELETE FROM books WHERE id = :id RETURNING sold)
              INSERT INTO books (id, title, sold)
              VALUES (:id, :title, coalesce((SELECT sold FROM gone), 0))
              RETURNING id, title, sold -- the new one
        doubled: { sql: { source: db, query: 'WITH t AS (SELECT id FROM books), u (n) AS (SELECT 2 * id FROM t) SELECT n FROM u ORDER BY n;' } }
        setting: { sql: { source: db, query: 'SHOW standard_conforming_strings', returns: row } }
        plan: { sql: { source: db, query: 'EXPLAIN (COSTS OFF) SELECT 1' } }
    ";
    let client = served(&db, "", tools).await;
    let all = client.json("all", json!({})).await;
    let rows = json!([{ "id": 3, "title": "Ulysses" }, { "id": 2, "title": "Emma" }, { "id": 1, "title": "Dune" }]);
    assert_eq!(all, json!({ "rows": rows, "rowCount": 3, "truncated": false }));
    let one = client.json("one", json!({ "id": 1 })).await;
    assert_eq!(serde_json::to_string(&one).unwrap(), r#"{"id":1,"title":"Dune","price":"9.90","sold":3}"#);
    assert_eq!(client.text("title", json!({ "id": 2 })).await, "\"Emma\"");
    assert!(client.fails("title", json!({ "id": 9 })).await.contains("not found"));
    assert_eq!(client.json("sell", json!({ "id": 2 })).await["affected"], 2);
    assert_eq!(client.json("doubled", json!({})).await["rows"], json!([{ "n": 2 }, { "n": 4 }, { "n": 6 }]));
    let added = client.json("add", json!({ "id": 2, "title": "Persuasion" })).await;
    assert_eq!(added["rows"], json!([{ "id": 2, "title": "Persuasion", "sold": 6 }]));
    assert_eq!(db.text("SELECT string_agg(title, ',' ORDER BY id) FROM books").await, "Dune,Persuasion,Ulysses");
    assert_eq!(client.json("setting", json!({})).await, json!({ "standard_conforming_strings": "on" }));
    assert_eq!(client.json("plan", json!({})).await["rows"][0]["QUERY PLAN"], "Result");
}

#[tokio::test]
async fn what_a_statement_gives_and_does_is_told_to_clients() {
    let setup = format!("{BOOKS} CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE s;");
    let Some(db) = Database::postgres(&setup).await else { return };
    let tools = "
        one: { sql: { source: db, query: 'SELECT id, price, random() AS r FROM books', returns: row } }
        outer: { sql: { source: db, query: 'SELECT b.id FROM books a LEFT JOIN books b ON b.id = a.sold', returns: row } }
        touch: { sql: { source: db, query: 'SELECT touch()' } }
        next: { sql: { source: db, query: \"SELECT nextval('s')\" } }
        hidden: { sql: { source: db, query: 'WITH d AS (DELETE FROM books RETURNING id) SELECT id FROM d' } }
        lock: { sql: { source: db, query: 'SELECT id FROM books FOR UPDATE' } }
    ";
    let client = served(&db, "", tools).await;
    let listed = client.list("tools").await;
    let tool = |name: &str| listed.iter().find(|tool| tool["name"] == name).unwrap();
    let properties = &tool("one")["outputSchema"]["properties"];
    assert!(!properties["id"]["type"].as_array().unwrap().contains(&json!("null")), "{properties}");
    assert!(properties["price"]["type"].as_array().unwrap().contains(&json!("null")), "{properties}");
    let outer = &tool("outer")["outputSchema"]["properties"]["id"]["type"];
    assert!(outer.as_array().unwrap().contains(&json!("null")), "{outer}");
    for (name, reads) in
        [("one", true), ("outer", true), ("touch", false), ("next", false), ("hidden", false), ("lock", false)]
    {
        assert_eq!(tool(name)["annotations"]["readOnlyHint"], reads, "{name}");
    }
}

#[tokio::test]
async fn mistakes_in_statements_are_told_at_their_place() {
    let Some(db) = Database::postgres(BOOKS).await else { return };
    let spec = spec(
        &db,
        "",
        "
        column:
          params: { id: integer }
          sql:
            source: db
            query: |
              SELECT id,
                'ä' AS a, titel
              FROM books WHERE id = :id
        table: { sql: { source: db, query: 'SELECT 1 FROM boks' } }
        syntax: { params: { id: integer }, sql: { source: db, query: 'SELECT id FROM books WHERE id = :id ORDER' } }
        types: { params: { id: string }, sql: { source: db, query: 'SELECT :id + true' } }
        two: { sql: { source: db, query: 'SELECT 1; SELECT 2' } }
        begin: { sql: { source: db, query: 'BEGIN' } }
        number: { sql: { source: db, query: 'SELECT $1::int' } }
        twins: { sql: { source: db, query: 'SELECT 1 AS a, 2 AS a' } }
        nothing: { sql: { source: db, query: 'DELETE FROM books' } }
        question: { sql: { source: db, query: 'SELECT id FROM books WHERE id = ? AND title <> :words' }, params: { words: string } }
        last: { sql: { source: db, query: 'SELECT id FROM books LIMIT ?' } }
        among: { sql: { source: db, query: 'SELECT id FROM books WHERE id IN (1, ?)' } }
        ",
    );
    let said = spec.run("check", &[]).await;
    assert_eq!(said.code, 1, "{}", said.out);
    let all = format!("{}{}", said.out, said.err);
    for (words, place) in [
        ("column \"titel\" does not exist", ":11:"),
        ("relation \"boks\" does not exist", ":13:"),
        ("syntax error at end of input", ":14:"),
        ("operator does not exist", ":15:"),
        ("only one statement is allowed here", ":16:"),
        ("a transaction is begun and ended for the statement", ":17:"),
        ("a parameter is written `:name` here", ":18:"),
        ("two columns of the result are named `a`", ":19:"),
        ("this statement gives no rows", ":20:"),
    ] {
        assert!(all.contains(words), "{words}: {all}");
        let after = &all[all.find(words).unwrap()..];
        let line = after.lines().find(|line| line.contains("spec.yaml:")).unwrap_or_default();
        assert!(line.contains(place), "{words}: {line}\n{all}");
    }
    assert_eq!(all.matches("a parameter is written `:name` here").count(), 4, "{all}");
}

/// A `?` between two values is an operator, and so are those that begin with one.
#[tokio::test]
async fn question_marks_that_are_operators_stay() {
    let Some(db) = Database::postgres("").await else { return };
    let operators = r#"
        has: { params: { key: string }, sql: { source: db, returns: value, query: "SELECT '{\"a\": 1}'::jsonb ? :key" } }
        any: { sql: { source: db, returns: value, query: "SELECT '{\"a\": 1}'::jsonb ?| ARRAY['a', 'b']" } }
        all: { sql: { source: db, returns: value, query: "SELECT ('{\"a\": 1}'::jsonb) ?& ARRAY['a', 'b']" } }
        path: { sql: { source: db, returns: value, query: "SELECT '{\"a\": 1}'::jsonb @? '$.a'" } }
        own: { sql: { source: db, returns: value, query: "SELECT '{\"a\": 1}'::jsonb OPERATOR(pg_catalog.?) 'b'" } }
        flat: { sql: { source: db, returns: value, query: "SELECT ?- lseg '((0,0),(1,0))'" } }
        "#;
    let client = served(&db, "", operators).await;
    for (tool, arguments, gives) in [
        ("has", json!({ "key": "a" }), "true"),
        ("any", json!({}), "true"),
        ("all", json!({}), "false"),
        ("path", json!({}), "true"),
        ("own", json!({}), "false"),
        ("flat", json!({}), "true"),
    ] {
        assert_eq!(client.call(tool, arguments).await["content"][0]["text"], gives, "{tool}");
    }
}

#[tokio::test]
async fn many_rows_are_cut_on_the_server() {
    let Some(db) = Database::postgres("").await else { return };
    let tools = "
        count: { sql: { source: db, query: 'SELECT n FROM generate_series(1, 100000) m, generate_series(1, 100000) n', maxRows: 3 } }
        exact: { sql: { source: db, query: 'SELECT n FROM generate_series(1, 3) n', maxRows: 3 } }
        wide: { sql: { source: db, query: \"SELECT repeat('x', 100) AS x FROM generate_series(1, 100000)\", maxRows: 100000, maxBytes: 1000 } }
        pid: { sql: { source: db, query: 'SELECT pg_backend_pid() AS pid', returns: row } }
    ";
    let client = served(&db, ", maxConnections: 1", tools).await;
    let cut = client.json("count", json!({})).await;
    assert_eq!(cut, json!({ "rows": [{ "n": 1 }, { "n": 2 }, { "n": 3 }], "rowCount": 3, "truncated": true }));
    assert_eq!(client.json("exact", json!({})).await["truncated"], false);
    let pid = client.json("pid", json!({})).await;
    let wide = client.json("wide", json!({})).await;
    assert_eq!((&wide["truncated"], &wide["rowCount"]), (&json!(true), &json!(9)));
    // The connection is as good as before.
    assert_eq!(client.json("pid", json!({})).await, pid);
}
