//! Web pages that a server sends the user to.

use serde_json::{Value, json};

use super::strange;
use crate::harness::{Era, Spec};
use crate::steps::talk::{Talk, able};

fn strange() -> Spec {
    Spec::new(&format!("sources: {{ odd: {{ mcp: {} }} }}\nimport: [{{ mcp: odd }}]", strange::server("usual")))
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

fn browsing() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} } })
}

/// The one page that was asked for.
fn visited(params: &Value, url: &str) -> Option<Value> {
    assert_eq!((&params["mode"], &params["url"], &params["message"]), (&json!("url"), &json!(url), &json!("Pay here")));
    Some(json!({ "action": "accept" }))
}

#[tokio::test]
async fn users_are_sent_to_pages_by_clients_that_can() {
    Talk::everywhere(&strange(), browsing(), async |mut talk| {
        let answer = talk.call("visit", json!({}), &mut |_, params| visited(params, "https://bank.example/pay")).await;
        assert_eq!(text(&answer), "{\"action\":\"accept\"}");
        if talk.era == Era::Legacy {
            let told = loop {
                let told = talk.hears().await;
                if told["method"] == "notifications/elicitation/complete" {
                    break told;
                }
            };
            assert_eq!(told["params"]["elicitationId"], "v-1");
        }
        while let Some(told) = talk.hears_more() {
            assert_ne!(told["method"], "notifications/elicitation/complete", "{told}");
        }
        let answer = talk.call("visit_file", json!({}), &mut |_, _| panic!("it was asked")).await;
        assert!(text(&answer).contains("it sends the user to an address that is no web page"), "{answer}");
        let answer =
            talk.call("visit_first", json!({}), &mut |_, params| visited(params, "https://bank.example/first")).await;
        assert_eq!(text(&answer), "the server `odd` sent the user to a web page: call again when that is done");
    })
    .await;
}

#[tokio::test]
async fn others_are_told_why_not() {
    Talk::everywhere(&strange(), able(), async |mut talk| {
        let answer = talk.call("visit", json!({}), &mut |_, _| panic!("it was asked")).await;
        let why = "the client of this call can't be asked for a visit to a web page (elicitation's `url` mode)";
        assert!(text(&answer).contains(why), "{answer}");
        let answer = talk.call("visit_first", json!({}), &mut |_, _| panic!("it was asked")).await;
        let why = "the server `odd` wants the user to visit a web page first, which this client can't be asked for";
        assert!(text(&answer).starts_with(why), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_declined_visit_is_the_servers_to_hear_of() {
    Talk::everywhere(&strange(), browsing(), async |mut talk| {
        let answer = talk.call("visit", json!({}), &mut |_, _| Some(json!({ "action": "decline" }))).await;
        assert_eq!(text(&answer), "{\"action\":\"decline\"}");
        let answer = talk.call("visit_first", json!({}), &mut |_, _| Some(json!({ "action": "decline" }))).await;
        let why = "the server `odd` wants the user to visit a web page first, which the user declined";
        assert_eq!(text(&answer), why);
    })
    .await;
}
