use super::*;

#[tokio::test]
async fn what_is_no_message_is_named_so() {
    let site = Site::new().await;
    for (body, code, id) in [
        ("", -32700, Value::Null),
        ("{broken", -32700, Value::Null),
        ("[]", -32600, Value::Null),
        ("7", -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":9}"#, -32600, json!(9)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":"p","method":"tools/call","params":[1]}"#, -32602, json!("p")),
        (r#"{"jsonrpc":"2.0","id":"m","method":"tools/list","params":{"_meta":5}}"#, -32602, json!("m")),
        (r#"{"jsonrpc":"2.0","method":"notifications/x","params":5}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":5}}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, -32602, json!(1)),
    ] {
        assert_eq!(refused(site.raw(body)).await, (400, code, id), "{body}");
    }
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":{}{}}}}}"#,
        "[".repeat(9999),
        "]".repeat(9999)
    );
    assert_eq!(refused(site.raw(deep)).await, (400, -32602, json!(1)));
}

#[tokio::test]
async fn params_that_do_not_fit_are_invalid_in_both_eras() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let ask = site.post(&request(1, "tools/call", json!({}), false)).header("mcp-session-id", &session);
    let answer = message(ask.send().await.unwrap()).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert!(answer["error"]["message"].as_str().unwrap().ends_with("missing field `name`"), "{answer}");
    let unknown = site.post(&request(2, "no/such", json!({}), false)).header("mcp-session-id", &session);
    assert_eq!(message(unknown.send().await.unwrap()).await["error"]["code"], -32601);

    let modern = request(3, "logging/setLevel", json!({"level": 5}), true);
    assert_eq!(refused(site.post(&modern)).await, (200, -32602, json!(3)));
    assert_eq!(refused(site.post(&request(4, "no/such", json!({}), true))).await, (404, -32601, json!(4)));
}

#[tokio::test]
async fn rmcps_header_checks_are_in_force() {
    let site = Site::new().await;
    let ask = |name: &'static str, value: &'static str| {
        let mut ask = site.post(&call(1, "echo", json!({"text": "x"}), true)).build().unwrap();
        ask.headers_mut().insert(name, value.parse().unwrap());
        RequestBuilder::from_parts(site.client.clone(), ask)
    };
    assert_eq!(refused(ask("mcp-method", "tools/list")).await, (400, -32020, json!(1)));
    assert_eq!(refused(ask("mcp-name", "slow")).await, (400, -32020, json!(1)));
    assert_eq!(refused(ask("mcp-protocol-version", "2025-11-25")).await, (400, -32020, json!(1)));
    let mut unknown = call(1, "echo", json!({}), true);
    unknown["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2999-01-01");
    let mut ask = site.post(&unknown).build().unwrap();
    ask.headers_mut().insert("mcp-protocol-version", "2999-01-01".parse().unwrap());
    assert_eq!(refused(RequestBuilder::from_parts(site.client.clone(), ask)).await, (400, -32022, json!(1)));
}

#[tokio::test]
async fn accept_may_be_anything_that_covers_an_answer() {
    let site = Site::new().await;
    let text = initialize(0, "2025-06-18").to_string();
    for accept in ["*/*", "application/*", "application/json", "text/event-stream", "text/html, */*;q=0.1"] {
        assert_eq!(site.raw(text.clone()).header("accept", accept).send().await.unwrap().status(), 200, "{accept}");
    }
    assert_eq!(site.raw(text.clone()).header("accept", "text/html").send().await.unwrap().status(), 406);
    let session = site.session("2025-06-18").await;
    let stream = site.ask(Method::GET).header("accept", "*/*").header("mcp-session-id", &session).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
}

#[tokio::test]
async fn other_content_types_paths_and_methods_are_refused() {
    let site = Site::new().await;
    let text = initialize(0, "2025-06-18").to_string();
    let plain = site.ask(Method::POST).header("content-type", "text/plain").body(text.clone());
    assert_eq!(plain.send().await.unwrap().status(), 415);
    assert_eq!(site.ask(Method::POST).body(text.clone()).send().await.unwrap().status(), 415);
    for path in ["/", "/mcp/x", "/MCP", "/mcpx", "/%6dcp"] {
        let url = site.url.replace("/mcp", path);
        let response = site.client.post(url).header("content-type", "application/json").body(text.clone());
        assert_eq!(response.send().await.unwrap().status(), 404, "{path}");
    }
    assert_eq!(site.ask(Method::PUT).send().await.unwrap().status(), 405);
    assert_eq!(site.ask(Method::GET).send().await.unwrap().status(), 400, "no session");
    let modern = site.ask(Method::GET).header("mcp-protocol-version", "2026-07-28").send().await.unwrap();
    assert_eq!(modern.status(), 405);
    let page = "text/html,application/xhtml+xml,*/*;q=0.8";
    let browser = site.ask(Method::GET).header("accept", page).send().await.unwrap();
    assert_eq!(browser.status(), 406);
    assert!(browser.text().await.unwrap().starts_with("This is an MCP server. Give this URL to an MCP client"));
    let health = site.client.get(site.url.replace("/mcp", "/health")).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "well");
}

#[tokio::test]
async fn long_bodies_are_refused() {
    let site = Site::with(HttpConfig { max_body_bytes: 1000, ..HttpConfig::default() }).await;
    let fits = |length: usize| {
        let text = initialize(0, "2025-06-18").to_string();
        let blank = " ".repeat(length - text.len());
        text + &blank
    };
    assert_eq!(site.raw(fits(1000)).send().await.unwrap().status(), 200);
    assert_eq!(refused(site.raw(fits(1001))).await, (413, -32600, Value::Null));
    assert_eq!(refused(site.raw(fits(8_000_000))).await, (413, -32600, Value::Null));
    let chunks = (0..5000).map(|_| Ok::<_, std::io::Error>("x".repeat(1000)));
    let streamed = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    assert_eq!(refused(site.raw(streamed)).await, (413, -32600, Value::Null));
}

#[tokio::test]
async fn strangers_are_refused_on_every_route() {
    let config = HttpConfig { allowed_origins: vec!["https://app.example".into()], ..HttpConfig::default() };
    let site = Site::with(config).await;
    for path in ["/mcp", "/health", "/no/such"] {
        let url = site.url.replace("/mcp", path);
        let ask = |name, value| site.client.get(&url).header(name, value);
        for (name, value) in [
            ("host", "evil.example"),
            ("host", "localhost.evil.example"),
            ("origin", "null"),
            ("origin", "http://evil.example"),
            ("origin", "http://app.example"),
            ("origin", ""),
        ] {
            assert_eq!(refused(ask(name, value)).await, (403, -32600, Value::Null), "{path} {name}: {value}");
        }
        let good = site.client.get(&url).header("host", "localhost:1").header("origin", "https://app.example");
        assert_ne!(good.send().await.unwrap().status(), 403);
    }
    let twice = site.client.get(&site.url).header("origin", "http://localhost").header("origin", "http://evil.example");
    assert_eq!(refused(twice).await.0, 403);
}

#[tokio::test]
async fn the_target_counts_as_a_host_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let site = Site::new().await;
    let address = site.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    for (head, status) in [
        ("GET /health HTTP/1.1\r\nHost: localhost", "200"),
        ("GET http://evil.example/health HTTP/1.1\r\nHost: localhost", "403"),
        ("GET http://localhost/health HTTP/1.1\r\nHost: evil.example", "403"),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example", "403"),
        ("GET /health HTTP/1.1", "403"),
        ("GET /health HTTP/1.0", "403"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{head}: {answer}");
    }
}

#[tokio::test]
async fn local_pages_may_ask_and_read() {
    let site = Site::new().await;
    let origin = "http://localhost:6274";
    let preflight = site
        .ask(Method::OPTIONS)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,mcp-param-x");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["access-control-allow-origin"], origin);
    assert_eq!(response.headers()["access-control-allow-headers"], "content-type,mcp-param-x");
    assert!(response.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));

    let response = site.post(&initialize(0, "2025-06-18")).header("origin", origin).send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], origin);
    assert!(response.headers()["access-control-expose-headers"].to_str().unwrap().contains("mcp-session-id"));

    let stranger = site.ask(Method::OPTIONS).header("origin", "https://evil.example");
    assert_eq!(refused(stranger).await.0, 403);
    let response = site.ask(Method::OPTIONS).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"GET, POST, DELETE".parse().unwrap())
    );
    let response = site.post(&initialize(0, "2025-06-18")).send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn binding_faults_are_told_in_plain_words() {
    let taken = HttpServer::bind(HttpConfig { listen: anywhere(), ..HttpConfig::default() });
    let taken = taken.await.unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port();
    assert_eq!(taken.url(), format!("http://127.0.0.1:{port}/mcp"));
    let fault = async |config| HttpServer::bind(config).await.unwrap_err().to_string();
    let config = HttpConfig { listen: address.into(), ..HttpConfig::default() };
    assert_eq!(fault(config).await, format!("port {port} of 127.0.0.1 is in use"));
    let config = HttpConfig { listen: Listen::Tcp("192.0.2.1:0".parse().unwrap()), ..HttpConfig::default() };
    assert_eq!(fault(config).await, "192.0.2.1 is not an address of this machine");
    for path in ["", "mcp", "/{x}", "/a b", "/*", "/:a", "/ä"] {
        let config = HttpConfig { path: path.into(), ..HttpConfig::default() };
        assert!(fault(config).await.starts_with(&format!("`{path}` is not a path")), "{path}");
    }
    let everywhere =
        HttpConfig { listen: Listen::Tcp("0.0.0.0:0".parse().unwrap()), path: "/".into(), ..HttpConfig::default() };
    let everywhere = HttpServer::bind(everywhere).await.unwrap();
    assert_eq!(everywhere.url(), format!("http://127.0.0.1:{}/", everywhere.local_addr().unwrap().port()));
}
