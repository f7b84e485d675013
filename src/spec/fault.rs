//! What is wrong inside a text that stands in a spec: a template, a statement, a URI, a pattern.

use std::ops::Range;

/// A fault in an embedded text. Whoever holds the text's place in the spec turns it into a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the text that are at fault; empty points between two characters.
    pub range: Range<usize>,
    /// What is wrong: a lowercase sentence fragment without a full stop.
    pub message: String,
    /// What to do about it, if that is known.
    pub help: Option<String>,
}

impl Fault {
    /// A fault at `range` of the text.
    pub fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Fault { range, message: message.into(), help: None }
    }

    /// The same fault, with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
