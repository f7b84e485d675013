//! A queue of jobs and the threads that do them, each with a connection of its own. A thread is started when
//! nobody is free, and goes when it has had nothing to do for a while; the last one stays.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::connect::{Opened, Recipe};
use super::fault::OpenFault;
use super::session::Session;
use super::watch::{self, Stop, Ticket};
use crate::action::sql::types::{FaultKind, SqlFault};

/// How many jobs may wait.
const WAITING: usize = 1024;

/// How long a thread other than the last one waits for a job.
const IDLE: Duration = Duration::from_secs(60);

/// How long the first connection may take: a script for a database in memory may be long.
const OPENING: Duration = Duration::from_secs(300);

/// How long a call waits for a statement that was told to stop: it may be in the middle of a write to disk.
const GRACE: Duration = Duration::from_secs(2);

/// What is done on a connection, or without one. It calls the function it is given before it tells its answer:
/// who hears the answer and asks for more must find the worker free.
type Work = Box<dyn FnOnce(Result<&mut Session<'_>, OpenFault>, &dyn Fn()) + Send>;

struct Job {
    ticket: Arc<Ticket>,
    deadline: Instant,
    work: Work,
}

/// The connections of one database. Dropping it closes them.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    recipe: Recipe,
    most: usize,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    workers: usize,
    /// Workers that wait for a job, or are about to.
    free: usize,
    closed: bool,
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("most", &self.shared.most).finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.bell.notify_all();
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
        Pool { shared: Arc::new(Shared { recipe, most, state: Mutex::default(), bell: Condvar::new() }) }
    }

    /// Opens the first connection.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        let (answer, opened) = oneshot::channel();
        let ticket = Arc::new(Ticket::default());
        let work: Work = Box::new(move |session, free| {
            free();
            let _ = answer.send(session.map(|_| ()));
        });
        let failed = |_| OpenFault::Unavailable("the database could not be opened".into());
        self.shared
            .submit(Job { ticket, deadline: Instant::now() + OPENING, work })
            .map_err(|fault| OpenFault::Unavailable(fault.message))?;
        opened.await.map_err(failed)?
    }

    /// Runs `work` on a connection.
    pub async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, SqlFault> + Send + 'static,
    ) -> Result<T, SqlFault> {
        let (answer, mut answered) = oneshot::channel();
        let ticket = Arc::new(Ticket::default());
        let caller = Caller(Arc::clone(&ticket));
        let work: Work = Box::new(move |session, free| {
            let outcome = session.map_err(SqlFault::from).and_then(work);
            free();
            // Nobody may be listening any more.
            let _ = answer.send(outcome);
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, job: Job) -> Result<(), SqlFault> {
        let mut state = self.lock();
        if state.queue.len() >= WAITING {
            return Err(SqlFault::new(FaultKind::Unavailable, "too many statements wait for this database"));
        }
        state.queue.push_back(job);
        if state.queue.len() <= state.free || state.workers >= self.most {
            drop(state);
            self.bell.notify_one();
            return Ok(());
        }
        state.workers += 1;
        state.free += 1;
        drop(state);
        let shared = Arc::clone(self);
        let started = thread::Builder::new().name("sqlite".into()).spawn(move || shared.work());
        if started.is_err() {
            self.lost();
        }
        Ok(())
    }

    /// A worker is gone unforeseen. Without any, the jobs that wait are dropped, and so answered.
    fn lost(&self) {
        let mut state = self.lock();
        state.workers = state.workers.saturating_sub(1);
        state.free = state.free.min(state.workers);
        let orphans = if state.workers == 0 { std::mem::take(&mut state.queue) } else { VecDeque::new() };
        drop(state);
        drop(orphans);
    }

    fn work(&self) {
        if catch_unwind(AssertUnwindSafe(|| self.work_until_closed())).is_err() {
            self.lost();
        }
    }

    fn work_until_closed(&self) {
        while let Some(job) = self.next() {
            let watched = watch::start(job.deadline, &job.ticket);
            match self.recipe.connect() {
                Ok(opened) => return self.serve(&opened, job),
                Err(fault) => (job.work)(Err(fault), &|| self.lock().free += 1),
            }
            drop(watched);
        }
    }

    fn serve(&self, opened: &Opened, first: Job) {
        let mut session = Session::new(opened);
        let mut next = Some(first);
        while let Some(Job { ticket, deadline, work }) = next {
            let watched = watch::start(deadline, &ticket);
            let outcome = catch_unwind(AssertUnwindSafe(|| work(Ok(&mut session), &|| self.lock().free += 1)));
            drop(watched);
            if outcome.is_err() {
                session.recover();
                self.lock().free += 1;
            }
            next = self.next();
        }
    }

    /// The next job, as soon as there is one; none ends the worker.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            let job = if state.closed { None } else { state.queue.pop_front() };
            let leaves = state.closed || (waited && state.workers > 1);
            if job.is_some() || leaves {
                state.free = state.free.saturating_sub(1);
                state.workers = state.workers.saturating_sub(usize::from(job.is_none()));
                return job;
            }
            let woken = self.bell.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken.0;
            waited = woken.1.timed_out();
        }
    }
}
