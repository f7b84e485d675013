//! GraphQL's input types as JSON Schema, and whether a param of another schema fits one.

use apollo_compiler::ast::{InputValueDefinition, Type, Value as Literal};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use serde_json::{Map, Value, json};

use crate::spec::nearest;

/// Fields of input objects that one schema tells; what is below is left open.
const MAX_FIELDS: usize = 500;
/// Input objects within each other that are told.
const MAX_DEPTH: usize = 8;

/// Which values an input type has: in words for clients, or all that GraphQL takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// The one way to write each value.
    Clients,
    /// Null where it is allowed, and numbers as IDs.
    Everything,
}

/// The JSON Schema of an input type; without a schema only GraphQL's own types are known.
pub fn json_schema(schema: Option<&Schema>, of: &Type, wording: Wording) -> Value {
    Inputs { schema, wording, above: Vec::new(), left: MAX_FIELDS }.of(of)
}

struct Inputs<'s> {
    schema: Option<&'s Schema>,
    wording: Wording,
    /// The input objects that are being told.
    above: Vec<&'s Name>,
    /// How many fields may still be told.
    left: usize,
}

impl<'s> Inputs<'s> {
    fn of(&mut self, of: &Type) -> Value {
        let value = match of {
            Type::Named(name) | Type::NonNullNamed(name) => self.named(name),
            Type::List(item) | Type::NonNullList(item) => json!({ "type": "array", "items": self.of(item) }),
        };
        match self.wording {
            Wording::Everything if !of.is_non_null() => nullable(value),
            _ => value,
        }
    }

    fn named(&mut self, name: &str) -> Value {
        match (name, self.wording) {
            ("Int", _) => return json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }),
            ("Float", _) => return json!({ "type": "number" }),
            ("Boolean", _) => return json!({ "type": "boolean" }),
            ("ID", Wording::Everything) => return json!({ "type": ["string", "integer"] }),
            ("String" | "ID", _) => return json!({ "type": "string" }),
            _ => {}
        }
        let Some(known) = self.schema.and_then(|schema| schema.types.get(name)) else { return json!({}) };
        let value = match known {
            ExtendedType::Enum(one) => {
                json!({ "type": "string", "enum": one.values.keys().map(|value| value.as_str()).collect::<Vec<_>>() })
            }
            ExtendedType::InputObject(input) => {
                if self.above.contains(&&input.name) || self.above.len() >= MAX_DEPTH || self.left == 0 {
                    let words = format!("a `{name}`, as told elsewhere");
                    return json!({ "type": "object", "description": words });
                }
                self.above.push(&input.name);
                let fields = self.fields(input.fields.values().map(|field| &field.node));
                self.above.pop();
                fields
            }
            // a scalar of the API's own can be any JSON
            _ => json!({}),
        };
        described(value, known.description())
    }

    fn fields(&mut self, fields: impl Iterator<Item = &'s Node<InputValueDefinition>>) -> Value {
        let (mut properties, mut required, mut open) = (Map::new(), Vec::new(), false);
        for field in fields {
            if field.is_required() {
                required.push(field.name.as_str());
            }
            if self.left == 0 {
                open = true;
                continue;
            }
            self.left -= 1;
            let mut value = described(self.of(&field.ty), field.description.as_ref());
            if let (Some(default), Value::Object(value)) =
                (field.default_value.as_ref().and_then(|literal| to_json(literal)), &mut value)
            {
                value.insert("default".to_owned(), default);
            }
            properties.insert(field.name.to_string(), value);
        }
        let mut object = json!({ "type": "object", "properties": properties });
        if let Value::Object(object) = &mut object {
            if !required.is_empty() {
                object.insert("required".to_owned(), json!(required));
            }
            if !open {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        object
    }
}

/// The same schema with a description, in place of one that it has.
pub fn described(mut value: Value, words: Option<&Node<str>>) -> Value {
    if let (Value::Object(value), Some(words)) = (&mut value, words) {
        value.insert("description".to_owned(), words.trim().into());
    }
    value
}

/// The same schema, and null.
pub fn nullable(mut value: Value) -> Value {
    let Value::Object(object) = &mut value else { return value };
    let kinds = match object.get("type") {
        Some(Value::String(kind)) => vec![json!(kind), json!("null")],
        Some(Value::Array(kinds)) => kinds.iter().cloned().chain([json!("null")]).collect(),
        _ => return value,
    };
    object.insert("type".to_owned(), Value::Array(kinds));
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.push(Value::Null);
    }
    value
}

/// A literal as JSON; `None` for what has variables in it or is no number that JSON has.
pub fn to_json(literal: &Literal) -> Option<Value> {
    Some(match literal {
        Literal::Null => Value::Null,
        Literal::Enum(name) => Value::from(name.as_str()),
        Literal::Variable(_) => return None,
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Float(number) => json!(number.try_to_f64().ok()?),
        Literal::Int(number) => match number.as_str().parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => json!(number.try_to_f64().ok()?),
        },
        Literal::Boolean(yes) => json!(yes),
        Literal::List(items) => Value::Array(items.iter().map(|item| to_json(item)).collect::<Option<_>>()?),
        Literal::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.to_string(), to_json(value)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
    })
}

/// Why values of a param can't be those of an input type: what the type takes, and what the param is.
pub struct Misfit {
    /// What the type takes: "an integer".
    pub wanted: String,
    /// What the param gives: "a string".
    pub given: String,
}

/// Whether values that fit `param` can be those of an input type, as far as its types and enums tell.
///
/// # Errors
/// Where they can't.
pub fn fits(schema: Option<&Schema>, param: &Value, of: &Type) -> Result<(), Misfit> {
    let given: Vec<&str> = match param.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if given.contains(&"null") && of.is_non_null() {
        return Err(Misfit { wanted: format!("{of}, which is never null"), given: "may be null".to_owned() });
    }
    let taken: &[&str] = match of {
        Type::List(_) | Type::NonNullList(_) => &["array"],
        Type::Named(name) | Type::NonNullNamed(name) => kinds(schema, name),
    };
    if let Some(other) = given.iter().find(|kind| **kind != "null" && !taken.is_empty() && !taken.contains(kind)) {
        return Err(Misfit { wanted: format!("{of}"), given: format!("is {}", article(other)) });
    }
    match of {
        Type::List(item) | Type::NonNullList(item) => match param.get("items") {
            Some(items) => fits(schema, items, item),
            None => Ok(()),
        },
        Type::Named(name) | Type::NonNullNamed(name) => allowed(schema, param, name),
    }
}

/// JSON Schema's types for a type that is no list; empty for any.
fn kinds(schema: Option<&Schema>, name: &str) -> &'static [&'static str] {
    match name {
        "Int" => &["integer"],
        "Float" => &["integer", "number"],
        "String" => &["string"],
        "ID" => &["string", "integer"],
        "Boolean" => &["boolean"],
        _ => match schema.and_then(|schema| schema.types.get(name)) {
            Some(ExtendedType::Enum(_)) => &["string"],
            Some(ExtendedType::InputObject(_)) => &["object"],
            _ => &[],
        },
    }
}

/// Whether the words of a param's `enum` are values of an enum type.
fn allowed(schema: Option<&Schema>, param: &Value, name: &str) -> Result<(), Misfit> {
    let Some(ExtendedType::Enum(one)) = schema.and_then(|schema| schema.types.get(name)) else { return Ok(()) };
    let words = param.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for word in words {
        if !one.values.keys().any(|value| value.as_str() == word) {
            let near = nearest(word, one.values.keys().map(|value| value.as_str()));
            let near = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            return Err(Misfit {
                wanted: format!("{name}, which has no value `{word}`{near}"),
                given: format!("may be `{word}`"),
            });
        }
    }
    Ok(())
}

fn article(kind: &str) -> String {
    match kind {
        "array" | "integer" | "object" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
