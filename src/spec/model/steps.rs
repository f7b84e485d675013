//! `steps`, as written: what a workflow does, one thing after the other.

use std::time::Duration;

use super::{Action, Role, Str, choice};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, FromNode, Named, Required, record};
use crate::spec::source::{Span, Spanned};

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its place.
    pub at: Span,
    /// The key `as`: a name for the outcome, in later templates and in the outcome of all steps.
    pub name: Option<Str>,
    /// The key `when`: a name, or a path into one; the step is left out unless it is true or not empty.
    pub when: Option<Str>,
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
        /// Handlebars.
        "message" => message: Required<Str>,
        /// MCP's `requestedSchema`, sent as it is.
        "schema" => schema: Required<Node>,
        /// Left out when the client can't show forms.
        "optional" => optional: Option<Spanned<bool>>,
        "onDecline" => on_decline: Option<Spanned<OnDecline>>,
    }
}

record! {
    /// `ask: { inputs: … }`
    pub struct RoundAsk as "ask" {
        "inputs" => inputs: Named<Input>,
    }
}

record! {
    /// `{ sample: … }` among the inputs of an `ask`.
    pub struct SampleInput as "input" {
        "sample" => sample: Required<SampleStep>,
    }
}

record! {
    /// `{ roots: … }` among the inputs of an `ask`.
    pub struct RootsInput as "input" {
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
        "prompt" => prompt: Option<Str>,
        /// In place of `prompt`.
        "messages" => messages: Option<Vec<SampleMessage>>,
        "maxTokens" => max_tokens: Option<Spanned<u64>>,
        /// Handlebars.
        "systemPrompt" => system_prompt: Option<Str>,
        "temperature" => temperature: Option<Node>,
        "stopSequences" => stop_sequences: Option<Vec<Str>>,
        "modelPreferences" => model_preferences: Option<Node>,
        "includeContext" => include_context: Option<Spanned<Context>>,
        "metadata" => metadata: Option<Node>,
        /// Left out when the client has no language model to offer.
        "optional" => optional: Option<Spanned<bool>>,
    }
}

record! {
    /// A message of the conversation that a sample goes on with.
    pub struct SampleMessage as "message" {
        "role" => role: Required<Spanned<Role>>,
        /// Handlebars.
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
        "optional" => optional: Option<Spanned<bool>>,
    }
}

record! {
    /// MCP's `notifications/message`, with one of `message`, `data`.
    pub struct LogStep as "log" {
        "level" => level: Option<Spanned<LogLevel>>,
        "logger" => logger: Option<Str>,
        /// Handlebars.
        "message" => message: Option<Str>,
        /// Any JSON; a string that is exactly `"{{name}}"` keeps the value's type.
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

record! {
    /// MCP's `notifications/progress`.
    pub struct ProgressStep as "progress" {
        /// A number, or a string that is exactly `"{{name}}"`.
        "progress" => progress: Required<Node>,
        /// As `progress`.
        "total" => total: Option<Node>,
        /// Handlebars.
        "message" => message: Option<Str>,
    }
}

record! {
    /// Client capabilities that a tool can't do without, as in MCP's `ClientCapabilities`.
    pub struct Requires as "requires" {
        "elicitation" => elicitation: Option<Declared>,
        "sampling" => sampling: Option<Declared>,
        "roots" => roots: Option<Declared>,
        /// The extension `io.modelcontextprotocol/tasks`.
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
}

/// The keys of which a step has one, beside those of actions.
const KINDS: [&str; 7] = ["call", "ask", "sample", "roots", "log", "progress", "sleep"];
/// The keys that any step may have.
const OTHERS: [&str; 3] = ["as", "when", "with"];

impl FromNode for Step {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let kinds: Vec<&str> = Action::KEYS.into_iter().chain(KINDS).collect();
        let known: Vec<&str> = kinds.iter().copied().chain(OTHERS).chain(Action::BESIDE).collect();
        let entries = read::map(node, "step", &known, sink)?;
        read::refuse_unknown(entries, &known, "step", at, sink);
        let name = read::field(entries, "as", "step", at, sink);
        let when = read::field(entries, "when", "step", at, sink);
        let does = one(entries, &kinds, &known, at, sink).and_then(|entry| read_kind(entry, entries, sink));
        Some(Step { at: at.span, name, when, does })
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

fn read_kind(entry: &Entry, entries: &[Entry], sink: &mut Diagnostics) -> Option<Does> {
    let (node, at) = (&entry.value, At::key(entry));
    match entry.key.value.as_str() {
        "call" => {
            let with = entries.iter().find(|e| e.key.value == "with").map(|with| with.value.clone());
            Some(Does::Call(CallStep { tool: Str::from_node(node, at, sink)?, with }))
        }
        "ask" => AskStep::from_node(node, at, sink).map(Does::Ask),
        "sample" => SampleStep::from_node(node, at, sink).map(Does::Sample),
        "roots" => RootsStep::from_node(node, at, sink).map(Does::Roots),
        "log" => LogStep::read(node, at, sink).map(Does::Log),
        "progress" => ProgressStep::from_node(node, at, sink).map(Does::Progress),
        "sleep" => Spanned::<Duration>::from_node(node, at, sink).map(Does::Sleep),
        _ => Action::with_error(Action::read(entry, sink), entries, sink).map(Does::Run),
    }
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

impl FromNode for Spanned<OnDecline> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("end", OnDecline::End), ("continue", OnDecline::Continue)], sink)
    }
}

impl FromNode for Spanned<Context> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [("none", Context::None), ("thisServer", Context::ThisServer), ("allServers", Context::AllServers)];
        choice(node, at, &words, sink)
    }
}

impl FromNode for Spanned<LogLevel> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [
            ("debug", LogLevel::Debug),
            ("info", LogLevel::Info),
            ("notice", LogLevel::Notice),
            ("warning", LogLevel::Warning),
            ("error", LogLevel::Error),
            ("critical", LogLevel::Critical),
            ("alert", LogLevel::Alert),
            ("emergency", LogLevel::Emergency),
        ];
        choice(node, at, &words, sink)
    }
}

impl Action {
    /// The names of the tools that it calls.
    pub fn calls(&self) -> Vec<&Str> {
        let Action::Steps(steps) = self else { return Vec::new() };
        let called = steps.iter().flat_map(|step| match &step.does {
            Some(Does::Call(call)) => vec![&call.tool],
            Some(Does::Run(action)) => action.calls(),
            _ => Vec::new(),
        });
        called.collect()
    }
}
