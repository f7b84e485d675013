//! Keywords of one schema that JSON Schema allows although they cannot be meant.

use super::keywords::{self, TYPES};
use super::{SchemaFault, options, pointer, values};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// Pairs of keywords of which the first must not be above the second.
const BOUNDS: [(&str, &str); 6] = [
    ("minimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
];

/// The faults of one schema's own keywords.
pub fn check(at: &str, schema: &Map<String, Value>) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    faults.extend(types(at, schema));
    faults.extend(bounds(at, schema));
    faults.extend(patterns(at, schema));
    faults.extend(impossible_required(at, schema));
    if schema.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        faults.push(SchemaFault::new(pointer::join(at, "enum"), "an `enum` must list at least one value"));
    }
    faults
}

fn types(at: &str, schema: &Map<String, Value>) -> Vec<SchemaFault> {
    let at = pointer::join(at, "type");
    match schema.get("type") {
        Some(Value::String(one)) => unknown_type(at, one).into_iter().collect(),
        Some(Value::Array(several)) => {
            let each = several.iter().enumerate().filter_map(|(i, value)| {
                let at = pointer::join(&at, i);
                match value {
                    Value::String(name) => unknown_type(at, name),
                    Value::Null => Some(SchemaFault::new(at, "the name of a type is text").help("write `\"null\"`")),
                    _ => None,
                }
            });
            each.collect()
        }
        _ => Vec::new(),
    }
}

fn unknown_type(at: String, name: &str) -> Option<SchemaFault> {
    if TYPES.contains(&name) {
        return None;
    }
    let help = match (keywords::form_for(name), keywords::meant_type(name)) {
        (Some(form), _) => format!("write `{form}`"),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) => format!("the types are {}", TYPES.map(|t| format!("`{t}`")).join(", ")),
    };
    Some(SchemaFault::new(at, format!("unknown type `{name}`")).help(help))
}

fn bounds(at: &str, schema: &Map<String, Value>) -> Vec<SchemaFault> {
    let crossed = BOUNDS.into_iter().filter_map(|(low, high)| {
        let (Value::Number(least), Value::Number(most)) = (schema.get(low)?, schema.get(high)?) else { return None };
        let above = values::compare(least, most) == Some(Ordering::Greater);
        above.then(|| SchemaFault::new(pointer::join(at, low), format!("`{low}` {least} is above `{high}` {most}")))
    });
    crossed.collect()
}

fn patterns(at: &str, schema: &Map<String, Value>) -> Vec<SchemaFault> {
    let pattern = schema.get("pattern").and_then(Value::as_str);
    let own = pattern.map(|p| (pointer::join(at, "pattern"), p));
    let under = pointer::join(at, "patternProperties");
    let named = schema.get("patternProperties").and_then(Value::as_object);
    let names = named.into_iter().flat_map(|n| n.keys()).map(|p| (pointer::join(&under, p), p.as_str()));
    let broken = own.into_iter().chain(names).filter(|(_, p)| options().build(&json!({ "pattern": p })).is_err());
    broken
        .map(|(at, p)| {
            let shown = values::cut(p, 80);
            // the engine that backtracks knows more than the one that is used
            match jsonschema::options().build(&json!({ "pattern": p })) {
                Ok(_) => SchemaFault::new(at, format!("`{shown}` needs look-around or back-references"))
                    .help("patterns must run in linear time: write it without them"),
                Err(_) => SchemaFault::new(at, format!("`{shown}` is not a regular expression, or is too large")),
            }
        })
        .collect()
}

fn impossible_required(at: &str, schema: &Map<String, Value>) -> Vec<SchemaFault> {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let Some(required) = schema.get("required").and_then(Value::as_array) else { return Vec::new() };
    if !closed || schema.contains_key("patternProperties") {
        return Vec::new();
    }
    let empty = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let under = pointer::join(at, "required");
    let named = required.iter().enumerate().filter_map(|(i, v)| Some((i, v.as_str()?)));
    let missing = named.filter(|(_, name)| !known.contains_key(*name)).map(|(i, name)| {
        let message = format!("`{name}` is required, but not in `properties`, and others are not allowed");
        let fault = SchemaFault::new(pointer::join(&under, i), message);
        match keywords::near(name, known.keys().map(String::as_str)) {
            Some(meant) => fault.help(format!("did you mean `{meant}`?")),
            None => fault,
        }
    });
    missing.collect()
}
