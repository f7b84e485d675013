//! The ready-made explorers of databases, each against a real one.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Client, Database, Era, Spec};

const TABLES: &str = "
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer VARCHAR(40) NOT NULL, state VARCHAR(10), total DECIMAL(8, 2));
CREATE TABLE items (order_id INTEGER NOT NULL REFERENCES orders (id), n INTEGER NOT NULL, item VARCHAR(40),
                    PRIMARY KEY (order_id, n));
CREATE VIEW open_orders AS SELECT id, customer FROM orders WHERE state = 'open';
INSERT INTO orders VALUES (1, 'Ada', 'open', 9.90), (2, 'Bob', NULL, 5), (3, 'Ada', 'sent', 12.50);
INSERT INTO items VALUES (1, 1, 'anvil'), (1, 2, 'bell');
";

async fn explorer(name: &str, url: &str, spec: Spec) -> Client {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name);
    spec.write(&std::fs::read_to_string(path).unwrap());
    let spec = spec.env("DATABASE_URL", url);
    let check = spec.run("check", &["--deny-warnings"]).await;
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    spec.stdio(Era::Legacy).await
}

fn ids(answer: &Value) -> Vec<i64> {
    answer["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn explores(client: &Client) {
    let tables = client.json("list_tables", json!({})).await;
    let names: Vec<&str> = tables["rows"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["items", "open_orders", "orders"]);
    let orders = client.json("describe_table", json!({ "table": "orders" })).await;
    assert_eq!((&orders["primaryKey"], &orders["columns"][1]["name"]), (&json!(["id"]), &json!("customer")));
    let sample = client.json("sample_rows", json!({ "table": "orders", "limit": 2 })).await;
    assert_eq!((ids(&sample), &sample["truncated"]), (vec![1, 2], &json!(true)));
    let find = |more: Value| {
        let mut arguments = json!({ "table": "orders" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.json("find_rows", arguments)
    };
    assert_eq!(ids(&find(json!({ "where": { "customer": "Ada" }, "orderBy": "-id" })).await), [3, 1]);
    assert_eq!(ids(&find(json!({ "where": { "state": null } })).await), [2]);
    assert_eq!(ids(&find(json!({ "where": { "customer": "' OR '1'='1" } })).await), [0_i64; 0]);
    assert_eq!(client.json("get_row", json!({ "table": "orders", "key": 2 })).await["customer"], "Bob");
    assert_eq!(client.json("get_row", json!({ "table": "items", "key": [1, 2] })).await["item"], "bell");
    assert_eq!(client.json("count_rows", json!({ "table": "orders" })).await, json!({ "table": "orders", "count": 3 }));
    let open = json!({ "table": "open_orders", "where": { "customer": "Ada" } });
    assert_eq!(client.json("count_rows", open).await["count"], 1);
    // MySQL would find every word in place of 0.
    let zero = json!({ "table": "orders", "where": { "customer": 0 } });
    assert_eq!(client.json("count_rows", zero).await["count"], 0);
    for (tool, arguments, words) in [
        ("describe_table", json!({ "table": "orders; DROP TABLE orders" }), "there is no table"),
        ("find_rows", json!({ "table": "orders", "orderBy": "id; DROP TABLE orders" }), "has no column"),
        ("find_rows", json!({ "table": "orders", "where": { "1=1 OR id": 1 } }), "has no column"),
        ("get_row", json!({ "table": "open_orders", "key": 1 }), "has no primary key"),
        ("get_row", json!({ "table": "orders", "key": "1 OR 1=1" }), "no such row"),
    ] {
        let said = client.fails(tool, arguments).await;
        assert!(said.contains(words), "{tool}: {said}");
    }
    let prompt = client.prompt("explore", json!({ "question": "Who bought most?" })).await;
    assert!(prompt.to_string().contains("- orders (table)"), "{prompt}");
    assert_eq!(client.list("resources").await.len(), 4);
    for tool in client.list("tools").await {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
    }
    let tools = client.list("tools").await;
    let describe = tools.iter().find(|tool| tool["name"] == "describe_table").unwrap();
    let schema = jsonschema::validator_for(&describe["outputSchema"]).unwrap();
    for table in ["orders", "items", "open_orders"] {
        let told = client.json("describe_table", json!({ "table": table })).await;
        assert!(schema.is_valid(&told), "{told}");
    }
    assert!(!schema.is_valid(&json!({ "name": "orders" })));
}

#[tokio::test]
async fn sqlite_explorer() {
    let spec = Spec::named("sqlite-explorer.yaml", "");
    let path = spec.folder().join("shop.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(TABLES).unwrap();
    explores(&explorer("sqlite-explorer.yaml", &format!("sqlite:{}", path.display()), spec).await).await;
}

#[tokio::test]
async fn postgres_explorer() {
    let Some(db) = Database::postgres(TABLES).await else { return };
    explores(&explorer("postgres-explorer.yaml", &db.url(), Spec::named("postgres-explorer.yaml", "")).await).await;
}

#[tokio::test]
async fn mysql_explorer() {
    let Some(db) = Database::mariadb(TABLES).await else { return };
    explores(&explorer("mysql-explorer.yaml", &db.url(), Spec::named("mysql-explorer.yaml", "")).await).await;
}
