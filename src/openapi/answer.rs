//! The `outputSchema` of an operation: what its answers promise.

use serde_json::{Map, Value, json};

use super::document::Document;
use super::left::Left;
use super::media;
use super::operation::Operation;
use super::schema::{self, Way};

/// The schema of what an operation answers when it goes well; `None` where nothing is promised, or not always JSON.
pub fn schema(document: &Document<'_>, operation: &Operation<'_>, left: &mut Vec<Left>) -> Option<Value> {
    let mut leave = |why: &str| left.push(Left::part(&operation.line(), "its `outputSchema`", why));
    let mut found: Vec<&Value> = Vec::new();
    for (status, node) in operation.fields.get("responses").and_then(Value::as_object)? {
        let good = status.len() == 3 && status.starts_with('2');
        if !good {
            continue;
        }
        let fields = match document.object(node) {
            Ok(fields) => fields,
            Err(why) => {
                leave(&why);
                return None;
            }
        };
        match json(document, operation, fields) {
            Some(schema) if found.contains(&schema) => {}
            Some(schema) => found.push(schema),
            // one that is not JSON breaks the promise
            None if found.is_empty() => return None,
            None => {
                leave("some of its answers are not JSON");
                return None;
            }
        }
    }
    if found.is_empty() {
        return None;
    }
    match schema::convert(document, &found, Way::Received) {
        Ok(converted) => Some(whole(converted)),
        Err(why) => {
            leave(&why);
            None
        }
    }
}

/// The schema of an answer's JSON.
fn json<'d>(document: &Document<'d>, operation: &Operation<'d>, fields: &'d Map<String, Value>) -> Option<&'d Value> {
    if let Some(schema) = fields.get("schema") {
        let own = operation.fields.get("produces").or_else(|| document.get("produces"));
        let mut produced = own.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let fits = |media: &str| media::is_json(media) || media == "*/*";
        let all_json = own.is_none() || produced.any(fits);
        return Some(schema).filter(|_| all_json && schema.get("type") != Some(&json!("file")));
    }
    let content = fields.get("content")?.as_object()?;
    content
        .iter()
        .find(|(media, _)| media::is_json(media) || *media == "*/*")
        .and_then(|(_, media)| media.get("schema"))
}

/// One schema of several answers.
fn whole(converted: schema::Converted) -> Value {
    let schema::Converted { mut schemas, definitions } = converted;
    let objects = schemas.iter().all(|schema| schema.get("type") == Some(&json!("object")));
    let mut schema = match (schemas.len(), objects) {
        (1, _) => schemas.pop().unwrap_or_else(|| json!({})),
        (_, true) => json!({ "type": "object", "anyOf": schemas }),
        (_, false) => json!({ "anyOf": schemas }),
    };
    if let (Value::Object(schema), false) = (&mut schema, definitions.is_empty()) {
        // A reference at the root hides the type that MCP wants there.
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|r| definitions.get(r.rsplit('/').next()?));
        if target.is_some_and(|target| target.get("type") == Some(&json!("object"))) {
            schema.insert("type".to_owned(), json!("object"));
        }
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}
