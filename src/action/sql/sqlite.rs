//! The SQLite driver.
//!
//! ```text
//! Sqlite ──▶ pool: sessions, a queue and a few threads ──▶ session: one connection, its compiled statements
//! ```
//!
//! A statement runs on a thread of the pool. Only one that reads, and was quick every time, runs on its caller's
//! own thread: going to another one and back takes several times as long as such a statement does.
//!
//! `connect` opens and hardens a connection, `guard` says what statements may do, `watch` stops them in
//! time, `build` makes a database that does not exist yet.

mod build;
mod connect;
mod fault;
mod guard;
mod nullable;
mod plan;
mod pool;
mod session;
mod value;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::types::{Bind, Described, OpenFault, Rows, SqlFault, Transaction};
use crate::action::Limits;
use crate::spec::Text;
use pool::Pool;

/// How long a statement may take to be prepared, waiting for a connection included.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a file.
    File(PathBuf),
    /// In memory; it lives as long as the driver.
    Memory,
}

/// How a database is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteConfig {
    /// Where it is.
    pub database: Location,
    /// Whether SQLite is to refuse every write.
    pub read_only: bool,
    /// The text of a script that builds the database when it does not exist.
    pub init: Option<String>,
    /// Statements that are run on every new connection.
    pub on_connect: Vec<Text>,
    /// How many connections, and threads, there may be. A database in memory has one.
    pub max_connections: usize,
    /// How long a statement waits for somebody else's lock.
    pub busy_timeout: Duration,
}

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To be used.
    Serve,
    /// To prepare statements on it: nothing on disk is made or changed.
    Check,
}

/// An open SQLite database. Clones share its connections; the last one closes them.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pool: Arc<Pool>,
}

/// Readies a database, after `init` has built it if it does not exist. No connection is opened yet.
///
/// # Errors
/// If there is no database, or it can't be built.
pub async fn open(config: SqliteConfig, mode: Mode) -> Result<Sqlite, OpenFault> {
    let max_connections = config.max_connections;
    let recipe = tokio::task::spawn_blocking(move || connect::Recipe::new(config, mode))
        .await
        .map_err(|_| OpenFault::Unavailable("the database could not be built".into()))??;
    Ok(Sqlite { pool: Arc::new(Pool::new(recipe, max_connections)) })
}

impl Sqlite {
    /// Opens a first connection.
    ///
    /// # Errors
    /// Why it can't be opened.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        self.pool.probe().await
    }

    /// Prepares one statement without running it.
    ///
    /// # Errors
    /// What is wrong with the statement; more than one statement is refused.
    pub async fn describe(&self, sql: &str) -> Result<Described, SqlFault> {
        // A large spec has thousands: going to another thread and back takes longer than most of them do.
        if let Some(described) = self.pool.at_once(|session| session.describe(sql).ok()) {
            return Ok(described);
        }
        let sql: Arc<str> = sql.into();
        let deadline = Instant::now() + DESCRIBE_TIMEOUT;
        self.pool.run(deadline, &CancellationToken::new(), move |session| session.describe(&sql)).await
    }

    /// Runs one statement. The names of `binds` have no colon and are exactly those of the statement. Bytes are
    /// counted roughly as those of JSON text, and time from now on, the wait for a connection included.
    ///
    /// # Errors
    /// What SQLite says, a bind that is missing or too many, the time that is up, or `cancel`. Then nothing
    /// was written, unless the fault says that the outcome is not known.
    pub async fn query(
        &self,
        sql: Arc<str>,
        binds: Vec<(String, Bind)>,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Rows, SqlFault> {
        if !cancel.is_cancelled()
            && let Some(rows) = self.pool.at_once(|session| session.quick(&sql, &binds, limits))
        {
            return Ok(rows);
        }
        let deadline = deadline(limits);
        self.pool.run(deadline, cancel, move |session| session.query(&sql, &binds, limits)).await
    }

    /// Runs statements one after the other in one transaction: all take effect, or none.
    /// The limit of bytes is for all of them together. Whatever isolation is asked for, SQLite's transactions are
    /// serializable (<https://sqlite.org/isolation.html>).
    ///
    /// # Errors
    /// Those of [`Sqlite::query`].
    pub async fn transaction(
        &self,
        work: Transaction,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Vec<Rows>, SqlFault> {
        let deadline = deadline(limits);
        self.pool.run(deadline, cancel, move |session| session.transaction(work.statements, limits)).await
    }
}

/// When the time is up; a timeout beyond what a clock can tell is a day.
fn deadline(limits: Limits) -> Instant {
    let now = Instant::now();
    now.checked_add(limits.timeout).unwrap_or(now + Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests;
