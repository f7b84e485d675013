use super::*;

/// Only a fault takes longer, on however busy a machine.
const SOON: Duration = Duration::from_secs(60);

const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

fn within(timeout: u64) -> Limits {
    Limits { timeout: Duration::from_millis(timeout), ..LIMITS }
}

#[tokio::test]
async fn an_endless_query_stops_in_time() {
    let db = memory("CREATE TABLE t(a)").await;
    let begun = Instant::now();
    let fault = db.query(ENDLESS.into(), vec![], within(200), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert!((150..60_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    // The only connection is free at once, and its statement runs again.
    assert_eq!(rows(&db, "SELECT 1 AS one").await, json!([{"one": 1}]));
    assert_eq!(
        db.query(ENDLESS.into(), vec![], within(50), &CancellationToken::new()).await.unwrap_err().kind,
        FaultKind::TimedOut
    );
}

#[tokio::test]
async fn a_cancelled_query_stops() {
    let db = memory("").await;
    let token = CancellationToken::new();
    let begun = Instant::now();
    let (outcome, ()) = tokio::join!(db.query(ENDLESS.into(), vec![], LIMITS, &token), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        token.cancel();
    });
    assert_eq!(outcome.unwrap_err().kind, FaultKind::Cancelled);
    assert!(begun.elapsed() < SOON);
    assert_eq!(rows(&db, "SELECT 1 AS one").await, json!([{"one": 1}]));
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_stops() {
    let db = memory("").await;
    let dropped = tokio::time::timeout(Duration::from_millis(50), run(&db, ENDLESS, &[])).await;
    assert!(dropped.is_err());
    let begun = Instant::now();
    assert_eq!(rows(&db, "SELECT 1 AS one").await, json!([{"one": 1}]));
    assert!(begun.elapsed() < SOON);
}

#[tokio::test]
async fn a_write_that_is_stopped_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), false).await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n) INSERT INTO books(id, title) SELECT i, 't' FROM n";
    let token = CancellationToken::new();
    assert_eq!(db.query(fill.into(), vec![], within(100), &token).await.unwrap_err().kind, FaultKind::TimedOut);
    let first: Bound = ("INSERT INTO books(title) VALUES ('one more')".into(), vec![]);
    let fault = db.transaction(together(vec![first, (fill.into(), vec![])]), within(100), &token).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert_eq!(count(&db).await, json!(2));
}

#[tokio::test]
async fn waiting_for_a_connection_counts() {
    let db = memory("").await;
    let token = CancellationToken::new();
    let stop = CancellationToken::new();
    let slow = db.query(ENDLESS.into(), vec![], within(600_000), &stop);
    let quick = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let fault = db.query("SELECT 1".into(), vec![], within(100), &token).await.unwrap_err();
        stop.cancel();
        fault.kind
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((slow.unwrap_err().kind, quick), (FaultKind::Cancelled, FaultKind::TimedOut));
}

#[tokio::test]
async fn a_lock_is_waited_for_but_not_forever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    drop(shop(folder.path(), false).await);
    let short = SqliteConfig { busy_timeout: Duration::from_millis(150), ..config(Location::File(path.clone())) };
    let db = open(short, Mode::Serve).await.unwrap();
    let outside = rusqlite::Connection::open(&path).unwrap();
    outside.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    let fault = run(&db, "DELETE FROM books", &[]).await.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Busy, "database is locked"));
    assert!((140..60_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());

    let patient = SqliteConfig { busy_timeout: Duration::from_secs(30), ..config(Location::File(path)) };
    outside.execute_batch("ROLLBACK").unwrap();
    let db = open(patient, Mode::Serve).await.unwrap();
    outside.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let token = CancellationToken::new();
    // Neither the time of the call nor its cancelling waits for the lock.
    let begun = Instant::now();
    assert_eq!(
        db.query("DELETE FROM books".into(), vec![], within(100), &token).await.unwrap_err().kind,
        FaultKind::TimedOut
    );
    assert!(begun.elapsed() < SOON);
    let delete = db.query("DELETE FROM books".into(), vec![], LIMITS, &token);
    let (outcome, ()) = tokio::join!(delete, async { token.cancel() });
    assert_eq!(outcome.unwrap_err().kind, FaultKind::Cancelled);
    let release = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        outside.execute_batch("ROLLBACK").unwrap();
    };
    let (outcome, ()) = tokio::join!(run(&db, "DELETE FROM books", &[]), release);
    assert_eq!(outcome.unwrap().affected, 2);
}

#[tokio::test]
async fn too_many_waiting_calls_are_turned_away() {
    let db = memory("").await;
    let token = CancellationToken::new();
    let calls = (0..1100).map(|_| db.query(ENDLESS.into(), vec![], within(300), &token));
    let outcomes = futures_util::future::join_all(calls).await;
    let kinds: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap_err().kind).collect();
    assert!(kinds.contains(&FaultKind::Unavailable) && kinds.contains(&FaultKind::TimedOut));
    // Those that gave up leave the queue when a thread comes to them.
    for _ in 0..1000 {
        match db.query("SELECT 1 AS one".into(), vec![], LIMITS, &token).await {
            Err(fault) if fault.kind == FaultKind::Unavailable => tokio::time::sleep(Duration::from_millis(10)).await,
            outcome => return assert_eq!(outcome.unwrap().into_value(), Some(json!(1))),
        }
    }
    panic!("the queue stays full");
}
