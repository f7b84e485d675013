//! From the tree to the model: every record says its keys once, and all that does not fit is reported. The
//! language's JSON Schema is made of the same records.

mod choice;
mod values;

use serde_json::{Value, json};

use super::describe::Book;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::source::{Span, Spanned};
pub use choice::Choice;
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

/// Declares a record: its keys, their types, and how it is read. Unknown keys are reported with the nearest
/// known one; `x-…` keys are ignored.
macro_rules! record {
    (@actions $field:ident $known:ident) => {
        $known.extend($crate::spec::model::Action::KEYS);
        $known.extend($crate::spec::model::Action::BESIDE)
    };
    (@around $field:ident $known:ident) => {
        $known.extend($crate::spec::model::Around::KEYS)
    };
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident as $what:literal {
            $( $(#[doc = $field_doc:literal])* $key:literal => $field:ident: $type:ty, )*
        }
        $( action => $action_field:ident )?
        $( optional action => $optional_field:ident )?
        $( around => $around_field:ident )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The place of its key.
            pub at: $crate::spec::Span,
            $( #[doc = concat!("The key `", $key, "`.")] $(#[doc = $field_doc])* pub $field: $type, )*
            $(
                /// What runs; `None` after a mistake.
                pub $action_field: Option<$crate::spec::model::Action>,
            )?
            $(
                /// What runs, if anything; `None` inside after a mistake.
                pub $optional_field: Option<$crate::spec::read::Required<$crate::spec::model::Action>>,
            )?
            $(
                /// What stands around it.
                pub $around_field: Box<$crate::spec::model::Around>,
            )?
        }

        impl $name {
            /// The keys that it has.
            pub const KEYS: &'static [&'static str] = &[$($key),*];
        }

        impl $crate::spec::read::FromNode for $name {
            fn from_node(
                node: &$crate::spec::Node,
                at: $crate::spec::read::At<'_>,
                sink: &mut $crate::spec::Diagnostics,
            ) -> Option<Self> {
                #[allow(unused_mut)]
                let mut known = Self::KEYS.to_vec();
                $( $crate::spec::read::record!(@actions $action_field known); )?
                $( $crate::spec::read::record!(@actions $optional_field known); )?
                $( $crate::spec::read::record!(@around $around_field known); )?
                let entries = $crate::spec::read::map(node, $what, &known, sink)?;
                $crate::spec::read::refuse_unknown(entries, &known, $what, at, sink);
                $( let $action_field = $crate::spec::model::Action::of(entries, &known, $what, at, sink); )?
                $(
                    let acts = entries.iter().any(|e| $crate::spec::model::Action::KEYS.contains(&e.key.value.as_str()));
                    let $optional_field = acts.then(|| {
                        $crate::spec::read::Required($crate::spec::model::Action::of(entries, &known, $what, at, sink))
                    });
                )?
                $( let $around_field = Box::new($crate::spec::model::Around::of(entries, $what, at, sink)); )?
                $( let $field = $crate::spec::read::field::<$type>(entries, $key, &known, $what, at, sink); )*
                Some($name { at: at.span, $( $field, )* $( $action_field, )? $( $optional_field, )? $( $around_field, )? })
            }

            fn schema(book: &mut $crate::spec::describe::Book) -> serde_json::Value {
                book.define(stringify!($name), |book| {
                    let mut record = $crate::spec::describe::Record::new(concat!($($doc, "\n"),*));
                    $( record.key::<$type>($key, concat!($($field_doc, "\n"),*), book); )*
                    $( let _ = stringify!($action_field); record.actions(true, book); )?
                    $( let _ = stringify!($optional_field); record.actions(false, book); )?
                    $( let _ = stringify!($around_field); $crate::spec::model::Around::describe(&mut record, book); )?
                    record.finish()
                })
            }
        }
    };
}
pub(crate) use record;

/// The entries of a node that has to be a map.
pub fn map<'n>(node: &'n Node, what: &str, known: &[&str], sink: &mut Diagnostics) -> Option<&'n [Entry]> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        _ => {
            let expected = format!("a map with the keys of {}", article(what));
            refuse(node, &expected, sink, |found| found.help(keys_of(what, known)));
            None
        }
    }
}

/// Reports the keys that a record does not have.
pub fn refuse_unknown(entries: &[Entry], known: &[&str], what: &str, at: At<'_>, sink: &mut Diagnostics) {
    for key in unknown(entries, known) {
        let owner = at.name.map_or_else(|| what.to_owned(), |name| format!("{what} `{name}`"));
        let words = format!("unknown key `{}` in {owner}", key.value);
        let found = Diagnostic::error(Code::UnknownKey, key.span, words).nearest(key, known.iter().copied());
        let at_top = super::model::Document::KEYS.contains(&key.value.as_str());
        sink.push(match () {
            () if at_top => found.label(format!("`{}` stands at the top of a spec, beside `server`", key.value)),
            () if found.label.is_empty() => found.help(keys_of(what, known)),
            () => found,
        });
    }
}

/// The keys that a record does not have; `x-…` may stand anywhere.
fn unknown<'e>(entries: &'e [Entry], known: &'e [&str]) -> impl Iterator<Item = &'e Spanned<String>> {
    let keys = entries.iter().map(|e| &e.key);
    keys.filter(|key| !known.contains(&key.value.as_str()) && !key.value.starts_with("x-"))
}

/// Whether one of the keys that a record does not have was most likely meant to be one of `wanted`.
pub fn misspelt(entries: &[Entry], known: &[&str], wanted: &[&str]) -> bool {
    let meant = |key: &Spanned<String>| super::nearest(key, known.iter().copied());
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
        if T::REQUIRED && !misspelt(entries, known, &[key]) {
            sink.error(Code::MissingKey, at.span, format!("`{key}` is missing in this {what}"));
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
                let label = "each value has a name: `name: value`";
                refuse(&entry.value, "a map from names to values", sink, |found| found.label(label));
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
