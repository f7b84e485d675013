//! The connections of one database: few at once, opened when a call needs one, kept while they are used.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connect::{self, Connection};
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};

/// How long a server may take to answer a ping, to cancel a statement, or to close a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lets go of locks that outlive a transaction.
const UNLOCK: &str = "SELECT pg_advisory_unlock_all()";

/// How many statements may be cancelled at once, each over a connection of its own.
const CANCELS: usize = 2;

/// The connections of one database.
#[derive(Debug)]
pub struct Pool {
    options: PgConnectOptions,
    config: ServerConfig,
    permits: Arc<Semaphore>,
    cancels: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection that is in use. It goes back to the pool by [`Lease::give_back`] alone; otherwise it is closed.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    /// The connection.
    pub connection: Connection,
    /// What has to be done before another call may have it.
    pub after: After,
    _permit: OwnedSemaphorePermit,
}

/// What has to be done to a connection before another call may have it, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum After {
    /// Nothing.
    Reuse,
    /// Locks that outlive a transaction are let go; all else was rolled back.
    Unlock,
    /// A function or a statement may have left anything.
    Renew,
    /// Something may still come over it, or happen to it.
    Close,
}

impl Pool {
    /// A pool without connections yet.
    pub fn new(options: PgConnectOptions, config: ServerConfig) -> Arc<Pool> {
        let permits = usize::try_from(config.max_connections).unwrap_or(1).clamp(1, Semaphore::MAX_PERMITS);
        let pool = Arc::new(Pool {
            options,
            permits: Arc::new(Semaphore::new(permits)),
            cancels: Semaphore::new(CANCELS),
            idle: Mutex::default(),
            config,
        });
        tokio::spawn(close_unused(Arc::downgrade(&pool), pool.config.idle_timeout));
        pool
    }

    /// How it was configured.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// A connection that answers: one that is free, or a new one.
    ///
    /// # Errors
    /// If none gets free in time, or none can be opened.
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, OpenFault> {
        let patience = self.config.acquire_timeout;
        let permit = timeout(patience, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| {
            let most = self.config.max_connections;
            OpenFault::Unavailable(format!("all {most} connections to the database are in use"))
        })?;
        let permit = permit.map_err(|_| OpenFault::Unavailable("the connections to the database are closed".into()))?;
        let lease = |connection| Lease { pool: Arc::clone(self), connection, after: After::Reuse, _permit: permit };
        while let Some(mut idle) = self.take_idle() {
            if matches!(timeout(PATIENCE, idle.connection.inner.ping()).await, Ok(Ok(()))) {
                return Ok(lease(idle.connection));
            }
        }
        let connecting = timeout(patience, connect::connect(&self.options, &self.config)).await;
        let late = |_| OpenFault::Unavailable("the database can't be reached: it does not answer in time".into());
        connecting.map_err(late)?.map(lease)
    }

    /// Has the server cancel what a process of its runs. True if it was told; otherwise it may be told later, when the
    /// process runs something else.
    pub async fn cancel(&self, backend: i32) -> bool {
        let told = async {
            let _permit = self.cancels.acquire().await.ok()?;
            let mut connection = sqlx::ConnectOptions::connect(&self.options).await.ok()?;
            let cancel = sqlx::query("SELECT pg_cancel_backend($1)").bind(backend).execute(&mut connection).await;
            let _ = connection.close().await;
            cancel.ok()
        };
        matches!(timeout(PATIENCE, told).await, Ok(Some(_)))
    }

    /// Lets nobody have a connection any more, and closes those that are free; the others close when they come back.
    pub async fn close(&self) {
        self.permits.close();
        self.close_idle(Duration::ZERO).await;
    }

    fn take_idle(&self) -> Option<Idle> {
        self.lock().pop()
    }

    async fn close_idle(&self, unused_for: Duration) {
        for idle in self.take_unused(unused_for) {
            let _ = timeout(PATIENCE, idle.connection.inner.close()).await;
        }
    }

    fn take_unused(&self, unused_for: Duration) -> Vec<Idle> {
        let mut idle = self.lock();
        let (old, kept) = std::mem::take(&mut *idle).into_iter().partition(|i| i.since.elapsed() >= unused_for);
        *idle = kept;
        old
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let idle = self.take_unused(Duration::ZERO);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                for idle in idle {
                    let _ = timeout(PATIENCE, idle.connection.inner.close()).await;
                }
            });
        }
    }
}

impl Lease {
    /// Whatever the call does, this has to be done after it.
    pub fn afterwards(&mut self, after: After) {
        self.after = self.after.max(after);
    }

    /// Gives it back, for the next call, when what has to be done before is done.
    pub async fn give_back(mut self) {
        let clean = match self.after {
            After::Reuse => true,
            After::Close => false,
            after => matches!(timeout(PATIENCE, self.clean(after)).await, Ok(true)),
        };
        if clean && !self.pool.permits.is_closed() {
            self.pool.lock().push(Idle { connection: self.connection, since: Instant::now() });
        }
    }

    async fn clean(&mut self, after: After) -> bool {
        match after {
            After::Unlock => self.connection.inner.execute(sqlx::raw_sql(UNLOCK)).await.is_ok(),
            _ => connect::renew(&mut self.connection, &self.pool.config).await.is_ok(),
        }
    }
}

/// Closes connections that nobody used for a while, as long as there is a pool.
async fn close_unused(pool: Weak<Pool>, unused_for: Duration) {
    let pause = (unused_for / 2).clamp(Duration::from_millis(100), Duration::from_secs(60));
    loop {
        tokio::time::sleep(pause).await;
        match pool.upgrade() {
            Some(pool) => pool.close_idle(unused_for).await,
            None => return,
        }
    }
}

/// What a call hears when there is no connection for it.
pub fn unavailable(fault: OpenFault) -> SqlFault {
    SqlFault::new(FaultKind::Unavailable, fault.to_string())
}
