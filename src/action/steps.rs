//! `steps`: several things, one after the other; what a step gives has a name in the steps behind it.
//!
//! A step that is done is noted in the call's journal: where the client is asked by the answer to its call (MCP
//! 2026-07-28), the second call goes on where the first ended.

mod ask;
mod call;
mod deadline;
mod does;
mod each;
mod form;
mod names;
mod on_error;
mod parallel;
mod report;
mod sample;
mod say;
mod step;
mod together;
mod when;

pub use ask::Ask;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::hints::Hints;
use super::{Arguments, Builder, Call, Capabilities, Scope};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::steps::StepsAction;
use crate::spec::{Code, Diagnostic};
use names::is_path;
use report::Report;
use step::Step;

/// How deep steps may be in steps, those of the tools that they call among them.
const MAX_DEPTH: usize = 16;

/// Compiled steps.
#[derive(Debug)]
pub struct Steps {
    steps: Vec<Step>,
    timeout: Option<Duration>,
}

impl Steps {
    /// Checks and compiles the steps, each with the names of those before it.
    pub fn compile<'f, 'b: 'f>(
        written: &'f StepsAction,
        scope: &'f Scope<'_>,
        builder: &'f mut Builder<'b>,
    ) -> BoxFuture<'f, Option<Self>> {
        async move {
            let mut known = scope.params.to_vec();
            let mut steps = Vec::with_capacity(written.steps.len());
            for (at, step) in written.steps.iter().enumerate() {
                let compiled = Step::compile(at, step, &Scope { params: &known, ..*scope }, builder).await;
                names::add(step, compiled.as_ref(), &mut known, scope.owner, builder);
                steps.push(compiled);
            }
            let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
            let steps = Steps { steps, timeout: written.timeout.as_ref().map(|t| t.value) };
            if let Some(first) = written.steps.first().filter(|_| steps.depth() == MAX_DEPTH.saturating_add(1)) {
                let words = format!("steps may be {MAX_DEPTH} deep in each other, those of called tools too");
                builder.sink.push(Diagnostic::error(Code::TooLarge, first.at, words).label("this is one deeper"));
            }
            Some(steps)
        }
        .boxed()
    }

    /// Does the steps in order. The outcome is an object of what the named ones gave.
    ///
    /// # Errors
    /// That of the first step that fails, with the step's name and what was done before.
    pub fn run<'f>(&'f self, arguments: &'f Arguments, call: &'f Call) -> BoxFuture<'f, Result<Outcome, ActionError>> {
        async move {
            let Some(time) = self.timeout else { return self.in_order(arguments, call).await };
            let branch = call.branch();
            deadline::in_time(time, &branch.cancel, self.in_order(arguments, &branch)).await
        }
        .boxed()
    }

    async fn in_order(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let mut names = arguments.clone();
        let mut report = Report::of(&self.steps);
        for step in &self.steps {
            let did = step.once(&names, call).await.map_err(|error| error.after(&report.done))?;
            report.add(step, did);
            report.tell(step, &mut names);
        }
        Ok(Outcome::json(Value::Object(report.into_object())))
    }

    /// What each step would do, as far as the arguments alone show it.
    ///
    /// # Errors
    /// None; what needs the outcome of a step before it is told so.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let lines = step::explain(&self.steps, arguments);
        Ok(match self.timeout {
            Some(time) => format!("for at most {time:?}:\n{lines}"),
            None => lines,
        })
    }

    /// What is known of all the steps.
    pub fn hints(&self) -> Hints {
        Hints::of_all(self.steps.iter().map(Step::hints).collect())
    }

    /// What the client has to be able to do for the steps that are always done, and for what may have to undo them.
    pub fn requires(&self) -> Capabilities {
        step::requires(&self.steps)
    }

    /// How many levels of steps there are, with those of the tools that they call.
    pub fn depth(&self) -> usize {
        step::depth(&self.steps)
    }
}
