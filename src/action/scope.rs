//! The names that an action may use, where it stands.

use std::sync::Arc;

use serde_json::Value;

use crate::spec::read::list_names;
use crate::spec::{Code, Diagnostic, Place, Spanned};

/// A name that an action may use.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Spanned<String>,
    /// Its JSON Schema.
    pub schema: Arc<Value>,
    /// Whether a call may leave it out and it has no default.
    pub optional: bool,
    /// Whether its values are kept out of logs.
    pub secret: bool,
}

impl Param {
    /// JSON Schema's `type`, if it is one word.
    pub fn kind(&self) -> Option<&str> {
        self.schema.get("type").and_then(Value::as_str)
    }

    /// The words that an `enum` of strings allows; `None` without such an `enum`.
    pub fn words(&self) -> Option<Vec<&str>> {
        self.schema.get("enum")?.as_array()?.iter().map(Value::as_str).collect()
    }
}

/// The names that are known where an action stands.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// What holds the action, for messages: "tool `find_books`".
    pub owner: &'a str,
    /// The names.
    pub params: &'a [Param],
    /// Where a name that is missing is added, for messages: "add it to `params`".
    pub remedy: &'static str,
}

impl<'a> Scope<'a> {
    /// The param of this name.
    pub fn get(&self, name: &str) -> Option<&'a Param> {
        self.params.iter().find(|p| p.name.value == name)
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.params.iter().map(|p| p.name.value.as_str())
    }

    /// The names whose values are not shown.
    pub fn secrets(&self) -> Vec<String> {
        self.params.iter().filter(|p| p.secret).map(|p| p.name.value.clone()).collect()
    }

    /// The diagnostic for a name that nothing here defines.
    pub fn unknown(&self, name: &str, place: impl Into<Place>) -> Diagnostic {
        let words = format!("`{name}` is not defined in {}", self.owner);
        let found = Diagnostic::error(Code::UnknownName, place, words).nearest(name, self.names());
        match self.params.is_empty() {
            _ if !found.label.is_empty() => found,
            true => found.label(format!("nothing is: {}", self.remedy)),
            false => {
                let names: Vec<&str> = self.names().collect();
                found.label(format!("known here: {}", list_names(&names)))
            }
        }
    }
}
