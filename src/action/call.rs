//! What one call brings along: how it is taken back, who made it, and what of it was done before.

mod client;
mod journal;

pub use client::{Capabilities, Client, Input, Message, Reply, Request, Wants};
pub use journal::Journal;

pub use crate::spec::model::steps::LogLevel as Level;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::outcome::{ActionError, ErrorKind};

/// How long a client may take to answer what it is asked.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Steps that one call may do, those of the tools that it calls among them.
pub const MOST_STEPS: usize = 10_000;

/// What one call brings along beside its arguments. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Cancelled when the caller takes the call back or the server closes.
    pub cancel: CancellationToken,
    /// Who made the call; by default nobody who could be told or asked anything.
    pub client: Client,
    journal: Journal,
    place: String,
    /// Steps that it did.
    steps: Arc<AtomicUsize>,
}

impl Call {
    /// A call of `client`. What `journal` holds is not done again.
    pub fn new(cancel: CancellationToken, client: Client, journal: Journal) -> Self {
        Call { cancel, client, journal, place: String::new(), steps: Arc::default() }
    }

    /// The same call, seen from a part of what it runs. The parts of one place have different names.
    pub fn within(&self, part: &str) -> Self {
        let place = if self.place.is_empty() { part.to_owned() } else { format!("{}.{part}", self.place) };
        Call { place, ..self.clone() }
    }

    /// The same call, from a place next to this one.
    pub fn beside(&self, what: &str) -> Self {
        Call { place: format!("{}-{what}", self.place), ..self.clone() }
    }

    /// The same call as something that can be ended by itself, and ends with the call.
    pub fn branch(&self) -> Self {
        Call { cancel: self.cancel.child_token(), ..self.clone() }
    }

    /// Where in the call this is: the names of the parts, with dots between. It names what is asked here.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What this place gave, if it was done before.
    pub fn recall(&self) -> Option<Value> {
        self.journal.get(&self.place)
    }

    /// Notes that this place is done, so that it is not done again when the client comes back with an answer.
    pub fn record(&self, value: &Value) {
        self.journal.put(&self.place, value);
    }

    /// Forgets what this place gave.
    pub fn forget(&self) {
        self.journal.remove(&self.place);
    }

    /// Counts a step.
    ///
    /// # Errors
    /// If it is one more than [`MOST_STEPS`].
    pub fn count_step(&self) -> Result<(), ActionError> {
        match self.steps.fetch_add(1, Ordering::Relaxed) < MOST_STEPS {
            true => Ok(()),
            false => Err(ActionError::failed(format!("one call does at most {MOST_STEPS} steps"))),
        }
    }

    /// Whether no more steps can be done.
    pub fn is_spent(&self) -> bool {
        self.steps.load(Ordering::Relaxed) >= MOST_STEPS
    }

    /// Fails if the call was taken back.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`].
    pub fn go_on(&self) -> Result<(), ActionError> {
        if self.cancel.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }
}

/// The error of a call that was taken back.
pub fn cancelled() -> ActionError {
    ActionError::new(ErrorKind::Cancelled, "the call was cancelled")
}
