//! `data` of a prompt: named actions whose answers the messages use.

use std::time::Duration;

use serde_json::Value;

use super::super::{content, shape};
use crate::action::{Action, Arguments, Builder, Call, Capabilities, Limits, Scope};
use crate::outcome::ActionError;
use crate::outcome::shape::{Shape, ShapeLimits};
use crate::spec::Named;
use crate::spec::model;

/// A named action whose answer the messages use.
#[derive(Debug)]
pub(super) struct Data {
    /// What the messages call its answer.
    pub(super) name: String,
    action: Action,
    shape: Shape,
}

/// Compiles all of it; `None` after a mistake.
pub(super) async fn compile(
    written: &Named<model::Data>,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<Vec<Data>> {
    let mut all = Vec::new();
    for (name, data) in written.all() {
        let compiled = match data {
            Some(data) => {
                let shape = shape::compile(data.result.as_ref(), builder);
                match &data.action {
                    Some(action) => Action::compile(action, scope, builder).await.zip(shape),
                    None => None,
                }
            }
            None => None,
        };
        let ready = |(action, shape): (Action, Shape)| Data {
            name: name.value.clone(),
            action: action.wanted(shape.wants()),
            shape,
        };
        all.push(compiled.map(ready));
    }
    all.into_iter().collect()
}

/// What the client has to be able to do for the data of a prompt.
pub(super) fn requires(data: &[Data]) -> Capabilities {
    data.iter().fold(Capabilities::default(), |all, data| all.and(data.action.requires()))
}

/// How long all of a prompt's data may take: what the prompt says, or the longest that one of its actions may. Waiting
/// for a user has bounds of its own.
pub(super) fn time(written: &model::Prompt, data: &[Data], limits: Limits) -> Option<Duration> {
    match &written.timeout {
        Some(timeout) => Some(timeout.value),
        None if requires(data) == Capabilities::default() => {
            let longest = data.iter().filter_map(|data| data.action.limits()).map(|limits| limits.timeout).max();
            Some(longest.map_or(limits.timeout, |longest| longest.max(limits.timeout)))
        }
        None => None,
    }
}

impl Data {
    /// What the name stands for in the messages: rows are the list of them, a text is a string.
    pub(super) async fn run(
        &self,
        arguments: &Arguments,
        limits: ShapeLimits,
        call: &Call,
    ) -> Result<Value, ActionError> {
        let here = call.within(&self.name);
        if let Some(value) = here.recall() {
            return Ok(value);
        }
        let value = self.value(arguments, limits, &here).await?;
        here.record(&value);
        Ok(value)
    }

    async fn value(&self, arguments: &Arguments, limits: ShapeLimits, call: &Call) -> Result<Value, ActionError> {
        let outcome = self.action.run(arguments, call).await?;
        let limits = self.action.limits().map_or(limits, ShapeLimits::from);
        let shaped = self.shape.apply(outcome, limits).await?;
        if let Some(text) = shaped.text {
            return Ok(Value::String(text));
        }
        let truncated = shaped.outcome.truncated.clone();
        Ok(match shaped.outcome.into_value() {
            Value::String(text) => Value::String(noted(text, truncated)),
            Value::Object(mut object) if self.action.gives_rows() && !self.shape.reshapes() => {
                object.remove("rows").unwrap_or_default()
            }
            other => other,
        })
    }
}

/// A text with the bound that cut it, if one did.
pub(super) fn noted(text: String, truncated: Option<String>) -> String {
    match truncated {
        Some(words) => format!("{text}\n{}", content::cut(&words)),
        None => text,
    }
}
