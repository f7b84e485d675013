//! `steps`, as written: what a workflow does, one thing after the other.

mod flow;

pub use flow::{Compensation, Flow, OnError};

use serde_json::{Value, json};
use std::time::Duration;

use super::{Action, Role, Str};
use crate::spec::describe::{Book, Record, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, Choice, FromNode, Named, Required, record};
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

/// Questions to the client, all at once.
#[derive(Debug, Clone)]
pub enum AskStep {
    /// One form.
    One(FormAsk),
    /// The key `inputs`: several questions by name.
    Round(Named<Input>),
}

/// One of several questions.
#[derive(Debug, Clone)]
pub enum Input {
    /// A form for the user.
    Form(FormAsk),
    /// `{ sample: … }`
    Sample(Box<SampleStep>),
    /// `{ roots: … }`
    Roots(RootsStep),
}

record! {
    /// MCP's `elicitation/create`.
    pub struct FormAsk as "ask" {
        /// What the user reads; handlebars.
        /// Example: `'Which of the {{len found}} books?'`
        "message" => message: Required<Str>,
        /// MCP's `requestedSchema`, sent as it is.
        /// Example: `{ type: object, properties: { id: { type: integer } } }`
        "schema" => schema: Required<Node>,
        /// Left out when the client can't show forms.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
        /// What follows when the user declines.
        /// Example: `continue`
        "onDecline" => on_decline: Option<Spanned<OnDecline>>,
    }
}

record! {
    /// `ask: { inputs: … }`
    pub struct RoundAsk as "ask" {
        /// Several questions at once, by name.
        /// Example: `{ size: { message: 'Which size?', schema: { type: object, properties: { size: { type: string } } } } }`
        "inputs" => inputs: Named<Input>,
    }
}

record! {
    /// `{ sample: … }` among the inputs of an `ask`.
    pub struct SampleInput as "input" {
        /// A question to the client's language model.
        /// Example: `{ prompt: 'Sum up: {{text}}', maxTokens: 200 }`
        "sample" => sample: Required<SampleStep>,
    }
}

record! {
    /// `{ roots: … }` among the inputs of an `ask`.
    pub struct RootsInput as "input" {
        /// A question for the client's roots.
        /// Example: `{}`
        "roots" => roots: Required<RootsStep>,
    }
}

/// What follows when the user declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDecline {
    /// The call ends with an error.
    End,
    /// The next step.
    Continue,
}

record! {
    /// MCP's `sampling/createMessage`.
    pub struct SampleStep as "sample" {
        /// Handlebars: the text of one message of the user.
        /// Example: `'Sum up: {{text}}'`
        "prompt" => prompt: Option<Str>,
        /// In place of `prompt`.
        /// Example: `[{ role: user, text: 'Sum up: {{text}}' }]`
        "messages" => messages: Option<Vec<SampleMessage>>,
        /// Tokens that the answer has at most.
        /// Example: `200`
        "maxTokens" => max_tokens: Option<Spanned<u64>>,
        /// What the model is told of its part; handlebars.
        /// Example: `You are a librarian.`
        "systemPrompt" => system_prompt: Option<Str>,
        /// How freely the model answers: MCP's `temperature`.
        /// Example: `0.2`
        "temperature" => temperature: Option<Node>,
        /// Texts at which the model stops.
        /// Example: `['END']`
        "stopSequences" => stop_sequences: Option<Vec<Str>>,
        /// MCP's `modelPreferences`.
        /// Example: `{ hints: [{ name: small }] }`
        "modelPreferences" => model_preferences: Option<Node>,
        /// What the client adds of what is going on.
        /// Example: `thisServer`
        "includeContext" => include_context: Option<Spanned<Context>>,
        /// MCP's `metadata`, passed on as it is.
        /// Example: `{ purpose: summary }`
        "metadata" => metadata: Option<Node>,
        /// Left out when the client has no language model to offer.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
    }
}

record! {
    /// A message of the conversation that a sample goes on with.
    pub struct SampleMessage as "message" {
        /// Who says it.
        /// Example: `user`
        "role" => role: Required<Spanned<Role>>,
        /// What is said; handlebars.
        /// Example: `'Sum up: {{text}}'`
        "text" => text: Required<Str>,
    }
}

/// MCP's `includeContext`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "MCP's words")]
pub enum Context {
    None,
    ThisServer,
    AllServers,
}

record! {
    /// MCP's `roots/list`.
    pub struct RootsStep as "roots" {
        /// Left out when the client has no roots.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
    }
}

record! {
    /// MCP's `notifications/message`, with one of `message`, `data`.
    pub struct LogStep as "log" {
        /// How severe it is (RFC 5424, section 6.2.1); `info` by default.
        /// Example: `warning`
        "level" => level: Option<Spanned<LogLevel>>,
        /// Who says it.
        /// Example: `import`
        "logger" => logger: Option<Str>,
        /// What is said; handlebars.
        /// Example: `'Found {{len found}} books'`
        "message" => message: Option<Str>,
        /// Any JSON; a string that is exactly `"{{name}}"` keeps the value's type.
        /// Example: `{ found: '{{found}}' }`
        "data" => data: Option<Node>,
    }
}

/// MCP's `LoggingLevel`, from RFC 5424, section 6.2.1: the least severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "MCP's words")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    /// All of them, the least severe first.
    pub const ALL: [LogLevel; 8] = [
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Notice,
        LogLevel::Warning,
        LogLevel::Error,
        LogLevel::Critical,
        LogLevel::Alert,
        LogLevel::Emergency,
    ];
}

record! {
    /// MCP's `notifications/progress`.
    pub struct ProgressStep as "progress" {
        /// How much is done: a number, or a string that is exactly `"{{name}}"`.
        /// Example: `1`
        "progress" => progress: Required<Node>,
        /// Out of how much; as `progress`.
        /// Example: `3`
        "total" => total: Option<Node>,
        /// What is being done; handlebars.
        /// Example: `Reading`
        "message" => message: Option<Str>,
    }
}

record! {
    /// Client capabilities that a tool can't do without, as in MCP's `ClientCapabilities`.
    pub struct Requires as "requires" {
        /// The client can ask the user.
        /// Example: `{}`
        "elicitation" => elicitation: Option<Declared>,
        /// The client can ask its language model.
        /// Example: `{}`
        "sampling" => sampling: Option<Declared>,
        /// The client tells its roots.
        /// Example: `{}`
        "roots" => roots: Option<Declared>,
        /// The extension `io.modelcontextprotocol/tasks`.
        /// Example: `{}`
        "tasks" => tasks: Option<Declared>,
    }
}

/// `{}`
#[derive(Debug, Clone)]
pub struct Declared;

impl FromNode for Declared {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let nothing = matches!(&node.kind, Kind::Map(entries) if entries.iter().all(|e| e.key.value.starts_with("x-")));
        if !nothing {
            read::refuse(node, "`{}`", sink, |found| found.label("a capability is needed or it is not"));
        }
        nothing.then_some(Declared)
    }

    fn schema(_: &mut Book) -> Value {
        json!({ "type": "object", "maxProperties": 0 })
    }
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
        if !read::misspelt(entries, known, kinds) {
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

impl FromNode for AskStep {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        if node.get("inputs").is_none() {
            return FormAsk::from_node(node, at, sink).map(AskStep::One);
        }
        let round = RoundAsk::from_node(node, at, sink)?;
        if round.inputs.is_empty() {
            sink.error(Code::BadValue, at.span, "this asks nothing");
        }
        Some(AskStep::Round(round.inputs))
    }

    fn schema(book: &mut Book) -> Value {
        any_of([FormAsk::schema(book), RoundAsk::schema(book)])
    }
}

impl FromNode for Input {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        if node.get("sample").is_some() {
            SampleInput::from_node(node, at, sink)?.sample.0.map(Box::new).map(Input::Sample)
        } else if node.get("roots").is_some() {
            RootsInput::from_node(node, at, sink)?.roots.0.map(Input::Roots)
        } else {
            FormAsk::from_node(node, at, sink).map(Input::Form)
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([FormAsk::schema(book), SampleInput::schema(book), RootsInput::schema(book)])
    }
}

impl LogStep {
    /// `log: words` is short for `log: { message: words }`.
    fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => LogStep::from_node(node, at, sink),
            _ => Str::from_node(node, at, sink).map(|message| LogStep {
                at: at.span,
                level: None,
                logger: None,
                message: Some(message),
                data: None,
            }),
        }
    }
}

impl Choice for OnDecline {
    const WORDS: &'static [(&'static str, Self)] = &[("end", OnDecline::End), ("continue", OnDecline::Continue)];
}

impl Choice for Context {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Context::None), ("thisServer", Context::ThisServer), ("allServers", Context::AllServers)];
}

impl Choice for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("debug", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("notice", LogLevel::Notice),
        ("warning", LogLevel::Warning),
        ("error", LogLevel::Error),
        ("critical", LogLevel::Critical),
        ("alert", LogLevel::Alert),
        ("emergency", LogLevel::Emergency),
    ];
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
