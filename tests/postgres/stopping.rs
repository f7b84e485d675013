//! Statements that end before they are done, on the server too.

use serde_json::json;

use super::{served, spec};
use crate::harness::{Database, Process, request, until};

const TOOLS: &str = "
    sleep: { sql: { source: db, query: 'SELECT pg_sleep(100) AS sleeping' } }
    short: { sql: { source: db, query: 'SELECT pg_sleep(100) AS sleeping', timeout: 300ms } }
    write: { sql: { source: db, query: 'INSERT INTO t SELECT 1 FROM (SELECT pg_sleep(100)) AS sleeping', timeout: 300ms, returns: affected } }
    pid: { sql: { source: db, query: 'SELECT pg_backend_pid() AS pid', returns: row } }
";

/// How many statements of the tools the server is busy with.
async fn busy(db: &Database) -> String {
    let query = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                 AND query LIKE '%sleeping%' AND pid <> pg_backend_pid()";
    db.text(query).await
}

#[tokio::test]
async fn a_timeout_ends_the_statement_on_the_server() {
    let Some(db) = Database::postgres("CREATE TABLE t (a int)").await else { return };
    for source in [", maxConnections: 1", ", maxConnections: 1, readOnly: true"] {
        let tools = if source.contains("readOnly") {
            TOOLS.replace("INSERT INTO t SELECT 1", "SELECT 1")
        } else {
            TOOLS.into()
        };
        let tools = tools.replace(", returns: affected", "");
        let tools = if source.contains("readOnly") {
            tools
        } else {
            tools.replace("timeout: 300ms } }\n    pid", "timeout: 300ms, returns: affected } }\n    pid")
        };
        let client = served(&db, source, &tools).await;
        let pid = client.json("pid", json!({})).await;
        for tool in ["short", "write"] {
            let said = client.fails(tool, json!({})).await;
            assert!(said.contains("took too long"), "{said}");
            assert_eq!(busy(&db).await, "0");
            // The connection went back, and is clean.
            assert_eq!(client.json("pid", json!({})).await, pid, "{tool}");
        }
    }
    assert_eq!(db.text("SELECT count(*)::text FROM t").await, "0");
}

#[tokio::test]
async fn a_statement_timeout_holds_for_every_action() {
    let Some(db) = Database::postgres("").await else { return };
    let tools = "
        sleep: { sql: { source: db, query: 'SELECT pg_sleep(100) AS sleeping', timeout: 60s } }
        setting: { sql: { source: db, query: \"SELECT current_setting('statement_timeout') AS v\", returns: row } }
    ";
    let client = served(&db, ", statementTimeout: 400ms", tools).await;
    assert_eq!(client.json("setting", json!({})).await["v"], "400ms");
    assert!(client.fails("sleep", json!({})).await.contains("took too long"));
    assert_eq!(busy(&db).await, "0");
}

#[tokio::test]
async fn a_cancelled_call_ends_its_statement_on_the_server() {
    let Some(db) = Database::postgres("CREATE TABLE t (a int)").await else { return };
    let mut process = Process::serve(&spec(&db, ", maxConnections: 1", TOOLS), &[]);
    process.initialize("2025-11-25").await;
    let pid = json!({ "name": "pid", "arguments": {} });
    let before = process.ask(&request("a", "tools/call", pid.clone())).await;
    process.send(&request("long", "tools/call", json!({ "name": "sleep", "arguments": {} }))).await;
    until("the statement to begin", async || busy(&db).await == "1").await;
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "long" } });
    process.send(&cancelled).await;
    until("the statement to end", async || busy(&db).await == "0").await;
    let after = process.ask(&request("b", "tools/call", pid)).await;
    assert_eq!(before["result"]["structuredContent"], after["result"]["structuredContent"]);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_statement_along() {
    let Some(db) = Database::postgres("CREATE TABLE t (a int)").await else { return };
    let mut process = Process::serve(&spec(&db, "", TOOLS), &[]);
    process.initialize("2025-11-25").await;
    process.send(&request("long", "tools/call", json!({ "name": "sleep", "arguments": {} }))).await;
    until("the statement to begin", async || busy(&db).await == "1").await;
    process.close_stdin();
    process.ended().await;
    until("the statement to end", async || busy(&db).await == "0").await;
}
