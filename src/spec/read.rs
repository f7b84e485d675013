//! From the tree to the model: every record says its keys once, and all that does not fit is reported.

use std::time::Duration;

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::source::{Span, Spanned};
use super::text::Text;

/// What can be read from a node.
pub trait FromNode: Sized {
    /// Reads it; `at` is the place of its key, where what is missing is reported. `None` after a mistake
    /// that leaves nothing to go on with.
    fn from_node(node: &Node, at: Span, sink: &mut Diagnostics) -> Option<Self>;
}

/// A key's value in a record: wanted, or left to its default.
pub trait Field: Sized {
    /// Reads the value of a key that is there; `None` after a mistake.
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self>;
    /// What an absent key means; `None` if it has to be there.
    fn absent() -> Option<Self>;
}

impl<T: FromNode> Field for Option<T> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        T::from_node(&entry.value, entry.key.span, sink).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A key that has to be there; `None` inside it after a mistake in its value, which has been reported.
#[derive(Debug, Clone)]
pub struct Required<T>(pub Option<T>);

impl<T: FromNode> Field for Required<T> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        Some(Required(T::from_node(&entry.value, entry.key.span, sink)))
    }
    fn absent() -> Option<Self> {
        None
    }
}

impl<T> Required<T> {
    /// The value, unless it was at fault.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

/// Declares a record: its keys, their types, and how it is read. Unknown keys are reported with the nearest
/// known one; `x-…` keys are ignored.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident as $what:literal {
            $( $(#[$field_doc:meta])* $key:literal => $field:ident: $type:ty, )*
        }
        $( action => $action_field:ident )?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The place of its key.
            pub at: $crate::spec::Span,
            $( #[doc = concat!("The key `", $key, "`.")] $(#[$field_doc])* pub $field: $type, )*
            $(
                /// What runs; `None` after a mistake.
                pub $action_field: Option<$crate::spec::model::Action>,
            )?
        }

        impl $name {
            /// The keys that it has.
            pub const KEYS: &'static [&'static str] = &[$($key),*];
        }

        impl $crate::spec::read::FromNode for $name {
            fn from_node(
                node: &$crate::spec::Node,
                at: $crate::spec::Span,
                sink: &mut $crate::spec::Diagnostics,
            ) -> Option<Self> {
                let entries = $crate::spec::read::map(node, $what, sink)?;
                #[allow(unused_mut)]
                let mut known = Self::KEYS.to_vec();
                $(
                    known.extend($crate::spec::model::Action::KEYS);
                    let $action_field = $crate::spec::model::Action::of(entries, $what, at, sink);
                )?
                $crate::spec::read::refuse_unknown(entries, &known, $what, at, sink);
                $( let $field = $crate::spec::read::field::<$type>(entries, $key, $what, at, sink); )*
                Some($name { at, $( $field: $field?, )* $( $action_field, )? })
            }
        }
    };
}
pub(crate) use record;

/// The entries of a node that has to be a map.
pub fn map<'n>(node: &'n Node, what: &str, sink: &mut Diagnostics) -> Option<&'n [Entry]> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        _ => {
            sink.push(wrong_type(node, &format!("a map with the keys of a {what}")));
            None
        }
    }
}

/// Reports the keys that a record does not have.
pub fn refuse_unknown(entries: &[Entry], known: &[&str], what: &str, at: Span, sink: &mut Diagnostics) {
    for entry in entries {
        let key = entry.key.value.as_str();
        if known.contains(&key) || key.starts_with("x-") {
            continue;
        }
        let words = format!("unknown key `{key}` in {what}");
        let mut found = Diagnostic::error(Code::UnknownKey, entry.key.span, words).nearest(key, known.iter().copied());
        if matches!(entry.value.kind, Kind::Null) && at.file == entry.key.span.file {
            found = found.help("does the value before it need quotes? inside `{…}` a comma ends a value");
        } else if found.label.is_empty() {
            found = found.help(format!("the keys of a {} are {}", bare(what), list_names(known)));
        }
        sink.push(found);
    }
}

fn bare(what: &str) -> &str {
    what.split(" `").next().unwrap_or(what)
}

/// Reads one key of a record.
pub fn field<T: Field>(entries: &[Entry], key: &str, what: &str, at: Span, sink: &mut Diagnostics) -> Option<T> {
    match entries.iter().find(|e| e.key.value == key) {
        Some(entry) => T::read(entry, sink).or_else(T::absent),
        None => T::absent().or_else(|| {
            sink.error(Code::MissingKey, at, format!("`{key}` is missing in this {}", bare(what)));
            None
        }),
    }
}

/// Names as they stand in a sentence: `a`, `b`, `c`.
pub fn list_names(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// "expected …, found …".
pub fn wrong_type(node: &Node, expected: &str) -> Diagnostic {
    Diagnostic::error(Code::WrongType, node.span, format!("expected {expected}, found {}", node.what()))
}

impl FromNode for Node {
    fn from_node(node: &Node, _: Span, _: &mut Diagnostics) -> Option<Self> {
        Some(node.clone())
    }
}

impl FromNode for Spanned<Text> {
    fn from_node(node: &Node, _: Span, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::String(text) => Some(Spanned::new(text.clone(), node.span)),
            Kind::Number(_) | Kind::Bool(_) => {
                sink.push(wrong_type(node, "a string").label("quote it"));
                None
            }
            Kind::Map(_) | Kind::List(_) => {
                sink.push(wrong_type(node, "a string").label("quote it if it is a template or text"));
                None
            }
            Kind::Null => {
                sink.push(wrong_type(node, "a string"));
                None
            }
        }
    }
}

impl FromNode for Spanned<String> {
    fn from_node(node: &Node, at: Span, sink: &mut Diagnostics) -> Option<Self> {
        let text = Spanned::<Text>::from_node(node, at, sink)?;
        Some(Spanned::new(text.expose().to_owned(), text.span))
    }
}

impl FromNode for Spanned<bool> {
    fn from_node(node: &Node, _: Span, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Bool(b) => Some(Spanned::new(*b, node.span)),
            Kind::String(text) if matches!(text.expose(), "true" | "false") && text.is_secret() => {
                Some(Spanned::new(text.expose() == "true", node.span))
            }
            Kind::String(text) if matches!(text.written(), "yes" | "no" | "on" | "off") => {
                sink.push(wrong_type(node, "a boolean").label("write `true` or `false`"));
                None
            }
            _ => {
                sink.push(wrong_type(node, "a boolean"));
                None
            }
        }
    }
}

/// A whole number that is not negative. One from `${…}` is read from its text.
impl FromNode for Spanned<u64> {
    fn from_node(node: &Node, _: Span, sink: &mut Diagnostics) -> Option<Self> {
        let number = match &node.kind {
            Kind::Number(n) => n.as_u64(),
            Kind::String(text) if text.is_secret() => text.expose().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            sink.push(wrong_type(node, "a whole number, 0 or more"));
        }
        number.map(|n| Spanned::new(n, node.span))
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node, _: Span, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => Some(items.iter().filter_map(|item| T::from_node(item, item.span, sink)).collect()),
            _ => {
                sink.push(wrong_type(node, "a list"));
                None
            }
        }
    }
}

impl FromNode for Spanned<Duration> {
    fn from_node(node: &Node, _: Span, sink: &mut Diagnostics) -> Option<Self> {
        let parsed = match &node.kind {
            Kind::String(text) => duration(text.expose()),
            _ => None,
        };
        if parsed.is_none() {
            sink.push(
                Diagnostic::error(Code::WrongType, node.span, "expected a duration")
                    .label("such as `250ms`, `5s` or `2m`"),
            );
        }
        parsed.map(|d| Spanned::new(d, node.span))
    }
}

/// Reads a duration of the command line.
///
/// # Errors
/// Words saying how one looks.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "expected a duration such as 250ms, 5s or 2m".to_owned())
}

/// A time span of at most a day, above nothing.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let total = count.parse::<u64>().ok()?.checked_mul(milliseconds)?;
    (1..=86_400_000).contains(&total).then(|| Duration::from_millis(total))
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub usize);

impl FromNode for Spanned<Bytes> {
    fn from_node(node: &Node, _: Span, sink: &mut Diagnostics) -> Option<Self> {
        let parsed = match &node.kind {
            Kind::String(text) => bytes(text.expose()),
            Kind::Number(n) => n.as_u64().and_then(|n| usize::try_from(n).ok()),
            _ => None,
        };
        let parsed = parsed.filter(|n| *n > 0);
        if parsed.is_none() {
            sink.push(
                Diagnostic::error(Code::WrongType, node.span, "expected a size").label("such as `64KiB` or `10MiB`"),
            );
        }
        parsed.map(|n| Spanned::new(Bytes(n), node.span))
    }
}

fn bytes(text: &str) -> Option<usize> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(unit);
    let size: usize = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "KiB" => 1024,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        _ => return None,
    };
    count.parse::<usize>().ok()?.checked_mul(size)
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
}

impl<T: FromNode, const FOREIGN: bool> Field for Named<T, FOREIGN> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        let entries = match &entry.value.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Null => &[],
            _ => {
                sink.push(wrong_type(&entry.value, "a map from names to values"));
                &[]
            }
        };
        let named = entries.iter().filter(|e| FOREIGN || !e.key.value.starts_with("x-"));
        Some(Named(named.map(|e| (e.key.clone(), T::from_node(&e.value, e.key.span, sink))).collect()))
    }
    fn absent() -> Option<Self> {
        Some(Named::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_and_sizes() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        for text in ["", "5", "s", "0s", "-1s", "1.5s", "25h", "5 s", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(bytes("64KiB"), Some(65536));
        assert_eq!(bytes("10"), Some(10));
        assert_eq!(bytes("10 MiB"), None);
        assert_eq!(bytes("99999999999999GiB"), None);
    }
}
