//! Strings, numbers, quantities and lists.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{At, FromNode, refuse};
use crate::spec::describe::{self, Book};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Kind, Node};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

impl FromNode for Node {
    fn from_node(node: &Node, _: At<'_>, _: &mut Diagnostics) -> Option<Self> {
        (!matches!(node.kind, Kind::Fault)).then(|| node.clone())
    }

    fn schema(_: &mut Book) -> Value {
        Value::Object(Map::new())
    }
}

impl FromNode for Spanned<Text> {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        if let Kind::String(text) = &node.kind {
            return Some(Spanned::new(text.clone(), node.span));
        }
        refuse(node, "a string", sink, |found| match &node.kind {
            Kind::Number(_) | Kind::Bool(_) => found.label("quote it"),
            Kind::List(_) => found.label("quote it if it is text"),
            _ => found,
        });
        None
    }

    fn schema(_: &mut Book) -> Value {
        json!({ "type": "string" })
    }
}

impl FromNode for Spanned<String> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let text = Spanned::<Text>::from_node(node, at, sink)?;
        Some(Spanned::new(text.expose().to_owned(), text.span))
    }

    fn schema(_: &mut Book) -> Value {
        json!({ "type": "string" })
    }
}

impl FromNode for Spanned<bool> {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let value = match &node.kind {
            Kind::Bool(b) => Some(*b),
            Kind::String(text) if text.is_secret() => text.expose().parse().ok(),
            _ => None,
        };
        if value.is_none() {
            refuse(node, "a boolean", sink, |found| found.label("write `true` or `false`, without quotes"));
        }
        value.map(|b| Spanned::new(b, node.span))
    }

    fn schema(_: &mut Book) -> Value {
        describe::or_from_outside("boolean")
    }
}

/// A whole number that is not negative. One from `${…}` is read from its text.
impl FromNode for Spanned<u64> {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let number = match &node.kind {
            Kind::Number(n) => n.as_u64(),
            Kind::String(text) if text.is_secret() => text.expose().parse().ok(),
            _ => None,
        };
        match &node.kind {
            _ if number.is_some() => {}
            Kind::Number(n) => {
                let words = format!("expected a whole number, 0 or more, found {n}");
                sink.error(Code::WrongType, node.span, words);
            }
            _ => refuse(node, "a whole number, 0 or more", sink, |found| found),
        }
        number.map(|n| Spanned::new(n, node.span))
    }

    fn schema(_: &mut Book) -> Value {
        let mut schema = describe::or_from_outside("integer");
        if let Value::Object(schema) = &mut schema {
            schema.insert("minimum".to_owned(), json!(0));
        }
        schema
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let Kind::List(items) = &node.kind else {
            refuse(node, "a list", sink, |found| found.label("a list is written `[a, b]`"));
            return None;
        };
        Some(items.iter().filter_map(|item| T::from_node(item, At::place(item.span), sink)).collect())
    }

    fn schema(book: &mut Book) -> Value {
        json!({ "type": "array", "items": T::schema(book) })
    }
}

impl FromNode for Spanned<Duration> {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let parsed = match &node.kind {
            Kind::String(text) => duration(text.expose()),
            _ => None,
        };
        if parsed.is_none() {
            let examples = "such as `250ms`, `5s` or `2m`, at most `24h`";
            refuse_quantity(node, "a duration", examples, sink);
        }
        parsed.map(|d| Spanned::new(d, node.span))
    }

    fn schema(_: &mut Book) -> Value {
        describe::fitting(r"^([1-9][0-9]*(ms|s|m|h)|.*\$\{.*)$", "expected a duration such as `250ms`, `5s` or `2m`")
    }
}

/// Reports a number with a unit that can't be read as `what`.
fn refuse_quantity(node: &Node, what: &str, examples: &str, sink: &mut Diagnostics) {
    match &node.kind {
        Kind::String(text) => {
            let words = format!("`{}` is not {what}", text.written());
            sink.push(Diagnostic::error(Code::BadValue, node.span, words).label(examples));
        }
        _ => refuse(node, what, sink, |found| found.label(examples)),
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
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let parsed = match &node.kind {
            Kind::String(text) => bytes(text.expose()),
            Kind::Number(n) => n.as_u64().and_then(|n| usize::try_from(n).ok()),
            _ => None,
        };
        let parsed = parsed.filter(|n| *n > 0);
        if parsed.is_none() {
            refuse_quantity(node, "a size", "such as `64KiB` or `10MiB`, more than nothing", sink);
        }
        parsed.map(|n| Spanned::new(Bytes(n), node.span))
    }

    fn schema(_: &mut Book) -> Value {
        let pattern = r"^([1-9][0-9]*(B|kB|KB|KiB|MB|MiB|GB|GiB)?|.*\$\{.*)$";
        let text = describe::fitting(pattern, "expected a size such as `64KiB` or `10MiB`");
        describe::any_of([text, json!({ "type": "integer", "minimum": 1 })])
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
