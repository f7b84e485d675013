//! What a source does around its requests: further tries, bounds, pauses, and answers that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::harness::upstream::{answer, json};
use crate::harness::{Client, Era, Spec, Upstream, until};
use crate::http_requests::over_text;

async fn client(upstream: &Upstream, source: &str, tools: &str) -> Client {
    Spec::new(&over_text(upstream, source, tools)).stdio(Era::Modern).await
}

/// Answers the first `failures` requests with `status` and `headers`, and then well.
async fn failing(failures: usize, status: u16, headers: &'static [(&'static str, &'static str)]) -> Upstream {
    let count = AtomicUsize::new(0);
    Upstream::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        n if n < failures => answer(status, headers, ""),
        _ => json("{\"ok\":true}"),
    })
    .await
}

const METHODS: &str = "
    get: { http: { source: api, request: GET /x } }
    put: { http: { source: api, request: PUT /x, json: { a: 1 } } }
    post: { http: { source: api, request: POST /x, json: { a: 1 } } }
    patch: { http: { source: api, request: PATCH /x, json: { a: 1 } } }
    short: { http: { source: api, request: GET /x, timeout: 50s } }
    upload: { params: { name: string }, http: { source: api, request: PUT /x, body: { file: '{name}' } } }
";
const RETRY: &str = "retry: { attempts: 3, delay: 1ms }";

#[tokio::test]
async fn what_is_idempotent_is_tried_again() {
    for status in [429, 502, 503, 504] {
        let upstream = failing(2, status, &[]).await;
        assert_eq!(client(&upstream, RETRY, METHODS).await.json("get", json!({})).await, json!({ "ok": true }));
        assert_eq!(upstream.asked().len(), 3, "{status}");
    }
    let upstream = failing(2, 503, &[]).await;
    client(&upstream, RETRY, METHODS).await.json("put", json!({})).await;
    assert!(upstream.asked().iter().all(|asked| asked.text() == "{\"a\":1}") && upstream.asked().len() == 3);
    for (tool, status, tries) in
        [("post", 503, 1), ("patch", 503, 1), ("get", 500, 1), ("get", 404, 1), ("get", 503, 3), ("upload", 503, 1)]
    {
        let upstream = failing(9, status, &[]).await;
        let spec = Spec::new(&over_text(&upstream, RETRY, METHODS)).file("a.txt", "a");
        let given = if tool == "upload" { json!({ "name": "a.txt" }) } else { json!({}) };
        let said = spec.stdio(Era::Modern).await.fails(tool, given).await;
        assert!(said.contains(&status.to_string()), "{said}");
        assert_eq!(upstream.asked().len(), tries, "{tool} {status}");
    }
}

#[tokio::test]
async fn retry_after_is_heeded_within_the_time_of_the_call() {
    let upstream = failing(1, 429, &[("retry-after", "1")]).await;
    let client_ = client(&upstream, RETRY, METHODS).await;
    let start = Instant::now();
    client_.json("get", json!({})).await;
    assert!(start.elapsed().as_millis() >= 1000);
    let upstream = failing(1, 503, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]).await;
    client(&upstream, RETRY, METHODS).await.json("get", json!({})).await;
    // longer than the call may take: told at once, not waited for
    for when in [&[("retry-after", "60")][..], &[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")]] {
        let when: &'static [(&'static str, &'static str)] = Box::leak(when.to_vec().into_boxed_slice());
        let upstream = failing(1, 503, when).await;
        let said = client(&upstream, RETRY, METHODS).await.fails("short", json!({})).await;
        assert!(said.starts_with("GET /x answered 503"), "{said}");
        assert_eq!(upstream.asked().len(), 1);
    }
}

#[tokio::test]
async fn the_rate_is_kept_and_said() {
    let upstream = Upstream::ok().await;
    let tools = "
        get: { http: { source: api, request: GET /x, timeout: 50s } }
        own: { http: { source: api, request: GET /y, timeout: 50s, rateLimit: { requests: 1, per: 1h } } }
    ";
    let client = client(&upstream, "rateLimit: { requests: 3, per: 1h }", tools).await;
    client.json("own", json!({})).await;
    let said = client.fails("own", json!({})).await;
    assert!(said.starts_with("GET /y: this request may be asked 1 times in 3600s (rateLimit)"), "{said}");
    for _ in 0..2 {
        client.json("get", json!({})).await;
    }
    let said = client.fails("get", json!({})).await;
    let words =
        format!("GET /x: 127.0.0.1:{} may be asked 3 times in 3600s (rateLimit), and that is used up", upstream.port);
    assert!(said.starts_with(&words), "{said}");
    assert_eq!(upstream.asked().len(), 3);
}

#[tokio::test]
async fn no_more_at_once_than_allowed() {
    let (now, most, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let upstream = {
        let (now, most, go) = (now.clone(), most.clone(), go.clone());
        Upstream::waiting(move |_| {
            let (now, most, go) = (now.clone(), most.clone(), go.clone());
            Box::pin(async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                go.acquire().await.unwrap().forget();
                now.fetch_sub(1, Ordering::SeqCst);
                json("{\"ok\":true}")
            })
        })
        .await
    };
    let client = client(&upstream, "concurrency: 3", METHODS).await;
    let calls = join_all((0..9).map(|_| client.json("get", json!({}))));
    let release = async {
        for turn in 1..=9 {
            until("a request", async || upstream.asked().len() >= turn.min(3)).await;
            go.add_permits(1);
            until("the next", async || upstream.asked().len() >= (turn + 3).min(9)).await;
        }
    };
    tokio::join!(calls, release);
    assert_eq!((most.load(Ordering::SeqCst), upstream.asked().len()), (3, 9));
}

#[tokio::test]
async fn an_api_that_fails_is_left_alone() {
    let upstream = failing(2, 500, &[]).await;
    let client = client(&upstream, "circuitBreaker: { failures: 2, cooldown: 1h }", METHODS).await;
    for _ in 0..2 {
        client.fails("get", json!({})).await;
    }
    let said = client.fails("get", json!({})).await;
    let words = "GET /x: it failed 2 times in a row and is left alone (circuitBreaker); try again in ";
    assert!(said.starts_with(words), "{said}");
    assert_eq!(upstream.asked().len(), 2);

    let upstream = failing(2, 500, &[]).await;
    let client = self::client(&upstream, "circuitBreaker: { failures: 2, cooldown: 1ms }", METHODS).await;
    for _ in 0..2 {
        client.fails("get", json!({})).await;
    }
    until("the trial", async || client.call("get", json!({})).await["isError"] == false).await;
    client.json("get", json!({})).await;
}

#[tokio::test]
async fn an_api_that_is_too_slow_fails() {
    let upstream = Upstream::waiting(|_| Box::pin(std::future::pending())).await;
    let tools = "get: { http: { source: api, request: GET /x } }";
    let source = "timeout: { connect: 5s, total: 50ms }\ncircuitBreaker: { failures: 2, cooldown: 1h }";
    let client = client(&upstream, source, tools).await;
    for _ in 0..2 {
        assert_eq!(client.fails("get", json!({})).await, "GET /x took longer than 50ms");
    }
    assert!(client.fails("get", json!({})).await.contains("left alone"));
}

/// Answers each request with its number, and what `headers` says.
async fn counting(headers: &'static [(&'static str, &'static str)]) -> Upstream {
    let count = AtomicUsize::new(0);
    Upstream::start(move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst) + 1;
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        answer(200, &all, format!("{{\"n\":{n}}}"))
    })
    .await
}

const CACHED: &str = "
    get:
      params: { id: integer, who: { type: string, optional: true } }
      http: { source: api, request: 'GET /x/{id}', headers: { X-Who: '{{who}}' } }
    change: { params: { id: integer }, http: { source: api, request: 'PUT /x/{id}' } }
    brief: { params: { id: integer }, http: { source: api, request: 'GET /x/{id}', cache: { ttl: 1ms } } }
    long: { params: { id: integer }, http: { source: api, request: 'GET /x/{id}', cache: { ttl: 1h } } }
";

async fn numbers(client: &Client, calls: &[(&str, Value)]) -> Vec<i64> {
    let mut numbers = Vec::new();
    for (tool, arguments) in calls {
        numbers.push(client.json(tool, arguments.clone()).await["n"].as_i64().unwrap());
    }
    numbers
}

#[tokio::test]
async fn answers_are_kept_as_long_as_they_are_fresh() {
    let fresh = counting(&[("cache-control", "max-age=3600")]).await;
    let client = client(&fresh, "cache: {}", CACHED).await;
    let calls = [
        ("get", json!({ "id": 1 })),
        ("get", json!({ "id": 1 })),
        ("get", json!({ "id": 2 })),
        ("get", json!({ "id": 1 })),
    ];
    assert_eq!(numbers(&client, &calls).await, [1, 1, 2, 1]);
    // what a caller put into the request is answered to nobody else
    let who = |who: &str| ("get", json!({ "id": 1, "who": who }));
    assert_eq!(
        numbers(&client, &[who("ann"), who("bob"), who("ann"), ("get", json!({ "id": 1 }))]).await,
        [3, 4, 3, 1]
    );
    // RFC 9111 section 4.4: a change of a thing makes what is kept of it void
    let calls = [("change", json!({ "id": 1 })), ("get", json!({ "id": 1 })), ("get", json!({ "id": 2 })), who("ann")];
    assert_eq!(numbers(&client, &calls).await, [5, 6, 2, 7]);

    let twice = [("get", json!({ "id": 1 })), ("get", json!({ "id": 1 }))];
    for headers in [
        &[][..],
        &[("cache-control", "no-store, max-age=3600")],
        &[("cache-control", "private, max-age=3600")],
        &[("cache-control", "max-age=3600"), ("vary", "*")],
        &[("cache-control", "max-age=3600"), ("age", "3600")],
    ] {
        let headers: &'static [(&'static str, &'static str)] = Box::leak(headers.to_vec().into_boxed_slice());
        let upstream = counting(headers).await;
        let client = self::client(&upstream, "cache: {}", CACHED).await;
        assert_eq!(numbers(&client, &twice).await, [1, 2], "{headers:?}");
    }
    let upstream = counting(&[("cache-control", "max-age=3600")]).await;
    let without = self::client(&upstream, "timeout: 1m", CACHED).await;
    assert_eq!(numbers(&without, &twice).await, [1, 2], "nothing is kept unasked");
}

#[tokio::test]
async fn a_ttl_holds_whatever_the_answer_says() {
    let upstream = counting(&[("cache-control", "no-cache")]).await;
    let client = client(&upstream, "timeout: 1m", CACHED).await;
    let long = ("long", json!({ "id": 1 }));
    assert_eq!(numbers(&client, &[long.clone(), long.clone(), ("get", json!({ "id": 1 })), long]).await, [1, 1, 2, 1]);
    let before = numbers(&client, &[("brief", json!({ "id": 1 }))]).await;
    until("the end of the ttl", async || numbers(&client, &[("brief", json!({ "id": 1 }))]).await != before).await;
}

#[tokio::test]
async fn what_is_stale_is_asked_for_again_with_its_validators() {
    let upstream = Upstream::start(|asked| match asked.header("if-none-match") {
        "\"v1\"" => answer(304, &[("etag", "\"v1\"")], ""),
        _ => answer(200, &[("etag", "\"v1\""), ("content-type", "application/json")], "{\"n\":1}"),
    })
    .await;
    let client = client(&upstream, "cache: {}", CACHED).await;
    let get = ("get", json!({ "id": 1 }));
    assert_eq!(numbers(&client, &[get.clone(), get.clone(), get]).await, [1, 1, 1]);
    let asked: Vec<String> = upstream.asked().iter().map(|a| a.header("if-none-match").to_owned()).collect();
    assert_eq!(asked, ["", "\"v1\"", "\"v1\""]);
}

#[tokio::test]
async fn a_cache_is_bounded_and_passes_what_is_too_large() {
    let count = AtomicUsize::new(0);
    let upstream = Upstream::start(move |asked| {
        let n = count.fetch_add(1, Ordering::SeqCst) + 1;
        let filling = if asked.target.ends_with("/9") { "x".repeat(300_000) } else { String::new() };
        let headers = [("cache-control", "max-age=3600"), ("content-type", "application/json")];
        answer(200, &headers, format!("{{\"n\":{n},\"filling\":\"{filling}\"}}"))
    })
    .await;
    let client = client(&upstream, "cache: { maxEntries: 2, maxBytes: 1MiB }", CACHED).await;
    let get = |id: i64| ("get", json!({ "id": id }));
    assert_eq!(numbers(&client, &[get(1), get(2), get(1), get(3), get(1), get(2)]).await, [1, 2, 1, 3, 1, 4]);
    assert_eq!(numbers(&client, &[get(9), get(9)]).await, [5, 6]);
    assert_eq!(client.json("get", json!({ "id": 9 })).await["filling"].as_str().unwrap().len(), 300_000);
}
