use super::*;
use crate::spec::Text;

async fn refused(config: SqliteConfig, mode: Mode) -> OpenFault {
    open(config, mode).await.unwrap_err()
}

fn at(folder: &Path) -> SqliteConfig {
    config(Location::File(folder.join("shop.db")))
}

#[tokio::test]
async fn a_missing_file_needs_a_script() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, read_only) in [(Mode::Serve, false), (Mode::Serve, true), (Mode::Check, false), (Mode::Check, true)] {
        let fault = refused(SqliteConfig { read_only, ..at(folder.path()) }, mode).await;
        assert_eq!(fault, OpenFault::Missing);
        assert_eq!(fault.to_string(), "there is no database file, and the source has no `init` that would build it");
    }
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_script_builds_the_file_once() {
    let folder = tempfile::tempdir().unwrap();
    for read_only in [true, false] {
        let db = shop(folder.path(), read_only).await;
        assert_eq!(count(&db).await, json!(2));
        assert_eq!(files(folder.path()), ["shop.db"]);
    }
    let db = shop(folder.path(), false).await;
    run(&db, "DELETE FROM books", &[]).await.unwrap();
    drop(db);
    assert_eq!(count(&shop(folder.path(), false).await).await, json!(0));
}

#[tokio::test]
async fn a_script_may_be_a_dump() {
    let folder = tempfile::tempdir().unwrap();
    let dump = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE books(a);\n
        CREATE TRIGGER x AFTER INSERT ON books BEGIN UPDATE books SET a = a; SELECT 1; END;
        INSERT INTO books VALUES(';');\nCOMMIT;\nPRAGMA journal_mode=WAL;\n-- the end";
    let config = SqliteConfig { init: Some(dump.into()), ..at(folder.path()) };
    let db = open(config, Mode::Serve).await.unwrap();
    assert_eq!(rows(&db, "SELECT a FROM books").await, json!([{"a": ";"}]));
    assert_eq!(rows(&db, "PRAGMA journal_mode").await, json!([{"journal_mode": "wal"}]));
}

#[tokio::test]
async fn a_script_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (script, at_fault, message) in [
        ("CREATE TABLE t(a);\nSELECT b FROM t;", "b FROM", "no such column: b"),
        ("CREATE TABLE t(a NOT NULL); INSERT INTO t VALUES (NULL)", "INSERT", "NOT NULL constraint failed: t.a"),
        ("CREATE TABLE t(a); ATTACH 'evil.db' AS e", "ATTACH", "ATTACH, DETACH and VACUUM are not allowed"),
        ("CREATE TABLE t(a); VACUUM INTO 'evil.db'", "VACUUM", "ATTACH, DETACH and VACUUM are not allowed"),
        ("BEGIN; CREATE TABLE t(a);", "", "a transaction is left open"),
    ] {
        let offset = if at_fault.is_empty() { script.len() } else { script.find(at_fault).unwrap() };
        let expected = OpenFault::Init { message: message.into(), offset: Some(offset) };
        for mode in [Mode::Serve, Mode::Check] {
            let config = SqliteConfig { init: Some(script.into()), ..at(folder.path()) };
            assert_eq!(refused(config, mode).await, expected, "{script}");
        }
        let config = SqliteConfig { init: Some(script.into()), ..config(Location::Memory) };
        assert_eq!(refused(config, Mode::Serve).await, expected, "{script}");
        assert!(files(folder.path()).is_empty(), "{script}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn builders_that_race_end_with_one_whole_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut builders = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let config = SqliteConfig { init: Some(SHOP.into()), ..at(folder.path()) };
        builders.spawn(async move {
            let db = open(config, Mode::Serve).await.unwrap();
            assert_eq!(count(&db).await, json!(2));
        });
    }
    while let Some(builder) = builders.join_next().await {
        builder.unwrap();
    }
    assert_eq!(files(folder.path()), ["shop.db"]);
}

#[tokio::test]
async fn a_build_never_replaces_a_database_that_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    drop(shop(folder.path(), false).await);
    let path = folder.path().join("shop.db");
    build::file(&path, "CREATE TABLE other(a)").unwrap();
    assert_eq!(count(&shop(folder.path(), true).await).await, json!(2));
    assert_eq!(files(folder.path()), ["shop.db"]);
}

#[tokio::test]
async fn a_check_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig { init: Some(SHOP.into()), ..at(folder.path()) };
    let db = open(config, Mode::Check).await.unwrap();
    assert_eq!(db.describe("SELECT title FROM books").await.unwrap().columns[0].name, "title");
    assert!(!db.describe("DELETE FROM books").await.unwrap().read_only);
    assert!(files(folder.path()).is_empty());
    assert_eq!(run(&db, "DELETE FROM books", &[]).await.unwrap_err().kind, FaultKind::ReadOnly);
}

#[tokio::test]
async fn a_check_of_a_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    for mode in ["DELETE", "WAL"] {
        drop(shop(folder.path(), false).await);
        let outside = rusqlite::Connection::open(&path).unwrap();
        outside.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        outside.close().unwrap();
        let before = std::fs::read(&path).unwrap();
        let on_connect = ["PRAGMA journal_mode = TRUNCATE", "CREATE TABLE IF NOT EXISTS x(a)"].map(Text::new).into();
        let db = open(SqliteConfig { on_connect, ..at(folder.path()) }, Mode::Check).await.unwrap();
        db.describe("SELECT id FROM books").await.unwrap();
        assert!(!db.describe("DELETE FROM books").await.unwrap().read_only);
        assert_eq!(run(&db, "DELETE FROM books", &[]).await.unwrap_err().kind, FaultKind::ReadOnly);
        assert_eq!(files(folder.path()), ["shop.db"], "{mode}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[tokio::test]
async fn a_check_sees_what_a_running_server_has_written() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), false).await;
    let outside = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
    outside.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    outside.execute_batch("CREATE TABLE fresh(a)").unwrap();
    let check = open(at(folder.path()), Mode::Check).await.unwrap();
    assert!(check.describe("SELECT a FROM fresh").await.is_ok());
    drop(db);
}

#[tokio::test]
async fn what_is_no_database_is_said_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    std::fs::write(&path, "just some text, and long enough to look like something else entirely".repeat(20)).unwrap();
    for mode in [Mode::Serve, Mode::Check] {
        assert_eq!(refused(at(folder.path()), mode).await, OpenFault::NotADatabase);
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let fault = refused(at(folder.path()), Mode::Serve).await;
    assert_eq!(fault.to_string(), "the database file can't be opened");
    let nowhere = config(Location::File(folder.path().join("no/such/folder.db")));
    let fault = refused(SqliteConfig { init: Some(SHOP.into()), ..nowhere }, Mode::Serve).await;
    assert!(fault.to_string().contains("its folder does not exist"), "{fault}");
    let nul = config(Location::File("a\0b".into()));
    assert!(matches!(refused(nul, Mode::Serve).await, OpenFault::Unavailable(_)));
}

#[tokio::test]
async fn no_fault_tells_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), true).await;
    let secret = folder.path().to_str().unwrap().to_owned();
    let missing = refused(config(Location::File(folder.path().join("none.db"))), Mode::Serve).await;
    let directory = refused(config(Location::File(folder.path().into())), Mode::Serve).await;
    let written = run(&db, "DELETE FROM books", &[]).await.unwrap_err();
    for text in [missing.to_string(), directory.to_string(), written.to_string()] {
        assert!(!text.contains(&secret), "{text}");
    }
}

#[tokio::test]
async fn a_name_is_never_a_uri() {
    let folder = tempfile::tempdir().unwrap();
    let odd = config(Location::File("file:shop.db?mode=memory".into()));
    assert_eq!(refused(odd, Mode::Serve).await, OpenFault::Missing);
    let path = folder.path().join("a%20 b?mode=rwc#é.db");
    let odd = SqliteConfig { init: Some(format!("{SHOP}; PRAGMA journal_mode = WAL")), ..config(Location::File(path)) };
    assert_eq!(count(&open(odd.clone(), Mode::Serve).await.unwrap()).await, json!(2));
    settle(folder.path(), 1).await;
    assert_eq!(count(&open(odd, Mode::Check).await.unwrap()).await, json!(2));
    assert_eq!(files(folder.path()), ["a%20 b?mode=rwc#é.db"]);
}

/// Waits until a folder has so many files: connections are closed on their own threads.
async fn settle(folder: &Path, expected: usize) {
    for _ in 0..500 {
        if files(folder).len() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", files(folder));
}

#[tokio::test]
async fn statements_for_every_connection() {
    let folder = tempfile::tempdir().unwrap();
    drop(shop(folder.path(), false).await);
    let with = |on_connect: &[&str]| SqliteConfig {
        on_connect: on_connect.iter().map(|sql| Text::new(*sql)).collect(),
        read_only: true,
        ..at(folder.path())
    };
    let db =
        open(with(&["PRAGMA busy_timeout = 1", "CREATE TEMP VIEW titles AS SELECT title FROM books"]), Mode::Serve)
            .await
            .unwrap();
    assert_eq!(rows(&db, "SELECT title FROM titles LIMIT 1").await, json!([{"title": "Dune"}]));
    for (bad, message) in [
        ("SELECT x", "no such column: x"),
        ("PRAGMA writable_schema = 1", "PRAGMA writable_schema is not allowed"),
        ("ATTACH ':memory:' AS x", "ATTACH, DETACH and VACUUM are not allowed"),
        ("BEGIN", "a transaction is left open"),
        ("SELECT 1; SELECT 2", "only one statement is allowed here"),
    ] {
        let fault = refused(with(&["SELECT 1", bad]), Mode::Serve).await;
        assert!(
            matches!(&fault, OpenFault::OnConnect { index: 1, message: said, .. } if said == message),
            "{bad}: {fault}"
        );
    }
}

#[tokio::test]
async fn memory_is_one_for_all_callers_and_ends_with_them() {
    let db = open(config(Location::Memory), Mode::Serve).await.unwrap();
    run(&db, "CREATE TABLE t(a)", &[]).await.unwrap();
    let calls = (0..20).map(|_| run(&db, "INSERT INTO t VALUES (1)", &[]));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(rows(&db, "SELECT count(*) AS n FROM t").await, json!([{"n": 20}]));
    let other = open(config(Location::Memory), Mode::Serve).await.unwrap();
    assert!(run(&other, "SELECT * FROM t", &[]).await.is_err());
    let locked =
        open(SqliteConfig { read_only: true, init: Some(SHOP.into()), ..config(Location::Memory) }, Mode::Serve)
            .await
            .unwrap();
    assert_eq!(count(&locked).await, json!(2));
    assert_eq!(run(&locked, "DELETE FROM books", &[]).await.unwrap_err().kind, FaultKind::ReadOnly);
}

/// The handles of this process on files of a folder.
#[cfg(target_os = "linux")]
fn handles(folder: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    open.filter(|entry| std::fs::read_link(entry.as_ref().unwrap().path()).is_ok_and(|path| path.starts_with(folder)))
        .count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_clone_closes_every_handle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let db = shop(&path, false).await;
    let slow =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n, books";
    let calls = (0..12).map(|_| run(&db, slow, &[]));
    futures_util::future::join_all(calls).await;
    assert!((1..=4).contains(&handles(&path)), "{}", handles(&path));
    let clone = db.clone();
    drop(db);
    assert_eq!(count(&clone).await, json!(2));
    drop(clone);
    for _ in 0..500 {
        if handles(&path) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} handles are left", handles(&path));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_caller_needs_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let db = shop(&path, true).await;
    for _ in 0..200 {
        count(&db).await;
    }
    assert_eq!(handles(&path), 1);
}

#[tokio::test]
async fn a_file_that_goes_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    drop(shop(folder.path(), true).await);
    let recipe = connect::Recipe::new(at(folder.path()), Mode::Serve).unwrap();
    let db = Sqlite { pool: Arc::new(Pool::new(recipe, 2)) };
    std::fs::rename(&path, folder.path().join("away")).unwrap();
    for _ in 0..3 {
        let fault = run(&db, "SELECT 1", &[]).await.unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "the database file can't be opened"));
    }
    std::fs::rename(folder.path().join("away"), &path).unwrap();
    assert_eq!(count(&db).await, json!(2));
}

#[tokio::test]
async fn a_failing_statement_with_a_value_from_outside_is_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    drop(shop(folder.path(), false).await);
    let on_connect = vec![Text::new("${KEY}").with_value("PRAGMX key = sesame".to_owned())];
    let fault = open(SqliteConfig { on_connect, ..at(folder.path()) }, Mode::Serve).await.unwrap_err();
    assert!(!fault.to_string().contains("PRAGMX"), "{fault}");
}
