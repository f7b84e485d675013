//! One step: whether and how often it is done, and what follows an error.

use std::time::Duration;

use serde_json::Value;
use tokio::task::coop::consume_budget;

use super::deadline;
use super::does::Does;
use super::each::ForEach;
use super::names;
use super::on_error::OnError;
use super::report::Did;
use super::when::When;
use crate::action::hints::Hints;
use crate::action::{Arguments, Builder, Call, Capabilities, Param, Scope};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model;

/// A compiled step.
#[derive(Debug)]
pub(super) struct Step {
    /// Unlike that of any other step: the name, or `step-` and the position, which is no name.
    pub(super) id: String,
    /// The names that it makes.
    pub(super) names: Vec<String>,
    pub(super) name: Option<String>,
    each: Option<ForEach>,
    when: Option<When>,
    timeout: Option<Duration>,
    on_error: Option<OnError>,
    does: Does,
}

impl Step {
    /// Checks and compiles the step at position `at`.
    pub(super) async fn compile(
        at: usize,
        written: &model::Step,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let flow = &written.flow;
        let before = builder.sink.errors();
        let mut seen: Vec<Param> = scope.params.to_vec();
        let mut each = None;
        if let Some(list) = &flow.for_each {
            each = ForEach::compile(list, flow, scope, builder);
            seen.extend(ForEach::names(list, each.as_ref(), scope, builder));
        }
        let all = Scope { params: &seen, ..*scope };
        let when = flow.when.as_ref().map(|when| When::compile(when, &all, builder));
        let on_error = flow.on_error.as_ref().map(|then| OnError::compile(then, &all, builder));
        let said: Vec<Param> = seen.iter().filter(|name| names::sees(written, name)).cloned().collect();
        let does = match &written.does {
            Some(does) => Does::compile(does, written, &Scope { params: &said, ..*scope }, builder).await,
            None => None,
        };
        let name = written.name.as_ref().map(|name| name.value.clone());
        let step = Step {
            id: name.clone().unwrap_or_else(|| format!("step-{}", at.saturating_add(1))),
            names: names::of(written).into_iter().map(|name| name.value.clone()).collect(),
            name,
            each,
            when: when.flatten(),
            timeout: flow.timeout.as_ref().map(|time| time.value),
            on_error: on_error.flatten(),
            does: does?,
        };
        (builder.sink.errors() == before).then_some(step)
    }

    /// Whether its name may stand for nothing though it was done.
    pub(super) fn is_optional(&self) -> bool {
        self.does.is_optional()
    }

    /// Whether the names of the steps in it are known behind it as if they stood there.
    pub(super) fn hoists(&self) -> bool {
        self.does.hoisted().is_some()
    }

    /// Whether steps go on after it failed.
    pub(super) fn is_forgiven(&self) -> bool {
        matches!(self.on_error, Some(OnError::Continue))
    }

    /// Whether steps go on after it, or a part of it, failed.
    pub(super) fn goes_on(&self) -> bool {
        self.is_forgiven() || self.does.hoisted().unwrap_or_default().iter().any(Self::goes_on)
    }

    /// Whether it does something that is worth telling.
    pub(super) fn counts(&self) -> bool {
        self.does.counts()
    }

    /// Does it, as often as it is to be done, unless it was done before this call.
    pub(super) async fn once(&self, names: &Arguments, call: &Call) -> Result<Did, ActionError> {
        call.go_on()?;
        let here = call.within(&self.id);
        if let Some(did) = self.recall(&here) {
            return Ok(did);
        }
        let did = match &self.each {
            None => self.one(names, &here).await,
            Some(each) => each.run(self, names, &here).await,
        };
        let did = did.map_err(|error| error.within(&self.id))?;
        self.record(&did, &here);
        Ok(did)
    }

    /// Does it, or does it for one item, unless it is not to be done.
    pub(super) async fn one(&self, names: &Arguments, here: &Call) -> Result<Did, ActionError> {
        // Thousands of quick steps must not keep others from running.
        consume_budget().await;
        here.go_on()?;
        if let Some(on_error) = &self.on_error
            && let Some(error) = on_error.begun(here)
        {
            return on_error.meet(error, names, here).await;
        }
        here.count_step()?;
        if let Some(when) = &self.when
            && !when.holds(names, here).await?
        {
            return Ok(Did::Skipped);
        }
        let error = match self.in_time(names, here).await {
            Ok(did) => return Ok(did),
            Err(error) => error,
        };
        match &self.on_error {
            Some(on_error) if can_be_met(&error, here) => on_error.meet(error, names, here).await,
            _ => Err(error),
        }
    }

    async fn in_time(&self, names: &Arguments, here: &Call) -> Result<Did, ActionError> {
        let Some(time) = self.timeout else { return self.does.run(names, here).await };
        let branch = here.branch();
        deadline::in_time(time, &branch.cancel, self.does.run(names, &branch)).await
    }

    /// What it did before this call.
    pub(super) fn recall(&self, here: &Call) -> Option<Did> {
        if self.on_error.as_ref().is_some_and(|on_error| on_error.begun(here).is_some()) {
            return None;
        }
        Some(Did::Done { value: here.recall()?, failed: here.beside("failed").recall() })
    }

    /// Notes what it did.
    pub(super) fn record(&self, did: &Did, here: &Call) {
        let Did::Done { value, failed } = did else { return };
        here.record(if self.names.is_empty() { &Value::Null } else { value });
        if let Some(failed) = failed {
            here.beside("failed").record(failed);
        }
    }

    /// What is known of it.
    pub(super) fn hints(&self) -> Hints {
        let mut hints = self.does.hints();
        if self.each.is_some() {
            hints = hints.repeated();
        }
        match &self.on_error {
            Some(OnError::Call(tool)) => Hints::of_all(vec![hints, tool.hints()]),
            _ => hints,
        }
    }

    fn requires(&self) -> Capabilities {
        let undo = match &self.on_error {
            Some(OnError::Call(tool)) => tool.requires(),
            _ => Capabilities::default(),
        };
        self.does.requires().and(undo)
    }

    fn depth(&self) -> usize {
        let undo = match &self.on_error {
            Some(OnError::Call(tool)) => tool.depth(),
            _ => 0,
        };
        self.does.depth().max(undo)
    }

    fn explain(&self, arguments: &Arguments) -> String {
        let mut notes: Vec<String> = self.each.iter().map(ForEach::explain).collect();
        notes.extend(self.when.iter().map(|when| format!("only if {when}")));
        notes.extend(self.timeout.iter().map(|time| format!("for at most {time:?}")));
        notes.extend(self.on_error.iter().map(|on_error| format!("after an error {on_error}")));
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        let does = self.does.explain(arguments).replace('\n', "\n  ");
        format!("{}{notes}: {does}", self.id)
    }
}

/// Whether an error is the step's own. What the client has to do first is none, and no more is done for a call that was
/// taken back or has done all that it may.
fn can_be_met(error: &ActionError, call: &Call) -> bool {
    !matches!(error.kind, ErrorKind::Unanswered | ErrorKind::Lacking | ErrorKind::Cancelled)
        && !call.cancel.is_cancelled()
        && !call.is_spent()
}

/// A line or more for each step.
pub(super) fn explain(steps: &[Step], arguments: &Arguments) -> String {
    steps.iter().map(|step| step.explain(arguments)).collect::<Vec<_>>().join("\n")
}

/// What the client has to be able to do for those that are always done.
pub(super) fn requires(steps: &[Step]) -> Capabilities {
    let always = steps.iter().filter(|step| step.when.is_none());
    always.fold(Capabilities::default(), |all, step| all.and(step.requires()))
}

/// How many levels there are.
pub(super) fn depth(steps: &[Step]) -> usize {
    steps.iter().map(Step::depth).max().unwrap_or_default().saturating_add(1)
}
