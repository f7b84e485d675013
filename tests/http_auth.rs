//! How requests are authorized, and how connections are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::Response;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::upstream::{answer, json};
use crate::harness::{Asked, Authority, Era, Spec, Upstream};
use crate::http_requests::over_text;

const SECRET: &str = "s3cret-t0ken";
const GET: &str = "get: { http: { source: api, request: GET /x } }";

fn with_source(upstream: &Upstream, source: &str) -> Spec {
    Spec::new(&over_text(upstream, source, GET)).env("TOKEN", SECRET)
}

#[tokio::test]
async fn every_way_to_show_a_key() {
    for (auth, header, value, target) in [
        ("bearer: '${TOKEN}'", "authorization", "Bearer s3cret-t0ken", "/v1/x"),
        (
            "basic: { username: Aladdin, password: open sesame }",
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "/v1/x",
        ),
        ("apiKey: { header: X-Key, value: '${TOKEN}' }", "x-key", SECRET, "/v1/x"),
        ("apiKey: { query: key, value: 'a b&${TOKEN}' }", "x-none", "", "/v1/x?key=a%20b%26s3cret-t0ken"),
        ("apiKey: { cookie: key, value: '${TOKEN}' }", "cookie", "key=s3cret-t0ken", "/v1/x"),
    ] {
        let upstream = Upstream::ok().await;
        let spec = with_source(&upstream, &format!("auth: {{ {auth} }}"));
        spec.stdio(Era::Modern).await.json("get", json!({})).await;
        let asked = upstream.last();
        assert_eq!((asked.header(header), asked.target.as_str()), (value, target), "{auth}");
        let shown = spec.run("call", &["get", "--explain"]).await;
        assert!(shown.out.contains("***") && !format!("{shown:?}").contains(SECRET), "{shown:?}");
    }
}

/// An API whose `/token` gives `t1`, `t2`, … as `token` says, and that takes the last of them alone.
async fn guarded(token: fn(usize) -> Value) -> Upstream {
    let count = Arc::new(AtomicUsize::new(0));
    Upstream::start(move |asked| match asked.target.as_str() {
        "/token" => json(token(count.fetch_add(1, Ordering::SeqCst) + 1).to_string()),
        _ if asked.header("authorization") == format!("Bearer t{}", count.load(Ordering::SeqCst)) => {
            json("{\"ok\":true}")
        }
        _ => answer(401, &[("content-type", "text/plain")], format!("not with {}", asked.header("authorization"))),
    })
    .await
}

fn oauth(upstream: &Upstream, rest: &str) -> Spec {
    let token = upstream.url("/token");
    with_source(upstream, &format!("auth: {{ oauth2: {{ tokenUrl: '{token}', clientId: 'me:1', {rest} }} }}"))
}

fn tokens(upstream: &Upstream) -> Vec<Asked> {
    upstream.asked().into_iter().filter(|asked| asked.target == "/token").collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_and_kept() {
    let upstream =
        guarded(|n| json!({ "access_token": format!("t{n}"), "token_type": "bearer", "expires_in": 3600 })).await;
    let spec = oauth(&upstream, "clientSecret: '${TOKEN}', scopes: [read, write], params: { audience: books }");
    let mut client = spec.stdio(Era::Modern).await;
    join_all((0..20).map(|_| client.json("get", json!({})))).await;
    client.json("get", json!({})).await;
    let tokens = tokens(&upstream);
    assert_eq!((tokens.len(), upstream.asked().len()), (1, 22));
    // RFC 6749 section 2.3.1: the parts are encoded before they are joined
    assert_eq!(tokens[0].header("authorization"), "Basic bWUlM0ExOnMzY3JldC10MGtlbg==");
    assert_eq!(tokens[0].text(), "grant_type=client_credentials&scope=read+write&audience=books");
    let shown = spec.run("call", &["get", "--explain"]).await;
    assert!(shown.out.contains("\nauthorization: Bearer ***"), "{shown:?}");
    assert!(!client.process().stderr().contains(SECRET));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_and_when_it_is_refused() {
    let upstream = guarded(|n| json!({ "access_token": format!("t{n}"), "expires_in": 0 })).await;
    let client = oauth(&upstream, "clientSecret: '${TOKEN}', clientAuth: body").stdio(Era::Modern).await;
    for _ in 0..3 {
        client.json("get", json!({})).await;
    }
    let asked = tokens(&upstream);
    assert_eq!(asked.len(), 3, "each was stale as soon as it came");
    assert_eq!(asked[0].text(), format!("grant_type=client_credentials&client_id=me%3A1&client_secret={SECRET}"));
    assert_eq!(asked[0].header("authorization"), "");

    // the API takes nothing but `t2`: the first token is given up after one refusal
    let upstream = Upstream::start(|asked| match (asked.target.as_str(), asked.header("authorization")) {
        ("/token", _) if asked.text().contains("refresh_token=first") => {
            json("{\"access_token\": \"t1\", \"refresh_token\": \"second\"}")
        }
        ("/token", _) if asked.text().contains("refresh_token=second") => json("{\"access_token\": \"t2\"}"),
        ("/token", _) => answer(400, &[], "{\"error\": \"invalid_grant\"}"),
        (_, "Bearer t2") => json("{\"ok\":true}"),
        _ => answer(401, &[], ""),
    })
    .await;
    let client = oauth(&upstream, "refreshToken: first").stdio(Era::Modern).await;
    client.json("get", json!({})).await;
    client.json("get", json!({})).await;
    assert_eq!(upstream.lines(), ["POST /token", "GET /v1/x", "POST /token", "GET /v1/x", "GET /v1/x"]);
    assert_eq!(tokens(&upstream)[1].text(), "grant_type=refresh_token&refresh_token=second&client_id=me%3A1");
}

#[tokio::test]
async fn nothing_is_sent_without_a_token() {
    type Fault = (fn() -> Response, &'static str);
    let faults: [Fault; 7] = [
        (
            || answer(401, &[], "{\"error\":\"invalid_client\",\"error_description\":\"s3cret-t0ken\"}"),
            "it answered 401 (invalid_client)",
        ),
        (|| answer(500, &[], "s3cret-t0ken"), "it answered 500"),
        (|| answer(400, &[], "{\"error\":\"s3cret-t0ken is wrong\"}"), "it answered 400"),
        (|| json("<html>"), "its answer is no JSON of RFC 6749"),
        (|| json("{\"token_type\":\"bearer\"}"), "its answer has no `access_token`"),
        (|| json("{\"access_token\":\"x\",\"token_type\":\"mac\"}"), "it gave a token that is no bearer token"),
        (|| answer(302, &[("location", "/x")], ""), "it answered 302"),
    ];
    for (fault, words) in faults {
        let upstream = Upstream::start(move |asked| if asked.target == "/token" { fault() } else { json("{}") }).await;
        let mut client = oauth(&upstream, "clientSecret: '${TOKEN}'").stdio(Era::Modern).await;
        let said = client.fails("get", json!({})).await;
        assert_eq!(said, format!("GET /x: no token from 127.0.0.1:{}: {words}", upstream.port));
        assert_eq!(upstream.lines(), ["POST /token"]);
        assert!(!client.process().stderr().contains(SECRET));
    }
    let upstream = Upstream::ok().await;
    let source = "auth: { oauth2: { tokenUrl: 'http://127.0.0.1:1/t', clientId: a, clientSecret: b } }";
    let said = with_source(&upstream, source).stdio(Era::Modern).await.fails("get", json!({})).await;
    assert_eq!(said, "GET /x: no token: can't reach 127.0.0.1:1: connection refused");
    assert!(upstream.asked().is_empty());
}

#[tokio::test]
async fn a_token_is_masked_in_what_the_api_says() {
    let upstream = Upstream::start(|asked| match asked.target.as_str() {
        "/token" => json("{\"access_token\":\"fresh-t0ken\"}"),
        _ => answer(403, &[("content-type", "text/plain")], format!("no: {}", asked.header("authorization"))),
    })
    .await;
    let mut client = oauth(&upstream, "clientSecret: '${TOKEN}'").stdio(Era::Modern).await;
    let said = client.fails("get", json!({})).await;
    assert!(said.contains("no: Bearer ***") && !client.process().stderr().contains("fresh-t0ken"), "{said}");
}

#[tokio::test]
async fn tls_trusts_and_shows_what_the_source_says() {
    let (authority, clients, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let (cert, key) = clients.issue("me");
    let (_, other_key) = stranger.issue("me");
    let spec = |upstream: &Upstream, tls: &str| {
        let spec = with_source(upstream, tls);
        spec.file("ca.pem", authority.pem())
            .file("stranger.pem", stranger.pem())
            .file("me.pem", &cert)
            .file("me.key", &key)
    };
    let open = Upstream::tls(&authority, None).await;
    spec(&open, "tls: { ca: ./ca.pem }").stdio(Era::Modern).await.json("get", json!({})).await;
    assert_eq!(open.last().version, http::Version::HTTP_2, "TLS settles the version");
    let slow = "tls: { ca: ./ca.pem }\nhttp2: false";
    spec(&open, slow).stdio(Era::Modern).await.json("get", json!({})).await;
    assert_eq!(open.last().version, http::Version::HTTP_11);
    let said = spec(&open, "tls: { ca: ./stranger.pem }").stdio(Era::Modern).await.fails("get", json!({})).await;
    assert!(said.ends_with("no trusted TLS connection"), "{said}");

    let mutual = Upstream::tls(&authority, Some(&clients)).await;
    spec(&mutual, "tls: { ca: ./ca.pem, cert: ./me.pem, key: ./me.key }")
        .stdio(Era::Modern)
        .await
        .json("get", json!({}))
        .await;
    let inline = spec(&mutual, "tls: { ca: ./ca.pem, cert: './me.pem', key: '${KEY}' }").env("KEY", &key);
    inline.stdio(Era::Modern).await.json("get", json!({})).await;
    assert_eq!(mutual.asked().len(), 2);
    spec(&mutual, "tls: { ca: ./ca.pem }").stdio(Era::Modern).await.fails("get", json!({})).await;
    assert_eq!(mutual.asked().len(), 2, "without a certificate nothing comes through");
    let wrong = spec(&mutual, "tls: { ca: ./ca.pem, cert: ./me.pem, key: '${KEY}' }").env("KEY", &other_key);
    let checked = wrong.run("check", &[]).await;
    assert!(checked.code != 0 && !checked.err.contains("BEGIN"), "{checked:?}");
}

#[tokio::test]
async fn http2_without_tls_and_a_proxy() {
    let upstream = Upstream::ok().await;
    with_source(&upstream, "http2: true").stdio(Era::Modern).await.json("get", json!({})).await;
    assert_eq!(upstream.last().version, http::Version::HTTP_2);

    let proxy = Upstream::start(|_| json("{\"proxied\":true}")).await;
    let with_password = proxy.url("").replace("http://", "http://me:s3cret-t0ken@");
    let spec = with_source(&upstream, &format!("proxy: '{with_password}'"));
    let mut client = spec.stdio(Era::Modern).await;
    assert_eq!(client.json("get", json!({})).await, json!({ "proxied": true }));
    assert_eq!(proxy.last().target, upstream.url("/v1/x"));
    assert_eq!(proxy.last().header("proxy-authorization"), "Basic bWU6czNjcmV0LXQwa2Vu");
    assert_eq!(upstream.asked().len(), 1);
    assert!(!client.process().stderr().contains(SECRET));
    let around =
        with_source(&upstream, "headers: { X: y }").env("http_proxy", &proxy.url("")).env("HTTP_PROXY", &proxy.url(""));
    around.stdio(Era::Modern).await.json("get", json!({})).await;
    assert_eq!((upstream.asked().len(), proxy.asked().len()), (2, 1), "a proxy of the environment is not used");
}
