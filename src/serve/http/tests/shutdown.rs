use super::*;

#[tokio::test]
async fn an_idle_server_ends_at_once() {
    let site = Site::new().await;
    site.session("2025-11-25").await;
    site.closing.cancel();
    tokio::time::timeout(HttpConfig::default().grace / 2, site.ends()).await.unwrap();
}

#[tokio::test]
async fn open_streams_end_and_calls_finish() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let events = site.ask(Method::GET).header("accept", "text/event-stream").header("mcp-session-id", &session);
    let mut events = events.send().await.unwrap();
    let listening = site.post(&listen("sub")).send().await.unwrap();
    assert_eq!(listening.headers()["content-type"], "text/event-stream");
    let modern = tokio::spawn(site.post(&call(1, "slow", json!({}), true)).send());
    let legacy = tokio::spawn(site.post(&call(2, "slow", json!({}), false)).header("mcp-session-id", &session).send());
    site.echo.until(|seen| seen.started == 2).await;

    site.closing.cancel();
    let heard = messages(listening).await;
    assert_eq!(heard.first().unwrap()["method"], "notifications/subscriptions/acknowledged");
    assert_eq!((heard.len(), &heard[1]["id"]), (2, &json!("sub")));
    assert!(!modern.is_finished() && !legacy.is_finished(), "the streams waited for the calls");
    site.echo.released.cancel();
    for answer in [modern, legacy] {
        let response = answer.await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(text_of(&message(response).await), "slept");
    }
    while events.chunk().await.unwrap().is_some() {}
    site.ends().await;
}

#[tokio::test]
async fn listen_hears_changes() {
    let site = Site::new().await;
    let listening = site.post(&listen(9)).send().await.unwrap();
    site.post(&call(1, "notify", json!({}), true)).send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    site.closing.cancel();
    let heard = messages(listening).await;
    assert_eq!(heard[1]["method"], "notifications/tools/list_changed");
    assert_eq!(heard[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 9);
}

#[tokio::test]
async fn endless_calls_are_cut_off_after_the_grace() {
    let site = Site::with(HttpConfig { grace: Duration::from_millis(300), ..HttpConfig::default() }).await;
    let session = site.session("2025-11-25").await;
    let endless = json!({"ms": 3_600_000});
    let asks = [
        site.post(&call(1, "slow", endless.clone(), true)),
        site.post(&call(2, "slow", endless, false)).header("mcp-session-id", &session),
    ];
    let calls = asks.map(|ask| tokio::spawn(ask.send()));
    site.echo.until(|seen| seen.started == 2).await;
    let echo = site.echo.clone();
    site.closing.cancel();
    site.ends().await;
    echo.until(|seen| seen.cancelled == 2).await;
    for call in calls {
        call.abort();
    }
}

#[tokio::test]
async fn no_new_connection_is_taken_after_closing() {
    let site = Site::new().await;
    site.closing.cancel();
    let Site { url, client, server, .. } = site;
    server.await.unwrap();
    assert!(client.get(url).send().await.unwrap_err().is_connect());
}
