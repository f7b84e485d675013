//! The databases that are spoken to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::action::Limits;
use crate::action::sql::lexer::Dialect;
use crate::action::sql::mysql::Mysql;
use crate::action::sql::postgres::Postgres;
use crate::action::sql::sqlite::Sqlite;
use crate::action::sql::types::{Bind, Described, FaultKind, OpenFault, Rows, SqlFault, Transaction};

/// How long the servers of a database may take to let its connections go.
const FAREWELL: Duration = Duration::from_secs(2);

/// One of the databases that are spoken to.
#[derive(Debug, Clone)]
pub enum Driver {
    /// SQLite.
    Sqlite(Sqlite),
    /// PostgreSQL.
    Postgres(Postgres),
    /// MySQL or MariaDB.
    Mysql(Mysql),
    /// No connection: statements are taken as they are.
    Offline(Dialect),
}

impl Driver {
    /// Whose SQL the database speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Driver::Sqlite(_) => Dialect::Sqlite,
            Driver::Postgres(_) => Dialect::Postgres,
            Driver::Mysql(_) => Dialect::Mysql,
            Driver::Offline(dialect) => *dialect,
        }
    }

    /// Opens a first connection, or sees whether one still answers.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        match self {
            Driver::Sqlite(sqlite) => sqlite.probe().await,
            Driver::Postgres(postgres) => postgres.probe().await,
            Driver::Mysql(mysql) => mysql.probe().await,
            Driver::Offline(_) => Ok(()),
        }
    }

    /// Closes the connections that no call has, and lets no call begin any more.
    pub async fn close(&self) {
        let closing = async {
            match self {
                Driver::Postgres(postgres) => postgres.close().await,
                Driver::Mysql(mysql) => mysql.close().await,
                Driver::Sqlite(_) | Driver::Offline(_) => {}
            }
        };
        // A server that does not take its leave does not hold up ours.
        let _ = timeout(FAREWELL, closing).await;
    }

    /// Prepares a statement; `None` without a connection.
    ///
    /// # Errors
    /// What the database says.
    pub async fn describe(&self, sql: &str) -> Option<Result<Described, SqlFault>> {
        match self {
            Driver::Sqlite(sqlite) => Some(sqlite.describe(sql).await),
            Driver::Postgres(postgres) => Some(postgres.describe(sql).await),
            Driver::Mysql(mysql) => Some(mysql.describe(sql).await),
            Driver::Offline(_) => None,
        }
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// What the database says, the time that is up, or `cancel`.
    pub async fn query(
        &self,
        sql: Arc<str>,
        binds: Vec<(String, Bind)>,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Rows, SqlFault> {
        match self {
            Driver::Sqlite(sqlite) => sqlite.query(sql, binds, limits, cancel).await,
            // What these keep while they run is large, and a call of SQLite would carry it around.
            Driver::Postgres(postgres) => Box::pin(postgres.query(sql, binds, limits, cancel)).await,
            Driver::Mysql(mysql) => Box::pin(mysql.query(sql, binds, limits, cancel)).await,
            Driver::Offline(_) => Err(offline()),
        }
    }

    /// Runs statements in one transaction.
    ///
    /// # Errors
    /// Those of [`Driver::query`]; then none of them took effect.
    pub async fn transaction(
        &self,
        work: Transaction,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Vec<Rows>, SqlFault> {
        match self {
            Driver::Sqlite(sqlite) => Box::pin(sqlite.transaction(work, limits, cancel)).await,
            Driver::Postgres(postgres) => Box::pin(postgres.transaction(work, limits, cancel)).await,
            Driver::Mysql(mysql) => Box::pin(mysql.transaction(work, limits, cancel)).await,
            Driver::Offline(_) => Err(offline()),
        }
    }
}

fn offline() -> SqlFault {
    SqlFault::new(FaultKind::Unavailable, "there is no connection to the database")
}
