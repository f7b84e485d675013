//! Schemas of all versions as JSON Schema 2020-12.
//!
//! References are written out where that stays small: many clients can't follow them. What is recursive or large keeps
//! them, under `$defs`.

mod convert;

use serde_json::{Map, Value, json};

use super::document::{Document, Version};
use convert::{Converter, Stop};

/// JSON values that a schema may have with its references written out.
const MAX_INLINE: usize = 1_000;
/// JSON values that a schema may have in all.
pub const MAX_NODES: usize = 4_000;

/// Which way what a schema describes goes: `readOnly` properties are not sent, `writeOnly` ones not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the API.
    Sent,
    /// From it.
    Received,
}

/// Schemas that share their `$defs`.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// In the order given.
    pub schemas: Vec<Value>,
    /// What they refer to as `#/$defs/NAME`.
    pub definitions: Map<String, Value>,
}

/// Converts schemas that will stand in one schema.
///
/// # Errors
/// In words, if one refers to what is not there or outside, or is too large or too deep.
pub fn convert(document: &Document<'_>, schemas: &[&Value], way: Way) -> Result<Converted, String> {
    match attempt(document, schemas, way, MAX_INLINE, true) {
        Err(Stop::NeedsDefinitions) => {}
        Ok(converted) => return Ok(converted),
        Err(Stop::Wrong(why)) => return Err(why),
    }
    match attempt(document, schemas, way, MAX_NODES, false) {
        Ok(converted) => Ok(converted),
        Err(Stop::Wrong(why)) => Err(why),
        Err(Stop::NeedsDefinitions) => Err(format!("its schema is larger than {MAX_NODES} values")),
    }
}

fn attempt(
    document: &Document<'_>,
    schemas: &[&Value],
    way: Way,
    budget: usize,
    inline: bool,
) -> Result<Converted, Stop> {
    let mut converter = Converter::new(document, way, budget, inline);
    let schemas = schemas.iter().map(|schema| converter.schema(schema, 0)).collect::<Result<_, _>>()?;
    Ok(Converted { schemas, definitions: converter.definitions()? })
}

/// The properties of an object whose members are known one by one.
#[derive(Debug, Clone, Default)]
pub struct Object<'d> {
    /// Name → schema, without those that are not sent.
    pub properties: Vec<(&'d String, &'d Value)>,
    /// Names that have to be there.
    pub required: Vec<&'d str>,
    /// Whether others may be there, which the schema says outright.
    pub open: bool,
}

impl Object<'_> {
    /// Whether a name has to be there.
    pub fn requires(&self, name: &str) -> bool {
        self.required.contains(&name)
    }
}

/// Keys that say more about an object than its members one by one.
const COMBINING: [&str; 10] = [
    "oneOf",
    "anyOf",
    "not",
    "if",
    "dependentSchemas",
    "dependentRequired",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
];
/// How deep `allOf` and `$ref` may nest in what is taken apart.
const MAX_NESTING: usize = 16;

/// Takes a schema of what is sent apart into its properties; `None` for what is no such object.
pub fn object<'d>(document: &Document<'d>, schema: &'d Value) -> Option<Object<'d>> {
    let mut object = Object::default();
    take_apart(document, schema, &mut object, 0)?;
    (!object.properties.is_empty()).then_some(object)
}

fn take_apart<'d>(document: &Document<'d>, schema: &'d Value, into: &mut Object<'d>, depth: usize) -> Option<()> {
    let fields = document.object(schema).ok()?;
    if depth > MAX_NESTING || COMBINING.iter().any(|key| fields.contains_key(*key)) || is_nullable(schema) {
        return None;
    }
    if fields.get("type").is_some_and(|kind| kind != "object") {
        return None;
    }
    into.open |= fields.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        take_apart(document, part, into, depth + 1)?;
    }
    for (name, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let only_received = document.resolve(property).is_ok_and(|p| p.get("readOnly") == Some(&json!(true)));
        if !only_received {
            into.properties.retain(|(other, _)| *other != name);
            into.properties.push((name, property));
        }
    }
    let required = fields.get("required").and_then(Value::as_array).into_iter().flatten();
    into.required.extend(required.filter_map(Value::as_str));
    Some(())
}

/// Whether a schema says itself that null fits.
pub fn is_nullable(schema: &Value) -> bool {
    let yes = |key: &str| schema.get(key) == Some(&json!(true));
    let listed =
        |key: &str, null: Value| schema.get(key).and_then(Value::as_array).is_some_and(|all| all.contains(&null));
    yes("nullable") || yes("x-nullable") || schema.get("type") == Some(&json!("null")) || {
        listed("type", json!("null"))
            || listed("oneOf", json!({"type": "null"}))
            || listed("anyOf", json!({"type": "null"}))
    }
}

/// The one type of a schema, references followed.
pub fn kind<'d>(document: &Document<'d>, schema: &'d Value) -> Option<&'d str> {
    let fields = document.object(schema).ok()?;
    match fields.get("type") {
        Some(Value::String(kind)) => Some(kind),
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.next().filter(|_| kinds.next().is_none())
        }
        _ if fields.contains_key("properties") => Some("object"),
        _ if fields.contains_key("items") => Some("array"),
        _ => None,
    }
}

/// Whether a version's `$ref` stands alone: what is beside it is ignored.
fn stands_alone(version: Version) -> bool {
    version != Version::V31
}

#[cfg(test)]
mod tests;
