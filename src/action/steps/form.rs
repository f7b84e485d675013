//! The forms that MCP lets a user be asked with: flat objects of simple values (`requestedSchema`, MCP 2025-11-25,
//! client/elicitation). What a client would not show is a mistake at load.

use serde_json::Value;

use crate::schema::Schema;
use crate::spec::{Code, Diagnostic, Diagnostics, Kind, Node};

/// The keys of a whole form.
const FORM: [&str; 6] = ["$schema", "type", "title", "description", "properties", "required"];
/// MCP's `format`s of a string.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// Checks a form and compiles it for the answers; mistakes are reported at their places.
pub(super) fn compile(node: &Node, sink: &mut Diagnostics) -> Option<Schema> {
    let before = sink.errors();
    check(node, sink);
    if sink.errors() > before {
        return None;
    }
    Schema::compile(node.to_json())
        .map_err(|faults| {
            for fault in faults {
                let found = Diagnostic::error(Code::BadSchema, node.at_pointer(&fault.pointer), fault.message);
                sink.push(match fault.help {
                    Some(help) => found.label(help),
                    None => found,
                });
            }
        })
        .ok()
}

fn check(node: &Node, sink: &mut Diagnostics) {
    if kind(node) != Some("object") {
        let found = Diagnostic::error(Code::BadSchema, node.at_pointer("/type"), "a form describes an object");
        sink.push(found.label("write `type: object`"));
        return;
    }
    refuse_others(node, &FORM, "a form", sink);
    let Some(Kind::Map(properties)) = node.get("properties").map(|p| &p.value.kind) else {
        let at = node.at_pointer("/properties");
        sink.push(Diagnostic::error(Code::BadSchema, at, "a form has fields").label("name them in `properties`"));
        return;
    };
    properties.iter().for_each(|entry| field(&entry.value, sink));
    let required = node.get("required").map(|r| &r.value.kind);
    let Some(Kind::List(required)) = required else { return };
    for name in required {
        let known = || properties.iter().map(|e| e.key.value.as_str());
        if let Kind::String(text) = &name.kind
            && !known().any(|field| field == text.expose())
        {
            let words = format!("`{}` is required but is no field of this form", text.written());
            sink.push(Diagnostic::error(Code::BadSchema, name.span, words).nearest(text.written(), known()));
        }
    }
}

fn kind(node: &Node) -> Option<&str> {
    match &node.get("type")?.value.kind {
        Kind::String(text) => Some(text.written()),
        _ => None,
    }
}

fn field(node: &Node, sink: &mut Diagnostics) {
    let has = |key: &str| node.get(key).is_some();
    let keys: &[&str] = match kind(node) {
        Some("string") if has("enum") => &["type", "title", "description", "default", "enum", "enumNames"],
        Some("string") if has("oneOf") => &["type", "title", "description", "default", "oneOf"],
        Some("string") => &["type", "title", "description", "default", "minLength", "maxLength", "format"],
        Some("number" | "integer") => &["type", "title", "description", "default", "minimum", "maximum"],
        Some("boolean") => &["type", "title", "description", "default"],
        Some("array") => &["type", "title", "description", "default", "minItems", "maxItems", "items"],
        _ => {
            let at = node.at_pointer("/type");
            let found = Diagnostic::error(Code::BadSchema, at, "a field of a form is a simple value");
            sink.push(found.label("its type is string, number, integer, boolean, or array for a choice of several"));
            return;
        }
    };
    refuse_others(node, keys, "this field of a form", sink);
    if let Some(format) = node.get("format")
        && !format.value.to_json().as_str().is_some_and(|f| FORMATS.contains(&f))
    {
        let words = format!("a form knows the formats {}", crate::spec::read::list_names(&FORMATS));
        sink.error(Code::BadSchema, format.value.span, words);
    }
    if let Some(choices) = node.get("oneOf") {
        titled(&choices.value, sink);
    }
    if kind(node) == Some("array") {
        items(node, sink);
    }
}

/// The choices of a field that takes several.
fn items(node: &Node, sink: &mut Diagnostics) {
    let Some(items) = node.get("items") else {
        let found = Diagnostic::error(Code::BadSchema, node.span, "a list in a form is a choice of several");
        sink.push(found.label("name the choices: `items: { type: string, enum: […] }`"));
        return;
    };
    match items.value.get("anyOf") {
        Some(choices) => {
            refuse_others(&items.value, &["anyOf"], "the choices of a form", sink);
            titled(&choices.value, sink);
        }
        None if items.value.get("enum").is_some() && kind(&items.value) == Some("string") => {
            refuse_others(&items.value, &["type", "enum"], "the choices of a form", sink);
        }
        None => {
            let found = Diagnostic::error(Code::BadSchema, items.key.span, "the choices of a form are texts");
            sink.push(found.label("write `{ type: string, enum: […] }` or `{ anyOf: [{ const: …, title: … }] }`"));
        }
    }
}

/// Choices with titles.
fn titled(choices: &Node, sink: &mut Diagnostics) {
    let Kind::List(choices) = &choices.kind else {
        sink.error(Code::BadSchema, choices.span, "choices are a list");
        return;
    };
    for choice in choices {
        let text = |key: &str| choice.get(key).is_some_and(|e| matches!(e.value.to_json(), Value::String(_)));
        if !text("const") || !text("title") || choice.entries().len() != 2 {
            sink.error(Code::BadSchema, choice.span, "a choice is `{ const: …, title: … }`, both texts");
        }
    }
}

fn refuse_others(node: &Node, keys: &[&str], what: &str, sink: &mut Diagnostics) {
    for entry in node.entries().iter().filter(|e| !keys.contains(&e.key.value.as_str())) {
        let words = format!("{what} can't have `{}`, no client would keep to it", entry.key.value);
        let found = Diagnostic::error(Code::BadSchema, entry.key.span, words);
        sink.push(found.nearest(&entry.key.value, keys.iter().copied()));
    }
}
