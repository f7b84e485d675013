//! The helpers: functions of JSON values, without access to anything else.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::RenderFault;
use super::date;
use super::render::Output;
use compare::{compare, equal};

mod compare;
#[cfg(test)]
mod tests;

/// A value without a name of its own: what is absent is null.
type Arg<'v> = Cow<'v, Value>;

/// What `{{name …}}` may call. "Text of x" means x as `{{x}}` would show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    /// `json x`: x as compact JSON, null as `null`; with `pretty=true` on several lines.
    Json { pretty: bool },
    /// `join xs ", "`: the texts of a list's items with the separator between; nothing for null.
    Join,
    /// `default x "d"`: x, or d when x is absent or null. 0, false and "" are given values.
    Default,
    /// `truncate x n`: the text of x; if it has more than n characters, the first n and `…`.
    Truncate,
    /// `date x "%Y-%m-%d"`: see [`date::format`]; nothing for null.
    Date,
    /// `upper x`: the text of x in capitals.
    Upper,
    /// `lower x`: the text of x in small letters.
    Lower,
    /// `trim x`: the text of x without white space at its ends.
    Trim,
    /// `eq a b`: whether both are the same JSON; 1 and 1.0 are, 1 and "1" are not, absent and null are.
    Eq,
    /// `ne a b`: the opposite of `eq`.
    Ne,
    /// `gt a b`: whether a > b: numbers by value (a decimal in a text counts when the other is a number), texts by
    /// code point; false when either is null.
    Gt,
    /// `lt a b`: whether a < b, like `gt`.
    Lt,
    /// `and a b …`: whether all would pass `#if`.
    And,
    /// `or a b …`: whether any would pass `#if`.
    Or,
    /// `not a`: whether a would not pass `#if`.
    Not,
    /// `len x`: the number of a text's characters, a list's items or an object's keys; 0 for null.
    Len,
    /// `lookup xs key`: a list's item by number or an object's field by name; null if there is none.
    Lookup,
}

/// How each helper is called, with how many values, and how an example of it looks.
const HELPERS: [(&str, Helper, RangeInclusive<usize>, &str); 17] = [
    ("json", Helper::Json { pretty: false }, 1..=1, "{{json x}}"),
    ("join", Helper::Join, 2..=2, "{{join list \", \"}}"),
    ("default", Helper::Default, 2..=2, "{{default x \"none\"}}"),
    ("truncate", Helper::Truncate, 2..=2, "{{truncate x 80}}"),
    ("date", Helper::Date, 2..=2, "{{date x \"%Y-%m-%d\"}}"),
    ("upper", Helper::Upper, 1..=1, "{{upper x}}"),
    ("lower", Helper::Lower, 1..=1, "{{lower x}}"),
    ("trim", Helper::Trim, 1..=1, "{{trim x}}"),
    ("eq", Helper::Eq, 2..=2, "{{#if (eq a b)}}"),
    ("ne", Helper::Ne, 2..=2, "{{#if (ne a b)}}"),
    ("gt", Helper::Gt, 2..=2, "{{#if (gt a b)}}"),
    ("lt", Helper::Lt, 2..=2, "{{#if (lt a b)}}"),
    ("and", Helper::And, 2..=16, "{{#if (and a b)}}"),
    ("or", Helper::Or, 2..=16, "{{#if (or a b)}}"),
    ("not", Helper::Not, 1..=1, "{{#if (not a)}}"),
    ("len", Helper::Len, 1..=1, "{{len x}}"),
    ("lookup", Helper::Lookup, 2..=2, "{{lookup list 0}}"),
];

/// The blocks, which are no helpers but are called like them.
pub(super) const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

/// A helper, how many values it takes, and an example.
pub(super) struct Signature {
    pub helper: Helper,
    pub takes: RangeInclusive<usize>,
    pub example: &'static str,
}

/// The helper of this name.
pub(super) fn named(name: &str) -> Option<Signature> {
    let (_, helper, takes, example) = HELPERS.iter().find(|(n, ..)| *n == name)?;
    Some(Signature { helper: *helper, takes: takes.clone(), example })
}

/// The helper or block whose name is nearest to a mistyped one, if any is near.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    crate::spec::nearest(name, HELPERS.iter().map(|(n, ..)| *n).chain(BLOCKS))
}

/// The names of all helpers, for messages.
pub(super) fn list() -> String {
    HELPERS.iter().map(|(n, ..)| *n).collect::<Vec<_>>().join(", ")
}

/// What a value is, in plain words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The bytes that reading all of a value takes, about.
pub(super) fn bytes(value: &Value) -> usize {
    const EACH: usize = 16;
    EACH + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(bytes).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + bytes(value)).sum(),
    }
}

/// Whether a value passes `#if`: not null, false, 0, "", [] or {}.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64().is_some_and(|n| n != 0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

impl Helper {
    /// Checks an argument that is written out in the template; the error says what was expected.
    pub(super) fn check_literal(self, position: usize, value: &Value) -> Result<(), String> {
        match (self, position, value) {
            (Helper::Date, 1, Value::String(pattern)) => date::check(pattern),
            (Helper::Date, 1, _) => Err(format!("`date` needs a pattern such as \"%Y-%m-%d\", not {}", kind(value))),
            (Helper::Truncate, 1, _) => count(value).map(drop),
            (Helper::Join, 1, _) if !value.is_string() => {
                Err(format!("`join` needs a text to put between, not {}", kind(value)))
            }
            _ => Ok(()),
        }
    }

    /// The bytes of its values that the helper reads, about: a loop may call it on the same large value again and
    /// again.
    pub(super) fn reads(self, args: &[Arg<'_>]) -> usize {
        match (self, args) {
            (Helper::Default | Helper::Lookup | Helper::And | Helper::Or | Helper::Not, _) => 0,
            (Helper::Len, [x, ..]) if !x.is_string() => 0,
            // values of different kinds, and texts of different lengths, are told apart at once
            (Helper::Eq | Helper::Ne, [a, b]) => match (&**a, &**b) {
                (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => bytes(a).min(bytes(b)),
                (Value::String(a), Value::String(b)) if a.len() == b.len() => a.len(),
                _ => 0,
            },
            (_, args) => args.iter().map(|arg| bytes(arg)).sum(),
        }
    }

    /// The helper's value; a text that it makes has at most `max` bytes.
    pub(super) fn call<'v>(self, args: Vec<Arg<'v>>, max: usize) -> Result<Arg<'v>, RenderFault> {
        let owned = |value| Ok(Cow::Owned(value));
        let mut args = args.into_iter();
        let first = args.next().unwrap_or_default();
        match self {
            Helper::And => return owned(Value::Bool(is_true(&first) && args.all(|a| is_true(&a)))),
            Helper::Or => return owned(Value::Bool(is_true(&first) || args.any(|a| is_true(&a)))),
            _ => {}
        }
        let second = args.next().unwrap_or_default();
        owned(match self {
            Helper::Default => return Ok(if first.is_null() { second } else { first }),
            Helper::Lookup => return Ok(lookup(first, &second)),
            Helper::Json { pretty } => {
                let mut out = Output::new(max);
                out.json(&first, pretty)?;
                Value::String(out.into_text())
            }
            Helper::Join => join(&first, &second, max)?,
            Helper::Truncate => truncate(&text(&first, max)?, &second)?,
            Helper::Date if first.is_null() => Value::Null,
            Helper::Date => match &*second {
                Value::String(pattern) => Value::String(date::format(&first, pattern).map_err(RenderFault::Failed)?),
                other => return fail(format!("`date` needs a pattern such as \"%Y-%m-%d\", not {}", kind(other))),
            },
            Helper::Upper => Value::String(text(&first, max)?.to_uppercase()),
            Helper::Lower => Value::String(text(&first, max)?.to_lowercase()),
            Helper::Trim => Value::from(text(&first, max)?.trim()),
            Helper::Eq => Value::Bool(equal(&first, &second)),
            Helper::Ne => Value::Bool(!equal(&first, &second)),
            Helper::Gt => Value::Bool(compare("gt", &first, &second)? == Some(Ordering::Greater)),
            Helper::Lt => Value::Bool(compare("lt", &first, &second)? == Some(Ordering::Less)),
            Helper::Not => Value::Bool(!is_true(&first)),
            Helper::Len => Value::from(len(&first)?),
            Helper::And | Helper::Or => Value::Null,
        })
    }
}

fn fail<T>(message: String) -> Result<T, RenderFault> {
    Err(RenderFault::Failed(message))
}

fn text<'v>(value: &'v Value, max: usize) -> Result<Cow<'v, str>, RenderFault> {
    if let Value::String(text) = value {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Output::new(max);
    out.show(value)?;
    Ok(Cow::Owned(out.into_text()))
}

fn join(list: &Value, between: &Value, max: usize) -> Result<Value, RenderFault> {
    let Value::String(between) = between else {
        return fail(format!("`join` needs a text to put between, not {}", kind(between)));
    };
    let list = match list {
        Value::Array(list) => list,
        Value::Null => return Ok(Value::Null),
        other => return fail(format!("`join` needs a list, not {}", kind(other))),
    };
    let mut out = Output::new(max);
    for (i, item) in list.iter().enumerate() {
        if i > 0 {
            out.push(between)?;
        }
        out.show(item)?;
    }
    Ok(Value::String(out.into_text()))
}

fn count(value: &Value) -> Result<usize, String> {
    let count = value.as_u64().and_then(|n| usize::try_from(n).ok());
    count.ok_or_else(|| match value {
        Value::Number(n) => format!("`truncate` needs a whole number of characters, not {n}"),
        other => format!("`truncate` needs a number of characters, not {}", kind(other)),
    })
}

fn truncate(text: &str, n: &Value) -> Result<Value, RenderFault> {
    let n = count(n).map_err(RenderFault::Failed)?;
    Ok(match text.char_indices().nth(n).and_then(|(end, _)| text.get(..end)) {
        Some(head) => Value::String(format!("{head}…")),
        None => Value::from(text),
    })
}

fn lookup<'v>(from: Arg<'v>, key: &Value) -> Arg<'v> {
    fn of<'a>(from: &'a Value, key: &Value) -> Option<&'a Value> {
        match from {
            Value::Array(list) => list.get(usize::try_from(key.as_u64()?).ok()?),
            Value::Object(map) => map.get(key.as_str()?),
            _ => None,
        }
    }
    match from {
        Cow::Borrowed(from) => of(from, key).map(Cow::Borrowed).unwrap_or_default(),
        Cow::Owned(from) => Cow::Owned(of(&from, key).cloned().unwrap_or_default()),
    }
}

fn len(value: &Value) -> Result<usize, RenderFault> {
    match value {
        Value::Null => Ok(0),
        Value::String(text) => Ok(text.chars().count()),
        Value::Array(list) => Ok(list.len()),
        Value::Object(map) => Ok(map.len()),
        other => fail(format!("`len` needs a text, a list or an object, not {}", kind(other))),
    }
}
