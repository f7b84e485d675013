//! From the tree to the model: every record says its keys once, and all that does not fit is reported. The
//! language's JSON Schema is made of the same records.

mod choice;
mod habits;
mod record;
mod values;

use serde_json::{Value, json};

use super::describe::{Book, Record};
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::source::{Span, Spanned};
pub use choice::Choice;
pub(crate) use record::record;
pub use values::{Bytes, parse_duration};

/// Where a value stands: the place of its key, where what is missing is reported.
#[derive(Debug, Clone, Copy)]
pub struct At<'k> {
    /// The place of the key; of an item of a list, its own.
    pub span: Span,
    /// The key, if the author chose it: the name of a tool, a source, an argument.
    pub name: Option<&'k str>,
}

impl At<'_> {
    /// Under a key of the language.
    pub fn key(entry: &Entry) -> Self {
        At { span: entry.key.span, name: None }
    }

    /// In a list, or at no key.
    pub fn place(span: Span) -> Self {
        At { span, name: None }
    }
}

/// What can be read from a node.
pub trait FromNode: Sized {
    /// Reads it. `None` after a mistake that leaves nothing to go on with.
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self>;
    /// The JSON Schema of such a node, for editors: it may take more than is read, never less.
    fn schema(book: &mut Book) -> Value;
}

/// A key's value in a record: wanted, or left to its default.
pub trait Field: Sized {
    /// Reads the value of a key that is there; `None` after a mistake.
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self>;
    /// What an absent key means.
    fn absent() -> Self;
    /// The JSON Schema of the key's value.
    fn schema(book: &mut Book) -> Value;
    /// Whether the key has to be there.
    const REQUIRED: bool = false;
}

impl<T: FromNode> Field for Option<T> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        T::from_node(&entry.value, At::key(entry), sink).map(Some)
    }
    fn absent() -> Self {
        None
    }
    fn schema(book: &mut Book) -> Value {
        T::schema(book)
    }
}

/// A key that has to be there; `None` inside it if it is not, or after a mistake in its value: either has been
/// reported.
#[derive(Debug, Clone)]
pub struct Required<T>(pub Option<T>);

impl<T: FromNode> Field for Required<T> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        Some(Required(T::from_node(&entry.value, At::key(entry), sink)))
    }
    fn absent() -> Self {
        Required(None)
    }
    fn schema(book: &mut Book) -> Value {
        T::schema(book)
    }
    const REQUIRED: bool = true;
}

/// Keeps apart what is not there from what is there and at fault.
impl<T: FromNode> FromNode for Required<T> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        Some(Required(T::from_node(node, at, sink)))
    }
    fn schema(book: &mut Book) -> Value {
        T::schema(book)
    }
}

impl<T> Required<T> {
    /// The value, unless it was at fault.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

/// The value of a key that is there; `None` inside it after a mistake in the value, which has been reported. In an
/// `Option` it tells a key that is not there from one that is at fault.
#[derive(Debug, Clone)]
pub struct Written<T>(pub Option<T>);

impl<T: FromNode> FromNode for Written<T> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        Some(Written(T::from_node(node, at, sink)))
    }
    fn schema(book: &mut Book) -> Value {
        T::schema(book)
    }
}

/// The keys of a record: read from the entries of its own map, or of a record that it is embedded in.
pub trait Keys: Sized {
    /// Their names.
    fn names() -> Vec<&'static str>;
    /// Reads them from `entries`, among which those that are not `known` have been reported.
    fn read(entries: &[Entry], known: &[&str], what: &str, at: At<'_>, sink: &mut Diagnostics) -> Self;
    /// Adds them to the schema of a record.
    fn describe(record: &mut Record, book: &mut Book);
}

impl<T: Keys> Keys for Box<T> {
    fn names() -> Vec<&'static str> {
        T::names()
    }
    fn read(entries: &[Entry], known: &[&str], what: &str, at: At<'_>, sink: &mut Diagnostics) -> Self {
        Box::new(T::read(entries, known, what, at, sink))
    }
    fn describe(record: &mut Record, book: &mut Book) {
        T::describe(record, book);
    }
}

/// Whether a record has keys that it should not have, or values that were at fault before they were read, such as a
/// variable without a value.
pub fn is_faulty(entries: &[Entry], known: &[&str]) -> bool {
    unknown(entries, known).next().is_some() || entries.iter().any(|entry| matches!(entry.value.kind, Kind::Fault))
}

/// The entries of a node that has to be a map.
pub fn map<'n>(node: &'n Node, what: &str, known: &[&str], sink: &mut Diagnostics) -> Option<&'n [Entry]> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        _ => {
            let expected = format!("a map with the keys of {}", article(what));
            refuse(node, &expected, sink, |found| match (&node.kind, habits::shape(what)) {
                (Kind::Null, shape) if habits::below(what).or(shape).is_some() => {
                    found.label(habits::below(what).or(shape).unwrap_or_default())
                }
                (Kind::List(_), _) => found.label("this is a list: what belongs to a map has no `-` before it"),
                (_, Some(shape)) => found.label(shape),
                (_, None) => found.help(keys_of(what, known)),
            });
            None
        }
    }
}

/// Reports the keys that a record does not have.
pub fn refuse_unknown(entries: &[Entry], known: &[&str], what: &str, at: At<'_>, sink: &mut Diagnostics) {
    // One map's keys are told once, however many of them are unknown.
    let mut told = false;
    for entry in unknown(entries, known) {
        let key = &entry.key;
        let owner = at.name.map_or_else(|| what.to_owned(), |name| format!("{what} `{name}`"));
        let words = format!("unknown key `{}` in {owner}", key.value);
        let found = Diagnostic::error(Code::UnknownKey, key.span, words).nearest(key, known.iter().copied());
        let at_top = super::model::Document::names().contains(&key.value.as_str());
        let remedy = habits::remedy(what, key);
        sink.push(match remedy {
            Some(remedy) => found.label(remedy),
            None if what == "spec" && found.label.is_empty() && seems_tool(&entry.value) => {
                found.label("if this is a tool, it stands below `tools`")
            }
            None if at_top => found.label(format!("`{}` stands at the top of a spec, beside `server`", key.value)),
            None if found.label.is_empty() && !std::mem::replace(&mut told, true) => found.help(keys_of(what, known)),
            None => found,
        });
    }
}

/// The keys that a record does not have; `x-…` may stand anywhere.
fn unknown<'e>(entries: &'e [Entry], known: &'e [&str]) -> impl Iterator<Item = &'e Entry> {
    entries.iter().filter(|entry| !known.contains(&entry.key.value.as_str()) && !entry.key.value.starts_with("x-"))
}

/// Whether a value looks like a tool: it has an action.
fn seems_tool(value: &Node) -> bool {
    super::model::Action::KEYS.iter().any(|action| value.get(action).is_some())
}

/// Whether one of the keys that a record does not have was most likely meant to be one of `wanted`.
pub fn misspelt(entries: &[Entry], known: &[&str], what: &str, wanted: &[&str]) -> bool {
    let meant = |entry: &Entry| match habits::remedy(what, &entry.key) {
        Some(_) => habits::meant(what, &entry.key),
        None => super::nearest(&entry.key, known.iter().copied()),
    };
    unknown(entries, known).filter_map(meant).any(|key| wanted.contains(&key))
}

fn keys_of(what: &str, known: &[&str]) -> String {
    match known {
        [only] => format!("the only key of {} is `{only}`", article(what)),
        _ => format!("the keys of {} are {}", article(what), list_names(known)),
    }
}

/// "a tool", "an icon", and what is of many or one of its kind as it is.
fn article(what: &str) -> String {
    match what {
        "annotations" | "cursor" | "defaults" | "expose" | "oauth2" | "offset" | "onError" | "page" | "paginate"
        | "progress" | "requires" | "roots" | "tls" => format!("`{what}`"),
        "http action" | "mcp action" | "mcp server" => format!("an {what}"),
        _ if what.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {what}"),
        _ => format!("a {what}"),
    }
}

/// Reads one key of a record, whose keys are the `known` ones. A key that has to be there and is only misspelt has been
/// reported once, as an unknown one.
pub fn field<T: Field>(
    entries: &[Entry],
    key: &str,
    known: &[&str],
    what: &str,
    at: At<'_>,
    sink: &mut Diagnostics,
) -> T {
    let Some(entry) = entries.iter().find(|e| e.key.value == key) else {
        if T::REQUIRED && !misspelt(entries, known, what, &[key]) {
            let found = Diagnostic::error(Code::MissingKey, at.span, format!("`{key}` is missing in this {what}"));
            sink.push(match habits::shape(what) {
                Some(shape) if shape.contains(key) => found.label(shape),
                _ => found,
            });
        }
        return T::absent();
    };
    T::read(entry, sink).unwrap_or_else(T::absent)
}

/// Names as they stand in a sentence: `a`, `b`, `c`.
pub fn list_names(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// Reports "expected …, found …" with what `more` adds, unless the node's fault has been reported already.
pub fn refuse(node: &Node, expected: &str, sink: &mut Diagnostics, more: impl FnOnce(Diagnostic) -> Diagnostic) {
    if !matches!(node.kind, Kind::Fault) {
        let words = format!("expected {expected}, found {}", node.what());
        let found = more(Diagnostic::error(Code::WrongType, node.span, words));
        let silent = matches!(node.kind, Kind::Null) && found.label.is_empty() && found.help.is_empty();
        sink.push(if silent { found.label("write a value, or take the key out") } else { found });
    }
}

/// How a map from names to values is written that was written as something else.
fn named(node: &Node) -> &'static str {
    let Kind::List(items) = &node.kind else { return "each value has a name: `name: value`" };
    match items.first() {
        Some(first) if first.get("name").is_some() => "no list: each `name` is a key, `NAME: { … }`",
        _ => "no list: each value has a name, `NAME: value`",
    }
}

/// A map from names to values, in the order written. A name whose value was at fault stays, so that what
/// refers to it is not called unknown. `x-…` names are ignored, unless they are `FOREIGN`.
#[derive(Debug, Clone)]
pub struct Named<T, const FOREIGN: bool = false>(Vec<(Spanned<String>, Option<T>)>);

/// A map whose names are somebody else's: HTTP headers, query parameters, environment variables. There `x-…`
/// is a name like any other.
pub type Foreign<T> = Named<T, true>;

impl<T, const FOREIGN: bool> Default for Named<T, FOREIGN> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T, const FOREIGN: bool> Named<T, FOREIGN> {
    /// The names and their values; `None` for a value at fault.
    pub fn all(&self) -> impl Iterator<Item = (&Spanned<String>, Option<&T>)> {
        self.0.iter().map(|(name, value)| (name, value.as_ref()))
    }

    /// The names with sound values.
    pub fn iter(&self) -> impl Iterator<Item = (&Spanned<String>, &T)> {
        self.0.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a name, unless it is there already: then where.
    pub fn add(&mut self, name: Spanned<String>, value: Option<T>) -> Option<Span> {
        let there = self.0.iter().find(|(other, _)| other.value == name.value).map(|(other, _)| other.span);
        if there.is_none() {
            self.0.push((name, value));
        }
        there
    }
}

impl<T: FromNode, const FOREIGN: bool> Field for Named<T, FOREIGN> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        let entries = match &entry.value.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Null => &[],
            _ => {
                refuse(&entry.value, "a map from names to values", sink, |found| found.label(named(&entry.value)));
                &[]
            }
        };
        let named = entries.iter().filter(|e| FOREIGN || !e.key.value.starts_with("x-"));
        let read = |e: &Entry| {
            let at = At { span: e.key.span, name: Some(&e.key.value) };
            (e.key.clone(), T::from_node(&e.value, at, sink))
        };
        Some(Named(named.map(read).collect()))
    }
    fn absent() -> Self {
        Named::default()
    }
    fn schema(book: &mut Book) -> Value {
        let value = T::schema(book);
        if FOREIGN {
            return json!({ "type": ["object", "null"], "additionalProperties": value });
        }
        let ignored = json!({ "^x-": true });
        json!({ "type": ["object", "null"], "patternProperties": ignored, "additionalProperties": value })
    }
}
