//! Who has which session, and the threads that do what waits.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::super::connect::Recipe;
use super::super::session::Session;
use super::super::watch::{self, Ticket};
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};

/// How many jobs may wait.
const WAITING: usize = 1024;

/// How long a thread waits for a job before it goes.
const IDLE: Duration = Duration::from_secs(60);

/// Tells the answer to who waits for it. It is called when the session is free again: who hears the answer and
/// asks for more must find it free.
pub type Tell = Box<dyn FnOnce()>;

/// What is done on a connection, or without one.
pub type Work = Box<dyn FnOnce(Result<&mut Session, OpenFault>) -> Tell + Send>;

/// What waits to be done.
pub struct Job {
    /// Of the call that waits.
    pub ticket: Arc<Ticket>,
    /// When its time is up.
    pub deadline: Instant,
    /// What is to be done.
    pub work: Work,
}

/// What the threads of a pool and its callers share.
pub struct Shared {
    /// How connections are opened.
    pub recipe: Recipe,
    /// How many there may be.
    pub most: usize,
    /// What is under way.
    pub state: Mutex<State>,
    /// Rings when a job or a session may be there for a worker.
    pub bell: Condvar,
}

/// What is under way.
#[derive(Default)]
pub struct State {
    queue: VecDeque<Job>,
    /// Sessions that nobody uses; the last one was used last.
    idle: Vec<Session>,
    /// Connections that are open or being opened, idle ones included.
    connections: usize,
    workers: usize,
    /// Workers that wait for a job, or are about to.
    free: usize,
    closed: bool,
}

/// The right to one connection, open or not yet. It goes back when this is dropped.
pub struct Seat<'p> {
    shared: &'p Shared,
    /// The connection, once it is open.
    pub session: Option<Session>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.shared.take_back(self.session.take());
    }
}

impl Seat<'_> {
    /// Does a job, on a connection that is opened if need be.
    fn work(&mut self, job: Job) -> Result<Tell, ()> {
        let Job { ticket, deadline, work } = job;
        let patience = self.shared.recipe.patience();
        let _watched = watch::start(watch::Job { deadline, ticket: Some(ticket), patience });
        let tell = catch_unwind(AssertUnwindSafe(|| match self.open() {
            Ok(session) => work(Ok(session)),
            Err(fault) => work(Err(fault)),
        }));
        tell.map_err(|_| self.session.iter_mut().for_each(Session::recover))
    }

    fn open(&mut self) -> Result<&mut Session, OpenFault> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.shared.recipe.connect()?.into(),
        };
        Ok(self.session.insert(session))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle session, if nobody waits for one.
    pub fn free_seat(&self) -> Option<Seat<'_>> {
        let mut state = self.lock();
        if !state.queue.is_empty() {
            return None;
        }
        let session = state.idle.pop()?;
        Some(Seat { shared: self, session: Some(session) })
    }

    fn take_back(&self, session: Option<Session>) {
        let mut state = self.lock();
        let unused = match session {
            Some(session) if !state.closed => {
                state.idle.push(session);
                None
            }
            unused => {
                state.connections = state.connections.saturating_sub(1);
                unused
            }
        };
        let wanted = !state.queue.is_empty();
        drop(state);
        drop(unused);
        if wanted {
            self.bell.notify_one();
        }
    }

    /// Takes no more jobs and sends the workers away; gives the sessions that are idle.
    pub fn close(&self) -> Vec<Session> {
        let mut state = self.lock();
        state.closed = true;
        let sessions = std::mem::take(&mut state.idle);
        drop(state);
        self.bell.notify_all();
        sessions
    }

    /// Adds a job to the queue.
    pub fn submit(self: &Arc<Self>, job: Job) -> Result<(), SqlFault> {
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
        let ended = catch_unwind(AssertUnwindSafe(|| {
            while let Some((job, mut seat)) = self.next() {
                let tell = seat.work(job);
                drop(seat);
                self.lock().free += 1;
                if let Ok(tell) = tell {
                    tell();
                }
            }
        }));
        if ended.is_err() {
            self.lost();
        }
    }

    /// The next job, as soon as there is one and a connection for it; none ends the worker.
    fn next(&self) -> Option<(Job, Seat<'_>)> {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            if state.closed || (waited && state.queue.is_empty()) {
                state.free = state.free.saturating_sub(1);
                state.workers = state.workers.saturating_sub(1);
                let spare = state.spare();
                drop(state);
                drop(spare);
                return None;
            }
            if state.has_seat(self.most)
                && let Some(job) = state.queue.pop_front()
            {
                state.free = state.free.saturating_sub(1);
                let session = state.idle.pop();
                state.connections += usize::from(session.is_none());
                return Some((job, Seat { shared: self, session }));
            }
            let woken = self.bell.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken.0;
            waited = woken.1.timed_out();
        }
    }
}

impl State {
    fn has_seat(&self, most: usize) -> bool {
        !self.idle.is_empty() || self.connections < most
    }

    /// The idle sessions but for the one that was used last.
    fn spare(&mut self) -> Vec<Session> {
        let last = self.idle.pop();
        let spare = std::mem::replace(&mut self.idle, last.into_iter().collect());
        self.connections = self.connections.saturating_sub(spare.len());
        spare
    }
}
