//! Reads the values of a template's variables back from a URI.
//!
//! Both sides are compared in normal form, so it does not matter how a character is encoded. Each value is
//! the shortest that lets the rest match, from left to right. All variables must be there and not
//! empty, except the named ones of `{?…}`, `{&…}` and `{;…}`, which may also come in any order.

mod compile;
mod overlap;
mod search;

use serde_json::{Map, Value};

pub(super) use compile::compile;

use super::percent;

/// Takes URIs of one template apart.
#[derive(Debug, Clone)]
pub struct Matcher {
    elements: Vec<Element>,
}

/// What the URI must have at a place. Texts are in normal form.
#[derive(Debug, Clone)]
enum Element {
    /// This text.
    Literal(String),
    /// A value.
    Value(Unnamed),
    /// Any number of `name=value`.
    Parameters(Parameters),
}

/// A value without its name: one or more characters up to, at most, one of `stops`.
#[derive(Debug, Clone)]
struct Unnamed {
    variable: Box<str>,
    stops: Vec<u8>,
    /// Between the members of an exploded list.
    split: Option<char>,
}

/// The `name=value` pairs after an introducer, up to the end of that part of the URI.
#[derive(Debug, Clone)]
struct Parameters {
    /// `?`, `&` or `;`
    introducer: u8,
    known: Vec<Known>,
}

/// A name that may come.
#[derive(Debug, Clone)]
struct Known {
    /// In normal form.
    name: String,
    variable: Box<str>,
    explode: bool,
}

impl Matcher {
    /// The variables' decoded values, if `uri` is one of the template's: strings, and arrays of strings for
    /// exploded variables. A variable that stands twice must have the same value twice.
    ///
    /// The values are whatever the caller of the server sent: a decoded one may hold `/`, `..` or NUL.
    /// Takes time in proportion to the URI's length times the number of variables.
    pub fn matches(&self, uri: &str) -> Option<Map<String, Value>> {
        if !self.may_start(uri) {
            return None;
        }
        let uri = percent::normalise(uri)?;
        let ranges = search::ranges(&self.elements, &uri)?;
        let mut values = Map::new();
        for (element, range) in self.elements.iter().zip(ranges) {
            let text = uri.get(range)?;
            match element {
                Element::Literal(_) => {}
                Element::Value(unnamed) => agree(&mut values, &unnamed.variable, unnamed.read(text)?)?,
                Element::Parameters(parameters) => parameters.read(text, &mut values)?,
            }
        }
        Some(values)
    }

    /// The number of characters (encoded ones: bytes) that the template itself gives: of two templates that
    /// match a URI, the one with more is the more specific.
    pub fn literal_len(&self) -> usize {
        let length = |text: &str| text.len() - 2 * text.matches('%').count();
        let literals = self.elements.iter().map(|element| match element {
            Element::Literal(text) => length(text),
            Element::Value(_) | Element::Parameters(_) => 0,
        });
        literals.sum()
    }

    /// A quick look that turns most other templates' URIs away before they are normalised.
    fn may_start(&self, uri: &str) -> bool {
        let Some(Element::Literal(start)) = self.elements.first() else { return true };
        let mut pairs = start.bytes().zip(uri.bytes());
        pairs
            .find(|(ours, theirs)| ours != theirs || *ours == b'%')
            .is_none_or(|(ours, theirs)| ours == b'%' || theirs == b'%')
    }
}

impl Unnamed {
    fn read(&self, text: &str) -> Option<Value> {
        match self.split {
            None => percent::decode(text).map(Value::String),
            Some(separator) => text.split(separator).map(member).collect::<Option<_>>().map(Value::Array),
        }
    }
}

/// A member of an exploded list; empty ones are refused like empty values.
fn member(text: &str) -> Option<Value> {
    if text.is_empty() { None } else { percent::decode(text).map(Value::String) }
}

impl Parameters {
    fn separator(&self) -> char {
        if self.introducer == b';' { ';' } else { '&' }
    }

    /// Bytes that end this part of the URI.
    fn stops(&self) -> &'static [u8] {
        if self.introducer == b';' { b"/?#" } else { b"#" }
    }

    /// Reads `text`: nothing, or the introducer and pairs. An unknown name is no match.
    fn read(&self, text: &str, values: &mut Map<String, Value>) -> Option<()> {
        let Some(pairs) = text.get(1..) else { return Some(()) };
        let mut given: Vec<Vec<Value>> = vec![Vec::new(); self.known.len()];
        for pair in pairs.split(self.separator()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let index = self.known.iter().position(|known| known.name == name)?;
            given.get_mut(index)?.push(Value::String(percent::decode(value)?));
        }
        for (known, given) in self.known.iter().zip(given) {
            if known.explode && !given.is_empty() {
                agree(values, &known.variable, Value::Array(given))?;
            } else {
                given.into_iter().try_for_each(|value| agree(values, &known.variable, value))?;
            }
        }
        Some(())
    }
}

/// Adds a variable's value; `None` if it has another one already.
fn agree(values: &mut Map<String, Value>, variable: &str, value: Value) -> Option<()> {
    match values.get(variable) {
        Some(other) if *other != value => None,
        Some(_) => Some(()),
        None => {
            values.insert(variable.to_owned(), value);
            Some(())
        }
    }
}

#[cfg(test)]
mod tests;
