//! Words of which one is chosen.

use serde_json::Value;

use super::{At, FromNode, list_names};
use crate::spec::describe::{self, Book};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::Node;
use crate::spec::source::Spanned;

/// What is written as one of a few words.
pub trait Choice: Copy + PartialEq + 'static {
    /// The words and what they stand for.
    const WORDS: &'static [(&'static str, Self)];

    /// Its word.
    fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl<T: Choice> FromNode for Spanned<T> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let word = Spanned::<String>::from_node(node, at, sink)?;
        let found = T::WORDS.iter().find(|(name, _)| *name == word.value);
        if found.is_none() {
            let names: Vec<&str> = T::WORDS.iter().map(|(name, _)| *name).collect();
            let message = format!("`{}` is not one of {}", word.value, list_names(&names));
            sink.push(Diagnostic::error(Code::BadValue, word.span, message).nearest(&word.value, names));
        }
        found.map(|(_, value)| Spanned::new(*value, word.span))
    }

    fn schema(_: &mut Book) -> Value {
        describe::words(T::WORDS.iter().map(|(word, _)| *word))
    }
}
