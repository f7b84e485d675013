//! Connections that are kept for the next call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connect::Recipe;
use super::fault;
use super::session::{Scope, Session, State};
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};

/// How often unused connections are looked at, at most and at least.
const LOOK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(30));

/// How long a connection that was used before may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections of one server.
#[derive(Debug)]
pub struct Pool {
    recipe: Arc<Recipe>,
    idle: Mutex<Vec<Session>>,
    places: Arc<Semaphore>,
    max_connections: u32,
    acquire_timeout: Duration,
    idle_timeout: Duration,
}

impl Pool {
    /// A pool without a connection yet.
    pub fn new(recipe: Recipe, config: &ServerConfig) -> Arc<Pool> {
        let pool = Arc::new(Pool {
            recipe: Arc::new(recipe),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(usize::try_from(config.max_connections).unwrap_or(1).max(1))),
            max_connections: config.max_connections,
            acquire_timeout: config.acquire_timeout,
            idle_timeout: config.idle_timeout,
        });
        tokio::spawn(retire(Arc::downgrade(&pool), (config.idle_timeout / 2).clamp(LOOK.0, LOOK.1)));
        pool
    }

    /// Whether no call writes.
    pub fn read_only(&self) -> bool {
        self.recipe.read_only()
    }

    /// Opens a first connection, or sees whether one still answers.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        while let Some(mut session) = self.pop() {
            if session.answers().await {
                self.idle().push(session);
                return Ok(());
            }
        }
        let place = self.places.try_acquire();
        let session = self.connect().await?;
        match place {
            Ok(_) => self.idle().push(session),
            Err(_) => session.close().await,
        }
        Ok(())
    }

    /// A connection on which a call has begun. One that went away while it was unused is replaced.
    pub async fn take(self: &Arc<Self>, scope: Scope, max_rows: usize, deadline: Instant) -> Result<Lease, SqlFault> {
        let unavailable = |words: String| SqlFault::new(FaultKind::Unavailable, words);
        let waited = timeout(self.acquire_timeout, Arc::clone(&self.places).acquire_owned()).await;
        let most = self.max_connections;
        let in_use = |_| unavailable(format!("all {most} connections to the database are in use"));
        let place = waited.map_err(in_use)?;
        let mut place = Some(place.map_err(|_| unavailable("the connections to the database are closed".into()))?);
        loop {
            let kept = self.pop();
            let fresh = kept.is_none();
            let patience = if fresh { self.acquire_timeout } else { PATIENCE };
            let session = match kept {
                Some(session) => session,
                None => self.connect().await.map_err(|found| fault::unavailable(&found))?,
            };
            let mut lease = Lease { pool: Arc::clone(self), session: Some(session), place: place.take() };
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(patience, lease.session()?.begin(scope, max_rows, left)).await {
                Ok(Ok(())) => return Ok(lease),
                Ok(Err(found)) if fresh => return Err(found),
                Err(_) if fresh => return Err(unavailable("the server does not answer".into())),
                // It went away, or something on the way to it forgot it.
                Ok(Err(_)) | Err(_) => place = lease.discard(),
            }
        }
    }

    /// Closes the connections that are not in use; there will be no other.
    pub async fn close(&self) {
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for session in idle {
            session.close().await;
        }
    }

    async fn connect(&self) -> Result<Session, OpenFault> {
        let opened = timeout(self.acquire_timeout, self.recipe.connect()).await;
        opened.unwrap_or_else(|_| Err(OpenFault::Unavailable("the server does not answer".into())))
    }

    fn pop(&self) -> Option<Session> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let (Ok(runtime), false) = (Handle::try_current(), idle.is_empty()) {
            runtime.spawn(async move {
                for session in idle {
                    session.close().await;
                }
            });
        }
    }
}

/// Closes what was not used for long, until the pool is gone.
async fn retire(pool: Weak<Pool>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(pool) = pool.upgrade() else { return };
        let limit = pool.idle_timeout;
        let old: Vec<Session> = pool.idle().extract_if(.., |session| session.unused_for() >= limit).collect();
        drop(pool);
        for session in old {
            session.close().await;
        }
    }
}

/// A connection that a call has for itself. Dropped, it goes back to the pool; if it is in the middle of something,
/// that is stopped on the server, and the connection with it.
pub struct Lease {
    pool: Arc<Pool>,
    session: Option<Session>,
    place: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Its session.
    pub fn session(&mut self) -> Result<&mut Session, SqlFault> {
        self.session.as_mut().ok_or_else(|| SqlFault::new(FaultKind::Unavailable, "the connection is gone"))
    }

    /// Lets go of the connection and keeps its place.
    fn discard(mut self) -> Option<OwnedSemaphorePermit> {
        self.session = None;
        self.place.take()
    }

    /// Gives the connection back, or waits until what it is in the middle of was stopped.
    pub async fn stop(mut self) {
        if let Some(session) = self.session.take_if(|session| session.state == State::Busy) {
            self.pool.recipe.kill(session).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        if session.state == State::Clean && !self.pool.places.is_closed() {
            session.used = Some(Instant::now());
            self.pool.idle().push(session);
            return;
        }
        // The place is free when the connection is.
        let (recipe, place) = (Arc::clone(&self.pool.recipe), self.place.take());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                match session.state {
                    State::Busy => recipe.kill(session).await,
                    State::Clean | State::Spent => session.close().await,
                }
                drop(place);
            });
        }
    }
}
