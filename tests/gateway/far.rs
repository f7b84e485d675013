//! Servers of 2025-11-25 over HTTP: what they ask, and how they attack.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::harness::upstream::{Asked, answer};
use crate::harness::{Era, Spec, Upstream, until};
use crate::steps::talk::{Talk, able, accept};

/// The event streams that wait for an answer to a question, by its id.
type Open = Arc<Mutex<HashMap<i64, (Value, UnboundedSender<Value>)>>>;

/// An event stream of what is sent; it ends when nobody can send any more.
fn events() -> (UnboundedSender<Value>, Response) {
    let (sender, messages) = unbounded_channel::<Value>();
    let body = stream::unfold(messages, async |mut messages| {
        let message = messages.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(format!("data: {message}\n\n"))), messages))
    });
    (sender, answer(200, &[("content-type", "text/event-stream")], Body::from_stream(body)))
}

fn result(id: &Value, result: Value, session: &str) -> Response {
    let message = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    answer(200, &[("content-type", "application/json"), ("mcp-session-id", session)], message.to_string())
}

fn words(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

/// A server of 2025-11-25 whose session ids change with every answer, and which knows the first alone.
async fn far() -> Upstream {
    let open = Open::default();
    let count = Arc::new(Mutex::new(0));
    Upstream::waiting(move |asked| {
        let (open, count) = (open.clone(), count.clone());
        Box::pin(async move {
            *count.lock().unwrap() += 1;
            let session = format!("session-{}", count.lock().unwrap());
            respond(&asked, &open, &session)
        })
    })
    .await
}

fn respond(asked: &Asked, open: &Open, session: &str) -> Response {
    match asked.method.as_str() {
        "GET" => return answer(405, &[], ""),
        "DELETE" => return answer(200, &[], ""),
        _ => {}
    }
    let message = asked.json();
    let (id, params) = (&message["id"], &message["params"]);
    match message["method"].as_str() {
        Some("initialize") => {
            let info = json!({ "name": "far", "version": "1" });
            let capabilities = json!({ "tools": {} });
            let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info });
            result(id, hello, session)
        }
        Some("tools/list") => {
            let names = ["ask", "forever", "echo", "huge"];
            let all = names.map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }));
            result(id, json!({ "tools": all }), session)
        }
        Some("tools/call") => call(id, params, open, session),
        Some(method) if method.starts_with("notifications/") => answer(202, &[], ""),
        Some(_) => {
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no such method" } });
            answer(200, &[("content-type", "application/json")], error.to_string())
        }
        None => {
            let (call, sender) = open.lock().unwrap().remove(&id.as_i64().unwrap()).unwrap();
            let told = words(&message["result"].to_string());
            sender.send(json!({ "jsonrpc": "2.0", "id": call, "result": told })).unwrap();
            answer(202, &[], "")
        }
    }
}

fn call(id: &Value, params: &Value, open: &Open, session: &str) -> Response {
    match params["name"].as_str().unwrap() {
        "ask" => {
            let (sender, response) = events();
            let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
            sender
                .send(json!({ "jsonrpc": "2.0", "id": 77, "method": "elicitation/create",
                    "params": { "message": "Who?", "requestedSchema": schema } }))
                .unwrap();
            open.lock().unwrap().insert(77, (id.clone(), sender));
            response
        }
        "forever" => {
            let (sender, response) = events();
            let token = params["_meta"]["progressToken"].clone();
            tokio::spawn(async move {
                let noise = json!({ "jsonrpc": "2.0", "method": "notifications/progress",
                    "params": { "progressToken": token, "progress": 1 } });
                while sender.send(noise.clone()).is_ok() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            response
        }
        "huge" => {
            let part = Bytes::from(vec![b'x'; 1 << 16]);
            let body = stream::repeat_with(move || Ok::<_, Infallible>(part.clone()));
            answer(200, &[("content-type", "text/event-stream")], Body::from_stream(body))
        }
        _ => result(id, words("here"), session),
    }
}

fn gateway(url: &str, more: &str) -> Spec {
    Spec::new(&format!("sources: {{ far: {{ mcp: '{url}'{more} }} }}\nimport: [{{ mcp: far }}]"))
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

#[tokio::test]
async fn its_questions_reach_the_user_in_both_eras() {
    let server = far().await;
    Talk::everywhere(&gateway(&server.url("/mcp"), ""), able(), async |mut talk| {
        let answer = talk.call("ask", json!({}), &mut |_, _| accept(json!({ "name": "Ann" }))).await;
        assert_eq!(text(&answer), "{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}");
    })
    .await;
}

#[tokio::test]
async fn the_session_is_the_one_that_it_gave_first() {
    let server = far().await;
    let client = gateway(&server.url("/mcp"), "").stdio(Era::Modern).await;
    for _ in 0..3 {
        assert_eq!(client.text("echo", json!({})).await, "here");
    }
    let asked = server.asked();
    let first = asked.iter().position(|one| one.text().contains("\"initialize\"")).unwrap() + 1;
    let sessions: Vec<&str> = asked[first..].iter().map(|one| one.header("mcp-session-id")).collect();
    assert!(sessions.len() > 3 && sessions.iter().all(|id| *id == format!("session-{first}")), "{sessions:?}");
}

#[tokio::test]
async fn streams_without_end_are_left() {
    let server = far().await;
    let spec = gateway(&server.url("/mcp"), ", maxBytes: 1MiB");
    let import =
        spec.get("spec.yaml").replace("mcp: far }", "mcp: far, override: { forever: { mcp: { timeout: 2s } } } }");
    spec.write(&import);
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.fails("forever", json!({})).await, "the server `far` did not answer within 2s");
    let words = client.fails("huge", json!({})).await;
    assert!(words.starts_with("the server `far` "), "{words}");
    until("an answer", async || client.call("echo", json!({})).await["isError"] != true).await;
}

#[tokio::test]
async fn redirects_are_not_followed_and_credentials_stay() {
    let thief = Upstream::ok().await;
    for status in [301, 302, 303, 307, 308] {
        let there = thief.url("/mcp");
        let server = Upstream::start(move |_| answer(status, &[("location", &there)], "")).await;
        let spec =
            gateway(&server.url("/mcp"), ", auth: { bearer: '${TOKEN}' }, timeout: 5s").env("TOKEN", "t0ps3cret");
        let check = spec.run("check", &[]).await;
        assert!(check.out.contains(&format!("it answered with HTTP status {status}")), "{}{}", check.out, check.err);
        assert!(!format!("{}{}", check.out, check.err).contains("t0ps3cret"));
    }
    assert_eq!(thief.asked().len(), 0);
}

#[tokio::test]
async fn a_demand_for_oauth_is_a_refusal_that_fetches_nothing() {
    let thief = Upstream::ok().await;
    let demand = format!("Bearer resource_metadata=\"{}\", scope=\"all\"", thief.url("/.well-known/oauth"));
    for status in [401, 403] {
        let demand = demand.clone();
        let server = Upstream::start(move |_| answer(status, &[("www-authenticate", &demand)], "")).await;
        let check = gateway(&server.url("/mcp"), ", timeout: 5s").run("check", &[]).await;
        assert!(check.out.contains("it does not take our credentials"), "{}{}", check.out, check.err);
        assert!(check.out.contains("give the source `auth` that it takes"), "{}", check.out);
    }
    assert_eq!(thief.asked().len(), 0);
}
