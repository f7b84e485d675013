//! Everything that can be said against a schema before it is used.

use super::checks::check;
use super::keywords::{self, Holds};
use super::refs::Targets;
use super::sentence::Sentences;
use super::{SchemaFault, options, pointer, values};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Deepest nesting of schemas.
const MAX_DEPTH: usize = 64;
/// Deepest nesting of JSON in them, values such as `default` included.
const MAX_JSON_DEPTH: usize = 256;

/// What was learned about a schema without faults.
pub struct Found {
    /// Properties with `secret: true`.
    pub secrets: HashSet<String>,
}

/// All the faults of `schema`.
pub fn lint(schema: &Value) -> Result<Found, Vec<SchemaFault>> {
    if !schema.is_object() {
        return Err(vec![SchemaFault::new("", "a schema must be an object")]);
    }
    if let Some(at) = too_deep(schema) {
        return Err(vec![SchemaFault::new(at, format!("nested deeper than {MAX_JSON_DEPTH}"))]);
    }
    let mut walk = Walk::default();
    walk.schema(schema, String::new(), 0);
    let Walk { mut faults, schemas, too_deep } = walk;
    if let Some(at) = too_deep {
        return Err(vec![SchemaFault::new(at, format!("schemas are nested deeper than {MAX_DEPTH}"))]);
    }
    let targets = Targets::new(schema, &schemas);
    for (at, schema) in &schemas {
        faults.extend(check(at, schema));
        faults.extend(targets.check(at, schema));
    }
    add_new(&mut faults, against_meta_schema(schema));
    let secrets = secrets(&schemas);
    faults.extend(unfit_defaults(schema, &schemas, &secrets));
    if faults.is_empty() { Ok(Found { secrets }) } else { Err(faults) }
}

/// What the compiler found although [`lint`] did not.
pub fn build_fault(error: &ValidationError<'_>) -> SchemaFault {
    let message = match error.kind() {
        ValidationErrorKind::Referencing(e) => format!("a reference cannot be resolved: {e}"),
        _ => format!("the schema cannot be compiled: {}", values::cut(&error.to_string(), 200)),
    };
    SchemaFault::new(error.instance_path().as_str(), message)
}

/// Where the JSON is nested too deep.
fn too_deep(root: &Value) -> Option<String> {
    let mut open = vec![(root, String::new(), 0)];
    while let Some((value, at, depth)) = open.pop() {
        if depth > MAX_JSON_DEPTH {
            return Some(at);
        }
        match value {
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(i, v)| (v, pointer::join(&at, i), depth + 1)));
            }
            Value::Object(entries) => {
                open.extend(entries.iter().map(|(k, v)| (v, pointer::join(&at, k), depth + 1)));
            }
            _ => (),
        }
    }
    None
}

/// Visits the places where schemas stand, and only those.
#[derive(Default)]
struct Walk<'s> {
    faults: Vec<SchemaFault>,
    schemas: Vec<(String, &'s Map<String, Value>)>,
    too_deep: Option<String>,
}

impl<'s> Walk<'s> {
    fn schema(&mut self, schema: &'s Value, at: String, depth: usize) {
        let Some(keywords) = schema.as_object() else { return };
        if depth > MAX_DEPTH {
            self.too_deep = Some(at);
            return;
        }
        self.schemas.push((at.clone(), keywords));
        for (keyword, value) in keywords {
            let under = pointer::join(&at, keyword);
            match keywords::holds(keyword) {
                Some(Holds::Other) => (),
                Some(Holds::Schema) if !value.is_array() => self.schema(value, under, depth + 1),
                Some(Holds::Schema | Holds::List) => {
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.schema(item, pointer::join(&under, i), depth + 1);
                    }
                }
                Some(Holds::Named) => {
                    for (name, item) in value.as_object().into_iter().flatten() {
                        self.schema(item, pointer::join(&under, name), depth + 1);
                    }
                }
                None => {
                    if let Some(meant) = keywords::meant(keyword) {
                        let fault = SchemaFault::new(under, format!("unknown keyword `{keyword}`"));
                        self.faults.push(fault.help(format!("did you mean `{meant}`?")));
                    }
                }
            }
        }
    }
}

/// Keywords whose value is a list.
const LISTS: [&str; 3] = ["enum", "required", "examples"];

/// What the meta-schema of the schema's dialect says.
fn against_meta_schema(schema: &Value) -> Vec<SchemaFault> {
    let Ok(meta) = jsonschema::meta::validator_for(schema) else {
        return vec![SchemaFault::new("/$schema", "unknown dialect of JSON Schema").help("leave `$schema` out")];
    };
    // to collect faults takes longer than to see that there are none
    if meta.is_valid(schema) {
        return Vec::new();
    }
    let (schemas, secrets) = (Map::new(), HashSet::new());
    let sentences = Sentences { schema: &schemas, secrets: &secrets };
    let faults = meta.iter_errors(schema).map(|error| {
        let at = error.instance_path();
        let name = at.as_str().rsplit('/').next().unwrap_or_default();
        let message = format!("`{name}` {}", sentences.predicate(&error, false));
        let fault = SchemaFault::new(at.as_str(), message);
        match (error.kind(), error.instance().as_ref()) {
            (ValidationErrorKind::Type { .. }, Value::String(text)) if text.parse::<f64>().is_ok() => {
                fault.help("write it without quotes")
            }
            (ValidationErrorKind::Type { .. }, Value::String(_)) if LISTS.contains(&name) => {
                fault.help("a list is written `[a, b]`")
            }
            _ => fault,
        }
    });
    faults.collect()
}

/// Adds those of `more` that nothing was said about yet: ours say it better.
fn add_new(faults: &mut Vec<SchemaFault>, more: Vec<SchemaFault>) {
    for fault in more {
        let below = format!("{}/", fault.pointer);
        if !faults.iter().any(|f| f.pointer == fault.pointer || f.pointer.starts_with(&below)) {
            faults.push(fault);
        }
    }
}

/// Defaults that their own schema refuses, as far as the schema can be compiled.
fn unfit_defaults(
    root: &Value,
    schemas: &[(String, &Map<String, Value>)],
    secrets: &HashSet<String>,
) -> Vec<SchemaFault> {
    let mut with_default = schemas.iter().filter(|(_, s)| s.contains_key("default")).peekable();
    if with_default.peek().is_none() {
        return Vec::new();
    }
    let Ok(validators) = options().build_map(root) else { return Vec::new() };
    let none = Map::new();
    let sentences = Sentences { schema: &none, secrets };
    let unfit = with_default.filter_map(|(at, schema)| {
        let validator = validators.get(&format!("#{at}"))?;
        let error = validator.iter_errors(schema.get("default")?).next()?;
        let secret = schema.get("secret") == Some(&Value::Bool(true));
        let reason = match error.instance_path().is_empty() {
            true => format!("it {}", sentences.predicate(&error, secret)),
            false => sentences.of(&error).into_iter().take(1).map(|f| f.message).collect(),
        };
        Some(SchemaFault::new(pointer::join(at, "default"), format!("the default does not fit: {reason}")))
    });
    unfit.collect()
}

fn secrets(schemas: &[(String, &Map<String, Value>)]) -> HashSet<String> {
    let mut names = HashSet::new();
    for (_, schema) in schemas {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if property.get("secret") == Some(&Value::Bool(true)) {
                names.insert(name.clone());
            }
        }
    }
    names
}
