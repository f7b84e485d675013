//! What a test does, and doing it.

use serde_json::json;

use super::{Got, parsed, texts};
use crate::action::{Arguments, Call};
use crate::catalog::params::Params;
use crate::catalog::{Catalog, Prompt, Resource};
use crate::outcome::ActionError;
use crate::spec::model::case::CompleteCase;
use crate::spec::model::{Document, TestCase};
use crate::spec::read::list_names;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned, nearest};

/// What a test does.
#[derive(Debug)]
pub enum Does {
    /// Calls the tool of this name.
    Call(String),
    /// Reads what a URI means.
    Read(String),
    /// Gets the prompt of this name.
    Prompt(String),
    /// Completes an argument or a variable.
    Complete {
        /// Of what.
        of: Completed,
        /// Its name.
        argument: String,
        /// Its beginning.
        typed: String,
    },
    /// Nothing: what it is about is left out on this machine, which these words say.
    LeftOut(String),
}

/// What is completed.
#[derive(Debug)]
pub enum Completed {
    /// An argument of the prompt of this name.
    Prompt(String),
    /// A variable of this URI template.
    Template(String),
}

impl Does {
    /// Checks that the test does one thing, to something that is there.
    pub fn compile(
        name: &Spanned<String>,
        written: &TestCase,
        document: &Document,
        catalog: &Catalog,
        sink: &mut Diagnostics,
    ) -> Option<Does> {
        match written.kinds().as_slice() {
            [] if written.faulty => return None,
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
            let name = known_name("tool", tool, known, sink)?;
            return Some(if catalog.tool(&name).is_some() { Does::Call(name) } else { left_out("tool", &name) });
        }
        if let Some(prompt) = &written.prompt {
            let known = document.prompts.names().map(|name| name.value.as_str());
            let name = known_name("prompt", prompt, known, sink)?;
            return Some(if catalog.prompt(&name).is_some() { Does::Prompt(name) } else { left_out("prompt", &name) });
        }
        match &written.complete {
            Some(complete) => completion(name, complete, document, catalog, written, sink),
            None => written.read.as_ref().map(|uri| read(uri, document, catalog, written, sink)),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// What a client would be told.
    pub async fn run(&self, arguments: &Arguments, catalog: &Catalog, call: &Call) -> Result<Got, ActionError> {
        match self {
            Does::Call(name) => {
                let Some(tool) = catalog.tool(name) else { return Ok(Got::error("there is no such tool")) };
                let answer = tool.call(arguments.clone(), call).await;
                let text = texts(answer.content.iter());
                let value = answer.structured.unwrap_or_else(|| parsed(&text));
                Ok(Got { value, text, is_error: answer.is_error })
            }
            Does::LeftOut(words) => Ok(Got::error(words.as_str())),
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
                        (prompt.and_then(|p| p.completion(argument)), prompt.map(Prompt::parameters))
                    }
                    Completed::Template(uri) => {
                        let template = catalog.resources().find(|resource| resource.uri() == uri);
                        (template.and_then(|t| t.completion(argument)), template.map(Resource::parameters))
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

fn left_out(what: &str, name: &str) -> Does {
    Does::LeftOut(format!("the {what} `{name}` is left out on this machine"))
}

/// A read of what a URI means.
fn read(
    uri: &Spanned<String>,
    document: &Document,
    catalog: &Catalog,
    written: &TestCase,
    sink: &mut Diagnostics,
) -> Does {
    if let Some(with) = &written.with {
        let found = Diagnostic::error(Code::BadValue, with.span, "a resource is read without arguments");
        sink.push(found.label("write the values of a template's variables into the URI"));
    }
    let is_written = document.resources.names().any(|name| name.value == uri.value);
    if is_written && catalog.resources().all(|resource| resource.uri() != uri.value) {
        return left_out("resource", &uri.value);
    }
    Does::Read(uri.value.clone())
}

/// What is completed, if there is such a thing.
fn completion(
    name: &Spanned<String>,
    written: &CompleteCase,
    document: &Document,
    catalog: &Catalog,
    case: &TestCase,
    sink: &mut Diagnostics,
) -> Option<Does> {
    let said = [case.expect.is_some(), case.exact.is_some(), case.jq.is_some(), case.text.is_some()];
    if !said.contains(&true) && case.error.is_none() && case.snapshot.as_ref().is_none_or(|s| !s.value) {
        let words = format!("the test `{}` expects nothing, and a completion always has an answer", name.value);
        let found = Diagnostic::error(Code::BadValue, written.at, words);
        sink.push(found.label("say which values: `exact: { values: […] }`"));
    }
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
        Completed::Prompt(name) => catalog.prompt(name).map(Prompt::parameters),
        Completed::Template(uri) => {
            catalog.resources().find(|resource| resource.uri() == uri).map(Resource::parameters)
        }
    };
    let Some(params) = params else {
        let (Completed::Prompt(name) | Completed::Template(name)) = &of;
        return Some(left_out(if matches!(of, Completed::Prompt(_)) { "prompt" } else { "resource" }, name));
    };
    let known = names(params);
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
