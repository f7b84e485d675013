//! Stops statements: a deadline and a caller's absence, looked at by SQLite's progress handler while it
//! works and by its busy handler while it waits.
//!
//! Every connection stays on one thread, so what is watched is a thread's own: the busy handler is a plain
//! function that could be given nothing else.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::action::sql::types::{FaultKind, SqlFault};

/// How many instructions of SQLite's machine pass between two looks; some ten microseconds.
const INSTRUCTIONS: i32 = 2000;

/// The longest pause between two tries to get a lock.
const PAUSE: Duration = Duration::from_millis(25);

/// What a caller and a worker know of a job.
#[derive(Debug, Default)]
pub struct Ticket {
    abandoned: AtomicBool,
    started: AtomicBool,
}

impl Ticket {
    /// Nobody waits for the answer any more.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }

    /// Whether a worker has begun. A job that was abandoned before does nothing.
    pub fn started(&self) -> bool {
        self.started.load(Ordering::SeqCst)
    }
}

/// Why a statement has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The time is up.
    TimedOut,
    /// The caller went away.
    Cancelled,
}

impl From<Stop> for SqlFault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::TimedOut => SqlFault::new(FaultKind::TimedOut, "the statement took too long and was stopped"),
            Stop::Cancelled => SqlFault::new(FaultKind::Cancelled, "the statement was cancelled"),
        }
    }
}

#[derive(Default)]
struct Watch {
    job: Option<(Instant, Arc<Ticket>)>,
    busy_timeout: Duration,
    busy_since: Option<Instant>,
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// Watches a job on this thread until what is returned is dropped.
pub fn start(deadline: Instant, ticket: &Arc<Ticket>) -> Watched {
    ticket.started.store(true, Ordering::SeqCst);
    WATCH.with_borrow_mut(|watch| watch.job = Some((deadline, Arc::clone(ticket))));
    Watched
}

/// A job that is being watched.
pub struct Watched;

impl Drop for Watched {
    fn drop(&mut self) {
        WATCH.with_borrow_mut(|watch| watch.job = None);
    }
}

/// Why this thread's job has to stop, if it has to.
pub fn verdict() -> Option<Stop> {
    WATCH.with_borrow(|watch| {
        let (deadline, ticket) = watch.job.as_ref()?;
        match ticket.abandoned.load(Ordering::SeqCst) {
            true if Instant::now() < *deadline => Some(Stop::Cancelled),
            true => Some(Stop::TimedOut),
            false => (Instant::now() >= *deadline).then_some(Stop::TimedOut),
        }
    })
}

/// Makes a connection of this thread stoppable.
pub fn install(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    WATCH.with_borrow_mut(|watch| watch.busy_timeout = busy_timeout);
    connection.busy_handler(Some(wait))?;
    connection.progress_handler(INSTRUCTIONS, Some(|| verdict().is_some()))
}

/// Waits a little for a lock; false gives up.
fn wait(tries: i32) -> bool {
    let left = WATCH.with_borrow_mut(|watch| {
        let now = Instant::now();
        let since = watch.busy_since.filter(|_| tries > 0).unwrap_or(now);
        watch.busy_since = Some(since);
        watch.busy_timeout.saturating_sub(now.duration_since(since))
    });
    if left.is_zero() || verdict().is_some() {
        return false;
    }
    let pause = Duration::from_millis(1 << tries.clamp(0, 5)).min(PAUSE);
    std::thread::sleep(pause.min(left));
    true
}
