//! MCP completions of prompt arguments and resource variables.

use std::sync::Arc;

use serde_json::{Value, json};

use super::params::Params;
use super::shape;
use crate::action::{Action, Arguments, Builder, Call, Param, Scope};
use crate::outcome::shape::{Shape, ShapeLimits};
use crate::outcome::{ActionError, Content, Outcome};
use crate::spec::model::Complete;
use crate::spec::{Code, Diagnostic, Named, Spanned};

/// Values that one answer may have (MCP, `completion/complete`).
pub const MAX_VALUES: usize = 100;
/// The name of what was typed, for an action.
const TYPED: &str = "value";

/// What a name completes to.
#[derive(Debug)]
pub struct Completion {
    /// The argument or variable.
    pub name: String,
    from: From,
}

#[derive(Debug)]
enum From {
    /// Those that begin with what was typed.
    Values(Vec<String>),
    /// Whatever the action gives: it sees what was typed.
    Action { action: Box<Action>, shape: Shape, limits: ShapeLimits },
}

/// A completion's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completed {
    /// At most [`MAX_VALUES`].
    pub values: Vec<String>,
    /// How many there are in all, if that is known.
    pub total: Option<usize>,
    /// Whether there are more than `values`.
    pub more: bool,
}

impl Completion {
    /// The completions of some names: written out or by an action, and enums, which complete themselves.
    pub async fn compile_all<'w>(
        written: impl Fn(&str) -> Option<&'w Complete>,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Vec<Self>> {
        let mut all = Vec::new();
        let mut sound = true;
        for param in scope.params {
            match Self::compile(param, written(&param.name.value), scope, builder).await {
                Some(completion) => all.extend(completion),
                None => sound = false,
            }
        }
        sound.then_some(all)
    }

    /// Reports completions of what is no name here.
    pub fn check_names(written: &Named<Complete>, scope: &Scope<'_>, builder: &mut Builder<'_>) {
        let unknown = written.names().filter(|name| scope.get(name).is_none());
        unknown.for_each(|name| builder.sink.push(scope.unknown(name, name.span)));
    }

    /// `None` after a mistake, `Some(None)` where nothing completes the name.
    async fn compile(
        param: &Param,
        written: Option<&Complete>,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Option<Self>> {
        let from = match written {
            None => match param.schema.get("enum").and_then(Value::as_array) {
                Some(allowed) => From::Values(allowed.iter().filter_map(text).collect()),
                None => return Some(None),
            },
            Some(complete) => match (&complete.values, &complete.action) {
                (Some(_), Some(_)) => {
                    let words = "a completion has `values` or an action, this one has both";
                    builder.sink.error(Code::NameClash, complete.at, words);
                    return None;
                }
                (Some(values), None) => From::Values(values.get()?.iter().map(|v| v.value.clone()).collect()),
                (None, Some(action)) => {
                    let shape = shape::compile(complete.result.as_ref(), builder);
                    let params = in_sight(param, complete, scope, builder);
                    let owner = format!("the completion of `{}` in {}", param.name.value, scope.owner);
                    let action = match action.get() {
                        Some(action) => {
                            Action::compile(
                                action,
                                &Scope { owner: &owner, params: &params?, remedy: scope.remedy },
                                builder,
                            )
                            .await
                        }
                        None => None,
                    };
                    let (action, shape) = (action?, shape?);
                    let limits = action.limits().unwrap_or(builder.limits).into();
                    From::Action { action: Box::new(action.wanted(shape.wants())), shape, limits }
                }
                (None, None) => {
                    let found = Diagnostic::error(Code::MissingKey, complete.at, "this completion has no values");
                    builder.sink.push(found.label("give it `values: […]` or an action"));
                    return None;
                }
            },
        };
        Some(Some(Completion { name: param.name.value.clone(), from }))
    }

    /// The values for what was typed; `others` are the arguments given so far, as texts, with the `params` they are of.
    ///
    /// # Errors
    /// If the action fails.
    pub async fn complete(
        &self,
        typed: &str,
        others: Arguments,
        params: &Params,
        call: &Call,
    ) -> Result<Completed, ActionError> {
        match &self.from {
            From::Values(values) => {
                let typed = typed.to_lowercase();
                let fits = |value: &&String| value.to_lowercase().starts_with(&typed);
                Ok(bounded(values.iter().filter(fits).cloned().collect(), false))
            }
            From::Action { action, shape, limits } => {
                let mut arguments = params.coerce(others);
                arguments.remove(&self.name);
                arguments.insert(TYPED.to_owned(), Value::String(typed.to_owned()));
                let shaped = shape.apply(action.run(&arguments, call).await?, *limits).await?;
                let outcome = match shaped.text {
                    Some(text) => Outcome { content: Content::Text(text), ..shaped.outcome },
                    None => shaped.outcome,
                };
                let cut = outcome.truncated.is_some() || is_cut(&outcome);
                Ok(bounded(values(outcome), cut))
            }
        }
    }
}

/// What an action that completes `param` may use: `value`, and the others, any of which may not be given yet.
fn in_sight(param: &Param, complete: &Complete, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Vec<Param>> {
    if let Some(clash) = scope.get(TYPED) {
        let words = format!("in a completion `{TYPED}` is what was typed, and {} has a `{TYPED}` too", scope.owner);
        let found = Diagnostic::error(Code::NameClash, complete.at, words).label("this completion has an action");
        builder.sink.push(found.related(clash.name.span, "give this another name"));
        return None;
    }
    let name = Spanned::new(TYPED.to_owned(), complete.at);
    let typed = Param { name, schema: Arc::new(json!({ "type": "string" })), optional: false, secret: false };
    let others = scope.params.iter().filter(|other| other.name.value != param.name.value);
    let others = others.map(|other| Param { optional: true, ..other.clone() });
    Some(std::iter::once(typed).chain(others).collect())
}

fn bounded(mut values: Vec<String>, cut: bool) -> Completed {
    let total = (!cut).then_some(values.len());
    let more = cut || values.len() > MAX_VALUES;
    values.truncate(MAX_VALUES);
    Completed { values, total, more }
}

/// Whether rows were left out (`maxRows`).
fn is_cut(outcome: &Outcome) -> bool {
    matches!(&outcome.content, Content::Json(value) if value.get("truncated") == Some(&Value::Bool(true)))
}

/// The values of an answer: the first column of rows, the items of a list, the lines of a text.
fn values(outcome: Outcome) -> Vec<String> {
    match outcome.content {
        Content::Text(lines) => lines.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect(),
        Content::Json(Value::Object(mut object)) | Content::Structured { value: Value::Object(mut object), .. } => {
            match object.remove("rows") {
                Some(Value::Array(rows)) => rows.iter().filter_map(text).collect(),
                _ => object.values().next().and_then(text).into_iter().collect(),
            }
        }
        Content::Json(Value::Array(items)) | Content::Structured { value: Value::Array(items), .. } => {
            items.iter().filter_map(text).collect()
        }
        Content::Json(value) | Content::Structured { value, .. } => text(&value).into_iter().collect(),
        Content::Bytes(_) | Content::Blocks(_) => Vec::new(),
    }
}

/// A value in words; of a row, its first column's.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(row) => row.values().next().and_then(text),
        Value::Null | Value::Array(_) => None,
        other => Some(other.to_string()),
    }
}
