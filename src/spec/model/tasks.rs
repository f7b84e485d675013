//! `longRunning`, as written: which calls become tasks.

use serde_json::{Value, json};
use std::time::Duration;

use crate::spec::describe::Book;
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, FromNode, parse_duration, refuse};
use crate::spec::source::Spanned;

/// Whether the calls of a tool become tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongRunning {
    /// They do not.
    No,
    /// They do.
    Yes,
    /// They do, and a task and its result are kept for so long.
    For(Duration),
}

impl FromNode for Spanned<LongRunning> {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let choices = "`true`, `false`, or how long a task is kept: `2h`, at most `24h`";
        let value = match &node.kind {
            Kind::Bool(true) => Some(LongRunning::Yes),
            Kind::Bool(false) => Some(LongRunning::No),
            Kind::String(text) => {
                let time = parse_duration(text.expose()).ok().map(LongRunning::For);
                if time.is_none() {
                    let words = format!("`{}` is neither a boolean nor a duration", text.written());
                    sink.push(Diagnostic::error(Code::BadValue, node.span, words).label(choices));
                }
                time
            }
            _ => {
                refuse(node, "a boolean or a duration", sink, |found| found.label(choices));
                None
            }
        };
        value.map(|value| Spanned::new(value, node.span))
    }

    fn schema(_: &mut Book) -> Value {
        json!({ "type": ["boolean", "string"] })
    }
}
