//! The language's own JSON Schema, made of the records that read a spec. Draft 7: editors know no later one well.

use serde_json::{Map, Value, json};

use super::diagnostic::Diagnostics;
use super::model::{Action, Document};
use super::read::{Field, FromNode as _};
use super::source::Files;
use super::yaml;

/// Where the schema of the latest version can be told from others.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";
/// What a value from outside looks like, where another type than a string is wanted.
const FROM_OUTSIDE: &str = r"^\$\{.+\}$";
/// How the line of a key's comment begins that holds its example.
const EXAMPLE: &str = "Example: `";

/// The JSON Schema (draft 7) of a whole spec.
pub fn schema() -> Value {
    let mut book = Book::default();
    let root = Document::schema(&mut book);
    let mut schema = json!({
        "$schema": DIALECT,
        "title": "mcp-declare",
        "description": "A spec of mcp-declare: what an MCP server offers, in place of code.",
        "allOf": [root],
    });
    if let Value::Object(schema) = &mut schema {
        schema.insert("definitions".to_owned(), Value::Object(book.definitions));
    }
    schema
}

/// The definitions that a schema refers to.
#[derive(Debug, Default)]
pub struct Book {
    definitions: Map<String, Value>,
}

impl Book {
    /// Refers to a definition by its name, and makes it the first time. It may refer to itself.
    pub fn define(&mut self, name: &str, make: impl FnOnce(&mut Book) -> Value) -> Value {
        if !self.definitions.contains_key(name) {
            self.definitions.insert(name.to_owned(), Value::Null);
            let made = make(self);
            self.definitions.insert(name.to_owned(), made);
        }
        json!({ "$ref": format!("#/definitions/{name}") })
    }
}

/// The schema of a record, key by key.
#[derive(Debug)]
pub struct Record {
    description: String,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    /// Of which it has one.
    one_of: Vec<&'static str>,
}

impl Record {
    /// A record without keys; `comment` is what its type's doc comment says.
    pub fn new(comment: &str) -> Self {
        let description = Comment::read(comment).description;
        Record { description, properties: Map::new(), required: Vec::new(), one_of: Vec::new() }
    }

    /// Adds a key.
    pub fn key<T: Field>(&mut self, key: &'static str, comment: &str, book: &mut Book) {
        self.property(key, comment, T::schema(book));
        if T::REQUIRED {
            self.required.push(key);
        }
    }

    /// Adds a key whose values are like `schema`.
    pub fn property(&mut self, key: &'static str, comment: &str, schema: Value) {
        self.properties.insert(key.to_owned(), Comment::read(comment).on(schema));
    }

    /// Adds the keys of actions, and of what may stand beside one.
    pub fn actions(&mut self, wanted: bool, book: &mut Book) {
        Action::describe(self, book);
        if wanted {
            self.one_of(&Action::KEYS);
        }
    }

    /// Demands one of `keys`.
    pub fn one_of(&mut self, keys: &[&'static str]) {
        self.one_of.extend(keys);
    }

    /// The schema of a record that has other keys besides.
    pub fn finish_open(self) -> Value {
        let mut schema = self.finish();
        if let Value::Object(schema) = &mut schema {
            schema.remove("additionalProperties");
        }
        schema
    }

    /// The schema.
    pub fn finish(self) -> Value {
        let mut schema = json!({
            "type": "object",
            "description": self.description,
            "properties": self.properties,
            "patternProperties": { "^x-": true },
            "additionalProperties": false,
        });
        if let Value::Object(schema) = &mut schema {
            if !self.required.is_empty() {
                schema.insert("required".to_owned(), json!(self.required));
            }
            if !self.one_of.is_empty() {
                let each: Vec<Value> = self.one_of.iter().map(|key| json!({ "required": [key] })).collect();
                schema.insert("oneOf".to_owned(), Value::Array(each));
            }
        }
        schema
    }
}

/// A doc comment: words, and perhaps an example at the end.
struct Comment {
    description: String,
    example: Option<Value>,
}

impl Comment {
    fn read(comment: &str) -> Self {
        let (words, example) = comment.split_once(EXAMPLE).unwrap_or((comment, ""));
        let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Comment { description: lines.join(" "), example: value(example.trim_end().trim_end_matches('`')) }
    }

    /// Adds the words to what a value has to be. Draft 7 reads nothing that stands beside a `$ref`.
    fn on(self, schema: Value) -> Value {
        let mut described = Map::new();
        described.insert("description".to_owned(), Value::String(self.description));
        if let Some(example) = self.example {
            described.insert("examples".to_owned(), json!([example]));
        }
        match schema {
            Value::Object(schema) if !schema.contains_key("$ref") => described.extend(schema),
            Value::Object(reference) => drop(described.insert("allOf".to_owned(), json!([reference]))),
            _ => {}
        }
        Value::Object(described)
    }
}

/// Reads an example: flow YAML.
fn value(text: &str) -> Option<Value> {
    let mut files = Files::default();
    let file = files.add("example", "example", text.to_owned());
    let node = yaml::parse(file, &files, &mut Diagnostics::default())?;
    Some(node.to_json()).filter(|value| !value.is_null())
}

/// A value of a JSON type other than string, which may also come from outside.
pub fn or_from_outside(kind: &str) -> Value {
    let words = format!("expected {kind}, or a value from outside such as `${{NAME}}`");
    json!({ "type": [kind, "string"], "pattern": FROM_OUTSIDE, "patternErrorMessage": words })
}

/// A string that fits a pattern, which `words` explain.
pub fn fitting(pattern: &str, words: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "patternErrorMessage": words })
}

/// One of a few words.
pub fn words<'w>(words: impl Iterator<Item = &'w str>) -> Value {
    json!({ "type": "string", "enum": words.collect::<Vec<_>>() })
}

/// One of several forms.
pub fn any_of<const N: usize>(forms: [Value; N]) -> Value {
    json!({ "anyOf": forms.to_vec() })
}
