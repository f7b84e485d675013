//! A string of the spec in which values from outside may stand.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A string as written and, when `${…}` stood in it, what it stands for. Prints as written, so a value
/// from outside shows up nowhere by accident.
#[derive(Clone)]
pub struct Text {
    written: String,
    secret: Option<SecretString>,
}

impl Text {
    /// A string without values from outside.
    pub fn new(written: impl Into<String>) -> Self {
        Text { written: written.into(), secret: None }
    }

    /// The same string, standing for `value`.
    pub fn with_value(self, value: String) -> Self {
        Text { secret: Some(SecretString::from(value)), ..self }
    }

    /// The string with its values in place. Don't print, log or send it to a client.
    pub fn expose(&self) -> &str {
        self.secret.as_ref().map_or(&self.written, |s| s.expose_secret())
    }

    /// The string as it stands in the spec.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether a value from outside is in it.
    pub fn is_secret(&self) -> bool {
        self.secret.is_some()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Text {}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.written)
    }
}
