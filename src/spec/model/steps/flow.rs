//! What may stand beside what a step does: how often, how long, and what follows an error.

use std::time::Duration;

use serde_json::Value;

use super::{CallStep, Does};
use crate::spec::describe::{self, Book, Record, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::model::Str;
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, FromNode, Required, record};
use crate::spec::source::Spanned;

/// The keys of a step that say how it is done. `with` is of `call`.
pub(super) const KEYS: [&str; 8] = ["as", "when", "with", "forEach", "maxItems", "concurrency", "timeout", "onError"];

/// How a step is done.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// The key `when`: a name, a path into one, or a jq predicate; the step is left out unless it holds.
    pub when: Option<Str>,
    /// The key `forEach`: the list whose items it is done for, a name or a path into one.
    pub for_each: Option<Str>,
    /// The key `maxItems`, of `forEach`.
    pub max_items: Option<Spanned<u64>>,
    /// The key `concurrency`, of `forEach` and `parallel`: how many at the same time.
    pub concurrency: Option<Spanned<u64>>,
    /// The key `timeout`: how long it may take; each item of `forEach` by itself.
    pub timeout: Option<Spanned<Duration>>,
    /// The key `onError`: what follows an error; by default the end of all steps.
    pub on_error: Option<OnError>,
}

/// What follows an error.
#[derive(Debug, Clone)]
pub enum OnError {
    /// `continue`: the next step.
    Continue(Spanned<()>),
    /// `{ call: … }`: that tool is called, then the steps end with the error.
    Call(CallStep),
}

record! {
    /// `{ call: …, with: … }`
    pub struct Compensation as "onError" {
        /// The tool that undoes what was done.
        /// Example: `restore`
        "call" => call: Required<Str>,
        /// Its arguments; `error` is the error's words.
        /// Example: `{ why: '{{error}}' }`
        "with" => with: Option<Node>,
    }
}

impl Flow {
    /// Reads the keys of a step that `does` something.
    pub(super) fn read(entries: &[Entry], does: Option<&Does>, at: At<'_>, sink: &mut Diagnostics) -> Self {
        let flow = Flow {
            when: read::field(entries, "when", &[], "step", at, sink),
            for_each: list_name(entries, at, sink),
            max_items: read::field(entries, "maxItems", &[], "step", at, sink),
            concurrency: read::field(entries, "concurrency", &[], "step", at, sink),
            timeout: read::field(entries, "timeout", &[], "step", at, sink),
            on_error: read::field(entries, "onError", &[], "step", at, sink),
        };
        let key = |key: &str| entries.iter().find(|e| e.key.value == key).map(|e| e.key.span);
        let repeats = key("forEach").is_some();
        let misplaced = [
            (key("maxItems").filter(|_| !repeats), "`maxItems` goes with `forEach`"),
            (
                key("concurrency").filter(|_| !repeats && !matches!(does, Some(Does::Parallel(_)) | None)),
                "`concurrency` goes with `forEach` or `parallel`",
            ),
        ];
        for (span, words) in misplaced {
            let Some(span) = span else { continue };
            let found = Diagnostic::error(Code::UnknownKey, span, words);
            sink.push(found.label("this step is done once"));
        }
        flow
    }
}

/// Reads `forEach`, which has the name of a list, not the list.
fn list_name(entries: &[Entry], at: At<'_>, sink: &mut Diagnostics) -> Option<Str> {
    let written = entries.iter().find(|e| e.key.value == "forEach");
    if let Some(Node { kind: Kind::List(_), span }) = written.map(|entry| &entry.value) {
        let found = Diagnostic::error(Code::WrongType, *span, "expected the name of a list, found a list");
        sink.push(found.label("name a param or an earlier step's outcome, as in `forEach: found.books`"));
        return None;
    }
    read::field(entries, "forEach", &[], "step", at, sink)
}

impl Flow {
    /// Adds the keys to those of a step.
    pub(super) fn describe(step: &mut Record, book: &mut Book) {
        let name = Str::schema(book);
        let number = Spanned::<u64>::schema(book);
        let time = Spanned::<Duration>::schema(book);
        let when =
            "Left out unless this holds: a name, a path, or a jq predicate over all names. Example: `.count > 2`";
        step.property("when", when, name.clone());
        let each = "Done for each item of this list, with `item` and `index`: a name or a path. Example: `found.rows`";
        step.property("forEach", each, name);
        step.property("maxItems", "Items of `forEach` at most; 1000 otherwise. Example: `50`", number.clone());
        let at_once = "Items of `forEach`, or steps of `parallel`, at the same time. Example: `4`";
        step.property("concurrency", at_once, number);
        step.property("timeout", "How long the step may take; each item by itself. Example: `30s`", time);
        let on_error = "What follows an error: the next step, or a tool that undoes what was done. Example: `continue`";
        step.property("onError", on_error, OnError::schema(book));
    }
}

impl FromNode for OnError {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => {
                let Compensation { call, with, .. } = Compensation::from_node(node, at, sink)?;
                Some(OnError::Call(CallStep { tool: call.0?, with }))
            }
            Kind::String(word) if word.written() == "continue" => Some(OnError::Continue(Spanned::new((), at.span))),
            Kind::String(word) => {
                let words = format!("`{}` is nothing that can follow an error", word.written());
                sink.push(Diagnostic::error(Code::BadValue, node.span, words).label(FORMS));
                None
            }
            _ => {
                read::refuse(node, "`continue` or a map", sink, |found| found.label(FORMS));
                None
            }
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([describe::words(["continue"].into_iter()), Compensation::schema(book)])
    }
}

const FORMS: &str = "write `continue`, or `{ call: tool, with: … }` for a tool that undoes what was done";
