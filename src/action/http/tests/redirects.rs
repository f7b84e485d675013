//! Where redirects may lead, and what goes along.

use super::*;

/// `/to?URL` redirects with 302, `/STATUS?URL` with that status; `/loop` to itself.
fn redirecting(seen: &Seen) -> Response {
    let (path, to) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    match path {
        "/to" => redirect(302, to),
        "/loop" => redirect(307, "/loop"),
        _ => match path.trim_start_matches('/').parse() {
            Ok(status) => redirect(status, to),
            Err(_) => json_answer("{\"ok\":true}"),
        },
    }
}

const ACTION: &str = "      source: s\n      request: GET /{a}?{+b}\n      headers: { X-Mine: mine }";

/// A source at `server` with all kinds of credentials.
fn sources(server: &Server, rest: &str) -> String {
    format!(
        "sources:\n  s:\n    http: {}\n    headers: {{ X-Token: \"${{TOKEN}}\" }}\n    auth: {{ bearer: \"${{TOKEN}}\" }}\n{rest}",
        server.url("")
    )
}

#[tokio::test]
async fn redirects_on_the_same_origin_are_followed_with_credentials() {
    let server = Server::start(redirecting).await;
    let http = sound(&sources(&server, ""), ACTION).await;
    http.call(json!({ "a": "to", "b": "/end" })).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[1].target, "/end");
    for seen in &seen {
        assert_eq!(seen.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!((seen.header("x-token"), seen.header("x-mine")), (Some(TOKEN), Some("mine")));
    }
}

#[tokio::test]
async fn other_origins_are_refused_unless_listed() {
    let (server, other) = (Server::start(redirecting).await, Server::ok().await);
    let http = sound(&sources(&server, ""), ACTION).await;
    for to in [other.url("/x?secret=1"), format!("//{}/x", other.address), format!("http://u:p@{}/x", other.address)] {
        let message = http.message(json!({ "a": "to", "b": to })).await;
        let origin = other.url("");
        let words = format!("GET /to: it was redirected to {origin}, which the source's `redirects` does not list");
        assert_eq!(message, words);
    }
    for (to, words) in [
        ("http://169.254.169.254/latest/meta-data", "redirected to http://169.254.169.254, which the source's"),
        ("http://2130706433/", "redirected to http://127.0.0.1, which the source's"),
        ("http://0177.0.0.1:81/", "redirected to http://127.0.0.1:81, which the source's"),
        ("ftp://example.org/", "redirected to a `ftp:` URL"),
        ("file:///etc/passwd", "redirected to a `file:` URL"),
        ("http://", "redirected to something that is no URL"),
    ] {
        let message = http.message(json!({ "a": "to", "b": to })).await;
        assert!(message.contains(words), "{to}: {message}");
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn listed_origins_get_no_credentials() {
    let (server, other) = (Server::start(redirecting).await, Server::start(redirecting).await);
    let rest = format!("    redirects: [\"{}\"]\n    allowPrivate: true", other.url(""));
    let http = sound(&sources(&server, &rest), ACTION).await;
    http.call(json!({ "a": "to", "b": other.url("/x") })).await.unwrap();
    let seen = other.only();
    for name in ["authorization", "x-token", "x-mine", "referer", "cookie"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert!(seen.header("accept").is_some());
}

#[tokio::test]
async fn credentials_do_not_come_back_with_a_redirect_from_elsewhere() {
    let (server, other) = (Server::start(redirecting).await, Server::start(redirecting).await);
    let rest = format!("    redirects: [\"{}\"]\n    allowPrivate: true", other.url(""));
    let http = sound(&sources(&server, &rest), ACTION).await;
    let back = format!("{}?{}", other.url("/to"), server.url("/admin"));
    http.call(json!({ "a": "to", "b": back })).await.unwrap();
    let seen = server.seen();
    assert_eq!((seen[1].target.as_str(), seen[1].header("authorization")), ("/admin", None));
    assert_eq!(seen[1].header("x-token"), None);
}

#[tokio::test]
async fn listed_origins_on_private_networks_are_refused() {
    let (server, other) = (Server::start(redirecting).await, Server::ok().await);
    let port = other.address.port();
    let hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]"];
    let origins: Vec<String> = hosts.iter().map(|host| format!("\"http://{host}:{port}\"")).collect();
    let http = sound(&sources(&server, &format!("    redirects: [{}]", origins.join(", "))), ACTION).await;
    for host in hosts {
        let message = http.message(json!({ "a": "to", "b": format!("http://{host}:{port}/x") })).await;
        assert!(message.contains("on a private network"), "{host}: {message}");
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn methods_and_bodies_after_a_redirect() {
    let server = Server::start(redirecting).await;
    let action = "      source: s\n      request: POST /{a}?/end\n      json: { x: 1 }";
    let http = sound(&sources(&server, ""), action).await;
    for (status, method, body) in [
        ("301", Method::GET, ""),
        ("302", Method::GET, ""),
        ("303", Method::GET, ""),
        ("307", Method::POST, "{\"x\":1}"),
        ("308", Method::POST, "{\"x\":1}"),
    ] {
        http.call(json!({ "a": status })).await.unwrap();
        let last = server.seen().pop().unwrap();
        assert_eq!((last.method.clone(), last.body.as_str()), (method, body), "{status}");
        assert_eq!(last.header("content-type").is_some(), !body.is_empty());
    }
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(redirecting).await;
    let http = sound(&sources(&server, ""), ACTION).await;
    let message = http.message(json!({ "a": "loop" })).await;
    assert_eq!(message, "GET /loop: it was redirected more than 5 times");
    assert_eq!(server.seen().len(), 6);
    let message = http.message(json!({ "a": "304" })).await;
    assert_eq!(message, "GET /304 answered 304 Not Modified");
}
