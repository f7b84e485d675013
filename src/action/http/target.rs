//! The one way for values into a path: RFC 6570 expansion, and then no step out of where the spec's author put them.

use std::borrow::Cow;

use serde_json::Value;

use super::line;
use crate::action::{Arguments, Builder, Scope};
use crate::outcome::ActionError;
use crate::spec::{Code, Diagnostic, Fault};
use crate::uri::{Operator, UriTemplate};

/// How often a path may be encoded over and over; nobody does that in earnest.
const MAX_ENCODINGS: usize = 8;

/// A compiled path and query below a base URL.
#[derive(Debug)]
pub struct Target {
    template: UriTemplate,
    /// Where the query starts in the template.
    query: usize,
    /// Whether the author wrote an empty segment (`//`).
    has_empty: bool,
}

impl Target {
    /// Compiles it; mistakes and unknown names are reported at their places in the line.
    pub fn compile(written: line::Template<'_>, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Target> {
        let line::Template { line, start } = written;
        let text = line.value.get(start..)?.trim_end();
        let template = match UriTemplate::parse(text) {
            Ok(template) => template,
            Err(Fault { range, message, help }) => {
                let fault = Fault { range: start + range.start..start + range.end, message, help };
                builder.sink.push(Diagnostic::fault(Code::BadUriTemplate, line, fault));
                return None;
            }
        };
        let unknown = template.variables().filter(|v| scope.get(v.name).is_none());
        let place = |range: std::ops::Range<usize>| line.at(start + range.start..start + range.end);
        let found: Vec<_> = unknown.map(|v| scope.unknown(v.name, place(v.range))).collect();
        if !found.is_empty() {
            found.into_iter().for_each(|d| builder.sink.push(d));
            return None;
        }
        let query = text.find('?').unwrap_or(text.len());
        let has_empty = text.get(..query).is_some_and(|path| path.contains("//"));
        Some(Target { template, query, has_empty })
    }

    /// The path and query with values.
    ///
    /// # Errors
    /// If a value would change the path's shape; the message names the param.
    pub fn expand(&self, arguments: &Arguments) -> Result<String, ActionError> {
        self.refuse_delimiters(arguments)?;
        let expanded = self.template.expand(arguments);
        let path = path_of(&expanded);
        let whole = path.is_empty() || path.starts_with('/');
        if !whole || (!self.has_empty && path.contains("//")) {
            let empty = |text: &str| text.is_empty() || text.starts_with('/') || text.ends_with('/');
            return Err(self.refused(arguments, empty, "would leave an empty part in the path"));
        }
        match path.split('/').find_map(wrong) {
            Some(words) => Err(self.refused(arguments, |text| wrong(text).is_some() || text.contains('.'), words)),
            None => Ok(expanded),
        }
    }

    /// The path and query with values, unchecked: for what is shown, not for what is sent.
    pub fn show(&self, arguments: &Arguments) -> String {
        self.template.expand(arguments)
    }

    /// Each param in it, and whether it stands in the path or in the query.
    pub fn places(&self, into: &mut impl FnMut(&str, Cow<'_, str>)) {
        for variable in self.template.variables() {
            let asks = matches!(variable.operator, Operator::Query | Operator::Continuation);
            let in_query = asks || variable.range.start > self.query;
            into(variable.name, Cow::Borrowed(if in_query { "query" } else { "path" }));
        }
    }

    /// `{+x}` leaves the characters that end a path or query as they are.
    fn refuse_delimiters(&self, arguments: &Arguments) -> Result<(), ActionError> {
        for variable in self.template.variables().filter(|v| v.operator == Operator::Reserved) {
            let holds = |c| arguments.get(variable.name).is_some_and(|value| any_text(value, &|text| text.contains(c)));
            if let Some(c) =
                ['#', '?'].into_iter().find(|c| holds(*c) && (*c == '#' || variable.range.start < self.query))
            {
                return Err(ActionError::invalid(format!("`{}` can't hold a `{c}`", variable.name)));
            }
        }
        Ok(())
    }

    /// The error for a path that is at fault. Whichever value looks guilty is named, or the first in the path.
    fn refused(&self, arguments: &Arguments, guilty: impl Fn(&str) -> bool, words: &str) -> ActionError {
        let in_path = || self.template.variables().filter(|v| v.range.start < self.query);
        let value = |name: &str| arguments.get(name).is_some_and(|value| any_text(value, &guilty));
        let name = in_path().find(|v| value(v.name)).or_else(|| in_path().next());
        ActionError::invalid(match name {
            Some(variable) => format!("`{}` {words}", variable.name),
            None => format!("the request {words}"),
        })
    }
}

/// The path of an expanded target.
pub fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

/// Whether a segment is `.` or `..`, as servers with path parameters (`..;x`) read it.
pub fn is_dots(segment: &str) -> bool {
    matches!(segment.split(';').next(), Some("." | ".."))
}

/// Whether a path has a segment that could lead out of it.
pub fn leads_out(path: &str) -> bool {
    path.split('/').any(|segment| wrong(segment).is_some())
}

/// What is wrong with a segment of a path, however often it is encoded: servers and what stands before them decode
/// once too often.
fn wrong(segment: &str) -> Option<&'static str> {
    let mut bytes = segment.as_bytes().to_vec();
    for _ in 0..MAX_ENCODINGS {
        if bytes.iter().any(|b| matches!(b, 0..=0x1f | 0x7f | b'\\' | 0xc0 | 0xc1)) {
            return Some("can't hold a backslash or control character in a path");
        }
        if bytes.split(|b| *b == b'/').any(|part| std::str::from_utf8(part).is_ok_and(is_dots)) {
            return Some("can't make a part of the path `.` or `..`");
        }
        match decode(&bytes) {
            Some(decoded) => bytes = decoded,
            None => return None,
        }
    }
    Some("is percent-encoded too often")
}

/// The bytes with one layer of percent-encoding undone; `None` if there is none.
fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
        match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                decoded.extend(u8::try_from(high * 16 + low));
                rest = after.get(2..).unwrap_or(&[]);
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    (decoded.len() < bytes.len()).then_some(decoded)
}

/// Whether any text of a value is so; a number or boolean counts as its text.
fn any_text(value: &Value, so: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => so(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, so)),
        Value::Object(fields) => fields.iter().any(|(key, value)| so(key) || any_text(value, so)),
        Value::Bool(_) | Value::Number(_) => so(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_steps_out_of_the_path_however_encoded() {
        for segment in [
            ".",
            "..",
            "%2e",
            "%2E%2e",
            ".%2e",
            "%252e%252e",
            "%25252E.",
            "..%2f..%2fadmin",
            "a%2F..%2Fb",
            "..;x",
            "..%3bx",
            "%2e%2e%5cx",
            "a%5Cb",
            "a%00",
            "a%0d%0ab",
            "%c0%ae%c0%ae",
            "a%2f.",
            "..%252f",
        ] {
            assert!(wrong(segment).is_some(), "{segment}");
        }
        for segment in
            ["", "...", "a", "a.b", "..a", ".well-known", "100%25", "%", "%2", "%zz", "a%2Fb", "%C3%BC", "v=1;2"]
        {
            assert_eq!(wrong(segment), None, "{segment}");
        }
    }

    #[test]
    fn gives_up_on_endless_encoding() {
        let segment = format!("%{}2e", "25".repeat(20));
        assert_eq!(wrong(&segment), Some("is percent-encoded too often"));
    }

    #[test]
    fn decodes_one_layer() {
        assert_eq!(decode(b"a%2Fb%zz%"), Some(b"a/b%zz%".to_vec()));
        assert_eq!(decode(b"%252e"), Some(b"%2e".to_vec()));
        assert_eq!(decode(b"%C3%BC"), Some("ü".as_bytes().to_vec()));
        assert_eq!(decode("ü%".as_bytes()), None);
    }
}
