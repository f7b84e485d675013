//! Tables that change while they are served, on all three databases.

use serde_json::{Value, json};

use crate::harness::{Client, Database, Era, Spec, spec::tools};

const SETUP: &str = "CREATE TABLE t (a INTEGER NOT NULL, b VARCHAR(10)); INSERT INTO t VALUES (1, 'x');";

const TOOLS: &str = "all: { sql: { source: db, query: SELECT * FROM t } }\n";

fn text(tools_text: &str) -> String {
    format!("sources:\n  db: {{ sql: \"${{DATABASE_URL}}\", maxConnections: 3 }}\n{}", tools(tools_text))
}

/// The columns that a client is told of.
async fn told(client: &Client) -> Vec<String> {
    let listed = client.list("tools").await;
    let all = listed.iter().find(|tool| tool["name"] == "all").unwrap();
    let row = &all["outputSchema"]["properties"]["rows"]["items"]["properties"];
    row.as_object().unwrap().keys().cloned().collect()
}

/// A call may find that a table is not any more what it was; the ones after it know.
async fn settled(client: &Client) -> Value {
    for _ in 0..3 {
        let answer = client.call("all", json!({})).await;
        if answer["isError"] != true {
            return answer["structuredContent"]["rows"].clone();
        }
    }
    panic!("calls go on to fail: {}", client.fails("all", json!({})).await)
}

async fn follows(url: &str, alter: impl AsyncFn(&str)) {
    let spec = Spec::new(&text(TOOLS)).env("DATABASE_URL", url);
    let mut client = spec.stdio(Era::Legacy).await;
    // Several connections know the statement.
    let calls = (0..12).map(|_| client.json("all", json!({})));
    futures_util::future::join_all(calls).await;
    assert_eq!(told(&client).await, ["a", "b"]);
    alter("ALTER TABLE t DROP COLUMN b").await;
    assert_eq!(settled(&client).await, json!([{ "a": 1 }]));
    alter("ALTER TABLE t ADD COLUMN c VARCHAR(5)").await;
    spec.write(&text(&format!("{TOOLS}hello: {{ text: hello }}\n")));
    client.process().reloaded(&spec).await;
    assert_eq!(told(&client).await, ["a", "c"]);
    assert_eq!(settled(&client).await, json!([{ "a": 1, "c": null }]));
    let gone = format!("{TOOLS}gone: {{ sql: {{ source: db, query: SELECT b FROM t }} }}\n");
    spec.write(&text(&gone));
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 1, "{}", check.out);
}

#[tokio::test]
async fn sqlite_follows_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let run = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    run(SETUP);
    follows(&format!("sqlite:{}", path.display()), async |sql: &str| run(sql)).await;
}

#[tokio::test]
async fn postgres_follows_its_tables() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    follows(&db.url(), async |sql: &str| db.run(sql).await).await;
}

#[tokio::test]
async fn mariadb_follows_its_tables() {
    let Some(db) = Database::mariadb(SETUP).await else { return };
    follows(&db.url(), async |sql: &str| db.run(sql).await).await;
}
