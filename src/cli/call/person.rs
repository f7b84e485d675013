//! Who calls from a terminal: sees how far the call is, what it says, and answers what it asks.

use std::io::{BufRead, IsTerminal, Read};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::note;
use crate::action::Call;
use crate::action::call::{Capabilities, Client, Input, Journal, Level, Message, Reply, Request, Wants};
use crate::schema::{Schema, coerce};

/// Bytes of one answer.
const MAX_ANSWER: u64 = 64 * 1024;
/// How often the bar moves while nothing is told.
const TICK: Duration = Duration::from_millis(120);

/// The call of whoever runs this program; away from a terminal nobody is told or asked anything.
pub struct Person {
    /// What the tool is called with.
    pub call: Call,
    following: Option<JoinHandle<()>>,
}

impl Person {
    /// Listens from now on.
    pub fn of_process() -> Person {
        let sees = std::io::stderr().is_terminal();
        if !sees {
            return Person { call: Call::default(), following: None };
        }
        let answers = answers();
        let capabilities = Capabilities { elicitation: answers, urls: answers, ..Capabilities::default() };
        let wants = Wants { capabilities, level: Some(Level::Info), progress: true, task: false };
        let (client, line) = Client::open(wants);
        let call = Call::new(CancellationToken::new(), client, Journal::default());
        Person { call, following: Some(tokio::spawn(follow(line))) }
    }

    /// Waits until all that the call said is shown.
    pub async fn end(self) {
        drop(self.call);
        if let Some(following) = self.following {
            let _ = following.await;
        }
    }
}

/// Whether somebody is there who can be asked, and sees what.
pub fn answers() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

async fn follow(mut line: Receiver<Message>) {
    let mut bar: Option<ProgressBar> = None;
    while let Some(message) = line.recv().await {
        match message {
            Message::Progress { progress, total, message } => {
                show(bar.get_or_insert_with(begun), progress, total, message);
            }
            Message::Log { level, data, .. } => {
                let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
                let say = || note(&format!("{}: {}\n", format!("{level:?}").to_lowercase(), plain(&text)));
                bar.as_ref().map_or_else(say, |bar| bar.suspend(say));
            }
            Message::Ask(inputs, reply) => {
                bar.iter().for_each(ProgressBar::finish_and_clear);
                bar = None;
                let answers = tokio::task::spawn_blocking(move || answer(&inputs, &mut std::io::stdin().lock())).await;
                let _ = reply.send(answers.unwrap_or_else(|_| Reply::Failed("nobody is there to answer".to_owned())));
            }
            Message::Visited(_) | Message::Lacks(_) | Message::Begins(_) => {}
        }
    }
    bar.iter().for_each(ProgressBar::finish_and_clear);
}

fn begun() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} {wide_msg}"));
    bar.enable_steady_tick(TICK);
    bar
}

/// In one row: `wide_msg` is cut where the terminal ends.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Fractions are steps of a thousandth, as bars count in whole numbers.
fn show(bar: &ProgressBar, progress: f64, total: Option<f64>, message: Option<String>) {
    if let Some(total) = total.filter(|total| *total > 0.0) {
        if bar.length().is_none() {
            bar.set_style(style("{bar:32} {percent:>3}% {elapsed} {wide_msg}"));
        }
        bar.set_length(1000);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
        bar.set_position((progress / total * 1000.0).clamp(0.0, 1000.0) as u64);
    }
    let words = message.unwrap_or_else(|| if total.is_none() { progress.to_string() } else { String::new() });
    bar.set_message(plain(&words).replace('\n', " "));
}

/// Asks one question after the other; a closed input takes the whole call back.
fn answer(inputs: &[Input], lines: &mut impl BufRead) -> Reply {
    let mut answers = Map::new();
    for input in inputs {
        let given = match &input.request {
            Request::Elicit { message, schema } => {
                note(&format!("{}\n", plain(message)));
                form(schema, lines)
            }
            Request::Visit { message, url, .. } => {
                note(&format!("{}\n{}\nopened? [y/N] ", plain(message), plain(url)));
                json!({ "action": consent(lines) })
            }
            Request::Sample(_) | Request::Roots => return Reply::Failed("a terminal can't answer this".to_owned()),
        };
        answers.insert(input.key.clone(), given);
    }
    Reply::Answers(answers)
}

/// MCP's word for a yes, a no, or a closed input.
fn consent(lines: &mut impl BufRead) -> &'static str {
    match line(lines).as_deref().map(yes) {
        Some(Some(true)) => "accept",
        Some(_) => "decline",
        None => "cancel",
    }
}

/// MCP's result of a form.
fn form(schema: &Value, lines: &mut impl BufRead) -> Value {
    let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required = |name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == name))
    };
    if let (1, Some(field)) = (fields.len(), fields.get("confirm"))
        && field.get("type").is_some_and(|kind| kind == "boolean")
    {
        note("[y/N] ");
        return match consent(lines) {
            "accept" => json!({ "action": "accept", "content": { "confirm": true } }),
            action => json!({ "action": action }),
        };
    }
    let mut content = Map::new();
    for (name, field) in &fields {
        match ask(name, field, required(name), lines) {
            Some(Value::Null) => {}
            Some(value) => drop(content.insert(name.clone(), value)),
            None => return json!({ "action": "cancel" }),
        }
    }
    json!({ "action": "accept", "content": content })
}

/// What is typed for a field, once it fits; null for nothing, `None` if the input is closed.
fn ask(name: &str, field: &Value, required: bool, lines: &mut impl BufRead) -> Option<Value> {
    let schema = Schema::compile(field.clone()).ok();
    loop {
        note(&question(name, field, required));
        let text = line(lines)?;
        let value = match (text.as_str(), field.get("default")) {
            ("", Some(default)) => return Some(default.clone()),
            ("", None) if !required => return Some(Value::Null),
            (text, _) if field.get("type").is_some_and(|kind| kind == "boolean") => {
                yes(text).map_or_else(|| json!(text), Value::Bool)
            }
            (text, _) => coerce(field, text),
        };
        let fault = schema.as_ref().and_then(|schema| schema.faults(&value).into_iter().next());
        match fault {
            None => return Some(value),
            Some(fault) => note(&format!("{}\n", fault.message)),
        }
    }
}

/// `Genre (crime, fantasy) [crime]: `
fn question(name: &str, field: &Value, required: bool) -> String {
    let text = |key: &str| field.get(key).and_then(Value::as_str);
    let values = |list: &Value, key: Option<&str>| -> Vec<String> {
        let all = list.as_array().into_iter().flatten();
        all.map(|one| key.map_or(one, |key| one.get(key).unwrap_or(one))).map(word).collect()
    };
    let choices = match (field.get("enum"), field.get("oneOf")) {
        (Some(list), _) => values(list, None),
        (_, Some(list)) => values(list, Some("const")),
        _ if text("type") == Some("boolean") => vec!["yes".to_owned(), "no".to_owned()],
        _ => text("description").map(str::to_owned).into_iter().collect(),
    };
    let choices = if choices.is_empty() { String::new() } else { format!(" ({})", choices.join(", ")) };
    let default = match field.get("default") {
        Some(default) => format!(" [{}]", word(default)),
        None if required => String::new(),
        None => " []".to_owned(),
    };
    plain(&format!("{}{choices}{default}: ", text("title").unwrap_or(name)))
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn yes(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "y" | "yes" | "true" => Some(true),
        "n" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// The next line; `None` at the end of the input.
fn line(lines: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    let read = lines.by_ref().take(MAX_ANSWER).read_line(&mut text).ok()?;
    (read > 0).then(|| text.trim().to_owned())
}

/// Without what would move the terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_asked_field_by_field_until_each_fits() {
        let schema = json!({
            "type": "object",
            "properties": {
                "genre": { "type": "string", "enum": ["crime", "fantasy"] },
                "count": { "type": "integer", "minimum": 1, "default": 3 },
                "note": { "type": "string" },
                "gift": { "type": "boolean" },
            },
            "required": ["genre", "gift"],
        });
        let typed = |text: &str| form(&schema, &mut text.as_bytes());
        let content = json!({ "genre": "crime", "count": 3, "gift": true });
        assert_eq!(typed("horror\ncrime\n\n\nmaybe\nyes\n"), json!({ "action": "accept", "content": content }));
        assert_eq!(typed("crime\n0\n2\nfor a friend\nno\n")["content"]["count"], 2);
        assert_eq!(typed("crime\n"), json!({ "action": "cancel" }));
        let question = question("genre", &schema["properties"]["genre"], true);
        assert_eq!(question, "genre (crime, fantasy): ");
    }

    #[test]
    fn a_page_is_opened_with_a_yes() {
        let page = |id| Input {
            key: "p".into(),
            request: Request::Visit { message: "Pay".into(), url: "https://bank.example".into(), id },
        };
        for (typed, action) in [("y\n", "accept"), ("\n", "decline"), ("", "cancel")] {
            let Reply::Answers(given) = answer(&[page(None)], &mut typed.as_bytes()) else { panic!("no answer") };
            assert_eq!(given["p"], json!({ "action": action }));
        }
    }

    #[test]
    fn only_yes_is_a_yes() {
        let schema = json!({ "type": "object", "properties": { "confirm": { "type": "boolean" } } });
        let action = |text: &str| form(&schema, &mut text.as_bytes())["action"].clone();
        assert_eq!([action("y\n"), action("YES\n")], ["accept", "accept"]);
        assert_eq!(
            [action("\n"), action("no\n"), action("what\n"), action("")],
            ["decline", "decline", "decline", "cancel"]
        );
    }
}
