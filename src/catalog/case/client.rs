//! The client of a test: it answers what it is asked by a script.

use std::collections::VecDeque;

use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::action::Call;
use crate::action::call::{Capabilities, Client, Input, Journal, Message, Reply, Request, Wants};

/// The answers of a test's client, given out in the order of the questions.
#[derive(Debug)]
pub struct Script(JoinHandle<Vec<String>>);

impl Script {
    /// A call whose client answers so. It can do all that a client can.
    pub fn start(answers: Vec<Value>) -> (Call, Script) {
        let capabilities = Capabilities { elicitation: true, urls: true, sampling: true, roots: true, tasks: true };
        let (client, mut line) = Client::open(Wants { capabilities, ..Wants::default() });
        let answering = tokio::spawn(async move {
            let mut left = VecDeque::from(answers);
            let mut faults = Vec::new();
            while let Some(message) = line.recv().await {
                if let Message::Ask(inputs, reply) = message {
                    let _ = reply.send(answer(&inputs, &mut left, &mut faults));
                }
            }
            if !left.is_empty() {
                faults.push(format!("{} of its `answers` were not asked for", left.len()));
            }
            faults
        });
        (Call::new(CancellationToken::new(), client, Journal::default()), Script(answering))
    }

    /// What went otherwise than the script has it, once the call is over.
    pub async fn end(self) -> Vec<String> {
        self.0.await.unwrap_or_default()
    }
}

fn answer(inputs: &[Input], left: &mut VecDeque<Value>, faults: &mut Vec<String>) -> Reply {
    let mut answers = Map::new();
    for input in inputs {
        let Some(mut given) = left.pop_front() else {
            let words = format!("the test has no answer for {}", question(&input.request));
            faults.push(words.clone());
            return Reply::Failed(words);
        };
        confirm(&input.request, &mut given);
        answers.insert(input.key.clone(), given);
    }
    Reply::Answers(answers)
}

fn question(request: &Request) -> String {
    match request {
        Request::Elicit { message, .. } => format!("the question {message:?}"),
        Request::Visit { message, .. } => format!("the visit to a web page {message:?}"),
        Request::Sample(_) => "what the language model is asked".to_owned(),
        Request::Roots => "what the roots are".to_owned(),
    }
}

/// `accept` alone ticks the one box of a `confirm`.
fn confirm(request: &Request, given: &mut Value) {
    let Request::Elicit { schema, .. } = request else { return };
    let only_box = schema.pointer("/properties/confirm/type").is_some_and(|kind| kind == "boolean");
    if let (true, Value::Object(given)) = (only_box, given)
        && given.get("action").is_some_and(|action| action == "accept")
        && !given.contains_key("content")
    {
        given.insert("content".to_owned(), serde_json::json!({ "confirm": true }));
    }
}
