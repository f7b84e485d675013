//! What a step does: the list of its kinds.

use std::time::Duration;

use super::ask::Ask;
use super::call::CallTool;
use super::parallel::Parallel;
use super::report::Did;
use super::say::{Log, Progress};
use super::step::Step;
use crate::action::call::cancelled;
use crate::action::hints::Hints;
use crate::action::{Action, Arguments, Builder, Call, Capabilities, Scope};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::{self, steps as written};

/// What a compiled step does.
#[derive(Debug)]
pub(super) enum Does {
    Run(Box<Action>),
    Call(CallTool),
    Parallel(Parallel),
    Ask(Ask),
    Log(Log),
    Progress(Progress),
    Sleep(Duration),
}

impl Does {
    /// Checks and compiles what the step `of` does.
    pub(super) async fn compile(
        written: &written::Does,
        of: &model::Step,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        match written {
            written::Does::Run(action) => {
                Action::compile(action, scope, builder).await.map(|action| Does::Run(Box::new(action)))
            }
            written::Does::Call(call) => CallTool::compile(call, scope, builder).map(Does::Call),
            written::Does::Parallel(steps) => Parallel::compile(steps, of, scope, builder).await.map(Does::Parallel),
            written::Does::Ask(ask) => Ask::compile(ask, scope, builder).map(Does::Ask),
            written::Does::Sample(sample) => Ask::sample(sample, scope, builder).map(Does::Ask),
            written::Does::Roots(roots) => Some(Does::Ask(Ask::roots(roots))),
            written::Does::Log(log) => Log::compile(log, scope, builder).map(Does::Log),
            written::Does::Progress(progress) => Progress::compile(progress, scope, builder).map(Does::Progress),
            written::Does::Sleep(time) => Some(Does::Sleep(time.value)),
        }
    }

    /// Whether it may give nothing.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self, Does::Ask(ask) if ask.is_optional())
    }

    /// Whether it does something that is worth telling.
    pub(super) fn counts(&self) -> bool {
        !matches!(self, Does::Log(_) | Does::Progress(_) | Does::Sleep(_))
    }

    /// The steps in it whose names are known behind it as if they stood there.
    pub(super) fn hoisted(&self) -> Option<&[Step]> {
        match self {
            Does::Parallel(parallel) if parallel.hoists() => Some(parallel.steps()),
            _ => None,
        }
    }

    pub(super) async fn run(&self, names: &Arguments, call: &Call) -> Result<Did, ActionError> {
        match self {
            Does::Run(action) => action.run(names, call).await.map(Outcome::into_value).map(Did::done),
            Does::Call(tool) => tool.run(names, call).await.map(Did::done),
            Does::Parallel(parallel) => parallel.run(names, call).await,
            Does::Ask(ask) => ask.run(names, call).await.map(Did::done),
            Does::Log(log) => log.run(names, call).await.map(|()| Did::nothing()),
            Does::Progress(progress) => progress.run(names, call).map(|()| Did::nothing()),
            Does::Sleep(time) => {
                call.client.begins().await;
                tokio::select! {
                    biased;
                    () = call.cancel.cancelled() => Err(cancelled()),
                    () = tokio::time::sleep(*time) => Ok(Did::nothing()),
                }
            }
        }
    }

    pub(super) fn explain(&self, arguments: &Arguments) -> String {
        match self {
            Does::Run(action) => match (action.as_ref(), action.explain(arguments)) {
                (Action::Steps(_), Ok(steps)) => format!("in order:\n{steps}"),
                (_, Ok(words)) => words,
                (_, Err(_)) => "depends on what comes before".to_owned(),
            },
            Does::Call(tool) => format!("calls the tool {}", tool.name()),
            Does::Parallel(parallel) => parallel.explain(arguments),
            Does::Ask(ask) => format!("asks the client ({})", ask.needs().names().join(", ")),
            Does::Log(_) => "sends a log message".to_owned(),
            Does::Progress(_) => "tells how far the call is".to_owned(),
            Does::Sleep(time) => format!("waits {time:?}"),
        }
    }

    pub(super) fn hints(&self) -> Hints {
        match self {
            Does::Run(action) => Hints::of(action),
            Does::Call(tool) => tool.hints(),
            Does::Parallel(parallel) => parallel.hints(),
            // What a model that is not ours says comes from outside.
            Does::Ask(ask) if ask.needs().sampling => Hints { open_world: None, ..Hints::HARMLESS },
            Does::Ask(_) | Does::Log(_) | Does::Progress(_) | Does::Sleep(_) => Hints::HARMLESS,
        }
    }

    pub(super) fn requires(&self) -> Capabilities {
        match self {
            Does::Run(action) => action.requires(),
            Does::Call(tool) => tool.requires(),
            Does::Parallel(parallel) => parallel.requires(),
            Does::Ask(ask) => ask.requires(),
            Does::Log(_) | Does::Progress(_) | Does::Sleep(_) => Capabilities::default(),
        }
    }

    /// How many levels of steps are in it.
    pub(super) fn depth(&self) -> usize {
        match self {
            Does::Run(action) => match action.as_ref() {
                Action::Steps(steps) => steps.depth(),
                _ => 0,
            },
            Does::Call(tool) => tool.depth(),
            Does::Parallel(parallel) => parallel.depth(),
            Does::Ask(_) | Does::Log(_) | Does::Progress(_) | Does::Sleep(_) => 0,
        }
    }
}
