//! Commands that must not overlap take turns.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::action::{Builder, Call, Scope};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::{Code, Diagnostic, Span, Spanned};

/// `concurrency`.
#[derive(Debug)]
pub struct Turns(Option<Arc<Semaphore>>);

/// What is the same command before and after a reload: the file and the thing in it, and how many may run.
type Key = (Option<PathBuf>, String, usize);

/// A command that runs through a reload still keeps the next one waiting.
static ALL: Mutex<Vec<(Key, Weak<Semaphore>)>> = Mutex::new(Vec::new());

impl Turns {
    /// Checks and compiles it.
    pub fn compile(
        written: Option<&Spanned<u64>>,
        at: Span,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let Some(most) = written else { return Some(Turns(None)) };
        let number = usize::try_from(most.value).ok().filter(|most| (1..=Semaphore::MAX_PERMITS).contains(most));
        let Some(number) = number else {
            let words = format!("`concurrency` can't be {}", most.value);
            builder.sink.push(Diagnostic::error(Code::BadValue, most.span, words).label("1 is one at a time"));
            return None;
        };
        let file = builder.files.path(at.file).map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        Some(Turns(Some(shared((file, scope.owner.to_owned(), number)))))
    }

    /// Waits for a turn, which ends when what this gives is dropped.
    ///
    /// # Errors
    /// If the call is cancelled, or there is none for so long.
    pub async fn take(
        &self,
        name: &str,
        call: &Call,
        timeout: Duration,
    ) -> Result<Option<OwnedSemaphorePermit>, ActionError> {
        let Some(turns) = &self.0 else { return Ok(None) };
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(ActionError::new(ErrorKind::Cancelled, "the call was cancelled")),
            turn = turns.clone().acquire_owned() => Ok(turn.ok()),
            () = tokio::time::sleep(timeout) => {
                let words = format!("`{name}` was not started: other calls of it were running for {timeout:?}");
                Err(ActionError::new(ErrorKind::TimedOut, words))
            }
        }
    }
}

fn shared(key: Key) -> Arc<Semaphore> {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, turns)| turns.strong_count() > 0);
    if let Some(turns) = all.iter().find(|(known, _)| *known == key).and_then(|(_, turns)| turns.upgrade()) {
        return turns;
    }
    let turns = Arc::new(Semaphore::new(key.2));
    all.push((key, Arc::downgrade(&turns)));
    turns
}
