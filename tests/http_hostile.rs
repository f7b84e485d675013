//! Answers that are made to harm who reads them, and values that look like something else.

use std::io::Write;
use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use serde_json::{Value, json};

use crate::harness::upstream::{answer, json};
use crate::harness::{Asked, Client, Era, Reply, Spec, Upstream};
use crate::http_requests::over_text;

async fn client(upstream: &Upstream, source: &str, tools: &str) -> Client {
    Spec::new(&over_text(upstream, source, tools)).stdio(Era::Modern).await
}

const GET: &str =
    "get: { params: { kind: string }, http: { source: api, request: 'GET /{kind}', maxBytes: 64KiB, timeout: 20s } }";

fn gzip(size: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let chunk = vec![b' '; 1 << 20];
    for _ in 0..size >> 20 {
        encoder.write_all(&chunk).unwrap();
    }
    encoder.finish().unwrap()
}

fn bombs(asked: &Asked) -> Reply {
    let text = |media: &str, text: String| Reply::new(200, media, text);
    match asked.path() {
        "/v1/gzip" => Reply::new(200, "application/json", gzip(256 << 20)).header("content-encoding", "gzip"),
        "/v1/not-gzip" => text("application/json", "{}".to_owned()).header("content-encoding", "gzip"),
        "/v1/deep" => text("application/json", "[".repeat(50_000)),
        "/v1/deep-object" => text("application/json", "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000)),
        "/v1/deep-xml" => text("application/xml", "<a>".repeat(10_000)),
        "/v1/numbers" => text("application/json", format!("[1e999,-1e999,{},0.{}1]", "9".repeat(400), "0".repeat(400))),
        "/v1/twice" => text("application/json", "{\"a\":1,\"a\":2}".to_owned()),
        "/v1/entities" => text(
            "application/xml",
            "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]><x>&c;&f;</x>".to_owned(),
        ),
        "/v1/line" => text("application/x-ndjson", format!("[{}1]", "1,".repeat(1 << 20))),
        "/v1/charset" => text("text/plain; charset=utf-16", "plain".to_owned()),
        "/v1/no-charset" => text("text/plain; charset=klingon", "caf\u{e9}".to_owned()),
        "/v1/bytes-as-json" => Reply::new(200, "application/json", vec![0xff, 0xfe, 0, 1]),
        "/v1/media" => text(&format!("{}/json", "x".repeat(4000)), "{}".to_owned()),
        "/v1/html" => text("text/html", "<div>".repeat(10_000) + "words"),
        "/v1/csv" => text("text/csv", ",".repeat(60_000) + "\n" + &",".repeat(60_000)),
        _ => Reply::nothing(),
    }
}

#[tokio::test]
async fn bombs_in_answers_come_to_little() {
    let upstream = Upstream::start(bombs).await;
    let client = client(&upstream, "", GET).await;
    let all = [
        "gzip",
        "not-gzip",
        "deep",
        "deep-object",
        "deep-xml",
        "numbers",
        "twice",
        "entities",
        "line",
        "charset",
        "no-charset",
        "bytes-as-json",
        "media",
        "html",
        "csv",
    ];
    for kind in all {
        let said = client.call("get", json!({ "kind": kind })).await.to_string();
        assert!(said.len() < 1 << 20, "{kind}: {} bytes", said.len());
        assert!(!said.contains("root:"), "{kind}: {said}");
        let haha = said.matches("ha").count();
        assert!(haha < 8, "{kind}: {haha}");
    }
    let said = client.fails("get", json!({ "kind": "not-gzip" })).await;
    assert!(said.contains("broke off or can't be decoded"), "{said}");
    // it still answers
    assert_eq!(client.text("get", json!({ "kind": "no-charset" })).await, "café");
}

#[tokio::test]
async fn a_body_that_never_ends_ends_with_the_call() {
    let upstream = Upstream::waiting(|_| {
        Box::pin(async {
            let drops = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok::<_, std::io::Error>("x"), ()))
            });
            answer(200, &[("content-type", "text/plain")], Body::from_stream(drops))
        })
    })
    .await;
    let tools = "get: { http: { source: api, request: GET /x, timeout: 300ms } }";
    let said = client(&upstream, "", tools).await.fails("get", json!({})).await;
    assert_eq!(said, "GET /x took longer than 300ms");
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let (upstream, proxy) = (Upstream::ok().await, Upstream::ok().await);
    let tools = "get: { http: { source: api, request: GET /x } }";
    let mut spec = Spec::new(&over_text(&upstream, "", tools));
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        spec = spec.env(name, &proxy.url(""));
    }
    assert_eq!(spec.stdio(Era::Modern).await.json("get", json!({})).await, json!({ "ok": true }));
    assert_eq!((upstream.asked().len(), proxy.asked().len()), (1, 0));
}

#[tokio::test]
async fn letters_that_look_like_others_stay_what_they_are() {
    let upstream = Upstream::ok().await;
    let client =
        client(&upstream, "", "get: { params: { a: string }, http: { source: api, request: 'GET /b/{a}/c' } }").await;
    for (value, path) in [
        ("\u{ff0e}\u{ff0e}", "/v1/b/%EF%BC%8E%EF%BC%8E/c"),
        ("\u{2025}", "/v1/b/%E2%80%A5/c"),
        ("\u{ff0f}x", "/v1/b/%EF%BC%8Fx/c"),
        (".\u{200b}.", "/v1/b/.%E2%80%8B./c"),
        ("a\tb", "/v1/b/a%09b/c"),
        ("...", "/v1/b/.../c"),
        ("\u{202e}x", "/v1/b/%E2%80%AEx/c"),
    ] {
        let result = client.call("get", json!({ "a": value })).await;
        assert!(
            result["isError"] == true || upstream.last().target == path,
            "{value:?}: {result} {}",
            upstream.last().target
        );
    }
}

#[tokio::test]
async fn more_headers_than_there_can_be_fail_the_call() {
    let upstream = Upstream::start(|asked: &Asked| match asked.path() {
        "/v1/huge" => answer(200, &[("x-a", &"a".repeat(2 << 20))], ""),
        "/v1/many" => {
            let mut response = answer(500, &[("content-type", "text/plain")], "no");
            for n in 0..90 {
                response
                    .headers_mut()
                    .append(format!("x-{n}").parse::<http::HeaderName>().unwrap(), "v".parse().unwrap());
            }
            response
        }
        _ => json("{\"ok\":true}"),
    })
    .await;
    let client = client(&upstream, "", GET).await;
    client.fails("get", json!({ "kind": "huge" })).await;
    assert_eq!(
        client.fails("get", json!({ "kind": "many" })).await,
        "GET /many answered 500 Internal Server Error: no"
    );
    assert_eq!(client.json("get", json!({ "kind": "well" })).await, json!({ "ok": true }));
}

#[tokio::test]
async fn a_retry_after_of_a_year_is_not_waited_for() {
    let source = "retry: { attempts: 5, delay: 1ms }\ntimeout: 5s";
    for after in ["31536000", "99999999999999999999", "-1", "soon"] {
        let upstream = Upstream::start(move |_| answer(503, &[("retry-after", after)], "")).await;
        let start = std::time::Instant::now();
        client(&upstream, source, GET).await.fails("get", json!({ "kind": "x" })).await;
        assert!(start.elapsed() < Duration::from_secs(60), "{after}");
    }
}

#[tokio::test]
async fn a_token_endpoint_that_gives_anything_else_gives_nothing() {
    let other = Upstream::start(|_| json("{\"access_token\":\"stolen\",\"token_type\":\"bearer\"}")).await;
    let elsewhere: &'static str = Box::leak(other.url("/token").into_boxed_str());
    let upstream = Upstream::start(move |asked: &Asked| match asked.path() {
        "/redirect" => answer(307, &[("location", elsewhere)], ""),
        "/html" => answer(200, &[("content-type", "text/html")], "<h1>Sign in</h1>"),
        "/number" => json("{\"access_token\":5}"),
        "/lines" => json("{\"access_token\":\"a\\r\\nX-Evil: 1\"}"),
        "/life" => json("{\"access_token\":\"good\",\"expires_in\":-1e308}"),
        "/huge" => json("{\"access_token\":\"".to_owned() + &"a".repeat(4 << 20) + "\"}"),
        "/gone" => answer(204, &[], ""),
        _ => json("{\"ok\":true}"),
    })
    .await;
    for (path, fails) in [
        ("redirect", true),
        ("html", true),
        ("number", true),
        ("lines", true),
        ("life", false),
        ("huge", true),
        ("gone", true),
    ] {
        let source = format!(
            "auth: {{ oauth2: {{ tokenUrl: '{}', clientId: me, clientSecret: s3cret }} }}",
            upstream.url(&format!("/{path}"))
        );
        let result: Value = client(&upstream, &source, GET).await.call("get", json!({ "kind": "x" })).await;
        assert_eq!(result["isError"] == true, fails, "{path}: {result}");
        let api = upstream.asked().into_iter().filter(|asked| asked.path() == "/v1/x").count();
        assert_eq!(api, usize::from(path == "life") + usize::from(["huge", "gone"].contains(&path)), "{path}");
        assert!(!result.to_string().contains("s3cret"), "{result}");
    }
    assert!(other.asked().is_empty(), "the client's secret went elsewhere");
}

#[tokio::test]
async fn what_one_call_got_is_not_another_ones() {
    let upstream = Upstream::start(|asked: &Asked| {
        Reply::new(
            200,
            "application/json",
            json!({ "key": asked.header("x-key"), "who": asked.header("cookie") }).to_string(),
        )
        .header("cache-control", "max-age=600")
    })
    .await;
    let tools = "
        get:
          params: { key: string }
          http: { source: api, request: GET /x, headers: { X-Key: '{{key}}' }, cookies: { who: '{{key}}' }, cache: { ttl: 1h } }
    ";
    let client = client(&upstream, "", tools).await;
    for key in ["a", "b", "a", "b"] {
        assert_eq!(client.json("get", json!({ "key": key })).await, json!({ "key": key, "who": format!("who={key}") }));
    }
    assert_eq!(upstream.asked().len(), 2);
}
