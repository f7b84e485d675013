//! The one tree that YAML, TOML and JSON are read into, with the place of every key and value.

use serde_json::{Map, Number, Value};

use super::source::{Span, Spanned};
use super::text::Text;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: Kind,
}

/// What a node is; the kinds of JSON.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a float.
    Number(Number),
    /// A string.
    String(Text),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<Entry>),
    /// What is wrong in itself and has been reported: nothing more is said of it.
    Fault,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// What the node is, in the words of an error: "a string", "a map".
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Null | Kind::Fault => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(n) if n.is_f64() => "a number",
            Kind::Number(_) => "an integer",
            Kind::String(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of a map by its key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key.value == key)
    }

    /// The value as JSON. Secrets are in it: for what runs, not for what is shown.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null | Kind::Fault => Value::Null,
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Number(n) => Value::Number(n.clone()),
            Kind::String(text) => Value::String(text.expose().to_owned()),
            Kind::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Kind::Map(entries) => Value::Object(entries_to_json(entries)),
        }
    }

    /// Where the part that a JSON Pointer (RFC 6901) names stands, or its nearest parent that does. A part
    /// of a map is placed at its key.
    pub fn at_pointer(&self, pointer: &str) -> Span {
        let (mut node, mut span) = (self, self.span);
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.kind {
                Kind::Map(entries) => entries.iter().find(|e| e.key.value == step).map(|e| (&e.value, e.key.span)),
                Kind::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)).map(|n| (n, n.span)),
                _ => None,
            };
            let Some(found) = next else { break };
            (node, span) = found;
        }
        span
    }
}

/// A map's entries as a JSON object, without those at fault.
pub fn entries_to_json(entries: &[Entry]) -> Map<String, Value> {
    let sound = entries.iter().filter(|e| !matches!(e.value.kind, Kind::Fault));
    sound.map(|e| (e.key.value.clone(), e.value.to_json())).collect()
}
