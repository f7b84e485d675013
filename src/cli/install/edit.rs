//! Setting one entry of a JSON file that people write by hand, with comments and trailing commas: everything else
//! stays as it is, to the byte.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};
use serde_json::{Map, Value};

/// JSON, comments, trailing commas; nothing that only looks like it.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The text with `section.name` set to `entry`; `None` if it is there like that. Of an entry that is there the keys
/// that `entry` does not have stay, such as an `env` that somebody filled in.
///
/// # Errors
/// Words, if the text is not JSON, or something else stands where an object has to be.
pub fn set(text: &str, section: &str, name: &str, entry: &Map<String, Value>) -> Result<Option<String>, String> {
    // Some editors begin a file with a mark of its encoding.
    let (mark, text) = text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("\u{feff}", rest));
    let root = CstRootNode::parse(text, &OPTIONS);
    let root = root.map_err(|error| format!("it is not JSON, so nothing was changed: {error}"))?;
    let top = root.object_value_or_create().ok_or("it is JSON, but no object; nothing was changed")?;
    once(&top, section)?;
    let no_object = |what: &str| format!("`{what}` is there, but no object; nothing was changed");
    let servers = top.object_value_or_create(section).ok_or_else(|| no_object(section))?;
    once(&servers, name)?;
    match servers.get(name) {
        None => {
            servers.append(name, object(entry));
        }
        Some(_) => {
            let there = servers.object_value(name).ok_or_else(|| no_object(name))?;
            if !update(&there, entry) {
                return Ok(None);
            }
        }
    }
    let text = format!("{mark}{root}");
    Ok(Some(if text.ends_with('\n') { text } else { text + "\n" }))
}

/// Programs differ in which of two entries of one name they take, so neither is edited.
fn once(object: &CstObject, name: &str) -> Result<(), String> {
    let named = |property: &CstObjectProp| property.name().is_some_and(|n| n.decoded_value().is_ok_and(|n| n == name));
    match object.properties().iter().filter(|property| named(property)).count() {
        0 | 1 => Ok(()),
        _ => Err(format!("`{name}` is there twice; nothing was changed")),
    }
}

/// Keys that say how a server is reached: one that the new entry does not have is of the way it was reached before.
const WAYS: [&str; 7] = ["type", "source", "command", "args", "url", "serverUrl", "transport"];

/// Whether anything had to change.
fn update(there: &CstObject, entry: &Map<String, Value>) -> bool {
    let mut changed = false;
    for gone in WAYS.iter().filter(|key| !entry.contains_key(**key)) {
        if let Some(property) = there.get(gone) {
            property.remove();
            changed = true;
        }
    }
    for (key, value) in entry {
        match there.get(key) {
            Some(property) if property.to_serde_value().as_ref() == Some(value) => continue,
            Some(property) => property.set_value(input(value)),
            None => drop(there.append(key, input(value))),
        }
        changed = true;
    }
    changed
}

fn object(entry: &Map<String, Value>) -> CstInputValue {
    CstInputValue::Object(entry.iter().map(|(key, value)| (key.clone(), input(value))).collect())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(value) => CstInputValue::Number(value.to_string()),
        Value::String(value) => CstInputValue::String(value.clone()),
        Value::Array(list) => CstInputValue::Array(list.iter().map(input).collect()),
        Value::Object(map) => object(map),
    }
}
