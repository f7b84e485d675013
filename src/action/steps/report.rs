//! What steps gave so far.

use serde_json::{Map, Value};

use super::names::ERRORS;
use super::step::Step;
use crate::action::Arguments;
use crate::outcome::ActionError;

/// What became of a step.
#[derive(Debug, Clone)]
pub(super) enum Did {
    /// It was not to be done.
    Skipped,
    /// It was done.
    Done {
        /// What it gave.
        value: Value,
        /// What failed of it where the steps go on: an error's words, or those of its parts by their ids.
        failed: Option<Value>,
    },
}

impl Did {
    pub(super) fn done(value: Value) -> Self {
        Did::Done { value, failed: None }
    }

    /// It failed, and the steps go on.
    pub(super) fn failed(error: &ActionError) -> Self {
        Did::Done { value: Value::Null, failed: Some(Value::String(error.message.clone())) }
    }

    pub(super) fn nothing() -> Self {
        Did::done(Value::Null)
    }

    /// Whether it was done and did not fail as a whole.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Did::Done { failed, .. } if !matches!(failed, Some(Value::String(_))))
    }

    /// Its value, null for what was not done, and what failed.
    pub(super) fn parts(self) -> (Value, Option<Value>) {
        match self {
            Did::Skipped => (Value::Null, None),
            Did::Done { value, failed } => (value, failed),
        }
    }
}

/// What is told of a step that was done: its id, or the names of those in it that gave something.
fn told(step: &Step, value: &Value) -> Vec<String> {
    let given = |name: &&String| value.get(name.as_str()).is_some_and(|value| !value.is_null());
    let parts: Vec<String> = step.names.iter().filter(|_| step.hoists()).filter(given).cloned().collect();
    if parts.is_empty() { vec![step.id.clone()] } else { parts }
}

/// What the steps of a list gave so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    given: Map<String, Value>,
    /// What failed where the steps go on, by their ids; `None` where none of them does.
    pub(super) errors: Option<Map<String, Value>>,
    /// The ids of those that were done.
    pub(super) done: Vec<String>,
}

impl Report {
    /// Nothing yet.
    pub(super) fn of(steps: &[Step]) -> Self {
        let errors = steps.iter().any(Step::goes_on).then(Map::new);
        Report { errors, ..Report::default() }
    }

    /// Adds what a step gave.
    pub(super) fn add(&mut self, step: &Step, did: Did) {
        let done = did.is_done() && step.counts();
        let (value, failed) = did.parts();
        if done {
            self.done.extend(told(step, &value));
        }
        match value {
            Value::Object(mut values) if step.hoists() => {
                let taken = step.names.iter().map(|name| (name.clone(), values.remove(name).unwrap_or_default()));
                self.given.extend(taken.collect::<Vec<_>>());
            }
            value if !step.hoists() && step.name.is_some() => {
                self.given.extend(step.name.iter().map(|name| (name.clone(), value.clone())));
            }
            _ => self.given.extend(step.names.iter().map(|name| (name.clone(), Value::Null))),
        }
        let Some(errors) = &mut self.errors else { return };
        match failed {
            Some(Value::Object(parts)) if step.hoists() => errors.extend(parts),
            Some(failed) => _ = errors.insert(step.id.clone(), failed),
            None => {}
        }
    }

    /// Tells the names that a step made to those behind it.
    pub(super) fn tell(&self, step: &Step, names: &mut Arguments) {
        let made = step.names.iter().filter_map(|name| Some((name.clone(), self.given.get(name)?.clone())));
        names.extend(made);
        if let Some(errors) = &self.errors {
            names.insert(ERRORS.to_owned(), Value::Object(errors.clone()));
        }
    }

    /// All that the named ones gave, and what failed.
    pub(super) fn into_object(self) -> Map<String, Value> {
        let mut given = self.given;
        if let Some(errors) = self.errors {
            given.insert(ERRORS.to_owned(), Value::Object(errors));
        }
        given
    }

    /// The same as what one step did, whose names and failures become those of the list that it is in.
    pub(super) fn into_did(self) -> Did {
        let failed = self.errors.filter(|errors| !errors.is_empty()).map(Value::Object);
        Did::Done { value: Value::Object(self.given), failed }
    }
}
