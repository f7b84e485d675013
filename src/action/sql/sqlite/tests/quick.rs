//! Statements that their callers run themselves.

use super::*;

const COUNT: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT max(i) FROM n";

/// Runs a statement until its callers run it themselves.
async fn learn(db: &Sqlite, sql: &str, values: &[(&str, Value)]) {
    for _ in 0..500 {
        run(db, sql, values).await.unwrap();
        if db.pool.at_once(|session| session.quick(sql, &binds(values), LIMITS)).is_some() {
            return;
        }
    }
    panic!("{sql} is never quick");
}

fn at_once(db: &Sqlite, sql: &str, values: &[(&str, Value)]) -> Option<Rows> {
    db.pool.at_once(|session| session.quick(sql, &binds(values), LIMITS))
}

#[tokio::test]
async fn a_caller_runs_what_was_quick_and_gives_up_what_is_not() {
    let db = memory(SHOP).await;
    assert!(at_once(&db, COUNT, &[("most", json!(1))]).is_none(), "nothing is known of it yet");
    learn(&db, COUNT, &[("most", json!(1))]).await;
    let begun = Instant::now();
    assert!(at_once(&db, COUNT, &[("most", json!(50_000_000))]).is_none());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(at_once(&db, COUNT, &[("most", json!(1))]).is_none(), "it was not quick the last time");
    let whole = run(&db, COUNT, &[("most", json!(100_000))]).await.unwrap();
    assert_eq!(whole.into_value(), Some(json!(100_000)));
}

#[tokio::test]
async fn only_what_reads_is_run_by_its_caller() {
    let db = memory("CREATE TABLE t(a)").await;
    let write = "INSERT INTO t VALUES (1) RETURNING a";
    for _ in 0..20 {
        run(&db, write, &[]).await.unwrap();
        assert!(at_once(&db, write, &[]).is_none());
    }
    assert_eq!(rows(&db, "SELECT count(*) AS n FROM t").await, json!([{"n": 20}]));
}

#[tokio::test]
async fn a_caller_does_not_wait_for_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), false).await;
    let sql = "SELECT count(*) FROM books";
    learn(&db, sql, &[]).await;
    let outside = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
    outside.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    assert!(at_once(&db, sql, &[]).is_none());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        outside.execute_batch("ROLLBACK").unwrap();
    };
    let (waited, ()) = tokio::join!(run(&db, sql, &[]), release);
    assert_eq!(waited.unwrap().into_value(), Some(json!(2)));
}

#[tokio::test]
async fn a_cancelled_call_is_not_run_at_all() {
    let db = memory(SHOP).await;
    learn(&db, "SELECT 1", &[]).await;
    let token = CancellationToken::new();
    token.cancel();
    let fault = db.query("SELECT 1".into(), vec![], LIMITS, &token).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Cancelled);
}

#[tokio::test]
async fn a_changed_table_is_seen() {
    let db = memory("CREATE TABLE t(a); INSERT INTO t VALUES (1)").await;
    learn(&db, "SELECT * FROM t", &[]).await;
    run(&db, "ALTER TABLE t ADD COLUMN b DECIMAL DEFAULT 2", &[]).await.unwrap();
    assert_eq!(rows(&db, "SELECT * FROM t").await, json!([{"a": 1, "b": "2"}]));
}

#[tokio::test]
async fn a_panic_leaves_the_session_usable() {
    let db = memory(SHOP).await;
    assert!(db.pool.at_once::<()>(|_| panic!("on purpose")).is_none());
    assert_eq!(count(&db).await, json!(2));
}
