//! What a server says and asks while it works on a call reaches whoever made the call.

use serde_json::{Value, json};

use super::{own, strange};
use crate::harness::Spec;
use crate::steps::talk::{Talk, able, accept};

fn strange() -> Spec {
    Spec::new(&format!("sources: {{ odd: {{ mcp: {} }} }}\nimport: [{{ mcp: odd }}]", strange::server("usual")))
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

#[tokio::test]
async fn progress_and_messages_reach_the_caller() {
    Talk::everywhere(&strange(), able(), async |mut talk| {
        talk.meta = json!({ "progressToken": "mine", "io.modelcontextprotocol/logLevel": "info" });
        let answer = talk.call("talk", json!({}), &mut |_, _| None).await;
        assert_eq!(text(&answer), "told");
        // Of a session over HTTP, what belongs to no request comes on a stream of its own.
        let (mut heard, mut said) = (Vec::new(), Vec::new());
        while heard.len() < 3 || said.is_empty() {
            let told = talk.hears().await;
            match told["method"].as_str().unwrap() {
                "notifications/progress" => heard.push(told["params"].clone()),
                "notifications/message" => said.push(told["params"].clone()),
                _ => {}
            }
        }
        for (n, progress) in heard.iter().enumerate() {
            assert_eq!(progress["progressToken"], "mine");
            assert_eq!((&progress["progress"], &progress["total"]), (&json!((n + 1) as f64), &json!(3.0)));
            assert_eq!(progress["message"], format!("step {}", n + 1));
        }
        assert_eq!((&said[0]["level"], &said[0]["data"]), (&json!("warning"), &json!("look")));
    })
    .await;
}

/// A server of ours that asks, and answers with what it was told.
const ASKS: &str = r#"
server: { name: asks }
tools:
  order:
    params: { what: string }
    steps:
      - ask: { message: 'How many {{what}}?', schema: { type: object, properties: { n: { type: integer } }, required: [n] } }
        as: many
      - ask: { message: 'To whom?', schema: { type: object, properties: { name: { type: string } }, required: [name] } }
        as: whom
    result: { text: '{{many.content.n}} to {{whom.content.name}}' }
  wipe: { confirm: 'Really?', text: wiped }
"#;

#[tokio::test]
async fn questions_of_a_modern_server_reach_the_user_in_both_eras() {
    let text_of = format!("sources: {{ shop: {{ mcp: {} }} }}\nimport: [{{ mcp: shop }}]", own());
    let spec = Spec::new(&text_of).file("shop.yaml", ASKS);
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut asked = Vec::new();
        let answer = talk
            .call("order", json!({ "what": "books" }), &mut |method, params| {
                assert_eq!(method, "elicitation/create");
                asked.push(params["message"].as_str().unwrap().to_owned());
                accept(if asked.len() == 1 { json!({ "n": 3 }) } else { json!({ "name": "Ann" }) })
            })
            .await;
        assert_eq!(text(&answer), "3 to Ann");
        assert_eq!(asked, ["How many books?", "To whom?"]);
        let answer = talk.call("wipe", json!({}), &mut |_, _| Some(json!({ "action": "decline" }))).await;
        assert_eq!(text(&answer), "the user declined: Really?");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_can_not_be_asked_is_not() {
    let text_of = format!("sources: {{ shop: {{ mcp: {} }} }}\nimport: [{{ mcp: shop }}]", own());
    let spec = Spec::new(&text_of).file("shop.yaml", ASKS);
    Talk::everywhere(&spec, json!({}), async |mut talk| {
        let answer = talk.call("wipe", json!({}), &mut |_, _| panic!("it was asked")).await;
        let words = answer.to_string();
        assert!(words.contains("elicitation"), "{words}");
    })
    .await;
}

#[tokio::test]
async fn questions_of_an_old_server_reach_the_user_in_both_eras() {
    Talk::everywhere(&strange(), able(), async |mut talk| {
        for name in ["Ann", "Ben"] {
            let mut asked = 0;
            let answer = talk
                .call("ask", json!({}), &mut |method, params| {
                    assert_eq!((method, &params["message"]), ("elicitation/create", &json!("Who?")));
                    asked += 1;
                    accept(json!({ "name": name }))
                })
                .await;
            let told: Value = serde_json::from_str(text(&answer)).unwrap();
            assert_eq!(told, json!({ "action": "accept", "content": { "name": name } }));
            assert_eq!(asked, 1);
        }
    })
    .await;
    Talk::everywhere(&strange(), json!({}), async |mut talk| {
        let answer = talk.call("ask", json!({}), &mut |_, _| panic!("it was asked")).await;
        assert!(text(&answer).contains("the client of this call can't be asked for a form"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_second_confirmation_is_the_gateways_own() {
    let text_of = format!(
        "sources: {{ shop: {{ mcp: {} }} }}\nimport: [{{ mcp: shop, include: [order], override: {{ order: {{ confirm: 'Order {{{{what}}}}?' }} }} }}]",
        own()
    );
    let spec = Spec::new(&text_of).file("shop.yaml", ASKS);
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut asked = Vec::new();
        let answer = talk
            .call("order", json!({ "what": "books" }), &mut |_, params| {
                asked.push(params["message"].as_str().unwrap().to_owned());
                accept(match asked.len() {
                    1 => params["requestedSchema"]["properties"]
                        .as_object()
                        .unwrap()
                        .keys()
                        .map(|k| (k.clone(), json!(true)))
                        .collect(),
                    2 => json!({ "n": 3 }),
                    _ => json!({ "name": "Ann" }),
                })
            })
            .await;
        assert_eq!(text(&answer), "3 to Ann", "{asked:?}");
        assert_eq!(asked, ["Order books?", "How many books?", "To whom?"]);
    })
    .await;
}
