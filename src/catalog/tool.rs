//! MCP tools.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rmcp::model::{self as mcp, ContentBlock};
use serde_json::{Value, json};

use super::content;
use super::headers;
use super::params::{Params, compile_schema, place_of};
use super::shape;
use crate::action::callee::Callee;
use crate::action::hints::Hints;
use crate::action::steps::Ask;
use crate::action::{self, Action, Arguments, Builder, Call, Capabilities, Scope};
use crate::catalog::RequestLog;
use crate::outcome::shape::{Shape, ShapeLimits, Shaped};
use crate::outcome::{ActionError, Content, ErrorKind, Outcome, Whole};
use crate::schema::Schema;
use crate::spec::model::{self, LongRunning};
use crate::spec::node::entries_to_json;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

/// A tool, ready to be listed and called.
#[derive(Debug)]
pub struct Tool {
    /// What clients see.
    pub listed: mcp::Tool,
    /// How long a call's task and its result are kept; `None` where calls are no tasks.
    pub task: Option<Duration>,
    /// Whether HTTP clients may have to repeat params in headers (`x-mcp-header`).
    pub has_headers: bool,
    params: Params,
    /// Whether `output` is the spec's own, not what follows from the action.
    promised: bool,
    requires: Capabilities,
    confirm: Option<Ask>,
    action: Action,
    /// What a structured answer is.
    output: Option<Schema>,
    shape: Shape,
    limits: ShapeLimits,
}

/// What a call gave: the answer or the tool's error, both for the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Content blocks.
    pub content: Vec<ContentBlock>,
    /// The answer as JSON, if it is JSON.
    pub structured: Option<Value>,
    /// Whether it says what went wrong.
    pub is_error: bool,
    /// What was cut, before that.
    pub whole: Option<Whole>,
}

impl Answer {
    /// An error in words for the model.
    pub fn error(words: impl Into<String>) -> Self {
        Answer { content: vec![ContentBlock::text(words)], structured: None, is_error: true, whole: None }
    }
}

/// How long a task is kept where the spec says no time.
const TASK: Duration = Duration::from_secs(60 * 60);
/// Characters that a tool's name may have.
const MAX_NAME: usize = 64;

impl Tool {
    /// Checks and compiles a tool.
    pub async fn compile(name: &Spanned<String>, written: &model::Tool, builder: &mut Builder<'_>) -> Option<Self> {
        let named = check_name(name, builder.sink);
        let (names, params) = Self::params(name, written, builder);
        let owner = format!("tool `{}`", name.value);
        let scope = Scope { owner: &owner, params: &names, remedy: "add it to `params`" };
        let shape = shape::compile(written.result.as_ref(), builder);
        let known = builder.known.contains(&name.value);
        let output = written.output_schema.as_ref().map(|node| match known {
            true => Some(Schema::known(entries_to_json(node.entries()))),
            false => compile_schema(node.to_json(), |pointer| node.at_pointer(pointer), builder.sink),
        });
        let action = match &written.action {
            Some(action) => Action::compile(action, &scope, builder).await,
            None => None,
        };
        let confirm = written.confirm.as_ref().map(|text| Ask::confirm(text, &scope, builder));
        let task = task(written, builder);
        let meta = content::meta(written.meta.as_ref(), builder.sink);
        let headers_fit = params.as_ref().is_none_or(|params| {
            let place = |pointer: &str| match &written.input_schema {
                Some(node) => node.at_pointer(pointer),
                None => place_of(&written.params, pointer, name.span),
            };
            headers::lint(params.schema.json(), place, builder.sink)
        });
        let (action, shape, params) = (action?, shape?, params?);
        refuse_cache(written, &action, builder)?;
        let action = action.wanted(shape.wants());
        let confirm = match confirm {
            Some(confirm) => Some(confirm?),
            None => None,
        };
        let promised = output.is_some();
        let output = match output {
            Some(schema) => Some(schema?),
            None if shape.reshapes() => None,
            None => action.output_schema().map(Schema::known),
        };
        named.then_some(())?;
        headers_fit.then_some(())?;
        let mut listed = mcp::Tool::default();
        listed.name = name.value.clone().into();
        listed.title = written.title.as_ref().map(|t| t.value.clone());
        listed.description = written.description.as_ref().map(|d| d.value.trim_end().to_owned().into());
        listed.input_schema = params.schema.json().clone();
        listed.output_schema = output.as_ref().map(|schema| schema.json().clone());
        listed.annotations = annotations(written.annotations.as_ref(), &action);
        listed.icons = content::icons(written.icons.as_deref());
        listed.meta = meta;
        let limits = action.limits().unwrap_or(builder.limits).into();
        let requires = requires(written.requires.as_ref(), confirm.as_ref(), &action);
        let has_headers = headers::are_named(params.schema.json());
        Some(Tool { listed, task, has_headers, params, promised, requires, confirm, action, output, shape, limits })
    }

    /// The names of the params, also when their schema is at fault, and the params.
    fn params(
        name: &Spanned<String>,
        written: &model::Tool,
        builder: &mut Builder<'_>,
    ) -> (Vec<crate::action::Param>, Option<Params>) {
        let known = builder.known.contains(&name.value);
        let params = match &written.input_schema {
            Some(schema) if known => Some(Params::known_schema(schema)),
            None if known => Some(Params::known(&written.params, builder.sink)),
            Some(schema) => {
                if !written.params.is_empty() {
                    let words = format!("tool `{}` has both `params` and `inputSchema`", name.value);
                    builder.sink.push(Diagnostic::error(Code::NameClash, schema.span, words).label("keep one of them"));
                }
                Params::of_schema(schema, builder.sink)
            }
            None => match Self::implied(written, builder) {
                Some(all) => Params::assemble(all, |_| name.span, builder.sink),
                None => Params::compile(&written.params, builder.sink),
            },
        };
        let names = match (&params, &written.input_schema) {
            (Some(params), _) => params.all.clone(),
            (None, Some(schema)) => Params::names_of_schema(schema),
            (None, None) => Params::names(&written.params, &mut Diagnostics::default()),
        };
        (names, params)
    }

    /// The params that follow from the action, where the spec says nothing of them.
    fn implied(written: &model::Tool, builder: &mut Builder<'_>) -> Option<Vec<crate::action::Param>> {
        let action = written.action.as_ref().filter(|_| written.params.is_empty())?;
        Action::params(action, builder)
    }

    /// Calls it.
    pub async fn call(&self, given: Arguments, call: &Call) -> Answer {
        self.attempt(given, call).await.unwrap_or_else(|error| Answer::error(error.message))
    }

    /// Whether it can't do without asking the user something.
    pub fn asks(&self) -> bool {
        self.requires.elicitation
    }

    /// Whether a call never says anything to the client while it runs, nor asks it anything.
    pub fn is_silent(&self) -> bool {
        self.confirm.is_none() && self.requires.is_empty() && self.action.is_silent()
    }

    /// Calls it, for a caller that knows what to do where the client has to do something first.
    ///
    /// # Errors
    /// [`ErrorKind::Lacking`] and [`ErrorKind::Unanswered`]; all else that goes wrong is told in the answer.
    pub async fn attempt(&self, given: Arguments, call: &Call) -> Result<Answer, ActionError> {
        let log = RequestLog::begin();
        let answered = self.answer(given, call).await;
        log.end("tools/call", &self.listed.name, &answered);
        let error = match answered {
            Ok(answer) => return Ok(answer),
            Err(error) if matches!(error.kind, ErrorKind::Lacking | ErrorKind::Unanswered) => return Err(error),
            Err(error) => error,
        };
        if let Some(detail) = &error.detail {
            tracing::warn!(tool = %self.listed.name, "{detail}");
        }
        Ok(match error.blocks.is_empty() {
            true => Answer::error(error.message),
            false => {
                let mut content = content::written_out(error.blocks);
                content.extend(error.trail.map(|trail| ContentBlock::text(trail.summary())));
                Answer { content, structured: error.structured.map(|value| *value), ..Answer::error("") }
            }
        })
    }

    /// Calls it as a step of another tool: JSON is JSON, all else a text.
    ///
    /// # Errors
    /// All that can go wrong.
    async fn value(&self, given: Arguments, call: &Call) -> Result<Value, ActionError> {
        let Shaped { outcome, text } = self.shaped(given, call).await?;
        Ok(match (&outcome.content, text) {
            (Content::Json(_) | Content::Structured { .. }, _) | (_, None) => outcome.into_value(),
            (_, Some(words)) => Value::String(words),
        })
    }

    /// The tool as steps of others see it.
    pub fn callee(self: &Arc<Self>) -> Callee {
        let tool = self.clone();
        Callee {
            params: self.params.all.clone(),
            hints: self.hints(),
            depth: match &self.action {
                Action::Steps(steps) => steps.depth(),
                _ => 0,
            },
            requires: self.requires,
            run: Arc::new(move |given, call| {
                let tool = tool.clone();
                async move { tool.value(given, &call).await }.boxed()
            }),
        }
    }

    /// What is known of a call.
    fn hints(&self) -> Hints {
        self.listed.annotations.as_ref().map_or_else(Hints::default, |known| Hints {
            read_only: known.read_only_hint,
            destructive: known.destructive_hint,
            idempotent: known.idempotent_hint,
            open_world: known.open_world_hint,
        })
    }

    async fn shaped(&self, given: Arguments, call: &Call) -> Result<Shaped, ActionError> {
        let arguments = self.params.check(given).map_err(|faults| ActionError::invalid(faults.join("\n")))?;
        call.client.require(self.requires).await?;
        if let Some(confirm) = &self.confirm {
            confirm.confirmed(&arguments, call).await?;
        }
        let outcome = self.action.run(&arguments, call).await?;
        self.shape.apply(outcome, self.limits).await
    }

    async fn answer(&self, given: Arguments, call: &Call) -> Result<Answer, ActionError> {
        let mut shaped = self.shaped(given, call).await?;
        let whole = shaped.outcome.whole.take();
        if let Err(misfit) = self.check(&shaped.outcome) {
            return match whole {
                None => Err(misfit),
                whole => Ok(Answer { whole, ..Answer::error(misfit.message) }),
            };
        }
        let (content, structured) = content::blocks(shaped, &self.listed.name);
        Ok(Answer { content, structured, is_error: false, whole })
    }

    /// Fails if an answer is not what the tool's output schema says. A whole one keeps what follows from the action.
    fn check(&self, outcome: &Outcome) -> Result<(), ActionError> {
        let Some(schema) = &self.output else { return Ok(()) };
        let (Content::Json(value) | Content::Structured { value, .. }) = &outcome.content else {
            return Err(ActionError::failed("the answer is not the JSON that this tool's output schema promises"));
        };
        if !self.promised && outcome.truncated.is_none() {
            return Ok(());
        }
        match (schema.faults(value).into_iter().next(), &outcome.truncated) {
            (None, _) => Ok(()),
            (Some(fault), None) => {
                let words = format!("the answer does not fit this tool's output schema: {}", fault.message);
                Err(ActionError::failed(words))
            }
            (Some(_), Some(cut)) => {
                let words =
                    format!("the answer was {cut} and what is left is not what this tool's output schema promises");
                Err(ActionError::failed(words))
            }
        }
    }

    /// What a call would do; nothing is run.
    ///
    /// # Errors
    /// The sentences of a call's error.
    pub fn explain(&self, given: Arguments) -> Result<String, String> {
        let arguments = self.params.check(given).map_err(|faults| faults.join("\n"))?;
        self.action.explain(&arguments).map_err(|error| error.message)
    }

    /// The tool's params.
    pub fn parameters(&self) -> &Params {
        &self.params
    }
}

/// Reports answers that are kept of what the spec says changes something.
fn refuse_cache(written: &model::Tool, action: &Action, builder: &mut Builder<'_>) -> Option<()> {
    let hint = written.annotations.as_ref().and_then(|all| all.read_only_hint.as_ref());
    let writes = hint.filter(|hint| !hint.value && action.keeps_answers());
    let cache = written.action.as_ref().and_then(model::Action::around).and_then(|around| around.cache.as_ref());
    let Some((hint, cache)) = writes.zip(cache) else { return Some(()) };
    builder.sink.push(action::refuse_cache(cache.at).related(hint.span, "said here"));
    None
}

/// Why somebody else's tool can't be one of ours, if it can't: its name or its schemas.
pub fn refusal(name: &str, written: &model::Tool) -> Option<String> {
    let mut sink = Diagnostics::default();
    let name = Spanned::new(name.to_owned(), written.at);
    check_name(&name, &mut sink);
    if let Some(schema) = &written.input_schema
        && let Some(params) = Params::of_schema(schema, &mut sink)
    {
        headers::lint(params.schema.json(), |pointer| schema.at_pointer(pointer), &mut sink);
    }
    if let Some(schema) = &written.output_schema {
        compile_schema(schema.to_json(), |pointer| schema.at_pointer(pointer), &mut sink);
    }
    sink.first_error().map(|found| match found.label.is_empty() {
        true => found.message.clone(),
        false => format!("{} ({})", found.message, found.label),
    })
}

fn check_name(name: &Spanned<String>, sink: &mut Diagnostics) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let sound = !name.value.is_empty() && name.value.len() <= MAX_NAME && name.value.chars().all(allowed);
    if !sound {
        let words = match name.value.as_str() {
            "" => "a tool's name can't be empty".to_owned(),
            name => format!("`{name}` can't be a tool's name"),
        };
        let found = Diagnostic::error(Code::BadValue, name.span, words);
        sink.push(found.label(format!("1 to {MAX_NAME} letters, digits, `_`, `-` or `.`")));
    }
    sound
}

/// How long a call's task is kept, if calls become tasks; reports a tool that needs tasks and makes none.
fn task(written: &model::Tool, builder: &mut Builder<'_>) -> Option<Duration> {
    let task = match written.long_running.as_ref().map(|long| long.value) {
        None | Some(LongRunning::No) => None,
        Some(LongRunning::Yes) => Some(TASK),
        Some(LongRunning::For(time)) => Some(time),
    };
    let needed = written.requires.as_ref().filter(|requires| requires.tasks.is_some() && task.is_none());
    if let Some(requires) = needed {
        let found =
            Diagnostic::error(Code::BadValue, requires.at, "this needs a client that knows tasks, but makes none");
        builder.sink.push(found.label("add `longRunning: true` beside it, or take `tasks` out"));
    }
    task
}

/// What the client has to be able to do: what the spec says, and what the call asks in any case.
fn requires(written: Option<&model::Requires>, confirm: Option<&Ask>, action: &Action) -> Capabilities {
    let said = written.map_or_else(Capabilities::default, |w| Capabilities {
        elicitation: w.elicitation.is_some(),
        sampling: w.sampling.is_some(),
        roots: w.roots.is_some(),
        tasks: w.tasks.is_some(),
        ..Capabilities::default()
    });
    said.and(confirm.map(Ask::requires).unwrap_or_default()).and(action.requires())
}

/// What the spec says, and where it says nothing, what the action shows by itself.
fn annotations(written: Option<&model::ToolAnnotations>, action: &Action) -> Option<mcp::ToolAnnotations> {
    let flag = |pick: fn(&model::ToolAnnotations) -> &Option<Spanned<bool>>| {
        written.and_then(|w| pick(w).as_ref()).map(|b| b.value)
    };
    let mut all = mcp::ToolAnnotations::default();
    all.title = written.and_then(|w| w.title.as_ref()).map(|t| t.value.clone());
    all.read_only_hint = flag(|w| &w.read_only_hint).or(action.read_only());
    // The two mean something only where something is written.
    let (destructive, idempotent) = if all.read_only_hint == Some(true) { (None, None) } else { action.effects() };
    all.destructive_hint = flag(|w| &w.destructive_hint).or(destructive);
    all.idempotent_hint = flag(|w| &w.idempotent_hint).or(idempotent);
    all.open_world_hint = flag(|w| &w.open_world_hint).or(action.open_world());
    (json!(all) != json!({})).then_some(all)
}
