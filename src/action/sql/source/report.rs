//! Why a database could not be opened, told at its place in the spec.

use crate::action::sql::types::OpenFault;
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

/// What faults of a source are told by.
#[derive(Debug, Clone, Copy)]
pub struct Reporter<'a> {
    /// The source's name.
    pub name: &'a Spanned<String>,
    /// The source.
    pub written: &'a model::SqlSource,
    /// The text of its `init`.
    pub script: Option<&'a Spanned<String>>,
    /// Whether one can go on without the database for now.
    pub tolerant: bool,
}

impl Reporter<'_> {
    /// Reports a fault. True if one can go on.
    pub fn report(&self, fault: &OpenFault, sink: &mut Diagnostics) -> bool {
        let at = self.written.url.get().map_or(self.name.span, |url| url.span);
        let words = format!("source `{}`: {fault}", self.name.value);
        let tolerated = self.tolerant && matches!(fault, OpenFault::Locked | OpenFault::Unavailable(_));
        sink.push(match fault {
            OpenFault::Missing => Diagnostic::error(Code::MissingFile, at, words),
            OpenFault::Init { offset, .. } => {
                let place = match (self.script, offset) {
                    (Some(script), Some(offset)) => script.at(*offset..*offset + 1),
                    (Some(script), None) => script.span.into(),
                    (None, _) => at.into(),
                };
                Diagnostic::error(Code::Sql, place, words)
            }
            OpenFault::OnConnect { index, offset, .. } => self.on_connect(*index, *offset, words),
            OpenFault::NotADatabase => Diagnostic::error(Code::BadValue, at, words),
            OpenFault::Locked | OpenFault::Unavailable(_) if tolerated => {
                let label = "served without it for now: its statements are checked when it is back";
                Diagnostic::warning(Code::Unreachable, at, words)
                    .label(label)
                    .help("`required: true` makes this an error")
            }
            OpenFault::Locked | OpenFault::Unavailable(_) => Diagnostic::error(Code::Unreachable, at, words),
        });
        tolerated
    }

    fn on_connect(&self, index: usize, offset: Option<usize>, words: String) -> Diagnostic {
        let at = self.written.url.get().map_or(self.name.span, |url| url.span);
        let Some(statement) = self.written.on_connect.as_ref().and_then(|all| all.get(index)) else {
            return Diagnostic::error(Code::Sql, at, words);
        };
        if statement.is_secret() {
            // What the database says quotes the statement.
            let words = format!(
                "source `{}`: a statement of `onConnect` failed: why is not told, as a value from outside is in it",
                self.name.value
            );
            return Diagnostic::error(Code::Sql, statement.span, words);
        }
        match offset {
            Some(offset) => {
                let text = Spanned::new(statement.written().to_owned(), statement.span);
                Diagnostic::error(Code::Sql, text.at(offset..offset + 1), words)
            }
            None => Diagnostic::error(Code::Sql, statement.span, words),
        }
    }
}
