//! Ways out of `readOnly: true`, and out of the one statement that a call runs. None may work.

use mcp_declare::action::sql::types::FaultKind;
use serde_json::{Value, json};

use super::{BOOKS, Shop};

const SETUP: &str = "
    CREATE TABLE kept (a INT) ENGINE=InnoDB; INSERT INTO kept VALUES (1);
    CREATE TABLE isam (a INT) ENGINE=MyISAM; INSERT INTO isam VALUES (1);
    CREATE SEQUENCE counter;
    CREATE PROCEDURE escape() BEGIN COMMIT; DELETE FROM kept; END;
    CREATE FUNCTION wipe() RETURNS INT BEGIN DELETE FROM kept; RETURN 1; END;
    CREATE FUNCTION wipe_isam() RETURNS INT BEGIN DELETE FROM isam; RETURN 1; END;
    CREATE FUNCTION lift() RETURNS INT
        BEGIN SET SESSION tx_read_only = 0; SET SESSION sql_mode = 'ANSI_QUOTES'; RETURN 1; END;
    CREATE VIEW sly AS SELECT wipe() AS x";

/// What an attack may not have changed.
async fn state(shop: &Shop) -> String {
    let sql = "SELECT CONCAT_WS(' ', (SELECT COUNT(*) FROM kept), (SELECT COUNT(*) FROM isam),
               (SELECT next_not_cached_value FROM counter), (SELECT COUNT(*) FROM information_schema.TABLES
               WHERE TABLE_SCHEMA = DATABASE()), @@GLOBAL.read_only, @@GLOBAL.max_connections)";
    shop.db.text(sql).await
}

#[tokio::test]
async fn nothing_writes_to_a_read_only_source() {
    let Some(shop) = Shop::read_only(SETUP).await else { return };
    let before = state(&shop).await;
    for sql in [
        // statements of every kind
        "INSERT INTO kept VALUES (2)",
        "REPLACE INTO isam VALUES (2)",
        "UPDATE kept SET a = 2",
        "DELETE FROM kept",
        "DELETE FROM kept RETURNING a",
        "WITH x AS (SELECT 1 AS a) DELETE FROM kept WHERE a IN (SELECT a FROM x)",
        "TRUNCATE kept",
        "CREATE TABLE new (a INT)",
        "CREATE TEMPORARY TABLE new (a INT)",
        "CREATE TABLE new AS SELECT 1",
        "ALTER TABLE kept ADD b INT",
        "DROP TABLE kept",
        "RENAME TABLE kept TO gone",
        "ANALYZE TABLE kept",
        "ANALYZE DELETE FROM kept",
        "OPTIMIZE TABLE kept",
        "GRANT ALL ON *.* TO tester@'%'",
        "CALL escape()",
        "DO wipe()",
        // functions with side effects, also behind a view
        "SELECT wipe()",
        "SELECT wipe_isam()",
        "SELECT * FROM sly",
        "SELECT NEXTVAL(counter)",
        "SELECT NEXT VALUE FOR counter",
        "SELECT SETVAL(counter, 100)",
        "SELECT a FROM kept WHERE a = wipe()",
        "SELECT a FROM kept FOR UPDATE",
        // out of the transaction
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "START TRANSACTION READ WRITE",
        "START TRANSACTION",
        "SAVEPOINT x",
        "XA START 'x'",
        "SET SESSION TRANSACTION READ WRITE",
        "SET tx_read_only = 0",
        "SET autocommit = 0",
        "SET GLOBAL max_connections = 7",
        "SET STATEMENT tx_read_only = 0 FOR DELETE FROM kept",
        "SET sql_mode = 'ANSI_QUOTES'",
        "LOCK TABLES kept WRITE",
        "UNLOCK TABLES",
        "FLUSH TABLES",
        "USE mysql",
        // statements in other clothes
        "EXECUTE IMMEDIATE 'DELETE FROM kept'",
        "PREPARE p FROM 'DELETE FROM kept'",
        "EXECUTE p",
        "DEALLOCATE PREPARE p",
        "BEGIN NOT ATOMIC COMMIT; DELETE FROM kept; END",
        "IF 1 THEN DELETE FROM kept; END IF",
        "HANDLER kept OPEN",
        "HANDLER kept READ FIRST",
        // two statements in one
        "SELECT 1; DELETE FROM kept",
        "SELECT 1;; DELETE FROM kept;",
        "COMMIT; DELETE FROM kept",
        "SELECT ';' /* ; */; DELETE FROM kept",
        "SELECT 1 -- ;\n; DELETE FROM kept",
        "SELECT '\\'; DELETE FROM kept; -- '; DELETE FROM kept",
        "SELECT \"\\\"; DELETE FROM kept; -- \"; DELETE FROM kept",
        // comments that the server runs
        "SELECT 1 /*! ; DELETE FROM kept */",
        "/*!50000 DELETE FROM kept */",
        "SELECT 1 /*M! INTO OUTFILE '/tmp/x' */",
        // the server's machine
        "SELECT 1 INTO OUTFILE '/tmp/mcp-declare-attack'",
        "SELECT 1 INTO DUMPFILE '/tmp/mcp-declare-attack'",
        "SELECT 1 FROM kept INTO @x",
        "(SELECT 1) INTO OUTFILE '/tmp/mcp-declare-attack'",
        "TABLE kept INTO OUTFILE '/tmp/mcp-declare-attack'",
        "VALUES (1) INTO OUTFILE '/tmp/mcp-declare-attack'",
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT `load_file`('/etc/passwd')",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE kept",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE kept",
        "LOAD XML INFILE '/etc/passwd' INTO TABLE kept",
        "INSTALL SONAME 'x'",
        "CREATE FUNCTION sys_exec RETURNS INT SONAME 'x.so'",
        // other people's connections
        "KILL 1",
        "SHUTDOWN",
        "RESET QUERY CACHE",
        "PURGE BINARY LOGS BEFORE NOW()",
        "CHANGE MASTER TO MASTER_HOST = 'x'",
        "SELECT GET_LOCK('x', 0)",
        "SELECT RELEASE_ALL_LOCKS()",
    ] {
        let fault = shop.rows(sql, Value::Null).await.expect_err(sql);
        assert!(matches!(fault.kind, FaultKind::Refused | FaultKind::ReadOnly), "{sql}: {fault:?}");
        assert_eq!(state(&shop).await, before, "{sql}");
    }
}

#[tokio::test]
async fn a_function_that_lifts_the_ban_lifts_it_for_nobody() {
    let Some(shop) = Shop::with(SETUP, |config| {
        config.read_only = true;
        config.max_connections = 1;
    })
    .await
    else {
        return;
    };
    assert_eq!(shop.value("SELECT lift()").await, json!(1));
    for sql in ["SELECT wipe()", "SELECT wipe_isam()", "SELECT * FROM sly"] {
        assert_eq!(shop.rows(sql, Value::Null).await.unwrap_err().kind, FaultKind::ReadOnly, "{sql}");
    }
    assert_eq!(shop.value("SELECT a FROM kept").await, json!(1));
}

#[tokio::test]
async fn a_writable_source_runs_one_statement_that_leaves_nothing_behind() {
    let Some(shop) = Shop::with(SETUP, |config| config.max_connections = 1).await else { return };
    let before = state(&shop).await;
    for sql in [
        "SELECT 1; DELETE FROM kept",
        "START TRANSACTION",
        "COMMIT",
        "SET SESSION sql_mode = ''",
        "SET autocommit = 0",
        "LOCK TABLES kept WRITE",
        "USE mysql",
        "PREPARE p FROM 'DELETE FROM kept'",
        "EXECUTE IMMEDIATE 'DELETE FROM kept'",
        "HANDLER kept OPEN",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE kept",
        "SELECT 1 INTO OUTFILE '/tmp/mcp-declare-attack'",
        "INSERT INTO kept SELECT 1 INTO OUTFILE '/tmp/mcp-declare-attack'",
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT GET_LOCK('x', 0)",
        "KILL 1",
        "SHUTDOWN",
    ] {
        assert_eq!(shop.rows(sql, Value::Null).await.expect_err(sql).kind, FaultKind::Refused, "{sql}");
        assert_eq!(state(&shop).await, before, "{sql}");
    }
    shop.rows("CREATE TEMPORARY TABLE brief (a INT)", Value::Null).await.unwrap();
    assert!(shop.mysql.describe("SELECT * FROM brief").await.is_err(), "a temporary table goes with its call");
    for (sql, read_only) in [("SELECT wipe()", false), ("SELECT NEXTVAL(counter)", false), ("SELECT ABS(1)", true)] {
        assert_eq!(shop.mysql.describe(sql).await.unwrap().read_only, read_only, "{sql}");
    }
}

#[tokio::test]
async fn values_are_never_sql() {
    let Some(shop) = Shop::new(BOOKS).await else { return };
    for value in [
        "' OR 1=1 -- ",
        "\\' OR 1=1 -- ",
        "'; DROP TABLE books; -- ",
        "\" OR \"\"=\"",
        ":id",
        "?",
        "a\0' OR 1=1",
        "\u{bf}' OR 1 -- ",
    ] {
        let found = shop.ask("SELECT * FROM books WHERE title = :title", json!({ "title": value })).await;
        assert_eq!(found, json!([]), "{value}");
        let found = shop.ask("SELECT * FROM books WHERE title IN (:titles)", json!({ "titles": [value, value] })).await;
        assert_eq!(found, json!([]), "{value}");
        let back = shop.ask("SELECT :value AS v", json!({ "value": value })).await;
        assert_eq!(back, json!([{ "v": value }]));
    }
    assert_eq!(shop.value("SELECT COUNT(*) FROM books").await, json!(2));
}
