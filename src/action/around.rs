//! What may stand around every action, whatever it does: `cache`, `rateLimit` and `concurrency`.
//!
//! ```text
//! cache ─▶ turn (concurrency, rateLimit) ─▶ the action
//! ```
//!
//! An action `http` has the same three around each of its requests instead, where they know more: its cache goes by
//! RFC 9111, and its bounds count tries and pages.

mod answers;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::gate::{Bounds, Gate, Pass};
use super::{Action, Arguments, Builder, Call, Scope, call};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Span};
use answers::Answers;

/// An action with bounds, or whose answers are kept.
#[derive(Debug)]
pub struct Around {
    /// What is inside.
    pub action: Action,
    gate: Arc<Gate>,
    /// How long a call waits for its turn.
    patience: Duration,
    kept: Option<Answers>,
}

/// What is written around an action, checked.
pub struct Settings {
    bounds: Bounds,
    /// For how long answers are kept, and the place that says so.
    cache: Option<(Duration, Span)>,
}

impl Settings {
    /// Checks it; `None` after mistakes, all of which are reported.
    pub fn read(written: &model::Around, builder: &mut Builder<'_>) -> Option<Settings> {
        let errors = builder.sink.errors();
        let bounds = Bounds::read(written.rate_limit.as_ref(), written.concurrency.as_ref(), builder.sink);
        let cache = written.cache.as_ref().and_then(|cache| Some((cache.ttl.get()?.value, cache.at)));
        (builder.sink.errors() == errors).then_some(Settings { bounds, cache })
    }

    /// The action with this around it; `None` if its answers can't be kept, which is reported.
    pub fn put_around(self, action: Action, at: Span, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Action> {
        if let Some((_, place)) = self.cache.filter(|_| action.read_only() == Some(false)) {
            builder.sink.push(refuse_cache(place));
            return None;
        }
        let kept = self.cache.map(|(ttl, _)| Answers::new(ttl));
        let patience = action.limits().unwrap_or(builder.limits).timeout;
        let file = builder.files.path(at.file);
        let gate = turns::shared(file, scope.owner, self.bounds);
        Some(Action::Around(Box::new(Around { action, gate, patience, kept })))
    }
}

/// The diagnostic for answers that are kept of what changes something.
pub fn refuse_cache(at: Span) -> Diagnostic {
    let found = Diagnostic::error(Code::BadValue, at, "this changes something, so its answers can't be kept");
    found.label("a call that is answered from the cache does nothing: leave `cache` out")
}

impl Around {
    /// Whether answers are kept.
    pub fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Gives an answer that is kept, or runs the action when it is its turn.
    ///
    /// # Errors
    /// If there is no turn in time, and those of the action.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let name = self.kept.as_ref().map(|_| answers::name(arguments));
        if let Some((kept, name)) = self.kept.as_ref().zip(name.as_ref())
            && let Some(outcome) = kept.find(name, Instant::now())
        {
            return Ok(outcome);
        }
        let _pass = self.turn(call).await?;
        let outcome = Box::pin(self.action.run(arguments, call)).await?;
        if let Some((kept, name)) = self.kept.as_ref().zip(name) {
            kept.put(&name, &outcome, Instant::now());
        }
        Ok(outcome)
    }

    /// Waits for a turn, which ends when what this gives is dropped.
    async fn turn(&self, call: &Call) -> Result<Pass, ActionError> {
        let deadline = Instant::now().checked_add(self.patience).unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(call::cancelled()),
            pass = tokio::time::timeout_at(deadline, self.gate.pass(deadline)) => pass.unwrap_or_else(|_| {
                let words = format!("it was not started: other calls of it were running for {:?}", self.patience);
                Err(ActionError::new(ErrorKind::TimedOut, words))
            }),
        }
    }
}
