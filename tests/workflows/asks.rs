//! Questions inside `parallel`, `forEach` and `onError`: what was done is not done again, and each is asked once.

use serde_json::{Value, json};

use crate::harness::{Era, Spec};
use crate::steps::talk::{Talk, able, accept, says};

const FORM: &str = "schema: { type: object, properties: { ok: { type: boolean } }, required: [ok] }";

fn asking() -> Spec {
    Spec::tools(
        &r#"
        each:
          params: { list: { type: array, items: { type: string } } }
          steps:
            - { shell: { script: 'echo before >> ran' } }
            - forEach: list
              as: answers
              steps:
                - { shell: { script: 'echo "item $item" >> ran' } }
                - { ask: { message: 'Take {{item}}?', FORM }, as: said }
                - { when: said.content.ok, shell: { script: 'echo "take $item" >> ran' } }
          result: { jq: '[.answers[].said.content.ok]', text: '{{json value}}' }
        two_at_once:
          params: { list: { type: array, items: { type: string } } }
          steps: [{ forEach: list, concurrency: 2, as: words, sample: { prompt: '{{item}}', maxTokens: 5 } }]
          result: { text: '{{join words ","}}' }
        side:
          steps:
            - parallel:
                - { steps: [{ shell: { script: 'echo left >> ran' } }, { ask: { message: 'Left?', FORM }, as: a }], as: left }
                - { ask: { message: 'Right?', FORM }, as: right }
                - { shell: { script: 'echo side >> ran; printf done' }, as: done }
          result: { text: '{{left.a.content.ok}} {{right.content.ok}} {{done}}' }
        undo: { params: { why: string }, confirm: 'Undo after {{why}}?', shell: { script: 'echo undone >> ran' } }
        careful:
          steps:
            - { shell: { script: 'echo tried >> ran; exit 3' }, onError: { call: undo, with: { why: '{{error}}' } } }
        declined:
          steps:
            - { ask: { message: 'Left?', FORM }, as: who, onError: continue }
            - { ask: { message: 'Right?', FORM }, as: then }
          result: { text: '{{errors.who}} {{then.content.ok}}' }
        mixed:
          steps:
            - parallel: [{ ask: { message: 'Left?', FORM } }, { shell: { script: 'exit 5' }, as: bad }]
        "#
        .replace("FORM", FORM),
    )
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

/// What the scripts did since the last look.
fn ran(spec: &Spec) -> Vec<String> {
    let lines = spec.get("ran").lines().map(str::to_owned).collect();
    std::fs::remove_file(spec.folder().join("ran")).unwrap();
    lines
}

/// Says yes to what has `yes` in its message.
fn by_message(asked: &mut Vec<String>, params: &Value, yes: &str) -> Option<Value> {
    let message = params["message"].as_str().unwrap().to_owned();
    let ok = message.contains(yes);
    asked.push(message);
    accept(json!({ "ok": ok, "confirm": ok }))
}

#[tokio::test]
async fn each_item_asks_its_own_question() {
    let spec = asking();
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut asked = Vec::new();
        let list = json!({ "list": ["a", "b", "c"] });
        let answer = talk.call("each", list, &mut |_, params| by_message(&mut asked, params, "b?")).await;
        assert_eq!(text(&answer), "[false,true,false]");
        assert_eq!(asked, ["Take a?", "Take b?", "Take c?"]);
        assert_eq!(ran(&spec), ["before", "item a", "item b", "take b", "item c"], "nothing was done twice");
    })
    .await;
}

#[tokio::test]
async fn what_runs_at_once_is_asked_at_once() {
    let spec = asking();
    for mut talk in [Talk::stdio(&spec, Era::Modern, able()).await, Talk::http(&spec, Era::Modern, able()).await] {
        let params = json!({ "name": "side", "arguments": {} });
        let first = talk.once("tools/call", params).await;
        let keys: Vec<&String> = first["result"]["inputRequests"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["step-1.left.a", "step-1.right"], "one round for both");
        assert_eq!(
            {
                let mut ran = ran(&spec);
                ran.sort();
                ran
            },
            ["left", "side"]
        );
        let params = json!({ "name": "two_at_once", "arguments": { "list": ["a", "b", "c"] } });
        let first = talk.once("tools/call", params).await;
        let keys: Vec<&String> = first["result"]["inputRequests"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["words.0", "words.1"], "as many as run at once");
    }
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut asked = Vec::new();
        let answer = talk.call("side", json!({}), &mut |_, params| by_message(&mut asked, params, "Right")).await;
        assert_eq!(text(&answer), "false true done");
        asked.sort();
        assert_eq!(asked, ["Left?", "Right?"]);
        assert_eq!(
            {
                let mut ran = ran(&spec);
                ran.sort();
                ran
            },
            ["left", "side"],
            "once"
        );
        let mut echo = |_: &str, params: &Value| {
            let prompt = params["messages"][0]["content"]["text"].as_str().unwrap();
            says(&prompt.to_uppercase())
        };
        let answer = talk.call("two_at_once", json!({ "list": ["a", "b", "c", "d", "e"] }), &mut echo).await;
        assert_eq!(text(&answer), "A,B,C,D,E");
    })
    .await;
}

#[tokio::test]
async fn what_undoes_a_step_may_ask_first() {
    let spec = asking();
    Talk::everywhere(&spec, able(), async |mut talk| {
        for (yes, what) in [("status 3", vec!["tried", "undone"]), ("never", vec!["tried"])] {
            let mut asked = Vec::new();
            let answer = talk.call("careful", json!({}), &mut |_, params| by_message(&mut asked, params, yes)).await;
            assert_eq!(answer["result"]["isError"], true);
            let words = text(&answer);
            assert!(words.starts_with("`step-1`: `script` ended with status 3\n`undo` was called after it"), "{words}");
            assert_eq!(words.contains("and failed: the user did not say yes"), yes == "never", "{words}");
            assert_eq!(asked, ["Undo after `script` ended with status 3?"]);
            assert_eq!(ran(&spec), what, "tried once");
        }
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_remembered_between_rounds() {
    let spec = asking();
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut asked = Vec::new();
        let mut reply = |_: &str, params: &Value| match params["message"] == "Left?" {
            true => Some(json!({ "action": "decline" })),
            false => by_message(&mut asked, params, "Right"),
        };
        let answer = talk.call("declined", json!({}), &mut reply).await;
        assert_eq!(text(&answer), "the user declined: Left? true");
        let answer = talk.call("mixed", json!({}), &mut |_, _| accept(json!({ "ok": true }))).await;
        let failed = text(&answer).starts_with("`step-1.bad`: `script` ended with status 5");
        assert!(failed, "a failure counts more than a question: {answer}");
    })
    .await;
}

#[tokio::test]
async fn what_is_needed_of_the_client_is_known_before() {
    let spec = asking();
    Talk::everywhere(&spec, json!({ "sampling": {} }), async |mut talk| {
        for tool in ["side", "careful", "mixed"] {
            let answer = talk.call(tool, json!({}), &mut |_, _| None).await;
            match talk.era {
                Era::Legacy => assert!(text(&answer).contains("`elicitation`"), "{answer}"),
                Era::Modern => assert_eq!(answer["error"]["code"], -32021, "{answer}"),
            }
        }
    })
    .await;
    assert!(!spec.folder().join("ran").exists());
}
