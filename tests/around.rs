//! `cache`, `rateLimit` and `concurrency` around actions that are no requests.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Era, Spec};

/// Each run of the script adds a line to `runs`.
const COUNTING: &str = "
    count:
      params: { a: { type: string, optional: true }, b: { type: integer, optional: true } }
      shell: { script: 'echo run >> runs; wc -l < runs', cache: { ttl: 1h } }
    plain: { shell: { script: 'echo run >> runs; wc -l < runs' } }
    fails: { shell: { script: 'echo run >> runs; wc -l < runs >&2; exit 1', cache: { ttl: 1h } } }
    short: { shell: { script: 'echo run >> runs; wc -l < runs', cache: { ttl: 1ms } } }
";

async fn number(spec: &Spec, client: &crate::harness::Client, tool: &str, given: Value) -> (u64, usize) {
    let said = client.text(tool, given).await;
    (said.trim().parse().unwrap(), spec.get("runs").lines().count())
}

#[tokio::test]
async fn answers_are_kept_by_what_went_in() {
    let spec = Spec::tools(COUNTING);
    let client = spec.stdio(Era::Modern).await;
    assert_eq!(number(&spec, &client, "count", json!({})).await, (1, 1));
    assert_eq!(number(&spec, &client, "count", json!({})).await, (1, 1));
    assert_eq!(number(&spec, &client, "count", json!({ "a": "x", "b": 1 })).await, (2, 2));
    assert_eq!(number(&spec, &client, "count", json!({ "b": 1, "a": "x" })).await, (2, 2));
    assert_eq!(number(&spec, &client, "count", json!({ "a": "1" })).await, (3, 3));
    assert_eq!(number(&spec, &client, "plain", json!({})).await, (4, 4));
    assert_eq!(number(&spec, &client, "plain", json!({})).await, (5, 5));
    assert_eq!(number(&spec, &client, "count", json!({})).await, (1, 5), "another tool has answers of its own");
}

#[tokio::test]
async fn only_what_went_well_is_kept_and_only_for_its_time() {
    let spec = Spec::tools(COUNTING);
    let client = spec.stdio(Era::Modern).await;
    client.fails("fails", json!({})).await;
    client.fails("fails", json!({})).await;
    assert_eq!(spec.get("runs").lines().count(), 2);
    assert_eq!(number(&spec, &client, "short", json!({})).await, (3, 3));
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(number(&spec, &client, "short", json!({})).await, (4, 4));
}

#[tokio::test]
async fn kept_answers_keep_their_form() {
    let spec = Spec::new(
        "
        sources: { db: { sql: 'sqlite::memory:', onConnect: ['CREATE TABLE t (n INTEGER)', 'INSERT INTO t VALUES (1), (2), (3)'] } }
        tools:
          rows: { sql: { source: db, query: SELECT n FROM t ORDER BY n, maxRows: 2, cache: { ttl: 1h } } }
          file: { file: { path: a.png, cache: { ttl: 1h } }, result: { as: image } }
        ",
    )
    .file("a.png", [0x89, b'P', b'N', b'G', 13, 10, 26, 10]);
    let client = spec.stdio(Era::Modern).await;
    let first = [client.call("rows", json!({})).await, client.call("file", json!({})).await];
    assert_eq!(first[0]["structuredContent"]["truncated"], true, "{first:?}");
    std::fs::remove_file(spec.folder().join("a.png")).unwrap();
    let second = [client.call("rows", json!({})).await, client.call("file", json!({})).await];
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_edit_of_the_spec_forgets_what_is_kept() {
    let spec = Spec::tools(COUNTING);
    let mut client = spec.stdio(Era::Modern).await;
    assert_eq!(number(&spec, &client, "count", json!({})).await, (1, 1));
    spec.write(&crate::harness::spec::tools(&COUNTING.replace("wc -l < runs'", "wc -l < runs; true'")));
    client.process().reloaded(&spec).await;
    assert_eq!(number(&spec, &client, "count", json!({})).await, (2, 2));
}

#[tokio::test]
async fn the_rate_of_any_action_is_kept_through_a_reload() {
    let text = "
        one: { description: NAME, exec: { command: [echo, hi], timeout: 50s, rateLimit: { requests: 2, per: 1h } } }
        two: { file: { path: a.txt, rateLimit: { requests: 1, per: 1h } } }
    ";
    let spec = Spec::tools(text).file("a.txt", "a");
    let mut client = spec.stdio(Era::Modern).await;
    client.text("one", json!({})).await;
    client.text("two", json!({})).await;
    let said = client.fails("two", json!({})).await;
    assert!(said.starts_with("tool `two` may be asked 1 times in 3600s (rateLimit), and that is used up"), "{said}");
    spec.write(&crate::harness::spec::tools(&text.replace("NAME", "another")));
    client.process().reloaded(&spec).await;
    client.text("one", json!({})).await;
    let said = client.fails("one", json!({})).await;
    assert!(said.starts_with("tool `one` may be asked 2 times in 3600s (rateLimit)"), "{said}");
}

#[tokio::test]
async fn no_more_steps_at_once_than_allowed() {
    let spec = Spec::tools(
        "
        slow:
          steps:
            - { shell: { script: 'mkdir lock; sleep 0.05; rmdir lock; echo done', concurrency: 1, timeout: 60s }, as: said }
        ",
    );
    let client = spec.stdio(Era::Modern).await;
    let start = Instant::now();
    let all = join_all((0..4).map(|_| client.json("slow", json!({})))).await;
    assert!(all.iter().all(|answer| answer["said"] == "done\n"), "{all:?}");
    assert!(start.elapsed() >= Duration::from_millis(200));
}
