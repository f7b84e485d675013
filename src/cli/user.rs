//! Whoever sits at the command line, as the client of a call.

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::note;
use crate::action::call::{Client, Input, Journal, Message, Reply, Request, Wants};
use crate::action::{Call, Capabilities};

/// A call from the command line: the answer to whatever can be answered so is yes.
pub fn saying_yes() -> Call {
    let capabilities = Capabilities { elicitation: true, ..Capabilities::default() };
    let (client, messages) = Client::open(Wants { capabilities, ..Wants::default() });
    tokio::spawn(answer(messages));
    Call::new(CancellationToken::new(), client, Journal::default())
}

async fn answer(mut messages: mpsc::Receiver<Message>) {
    while let Some(message) = messages.recv().await {
        if let Message::Ask(inputs, reply) = message {
            // Nobody waits any more for the answers of a call that has ended.
            let _ = reply.send(answers(&inputs));
        }
    }
}

fn answers(inputs: &[Input]) -> Reply {
    let mut all = Map::new();
    for input in inputs {
        match accept(&input.request) {
            Some(answer) => _ = all.insert(input.key.clone(), answer),
            None => return Reply::Failed("the command line can say yes, and nothing else".to_owned()),
        }
    }
    Reply::Answers(all)
}

/// Yes to every question of a form; `None` where something else is wanted.
fn accept(request: &Request) -> Option<Value> {
    let Request::Elicit { message, schema } = request else { return None };
    let fields = schema.get("properties").and_then(Value::as_object);
    let required =
        |name: &str| schema.get("required").and_then(Value::as_array).is_some_and(|r| r.contains(&name.into()));
    let mut content = Map::new();
    for (name, field) in fields.into_iter().flatten() {
        match field.get("default") {
            _ if field.get("type").is_some_and(|kind| kind == "boolean") => content.insert(name.clone(), true.into()),
            Some(value) => content.insert(name.clone(), value.clone()),
            None if required(name) => return None,
            None => continue,
        };
    }
    note(&format!("{} yes\n", message.trim_end()));
    Some(json!({ "action": "accept", "content": content }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(properties: Value, required: Value) -> Request {
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        Request::Elicit { message: "Go on?".to_owned(), schema }
    }

    #[test]
    fn says_yes_where_that_is_an_answer() {
        let both =
            form(json!({ "a": { "type": "boolean", "default": false }, "b": { "type": "string" } }), json!(["a"]));
        assert_eq!(accept(&both), Some(json!({ "action": "accept", "content": { "a": true } })));
        let how = form(json!({ "b": { "type": "string", "default": "x" } }), json!(["b"]));
        assert_eq!(accept(&how), Some(json!({ "action": "accept", "content": { "b": "x" } })));
        assert_eq!(accept(&form(json!({ "b": { "type": "string" } }), json!(["b"]))), None);
        assert_eq!(accept(&Request::Roots), None);
        let inputs = [Input { key: "q".to_owned(), request: Request::Roots }];
        assert!(matches!(answers(&inputs), Reply::Failed(_)));
    }
}
