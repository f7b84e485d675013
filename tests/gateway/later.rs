//! A server that answers calls later: its tasks are waited for behind a plain call.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::own;
use crate::harness::upstream::{Asked, answer, json as body};
use crate::harness::{Era, Spec, Upstream, everywhere, until};
use crate::steps::talk::{Talk, able, accept};

const LATER: &str = r#"
server: { name: later }
tools:
  slow: { requires: { tasks: {} }, longRunning: true, shell: { script: 'sleep 1; echo done' } }
  fails: { requires: { tasks: {} }, longRunning: true, content: [{ type: text, text: 'no such book' }], isError: true }
  either: { longRunning: true, text: at once }
  never: { requires: { tasks: {} }, longRunning: true, shell: { script: 'echo $$ > never.pid; sleep 600', timeout: 10m } }
  asks:
    requires: { tasks: {} }
    longRunning: true
    steps:
      - { shell: { script: 'echo began >> began.txt' } }
      - ask: { message: 'Who?', schema: { type: object, properties: { name: { type: string } }, required: [name] } }
        as: who
      - ask: { message: 'Whose?', schema: { type: object, properties: { name: { type: string } }, required: [name] } }
        as: whose
    result: { text: '{{who.content.name}} and {{whose.content.name}}' }
"#;

fn gateway(rest: &str) -> Spec {
    let text = format!("sources: {{ later: {{ mcp: {} }} }}\nimport: [{{ mcp: later{rest} }}]", own());
    let text = text.replace("shop.yaml", "later.yaml");
    Spec::new(&text).file("later.yaml", LATER)
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

#[tokio::test]
async fn a_task_is_a_plain_call_here() {
    everywhere(&gateway(""), async |client| {
        assert_eq!(client.text("slow", json!({})).await, "done\n");
        assert_eq!(client.fails("fails", json!({})).await, "no such book");
        assert_eq!(client.text("either", json!({})).await, "at once");
    })
    .await;
}

#[tokio::test]
async fn what_a_task_asks_reaches_the_user_in_both_eras() {
    for era in [Era::Legacy, Era::Modern] {
        let spec = gateway("");
        let mut talk = Talk::stdio(&spec, era, able()).await;
        let answer = talk.call("asks", json!({}), &mut |_, params| accept(json!({ "name": params["message"] }))).await;
        assert_eq!(text(&answer), "Who? and Whose?");
        assert_eq!(std::fs::read_to_string(spec.folder().join("began.txt")).unwrap(), "began\n", "it is one task");
    }
}

#[tokio::test]
async fn a_task_that_nobody_waits_for_is_cancelled() {
    let spec = gateway(", override: { never: { mcp: { timeout: 5s } } }");
    let client = spec.stdio(Era::Modern).await;
    assert_eq!(client.fails("never", json!({})).await, "the server `later` did not answer within 5s");
    let pid = || std::fs::read_to_string(spec.folder().join("never.pid")).unwrap_or_default();
    until("its process", async || pid().ends_with('\n')).await;
    let stat = format!("/proc/{}/stat", pid().trim());
    until("the end of its process", async || {
        let state = std::fs::read_to_string(&stat).unwrap_or_default();
        state
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().next())
            .is_none_or(|state| "ZX".contains(state))
    })
    .await;
}

/// A server whose every tool is a task of the same name that asks something.
async fn asking() -> (Upstream, Spec) {
    // What its task was told, and how often it was looked at since.
    let state = Arc::new(Mutex::new((Vec::<Value>::new(), 0)));
    let server = Upstream::start(move |asked| respond(asked, &mut state.lock().unwrap())).await;
    let spec = format!("sources: {{ later: {{ mcp: '{}' }} }}\nimport: [{{ mcp: later }}]", server.url("/mcp"));
    (server, Spec::new(&spec))
}

fn respond(asked: &Asked, (told, looks): &mut (Vec<Value>, usize)) -> axum::response::Response {
    if asked.method != "POST" {
        return answer(405, &[], "");
    }
    let message = asked.json();
    let (id, params) = (&message["id"], &message["params"]);
    let mut result = match message["method"].as_str().unwrap() {
        "server/discover" => json!({
            "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} }, "ttlMs": 0, "cacheScope": "private",
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "asking", "version": "1" } },
        }),
        "tools/list" => {
            let all = ["slowly", "endless", "samples"];
            let all = all.map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }));
            json!({ "tools": all, "ttlMs": 0, "cacheScope": "private" })
        }
        "tools/call" => {
            let mut begun = task(&params["name"], "working", json!({}));
            begun["resultType"] = json!("task");
            begun
        }
        "tasks/get" => {
            *looks += usize::from(!told.is_empty());
            look(&params["taskId"], told, *looks)
        }
        "tasks/update" => {
            told.push(params["inputResponses"].clone());
            json!({})
        }
        "tasks/cancel" => json!({}),
        method if method.starts_with("notifications/") => return answer(202, &[], ""),
        _ => {
            let error = json!({ "code": -32601, "message": "no such method" });
            return body(json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string());
        }
    };
    if result["resultType"].is_null() {
        result["resultType"] = json!("complete");
    }
    body(json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string())
}

fn task(id: &Value, status: &str, more: Value) -> Value {
    let now = "2026-07-28T00:00:00Z";
    let mut task = json!({ "taskId": id, "status": status, "createdAt": now, "lastUpdatedAt": now, "ttlMs": null,
        "pollIntervalMs": 50 });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

fn look(id: &Value, told: &[Value], looks: usize) -> Value {
    let asks = |keys: &[String]| {
        let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
        let one = |key: &String| {
            let params = json!({ "mode": "form", "message": key, "requestedSchema": schema });
            (key.clone(), json!({ "method": "elicitation/create", "params": params }))
        };
        let all: serde_json::Map<String, Value> = keys.iter().map(one).collect();
        task(id, "input_required", json!({ "inputRequests": all }))
    };
    match id.as_str().unwrap() {
        // It takes what it is told in one by one, and not at once.
        "slowly" if looks < 3 => asks(&["a".to_owned(), "b".to_owned()]),
        "slowly" if looks < 4 => asks(&["b".to_owned()]),
        "slowly" if told.iter().all(|told| told.get("c").is_none()) => asks(&["b".to_owned(), "c".to_owned()]),
        "slowly" => {
            let words = json!([{ "type": "text", "text": json!(told).to_string() }]);
            task(id, "completed", json!({ "result": { "content": words, "resultType": "complete" } }))
        }
        "endless" => asks(&[format!("question-{}", told.len())]),
        _ => {
            let params = json!({ "messages": [], "maxTokens": 1 });
            let sample = json!({ "method": "sampling/createMessage", "params": params });
            task(id, "input_required", json!({ "inputRequests": { "s": sample } }))
        }
    }
}

async fn is_cancelled(server: &Upstream) {
    until("its end", async || server.asked().iter().any(|asked| asked.text().contains("\"tasks/cancel\""))).await;
}

#[tokio::test]
async fn what_a_task_was_told_is_not_asked_again() {
    for era in [Era::Legacy, Era::Modern] {
        let (server, spec) = asking().await;
        let mut talk = Talk::stdio(&spec, era, able()).await;
        let mut asked = Vec::new();
        let mut user = |_: &str, params: &Value| {
            asked.push(params["message"].as_str().unwrap().to_owned());
            Some(json!({ "action": "decline" }))
        };
        let answer = talk.call("slowly", json!({}), &mut user).await;
        let no = json!({ "action": "decline" });
        let told: Value = serde_json::from_str(text(&answer)).unwrap();
        assert_eq!(told, json!([{ "a": no, "b": no }, { "c": no }]), "{era:?}");
        asked.sort();
        assert_eq!(asked, ["a", "b", "c"], "{era:?}");
        assert!(!server.asked().iter().any(|asked| asked.text().contains("\"tasks/cancel\"")));
    }
}

#[tokio::test]
async fn a_task_that_asks_on_and_on_is_given_up() {
    let (server, spec) = asking().await;
    let mut talk = Talk::stdio(&spec, Era::Legacy, able()).await;
    let mut count = 0;
    let mut user = |_: &str, _: &Value| {
        count += 1;
        accept(json!({ "name": "x" }))
    };
    let answer = talk.call("endless", json!({}), &mut user).await;
    assert_eq!((text(&answer), count), ("the server `later` asks again and again", 10));
    is_cancelled(&server).await;
}

#[tokio::test]
async fn a_task_whose_question_can_not_be_asked_is_cancelled() {
    for era in [Era::Legacy, Era::Modern] {
        let (server, spec) = asking().await;
        let mut talk = Talk::stdio(&spec, era, json!({ "elicitation": {} })).await;
        let answer = talk.call("samples", json!({}), &mut |_, _| panic!("it was asked")).await;
        assert!(text(&answer).contains("asks for what the client of this call can't be asked"), "{answer}");
        is_cancelled(&server).await;
    }
}
