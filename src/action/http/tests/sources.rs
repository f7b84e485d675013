//! What a source adds to each request, and when a reload keeps it.

use super::*;
use crate::spec::Diagnostics;

fn open(text: &str, token: &str, previous: Option<&Arc<HttpSource>>) -> Arc<HttpSource> {
    let text = format!("server: {{ name: t }}\nsources:\n  s:\n{text}");
    let env: Environment = [("TOKEN".to_owned(), token.to_owned())].into_iter().collect();
    let Loaded { files, document, .. } = load(&Input::Text(text), &env);
    let document = document.unwrap();
    let (name, source) = document.sources.iter().next().unwrap();
    let Source::Http(source) = source else { panic!("an http source") };
    HttpSource::open(name, source, &files, previous, &mut Diagnostics::default(), &mut Vec::new()).unwrap()
}

#[test]
fn an_equal_source_is_kept() {
    let text = "    http: https://example.org/\n    timeout: 5s\n    auth: { bearer: \"${TOKEN}\" }\n    \
                headers: { X: \"${TOKEN}\" }\n    query: { q: a }\n    redirects: [\"https://cdn.example.org\"]";
    let first = open(text, "one", None);
    assert!(Arc::ptr_eq(&first, &open(text, "one", Some(&first))));
    assert!(!Arc::ptr_eq(&first, &open(text, "two", Some(&first))));
    for (from, to) in [
        ("example.org/", "example.org/v1"),
        ("5s", "6s"),
        ("bearer: \"${TOKEN}\"", "bearer: one more"),
        ("headers: { X:", "headers: { Y:"),
        ("{ q: a }", "{ q: b }"),
        ("https://cdn", "http://cdn"),
        ("timeout: 5s", "allowPrivate: true\n    timeout: 5s"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        assert!(!Arc::ptr_eq(&first, &open(&changed, "one", Some(&first))), "{from} → {to}");
    }
}

#[tokio::test]
async fn every_request_carries_what_the_source_says() {
    for (auth, name, value) in [
        ("bearer: \"${TOKEN}\"", "authorization", format!("Bearer {TOKEN}")),
        (
            "basic: { username: \"Aladdin\", password: \"open sesame\" }",
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned(),
        ),
        ("apiKey: { header: X-Key, value: \"${TOKEN}\" }", "x-key", TOKEN.to_owned()),
    ] {
        let server = Server::ok().await;
        let source =
            format!("{{ http: \"{}\", auth: {{ {auth} }}, headers: {{ X-A: a, X-B: b }} }}", server.url("/v1"));
        let action = "      source: s\n      request: GET /x\n      headers: { X-b: mine }";
        sound(&format!("sources: {{ s: {source} }}"), action).await.call(json!({})).await.unwrap();
        let seen = server.only();
        assert_eq!(seen.target, "/v1/x");
        assert_eq!(seen.header(name), Some(value.as_str()));
        assert_eq!((seen.header("x-a"), seen.header("x-b")), (Some("a"), Some("mine")));
    }
}

#[tokio::test]
async fn queries_of_template_action_and_source_come_together() {
    let server = Server::ok().await;
    let auth = "auth: { apiKey: { query: key, value: \"a&b=${TOKEN}\" } }, query: { \"l g\": \"d e\" }";
    let sources = format!("sources: {{ s: {{ http: \"{}\", {auth} }} }}", server.url(""));
    let http = sound(&sources, "      source: s\n      request: GET /x{?a}\n      query: { b: \"{{b}}\" }").await;
    http.call(json!({ "a": "1", "b": "2" })).await.unwrap();
    http.call(json!({})).await.unwrap();
    let common = format!("l%20g=d%20e&key=a%26b%3D{TOKEN}");
    let seen: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(seen, [format!("/x?a=1&b=2&{common}"), format!("/x?{common}")]);
}

#[tokio::test]
async fn a_secret_address_is_not_shown() {
    let server = Server::ok().await;
    let sources = "sources: { s: { http: \"http://${TOKEN}.invalid/v1\" } }";
    let http = sound(sources, "      source: s\n      request: GET /x").await;
    assert_eq!(http.message(json!({})).await, "GET /x: can't reach the source `s`: name not known");
    assert!(http.shown(json!({})).unwrap().starts_with("GET http://${TOKEN}.invalid/v1/x\n"));
    assert!(!format!("{http:?}").contains(TOKEN));
    drop(server);
}

#[tokio::test]
async fn connections_are_kept_between_calls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(Mutex::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            *count.lock().unwrap() += 1;
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|n| n > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                }
            });
        }
    });
    let http = on(&format!("http://{address}"), "GET /x").await;
    for _ in 0..5 {
        http.call(json!({})).await.unwrap();
    }
    assert_eq!(*accepted.lock().unwrap(), 1);
}
