//! MCP tools.

use std::sync::Arc;

use futures_util::FutureExt;
use rmcp::model::{self as mcp, ContentBlock};
use serde_json::{Value, json};

use super::content;
use super::headers;
use super::params::{Params, compile_schema, place_of};
use super::shape;
use crate::action::steps::{Ask, Callee};
use crate::action::{Action, Arguments, Builder, Call, Capabilities, Scope};
use crate::outcome::shape::{Shape, ShapeLimits, Shaped};
use crate::outcome::{ActionError, Content, ErrorKind};
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Spanned};

/// A tool, ready to be listed and called.
#[derive(Debug)]
pub struct Tool {
    /// What clients see.
    pub listed: mcp::Tool,
    params: Params,
    requires: Capabilities,
    confirm: Option<Ask>,
    action: Action,
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
}

impl Answer {
    /// An error in words for the model.
    pub fn error(words: impl Into<String>) -> Self {
        Answer { content: vec![ContentBlock::text(words)], structured: None, is_error: true }
    }
}

/// Characters that a tool's name may have.
const MAX_NAME: usize = 64;

impl Tool {
    /// Checks and compiles a tool.
    pub async fn compile(name: &Spanned<String>, written: &model::Tool, builder: &mut Builder<'_>) -> Option<Self> {
        let named = check_name(name, builder);
        let (names, params) = Self::params(name, written, builder);
        let owner = format!("tool `{}`", name.value);
        let scope = Scope { owner: &owner, params: &names, remedy: "add it to `params`" };
        let shape = shape::compile(written.result.as_ref(), builder);
        let output = written
            .output_schema
            .as_ref()
            .map(|node| compile_schema(node.to_json(), |pointer| node.at_pointer(pointer), builder.sink));
        let action = match &written.action {
            Some(action) => Action::compile(action, &scope, builder).await,
            None => None,
        };
        let confirm = written.confirm.as_ref().map(|text| Ask::confirm(text, &scope, builder));
        let meta = content::meta(written.meta.as_ref(), builder.sink);
        let headers_fit = params.as_ref().is_none_or(|params| {
            let place = |pointer: &str| match &written.input_schema {
                Some(node) => node.at_pointer(pointer),
                None => place_of(&written.params, pointer, name.span),
            };
            headers::lint(params.schema.json(), place, builder.sink)
        });
        let (action, shape, params) = (action?, shape?, params?);
        let confirm = match confirm {
            Some(confirm) => Some(confirm?),
            None => None,
        };
        let output = match output {
            Some(schema) => Some(schema?.json().clone()),
            None if shape.reshapes() => None,
            None => action.output_schema().and_then(|schema| match schema {
                Value::Object(schema) => Some(Arc::new(schema)),
                _ => None,
            }),
        };
        named.then_some(())?;
        headers_fit.then_some(())?;
        let mut listed = mcp::Tool::default();
        listed.name = name.value.clone().into();
        listed.title = written.title.as_ref().map(|t| t.value.clone());
        listed.description = written.description.as_ref().map(|d| d.value.trim_end().to_owned().into());
        listed.input_schema = params.schema.json().clone();
        listed.output_schema = output;
        listed.annotations = annotations(written.annotations.as_ref(), &action);
        listed.icons = content::icons(written.icons.as_deref());
        listed.meta = meta;
        let limits = ShapeLimits { time: builder.limits.timeout, max_bytes: builder.limits.max_bytes };
        let requires = requires(written.requires.as_ref(), confirm.as_ref(), &action);
        Some(Tool { listed, params, requires, confirm, action, shape, limits })
    }

    /// The names of the params, also when their schema is at fault, and the params.
    fn params(
        name: &Spanned<String>,
        written: &model::Tool,
        builder: &mut Builder<'_>,
    ) -> (Vec<crate::action::Param>, Option<Params>) {
        let params = match &written.input_schema {
            Some(schema) => {
                if !written.params.is_empty() {
                    let words = format!("tool `{}` has both `params` and `inputSchema`", name.value);
                    builder.sink.push(Diagnostic::error(Code::NameClash, schema.span, words).label("keep one of them"));
                }
                Params::of_schema(schema, builder.sink)
            }
            None => Params::compile(&written.params, builder.sink),
        };
        let names = match (&params, &written.input_schema) {
            (Some(params), _) => params.all.clone(),
            (None, Some(schema)) => Params::names_of_schema(schema),
            (None, None) => Params::names(&written.params, &mut crate::spec::Diagnostics::default()),
        };
        (names, params)
    }

    /// Calls it.
    pub async fn call(&self, given: Arguments, call: &Call) -> Answer {
        self.attempt(given, call).await.unwrap_or_else(|error| Answer::error(error.message))
    }

    /// Calls it, for a caller that knows what to do where the client has to do something first.
    ///
    /// # Errors
    /// [`ErrorKind::Lacking`] and [`ErrorKind::Unanswered`]; all else that goes wrong is told in the answer.
    pub async fn attempt(&self, given: Arguments, call: &Call) -> Result<Answer, ActionError> {
        let error = match self.answer(given, call).await {
            Ok(answer) => return Ok(answer),
            Err(error) if matches!(error.kind, ErrorKind::Lacking | ErrorKind::Unanswered) => return Err(error),
            Err(error) => error,
        };
        if let Some(detail) = &error.detail {
            tracing::warn!(tool = %self.listed.name, "{detail}");
        }
        Ok(match error.blocks.is_empty() {
            true => Answer::error(error.message),
            false => Answer { content: content::written_out(error.blocks), structured: None, is_error: true },
        })
    }

    /// Calls it as a step of another tool: JSON is JSON, all else a text.
    ///
    /// # Errors
    /// All that can go wrong.
    async fn value(&self, given: Arguments, call: &Call) -> Result<Value, ActionError> {
        let Shaped { outcome, text } = self.shaped(given, call).await?;
        Ok(match (&outcome.content, text) {
            (Content::Json(_), _) | (_, None) => outcome.into_value(),
            (_, Some(words)) => Value::String(words),
        })
    }

    /// The tool as steps of others see it.
    pub fn callee(self: &Arc<Self>) -> Callee {
        let tool = self.clone();
        Callee {
            params: self.params.all.clone(),
            read_only: self.listed.annotations.as_ref().and_then(|a| a.read_only_hint),
            requires: self.requires,
            run: Arc::new(move |given, call| {
                let tool = tool.clone();
                async move { tool.value(given, &call).await }.boxed()
            }),
        }
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
        let shaped = self.shaped(given, call).await?;
        if self.listed.output_schema.is_some() && !matches!(shaped.outcome.content, Content::Json(_)) {
            return Err(ActionError::failed("the answer is not the JSON that this tool's output schema promises"));
        }
        let (content, structured) = content::blocks(shaped, &self.listed.name);
        Ok(Answer { content, structured, is_error: false })
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

fn check_name(name: &Spanned<String>, builder: &mut Builder<'_>) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let sound = !name.value.is_empty() && name.value.len() <= MAX_NAME && name.value.chars().all(allowed);
    if !sound {
        let words = match name.value.as_str() {
            "" => "a tool's name can't be empty".to_owned(),
            name => format!("`{name}` can't be a tool's name"),
        };
        let found = Diagnostic::error(Code::BadValue, name.span, words);
        builder.sink.push(found.label(format!("1 to {MAX_NAME} letters, digits, `_`, `-` or `.`")));
    }
    sound
}

/// What the client has to be able to do: what the spec says, and what the call asks in any case.
fn requires(written: Option<&model::Requires>, confirm: Option<&Ask>, action: &Action) -> Capabilities {
    let said = written.map_or_else(Capabilities::default, |w| Capabilities {
        elicitation: w.elicitation.is_some(),
        sampling: w.sampling.is_some(),
        roots: w.roots.is_some(),
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
    all.destructive_hint = flag(|w| &w.destructive_hint);
    all.idempotent_hint = flag(|w| &w.idempotent_hint);
    all.open_world_hint = flag(|w| &w.open_world_hint).or(match action {
        Action::Http(_) => Some(true),
        Action::Sql(_) | Action::File(_) | Action::Text(_) => Some(false),
        Action::Content(blocks) => blocks.is_closed().then_some(false),
        _ => None,
    });
    (json!(all) != json!({})).then_some(all)
}
