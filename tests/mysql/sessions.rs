//! Connections of MariaDB through the whole server, and what one call leaves on them for the next: nothing.

use serde_json::{Value, json};

use super::BOOKS;
use super::door::spec;
use crate::harness::database::{self, Kind, PASSWORD};
use crate::harness::{Database, Era, Process, Spec, until};

async fn open(db: &Database) -> usize {
    let sql = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST \
               WHERE DB = DATABASE() AND ID <> CONNECTION_ID()";
    db.text(sql).await.parse().unwrap()
}

/// What InnoDB tells of its transactions is a tenth of a second old at most if nobody asks meanwhile, hence the pause.
#[tokio::test]
async fn a_transaction_has_the_isolation_that_is_said() {
    let Some(db) = Database::mariadb(BOOKS).await else { return };
    let level = "SELECT trx_isolation_level AS level FROM information_schema.INNODB_TRX \
                 WHERE trx_mysql_thread_id = CONNECTION_ID()";
    let tool = |(name, key): (&str, &str)| {
        let first = "SELECT COUNT(*) AS n FROM books";
        let statements = format!("[{first}, 'SELECT SLEEP(0.2) AS s', {}]", json!(level));
        format!("{name}: {{ sql: {{ source: db, statements: {statements}{key}, returns: row }} }}\n")
    };
    let tools: String = [
        ("usual", ""),
        ("committed", ", isolation: readCommitted"),
        ("repeatable", ", isolation: repeatableRead"),
        ("serial", ", isolation: serializable"),
    ]
    .into_iter()
    .map(tool)
    .collect();
    for source in [", maxConnections: 1", ", maxConnections: 1, readOnly: true"] {
        let client = spec(&db, source, &tools).stdio(Era::Legacy).await;
        for (tool, level) in [
            ("serial", "SERIALIZABLE"),
            ("committed", "READ COMMITTED"),
            ("repeatable", "REPEATABLE READ"),
            ("usual", "REPEATABLE READ"),
        ] {
            assert_eq!(client.json(tool, json!({})).await, json!({ "level": level }), "{tool}");
        }
    }
}

#[tokio::test]
async fn several_statements_take_effect_together_or_not_at_all() {
    let Some(db) = Database::mariadb(BOOKS).await else { return };
    let tools = "
        add:
          params: { one: string, two: { type: [string, 'null'] } }
          sql:
            source: db
            statements:
              - UPDATE books SET price = 1 WHERE id = 1
              - INSERT INTO books (title) VALUES (:one)
              - INSERT INTO books (title) VALUES (:two)
            returns: affected
        slow:
          sql:
            source: db
            statements: [DELETE FROM books, SELECT SLEEP(60) AS s]
            timeout: 300ms
    ";
    let client = spec(&db, ", maxConnections: 1", tools).stdio(Era::Legacy).await;
    let state = async || db.text("SELECT CONCAT(COUNT(*), ' ', MIN(price)) FROM books").await;
    let said = client.fails("add", json!({ "one": "a", "two": null })).await;
    assert!(said.contains("the database refuses these values: Column 'title' cannot be null"), "{said}");
    assert!(client.fails("slow", json!({})).await.contains("took too long"));
    assert_eq!(state().await, "2 9.90");
    assert_eq!(client.json("add", json!({ "one": "a", "two": "b" })).await["affected"], 3);
    assert_eq!(state().await, "4 1.00");
}

#[tokio::test]
async fn nothing_that_a_call_leaves_is_seen_by_the_next() {
    let setup = "
        CREATE FUNCTION leave_all() RETURNS INT BEGIN
            SET @secret = 'xyzzy'; SET SESSION sql_mode = 'ANSI_QUOTES'; SET SESSION time_zone = '+05:00';
            DO GET_LOCK('kept', 0);
            RETURN 1;
        END;
        CREATE TABLE t (a INT); INSERT INTO t VALUES (1)";
    let Some(db) = Database::mariadb(setup).await else { return };
    let tools = "
        leave: { sql: { source: db, query: 'SELECT leave_all() AS x', returns: value } }
        assign: { sql: { source: db, query: \"SELECT @secret := 'xyzzy' AS x\", returns: value } }
        count: { sql: { source: db, query: 'SELECT @n := COALESCE(@n, 0) + 1 AS x', returns: value } }
        state:
          sql:
            source: db
            query: SELECT @secret AS secret, \"text\" AS text, @@time_zone AS zone, IS_USED_LOCK('kept') AS held FROM t
            returns: row
    ";
    for source in [", maxConnections: 1", ", maxConnections: 1, readOnly: true"] {
        let client = spec(&db, source, tools).stdio(Era::Legacy).await;
        let clean = json!({ "secret": null, "text": "text", "zone": "+00:00", "held": null });
        assert_eq!(client.json("state", json!({})).await, clean);
        for tool in ["leave", "assign"] {
            client.text(tool, json!({})).await;
            until("the lock to go", async || client.json("state", json!({})).await["held"].is_null()).await;
            assert_eq!(client.json("state", json!({})).await, clean, "{tool}");
        }
        for _ in 0..3 {
            let count = client.text("count", json!({})).await;
            assert_eq!(count.trim_matches('"').parse::<f64>().unwrap(), 1.0);
        }
    }
}

#[tokio::test]
async fn connections_are_closed_at_the_end_and_not_broken_off() {
    let Some(server) = database::server(Kind::Mariadb).await else { return };
    let db = Database::on(&server, "CREATE TABLE t (a INT)").await;
    let tools = "id: { sql: { source: db, query: 'SELECT CONNECTION_ID() AS id', returns: row } }";
    let mut process = Process::serve(&spec(&db, "", tools), &[]);
    process.initialize("2025-11-25").await;
    let call =
        json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "id", "arguments": {} } });
    let id = process.ask(&call).await["result"]["structuredContent"]["id"].to_string();
    process.close_stdin();
    assert_eq!(process.exit().await, 0);
    // One that is broken off, as the harness's are, is told.
    let broken_off = db.text("SELECT CAST(CONNECTION_ID() AS CHAR)").await;
    let told = |id: &str| server.log().contains(&format!("Aborted connection {} ", id.trim_matches('"')));
    until("the server to tell it", async || told(&broken_off)).await;
    assert!(!told(&id), "{}", server.log());
}

#[tokio::test]
async fn calls_go_on_after_the_server_was_restarted() {
    let Some(mut server) = database::server(Kind::Mariadb).await else { return };
    let db = Database::on(&server, "CREATE TABLE t (a INT); INSERT INTO t VALUES (7)").await;
    let tools = "one: { sql: { source: db, query: 'SELECT a FROM t', returns: row } }";
    let client = spec(&db, ", acquireTimeout: 2s", tools).stdio(Era::Legacy).await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 7 }));
    server.stop();
    let said = client.fails("one", json!({})).await;
    assert!(said.contains("can't be reached"), "{said}");
    server.go_on().await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 7 }));
    // By its socket, too.
    let socket = server.folder().join("socket");
    let url = format!("{}?socket={}", db.url(), socket.display());
    let local = spec(&db, ", required: true", tools).env("DATABASE_URL", &url).stdio(Era::Legacy).await;
    assert_eq!(local.json("one", json!({})).await, json!({ "a": 7 }));
}

#[tokio::test]
async fn a_password_can_stand_in_a_file_and_a_connection_is_prepared() {
    let Some(db) = Database::mariadb("CREATE TABLE t (a INT); INSERT INTO t VALUES (7)").await else { return };
    let password = PASSWORD.replace('/', "%2F").replace(' ', "%20");
    let spec = Spec::new("").file("password", format!("{password}\n"));
    let file = spec.folder().join("password");
    let url = db.url().replace(&password, &format!("${{file:{}}}", file.display()));
    spec.write(&format!(
        "sources: {{ db: {{ sql: '{url}', onConnect: [SET @shop = 'mine'] }} }}\n\
         tools:\n  one: {{ sql: {{ source: db, query: 'SELECT a, @shop AS shop FROM t', returns: row }} }}\n"
    ));
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.json("one", json!({})).await, json!({ "a": 7, "shop": "mine" }));
    spec.put("password", "wr0ng");
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 3, "{}", check.out);
    assert!(check.out.contains("refuses this user or password") && !check.out.contains("wr0ng"), "{}", check.out);
}

#[tokio::test]
async fn connections_are_few_are_waited_for_and_go_when_nobody_needs_them() {
    let Some(db) = Database::mariadb("CREATE TABLE t (a INT)").await else { return };
    let tools = "
        quick: { sql: { source: db, query: 'SELECT CONNECTION_ID() AS id, SLEEP(0.005) AS s', returns: row } }
        slow: { sql: { source: db, query: 'SELECT SLEEP(50) AS slow' } }
    ";
    let client =
        spec(&db, ", maxConnections: 3, acquireTimeout: 60s, idleTimeout: 200ms", tools).stdio(Era::Legacy).await;
    let done = std::sync::atomic::AtomicBool::new(false);
    let load = async {
        let calls = (0..200).map(|_| client.json("quick", json!({})));
        let answers: Vec<Value> = futures_util::future::join_all(calls).await;
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        answers.len()
    };
    let watch = async {
        let mut most = 0;
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            most = most.max(open(&db).await);
        }
        most
    };
    let (answers, most) = tokio::join!(load, watch);
    assert_eq!(answers, 200);
    assert!(most <= 3, "{most}");
    until("the connections to close", async || open(&db).await == 0).await;

    let client = spec(&db, ", maxConnections: 1, acquireTimeout: 1s", tools).stdio(Era::Legacy).await;
    let refused = async {
        let busy = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST \
                    WHERE DB = DATABASE() AND INFO LIKE 'SELECT SLEEP(50)%'";
        until("the slow one", async || db.text(busy).await == "1").await;
        client.fails("quick", json!({})).await
    };
    let said = tokio::select! {
        early = client.call("slow", json!({})) => panic!("{early}"),
        said = refused => said,
    };
    assert!(said.contains("can't be reached"), "{said}");
}
