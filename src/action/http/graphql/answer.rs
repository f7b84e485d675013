//! What an API answers to an operation: `data`, and `errors` (GraphQL over HTTP; GraphQL, section 7.1).

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::source::GraphqlSource;
use crate::action::http::{answer, failure};
use crate::outcome::formats::{MediaType, json, shorten};
use crate::outcome::{ActionError, Data, ErrorKind, Outcome, Whole};

/// Bytes of an answer that are read, whatever `maxBytes` is.
const MAX_BYTES: usize = 16 << 20;
/// Errors that are told, characters of each, and steps of its path.
const MAX_ERRORS: usize = 10;
const MAX_WORDS: usize = 300;
const MAX_STEPS: usize = 32;

/// Reads an answer; `what` is the operation, for messages.
///
/// # Errors
/// If it has `errors`, or is none of GraphQL.
pub async fn read(
    response: Response,
    source: &GraphqlSource,
    what: &str,
    max_bytes: usize,
) -> Result<Outcome, ActionError> {
    let (status, value, size) = envelope(response, source, what, max_bytes).await?;
    let data = value.get("data").filter(|data| data.is_object());
    if let Some(errors) = value.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty()) {
        return Err(told(errors, data, source, what, max_bytes));
    }
    let Some(data) = data.filter(|_| status.is_success()) else {
        return Err(ActionError::failed(format!("{what}: the API gave neither data nor errors")));
    };
    let mut data = data.clone();
    if size <= max_bytes || shorten::size(&data) <= max_bytes {
        return Ok(Outcome::json(data));
    }
    let text = data.to_string();
    shorten::shorten(&mut data, max_bytes);
    let truncated = Some(format!("cut to {max_bytes} of {} bytes (maxBytes)", text.len()));
    let whole = Some(Whole { data: Data::Text(text), mime_type: Some("application/json".to_owned()) });
    Ok(Outcome { truncated, whole, ..Outcome::json(data) })
}

/// The JSON object of an answer and its bytes, whatever its status says, if it is GraphQL's.
///
/// # Errors
/// If it is not, in words that hold the first part of it.
pub async fn envelope(
    response: Response,
    source: &GraphqlSource,
    what: &str,
    max_bytes: usize,
) -> Result<(StatusCode, Value, usize), ActionError> {
    let status = response.status();
    let media = response.headers().get(reqwest::header::CONTENT_TYPE);
    let media = media.map(|header| MediaType::parse(&String::from_utf8_lossy(header.as_bytes())));
    let max = max_bytes.max(MAX_BYTES);
    let read = answer::bytes(response, max).await;
    let (body, cut) = read.map_err(|broken| broken.told(&source.http().base().host))?;
    if cut && status.is_success() {
        let words = format!("{what}: the answer is larger than {max} bytes; ask for less");
        return Err(ActionError::failed(words));
    }
    let parsed = std::str::from_utf8(&body).ok().map(json::parse);
    match parsed {
        Some(Ok(value)) if value.get("data").is_some() || value.get("errors").is_some_and(Value::is_array) => {
            Ok((status, value, body.len()))
        }
        Some(Err(why)) if status.is_success() => Err(ActionError::failed(format!("{what}: the answer {why}"))),
        _ if status.is_success() => Err(ActionError::failed(format!("{what}: the answer is none of GraphQL"))),
        _ => {
            let words = failure::told(what, status, body, cut, media.as_ref());
            Err(ActionError::failed(source.http().mask(words)))
        }
    }
}

/// The error that `errors` are, and what came beside them.
fn told(errors: &[Value], data: Option<&Value>, source: &GraphqlSource, what: &str, max_bytes: usize) -> ActionError {
    let mut words = match errors.len() {
        1 => format!("{what}: "),
        count => format!("{what}: {count} errors:"),
    };
    for error in errors.iter().take(MAX_ERRORS) {
        if errors.len() > 1 {
            words.push_str("\n- ");
        }
        words.push_str(&one(error));
    }
    if errors.len() > MAX_ERRORS {
        words.push_str(&format!("\nand {} more", errors.len() - MAX_ERRORS));
    }
    let words = source.http().mask(words);
    let missing = |error: &Value| code(error).is_some_and(|code| code.eq_ignore_ascii_case("NOT_FOUND"));
    let kind = if errors.iter().all(missing) { ErrorKind::NotFound } else { ErrorKind::Failed };
    let mut failed = ActionError::new(kind, words);
    let came = data.filter(|data| data.as_object().is_some_and(|all| all.values().any(|value| !value.is_null())));
    if let Some(data) = came {
        let mut data = data.clone();
        shorten::shorten(&mut data, max_bytes);
        let text = |text: String| json!({ "type": "text", "text": text });
        failed.blocks = vec![text(failed.message.clone()), text(format!("what came beside that: {data}"))];
    }
    failed
}

/// Message, path and code of an error.
fn one(error: &Value) -> String {
    let message = error.get("message").and_then(Value::as_str).unwrap_or("an error without words");
    let mut words = short(message);
    let step = |step: &Value| match step {
        Value::String(name) => short(name),
        other => other.to_string(),
    };
    let path = error.get("path").and_then(Value::as_array).filter(|path| !path.is_empty());
    let path = path.map(|path| path.iter().take(MAX_STEPS).map(step).collect::<Vec<_>>().join("."));
    let facts = [path.map(|path| format!("at {path}")), code(error).map(|code| format!("code {}", short(code)))];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    if !facts.is_empty() {
        words.extend([" (", &facts.join(", "), ")"]);
    }
    words
}

fn code(error: &Value) -> Option<&str> {
    let told = error.get("extensions").and_then(|extensions| extensions.get("code"));
    // some APIs call it so, and put it beside the message
    told.or_else(|| error.get("type")).and_then(Value::as_str)
}

/// A text in one line, cut.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or("")),
        None => line,
    }
}
