//! What a spec takes from outside: its variables, and the files that hold a value.

use std::path::PathBuf;

/// The variables and files that `${…}` names, each once, in the order of the spec.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Environment variables.
    pub variables: Vec<Variable>,
    /// The files of `${file:…}`.
    pub files: Vec<PathBuf>,
}

/// A variable that the spec reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is without a value, of `${NAME:-default}`.
    pub default: Option<String>,
    /// What is said without a value, of `${NAME:?message}`.
    pub message: Option<String>,
}

/// Variables that every process has.
const EVERYWHERE: [&str; 5] = ["HOME", "PATH", "SHELL", "TMPDIR", "USER"];

impl Variable {
    /// Whether every process has it, whoever starts it.
    pub fn is_everywhere(&self) -> bool {
        EVERYWHERE.contains(&self.name.as_str())
    }
}

impl Outside {
    /// Notes a variable, by what stands behind its name.
    pub(super) fn variable(&mut self, name: &str, rule: &str) {
        let rest = |mark| rule.strip_prefix(mark).map(str::to_owned);
        let (default, message) = (rest(":-"), rest(":?").filter(|words| !words.is_empty()));
        match self.variables.iter_mut().find(|known| known.name == name) {
            // Where one place has no default, a value is needed.
            Some(known) => {
                known.default = known.default.take().filter(|_| default.is_some());
                known.message = known.message.take().or(message);
            }
            None => self.variables.push(Variable { name: name.to_owned(), default, message }),
        }
    }
}
