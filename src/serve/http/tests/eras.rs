use std::time::Instant;

use rmcp::{ServiceExt, model::CallToolRequestParams, transport::StreamableHttpClientTransport};

use super::*;
use crate::serve::echo::TOOLS;

#[tokio::test]
async fn serves_every_legacy_version_in_a_session() {
    let site = Site::new().await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let session = site.session(version).await;
        let ask = site.post(&call(1, "echo", json!({"text": version}), false)).header("mcp-session-id", &session);
        let response = ask.header("mcp-protocol-version", version).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(text_of(&message(response).await), version);
        let end = site.ask(Method::DELETE).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(end.status(), 202);
        let gone = site.post(&request(2, "ping", json!({}), false)).header("mcp-session-id", &session);
        assert_eq!(gone.send().await.unwrap().status(), 404);
    }
    site.echo.until(|seen| seen.initialized == 4).await;
}

#[tokio::test]
async fn serves_the_stateless_version_without_a_session() {
    // With room for no session at all.
    let site = Site::with(HttpConfig { max_sessions: 0, ..HttpConfig::default() }).await;
    let discover = site.post(&request("d", "server/discover", json!({}), true)).send().await.unwrap();
    assert!(!discover.headers().contains_key("mcp-session-id"));
    assert!(message(discover).await["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
    let response = site.post(&call(1, "echo", json!({"text": "hello"}), true)).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert!(!response.headers().contains_key("mcp-session-id"));
    assert!(response.headers().contains_key("content-length"));
    let answer = message(response).await;
    assert_eq!((text_of(&answer), &answer["result"]["resultType"]), ("hello", &json!("complete")));
    assert_eq!(refused(site.post(&initialize(0, "2025-11-25"))).await, (503, -32603, Value::Null));
}

#[tokio::test]
async fn rmcps_own_client_gets_along() {
    let site = Site::new().await;
    let client = ().serve(StreamableHttpClientTransport::from_uri(site.url.as_str())).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), TOOLS.len());
    let arguments = json!({"text": "hi"}).as_object().unwrap().clone();
    let result = client.call_tool(CallToolRequestParams::new("echo").with_arguments(arguments)).await.unwrap();
    assert!(serde_json::to_string(&result).unwrap().contains("\"hi\""));
    client.cancel().await.unwrap();
    site.closing.cancel();
    site.ends().await;
}

#[tokio::test]
async fn a_full_house_refuses_new_sessions_and_keeps_the_old() {
    let site = Site::with(HttpConfig { max_sessions: 1, ..HttpConfig::default() }).await;
    let session = site.session("2025-06-18").await;
    let response = site.post(&initialize(0, "2025-06-18")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"10".parse().unwrap()));
    let ping = site.post(&request(1, "ping", json!({}), false)).header("mcp-session-id", &session);
    assert_eq!(message(ping.send().await.unwrap()).await["result"], json!({}));
    site.ask(Method::DELETE).header("mcp-session-id", &session).send().await.unwrap();
    site.session("2025-06-18").await;
}

#[tokio::test]
async fn calls_on_one_connection_do_not_wait_for_acknowledgements() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        for id in 1..=25 {
            let ask = site.post(&call(id, "echo", json!({"text": "x"}), false)).header("mcp-session-id", &session);
            assert_eq!(text_of(&message(ask.send().await.unwrap()).await), "x");
        }
        best = best.min(began.elapsed());
        if best < Duration::from_millis(800) {
            return;
        }
    }
    // 40 ms each, were Nagle's algorithm on; a busy machine is slow now and then.
    panic!("{best:?}");
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_its_stateless_call() {
    let site = Site::new().await;
    let ask = site.post(&call(1, "slow", json!({"ms": 60_000}), true));
    assert!(ask.timeout(Duration::from_millis(300)).send().await.is_err());
    site.echo.until(|seen| seen.cancelled == 1).await;
}

#[tokio::test]
async fn more_connections_than_allowed_wait() {
    let site = Site::with(HttpConfig { max_connections: 1, ..HttpConfig::default() }).await;
    let address = site.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let first = tokio::net::TcpStream::connect(&address).await.unwrap();
    let ask = || site.post(&request(1, "server/discover", json!({}), true));
    assert!(ask().timeout(Duration::from_millis(300)).send().await.is_err());
    drop(first);
    assert_eq!(ask().send().await.unwrap().status(), 200);
}
