//! Stops statements: a deadline and a caller's absence, looked at by SQLite's progress handler while it
//! works and by its busy handler while it waits.
//!
//! What is watched is the thread's own, on which a statement runs from its beginning to its end: the busy handler
//! is a plain function that could be given nothing else.

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

/// What may go on, and for how long.
#[derive(Debug, Clone)]
pub struct Job {
    /// When the time is up.
    pub deadline: Instant,
    /// Tells when nobody waits for the answer any more.
    pub ticket: Option<Arc<Ticket>>,
    /// How long to wait for somebody else's lock.
    pub patience: Duration,
}

#[derive(Default)]
struct Watch {
    job: Option<Job>,
    busy_since: Option<Instant>,
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// Watches a job on this thread until what is returned is dropped.
pub fn start(job: Job) -> Watched {
    if let Some(ticket) = &job.ticket {
        ticket.started.store(true, Ordering::SeqCst);
    }
    WATCH.with_borrow_mut(|watch| watch.job = Some(job));
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
        let job = watch.job.as_ref()?;
        let abandoned = job.ticket.as_ref().is_some_and(|ticket| ticket.abandoned.load(Ordering::SeqCst));
        match (Instant::now() >= job.deadline, abandoned) {
            (true, _) => Some(Stop::TimedOut),
            (false, true) => Some(Stop::Cancelled),
            (false, false) => None,
        }
    })
}

/// Makes a connection stoppable.
pub fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(wait))?;
    connection.progress_handler(INSTRUCTIONS, Some(|| verdict().is_some()))
}

/// Waits a little for a lock; false gives up.
fn wait(tries: i32) -> bool {
    let left = WATCH.with_borrow_mut(|watch| {
        let now = Instant::now();
        let since = watch.busy_since.filter(|_| tries > 0).unwrap_or(now);
        watch.busy_since = Some(since);
        let patience = watch.job.as_ref().map_or(Duration::ZERO, |job| job.patience);
        patience.saturating_sub(now.duration_since(since))
    });
    if left.is_zero() || verdict().is_some() {
        return false;
    }
    let pause = Duration::from_millis(1 << tries.clamp(0, 5)).min(PAUSE);
    std::thread::sleep(pause.min(left));
    true
}
