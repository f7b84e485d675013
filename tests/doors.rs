//! The ways into the HTTP server, as the command line opens them.

use std::os::unix::fs::PermissionsExt;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Process, Spec, initialize, modern, request};

fn spec() -> Spec {
    Spec::tools("hello: { text: hello }")
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().timeout(crate::harness::PATIENCE)
}

#[tokio::test]
async fn https_is_served_with_the_files_that_are_named() {
    let spec = spec();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    spec.put("cert.pem", cert.pem());
    spec.put("key.pem", signing_key.serialize_pem());
    let path = |name: &str| spec.folder().join(name).to_str().unwrap().to_owned();
    let (cert_file, key_file) = (path("cert.pem"), path("key.pem"));
    let mut server =
        Process::serve(&spec, &["--http", "127.0.0.1:0", "--tls-cert", &cert_file, "--tls-key", &key_file]);
    let said = server.says("/mcp\n").await;
    let url = said[said.find("https://").unwrap()..].lines().next().unwrap().replace("127.0.0.1", "localhost");
    let trusted = reqwest::Certificate::from_pem(cert.pem().as_bytes()).unwrap();
    let client = builder().tls_certs_only([trusted]).build().unwrap();
    let answer = client.post(&url).json(&initialize("2025-11-25")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("mcp-session-id")), (200, true));
    assert!(builder().build().unwrap().post(&url).json(&initialize("2025-11-25")).send().await.is_err());
}

#[tokio::test]
async fn a_unix_socket_is_served_and_gone_at_the_end() {
    let spec = spec();
    let socket = spec.folder().join("mcp.sock");
    let address = format!("unix:{}", socket.display());
    let mut server = Process::serve(&spec, &["--http", &address]);
    let said = server.says("mcp.sock\n").await;
    assert!(said.contains(&format!(" on http://localhost/mcp at {address}\n")), "{said}");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let second = spec.run("serve", &["--http", &address]).await;
    assert_eq!(second.code, 3);
    assert!(second.err.ends_with(&format!("error: another program listens on {}\n", socket.display())), "{second:?}");

    let client = builder().unix_socket(socket.clone()).build().unwrap();
    let call = modern(1, "tools/call", json!({ "name": "hello" }));
    let ask = client.post("http://localhost/mcp").header("mcp-protocol-version", "2026-07-28");
    let answer = ask.header("mcp-method", "tools/call").header("mcp-name", "hello").json(&call).send().await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["result"]["content"][0]["text"], "hello");
    server.signal(Signal::TERM);
    assert_eq!(server.exit().await, 0);
    assert!(!socket.exists());

    // One that was left behind is in nobody's way.
    let mut killed = Process::serve(&spec, &["--http", &address]);
    killed.says("mcp.sock\n").await;
    killed.signal(Signal::KILL);
    killed.ended().await;
    assert!(socket.exists());
    let mut next = Process::serve(&spec, &["--http", &address]);
    next.says("mcp.sock\n").await;
}

#[tokio::test]
async fn hosts_and_origins_are_allowed_by_name() {
    let spec = spec();
    let options = ["--http", "127.0.0.1:0", "--allow-host", "shop.example.com", "--allow-host", "other.example:8443"];
    let origins = ["--allow-origin", "https://app.example.com", "--allow-origin", "https://dev.example:*"];
    let mut server = Process::serve(&spec, &[&options[..], &origins[..]].concat());
    let said = server.says("/mcp\n").await;
    let url = said[said.find("http://").unwrap()..].lines().next().unwrap().to_owned();
    let client = builder().build().unwrap();
    for (host, origin, status) in [
        ("shop.example.com", "https://app.example.com", 200),
        ("other.example:8443", "https://dev.example:3000", 200),
        ("localhost", "http://localhost:6274", 200),
        ("other.example", "https://app.example.com", 403),
        ("evil.example", "https://app.example.com", 403),
        ("shop.example.com", "http://app.example.com", 403),
        ("shop.example.com", "https://shop.example.com", 403),
    ] {
        let ask = client.post(&url).header("host", host).header("origin", origin);
        let answer = ask.json(&initialize("2025-11-25")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{host} {origin}");
    }
}

#[tokio::test]
async fn a_wrong_command_line_is_said_and_is_exit_2() {
    let spec = spec();
    let fails = async |arguments: &[&str], words: &str| {
        let output = spec.run("serve", arguments).await;
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.err.contains(words), "{arguments:?}: {}", output.err);
    };
    let http = "--http=127.0.0.1:0";
    fails(&["--http", "unix:"], "`unix:` lacks the path of the socket").await;
    fails(&["--http", "nowhere"], "`nowhere` is no ADDR:PORT").await;
    fails(&[http, "--tls-cert", "x.pem"], "--tls-key").await;
    fails(&[http, "--tls-key", "x.pem"], "--tls-cert").await;
    fails(&["--tls-cert", "x.pem", "--tls-key", "y.pem"], "--http").await;
    fails(&[http, "--tls-cert", "/no/x.pem", "--tls-key", "/no/y.pem"], "error: can't read /no/x.pem: ").await;
    fails(&[http, "--allow-host", "https://x"], "`https://x` is not a host").await;
    fails(&[http, "--allow-origin", "x"], "`x` is not an origin").await;
    fails(&["--allow-origin", "https://x.example"], "--http").await;
    spec.put("file", "mine");
    let file = format!("unix:{}", spec.folder().join("file").display());
    fails(&["--http", &file], "is a file and no socket").await;
    assert_eq!(spec.get("file"), "mine");
}

#[tokio::test]
async fn clients_of_json_alone_and_lost_streams_are_served() {
    let spec = Spec::tools("slow: { exec: { command: [sh, -c, 'sleep 0.5; echo done'] } }");
    let site = spec.http().await;
    let session = site.session("2025-11-25").await;
    let call = request(1, "tools/call", json!({ "name": "slow" }));
    let json_alone = site.post(&call).header("mcp-session-id", &session).build().unwrap();
    let client = builder().build().unwrap();
    let ask = |accept: &'static str| {
        let mut ask = json_alone.try_clone().unwrap();
        ask.headers_mut().insert("accept", accept.parse().unwrap());
        client.execute(ask)
    };
    let answer = ask("application/json").await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["result"]["content"][0]["text"], "done\n");

    let mut lost = ask("text/event-stream, application/json").await.unwrap();
    let first = String::from_utf8(lost.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let place = first.lines().find_map(|line| line.strip_prefix("id:")).unwrap().trim().to_owned();
    drop(lost);
    let resumed = client.get(&site.url).header("accept", "text/event-stream").header("mcp-session-id", &session);
    let rest = resumed.header("last-event-id", place).send().await.unwrap().text().await.unwrap();
    assert!(rest.contains("done"), "{rest}");
}
