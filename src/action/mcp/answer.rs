//! Results of another server as outcomes: its blocks, structure and errors stay what they are.

use serde_json::{Map, Value, json};

use super::source::McpSource;
use crate::outcome::{ActionError, Content, Outcome};

/// The result of `tools/call`.
///
/// # Errors
/// What the tool says went wrong, in its own blocks.
pub fn tool(mut result: Value, source: &McpSource, max_bytes: usize) -> Result<Outcome, ActionError> {
    let Some(Value::Array(blocks)) = result.get_mut("content").map(Value::take) else {
        return Err(no_answer(source));
    };
    let structured = result.get_mut("structuredContent").map(Value::take).filter(|value| !value.is_null());
    let is_error = result.get("isError") == Some(&Value::Bool(true));
    let (blocks, cut) = bounded(blocks, max_bytes);
    let structured = structured.filter(|value| size(value) <= max_bytes);
    if is_error {
        let words: Vec<&str> = blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
        let message = source.plain(&words.join("\n"));
        let message = if message.is_empty() { "the tool failed".to_owned() } else { message };
        let structured = structured.map(Box::new);
        return Err(ActionError { blocks, structured, ..ActionError::failed(message) });
    }
    let content = match (structured, plain(&blocks)) {
        (Some(value), _) => Content::Structured { blocks, value },
        (None, Some(text)) => Content::Text(text),
        (None, None) => Content::Blocks(blocks),
    };
    Ok(Outcome { truncated: cut, ..Outcome::new(content, None) })
}

/// The result of `resources/read`.
///
/// # Errors
/// If it is none.
pub fn resource(mut result: Value, source: &McpSource, max_bytes: usize) -> Result<Outcome, ActionError> {
    let Some(Value::Array(contents)) = result.get_mut("contents").map(Value::take) else {
        return Err(no_answer(source));
    };
    if let [Value::Object(only)] = contents.as_slice()
        && !only.contains_key("_meta")
        && let Some(text) = only.get("text").and_then(Value::as_str)
    {
        let mime_type = only.get("mimeType").and_then(Value::as_str).map(str::to_owned);
        let (text, cut) = shortened(text, max_bytes);
        return Ok(Outcome { truncated: cut, ..Outcome::new(Content::Text(text), mime_type) });
    }
    let all = size(&Value::Array(contents.clone()));
    if all > max_bytes {
        let words = format!("the resource has {all} bytes, more than {max_bytes} (maxBytes)");
        return Err(ActionError::failed(words));
    }
    let block = |contents: Value| json!({ "type": "resource", "resource": contents });
    Ok(Outcome::new(Content::Blocks(contents.into_iter().map(block).collect()), None))
}

/// The messages of the result of `prompts/get`.
///
/// # Errors
/// If it is none.
pub fn messages(mut result: Value, source: &McpSource, max_bytes: usize) -> Result<Vec<Value>, ActionError> {
    let Some(Value::Array(messages)) = result.get_mut("messages").map(Value::take) else {
        return Err(no_answer(source));
    };
    let all = size(&Value::Array(messages.clone()));
    if all > max_bytes {
        return Err(ActionError::failed(format!("the prompt has {all} bytes, more than {max_bytes} (maxBytes)")));
    }
    Ok(messages)
}

/// The values of the result of `completion/complete`.
pub fn values(result: &Value) -> Outcome {
    let completion = result.get("completion").and_then(Value::as_object).cloned().unwrap_or_default();
    let values = completion.get("values").cloned().unwrap_or_else(|| json!([]));
    let more = completion.get("hasMore") == Some(&Value::Bool(true));
    Outcome { truncated: more.then(|| "cut by the server".to_owned()), ..Outcome::json(values) }
}

fn no_answer(source: &McpSource) -> ActionError {
    ActionError::failed(format!("the server `{}` gave an answer that is none", source.name()))
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// The one text that an answer is.
fn plain(blocks: &[Value]) -> Option<String> {
    let [Value::Object(block)] = blocks else { return None };
    let only = |map: &Map<String, Value>| map.keys().all(|key| key == "type" || key == "text");
    (block.get("type")? == "text" && only(block)).then(|| block.get("text")?.as_str().map(str::to_owned))?
}

/// The blocks that fit, and words for what does not. Of a text the beginning fits.
fn bounded(blocks: Vec<Value>, max_bytes: usize) -> (Vec<Value>, Option<String>) {
    let mut left = max_bytes;
    let mut taken = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let length = size(&block);
        if length <= left {
            left = left.saturating_sub(length);
            taken.push(block);
            continue;
        }
        if let Some(text) = block.get("text").and_then(Value::as_str) {
            let (text, _) = shortened(text, left);
            if let (false, Value::Object(map)) = (text.is_empty(), &mut block) {
                map.insert("text".to_owned(), Value::String(text));
                taken.push(block);
            }
        }
        return (taken, Some(format!("cut after {max_bytes} bytes (maxBytes)")));
    }
    (taken, None)
}

fn shortened(text: &str, max_bytes: usize) -> (String, Option<String>) {
    if text.len() <= max_bytes {
        return (text.to_owned(), None);
    }
    let end = (0..=max_bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let kept = text.get(..end).unwrap_or_default().to_owned();
    (kept, Some(format!("cut after {max_bytes} bytes (maxBytes)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let (all, cut) = bounded(vec![text("ab"), text("cd")], 100);
        assert_eq!((all.len(), cut), (2, None));
        let (all, cut) = bounded(vec![text("ab"), text(&"é".repeat(100))], 60);
        assert_eq!(all[0], text("ab"));
        assert_eq!(all[1]["text"].as_str().unwrap().chars().count(), 16);
        assert_eq!(cut.as_deref(), Some("cut after 60 bytes (maxBytes)"));
        let (all, cut) = bounded(vec![json!({ "type": "image", "data": "x".repeat(100) })], 60);
        assert!(all.is_empty() && cut.is_some());
    }

    #[test]
    fn one_text_is_a_text() {
        assert_eq!(plain(&[json!({ "type": "text", "text": "a" })]).as_deref(), Some("a"));
        assert_eq!(plain(&[json!({ "type": "text", "text": "a", "annotations": {} })]), None);
        assert_eq!(plain(&[json!({ "type": "text", "text": "a" }), json!({ "type": "text", "text": "b" })]), None);
        assert_eq!(plain(&[]), None);
    }
}
