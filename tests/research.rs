//! The example `research-assistant`: the client's own model reads what was found. Over both transports, in both eras.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Era, Spec};
use crate::steps::talk::{Talk, accept, says};

fn assistant() -> Spec {
    Spec::copy_of("examples/research-assistant", "research.yaml")
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

fn able() -> Value {
    json!({ "elicitation": {}, "sampling": {} })
}

/// A client whose model says the first line of a note, and joins what it is given.
fn reply(asked: &mut Vec<String>, method: &str, params: &Value) -> Option<Value> {
    if method == "elicitation/create" {
        asked.push(params["message"].as_str().unwrap().to_owned());
        return accept(json!({ "sentences": 1, "reader": "the mayor" }));
    }
    let prompt = params["messages"][0]["content"]["text"].as_str().unwrap();
    match prompt.lines().find_map(|line| line.strip_prefix("# ")) {
        Some(title) => {
            assert!(
                prompt.starts_with("What does this note say about: What cools a street?\nAt most 1 sentences."),
                "{prompt}"
            );
            asked.push(title.to_owned());
            says(&format!("{title} help."))
        }
        None => {
            asked.push("join".to_owned());
            let lines: Vec<&str> = prompt.lines().filter_map(|line| line.strip_prefix("- ")).collect();
            says(&format!("{} {}", prompt.lines().next().unwrap(), lines.join(" ")))
        }
    }
}

#[tokio::test]
async fn every_note_is_read_once_and_what_is_said_is_joined() {
    Talk::everywhere(&assistant(), able(), async |mut talk| {
        let mut asked = Vec::new();
        let arguments = json!({ "word": "cooler", "question": "What cools a street?" });
        let answer = talk.call("research", arguments, &mut |method, params| reply(&mut asked, method, params)).await;
        let expected = "Answer for the mayor: What cools a street? Green roofs help. Pale asphalt help. Street trees help. \
                        Water squares help.\n\nRead: green-roofs, pale-asphalt, street-trees, water-squares";
        assert_eq!(text(&answer), expected);
        let scope = "4 notes mention “cooler”: green-roofs, pale-asphalt, street-trees, water-squares. How deep shall I go?";
        assert_eq!((asked[0].as_str(), asked.last().unwrap().as_str()), (scope, "join"));
        let read: BTreeSet<&str> = asked[1..5].iter().map(String::as_str).collect();
        assert_eq!(read, BTreeSet::from(["Green roofs", "Pale asphalt", "Street trees", "Water squares"]));
        assert_eq!(asked.len(), 6, "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_note_that_can_not_be_read_is_left_out_and_named() {
    let spec = assistant().file("corpus/Old Notes.md", "# Old notes\n\nA heat wave.\n");
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut asked = Vec::new();
        let arguments = json!({ "word": "heat wave", "question": "What cools a street?" });
        let answer = talk.call("research", arguments, &mut |method, params| reply(&mut asked, method, params)).await;
        let words = text(&answer);
        assert!(words.starts_with("Answer for the mayor: What cools a street? Green roofs help. Pale"), "{words}");
        let (_, rest) = words.split_once("\n\n").unwrap();
        assert!(
            rest.starts_with("Read: Old Notes, green-roofs, pale-asphalt, water-squares\nNot read: `name` "),
            "{rest}"
        );
        assert_eq!(asked.len(), 5, "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn nothing_found_ends_it_before_anybody_is_asked() {
    Talk::everywhere(&assistant(), able(), async |mut talk| {
        let arguments = json!({ "word": "submarine", "question": "Where are they?" });
        let answer = talk.call("research", arguments, &mut |_, _| panic!("nobody is asked")).await;
        assert_eq!((text(&answer), &answer["result"]["isError"]), ("No note mentions “submarine”.", &json!(true)));
        assert_eq!(answer["result"]["content"][1]["text"], "`step-2` failed\ndone before it: `found`");
    })
    .await;
}

#[tokio::test]
async fn who_has_no_model_is_told_before_anything_is_done() {
    Talk::everywhere(&assistant(), json!({ "elicitation": {} }), async |mut talk| {
        let arguments = json!({ "word": "cooler", "question": "What cools a street?" });
        let answer = talk.call("research", arguments, &mut |_, _| panic!("nobody is asked")).await;
        match talk.era {
            Era::Legacy => assert!(text(&answer).ends_with("the capability `sampling`"), "{answer}"),
            Era::Modern => {
                assert_eq!(answer["error"]["data"]["requiredCapabilities"], json!({ "sampling": {} }), "{answer}");
            }
        }
    })
    .await;
}
