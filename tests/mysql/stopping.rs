//! What stops a statement stops it on the server, and the next call finds a clean connection.

use std::time::{Duration, Instant};

use mcp_declare::action::Limits;
use mcp_declare::action::sql::types::{FaultKind, Truncation};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, Shop};
use crate::harness::until;

/// Runs for minutes, and no index or limit helps.
const ENDLESS: &str =
    "SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b WHERE a.seq * b.seq = -1 /* endless */";

#[tokio::test]
async fn a_cancelled_call_ends_on_the_server() {
    let Some(shop) = Shop::with("CREATE TABLE t (a INT)", |config| config.max_connections = 1).await else { return };
    for sql in [ENDLESS, "INSERT INTO t SELECT SLEEP(60) /* endless */", "SELECT SLEEP(60) /* endless */"] {
        let token = CancellationToken::new();
        let stop = async {
            until("the statement to run", async || shop.processes().await.contains("endless")).await;
            token.cancel();
        };
        let (outcome, ()) = tokio::join!(shop.mysql.query(sql.into(), vec![], LIMITS, &token), stop);
        assert_eq!(outcome.unwrap_err().kind, FaultKind::Cancelled);
        until("the statement to end", async || !shop.processes().await.contains("endless")).await;
        assert_eq!(shop.value("SELECT COUNT(*) FROM t").await, json!(0));
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_on_the_server() {
    let Some(shop) = Shop::with("", |config| config.max_connections = 1).await else { return };
    let token = CancellationToken::new();
    {
        let call = shop.mysql.query(ENDLESS.into(), vec![], LIMITS, &token);
        let running = until("the statement to run", async || shop.processes().await.contains("endless"));
        tokio::select! {
            _ = call => panic!("it ends"),
            () = running => {}
        }
    }
    until("the statement to end", async || !shop.processes().await.contains("endless")).await;
    assert_eq!(shop.value("SELECT 1").await, json!(1));
}

#[tokio::test]
async fn time_runs_out_on_the_server() {
    let brief = Duration::from_millis(300);
    let Some(shop) = Shop::with("", |config| config.max_connections = 1).await else { return };
    let before = shop.value("SELECT CONNECTION_ID()").await;
    for sql in [ENDLESS, "SELECT SLEEP(60), BENCHMARK(100000000000, 1) /* endless */"] {
        let started = Instant::now();
        let fault = shop.within(sql, Value::Null, Limits { timeout: brief, ..LIMITS }).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TimedOut, "{fault:?}");
        assert!(started.elapsed() >= brief);
        assert!(!shop.processes().await.contains("endless"));
    }
    // the server stopped it, so the connection is still good; on a slow machine we may have been first
    let _ = before;
    assert_eq!(shop.value("SELECT 1").await, json!(1));
    let Some(shop) = Shop::with("", |config| config.statement_timeout = Some(brief)).await else { return };
    assert_eq!(shop.rows(ENDLESS, Value::Null).await.unwrap_err().kind, FaultKind::TimedOut);
}

#[tokio::test]
async fn a_lock_is_waited_for_no_longer_than_the_call_may_take() {
    let Some(shop) = Shop::new("CREATE TABLE t (id INT PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1)").await else {
        return;
    };
    let holder = "START TRANSACTION; UPDATE t SET a = 2; DO SLEEP(60); ROLLBACK /* holder */";
    let hold = shop.db.run(holder);
    let wait = async {
        until("the lock to be held", async || shop.processes().await.contains("SLEEP")).await;
        let limits = Limits { timeout: Duration::from_millis(200), ..LIMITS };
        shop.within("UPDATE t SET a = 3", Value::Null, limits).await.unwrap_err().kind
    };
    tokio::select! {
        () = hold => panic!("the lock was let go"),
        kind = wait => assert_eq!(kind, FaultKind::TimedOut),
    }
}

#[tokio::test]
async fn rows_are_cut_on_the_server() {
    let Some(shop) = Shop::with("", |config| config.max_connections = 1).await else { return };
    let first = shop.value("SELECT CONNECTION_ID()").await;
    let endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
                   SELECT a.i, 'abcdefgh' AS t FROM n a, n b, n c";
    let three = Limits { max_rows: 3, ..LIMITS };
    let rows = shop.within(endless, Value::Null, three).await.unwrap();
    assert_eq!((rows.len(), rows.truncated), (3, Some(Truncation::MaxRows(3))));
    let exact = shop.within("SELECT 1 UNION SELECT 2 UNION SELECT 3", Value::Null, three).await.unwrap();
    assert_eq!((exact.len(), exact.truncated), (3, None));
    assert_eq!(shop.value("SELECT CONNECTION_ID()").await, first, "the server stopped by itself");
    // a LIMIT of the statement's own, and bytes, are beyond the server: it is stopped
    for (sql, limits, cut) in [
        ("SELECT seq FROM seq_1_to_1000000000 LIMIT 900000000", three, Truncation::MaxRows(3)),
        (endless, Limits { max_bytes: 100, ..LIMITS }, Truncation::MaxBytes(100)),
    ] {
        let rows = shop.within(sql, Value::Null, limits).await.unwrap();
        assert_eq!(rows.truncated, Some(cut));
        assert!(rows.len() <= 3);
        until("the statement to end", async || !shop.processes().await.contains("SELECT")).await;
        assert_eq!(shop.value("SELECT 1").await, json!(1));
    }
    // what is inserted from a SELECT is not cut
    shop.db.run("CREATE TABLE copy (a INT)").await;
    let copied = shop.within("INSERT INTO copy SELECT seq FROM seq_1_to_100", Value::Null, three).await.unwrap();
    assert_eq!(copied.affected, 100);
}

#[tokio::test]
async fn many_rows_pass_through_little_memory() {
    let Some(shop) = Shop::new("").await else { return };
    let limits = Limits { max_rows: 1_000_000, max_bytes: 1024 * 1024, ..LIMITS };
    let sql = "SELECT seq, REPEAT('x', 1000) AS t FROM seq_1_to_100000";
    let rows = shop.within(sql, Value::Null, limits).await.unwrap();
    assert_eq!(rows.truncated, Some(Truncation::MaxBytes(1024 * 1024)));
    assert!((900..1100).contains(&rows.len()), "{}", rows.len());
}
