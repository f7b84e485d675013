//! `steps`, as written: what a workflow does, one thing after the other.

mod ask;
mod flow;
mod say;

pub use ask::{AskStep, Context, FormAsk, Input, OnDecline, RootsStep, SampleStep};
pub use flow::{Flow, OnError};
pub use say::{LogLevel, LogStep, ProgressStep};

use serde_json::{Value, json};
use std::time::Duration;

use super::{Action, Str};
use crate::spec::describe::{Book, Record, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, FromNode};
use crate::spec::source::{Span, Spanned};

/// Steps and how long they may take together.
#[derive(Debug, Clone)]
pub struct StepsAction {
    /// In order.
    pub steps: Vec<Step>,
    /// The key `timeout`, which stands beside `steps`.
    pub timeout: Option<Spanned<Duration>>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its place.
    pub at: Span,
    /// The key `as`: a name for the outcome, in later templates and in the outcome of all steps.
    pub name: Option<Str>,
    /// How it is done.
    pub flow: Flow,
    /// What it does; `None` after a mistake.
    pub does: Option<Does>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Does {
    /// Runs an action.
    Run(Action),
    /// Calls a tool of the same spec.
    Call(CallStep),
    /// Does several steps side by side.
    Parallel(Vec<Step>),
    /// Asks the user, or several things at once.
    Ask(AskStep),
    /// Asks the client's language model.
    Sample(SampleStep),
    /// Asks for the client's roots.
    Roots(RootsStep),
    /// Sends a log message.
    Log(LogStep),
    /// Tells how far the call is.
    Progress(ProgressStep),
    /// Waits.
    Sleep(Spanned<Duration>),
}

/// A tool to call and its arguments.
#[derive(Debug, Clone)]
pub struct CallStep {
    /// The tool's name.
    pub tool: Str,
    /// The key `with`: the arguments; a string that is exactly `"{{name}}"` keeps the value's type.
    pub with: Option<Node>,
}

/// The keys of which a step has one, beside those of actions.
const KINDS: [&str; 8] = ["call", "parallel", "ask", "sample", "roots", "log", "progress", "sleep"];

impl FromNode for Step {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let kinds: Vec<&str> = Action::KEYS.into_iter().chain(KINDS).collect();
        let known: Vec<&str> = kinds.iter().copied().chain(flow::KEYS).chain(["isError"]).collect();
        let entries = read::map(node, "step", &known, sink)?;
        read::refuse_unknown(entries, &known, "step", at, sink);
        let name = read::field(entries, "as", &known, "step", at, sink);
        let does = one(entries, &kinds, &known, at, sink).and_then(|entry| read_kind(entry, entries, sink));
        let flow = Flow::read(entries, does.as_ref(), at, sink);
        Some(Step { at: at.span, name, flow, does })
    }

    fn schema(book: &mut Book) -> Value {
        book.define("Step", |book| {
            let mut step = Record::new("A step of a workflow: one action or one of the step's own keys.");
            step.property("as", "A name for the outcome. Example: `found`", Str::schema(book));
            let with =
                "The arguments of `call`; exactly `\"{{name}}\"` keeps the type. Example: `{ words: '{{words}}' }`";
            step.property("with", with, json!({ "type": "object" }));
            for kind in KINDS {
                let (comment, schema) = described(kind, book);
                step.property(kind, comment, schema);
            }
            step.one_of(&KINDS);
            step.actions(true, book);
            Flow::describe(&mut step, book);
            step.finish()
        })
    }
}

/// The one thing that a step does; none and two are reported.
fn one<'e>(
    entries: &'e [Entry],
    kinds: &[&str],
    known: &[&str],
    at: At<'_>,
    sink: &mut Diagnostics,
) -> Option<&'e Entry> {
    let mut found = entries.iter().filter(|e| kinds.contains(&e.key.value.as_str()));
    let Some(first) = found.next() else {
        if !read::misspelt(entries, known, "step", kinds) {
            let found = Diagnostic::error(Code::NoAction, at.span, "this step does nothing");
            sink.push(found.label(format!("give it one of {}", read::list_names(kinds))));
        }
        return None;
    };
    for second in found {
        let words = "a step does one thing, this one does a second";
        let found = Diagnostic::error(Code::TwoActions, second.key.span, words).label("make it a step of its own");
        sink.push(found.related(first.key.span, "first defined here"));
    }
    if let Some(with) = entries.iter().find(|e| e.key.value == "with").filter(|_| first.key.value != "call") {
        sink.error(Code::UnknownKey, with.key.span, "only a `call` step has `with`");
    }
    Some(first)
}

/// What a step's own key means, and what its value is.
fn described(kind: &str, book: &mut Book) -> (&'static str, Value) {
    match kind {
        "call" => ("Calls a tool of this spec. Example: `find_books`", Str::schema(book)),
        "parallel" => (
            "Does several steps side by side. Example: `[{ call: find_books, as: books }, { text: Hello, as: greeting }]`",
            Vec::<Step>::schema(book),
        ),
        "ask" => (
            "Asks the user. Example: `{ message: 'Which?', schema: { properties: { id: { type: integer } } } }`",
            AskStep::schema(book),
        ),
        "sample" => (
            "Asks the client's language model. Example: `{ prompt: 'Sum up: {{text}}', maxTokens: 200 }`",
            SampleStep::schema(book),
        ),
        "roots" => ("Asks for the client's roots. Example: `{}`", RootsStep::schema(book)),
        "log" => (
            "Sends a log message. Example: `Found {{len found}} books`",
            any_of([Str::schema(book), LogStep::schema(book)]),
        ),
        "progress" => ("Tells how far the call is. Example: `{ progress: 1, total: 3 }`", ProgressStep::schema(book)),
        _ => ("Waits. Example: `500ms`", Spanned::<Duration>::schema(book)),
    }
}

fn read_kind(entry: &Entry, entries: &[Entry], sink: &mut Diagnostics) -> Option<Does> {
    let (node, at) = (&entry.value, At::key(entry));
    match entry.key.value.as_str() {
        "call" => {
            let with = entries.iter().find(|e| e.key.value == "with").map(|with| with.value.clone());
            Some(Does::Call(CallStep { tool: Str::from_node(node, at, sink)?, with }))
        }
        "parallel" => parallel(node, at, sink).map(Does::Parallel),
        "ask" => AskStep::from_node(node, at, sink).map(Does::Ask),
        "sample" => SampleStep::from_node(node, at, sink).map(Does::Sample),
        "roots" => RootsStep::from_node(node, at, sink).map(Does::Roots),
        "log" => LogStep::read(node, at, sink).map(Does::Log),
        "progress" => ProgressStep::from_node(node, at, sink).map(Does::Progress),
        "sleep" => Spanned::<Duration>::from_node(node, at, sink).map(Does::Sleep),
        _ => Action::with_error(Action::read(entry, sink), entries, sink).map(Does::Run),
    }
}

fn parallel(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Vec<Step>> {
    let steps = Vec::<Step>::from_node(node, at, sink)?;
    if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
        sink.push(Diagnostic::error(Code::BadValue, at.span, "`parallel` has no steps").label("this does nothing"));
    }
    Some(steps)
}

impl Action {
    /// The names of the tools that it calls.
    pub fn calls(&self) -> Vec<&Str> {
        let Action::Steps(written) = self else { return Vec::new() };
        written.steps.iter().flat_map(Step::calls).collect()
    }
}

impl Step {
    fn calls(&self) -> Vec<&Str> {
        let mut called = match &self.does {
            Some(Does::Call(call)) => vec![&call.tool],
            Some(Does::Run(action)) => action.calls(),
            Some(Does::Parallel(steps)) => steps.iter().flat_map(Step::calls).collect(),
            _ => Vec::new(),
        };
        if let Some(OnError::Call(call)) = &self.flow.on_error {
            called.push(&call.tool);
        }
        called
    }
}
