//! The forms that answers and requests come in.

use super::*;

/// A call in a session, with an `Accept` of its own.
async fn accepting(site: &Site, session: &str, accept: &str, message: &Value) -> Response {
    let ask = site.raw(message.to_string()).header("mcp-session-id", session).header("accept", accept);
    ask.send().await.unwrap()
}

fn token(mut message: Value) -> Value {
    message["params"]["_meta"]["progressToken"] = json!("t");
    message
}

#[tokio::test]
async fn sessions_answer_in_the_form_that_is_accepted() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    for (id, accept, form) in [
        (1, "application/json", "application/json"),
        (2, "text/event-stream", "text/event-stream"),
        (3, "application/json, text/event-stream", "text/event-stream"),
        (4, "*/*", "application/json"),
        (5, "application/json, text/plain, */*", "application/json"),
    ] {
        let response = accepting(&site, &session, accept, &call(id, "echo", json!({"text": "x"}), false)).await;
        assert_eq!(response.headers()["content-type"], form, "{accept}");
        let answer = message(response).await;
        assert_eq!((text_of(&answer), &answer["id"]), ("x", &json!(id)));
    }
    let response = accepting(&site, &session, "text/html", &call(6, "echo", json!({}), false)).await;
    assert_eq!(response.status(), 406);
}

#[tokio::test]
async fn a_client_of_json_alone_begins_and_calls() {
    let site = Site::new().await;
    let begin = site.raw(initialize(0, "2025-03-26").to_string()).header("accept", "application/json");
    let response = begin.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    assert_eq!(message(response).await["result"]["serverInfo"]["name"], "echo");

    let json = "application/json";
    let reported = accepting(&site, &session, json, &token(call(1, "report", json!({}), false))).await;
    assert_eq!(text_of(&message(reported).await), "reported");
    let asked = accepting(&site, &session, json, &call(2, "ask", json!({}), false)).await;
    assert_eq!(text_of(&message(asked).await), "refused");
    for (id, anything) in [(4, "*/*"), (5, "application/json, text/plain, */*")] {
        let asked = accepting(&site, &session, anything, &call(id, "ask", json!({}), false)).await;
        assert_eq!(text_of(&message(asked).await), "refused", "{anything}");
    }
    let unknown = accepting(&site, &session, json, &request(3, "no/such", json!({}), false)).await;
    assert_eq!(message(unknown).await["error"]["code"], -32601);
}

#[tokio::test]
async fn stateless_calls_answer_in_the_form_that_is_accepted() {
    let site = Site::new().await;
    let ask = |accept: &'static str, message: &Value| {
        let mut ask = site.post(message).build().unwrap();
        ask.headers_mut().insert("accept", accept.parse().unwrap());
        RequestBuilder::from_parts(site.client.clone(), ask)
    };
    let report = token(call(1, "report", json!({}), true));
    let both = ask("application/json, text/event-stream", &report).send().await.unwrap();
    assert_eq!(both.headers()["content-type"], "text/event-stream", "it has more than the answer to say");
    assert_eq!(messages(both).await.len(), 2);
    assert_eq!(text_of(&message(ask("application/json", &report).send().await.unwrap()).await), "reported");
    let echo = call(2, "echo", json!({"text": "x"}), true);
    let events = ask("text/event-stream", &echo).send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    assert_eq!(text_of(&message(events).await), "x");
    assert_eq!(refused(ask("application/json", &listen(3))).await, (406, -32600, json!(3)));
}

#[tokio::test]
async fn a_cancelled_call_of_a_client_of_json_alone_ends() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let slow = call(1, "slow", json!({"ms": 60_000}), false);
    let ask = site.raw(slow.to_string()).header("mcp-session-id", &session).header("accept", "application/json");
    let ask = tokio::spawn(ask.send());
    site.echo.until(|seen| seen.started == 1).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    site.post(&cancel).header("mcp-session-id", &session).send().await.unwrap();
    let answer = message(ask.await.unwrap().unwrap()).await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32603)));
}

#[tokio::test]
async fn batches_of_2025_03_26_are_answered_in_one_array() {
    let site = Site::new().await;
    let session = site.session("2025-03-26").await;
    let batch = json!([
        call(1, "slow", json!({"ms": 200}), false),
        {"jsonrpc": "2.0", "method": "notifications/x"},
        token(call("two", "report", json!({}), false)),
        initialize(3, "2025-03-26"),
        {"jsonrpc": "2.0", "id": 4, "method": 5},
        request(5, "no/such", json!({}), false),
        call(1, "echo", json!({}), false),
        7,
    ]);
    let response = accepting(&site, &session, "application/json, text/event-stream", &batch).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let answers: Vec<Value> = response.json().await.unwrap();
    let seen: Vec<_> = answers.iter().map(|answer| (answer["id"].clone(), answer["error"]["code"].as_i64())).collect();
    assert_eq!(
        seen,
        [
            (json!(1), None),
            (json!("two"), None),
            (json!(3), Some(-32600)),
            (json!(4), Some(-32600)),
            (json!(5), Some(-32601)),
            (json!(1), Some(-32600)),
            (Value::Null, Some(-32600)),
        ]
    );
    assert_eq!(text_of(&answers[0]), "slept");
    let events = accepting(&site, &session, "text/event-stream", &json!([request(6, "ping", json!({}), false)])).await;
    assert_eq!(message(events).await[0]["id"], 6);
}

#[tokio::test]
async fn batches_that_need_no_answer_are_accepted() {
    let site = Site::new().await;
    let session = site.session("2025-03-26").await;
    let quiet = json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]);
    let response = accepting(&site, &session, "*/*", &quiet).await;
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (202, ""));
    let post = |body: String| site.raw(body).header("mcp-session-id", &session);
    assert_eq!(refused(post("[]".into())).await, (400, -32600, Value::Null));
    assert_eq!(refused(post("[1,".into())).await, (400, -32700, Value::Null));
    assert_eq!(refused(post(format!("[{}1]", "1,".repeat(100)))).await, (400, -32600, Value::Null));
}

#[tokio::test]
async fn batches_of_other_versions_are_refused() {
    let site = Site::new().await;
    let batch = json!([request(1, "ping", json!({}), false)]).to_string();
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let session = site.session(version).await;
        let post = site.raw(batch.clone()).header("mcp-session-id", &session);
        assert_eq!(refused(post).await, (400, -32600, Value::Null), "{version}");
    }
    assert_eq!(refused(site.raw(batch.clone())).await.0, 400);
    assert_eq!(refused(site.raw(batch).header("mcp-session-id", "no-such")).await.0, 404);
}

#[tokio::test]
async fn large_answers_are_compressed_where_it_is_accepted() {
    let site = Site::new().await;
    let client = reqwest::Client::builder().no_proxy().gzip(false).build().unwrap();
    let ask = async |bytes: usize, encoding: &str| {
        let ask = site.post(&call(1, "echo", json!({"text": "x".repeat(bytes)}), true)).build().unwrap();
        let ask = RequestBuilder::from_parts(client.clone(), ask).header("accept-encoding", encoding);
        let response = ask.send().await.unwrap();
        let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (encoding, response.bytes().await.unwrap())
    };
    let (encoding, body) = ask(100_000, "gzip, br").await;
    assert_eq!((encoding.as_deref(), body.first()), (Some("gzip"), Some(&0x1f)));
    assert!(body.len() < 2000, "{}", body.len());
    assert_eq!(ask(100_000, "identity").await.0, None);
    assert_eq!(ask(100, "gzip").await.0, None);
    let plain = site.post(&call(2, "echo", json!({"text": "x".repeat(100_000)}), true)).send().await.unwrap();
    assert_eq!(text_of(&message(plain).await).len(), 100_000, "the client unpacks it");
}

#[tokio::test]
async fn event_streams_are_not_compressed() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let large = call(1, "echo", json!({"text": "x".repeat(100_000)}), false);
    let ask = site.post(&large).header("mcp-session-id", &session).header("accept-encoding", "gzip");
    let response = ask.send().await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    assert_eq!(text_of(&message(response).await).len(), 100_000);
}
