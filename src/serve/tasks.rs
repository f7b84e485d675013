//! Calls that go on after they were answered: MCP's extension `io.modelcontextprotocol/tasks` (SEP-2663).
//!
//! A task belongs to the server, not to a connection: who knows its id, which nobody can guess, can look after it.
//! rmcp's `TaskManager` is not used: it can neither count nor drop what it keeps, and stops what is late only when
//! somebody asks.

mod state;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, DetailedTask, InputResponses, Task};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::ask::Begun;
use super::random;
use crate::outcome::ActionError;
use state::{End, State};

/// Tasks that run at a time.
pub const MOST_RUNNING: usize = 64;
/// Tasks that are kept, those that are done among them.
pub const MOST_KEPT: usize = 1024;
/// Bytes of all results that are kept, as JSON.
pub const MOST_RESULTS: usize = 64 * 1024 * 1024;
/// How long what became of a task is kept at least.
const LEAST: Duration = Duration::from_secs(60);
/// How long a task may take to stop.
const STOPPING: Duration = Duration::from_secs(10);

/// All tasks of a server. They end when this is dropped.
#[derive(Debug)]
pub struct Tasks {
    kept: Arc<Mutex<HashMap<String, Kept>>>,
    running: Arc<Semaphore>,
    results: Arc<Semaphore>,
    closing: CancellationToken,
}

#[derive(Debug)]
struct Kept {
    state: Arc<State>,
    cancel: CancellationToken,
    _worker: AbortOnDropHandle<()>,
}

impl Tasks {
    /// No tasks yet. `closing` ends those that there will be.
    pub fn new(closing: CancellationToken) -> Self {
        let (running, results) = (Arc::new(Semaphore::new(MOST_RUNNING)), Arc::new(Semaphore::new(MOST_RESULTS)));
        Tasks { kept: Arc::default(), running, results, closing }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Makes a call a task. It is stopped, if it still runs, and forgotten after `life`.
    ///
    /// # Errors
    /// If there are too many tasks, in words for the caller.
    pub(super) fn start(&self, begun: Begun<CallToolResult>, life: Duration) -> Result<Task, String> {
        let mut kept = self.lock();
        let slot = self.running.clone().try_acquire_owned().map_err(|_| too_many("runs", MOST_RUNNING))?;
        if kept.len() >= MOST_KEPT {
            return Err(too_many("keeps", MOST_KEPT));
        }
        let id = random::bytes::<24>().map_err(|fault| format!("this server can't make tasks now: {fault}"))?;
        let id = URL_SAFE_NO_PAD.encode(id);
        let (state, task) = State::new(&id, life);
        let state = Arc::new(state);
        let cancel = begun.cancel.clone();
        let (all, results, closing) = (Arc::downgrade(&self.kept), self.results.clone(), self.closing.clone());
        let worker = tokio::spawn({
            let (id, state) = (id.clone(), state.clone());
            let forgotten = Instant::now() + life;
            async move {
                work(begun, life, &state, &results, &closing, slot).await;
                sleep_until(forgotten.max(Instant::now() + LEAST)).await;
                if let Some(all) = all.upgrade() {
                    all.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                }
            }
        });
        kept.insert(id, Kept { state, cancel, _worker: AbortOnDropHandle::new(worker) });
        Ok(task)
    }

    /// How a task is.
    ///
    /// # Errors
    /// If there is no such task.
    pub fn get(&self, id: &str) -> Result<DetailedTask, ErrorData> {
        self.lock().get(id).map(|kept| kept.state.show()).ok_or_else(unknown)
    }

    /// Hands on what a task asked for; what it did not ask for is passed over.
    ///
    /// # Errors
    /// If there is no such task.
    pub fn answer(&self, id: &str, responses: InputResponses) -> Result<(), ErrorData> {
        self.lock().get(id).map(|kept| kept.state.answer(responses)).ok_or_else(unknown)
    }

    /// Stops a task, if it still runs.
    ///
    /// # Errors
    /// If there is no such task.
    pub fn cancel(&self, id: &str) -> Result<(), ErrorData> {
        self.lock().get(id).map(|kept| kept.cancel.cancel()).ok_or_else(unknown)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(does: &str, most: usize) -> String {
    format!("this server {does} at most {most} tasks at a time: try again later")
}

fn unknown() -> ErrorData {
    ErrorData::invalid_params("there is no such task, or not any more", None)
}

/// Lets the call go on to its end, and notes what became of it. `slot` counts it among those that run.
async fn work(
    begun: Begun<CallToolResult>,
    life: Duration,
    state: &State,
    results: &Arc<Semaphore>,
    closing: &CancellationToken,
    slot: OwnedSemaphorePermit,
) {
    let Begun { work, go, mut messages, cancel } = begun;
    // Fails only where nobody waits.
    let _ = go.send(());
    let broke = |_| Err(ActionError::failed("the call broke"));
    let mut work = AssertUnwindSafe(work).catch_unwind().map(|given| given.unwrap_or_else(broke));
    let mut work = std::pin::pin!(async {
        loop {
            tokio::select! {
                biased;
                Some(message) = messages.recv() => state.hear(message),
                given = &mut work => {
                    while let Ok(message) = messages.try_recv() {
                        state.hear(message);
                    }
                    return given;
                }
            }
        }
    });
    let end = tokio::select! {
        // A call often stops before this hears that it is to.
        given = &mut work => match cancel.is_cancelled() {
            true => stopped(Some(given)),
            false => End::of(given, state.lacking()),
        },
        () = sleep(life) => {
            stop(work, &cancel).await;
            End::failed(format!("the task ran longer than the {} seconds that it may", life.as_secs_f64()))
        }
        () = cancel.cancelled() => stopped(stop(work, &cancel).await),
        () = closing.cancelled() => stopped(stop(work, &cancel).await),
    };
    // Who hears of the end may begin another one.
    drop(slot);
    state.end(end.kept(results));
}

/// What a call gave that was told to stop; `None` if it did not do so in time.
async fn stop<T>(work: impl Future<Output = T>, cancel: &CancellationToken) -> Option<T> {
    cancel.cancel();
    timeout(STOPPING, work).await.ok()
}

/// A call that was done before it heard that it is to stop is done.
fn stopped(given: Option<Result<CallToolResult, ActionError>>) -> End {
    match given {
        Some(Ok(result)) if result.is_error != Some(true) => End::of(Ok(result), Default::default()),
        _ => End::Cancelled,
    }
}
