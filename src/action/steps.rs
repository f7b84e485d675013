//! `steps`: several things, one after the other; what a step gives has a name in the steps behind it.
//!
//! A step that is done is noted in the call's journal: where the client is asked by the answer to its call (MCP
//! 2026-07-28), the second call goes on where the first ended.

mod ask;
mod callee;
mod form;
mod sample;
mod say;

pub use ask::Ask;
pub use callee::{Callee, Callees};

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::call::cancelled;
use super::{Action, Arguments, Builder, Call, Capabilities, Param, Scope, render_fault};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::{self, Str, steps as written};
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;
use callee::CallTool;
use say::{Log, Progress};

/// Compiled steps.
#[derive(Debug)]
pub struct Steps(Vec<Step>);

#[derive(Debug)]
struct Step {
    /// Unlike that of any other step: the name, or `step-` and the position, which is no name.
    id: String,
    name: Option<String>,
    /// Gives a text where the step is to be done.
    when: Option<Template>,
    does: Does,
}

#[derive(Debug)]
enum Does {
    Run(Box<Action>),
    Call(CallTool),
    Ask(Ask),
    Log(Log),
    Progress(Progress),
    Sleep(Duration),
}

impl Steps {
    /// Checks and compiles the steps, each with the names of those before it.
    pub fn compile<'f, 'b: 'f>(
        written: &'f [model::Step],
        scope: &'f Scope<'_>,
        builder: &'f mut Builder<'b>,
    ) -> BoxFuture<'f, Option<Self>> {
        async move {
            let mut known = scope.params.to_vec();
            let mut steps = Vec::with_capacity(written.len());
            for (at, step) in written.iter().enumerate() {
                let (given, before) = known.split_at(scope.params.len());
                let seen: Vec<Param> = given.iter().chain(before.iter().filter(|p| sees(step, p))).cloned().collect();
                let scope = Scope { params: &seen, ..*scope };
                let compiled = Step::compile(at, step, &scope, builder).await;
                if let Some(name) = &step.name {
                    let optional = step.when.is_some() || compiled.as_ref().is_some_and(Step::is_optional);
                    if is_new(name, &known, scope.owner, builder) {
                        known.push(Param { name: name.clone(), schema: Arc::new(json!({})), optional, secret: false });
                    }
                }
                steps.push(compiled);
            }
            steps.into_iter().collect::<Option<Vec<_>>>().map(Steps)
        }
        .boxed()
    }

    /// Does the steps in order. The outcome is an object of what the named ones gave.
    ///
    /// # Errors
    /// That of the first step that fails, with the step's name.
    pub fn run<'f>(&'f self, arguments: &'f Arguments, call: &'f Call) -> BoxFuture<'f, Result<Outcome, ActionError>> {
        async move {
            let mut names = arguments.clone();
            let mut given = Map::new();
            for step in &self.0 {
                let value = step.once(&names, call).await?;
                if let Some(name) = &step.name {
                    names.insert(name.clone(), value.clone());
                    given.insert(name.clone(), value);
                }
            }
            Ok(Outcome::json(Value::Object(given)))
        }
        .boxed()
    }

    /// What each step would do, as far as the arguments alone show it.
    ///
    /// # Errors
    /// None; what needs the outcome of a step before it is told so.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let lines = self.0.iter().map(|step| {
            let does = step.does.explain(arguments).replace('\n', "\n  ");
            let when = if step.when.is_some() { " (only sometimes)" } else { "" };
            format!("{}{when}: {does}", step.id)
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Whether no step changes anything: known if all are known.
    pub fn read_only(&self) -> Option<bool> {
        let each = || self.0.iter().map(|step| step.does.read_only());
        if each().any(|known| known == Some(false)) {
            return Some(false);
        }
        each().all(|known| known == Some(true)).then_some(true)
    }

    /// What the client has to be able to do for the steps that are always done.
    pub fn requires(&self) -> Capabilities {
        let always = self.0.iter().filter(|step| step.when.is_none());
        always.fold(Capabilities::default(), |all, step| all.and(step.does.requires()))
    }
}

impl Step {
    async fn compile(at: usize, written: &model::Step, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let name = written.name.as_ref().map(|name| name.value.clone());
        let id = name.clone().unwrap_or_else(|| format!("step-{}", at.saturating_add(1)));
        let when = written.when.as_ref().map(|when| condition(when, scope, builder));
        let does = match written.does.as_ref()? {
            written::Does::Run(action) => {
                Action::compile(action, scope, builder).await.map(|action| Does::Run(Box::new(action)))
            }
            written::Does::Call(call) => CallTool::compile(call, scope, builder).map(Does::Call),
            written::Does::Ask(ask) => Ask::compile(ask, scope, builder).map(Does::Ask),
            written::Does::Sample(sample) => Ask::sample(sample, scope, builder).map(Does::Ask),
            written::Does::Roots(roots) => Some(Does::Ask(Ask::roots(roots))),
            written::Does::Log(log) => Log::compile(log, scope, builder).map(Does::Log),
            written::Does::Progress(progress) => Progress::compile(progress, scope, builder).map(Does::Progress),
            written::Does::Sleep(time) => Some(Does::Sleep(time.value)),
        };
        let when = match when {
            Some(when) => Some(when?),
            None => None,
        };
        Some(Step { id, name, when, does: does? })
    }

    /// Whether its name may stand for nothing.
    fn is_optional(&self) -> bool {
        matches!(&self.does, Does::Ask(ask) if ask.is_optional())
    }

    /// Does it, unless it was done before this call or is not to be done.
    async fn once(&self, names: &Arguments, call: &Call) -> Result<Value, ActionError> {
        call.go_on()?;
        let here = call.within(&self.id);
        if let Some(value) = here.recall() {
            return Ok(value);
        }
        if let Some(when) = &self.when
            && when.render(names, 1).map_err(|fault| self.at_fault(render_fault(&fault)))?.is_empty()
        {
            return Ok(Value::Null);
        }
        let value = self.does.run(names, &here).await.map_err(|error| self.at_fault(error))?;
        here.record(if self.name.is_some() { &value } else { &Value::Null });
        Ok(value)
    }

    fn at_fault(&self, error: ActionError) -> ActionError {
        match error.kind {
            ErrorKind::Unanswered | ErrorKind::Lacking | ErrorKind::Cancelled => error,
            _ => ActionError { message: format!("`{}`: {}", self.id, error.message), ..error },
        }
    }
}

impl Does {
    async fn run(&self, names: &Arguments, call: &Call) -> Result<Value, ActionError> {
        match self {
            Does::Run(action) => action.run(names, call).await.map(Outcome::into_value),
            Does::Call(tool) => tool.run(names, call).await,
            Does::Ask(ask) => ask.run(names, call).await,
            Does::Log(log) => log.run(names, call).await.map(|()| Value::Null),
            Does::Progress(progress) => progress.run(names, call).map(|()| Value::Null),
            Does::Sleep(time) => {
                call.client.begins().await;
                tokio::select! {
                    biased;
                    () = call.cancel.cancelled() => Err(cancelled()),
                    () = tokio::time::sleep(*time) => Ok(Value::Null),
                }
            }
        }
    }

    fn explain(&self, arguments: &Arguments) -> String {
        match self {
            Does::Run(action) => {
                action.explain(arguments).unwrap_or_else(|_| "depends on what comes before".to_owned())
            }
            Does::Call(tool) => format!("calls the tool {}", tool.name()),
            Does::Ask(ask) => format!("asks the client ({})", ask.needs().names().join(", ")),
            Does::Log(_) => "sends a log message".to_owned(),
            Does::Progress(_) => "tells how far the call is".to_owned(),
            Does::Sleep(time) => format!("waits {time:?}"),
        }
    }

    fn read_only(&self) -> Option<bool> {
        match self {
            Does::Run(action) => action.read_only(),
            Does::Call(tool) => tool.read_only(),
            Does::Ask(_) | Does::Log(_) | Does::Progress(_) | Does::Sleep(_) => Some(true),
        }
    }

    fn requires(&self) -> Capabilities {
        match self {
            Does::Run(action) => action.requires(),
            Does::Call(tool) => tool.requires(),
            Does::Ask(ask) => ask.requires(),
            Does::Log(_) | Does::Progress(_) | Does::Sleep(_) => Capabilities::default(),
        }
    }
}

/// Whether a step sees the name of one before it. A script sees only those that it says: all that it sees become
/// variables, which have a bound.
fn sees(step: &model::Step, name: &Param) -> bool {
    let Some(written::Does::Run(model::Action::Shell(shell))) = &step.does else { return true };
    shell.says(&name.name.value)
}

/// Whether a step's name is not taken; reports one that is, or that no template could say.
fn is_new(name: &Str, known: &[Param], owner: &str, builder: &mut Builder<'_>) -> bool {
    if let Some(clash) = known.iter().find(|p| p.name.value == name.value) {
        let words = format!("`{}` stands for two things in {owner}", name.value);
        let found = Diagnostic::error(Code::NameClash, name.span, words).label("give one of them another name");
        builder.sink.push(found.related(clash.name.span, "first defined here"));
        return false;
    }
    if name.value == "caller" {
        builder.sink.error(Code::NameClash, name.span, "the name `caller` is reserved");
    } else if !is_path(&name.value, false) {
        let found = Diagnostic::error(Code::BadValue, name.span, format!("`{}` can't be a step's name", name.value));
        builder.sink.push(found.label("letters, digits and `_`, not a digit first"));
    }
    true
}

/// A name, or with `dots` a path of fields and positions below one.
fn is_path(text: &str, dots: bool) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (dots && c == '.'))
        && !text.contains("..")
        && !text.ends_with('.')
}

/// `when` as a template that gives a text where it is true, as `{{#if}}` has it.
fn condition(when: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Template> {
    if !is_path(&when.value, true) {
        let found = Diagnostic::error(Code::BadValue, when.span, "`when` takes a name");
        builder.sink.push(found.label("a param's, a step's, or a path below one: `answer.content.ok`"));
        return None;
    }
    let root = when.value.split('.').next().unwrap_or_default();
    if scope.get(root).is_none() {
        builder.sink.push(scope.unknown(root, when.at(0..root.len())));
        return None;
    }
    builder.template(&Spanned::new(format!("{{{{#if {}}}}}+{{{{/if}}}}", when.value), when.span), scope)
}
