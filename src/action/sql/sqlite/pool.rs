//! The sessions of one database, and a queue of jobs with a few threads that do them. A thread is started when
//! nobody is free, and goes when it has had nothing to do for a while; so do the sessions, but for one.

mod work;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::connect::Recipe;
use super::plan::QUICK;
use super::session::Session;
use super::watch::{self, Stop, Ticket};
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};
use work::{Job, Shared, State, Tell, Work};

/// How long the first connection may take: a script for a database in memory may be long.
const OPENING: Duration = Duration::from_secs(300);

/// How long a call waits for a statement that was told to stop: it may be in the middle of a write to disk.
const GRACE: Duration = Duration::from_secs(2);

/// The connections of one database. Dropping it closes them.
pub struct Pool {
    shared: Arc<Shared>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("most", &self.shared.most).finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let sessions = self.shared.close();
        if !sessions.is_empty() {
            // Closing writes what is left in a log to the database, which nobody should wait for.
            let _ = thread::Builder::new().name("sqlite".into()).spawn(move || drop(sessions));
        }
    }
}

/// Tells the worker, when a call's future is dropped, that nobody waits for it.
struct Caller(Arc<Ticket>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Pool {
    /// A pool without connections yet.
    pub fn new(recipe: Recipe, max_connections: usize) -> Pool {
        let most = if recipe.in_memory() { 1 } else { max_connections.max(1) };
        Pool { shared: Arc::new(Shared { recipe, most, state: Mutex::new(State::default()), bell: Condvar::new() }) }
    }

    /// Opens the first connection.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        let (answer, opened) = oneshot::channel();
        let work: Work = Box::new(move |session| {
            let outcome = session.map(|_| ());
            let tell: Tell = Box::new(move || drop(answer.send(outcome)));
            tell
        });
        let failed = |_| OpenFault::Unavailable("the database could not be opened".into());
        let deadline = Instant::now() + OPENING;
        self.shared
            .submit(Job { ticket: Arc::default(), deadline, work })
            .map_err(|fault| OpenFault::Unavailable(fault.message))?;
        opened.await.map_err(failed)?
    }

    /// Runs `work` here and now if a session is free and nobody waits for one. It is stopped when it takes longer
    /// than [`QUICK`] or meets somebody else's lock.
    pub fn at_once<T>(&self, work: impl FnOnce(&mut Session) -> Option<T>) -> Option<T> {
        let mut seat = self.shared.free_seat()?;
        let session = seat.session.as_mut()?;
        let deadline = Instant::now() + QUICK;
        let _watched = watch::start(watch::Job { deadline, ticket: None, patience: Duration::ZERO });
        let outcome = catch_unwind(AssertUnwindSafe(|| work(session)));
        outcome.unwrap_or_else(|_| {
            session.recover();
            None
        })
    }

    /// Runs `work` on a connection, on a thread of the pool.
    pub async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
        work: impl FnOnce(&mut Session) -> Result<T, SqlFault> + Send + 'static,
    ) -> Result<T, SqlFault> {
        if cancel.is_cancelled() {
            return Err(Stop::Cancelled.into());
        }
        let (answer, mut answered) = oneshot::channel();
        let ticket = Arc::new(Ticket::default());
        let caller = Caller(Arc::clone(&ticket));
        let work: Work = Box::new(move |session| {
            let outcome = session.map_err(SqlFault::from).and_then(work);
            // Nobody may be listening any more.
            let tell: Tell = Box::new(move || drop(answer.send(outcome)));
            tell
        });
        self.shared.submit(Job { ticket, deadline, work })?;
        let stop = tokio::select! {
            biased;
            outcome = &mut answered => return outcome.unwrap_or_else(|_| Err(failed())),
            () = cancel.cancelled() => Stop::Cancelled,
            () = tokio::time::sleep_until(deadline.into()) => Stop::TimedOut,
        };
        caller.0.abandon();
        if !caller.0.started() {
            return Err(stop.into());
        }
        match tokio::time::timeout(GRACE, answered).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(failed())),
            Err(_) => Err(unknown(stop)),
        }
    }
}

fn failed() -> SqlFault {
    SqlFault::new(FaultKind::Other, "the database driver failed on this statement")
}

fn unknown(stop: Stop) -> SqlFault {
    let fault = SqlFault::from(stop);
    SqlFault { message: format!("{}; its outcome is not known", fault.message), ..fault }
}
