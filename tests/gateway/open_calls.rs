//! Calls that stay open at a server up to 2025-11-25 while a client of 2026-07-28 is asked.

use std::time::Duration;

use serde_json::{Value, json};

use super::strange;
use crate::harness::{Era, Spec, soon, until};
use crate::steps::talk::{Talk, able, accept, retry};

const GONE: &str = "the server `odd` does not wait for this answer any more: make the call again";

fn strange() -> Spec {
    Spec::new(&format!("sources: {{ odd: {{ mcp: {} }} }}\nimport: [{{ mcp: odd }}]", strange::server("usual")))
}

fn notes(spec: &Spec, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(spec.folder().join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

fn call(tool: &str) -> Value {
    json!({ "name": tool, "arguments": {} })
}

/// A modern client over each transport.
async fn modern(check: impl AsyncFn(Talk, Spec)) {
    let spec = strange();
    check(Talk::stdio(&spec, Era::Modern, able()).await, spec).await;
    let spec = strange();
    check(Talk::http(&spec, Era::Modern, able()).await, spec).await;
}

/// The call once more, with an answer to each question.
fn answered(call: &Value, asks: &Value) -> Value {
    retry(call, asks, &mut |_, _| accept(json!({ "name": "Ann" })))
}

/// Calls until it is answered so.
async fn called_until(talk: &mut Talk, call: Value, enough: impl Fn(&Value) -> bool) {
    let calling = async {
        while !enough(&talk.once("tools/call", call.clone()).await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the right answer", calling).await;
}

#[tokio::test]
async fn an_open_call_goes_on_for_its_own_request_once() {
    modern(async |mut talk, spec| {
        let ask = call("ask");
        let first = talk.once("tools/call", ask.clone()).await;
        assert_eq!(first["result"]["inputRequests"].as_object().unwrap().len(), 1, "{first}");
        let mut other = answered(&ask, &first);
        other["arguments"] = json!({ "a": 1 });
        assert_eq!(talk.once("tools/call", other).await["error"]["code"], -32602);
        let mut other = answered(&ask, &first);
        other["name"] = json!("ask_talk");
        assert_eq!(talk.once("tools/call", other).await["error"]["code"], -32602);
        let mut changed = answered(&ask, &first);
        changed["requestState"] = json!(format!("{}x", changed["requestState"].as_str().unwrap()));
        assert_eq!(talk.once("tools/call", changed).await["error"]["code"], -32602);
        // Who comes back without an answer is asked again.
        let second = talk.once("tools/call", retry(&ask, &first, &mut |_, _| None)).await;
        assert_eq!(second["result"]["inputRequests"], first["result"]["inputRequests"], "{second}");
        assert_eq!(text(&talk.once("tools/call", answered(&ask, &first)).await), GONE, "a state is used once");
        let done = talk.once("tools/call", answered(&ask, &second)).await;
        assert_eq!(text(&done), "{\"action\":\"accept\",\"content\":{\"name\":\"Ann\"}}");
        assert_eq!(text(&talk.once("tools/call", answered(&ask, &second)).await), GONE);
        assert_eq!(notes(&spec, "asking"), ["ask"], "it was called once");
        assert!(notes(&spec, "cancelled").is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_comes_back_again_and_again_without_an_answer_is_given_up() {
    modern(async |mut talk, spec| {
        let ask = call("ask");
        let mut asks = talk.once("tools/call", ask.clone()).await;
        for _ in 0..9 {
            asks = talk.once("tools/call", retry(&ask, &asks, &mut |_, _| None)).await;
        }
        let end = talk.once("tools/call", retry(&ask, &asks, &mut |_, _| None)).await;
        assert_eq!(text(&end), "the server `odd` asks again and again");
        until("the other end to hear of it", async || !notes(&spec, "cancelled").is_empty()).await;
    })
    .await;
}

#[tokio::test]
async fn several_questions_and_progress_find_their_call() {
    Talk::everywhere(&strange(), able(), async |mut talk| {
        let answer = talk
            .call("ask_twice", json!({}), &mut |_, params| {
                accept(json!({ "name": params["message"].as_str().unwrap() }))
            })
            .await;
        assert!(text(&answer).contains("Who?") && text(&answer).contains("Whose?"), "{answer}");
        talk.meta = json!({ "progressToken": "mine" });
        let answer = talk.call("ask_talk", json!({}), &mut |_, _| accept(json!({ "name": "Ann" }))).await;
        assert!(text(&answer).contains("Ann"), "{answer}");
        let told = loop {
            let told = talk.hears().await;
            if told["method"] == "notifications/progress" {
                break told;
            }
        };
        assert_eq!((&told["params"]["progressToken"], &told["params"]["progress"]), (&json!("mine"), &json!(7.0)));
    })
    .await;
}

#[tokio::test]
async fn another_spec_takes_open_calls_back() {
    modern(async |mut talk, spec| {
        let ask = call("ask");
        let asks = talk.once("tools/call", ask.clone()).await;
        spec.write(&format!("{}\ntools: {{ own: {{ text: mine }} }}", spec.get("spec.yaml")));
        until("the other end to hear of it", async || !notes(&spec, "cancelled").is_empty()).await;
        assert_eq!(notes(&spec, "cancelled"), ["\"nobody came back with an answer\""]);
        called_until(&mut talk, answered(&ask, &asks), |answer| answer["error"]["code"] == -32602).await;
        assert_eq!(notes(&spec, "pids").len(), 1, "the process is the same");
    })
    .await;
}

#[tokio::test]
async fn open_calls_end_with_their_server() {
    modern(async |mut talk, spec| {
        let ask = call("ask");
        let asks = talk.once("tools/call", ask.clone()).await;
        let dead = talk.once("tools/call", call("die")).await;
        assert_eq!(text(&dead), "the server `odd` ended before it answered; it is being started again");
        until("another process", async || notes(&spec, "pids").len() > 1).await;
        called_until(&mut talk, call("echo"), |answer| answer["result"]["isError"] != true).await;
        assert_eq!(text(&talk.once("tools/call", answered(&ask, &asks)).await), GONE);
    })
    .await;
}

#[tokio::test]
async fn the_gateway_ends_with_calls_open() {
    let spec = strange();
    let mut talk = Talk::stdio(&spec, Era::Modern, able()).await;
    talk.once("tools/call", call("ask")).await;
    talk.process().close_stdin();
    assert_eq!(talk.process().exit().await, 0);
    assert_eq!(notes(&spec, "ends"), ["at the end of stdin"]);
}

#[tokio::test]
async fn steps_that_ask_are_done_once() {
    // Its steps are done once: the first has its answer by the time that the second asks.
    let text_of = format!(
        "sources: {{ odd: {{ mcp: {} }} }}\ntools:\n  both:\n    steps:\n      - {{ mcp: {{ source: odd, tool: ask }}, as: one }}\n      - {{ mcp: {{ source: odd, tool: ask_twice }}, as: two }}\n    result: {{ text: '{{{{one}}}} {{{{two}}}}' }}",
        strange::server("usual")
    );
    let spec = Spec::new(&text_of);
    let mut talk = Talk::stdio(&spec, Era::Modern, able()).await;
    let answer = talk.call("both", json!({}), &mut |_, params| accept(json!({ "name": params["message"] }))).await;
    assert_eq!(text(&answer).matches("accept").count(), 3, "{answer}");
    assert_eq!(notes(&spec, "asking"), ["ask", "ask_twice"]);
}
