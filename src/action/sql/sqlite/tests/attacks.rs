use super::*;

/// A database file with a session that may write and one that may not.
async fn both(folder: &Path) -> [Sqlite; 2] {
    [shop(folder, false).await, shop(folder, true).await]
}

async fn is_refused(db: &Sqlite, sql: &str) {
    let fault = run(db, sql, &[]).await.expect_err(sql);
    assert!(matches!(fault.kind, FaultKind::Refused | FaultKind::ReadOnly), "{sql}: {fault:?}");
}

#[tokio::test]
async fn stacked_statements() {
    let folder = tempfile::tempdir().unwrap();
    for db in both(folder.path()).await {
        for sql in [
            "SELECT 1; DROP TABLE books",
            "SELECT 1;DELETE FROM books;",
            "SELECT ';'; DELETE FROM books",
            "; DELETE FROM books; SELECT 1",
            "SELECT 1 /* ; */; DELETE FROM books",
            "SELECT 1 -- ;\n; DELETE FROM books",
            "SELECT 1; nonsense",
            "COMMIT; DROP TABLE books",
            "SELECT 1\0; DELETE FROM books",
        ] {
            is_refused(&db, sql).await;
            assert_eq!(db.describe(sql).await.unwrap_err().kind, FaultKind::Refused, "{sql}");
        }
        assert_eq!(count(&db).await, json!(2));
    }
}

#[tokio::test]
async fn values_are_never_sql() {
    let db = memory(SHOP).await;
    for value in ["' OR 1=1 --", "'; DROP TABLE books; --", "\" OR \"\"=\"", ":id", "?", "a\0' OR 1=1"] {
        let found = run(&db, "SELECT * FROM books WHERE title = :title", &[("title", json!(value))]).await.unwrap();
        assert!(found.is_empty(), "{value}");
    }
    assert_eq!(count(&db).await, json!(2));
}

#[tokio::test]
async fn stepping_out_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.db");
    let out = out.to_str().unwrap();
    for db in both(folder.path()).await {
        for sql in [
            format!("ATTACH '{out}' AS x"),
            format!("ATTACH DATABASE 'file:{out}?mode=rwc' AS x"),
            "ATTACH ':memory:' AS x".into(),
            "ATTACH '' AS x".into(),
            "ATTACH printf('a') AS x".into(),
            "DETACH main".into(),
            format!("VACUUM INTO '{out}'"),
            "VACUUM".into(),
            "SELECT load_extension('./x')".into(),
            "SELECT load_extension('./x', 'entry')".into(),
            "SELECT fts3_tokenizer('simple', x'00')".into(),
            "SELECT writefile('x', 'y')".into(),
            "SELECT readfile('x')".into(),
            "SELECT edit('x', 'sh')".into(),
            "SELECT * FROM fsdir('.')".into(),
            "SELECT * FROM sqlite_dbdata".into(),
        ] {
            is_refused(&db, &sql).await;
        }
        let bound = run(&db, "ATTACH :path AS x", &[("path", json!(out))]).await.unwrap_err();
        assert_eq!(bound.message, "ATTACH, DETACH and VACUUM are not allowed");
        assert_eq!(run(&db, "VACUUM INTO :path", &[("path", json!(out))]).await.unwrap_err().kind, FaultKind::Refused);
    }
    assert_eq!(files(folder.path()), ["shop.db"]);
}

#[tokio::test]
async fn undoing_the_guards() {
    let folder = tempfile::tempdir().unwrap();
    for db in both(folder.path()).await {
        for sql in [
            "PRAGMA query_only = 0",
            "PRAGMA query_only(0)",
            "pragma main.query_only=off",
            "PRAGMA writable_schema = 1",
            "PRAGMA writable_schema = RESET",
            "PRAGMA foreign_keys = 0",
            "PRAGMA trusted_schema = 1",
            "PRAGMA journal_mode = OFF",
            "PRAGMA locking_mode = EXCLUSIVE",
            "PRAGMA user_version = 7",
            "PRAGMA schema_version = 7",
            "PRAGMA hard_heap_limit = 1",
            "PRAGMA database_list",
            "SELECT * FROM pragma_database_list",
            "SELECT * FROM pragma_query_only",
            "BEGIN",
            "BEGIN EXCLUSIVE",
            "SAVEPOINT x",
            "COMMIT",
            "END",
            "ROLLBACK",
            "UPDATE sqlite_schema SET sql = 'x'",
            "DELETE FROM sqlite_schema",
            "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, 'CREATE TABLE x(a)')",
        ] {
            let fault = run(&db, sql, &[]).await.expect_err(sql);
            assert!(matches!(fault.kind, FaultKind::Refused | FaultKind::ReadOnly), "{sql}: {fault:?}");
        }
        for sql in [
            "PRAGMA table_info(books)",
            "SELECT name FROM pragma_table_list",
            "PRAGMA user_version",
            "PRAGMA foreign_key_list(books)",
        ] {
            run(&db, sql, &[]).await.expect(sql);
        }
    }
}

#[tokio::test]
async fn writes_on_what_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let [_, db] = both(folder.path()).await;
    for sql in [
        "INSERT INTO books(title) VALUES ('x')",
        "INSERT INTO books(title) VALUES ('x') RETURNING id",
        "WITH x AS (SELECT 1) UPDATE books SET title = 'x'",
        "WITH x AS (SELECT 1) DELETE FROM books RETURNING *",
        "REPLACE INTO books(id, title) VALUES (1, 'x')",
        "CREATE TABLE x(a)",
        "CREATE TEMP TABLE x(a)",
        "CREATE VIRTUAL TABLE x USING fts5(a)",
        "DROP TABLE books",
        "ALTER TABLE books ADD COLUMN x",
        "CREATE INDEX x ON books(title)",
        "ANALYZE",
    ] {
        let fault = run(&db, sql, &[]).await.expect_err(sql);
        assert_eq!(fault.kind, FaultKind::ReadOnly, "{sql}: {fault:?}");
        let fault = db
            .transaction(together(vec![(sql.into(), vec![])]), LIMITS, &CancellationToken::new())
            .await
            .expect_err(sql);
        assert_eq!(fault.kind, FaultKind::ReadOnly, "{sql}: {fault:?}");
    }
    assert_eq!(count(&db).await, json!(2));
}

#[tokio::test]
async fn a_double_quoted_name_is_never_a_string() {
    let db = memory(SHOP).await;
    for sql in
        ["SELECT \"no such name\"", "SELECT * FROM books WHERE title = \"Dune\"", "CREATE INDEX x ON books(\"nope\")"]
    {
        assert_eq!(run(&db, sql, &[]).await.unwrap_err().kind, FaultKind::Refused, "{sql}");
    }
}

#[tokio::test]
async fn foreign_keys_hold() {
    let db = memory("CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p(id));").await;
    assert_eq!(run(&db, "INSERT INTO c VALUES (1)", &[]).await.unwrap_err().kind, FaultKind::Constraint);
}

#[tokio::test]
async fn a_hostile_schema_has_no_power() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let outside = rusqlite::Connection::open(&path).unwrap();
    outside.execute_batch("CREATE VIEW v AS SELECT load_extension('x') AS a; CREATE TABLE t(a);").unwrap();
    outside.execute_batch("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT load_extension('x'); END;").unwrap();
    outside.close().unwrap();
    let db = open(config(Location::File(path)), Mode::Serve).await.unwrap();
    assert_eq!(run(&db, "SELECT * FROM v", &[]).await.unwrap_err().kind, FaultKind::Refused);
    assert_eq!(run(&db, "INSERT INTO t VALUES (1)", &[]).await.unwrap_err().kind, FaultKind::Refused);
}

#[tokio::test]
async fn what_is_too_big_is_refused() {
    let db = memory("").await;
    let refused = async |sql: &str| run(&db, sql, &[]).await.expect_err("too big").message;
    assert_eq!(refused("SELECT zeroblob(100000000)").await, "string or blob too big");
    assert!(refused(&format!("SELECT 1{}", "+1".repeat(5000))).await.contains("too large"));
    assert!(refused(&format!("SELECT 1 {}", "UNION SELECT 1 ".repeat(200))).await.contains("too many terms"));
    assert!(refused(&format!("SELECT '{}'", "x".repeat(2 << 20))).await.contains("too long"));
    assert!(refused(&format!("SELECT 'a' LIKE '{}'", "%a".repeat(2000))).await.contains("too complex"));
}

#[tokio::test]
async fn what_an_index_is_made_of() {
    let build = "CREATE VIRTUAL TABLE words USING fts5(word); INSERT INTO words VALUES ('dune')";
    let folder = tempfile::tempdir().unwrap();
    let config = || config(Location::File(folder.path().join("words.db")));
    let db = open(SqliteConfig { init: Some(build.into()), ..config() }, Mode::Serve).await.unwrap();
    for sql in [
        "UPDATE words_data SET block = x'00'",
        "DELETE FROM words_content",
        "INSERT INTO words_config VALUES ('version', 9)",
        "DROP TABLE words_idx",
    ] {
        assert!(run(&db, sql, &[]).await.is_err(), "{sql}");
    }
    let only_read = open(SqliteConfig { read_only: true, ..config() }, Mode::Serve).await.unwrap();
    for sql in ["INSERT INTO words(words) VALUES ('rebuild')", "INSERT INTO words(words) VALUES ('delete-all')"] {
        assert_eq!(run(&only_read, sql, &[]).await.unwrap_err().kind, FaultKind::ReadOnly, "{sql}");
    }
    assert_eq!(rows(&only_read, "SELECT word FROM words WHERE words MATCH 'dune'").await, json!([{"word": "dune"}]));
}
