//! Forms and parts: flat names, so that objects become `name[key]`.

use serde_json::{Value, json};

use super::{Body, Pair};
use crate::openapi::document::{Document, shown};
use crate::openapi::media;
use crate::openapi::request::{Input, Request, input};
use crate::openapi::schema;

/// How deep objects in forms are taken apart.
const MAX_DEPTH: usize = 3;
/// Params that a form may come to; where it would be more, objects in it are taken apart less deep.
const MAX_PAIRS: usize = 100;

/// Adds a form, or parts.
///
/// # Errors
/// In words, if its properties are not told.
pub fn add<'d>(
    document: &Document<'d>,
    kind: &str,
    body: &Body<'_, 'd>,
    request: &mut Request<'_, 'd>,
) -> Result<(), String> {
    let Some(object) = schema::object(document, &body.schema) else {
        let empty = document.object(&body.schema).is_ok_and(|fields| {
            fields.get("properties").is_none_or(|p| *p == json!({})) && !fields.keys().any(|k| k.ends_with("Of"))
        });
        return match empty && !body.required {
            true => Ok(()),
            false => super::refuse(request, body.required, "the fields of its form are not told"),
        };
    };
    if object.open {
        request.leave("other fields of the form", "only those with a name of their own are params");
    }
    let mut best = Vec::new();
    let mut lost = Vec::new();
    for depth in (0..=MAX_DEPTH).rev() {
        (best, lost) = (Vec::new(), Vec::new());
        for (wire, schema) in &object.properties {
            let required = body.required && object.requires(wire);
            let mut leave = |name: &str, why: &str| lost.push((name.to_owned(), why.to_owned()));
            // a list is sent value by value, by its own name unless the description says `name[]`
            let list = schema::kind(document, schema) == Some("array") && !body.is_deep(wire);
            let nameless = wire.is_empty() || wire.contains(char::is_control);
            match kind {
                "multipart" if nameless => leave(wire, "no part can have this name"),
                _ if list || kind == "multipart" => {
                    best.push(((*wire).clone(), input((*schema).clone(), required, None)));
                }
                _ => flatten(document, schema, wire, required, MAX_DEPTH - depth, &mut best, &mut leave),
            }
        }
        if best.len() <= MAX_PAIRS {
            break;
        }
    }
    for (name, why) in lost {
        request.leave(format!("`{}` of the form", shown(&name)), why);
    }
    let mut fields = serde_json::Map::new();
    for (wire, pair) in best {
        let (wire, field) = match kind {
            "multipart" => part(document, wire, pair, request),
            _ => {
                let name = request.input(&wire, "body", pair);
                (wire, json!(format!("{{{{{name}}}}}")))
            }
        };
        fields.insert(wire, field);
    }
    request.http.insert(kind.to_owned(), Value::Object(fields));
    Ok(())
}

/// A part: a text, a file whose bytes are the argument, or JSON.
fn part<'d>(document: &Document<'d>, wire: String, pair: Input, request: &mut Request<'_, 'd>) -> (String, Value) {
    let schema = document.resolve(&pair.schema).cloned().unwrap_or_else(|_| json!({}));
    // `format: byte`, and what has a `contentEncoding`, is sent as the text that it is
    let is_text = schema.get("contentEncoding").is_some();
    let is_bytes = schema.get("format") == Some(&json!("binary")) || schema.get("contentMediaType").is_some();
    let structured = matches!(schema::kind(document, &pair.schema), Some("object"));
    let part = format!("the part `{}`", shown(&wire));
    if structured {
        let description = pair.description.clone().or_else(|| schema.get("description")?.as_str().map(str::to_owned));
        let text = input(json!({ "type": "string" }), pair.required, description);
        request.leave(part, "it is an object, given as a text of JSON");
        let name = request.input(&wire, "body", text);
        return (wire, json!({ "text": format!("{{{{{name}}}}}"), "contentType": "application/json" }));
    }
    if is_bytes && !is_text {
        let media = schema.get("contentMediaType").and_then(Value::as_str).filter(|media| media::is_bytes(media));
        let media = media.unwrap_or("application/octet-stream");
        let description = pair.description.clone().or_else(|| schema.get("description")?.as_str().map(str::to_owned));
        let name = request.input(&wire, "body", input(super::bytes(media), pair.required, description));
        return (wire.clone(), json!({ "base64": format!("{{{{{name}}}}}"), "filename": wire, "contentType": media }));
    }
    let name = request.input(&wire, "body", pair);
    (wire, json!(format!("{{{{{name}}}}}")))
}

/// The pairs that a value comes to, `depth` objects deep already.
pub fn flatten(
    document: &Document<'_>,
    schema: &Value,
    wire: &str,
    required: bool,
    depth: usize,
    pairs: &mut Vec<Pair>,
    leave: &mut impl FnMut(&str, &str),
) {
    let resolved = document.resolve(schema).unwrap_or(schema);
    let description = resolved.get("description").and_then(Value::as_str).map(str::to_owned);
    if let Some(branches) = ["anyOf", "oneOf"].iter().find_map(|key| resolved.get(*key)?.as_array()) {
        let object = branches.iter().find(|branch| schema::object(document, branch).is_some());
        let others = |kind: Option<&str>| kind.is_some_and(|kind| kind != "object" && kind != "array");
        let scalars: Vec<&Value> = branches.iter().filter(|b| others(schema::kind(document, b))).collect();
        let lists = branches.iter().find(|branch| schema::kind(document, branch) == Some("array"));
        if !scalars.is_empty() {
            let schema = if scalars.len() == 1 { scalars.first().map(|s| (*s).clone()) } else { None };
            let schema = schema.unwrap_or_else(|| json!({ "anyOf": scalars }));
            let alone = object.is_none() && lists.is_none();
            pairs.push((wire.to_owned(), input(schema, required && alone, description)));
        }
        for branch in object.into_iter().chain(lists) {
            flatten(document, branch, wire, false, depth, pairs, leave);
        }
        return;
    }
    match schema::kind(document, schema) {
        Some("array") => {
            let items = resolved.get("items").and_then(|items| schema::kind(document, items));
            match items {
                Some("object" | "array") => leave(wire, "it is a list of lists or objects, which no form holds"),
                _ => pairs.push((format!("{wire}[]"), input(schema.clone(), required, description))),
            }
        }
        Some("object") => match schema::object(document, schema) {
            Some(_) if depth >= MAX_DEPTH => leave(wire, "it is nested too deep, or one of too many"),
            Some(object) => {
                for (key, property) in &object.properties {
                    let required = required && object.requires(key);
                    flatten(document, property, &format!("{wire}[{key}]"), required, depth + 1, pairs, leave);
                }
            }
            None => leave(wire, "it is an object whose properties are not told, which no form holds"),
        },
        _ => pairs.push((wire.to_owned(), input(schema.clone(), required, description))),
    }
}
