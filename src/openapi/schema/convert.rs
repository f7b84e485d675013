//! One schema, keyword by keyword.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::{Way, is_nullable, stands_alone};
use crate::openapi::document::{Document, reference};
use crate::openapi::name;

/// How deep schemas may nest in one another.
const MAX_DEPTH: usize = 40;

/// Keywords whose value is a schema, or a boolean.
const SCHEMA: [&str; 10] = [
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is a map from names to schemas.
const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
/// Keywords whose value is taken as it is.
const PLAIN: [&str; 23] = [
    "type",
    "title",
    "description",
    "enum",
    "const",
    "default",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "dependentRequired",
    "deprecated",
];

/// Why a conversion stopped.
#[derive(Debug)]
pub enum Stop {
    /// It is recursive, or larger than what may be written out.
    NeedsDefinitions,
    /// It is wrong, in words.
    Wrong(String),
}

/// Converts schemas into one that holds them all.
pub struct Converter<'c, 'd> {
    document: &'c Document<'d>,
    way: Way,
    /// JSON values that may still be written.
    left: usize,
    inline: bool,
    /// References that are being written out.
    open: Vec<String>,
    /// Reference → name and schema of what is under `$defs`; no schema for what waits.
    definitions: IndexMap<String, (String, Option<Value>)>,
}

impl<'c, 'd> Converter<'c, 'd> {
    /// One that may write `budget` JSON values, with references written out or not.
    pub fn new(document: &'c Document<'d>, way: Way, budget: usize, inline: bool) -> Self {
        Converter { document, way, left: budget, inline, open: Vec::new(), definitions: IndexMap::new() }
    }

    /// What the schemas so far refer to. Not by recursion: references may lead to one another for as long as they like.
    pub fn definitions(mut self) -> Result<Map<String, Value>, Stop> {
        let mut at = 0;
        while let Some((reference, _)) = self.definitions.get_index(at) {
            let target = self.document.target(&reference.clone()).map_err(Stop::Wrong)?;
            let schema = self.schema(target, 0)?;
            if let Some((_, (_, done))) = self.definitions.get_index_mut(at) {
                *done = Some(schema);
            }
            at += 1;
        }
        let all = self.definitions.into_values();
        Ok(all.map(|(name, schema)| (name, schema.unwrap_or_else(|| json!({})))).collect())
    }

    /// One schema.
    pub fn schema(&mut self, schema: &Value, depth: usize) -> Result<Value, Stop> {
        self.spend(1)?;
        if depth > MAX_DEPTH {
            return Err(match self.inline {
                true => Stop::NeedsDefinitions,
                false => Stop::Wrong(format!("its schemas are nested deeper than {MAX_DEPTH}")),
            });
        }
        let Some(fields) = schema.as_object() else {
            return Ok(match schema {
                Value::Bool(false) => json!({ "not": {} }),
                _ => json!({}),
            });
        };
        let alone = stands_alone(self.document.version);
        let mut made = Map::new();
        if let Some(reference) = reference(schema) {
            let target = self.reference(reference, depth)?;
            let beside = fields.keys().any(|key| PLAIN.contains(&key.as_str()) || LIST.contains(&key.as_str()));
            match target {
                Value::Object(target) if !beside || alone => return Ok(Value::Object(target)),
                target => made.insert("allOf".to_owned(), json!([target])),
            };
        }
        for (key, value) in fields {
            self.keyword(key, value, &mut made, depth)?;
        }
        bounds(&mut made);
        self.drop_unseen(fields, &mut made);
        Ok(match is_nullable(schema) {
            true => nullable(made),
            false => Value::Object(made),
        })
    }

    fn keyword(&mut self, key: &str, value: &Value, made: &mut Map<String, Value>, depth: usize) -> Result<(), Stop> {
        let key_out = key.to_owned();
        match (key, value) {
            ("items", Value::Array(items)) => {
                let items = self.list(items, depth)?;
                made.insert("prefixItems".to_owned(), items);
            }
            (_, Value::Object(_) | Value::Bool(_)) if SCHEMA.contains(&key) => {
                let value = match value {
                    Value::Bool(_) => value.clone(),
                    _ => self.schema(value, depth + 1)?,
                };
                made.insert(key_out, value);
            }
            (_, Value::Array(items)) if LIST.contains(&key) && !items.is_empty() => {
                let mut items = self.list(items, depth)?;
                if let (Some(Value::Array(before)), Value::Array(items)) = (made.get_mut(key), &mut items) {
                    before.append(items);
                } else {
                    made.insert(key_out, items);
                }
            }
            (_, Value::Object(named)) if NAMED.contains(&key) => {
                let mut all = Map::with_capacity(named.len());
                for (name, schema) in named {
                    all.insert(name.clone(), self.schema(schema, depth + 1)?);
                }
                made.insert(key_out, Value::Object(all));
            }
            // what comes back need not be held to a format, and is given no defaults
            ("format" | "default", _) if self.way == Way::Received => {}
            ("type", Value::String(kind)) if kind == "file" => {
                made.insert(key_out, json!("string"));
            }
            ("required", value) if !value.is_array() => {}
            ("enum", value) if !value.is_array() => {}
            _ if PLAIN.contains(&key) => {
                self.spend(size(value))?;
                made.insert(key_out, value.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Result<Value, Stop> {
        items.iter().map(|item| self.schema(item, depth + 1)).collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    /// What stands for a reference: its target, or another reference.
    fn reference(&mut self, reference: &str, depth: usize) -> Result<Value, Stop> {
        let target = self.document.target(reference).map_err(Stop::Wrong)?;
        if self.inline {
            if self.open.iter().any(|open| open == reference) {
                return Err(Stop::NeedsDefinitions);
            }
            self.open.push(reference.to_owned());
            let written = self.schema(target, depth + 1);
            self.open.pop();
            return written;
        }
        if let Some((name, _)) = self.definitions.get(reference) {
            return Ok(json!({ "$ref": format!("#/$defs/{name}") }));
        }
        let last = reference.rsplit('/').next().unwrap_or(reference);
        let mut taken = self.definitions.values().map(|(name, _)| name.clone()).collect();
        let name = name::unique(name::tool(last), &mut taken);
        let made = json!({ "$ref": format!("#/$defs/{name}") });
        self.definitions.insert(reference.to_owned(), (name, None));
        Ok(made)
    }

    /// Takes out the properties that never go this way.
    fn drop_unseen(&self, fields: &Map<String, Value>, made: &mut Map<String, Value>) {
        let mark = match self.way {
            Way::Sent => "readOnly",
            Way::Received => "writeOnly",
        };
        let written = fields.get("properties").and_then(Value::as_object).into_iter().flatten();
        let unseen = |schema: &Value| schema.get(mark) == Some(&json!(true));
        for (name, _) in written.filter(|(_, schema)| unseen(schema)) {
            if let Some(Value::Object(properties)) = made.get_mut("properties") {
                properties.shift_remove(name);
            }
            if let Some(Value::Array(required)) = made.get_mut("required") {
                required.retain(|other| other != name);
            }
        }
        if made.get("required").is_some_and(|required| *required == json!([])) {
            made.shift_remove("required");
        }
    }

    fn spend(&mut self, values: usize) -> Result<(), Stop> {
        self.left = self.left.checked_sub(values).ok_or(Stop::NeedsDefinitions)?;
        Ok(())
    }
}

/// JSON values in a value; a bounded look, since a budget is smaller.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Object(fields) => fields.values().map(size).sum::<usize>() + 1,
        Value::String(text) => 1 + text.len() / 1000,
        _ => 1,
    }
}

/// `exclusiveMinimum: true` beside `minimum: 1`, as before JSON Schema draft 6, is `exclusiveMinimum: 1`.
fn bounds(made: &mut Map<String, Value>) {
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match made.get(exclusive) {
            Some(Value::Bool(true)) => match made.shift_remove(bound) {
                Some(limit) => drop(made.insert(exclusive.to_owned(), limit)),
                None => drop(made.shift_remove(exclusive)),
            },
            Some(Value::Bool(false)) => drop(made.shift_remove(exclusive)),
            _ => {}
        }
    }
}

/// The same schema, which null fits too.
fn nullable(mut made: Map<String, Value>) -> Value {
    if let Some(Value::Array(values)) = made.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    let combined = ["allOf", "oneOf", "anyOf", "not", "$ref", "const"].iter().any(|key| made.contains_key(*key));
    match made.get_mut("type") {
        Some(Value::String(kind)) if kind != "null" => {
            let kinds = json!([kind, "null"]);
            made.insert("type".to_owned(), kinds);
        }
        Some(Value::Array(kinds)) if !kinds.contains(&json!("null")) => kinds.push(json!("null")),
        _ => {}
    }
    let told = made.contains_key("type") && !combined;
    let fits = ["anyOf", "oneOf"].iter().any(|key| {
        made.get(*key).and_then(Value::as_array).is_some_and(|all| all.contains(&json!({ "type": "null" })))
    });
    if told || fits || !combined {
        return Value::Object(made);
    }
    if let Some(Value::Array(kinds)) = made.get("type")
        && let [kind, _] = kinds.as_slice()
    {
        let kind = kind.clone();
        made.insert("type".to_owned(), kind);
    }
    let words = made.shift_remove("description");
    let mut either = json!({ "anyOf": [Value::Object(made), { "type": "null" }] });
    if let (Value::Object(either), Some(words)) = (&mut either, words) {
        either.insert("description".to_owned(), words);
    }
    either
}
