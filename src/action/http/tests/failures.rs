//! What keeps an answer from coming.

use std::time::Instant;

use super::*;
use crate::outcome::ErrorKind;

#[tokio::test]
async fn slow_servers_run_into_the_timeout() {
    let server = Server::ok().await;
    let sources = format!("sources: {{ s: {{ http: \"{}\", timeout: 150ms }} }}", server.url(""));
    for rest in ["", "\n      timeout: 100ms"] {
        let http = sound(&sources, &format!("      source: s\n      request: GET /slow/{{a}}{rest}")).await;
        let start = Instant::now();
        let error = http.call(json!({ "a": "1" })).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(15));
        assert_eq!(error.kind, ErrorKind::TimedOut);
        let limit = if rest.is_empty() { "150ms" } else { "100ms" };
        assert_eq!(error.message, format!("GET /slow/1 took longer than {limit}"));
    }
}

#[tokio::test]
async fn a_body_that_drips_runs_into_the_timeout() {
    let server = Server::start(|_| {
        let drops = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        answer(200, "text/plain", Body::from_stream(drops))
    })
    .await;
    let sources = format!("sources: {{ s: {{ http: \"{}\" }} }}", server.url(""));
    let http = sound(&sources, "      source: s\n      request: GET /\n      timeout: 200ms").await;
    assert_eq!(http.call(json!({})).await.unwrap_err().kind, ErrorKind::TimedOut);
}

#[tokio::test]
async fn calls_can_be_taken_back() {
    let server = Server::ok().await;
    let http = on(&server.url(""), "GET /slow").await;
    let call = Call::default();
    let cancel = call.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    let start = Instant::now();
    let error = http.run(&serde_json::Map::new(), &call).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn what_does_not_answer() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let http = on(&format!("http://{closed}"), "GET /x").await;
    let error = http.call(json!({})).await.unwrap_err();
    assert_eq!(error.message, format!("GET /x: can't reach {closed}: connection refused"));
    assert_eq!(error.kind, ErrorKind::Failed);
    let http = on("http://no-such-host.invalid", "GET /x").await;
    assert_eq!(http.message(json!({})).await, "GET /x: can't reach no-such-host.invalid: name not known");
}

#[tokio::test]
async fn no_tls_where_there_should_be() {
    let server = Server::ok().await;
    let http = on(&format!("https://{}", server.address), "GET /x").await;
    let message = http.message(json!({})).await;
    assert_eq!(message, format!("GET /x: can't reach {}: no trusted TLS connection", server.address));
}

#[tokio::test]
async fn servers_that_hang_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            if request[..read].starts_with(b"GET /half") {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
            } else if request[..read].starts_with(b"GET /junk") {
                stream.write_all(b"SSH-2.0-OpenSSH\r\n").await.unwrap();
            }
        }
    });
    let url = format!("http://{address}");
    for (path, words) in [("/half", "broke off"), ("/none", "can't reach"), ("/junk", "can't reach")] {
        let error = on(&url, &format!("GET {path}")).await.call(json!({})).await.unwrap_err();
        assert!(error.message.contains(words), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn secrets_are_in_no_message() {
    let server = Server::start(|seen| {
        let all = format!("{} {:?}", seen.target, seen.headers);
        answer(401, "text/plain", all)
    })
    .await;
    for auth in [
        "apiKey: { query: key, value: \"${TOKEN}\" }",
        "apiKey: { header: X-Key, value: \"${TOKEN}\" }",
        "bearer: \"${TOKEN}\"",
        "basic: { username: me, password: \"${TOKEN}\" }",
    ] {
        let action = "      source: s\n      request: GET /x";
        let encoded = crate::outcome::base64(format!("me:{TOKEN}").as_bytes());
        for url in [server.url(""), "http://no-such-host.invalid".to_owned()] {
            let http = sound(&format!("sources: {{ s: {{ http: \"{url}\", auth: {{ {auth} }} }} }}"), action).await;
            let error = http.call(json!({})).await.unwrap_err();
            let shown = format!("{error:?} {http:?} {}", http.shown(json!({})).unwrap());
            assert!(!shown.contains(TOKEN) && !shown.contains(&encoded), "{shown}");
        }
    }
}

#[tokio::test]
async fn what_the_caller_keeps_secret_is_in_no_message() {
    let server = Server::start(|_| answer(500, "text/plain", "")).await;
    let http = on(&server.url(""), "GET /pins/{pin}/{a}").await;
    let message = http.message(json!({ "a": "b", "pin": "1234" })).await;
    assert_eq!(message, "GET /pins/***/b answered 500 Internal Server Error");
    assert_eq!(server.only().target, "/pins/1234/b");
}
