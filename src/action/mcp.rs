//! `mcp`: a tool, resource or prompt of another MCP server.
//!
//! rmcp's client does the talking. A [`source::McpSource`] keeps one connection for as long as a catalog uses it, and
//! makes it again when it ends; what the server offers is known from the last time that it was there.

mod answer;
mod caller;
mod calls;
mod config;
mod flight;
mod keeper;
mod level;
mod lines;
mod offers;
mod open;
mod questions;
mod remote;
mod session;
mod source;
mod tap;
mod task;
mod visits;
mod wanted;
mod words;

pub use offers::{Offers, text as text_of};
pub use source::McpSource;
pub use wanted::Watching;

use std::collections::HashMap;
use std::sync::Arc;

use rmcp::model::{
    ArgumentInfo, CallToolRequestParams, ClientRequest, CompleteRequestParams, CompletionContext,
    GetPromptRequestParams, InputResponses, ReadResourceRequestParams, Reference, Request,
};
use serde_json::{Map, Value, json};

use super::{Arguments, Builder, Call, Limits, Scope, mask, render_fault};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::{McpAction, Str};
use crate::spec::read::{list_names, refuse};
use crate::spec::{Code, Diagnostic, Kind, Node};
use crate::template::ValueTemplate;
use crate::uri::UriTemplate;

/// The name of what was typed, in a completion.
const TYPED: &str = "value";

/// A compiled action.
#[derive(Debug)]
pub struct Mcp {
    source: Arc<McpSource>,
    what: What,
    /// The arguments; without it all that were given, of those that the server takes.
    with: Option<ValueTemplate>,
    /// The names that the server takes, where it takes no others.
    takes: Option<Vec<String>>,
    limits: Limits,
    /// Params whose values are not shown.
    secrets: Vec<String>,
    /// What the server says of its tool.
    read_only: Option<bool>,
}

#[derive(Debug)]
enum What {
    Tool(String),
    Resource(UriTemplate),
    Prompt(String),
    /// What an argument of a prompt, or a variable of a resource, completes to.
    Completion {
        of: Reference,
        argument: String,
    },
}

impl Mcp {
    /// Checks it against what the server offers, as far as that is known.
    pub fn compile(written: &McpAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let errors = builder.sink.errors();
        let source = written.source.get().and_then(|name| builder.sources.mcp(name, builder.sink));
        let what = what(written, scope, builder);
        let with = written.with.as_ref().map(|node| with(node, written, scope, builder));
        let limits = builder.limits.with(written.timeout.as_ref(), None, written.max_bytes.as_ref());
        let source = source?;
        let timeout = match (&written.timeout, source.timeout()) {
            (None, Some(timeout)) => timeout,
            _ => limits.timeout,
        };
        let offers = source.offers();
        if let Some(offers) = &offers {
            check(written, &source, offers, builder);
        }
        let tool = written.tool.as_ref().zip(offers.as_ref()).and_then(|(name, offers)| offers.tool(&name.value));
        let hint = tool.and_then(|tool| tool.get("annotations")?.get("readOnlyHint")?.as_bool());
        let what = what?;
        let read_only = if matches!(what, What::Tool(_)) { hint } else { Some(true) };
        let with = match with {
            Some(with) => Some(with?),
            None => None,
        };
        let limits = Limits { timeout, ..limits };
        let takes = offers.as_ref().and_then(|offers| taken(written, offers));
        let takes = takes.map(|all| all.into_iter().map(|(name, _)| name).collect());
        let compiled = Mcp { source, what, with, takes, limits, secrets: scope.secrets(), read_only };
        (builder.sink.errors() == errors).then_some(compiled)
    }

    /// Asks the server.
    ///
    /// # Errors
    /// What the server says went wrong, or why it could not be asked.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        match &self.what {
            What::Tool(name) => {
                let arguments = self.arguments(arguments)?;
                let request = |responses: Option<InputResponses>, state: Option<String>| {
                    let mut params = CallToolRequestParams::new(name.clone());
                    params.arguments = Some(arguments.clone());
                    (params.input_responses, params.request_state) = (responses, state);
                    ClientRequest::CallToolRequest(Request::new(params))
                };
                let result = self.source.ask(call, self.limits.timeout, request).await?;
                answer::tool(result, &self.source, self.limits.max_bytes)
            }
            What::Resource(uri) => self.read(&uri.expand(arguments), call).await,
            What::Prompt(_) => self.messages(arguments, call).await.map(|all| Outcome::json(Value::Array(all))),
            What::Completion { of, argument } => {
                let (typed, others) = typed(arguments);
                let request = |_, _| {
                    let params = CompleteRequestParams::new(of.clone(), ArgumentInfo::new(argument, &typed));
                    let params = match others.is_empty() {
                        true => params,
                        false => params.with_context(CompletionContext::with_arguments(others.clone())),
                    };
                    ClientRequest::CompleteRequest(Request::new(params))
                };
                let result = self.source.ask(call, self.limits.timeout, request).await?;
                Ok(answer::values(&result))
            }
        }
    }

    /// Reads a resource by its URI.
    ///
    /// # Errors
    /// Those of [`Mcp::run`].
    pub async fn read(&self, uri: &str, call: &Call) -> Result<Outcome, ActionError> {
        let request = |responses: Option<InputResponses>, state: Option<String>| {
            let mut params = ReadResourceRequestParams::new(uri);
            (params.input_responses, params.request_state) = (responses, state);
            ClientRequest::ReadResourceRequest(Request::new(params))
        };
        let result = self.source.ask(call, self.limits.timeout, request).await?;
        answer::resource(result, &self.source, self.limits.max_bytes)
    }

    /// The messages of the server's prompt, as MCP has them.
    ///
    /// # Errors
    /// Those of [`Mcp::run`].
    pub async fn messages(&self, arguments: &Arguments, call: &Call) -> Result<Vec<Value>, ActionError> {
        let What::Prompt(name) = &self.what else { return Err(ActionError::failed("this is no prompt")) };
        let arguments: Map<String, Value> = self
            .arguments(arguments)?
            .into_iter()
            .filter_map(|(name, value)| Some((name, json!(words(&value)?))))
            .collect();
        let request = |responses: Option<InputResponses>, state: Option<String>| {
            let mut params = GetPromptRequestParams::new(name.clone());
            params.arguments = (!arguments.is_empty()).then(|| arguments.clone());
            (params.input_responses, params.request_state) = (responses, state);
            ClientRequest::GetPromptRequest(Request::new(params))
        };
        let result = self.source.ask(call, self.limits.timeout, request).await?;
        answer::messages(result, &self.source, self.limits.max_bytes)
    }

    /// Whether it reads the server's resource of this very URI or template: then URIs are passed on as they come.
    pub fn is_resource(&self, uri: &str) -> bool {
        matches!(&self.what, What::Resource(own) if own.as_str() == uri)
    }

    /// Listens to changes of a resource of the server, if it tells of them.
    pub fn watch(&self, uri: &str) -> Option<Watching> {
        matches!(self.what, What::Resource(_)).then(|| self.source.watch(uri))?
    }

    /// Whether the server tells of changes of what this reads.
    pub fn tells(&self) -> bool {
        matches!(self.what, What::Resource(_)) && self.source.offers().is_some_and(|offers| offers.subscribe)
    }

    /// What would be asked of which server.
    ///
    /// # Errors
    /// If the arguments can't be made.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let arguments = mask::arguments(arguments, &self.secrets);
        let (method, params) = match &self.what {
            What::Tool(name) => ("tools/call", json!({ "name": name, "arguments": self.arguments(&arguments)? })),
            What::Resource(uri) => ("resources/read", json!({ "uri": uri.expand(&arguments) })),
            What::Prompt(name) => ("prompts/get", json!({ "name": name, "arguments": self.arguments(&arguments)? })),
            What::Completion { of, argument } => {
                let (value, _) = typed(&arguments);
                ("completion/complete", json!({ "ref": of, "argument": { "name": argument, "value": value } }))
            }
        };
        Ok(format!("to {}\n{method}\n{params:#}", self.source.place()))
    }

    /// Whether it changes nothing, as far as the server says so.
    pub fn read_only(&self) -> Option<bool> {
        self.read_only
    }

    /// Its bounds.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    fn arguments(&self, given: &Arguments) -> Result<Map<String, Value>, ActionError> {
        let Some(with) = &self.with else {
            let is_taken = |name: &String| self.takes.as_ref().is_none_or(|takes| takes.contains(name));
            return Ok(given.iter().filter(|(name, _)| is_taken(name)).map(|(n, v)| (n.clone(), v.clone())).collect());
        };
        match with.render(given, self.limits.max_bytes).map_err(|fault| render_fault(&fault))? {
            Some(Value::Object(arguments)) => Ok(arguments),
            _ => Ok(Map::new()),
        }
    }
}

/// What was typed, and the other arguments given so far.
fn typed(arguments: &Arguments) -> (String, HashMap<String, String>) {
    let typed = arguments.get(TYPED).and_then(words).unwrap_or_default();
    let others = arguments.iter().filter(|(name, _)| *name != TYPED);
    (typed, others.filter_map(|(name, value)| Some((name.clone(), words(value)?))).collect())
}

/// A value as MCP's prompts take it: a text.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Which of the three it names.
fn what(written: &McpAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<What> {
    let named = [("tool", &written.tool), ("resource", &written.resource), ("prompt", &written.prompt)];
    let mut given = named.into_iter().filter_map(|(key, name)| Some((key, name.as_ref()?)));
    let Some((key, name)) = given.next() else {
        if written.faulty {
            return None;
        }
        let found = Diagnostic::error(Code::MissingKey, written.at, "this names nothing of the server");
        builder.sink.push(found.label("give it one of `tool`, `resource`, `prompt`"));
        return None;
    };
    if let Some((other, second)) = given.next() {
        let words = format!("an mcp action names one thing, this one a {key} and a {other}");
        let found = Diagnostic::error(Code::TwoActions, second.span, words);
        builder.sink.push(found.related(name.span, "first defined here"));
        return None;
    }
    match (&written.argument, key) {
        (None, "tool") => Some(What::Tool(name.value.clone())),
        (None, "prompt") => Some(What::Prompt(name.value.clone())),
        (None, _) => builder.uri_template(name, scope).map(What::Resource),
        (Some(argument), key) => completion(argument, key, name, scope, builder),
    }
}

fn completion(argument: &Str, key: &str, name: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<What> {
    if key == "tool" {
        let found = Diagnostic::error(Code::BadValue, argument.span, "arguments of tools are not completed");
        builder.sink.push(found.label("only those of a `prompt` and variables of a `resource`"));
        return None;
    }
    if scope.get(TYPED).is_none() {
        let words = "`argument` asks what an argument completes to, and here nothing is completed";
        builder.sink.push(Diagnostic::error(Code::BadValue, argument.span, words).label("it is for `complete`"));
        return None;
    }
    let of = match key {
        "prompt" => Reference::for_prompt(name.value.clone()),
        _ => Reference::for_resource(name.value.clone()),
    };
    Some(What::Completion { of, argument: argument.value.clone() })
}

fn with(node: &Node, written: &McpAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<ValueTemplate> {
    if written.tool.is_none() && (written.prompt.is_none() || written.argument.is_some()) {
        let found = Diagnostic::error(Code::BadValue, node.span, "`with` gives arguments, and this takes none");
        builder.sink.push(found.label("it is for `tool` and `prompt`; a resource has its values in its URI"));
        return None;
    }
    if !matches!(node.kind, Kind::Map(_)) {
        refuse(node, "a map from arguments to values", builder.sink, |found| found);
        return None;
    }
    builder.json(node, scope)
}

/// Reports what the server does not have.
fn check(written: &McpAction, source: &McpSource, offers: &Offers, builder: &mut Builder<'_>) {
    let tool = written.tool.as_ref().and_then(|name| source.unknown("tool", name, offers.tool_names()));
    let prompt = written.prompt.as_ref().and_then(|name| source.unknown("prompt", name, offers.prompt_names()));
    tool.into_iter().chain(prompt).for_each(|found| builder.sink.push(found));
    if let (Some(taken), Some(node)) = (taken(written, offers), &written.with) {
        check_with(node, &taken, source, builder);
    }
    if let (Some(argument), Some(prompt)) = (&written.argument, &written.prompt)
        && let Some(prompt) = offers.prompt(&prompt.value)
    {
        let names: Vec<String> = prompt_arguments(prompt).into_iter().map(|(name, _)| name).collect();
        if let Some(found) = source.unknown("argument", argument, names.iter().map(String::as_str)) {
            builder.sink.push(found);
        }
    }
}

/// The names that what is named takes, where that is known and it takes no others, and whether it needs each.
fn taken(written: &McpAction, offers: &Offers) -> Option<Vec<(String, bool)>> {
    match (&written.tool, &written.prompt) {
        (Some(tool), _) => offers.tool(&tool.value).and_then(properties),
        (None, Some(prompt)) => offers.prompt(&prompt.value).map(prompt_arguments),
        (None, None) => None,
    }
}

/// The names that a tool takes and whether it needs them; `None` if it takes others too.
fn properties(tool: &Map<String, Value>) -> Option<Vec<(String, bool)>> {
    let schema = tool.get("inputSchema")?;
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let required = schema.get("required").and_then(Value::as_array);
    let needs = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let all = schema.get("properties").and_then(Value::as_object).filter(|_| closed)?;
    Some(all.keys().map(|name| (name.clone(), needs(name))).collect())
}

fn prompt_arguments(prompt: &Map<String, Value>) -> Vec<(String, bool)> {
    let all = prompt.get("arguments").and_then(Value::as_array).into_iter().flatten();
    let one = |argument: &Value| {
        let required = argument.get("required") == Some(&Value::Bool(true));
        Some((argument.get("name")?.as_str()?.to_owned(), required))
    };
    all.filter_map(one).collect()
}

/// Reports arguments that are not taken, and those that are needed.
fn check_with(node: &Node, taken: &[(String, bool)], source: &McpSource, builder: &mut Builder<'_>) {
    for entry in node.entries() {
        let name = &entry.key;
        if taken.iter().any(|(other, _)| *other == name.value) {
            continue;
        }
        let names: Vec<&str> = taken.iter().map(|(name, _)| name.as_str()).collect();
        let found = Diagnostic::error(Code::UnknownName, name.span, format!("it takes no argument `{}`", name.value));
        let found = found.nearest(&name.value, names.iter().copied());
        let found = match (found.label.is_empty(), names.is_empty()) {
            (false, _) => found,
            (true, true) => found.label("it takes nothing"),
            (true, false) => found.label(format!("it takes {}", list_names(&names))),
        };
        builder.sink.push(source.blame(found));
    }
    for (name, _) in taken.iter().filter(|(name, needed)| *needed && node.get(name).is_none()) {
        let found = Diagnostic::error(Code::MissingKey, node.span, format!("it needs the argument `{name}`"));
        builder.sink.push(source.blame(found.label("give it in `with`")));
    }
}
