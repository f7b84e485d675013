//! `sql` through the real door, on SQLite: what is given, what is written, what hints tell of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere};

const SHOP: &str = "
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, total DECIMAL DEFAULT 0);
CREATE TABLE lines (orderId INTEGER NOT NULL REFERENCES orders(id), item TEXT NOT NULL CHECK (item <> ''), price REAL);
CREATE TABLE log (what TEXT NOT NULL);
CREATE TABLE stock (item TEXT PRIMARY KEY, n INTEGER);
INSERT INTO stock VALUES ('anvil', 3), ('bell | ring', NULL), ('cup, \"blue\"', 7);
";

/// A spec of these tools over `shop`, and `safe`, which only reads.
fn shop(tools: &str) -> Spec {
    let sources = "
        sources:
          shop: { sql: 'sqlite:./shop.db', init: ./shop.sql }
          safe: { sql: 'sqlite:./shop.db', init: ./shop.sql, readOnly: true }
    ";
    let text = format!("{}{}", crate::harness::dedent(sources), crate::harness::spec::tools(tools));
    Spec::new("").file("shop.sql", SHOP).with(&text)
}

const ORDER: &str = "
    order:
      params:
        customer: string
        item: string
        note: { type: string, optional: true }
      sql:
        source: shop
        isolation: serializable
        statements:
          - INSERT INTO orders (customer) VALUES (:customer) RETURNING id, customer
          - INSERT INTO lines SELECT max(id), :item, 9.5 FROM orders
          - \"{{#if note}}INSERT INTO log VALUES (:note){{/if}}\"
        resultOf: 1
        returns: row
    counted:
      params: { item: string, note: { type: string, optional: true } }
      sql:
        source: shop
        statements:
          - INSERT INTO orders (customer) VALUES ('x'), ('y')
          - INSERT INTO lines SELECT max(id), :item, 1 FROM orders
          - \"{{#if note}}INSERT INTO log VALUES (:note){{/if}}\"
        returns: affected
    last: { sql: { source: shop, statements: [\"INSERT INTO log VALUES ('z')\", SELECT count(*) AS n FROM log], returns: value } }
    all: { sql: { source: shop, query: 'SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM lines) AS lines, (SELECT count(*) FROM log) AS log', returns: row } }
";

#[tokio::test]
async fn several_statements_take_effect_together_or_not_at_all() {
    let client = shop(ORDER).stdio(Era::Legacy).await;
    let first = client.json("order", json!({ "customer": "Ada", "item": "anvil" })).await;
    assert_eq!(first, json!({ "id": 1, "customer": "Ada" }));
    let noted = client.json("order", json!({ "customer": "Bo", "item": "bell", "note": "quick" })).await;
    assert_eq!(noted["id"], 2);
    assert_eq!(client.json("all", json!({})).await, json!({ "orders": 2, "lines": 2, "log": 1 }));
    let refused = client.fails("order", json!({ "customer": "Cy", "item": "" })).await;
    assert!(refused.starts_with("the database refuses these values: CHECK constraint failed"), "{refused}");
    assert_eq!(client.json("all", json!({})).await, json!({ "orders": 2, "lines": 2, "log": 1 }));
    let counted = client.json("counted", json!({ "item": "cup" })).await;
    assert_eq!(counted["affected"], 3);
    let counted = client.json("counted", json!({ "item": "cup", "note": "more" })).await;
    assert_eq!(counted["affected"], 4);
    assert_eq!(client.text("last", json!({})).await, "3");
}

#[tokio::test]
async fn a_dry_run_shows_every_statement() {
    let spec = shop(ORDER);
    let shown = spec.run("call", &["order", "--explain", "customer=Ada", "item=cup", "note=x"]).await;
    let shown = shown.out;
    for part in ["INSERT INTO orders", ":customer = \"Ada\"", "INSERT INTO lines", ":item = \"cup\"", "INTO log"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[tokio::test]
async fn rows_are_written_as_json_a_table_or_csv() {
    let spec = shop(
        "
        json: { sql: { source: safe, query: 'SELECT * FROM stock ORDER BY item', as: json, maxRows: 2 } }
        table: { sql: { source: safe, query: 'SELECT * FROM stock ORDER BY item', as: table } }
        csv: { sql: { source: safe, query: 'SELECT * FROM stock ORDER BY item', as: csv } }
        one: { sql: { source: safe, query: 'SELECT * FROM stock ORDER BY item', as: csv, returns: row } }
        cut: { sql: { source: safe, query: 'SELECT * FROM stock ORDER BY item', as: csv, maxRows: 2 } }
        whole: { sql: { source: safe, query: 'SELECT * FROM stock ORDER BY item', as: csv, maxRows: 3 } }
        nobody: { sql: { source: safe, query: 'SELECT * FROM stock WHERE n > 99', as: table, returns: row } }
        ",
    );
    everywhere(&spec, async |client| {
        let json = client.json("json", json!({})).await;
        assert_eq!((&json["rowCount"], &json["truncated"]), (&json!(2), &json!(true)));
        let table = "| item | n |\n| --- | --- |\n| anvil | 3 |\n| bell \\| ring |  |\n| cup, \"blue\" | 7 |\n";
        assert_eq!(client.text("table", json!({})).await, table);
        let csv = "item,n\r\nanvil,3\r\nbell | ring,\r\n\"cup, \"\"blue\"\"\",7\r\n";
        assert_eq!(client.text("csv", json!({})).await, csv);
        assert_eq!(client.text("whole", json!({})).await, csv);
        assert_eq!(client.text("one", json!({})).await, "item,n\r\nanvil,3\r\n");
        let cut = client.call("cut", json!({})).await;
        assert_eq!(cut["content"][1]["text"], "[cut after 2 rows (maxRows)]");
        assert!(cut.get("structuredContent").is_none(), "{cut}");
        assert!(client.fails("nobody", json!({})).await.starts_with("not found"));
        let tools = client.list("tools").await;
        let schema = |name: &str| tools.iter().find(|t| t["name"] == name).unwrap().get("outputSchema").cloned();
        assert!(schema("json").is_some() && schema("csv").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_resource_of_rows_has_their_media_type() {
    let spec = shop("").with(
        "
        sources: { safe: { sql: 'sqlite:./shop.db', init: ./shop.sql, readOnly: true } }
        resources:
          stock://all: { sql: { source: safe, query: SELECT item FROM stock WHERE n = 3, as: csv } }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    let read = client.read("stock://all").await;
    assert_eq!(read["mimeType"], "text/csv");
    assert_eq!(read["text"], "item\r\nanvil\r\n");
}

fn hints(tools: &[Value], name: &str) -> [Value; 3] {
    let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
    ["readOnlyHint", "destructiveHint", "idempotentHint"].map(|hint| tool["annotations"][hint].clone())
}

#[tokio::test]
async fn hints_are_inferred_and_can_be_overridden() {
    let spec = shop(
        "
        read: { sql: { source: shop, query: SELECT 1 AS one } }
        add: { params: { w: string }, sql: { source: shop, query: INSERT INTO log VALUES (:w), returns: affected } }
        set: { params: { n: integer }, sql: { source: shop, query: 'UPDATE stock SET n = :n', returns: affected } }
        more: { sql: { source: shop, query: 'UPDATE stock SET n = n + 1', returns: affected } }
        drop: { sql: { source: shop, query: DELETE FROM log, returns: affected } }
        put:
          params: { item: string, n: integer }
          sql:
            source: shop
            query: INSERT INTO stock (item, n) VALUES (:item, :n) ON CONFLICT (item) DO UPDATE SET n = excluded.n
            returns: affected
        both: { sql: { source: shop, statements: [\"INSERT INTO log VALUES ('a')\", DELETE FROM log], returns: affected } }
        reads: { sql: { source: safe, statements: [SELECT 1 AS a, SELECT 2 AS b] } }
        said:
          sql: { source: shop, query: DELETE FROM log, returns: affected }
          annotations: { destructiveHint: false, idempotentHint: false }
        ",
    );
    let tools = spec.stdio(Era::Legacy).await.list("tools").await;
    let (yes, no, none) = (json!(true), json!(false), Value::Null);
    for (name, wanted) in [
        ("read", [&yes, &none, &none]),
        ("reads", [&yes, &none, &none]),
        ("add", [&no, &no, &no]),
        ("set", [&no, &yes, &yes]),
        ("more", [&no, &yes, &none]),
        ("drop", [&no, &yes, &yes]),
        ("put", [&no, &yes, &yes]),
        ("both", [&no, &yes, &no]),
        ("said", [&no, &no, &no]),
    ] {
        assert_eq!(hints(&tools, name).each_ref(), wanted, "{name}");
    }
}

/// How long a call takes: the best of several, as others use this machine too.
async fn best(client: &Client, tool: &str, arguments: Value) -> (Duration, Value) {
    let mut best = (Duration::MAX, Value::Null);
    for _ in 0..5 {
        let begun = Instant::now();
        let answer = client.json(tool, arguments.clone()).await;
        best = (best.0.min(begun.elapsed()), answer);
    }
    best
}

#[tokio::test]
async fn a_cut_result_costs_what_is_kept_of_it() {
    let spec = shop(
        "
        numbers:
          params: { most: integer }
          sql:
            source: safe
            query: >-
              WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT i FROM n
            maxRows: 100
        first:
          params: { most: integer }
          sql:
            source: safe
            query: >-
              WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT i FROM n
            returns: row
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    for (tool, rows) in [("numbers", 100), ("first", 1)] {
        let (few, _) = best(&client, tool, json!({ "most": 10_000 })).await;
        let (many, answer) = best(&client, tool, json!({ "most": 10_000_000 })).await;
        if tool == "numbers" {
            assert_eq!((&answer["rowCount"], &answer["truncated"]), (&json!(rows), &json!(true)));
        }
        // Ten million rows would take a second and more.
        assert!(many < few * 10 + Duration::from_millis(400), "{tool}: {many:?} against {few:?}");
    }
}

#[tokio::test]
async fn one_slow_statement_does_not_hold_up_quick_ones() {
    let spec = shop(
        "
        count:
          params: { most: integer }
          sql:
            source: safe
            query: >-
              WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT max(i) AS m FROM n
            returns: value
            timeout: 3s
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    // Its caller runs it itself by now.
    for _ in 0..20 {
        client.text("count", json!({ "most": 1 })).await;
    }
    let begun = Instant::now();
    let slow = async {
        let answers = (0..2).map(|_| client.call("count", json!({ "most": 1_000_000_000 })));
        (futures_util::future::join_all(answers).await, begun.elapsed())
    };
    let quick = async {
        for most in 1..20 {
            assert_eq!(client.text("count", json!({ "most": most })).await, most.to_string());
        }
        begun.elapsed()
    };
    let ((answers, slow), quick) = tokio::join!(slow, quick);
    for answer in answers {
        assert_eq!(answer["content"][0]["text"], "the database took too long");
    }
    assert!(quick < slow, "{quick:?} against {slow:?}");
}

#[tokio::test]
async fn an_answer_is_shaped_within_the_bounds_of_its_action() {
    let spec = shop(
        "
        short: { sql: { source: safe, query: SELECT item FROM stock, maxBytes: 1KiB }, result: { jq: '[range(500)]' } }
        long: { sql: { source: safe, query: SELECT item FROM stock }, result: { jq: '[range(500)]' } }
        late: { sql: { source: safe, query: SELECT item FROM stock, timeout: 200ms }, result: { jq: 'last(range(1e12))' } }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.fails("short", json!({})).await, "the shaped answer is too large");
    assert!(client.text("long", json!({})).await.ends_with(",499]"));
    assert_eq!(client.fails("late", json!({})).await, "shaping the answer took too long");
}
