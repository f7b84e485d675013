//! What a reload costs: connections of sources that stay are kept, others drain and close.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{TOOL, plain, spec, text};
use crate::harness::{Era, Site, Spec, until};

/// The open descriptors of a server that lead to this file, by number.
fn open_on(site: &Site, file: &str) -> BTreeSet<String> {
    let folder = format!("/proc/{}/fd", site.process.pid());
    let entries = std::fs::read_dir(folder).unwrap().filter_map(Result::ok);
    let here = |path: std::path::PathBuf| path.file_name().is_some_and(|name| name == file);
    let leads = entries.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(here));
    leads.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// How many files, pipes and sockets a server has open.
fn open_files(site: &Site) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", site.process.pid())).unwrap().count()
}

/// Waits until no more files are open than there were; connections of clients come and go.
async fn settles(site: &Site, most: usize) {
    until(&format!("at most {most} open files"), async || open_files(site) <= most + 1).await;
}

#[tokio::test]
async fn thirty_reloads_leave_as_many_open_handles_as_one() {
    let spec = spec();
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    let mut after_one = 0;
    for edit in 1..=30 {
        spec.write(&text(&format!("SELECT {edit}"), TOOL, "", ""));
        site.process.reloaded(&spec).await;
        assert_eq!(client.text("value", json!({})).await, edit.to_string());
        if edit == 1 {
            after_one = open_files(&site);
        }
    }
    settles(&site, after_one).await;
}

#[tokio::test]
async fn connections_of_a_changed_source_are_closed() {
    let spec = spec();
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    client.text("value", json!({})).await;
    let at_first = open_files(&site);
    for most in 2..12 {
        let changed = plain("SELECT 1").replace("readOnly: true", &format!("readOnly: true, maxConnections: {most}"));
        spec.write(&changed);
        site.process.reloaded(&spec).await;
        client.text("value", json!({})).await;
    }
    settles(&site, at_first).await;
}

#[tokio::test]
async fn connections_of_the_first_catalog_are_closed_too() {
    let spec_of = |most: usize| {
        let source =
            |i: usize| format!("  db{i}: {{ sql: 'sqlite:./db{i}.sqlite', init: ./db.sql, maxConnections: {most} }}");
        let sources: Vec<String> = (0..8).map(source).collect();
        format!("sources:\n{}\ntools:\n  value: {{ text: '{most}' }}\n", sources.join("\n"))
    };
    let spec = Spec::new(&spec_of(1)).file("db.sql", "CREATE TABLE t (x);");
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    assert_eq!(client.text("value", json!({})).await, "1");
    let at_first = open_files(&site);
    spec.write(&spec_of(2));
    site.process.reloaded(&spec).await;
    assert_eq!(client.text("value", json!({})).await, "2");
    settles(&site, at_first).await;
}

/// Two databases and a tool on each; the second source as it is written.
fn two(second: &str) -> String {
    let tool = |of: &str| format!("{{ sql: {{ source: {of}, query: 'SELECT count(*) FROM t', returns: value }} }}");
    let (one, other) = (tool("one"), if second.is_empty() { "{ text: none }".to_owned() } else { tool("two") });
    format!(
        "
sources:
  one: {{ sql: 'sqlite:./one.sqlite', init: ./db.sql }}
{second}
tools:
  one: {one}
  two: {other}
"
    )
}

#[tokio::test]
async fn a_source_that_stays_keeps_its_very_connections() {
    let second = "  two: { sql: 'sqlite:./two.sqlite', init: ./db.sql }";
    let spec = Spec::new(&two(second)).file("db.sql", "CREATE TABLE t (x);");
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    for tool in ["one", "two"] {
        assert_eq!(client.text(tool, json!({})).await, "0");
    }
    let (one, other) = (open_on(&site, "one.sqlite"), open_on(&site, "two.sqlite"));
    assert!(!one.is_empty() && !other.is_empty());
    for (now, kept) in [
        ("  two: { sql: 'sqlite:./two.sqlite', init: ./db.sql, timeout: 5s }", true),
        ("  two: { sql: 'sqlite:./two.sqlite', init: ./db.sql, readOnly: true }", false),
        ("", false),
    ] {
        spec.write(&two(now));
        site.process.reloaded(&spec).await;
        let expected = if now.is_empty() { "none" } else { "0" };
        assert_eq!(client.text("two", json!({})).await, expected);
        assert_eq!(client.text("one", json!({})).await, "0");
        assert_eq!(open_on(&site, "one.sqlite"), one, "{now}");
        match (kept, now) {
            (true, _) => assert_eq!(open_on(&site, "two.sqlite"), other, "{now}"),
            (false, "") => until("none open", async || open_on(&site, "two.sqlite").is_empty()).await,
            (false, _) => until("others", async || open_on(&site, "two.sqlite").len() <= other.len()).await,
        }
    }
}

#[tokio::test]
async fn a_removed_source_closes_when_its_last_call_has_ended() {
    let with = "
        sources: { db: { sql: 'sqlite:./slow.sqlite', init: ./db.sql, timeout: 60s } }
        tools:
          slow:
            sql:
              source: db
              query: |
                WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000)
                SELECT count(*) FROM n
              returns: value
    ";
    let spec = Spec::new(with).file("db.sql", "CREATE TABLE t (x);");
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    assert!(!open_on(&site, "slow.sqlite").is_empty());
    let slow = client.text("slow", json!({}));
    let removal = async {
        spec.write("tools: { other: { text: here } }");
        site.process.reloaded(&spec).await;
        site.client(Era::Modern).await.text("other", json!({})).await
    };
    // The call may end before the reload does: then there is nothing to drain, and nothing fails either.
    let (slow, other) = tokio::join!(slow, removal);
    assert_eq!((slow.as_str(), other.as_str()), ("2000000", "here"));
    until("no connection", async || open_on(&site, "slow.sqlite").is_empty()).await;
}

/// An HTTP API that keeps connections open and counts them.
struct Api {
    url: String,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Api {
    async fn open() -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, open): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let counters = (connections.clone(), open.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counters.0.fetch_add(1, Ordering::SeqCst);
                counters.1.fetch_add(1, Ordering::SeqCst);
                let open = counters.1.clone();
                tokio::spawn(async move {
                    answer_all(stream).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Api { url, connections, open }
    }
}

/// Answers every request without a body until the connection closes.
async fn answer_all(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while let Ok(1..) = stream.read_line(&mut line).await {
        let ended = line.trim().is_empty();
        line.clear();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";
        if ended && stream.get_mut().write_all(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn connections_to_an_api_outlive_what_only_requests_carry() {
    let api = Api::open().await;
    let text = |more: &str| {
        format!(
            "sources: {{ api: {{ http: '{}{more} }} }}\ntools: {{ ask: {{ http: {{ source: api, request: GET /x }} }} }}",
            api.url
        )
    };
    let spec = Spec::new(&text("'"));
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    assert_eq!(client.text("ask", json!({})).await, "ok");
    for more in ["', timeout: 7s", "/v1', timeout: 8s", "', headers: { X-A: a }", "', query: { q: a }"] {
        spec.write(&text(more));
        site.process.reloaded(&spec).await;
        assert_eq!(client.text("ask", json!({})).await, "ok");
        assert_eq!(api.connections.load(Ordering::SeqCst), 1, "{more}");
    }
    let elsewhere = Api::open().await;
    spec.write(&text("'").replace(&api.url, &elsewhere.url));
    site.process.reloaded(&spec).await;
    assert_eq!(client.text("ask", json!({})).await, "ok");
    until("the old connection to close", async || api.open.load(Ordering::SeqCst) == 0).await;
    assert_eq!((api.connections.load(Ordering::SeqCst), elsewhere.open.load(Ordering::SeqCst)), (1, 1));
}
