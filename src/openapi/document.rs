//! A description as a tree, in which `$ref`s are followed: inside of it, never out of it, never in a circle.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// How many `$ref`s may lead to one another.
const MAX_HOPS: usize = 32;

/// The version of the OpenAPI Specification that a description follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Swagger 2.0.
    V2,
    /// OpenAPI 3.0.
    V30,
    /// OpenAPI 3.1 and later 3.x: schemas are JSON Schema 2020-12.
    V31,
}

/// A description of an API.
#[derive(Debug, Clone, Copy)]
pub struct Document<'d> {
    root: &'d Value,
    /// Which version it follows.
    pub version: Version,
}

impl<'d> Document<'d> {
    /// Tells a description and its version.
    ///
    /// # Errors
    /// In words, if it is none or of a version that is not known.
    pub fn of(root: &'d Value) -> Result<Self, String> {
        if !root.is_object() {
            return Err("it is no map with the keys of OpenAPI".to_owned());
        }
        let text = |key: &str| root.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        let version = match (text("swagger"), text("openapi")) {
            (Some(v), None) if v == "2.0" || v == "2" => Version::V2,
            (None, Some(v)) if v.starts_with("3.0") => Version::V30,
            (None, Some(v)) if v.starts_with("3.") => Version::V31,
            (Some(v), _) => return Err(format!("Swagger {v} is not known here, only 2.0")),
            (_, Some(v)) => return Err(format!("OpenAPI {v} is not known here, only 3.0 and 3.1")),
            (None, None) => return Err("it has neither `openapi` nor `swagger`".to_owned()),
        };
        Ok(Document { root, version })
    }

    /// The value of a key of the whole.
    pub fn get(&self, key: &str) -> Option<&'d Value> {
        self.root.get(key)
    }

    /// What is in a section, which is a map; nothing where it is missing.
    pub fn section(&self, path: &[&str]) -> impl Iterator<Item = (&'d String, &'d Value)> + use<'d> {
        let found = path.iter().try_fold(self.root, |node, key| node.get(key));
        found.and_then(Value::as_object).into_iter().flatten()
    }

    /// The text at a path of keys.
    pub fn text(&self, path: &[&str]) -> Option<&'d str> {
        path.iter().try_fold(self.root, |node, key| node.get(key))?.as_str()
    }

    /// What a `$ref` names.
    ///
    /// # Errors
    /// In words, if that is outside of the document or not there.
    pub fn target(&self, reference: &str) -> Result<&'d Value, String> {
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!("`$ref` to `{}` leads out of the document, which is refused", shown(reference)));
        };
        let pointer = pointer(fragment);
        let missing = || format!("`$ref` to `{}` leads to nothing", shown(reference));
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(missing());
        }
        self.root.pointer(&pointer).ok_or_else(missing)
    }

    /// The node itself, or what its `$ref`s lead to in the end.
    ///
    /// # Errors
    /// In words, as [`Document::target`], and for references in a circle.
    pub fn resolve(&self, node: &'d Value) -> Result<&'d Value, String> {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            match reference(node) {
                Some(reference) => node = self.target(reference)?,
                None => return Ok(node),
            }
        }
        Err("its `$ref`s lead in a circle, or too far".to_owned())
    }

    /// The fields of a node that is an object, or of what it refers to.
    ///
    /// # Errors
    /// In words, as [`Document::resolve`].
    pub fn object(&self, node: &'d Value) -> Result<&'d Map<String, Value>, String> {
        self.resolve(node)?.as_object().ok_or_else(|| "it is no map".to_owned())
    }
}

/// The `$ref` of a node.
pub fn reference(node: &Value) -> Option<&str> {
    node.get("$ref")?.as_str()
}

/// The JSON Pointer (RFC 6901) in a URI's fragment.
fn pointer(fragment: &str) -> Cow<'_, str> {
    percent_decode_str(fragment).decode_utf8_lossy()
}

/// The start of a text that somebody else chose.
pub fn shown(text: &str) -> String {
    let mut start: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}
