//! What a read-only source lets nobody do: by the server itself, and by name where the server would.

use serde_json::json;

use super::{served, spec};
use crate::harness::Database;

const SETUP: &str = "
    CREATE TABLE t (a int); INSERT INTO t VALUES (1);
    CREATE SEQUENCE s;
    CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN 1; END';
    CREATE FUNCTION unlock() RETURNS int LANGUAGE plpgsql AS
        'BEGIN SET TRANSACTION READ WRITE; DELETE FROM t; RETURN 1; END';
    CREATE FUNCTION configure() RETURNS int LANGUAGE plpgsql AS
        'BEGIN PERFORM set_config(''transaction_read_only'', ''off'', false); DELETE FROM t; RETURN 1; END';
    CREATE FUNCTION defaults() RETURNS int LANGUAGE plpgsql AS
        'BEGIN PERFORM set_config(''default_transaction_read_only'', ''off'', false); RETURN 1; END';
    CREATE FUNCTION leave() RETURNS int LANGUAGE plpgsql AS 'BEGIN COMMIT; DELETE FROM t; RETURN 1; END';
    CREATE FUNCTION lock_up() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(7); RETURN 1; END';
    CREATE FUNCTION large() RETURNS oid LANGUAGE plpgsql AS 'BEGIN RETURN lo_create(4242); END';
    CREATE FUNCTION temporary() RETURNS int LANGUAGE plpgsql AS
        'BEGIN CREATE TEMP TABLE books AS SELECT 1; RETURN 1; END';
    CREATE VIEW wiped AS SELECT wipe() AS a;
";

/// Statements that are refused when they are loaded, and a word of why.
const AT_LOAD: &[(&str, &str)] = &[
    ("SELECT 1; DELETE FROM t", "only one statement"),
    ("SELECT 1; COMMIT; DELETE FROM t", "only one statement"),
    ("DELETE FROM t", "its source is read-only"),
    ("INSERT INTO t VALUES (1) RETURNING a", "its source is read-only"),
    ("WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d", "its source is read-only"),
    ("WITH u AS MATERIALIZED (UPDATE t SET a = 2 RETURNING a) SELECT a FROM u", "its source is read-only"),
    ("SELECT a INTO copied FROM t", "its source is read-only"),
    ("SELECT a FROM t FOR UPDATE", "its source is read-only"),
    ("CREATE TABLE u (a int)", "its source is read-only"),
    ("DROP TABLE t", "its source is read-only"),
    ("TRUNCATE t", "its source is read-only"),
    ("GRANT ALL ON t TO PUBLIC", "its source is read-only"),
    ("DO 'BEGIN DELETE FROM t; END'", "its source is read-only"),
    ("CALL wipe()", "wipe"),
    ("LOCK TABLE t", "its source is read-only"),
    ("NOTIFY x", "its source is read-only"),
    ("VACUUM", "its source is read-only"),
    ("EXPLAIN ANALYZE DELETE FROM t", "its source is read-only"),
    ("SET TRANSACTION READ WRITE", "onConnect"),
    ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "onConnect"),
    ("SET default_transaction_read_only = off", "onConnect"),
    ("RESET ALL", "onConnect"),
    ("COMMIT", "a transaction is begun and ended"),
    ("ROLLBACK", "a transaction is begun and ended"),
    ("/* x */ END -- y", "a transaction is begun and ended"),
    ("BEGIN READ WRITE", "a transaction is begun and ended"),
    ("PREPARE x AS DELETE FROM t", "other calls"),
    ("EXECUTE x", "other calls"),
    ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "other calls"),
    ("LISTEN x", "other calls"),
    ("COPY t TO PROGRAM 'cat >/tmp/stolen'", "COPY"),
    ("COPY t FROM PROGRAM 'echo 1'", "COPY"),
    ("COPY t TO STDOUT", "COPY"),
    ("LOAD 'auto_explain'", "onConnect"),
    ("SELECT set_config('transaction_read_only', 'off', false)", "does not hold"),
    ("SELECT \"set_config\"('transaction_read_only', 'off', false)", "does not hold"),
    ("SELECT pg_catalog.set_config('transaction_read_only', 'off', false)", "does not hold"),
    ("SELECT pg_advisory_lock(1)", "does not hold"),
    ("SELECT pg_try_advisory_lock(1)", "does not hold"),
    ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "does not hold"),
    ("SELECT pg_cancel_backend(1)", "does not hold"),
    ("SELECT pg_reload_conf()", "does not hold"),
    ("SELECT lo_create(1)", "does not hold"),
    ("SELECT lo_export(1, '/tmp/x')", "does not hold"),
    ("SELECT lo_import('/etc/passwd')", "does not hold"),
    ("SELECT * FROM dblink('', 'DELETE FROM t') AS x (a int)", "does not hold"),
    ("SELECT query_to_xml('DELETE FROM t', true, false, '')", "does not hold"),
    ("SELECT pg_logical_emit_message(false, 'a', 'b')", "does not hold"),
    ("SELECT pg_stat_reset()", "does not hold"),
    ("SELECT * FROM ts_stat('DELETE FROM t')", "does not hold"),
    ("SELECT pg_read_file('/etc/passwd')", "does not hold"),
    ("SELECT \"pg_read_binary_file\" /* x */ ('/etc/passwd')", "does not hold"),
    ("SELECT lo_get(1), lo_unlink(1)", "does not hold"),
    ("SELECT pg_stat_statements_reset()", "does not hold"),
    ("SELECT heap_force_kill('t', ARRAY['(0,1)'::tid])", "does not hold"),
    ("SELECT U&\"pg\\005fadvisory_lock\"(1)", "Unicode escapes"),
    ("SELECT u&\"dblink!005fexec\" UESCAPE '!' ('x')", "Unicode escapes"),
    ("SELECT E'a'\n'\\'', pg_advisory_lock(1), '\\'", "pg_advisory_lock"),
    ("SELECT /* /* */ ' */ pg_advisory_lock(1) -- '", "does not hold"),
    ("SELECT $a$ $b$ $a$, pg_advisory_lock(1), $b$ $b$", "does not hold"),
    ("PREPARE TRANSACTION 'x'", "other calls"),
    ("COMMIT PREPARED 'x'", "a transaction is begun and ended"),
    ("CREATE TEMP TABLE u AS SELECT 1", "its source is read-only"),
    ("SELECT 1 INTO TEMP u", "its source is read-only"),
    ("SELECT ('/etc/passwd'::text).pg_read_file", "pg_read_file"),
    ("SELECT ('/etc/passwd'::text).lo_import", "lo_import"),
    ("SELECT ('/etc/passwd'::text) . \"lo_import\"", "lo_import"),
    ("SELECT (ARRAY['/etc/passwd'::text])[1].lo_import", "lo_import"),
    ("REINDEX TABLE t", "its source is read-only"),
    ("REFRESH MATERIALIZED VIEW t", "read-only"),
    ("IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "read-only"),
    ("CLUSTER t", "its source is read-only"),
    ("CHECKPOINT", "its source is read-only"),
    ("SECURITY LABEL ON TABLE t IS 'x'", "read-only"),
    ("DISCARD ALL", "onConnect"),
];

/// Statements that load, and that the server stops or undoes.
const AT_CALL: &[&str] = &[
    "SELECT nextval('s')",
    "SELECT setval('s', 100)",
    "SELECT wipe()",
    "SELECT a FROM wiped",
    "SELECT unlock()",
    "SELECT configure()",
    "SELECT leave()",
    "SELECT temporary()",
];

#[tokio::test]
async fn what_writes_by_its_own_words_is_refused_at_load() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tools = |(number, (query, _)): (usize, &(&str, &str))| {
        format!("t{number}: {{ sql: {{ source: db, query: {}, returns: affected }} }}\n", json!(query))
    };
    let tools: String = AT_LOAD.iter().enumerate().map(tools).collect();
    let said = spec(&db, ", readOnly: true", &tools).run("check", &["--format", "json"]).await;
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {said:?}"));
    let diagnostics = report.as_array().unwrap();
    for (number, (query, words)) in AT_LOAD.iter().enumerate() {
        let line = number + 5;
        let found = diagnostics
            .iter()
            .find(|found| found["line"] == line)
            .unwrap_or_else(|| panic!("{query} is not refused: {report}"));
        assert!(found["message"].as_str().unwrap().contains(words), "{query}: {found}");
    }
    assert_eq!(db.text("SELECT a::text FROM t").await, "1");
}

#[tokio::test]
async fn what_functions_write_is_stopped_by_the_server() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tool =
        |(number, query): (usize, &&str)| format!("t{number}: {{ sql: {{ source: db, query: {} }} }}\n", json!(query));
    let tools: String = AT_CALL.iter().enumerate().map(tool).collect();
    let client = served(&db, ", readOnly: true, maxConnections: 1", &tools).await;
    for (number, query) in AT_CALL.iter().enumerate() {
        let said = client.fails(&format!("t{number}"), json!({})).await;
        assert!(said.contains("read-only") || said.contains("could not run"), "{query}: {said}");
        assert_eq!(db.text("SELECT count(*)::text FROM t").await, "1", "{query}");
    }
    assert_eq!(db.text("SELECT nextval('s')::text").await, "1");
}

#[tokio::test]
async fn what_functions_leave_behind_is_undone() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tools = "
        defaults: { sql: { source: db, query: 'SELECT defaults()' } }
        setting: { sql: { source: db, query: \"SELECT current_setting('default_transaction_read_only') AS v\", returns: value } }
        lock_up: { sql: { source: db, query: 'SELECT lock_up()' } }
        large: { sql: { source: db, query: 'SELECT large()' } }
        wipe: { sql: { source: db, query: 'SELECT wipe()' } }
    ";
    let client = served(&db, ", readOnly: true, maxConnections: 1", tools).await;
    client.json("defaults", json!({})).await;
    client.json("lock_up", json!({})).await;
    assert_eq!(db.text("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 7").await, "0");
    // Newer servers refuse it themselves.
    client.call("large", json!({})).await;
    assert_eq!(db.text("SELECT count(*)::text FROM pg_largeobject_metadata WHERE oid = 4242").await, "0");
    assert!(client.fails("wipe", json!({})).await.contains("read-only"));
    assert_eq!(db.text("SELECT a::text FROM t").await, "1");
}

#[tokio::test]
async fn values_are_never_code() {
    let Some(db) = Database::postgres(SETUP).await else { return };
    let tools = "
        find: { params: { x: string }, sql: { source: db, query: 'SELECT :x AS x', returns: row } }
        like: { params: { x: string }, sql: { source: db, query: \"SELECT a FROM t WHERE a::text LIKE '%' || :x || '%'\" } }
        list: { params: { x: { type: array, items: { type: string } } }, sql: { source: db, query: 'SELECT a FROM t WHERE a::text IN (:x)' } }
    ";
    let client = served(&db, "", tools).await;
    for evil in ["'; DELETE FROM t; --", "\\'; DELETE FROM t", "$1", "{1}", "\"", "$$ ; DELETE FROM t $$", "\u{2019}"] {
        assert_eq!(client.json("find", json!({ "x": evil })).await, json!({ "x": evil }));
        assert_eq!(client.json("like", json!({ "x": evil })).await["rowCount"], 0, "{evil}");
        assert_eq!(client.json("list", json!({ "x": [evil] })).await["rowCount"], 0, "{evil}");
    }
    assert_eq!(db.text("SELECT a::text FROM t").await, "1");
}
