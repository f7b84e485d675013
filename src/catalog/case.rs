//! `tests`: what a spec expects of itself, compiled, and run through the same path as a client's requests.

mod client;
mod compare;

use std::time::Duration;

use rmcp::model::{ContentBlock, ResourceContents};
use serde_json::{Map, Value, json};

use super::params::Params;
use super::{Catalog, Contents};
use crate::action::{Arguments, Call};
use crate::outcome::ActionError;
use crate::outcome::jq::{Jq, JqLimits};
use crate::spec::model::case::CompleteCase;
use crate::spec::model::{Document, TestCase};
use crate::spec::read::list_names;
use crate::spec::{Code, Diagnostic, Diagnostics, Node, Span, Spanned, nearest};
pub use client::Script;
pub use compare::cut;

/// What a jq predicate may take.
const PREDICATE: JqLimits = JqLimits { time: Duration::from_secs(10), max_bytes: 1 << 20 };

/// A test, ready to be run.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Span,
    does: Does,
    arguments: Arguments,
    answers: Vec<Value>,
    expects: Expects,
}

/// What a test does.
#[derive(Debug)]
enum Does {
    Call(String),
    Read(String),
    Prompt(String),
    Complete { of: Completed, argument: String, typed: String },
}

/// What is completed.
#[derive(Debug)]
enum Completed {
    Prompt(String),
    Template(String),
}

/// What has to come of it.
#[derive(Debug)]
struct Expects {
    subset: Option<Value>,
    exact: Option<Value>,
    jq: Option<Jq>,
    texts: Vec<String>,
    error: Option<String>,
    snapshot: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Got {
    /// The structured answer; without one, the text.
    pub value: Value,
    /// The words for the model.
    pub text: String,
    /// Whether they say what went wrong.
    pub is_error: bool,
}

impl Case {
    /// Checks and compiles a test. What it names has to be written; whether that is sound has been told already.
    pub fn compile(
        name: &Spanned<String>,
        written: &TestCase,
        document: &Document,
        catalog: &Catalog,
        sink: &mut Diagnostics,
    ) -> Option<Case> {
        let arguments = match &written.with {
            None => Some(Map::new()),
            Some(with) => object(with, sink),
        };
        let expects = Expects::compile(written, sink);
        let does = Does::compile(name, written, document, catalog, sink);
        let answers = written.answers.iter().flatten().map(|answer| answer.to_json()).collect();
        Some(Case {
            name: name.value.clone(),
            at: name.span,
            does: does?,
            arguments: arguments?,
            answers,
            expects: expects?,
        })
    }

    /// Whether its answer is compared with one that was kept.
    pub fn has_snapshot(&self) -> bool {
        self.expects.snapshot
    }

    /// Runs it. What the client was asked and the test has no answer for is told in the second part.
    pub async fn run(&self, catalog: &Catalog) -> (Got, Vec<String>) {
        let (call, script) = Script::start(self.answers.clone());
        let got = self.does.run(&self.arguments, catalog, &call).await;
        drop(call);
        (got.unwrap_or_else(|error| Got::error(error.message)), script.end().await)
    }

    /// What is not as it was expected, in words; nothing if the test passes.
    pub async fn judge(&self, got: &Got) -> Vec<String> {
        let expects = &self.expects;
        let mut faults = Vec::new();
        match (&expects.error, got.is_error) {
            (None, true) => return vec![format!("it failed: {}", compare::cut(&got.text))],
            (Some(_), false) => return vec![format!("an error was expected, got {}", compare::short(&got.value))],
            (Some(wanted), true) if !got.text.contains(wanted.as_str()) => {
                faults.push(format!("expected the error to have `{wanted}` in it, got: {}", compare::cut(&got.text)));
            }
            _ => {}
        }
        if let Some(wanted) = &expects.subset {
            faults.extend(compare::subset(wanted, &got.value));
        }
        if let Some(wanted) = &expects.exact {
            faults.extend(compare::exact(wanted, &got.value));
        }
        faults.extend(
            expects
                .texts
                .iter()
                .filter(|wanted| !got.text.contains(wanted.as_str()))
                .map(|wanted| format!("expected the text to have `{wanted}` in it, got: {}", compare::cut(&got.text))),
        );
        if let Some(jq) = &expects.jq {
            faults.extend(refuted(jq, &got.value).await);
        }
        faults
    }
}

/// Why a jq predicate does not hold.
async fn refuted(jq: &Jq, value: &Value) -> Option<String> {
    match jq.run(value.clone(), Vec::new(), PREDICATE).await {
        Ok(Value::Bool(true)) => None,
        Ok(other) => {
            let (said, of) = (compare::short(&other), compare::short(value));
            Some(format!("expected the jq program to give true, it gives {said} for {of}"))
        }
        Err(fault) => Some(fault.to_string()),
    }
}

fn object(with: &Node, sink: &mut Diagnostics) -> Option<Arguments> {
    match with.to_json() {
        Value::Object(arguments) => Some(arguments),
        _ => {
            crate::spec::read::refuse(with, "a map from names to values", sink, |found| found);
            None
        }
    }
}

impl Does {
    fn compile(
        name: &Spanned<String>,
        written: &TestCase,
        document: &Document,
        catalog: &Catalog,
        sink: &mut Diagnostics,
    ) -> Option<Does> {
        match written.kinds().as_slice() {
            [] => {
                let words = format!("the test `{}` does nothing", name.value);
                let kinds = list_names(&TestCase::KINDS);
                sink.push(Diagnostic::error(Code::NoAction, name.span, words).label(format!("give it one of {kinds}")));
                return None;
            }
            [_] => {}
            [(_, first), (second, span), ..] => {
                let words = format!("a test does one thing, `{second}` is a second");
                let found = Diagnostic::error(Code::TwoActions, *span, words).label("make it a test of its own");
                sink.push(found.related(*first, "first defined here"));
                return None;
            }
        }
        if let Some(tool) = &written.call {
            let known = document.tools.names().map(|name| name.value.as_str());
            return known_name("tool", tool, known, sink).map(Does::Call);
        }
        if let Some(prompt) = &written.prompt {
            let known = document.prompts.names().map(|name| name.value.as_str());
            return known_name("prompt", prompt, known, sink).map(Does::Prompt);
        }
        match &written.complete {
            Some(complete) => completion(complete, document, catalog, sink),
            None => written.read.as_ref().map(|uri| Does::Read(uri.value.clone())),
        }
    }

    async fn run(&self, arguments: &Arguments, catalog: &Catalog, call: &Call) -> Result<Got, ActionError> {
        match self {
            Does::Call(name) => {
                let Some(tool) = catalog.tool(name) else { return Ok(Got::error("there is no such tool")) };
                let answer = tool.call(arguments.clone(), call).await;
                let text = texts(answer.content.iter());
                let value = answer.structured.unwrap_or_else(|| parsed(&text));
                Ok(Got { value, text, is_error: answer.is_error })
            }
            Does::Read(uri) => catalog.read(uri, call).await.map(Got::contents),
            Does::Prompt(name) => {
                let Some(prompt) = catalog.prompt(name) else { return Ok(Got::error("there is no such prompt")) };
                let messages = prompt.get(arguments.clone(), catalog, call).await?;
                let text = texts(messages.iter().map(|message| &message.content));
                Ok(Got { value: json!({ "messages": messages }), text, is_error: false })
            }
            Does::Complete { of, argument, typed } => {
                let (completion, params) = match of {
                    Completed::Prompt(name) => {
                        let prompt = catalog.prompt(name);
                        (prompt.and_then(|p| p.completion(argument)), prompt.map(super::Prompt::parameters))
                    }
                    Completed::Template(uri) => {
                        let template = catalog.resources().find(|resource| resource.uri() == uri);
                        (template.and_then(|t| t.completion(argument)), template.map(super::Resource::parameters))
                    }
                };
                let completed = match (completion, params) {
                    (Some(completion), Some(params)) => {
                        completion.complete(typed, arguments.clone(), params, call).await?
                    }
                    _ => Default::default(),
                };
                let text = completed.values.join("\n");
                Ok(Got { value: json!({ "values": completed.values }), text, is_error: false })
            }
        }
    }
}

/// What is completed, if there is such a thing.
fn completion(written: &CompleteCase, document: &Document, catalog: &Catalog, sink: &mut Diagnostics) -> Option<Does> {
    let of = match (&written.prompt, &written.resource) {
        (Some(prompt), None) => {
            let known = document.prompts.names().map(|name| name.value.as_str());
            Completed::Prompt(known_name("prompt", prompt, known, sink)?)
        }
        (None, Some(template)) => {
            let known = document.resources.names().map(|name| name.value.as_str());
            Completed::Template(known_name("resource", template, known, sink)?)
        }
        _ => {
            let found =
                Diagnostic::error(Code::BadValue, written.at, "what is completed is either a prompt or a resource");
            sink.push(found.label("give it one of `prompt`, `resource`"));
            return None;
        }
    };
    let argument = written.argument.get()?;
    let params = match &of {
        Completed::Prompt(name) => catalog.prompt(name).map(super::Prompt::parameters),
        Completed::Template(uri) => {
            catalog.resources().find(|resource| resource.uri() == uri).map(super::Resource::parameters)
        }
    };
    let known = names(params?);
    let argument = known_name("argument", argument, known.into_iter(), sink)?;
    let typed = written.value.as_ref().map(|value| value.value.clone()).unwrap_or_default();
    Some(Does::Complete { of, argument, typed })
}

fn names(params: &Params) -> Vec<&str> {
    params.all.iter().map(|param| param.name.value.as_str()).collect()
}

/// The name, if something is called so.
fn known_name<'n>(
    what: &str,
    name: &Spanned<String>,
    known: impl Iterator<Item = &'n str>,
    sink: &mut Diagnostics,
) -> Option<String> {
    let known: Vec<&str> = known.collect();
    if known.contains(&name.value.as_str()) {
        return Some(name.value.clone());
    }
    let words = format!("there is no {what} `{}`", name.value);
    let mut found = Diagnostic::error(Code::UnknownName, name.span, words);
    if nearest(&name.value, known.iter().copied()).is_some() {
        found = found.nearest(&name.value, known.iter().copied());
    }
    sink.push(found);
    None
}

impl Expects {
    fn compile(written: &TestCase, sink: &mut Diagnostics) -> Option<Expects> {
        let snapshot = written.snapshot.as_ref().is_some_and(|snapshot| snapshot.value);
        let answer = written.expect.as_ref().or(written.exact.as_ref());
        if let (Some(error), Some(answer)) = (&written.error, answer) {
            let found = Diagnostic::error(Code::BadValue, answer.span, "an error has no structured answer");
            let found = found.label("use `text` for more of its words");
            sink.push(found.related(error.span, "an error is expected here"));
            return None;
        }
        let jq = match &written.jq {
            None => None,
            Some(program) => match Jq::compile(&program.value, &[]) {
                Ok(jq) => Some(jq),
                Err(faults) => {
                    for fault in faults {
                        sink.push(Diagnostic::fault(Code::BadJq, program, fault));
                    }
                    return None;
                }
            },
        };
        Some(Expects {
            subset: written.expect.as_ref().map(Node::to_json),
            exact: written.exact.as_ref().map(Node::to_json),
            jq,
            texts: written.text.iter().flat_map(|texts| &texts.0).map(|text| text.value.clone()).collect(),
            error: written.error.as_ref().map(|error| error.value.clone()),
            snapshot,
        })
    }
}

impl Got {
    fn error(words: impl Into<String>) -> Got {
        let text = words.into();
        Got { value: Value::String(text.clone()), text, is_error: true }
    }

    fn contents(contents: Contents) -> Got {
        let text = contents.all.iter().map(|part| match part {
            ResourceContents::TextResourceContents { text, .. } => text.as_str(),
            ResourceContents::BlobResourceContents { blob, .. } => blob.as_str(),
            _ => "",
        });
        let text: Vec<&str> = text.collect();
        let value = match text.as_slice() {
            [only] => parsed(only),
            several => json!(several),
        };
        Got { value, text: text.join("\n"), is_error: false }
    }
}

/// A text as JSON if it is an object or a list, else as a string.
fn parsed(text: &str) -> Value {
    let structured = serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array());
    structured.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn texts<'c>(blocks: impl Iterator<Item = &'c ContentBlock>) -> String {
    let text = |block: &'c ContentBlock| match block {
        ContentBlock::Text(text) => text.text.clone(),
        other => json!(other).to_string(),
    };
    blocks.map(text).collect::<Vec<_>>().join("\n")
}
