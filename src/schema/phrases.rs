//! The parts that sentences are made of.

use super::values::cut;
use jsonschema::JsonType;
use jsonschema::error::TypeKind;
use serde_json::{Map, Value};
use std::fmt::Display;

/// Longest quotation in characters.
pub const MAX_QUOTE: usize = 80;
/// Longest list of what is allowed, in entries.
const MAX_LISTED: usize = 20;

/// A scalar as JSON; of anything larger only what it is, since a secret may be in it.
pub fn quote(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {}", plural(items.len(), "item")),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => cut(&Value::String(cut(text, MAX_QUOTE)).to_string(), MAX_QUOTE),
        scalar => cut(&scalar.to_string(), MAX_QUOTE),
    }
}

/// A value of the schema as JSON.
pub fn literal(value: &Value) -> String {
    cut(&value.to_string(), MAX_QUOTE)
}

/// Entries with commas, and how many were left out.
pub fn listed(entries: impl ExactSizeIterator<Item = String>) -> String {
    let more = entries.len().saturating_sub(MAX_LISTED);
    let mut text = entries.take(MAX_LISTED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// `a string or null`.
pub fn types(kind: &TypeKind) -> String {
    let named = |t: JsonType| match t {
        JsonType::Array => "an array",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    };
    match kind {
        TypeKind::Single(one) => named(*one).to_owned(),
        TypeKind::Multiple(several) => several.iter().map(named).collect::<Vec<_>>().join(" or "),
    }
}

/// A format with an example where its name does not say how it is written.
pub fn described(format: &str) -> String {
    let (what, example) = match format {
        "date" => ("a date", "2026-01-31"),
        "time" => ("a time", "09:30:00Z"),
        "date-time" => ("a date and time", "2026-01-31T09:30:00Z"),
        "duration" => ("a duration", "P1DT12H"),
        "email" | "idn-email" => ("an e-mail address", "name@example.com"),
        "hostname" | "idn-hostname" => ("a host name", "www.example.com"),
        "ipv4" => ("an IPv4 address", "192.0.2.1"),
        "ipv6" => ("an IPv6 address", "2001:db8::1"),
        "uri" | "iri" => ("a URI", "https://example.com/page"),
        "uuid" => ("a UUID", "123e4567-e89b-12d3-a456-426614174000"),
        "json-pointer" => ("a JSON pointer", "/items/0"),
        "regex" => return "a regular expression".to_owned(),
        other => return format!("in the format `{}`", cut(other, MAX_QUOTE)),
    };
    format!("{what} such as {example}")
}

/// Length of a string as JSON Schema counts it.
pub fn characters(value: &Value) -> usize {
    value.as_str().map_or(0, |s| s.chars().count())
}

/// Length of an array or an object.
pub fn items(value: &Value) -> usize {
    value.as_array().map(Vec::len).or_else(|| value.as_object().map(Map::len)).unwrap_or(0)
}

/// `1 item`, `2 items`.
pub fn plural<N: PartialEq + From<u8> + Display>(n: N, one: &str) -> String {
    match one.strip_suffix('y') {
        _ if n == N::from(1) => format!("{n} {one}"),
        Some(stem) => format!("{n} {stem}ies"),
        None => format!("{n} {one}s"),
    }
}
