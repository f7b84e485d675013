//! URI templates (RFC 6570): one syntax tree, expanded into a URI, or matched against one.
//!
//! ```text
//! "shop://books/{id}{?page}" ──parse──▶ parts ──expand──▶ URI         (an action's request)
//!                                         └───compile──▶ Matcher ──▶ values (a resource's URI)
//! ```
//!
//! Expansion encodes whatever could change the structure of the URI, except in `{+v}` and `{#v}`. It
//! knows nothing of paths: whether a segment `..` is harmless is for the caller to check.

mod expand;
mod matcher;
mod operator;
mod parse;
mod percent;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod properties;

use std::ops::Range;

use serde_json::{Map, Value};

use crate::spec::Fault;

pub use matcher::Matcher;
pub use operator::Operator;
pub use percent::{decode, encode_segment};

/// A URI template of any level (RFC 6570), parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTemplate {
    text: Box<str>,
    parts: Vec<Part>,
}

/// A piece of a template. Ranges are bytes of the template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Text outside braces, already percent-encoded where a URI needs it.
    Literal { encoded: String, range: Range<usize> },
    /// `{…}`
    Expression(Expression),
}

/// `{` operator, names `}`; the range includes the braces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expression {
    operator: Operator,
    names: Vec<Name>,
    range: Range<usize>,
}

/// A name in an expression, with its modifier; the range is the name's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    text: Box<str>,
    range: Range<usize>,
    modifier: Modifier,
}

/// What follows a variable's name (RFC 6570 section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// Nothing.
    None,
    /// `:n`: only the first `n` characters, 1 to 9999. A list or an object then counts as undefined.
    Prefix(usize),
    /// `*`: every member of a list or an object by itself.
    Explode,
}

/// A variable where it stands in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable<'t> {
    /// The name as written, percent-encoded triplets included.
    pub name: &'t str,
    /// Bytes of the template's text that the name takes.
    pub range: Range<usize>,
    /// The operator of the expression around it.
    pub operator: Operator,
    /// The modifier after the name.
    pub modifier: Modifier,
}

impl UriTemplate {
    /// Parses a template by the grammar of RFC 6570 section 2, with erratum 6937 (`'` is a literal).
    ///
    /// # Errors
    /// The first fault in the text; also a text over 8 KiB or with more than 256 variables.
    pub fn parse(text: &str) -> Result<UriTemplate, Fault> {
        Ok(UriTemplate { text: text.into(), parts: parse::parts(text)? })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The variables in the order written; a name used twice comes twice.
    pub fn variables(&self) -> impl Iterator<Item = Variable<'_>> {
        self.expressions().flat_map(|expression| {
            expression.names.iter().map(|name| Variable {
                name: &name.text,
                range: name.range.clone(),
                operator: expression.operator,
                modifier: name.modifier,
            })
        })
    }

    /// Whether the template has no variables, so that it stands for exactly one URI.
    pub fn is_literal(&self) -> bool {
        self.expressions().next().is_none()
    }

    /// The URI for `values`; see [`UriTemplate::expand_with`].
    pub fn expand(&self, values: &Map<String, Value>) -> String {
        self.expand_with(|name| values.get(name))
    }

    /// The URI for values that are not encoded yet, also where they look as if they were: [`UriTemplate::expand`] keeps
    /// `%2e` in `{+path}` as it is (RFC 6570 section 3.2.3), this encodes its `%`, so that reading it back gives `%2e` again.
    /// Nor does a value end the path: its `?` and `#` are encoded.
    pub fn expand_plain(&self, values: &Map<String, Value>) -> String {
        let kept = |name: &str| self.variables().any(|v| v.name == name && v.operator.allows_reserved());
        let plain = |value: &Value| match value {
            Value::String(text) => Value::String(text.replace('%', "%25").replace('?', "%3F").replace('#', "%23")),
            other => other.clone(),
        };
        let encoded: Map<String, Value> = values
            .iter()
            .filter(|(name, _)| kept(name))
            .map(|(name, value)| match value {
                Value::Array(items) => (name.clone(), items.iter().map(plain).collect()),
                other => (name.clone(), plain(other)),
            })
            .collect();
        self.expand_with(|name| encoded.get(name).or_else(|| values.get(name)))
    }

    /// The URI for the values that `lookup` gives (RFC 6570 section 3).
    ///
    /// A missing value, null, `[]`, `{}` and what holds nothing but nulls is undefined and leaves nothing.
    /// Numbers and booleans are their JSON text; lists and objects within lists and objects are compact JSON.
    pub fn expand_with<'v>(&self, lookup: impl Fn(&str) -> Option<&'v Value>) -> String {
        let mut out = String::with_capacity(self.text.len() * 2);
        for part in &self.parts {
            match part {
                Part::Literal { encoded, .. } => out.push_str(encoded),
                Part::Expression(expression) => expand::expression(expression, &lookup, &mut out),
            }
        }
        out
    }

    /// Compiles what reads the values back from a URI.
    ///
    /// # Errors
    /// A prefix modifier, or expressions that stand so that it can't be told where one value ends.
    pub fn matcher(&self) -> Result<Matcher, Fault> {
        matcher::compile(&self.parts)
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal { .. } => None,
            Part::Expression(expression) => Some(expression),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_its_variables_with_their_places() {
        let text = "/ü/{id}{?q,tag*}{&id:3}";
        let template = UriTemplate::parse(text).unwrap();
        let found: Vec<_> = template.variables().map(|v| (v.name, &text[v.range], v.operator, v.modifier)).collect();
        assert_eq!(
            found,
            [
                ("id", "id", Operator::Simple, Modifier::None),
                ("q", "q", Operator::Query, Modifier::None),
                ("tag", "tag", Operator::Query, Modifier::Explode),
                ("id", "id", Operator::Continuation, Modifier::Prefix(3)),
            ]
        );
        assert_eq!(template.as_str(), text);
        assert!(!template.is_literal());
    }

    #[test]
    fn a_text_without_expressions_is_literal() {
        for text in ["", "shop://info", "a%20b"] {
            let template = UriTemplate::parse(text).unwrap();
            assert!(template.is_literal());
            assert_eq!(template.variables().count(), 0);
            assert_eq!(template.expand(&Map::new()), text);
        }
    }
}
