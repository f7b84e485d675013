//! The operations of a description, in its order.

use serde_json::{Map, Value};

use super::document::{Document, shown};
use super::left::Left;

/// The keys of a path item that are methods.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation<'d> {
    /// In capitals.
    pub method: String,
    /// As it is written, with `{name}` for its params.
    pub path: &'d str,
    /// Its `operationId`.
    pub id: Option<&'d str>,
    /// Its tags.
    pub tags: Vec<&'d str>,
    /// All of it.
    pub fields: &'d Map<String, Value>,
    /// What its path says for all of its operations.
    pub shared: &'d Map<String, Value>,
}

impl<'d> Operation<'d> {
    /// What a person calls it: `GET /pets`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, shown(self.path))
    }

    /// Whether `name` is its `operationId`, or its method and path.
    pub fn is(&self, name: &str) -> bool {
        self.id == Some(name) || name.split_once(' ').is_some_and(|(m, p)| m == self.method && p == self.path)
    }

    /// The text of one of its keys.
    pub fn text(&self, key: &str) -> Option<&'d str> {
        self.fields.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A key of its own, or else what its path says.
    pub fn inherited(&self, key: &str) -> Option<&'d Value> {
        self.fields.get(key).or_else(|| self.shared.get(key))
    }
}

/// All of them; a path that can't be read is left with the reason.
pub fn all<'d>(document: &Document<'d>, left: &mut Vec<Left>) -> Vec<Operation<'d>> {
    let mut found = Vec::new();
    for (path, item) in document.section(&["paths"]) {
        if path.starts_with("x-") {
            continue;
        }
        let shared = match document.object(item) {
            Ok(shared) => shared,
            Err(why) => {
                left.push(Left::operation(&shown(path), why));
                continue;
            }
        };
        for (key, node) in shared {
            if METHODS.contains(&key.as_str()) {
                match node.as_object() {
                    Some(fields) => found.push(operation(key, path, fields, shared)),
                    None => left.push(Left::operation(&format!("{key} {}", shown(path)), "it is no map")),
                }
            }
        }
    }
    left.extend(document.section(&["webhooks"]).map(|(name, _)| {
        Left::operation(&format!("webhook {}", shown(name)), "a webhook is sent by the API, not to it")
    }));
    found
}

fn operation<'d>(
    method: &str,
    path: &'d str,
    fields: &'d Map<String, Value>,
    shared: &'d Map<String, Value>,
) -> Operation<'d> {
    let tags = fields.get("tags").and_then(Value::as_array).into_iter().flatten();
    Operation {
        method: method.to_ascii_uppercase(),
        path,
        id: fields.get("operationId").and_then(Value::as_str).filter(|id| !id.is_empty()),
        tags: tags.filter_map(Value::as_str).collect(),
        fields,
        shared,
    }
}
