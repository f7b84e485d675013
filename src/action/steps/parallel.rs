//! `parallel`: steps side by side.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::each;
use super::names;
use super::report::{Did, Report};
use super::step::{self, Step};
use super::together::together;
use crate::action::hints::Hints;
use crate::action::{Arguments, Builder, Call, Capabilities, Scope};
use crate::outcome::ActionError;
use crate::spec::model;
use crate::spec::{Code, Diagnostics};

/// Steps at the same time where the spec says no number.
const SIDE_BY_SIDE: usize = 8;

/// Compiled steps of which none sees the names of the others.
#[derive(Debug)]
pub(super) struct Parallel {
    steps: Vec<Step>,
    most: usize,
    /// Whether their names are known behind it as if they stood there.
    hoists: bool,
}

impl Parallel {
    /// Checks and compiles the steps of the step `of`.
    pub(super) fn compile<'f, 'b: 'f>(
        written: &'f [model::Step],
        of: &'f model::Step,
        scope: &'f Scope<'_>,
        builder: &'f mut Builder<'b>,
    ) -> BoxFuture<'f, Option<Self>> {
        async move {
            // Beside `forEach` it is the number of items.
            let repeats = of.flow.for_each.is_some();
            let own = of.flow.concurrency.as_ref().filter(|_| !repeats);
            let most =
                own.map_or(Some(SIDE_BY_SIDE), |most| each::bound(most, "concurrency", each::MOST_AT_ONCE, builder));
            let mut known = scope.params.to_vec();
            let mut steps = Vec::with_capacity(written.len());
            for (at, step) in written.iter().enumerate() {
                let found = builder.sink.len();
                let compiled = Step::compile(at, step, scope, builder).await;
                say_of_siblings(written, found, builder.sink);
                names::add(step, compiled.as_ref(), &mut known, scope.owner, builder);
                steps.push(compiled);
            }
            let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
            Some(Parallel { steps, most: most?, hoists: of.name.is_none() && !repeats })
        }
        .boxed()
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn hoists(&self) -> bool {
        self.hoists
    }

    /// Does all of them. What they gave is an object.
    pub(super) fn run<'f>(&'f self, names: &'f Arguments, call: &'f Call) -> BoxFuture<'f, Result<Did, ActionError>> {
        async move {
            let work = |_, step: &'f Step, branch: Call| async move { step.once(names, &branch).await }.boxed();
            let ended = together(&self.steps, self.most, call, work).await;
            let id = |at: usize| self.steps.get(at).filter(|step| step.counts()).map(|step| step.id.clone());
            let mut report = Report::of(&self.steps);
            for (step, did) in self.steps.iter().zip(ended.all(id)?) {
                report.add(step, did);
            }
            Ok(match self.hoists {
                true => report.into_did(),
                false => Did::done(Value::Object(report.into_object())),
            })
        }
        .boxed()
    }

    pub(super) fn explain(&self, arguments: &Arguments) -> String {
        format!("side by side, at most {} at a time:\n{}", self.most, step::explain(&self.steps, arguments))
    }

    pub(super) fn hints(&self) -> Hints {
        Hints::of_all(self.steps.iter().map(Step::hints).collect())
    }

    pub(super) fn requires(&self) -> Capabilities {
        step::requires(&self.steps)
    }

    pub(super) fn depth(&self) -> usize {
        step::depth(&self.steps)
    }
}

/// Says of names that a step does not know that one beside it makes them.
fn say_of_siblings(steps: &[model::Step], found: usize, sink: &mut Diagnostics) {
    let made: Vec<_> = steps.iter().flat_map(names::of).collect();
    for unknown in sink.since(found).filter(|found| found.code == Code::UnknownName) {
        let named = |name: &&&model::Str| unknown.message.starts_with(&format!("`{}` is not defined", name.value));
        if let Some(name) = made.iter().find(named) {
            unknown.label = "steps in `parallel` don't see each other's names: use it behind them".to_owned();
            unknown.related = vec![(name.span.into(), "made side by side with it".to_owned())];
        }
    }
}
