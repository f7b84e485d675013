//! The PostgreSQL driver.
//!
//! ```text
//! Postgres ──▶ plan: what the server says of a statement ──▶ call: on a connection of the pool ──▶ value: JSON
//! ```
//!
//! `statement` reads a statement's text, `effects` knows functions that do more than give a value, `bind` casts
//! values to the types that stand in a statement, `types` asks the catalog.

mod bind;
mod call;
mod connect;
mod effects;
mod fault;
mod plan;
mod pool;
pub(super) mod scratch;
mod statement;
mod types;
mod value;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, Executor};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::server::ServerConfig;
use super::types::{Bind, Bound, Described, FaultKind, Isolation, OpenFault, Rows, SqlFault, Transaction};
use crate::action::Limits;
use call::{Budget, Stop};
use plan::Plan;
use pool::{After, Lease, Pool};

/// How long a statement may take to be prepared, waiting for a connection included.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a call waits for a statement that was told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How many statements are kept ready.
const KEPT: usize = 4096;

/// A PostgreSQL database. Clones share its connections; the last one closes them.
#[derive(Debug, Clone)]
pub struct Postgres {
    pool: Arc<Pool>,
    plans: Arc<Mutex<HashMap<Arc<str>, Arc<Plan>>>>,
}

impl Postgres {
    /// A database whose connections are opened when they are needed.
    ///
    /// # Errors
    /// If the URL is none of a PostgreSQL database.
    pub fn new(config: &ServerConfig) -> Result<Postgres, OpenFault> {
        Ok(Postgres { pool: Pool::new(connect::options(config)?, config.clone()), plans: Arc::default() })
    }

    /// Opens a first connection, or sees whether one still answers.
    ///
    /// # Errors
    /// Why there is no connection, or which statement of `onConnect` is at fault.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        self.pool.acquire().await?.give_back().await;
        Ok(())
    }

    /// Has the server prepare one statement without running it.
    ///
    /// # Errors
    /// What is wrong with the statement, at its place; more than one statement is refused.
    pub async fn describe(&self, sql: &str) -> Result<Described, SqlFault> {
        let described = async {
            let mut lease = self.pool.acquire().await.map_err(pool::unavailable)?;
            let plan = self.learn(&mut lease, &sql.into()).await;
            give_back(lease, plan.as_ref().err()).await;
            plan.map(|plan| plan.described.clone())
        };
        let late = |_| SqlFault::new(FaultKind::TimedOut, "the database took too long to prepare the statement");
        timeout(DESCRIBE_TIMEOUT, described).await.map_err(late)?
    }

    /// Runs one statement. The names of `binds` have no colon. Bytes are counted roughly as those of JSON text, and
    /// time from now on, the wait for a connection included.
    ///
    /// # Errors
    /// What the server says, a bind that is missing, the time that is up, or `cancel`. Then nothing was written,
    /// unless the fault says that the outcome is not known.
    pub async fn query(
        &self,
        text: Arc<str>,
        binds: Vec<(String, Bind)>,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Rows, SqlFault> {
        let rows = self.call(vec![(text, binds)], Shape::Single, limits, cancel).await?;
        rows.into_iter().next().ok_or_else(|| SqlFault::new(FaultKind::Other, "the statement gave nothing"))
    }

    /// Runs statements one after the other in one transaction: all take effect, or none.
    /// The limit of bytes is for all of them together.
    ///
    /// # Errors
    /// Those of [`Postgres::query`].
    pub async fn transaction(
        &self,
        work: Transaction,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Vec<Rows>, SqlFault> {
        self.call(work.statements, Shape::Transaction(work.isolation), limits, cancel).await
    }

    /// Closes the connections that are free; the others close when their calls end.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// In a task of its own, which sees to it that the statement ends on the server also when nobody waits any more.
    async fn call(
        &self,
        statements: Vec<Bound>,
        shape: Shape,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Vec<Rows>, SqlFault> {
        let now = Instant::now();
        let deadline = now.checked_add(limits.timeout).unwrap_or(now + Duration::from_secs(86_400));
        let stop = Stop { deadline, cancel: cancel.child_token() };
        let _gone = stop.cancel.clone().drop_guard();
        let running = tokio::spawn(self.clone().run(statements, shape, limits, stop));
        running.await.unwrap_or_else(|_| Err(SqlFault::new(FaultKind::Other, "the database driver failed")))
    }

    async fn run(
        self,
        statements: Vec<Bound>,
        shape: Shape,
        limits: Limits,
        stop: Stop,
    ) -> Result<Vec<Rows>, SqlFault> {
        let acquired = tokio::select! {
            acquired = self.pool.acquire() => acquired,
            reason = stop.reason() => return Err(reason),
        };
        let mut lease = acquired.map_err(pool::unavailable)?;
        let backend = lease.connection.backend;
        let (outcome, stopped) = {
            let mut running = std::pin::pin!(self.statements(&mut lease, &statements, shape, limits));
            tokio::select! {
                outcome = &mut running => (Some(outcome), None),
                reason = stop.reason() => {
                    // It may have been faster than the server was told to stop it.
                    let after = if self.pool.cancel(backend).await { After::Renew } else { After::Close };
                    (timeout(GRACE, running).await.ok(), Some((reason, after)))
                }
            }
        };
        match (outcome, stopped) {
            (Some(outcome), None) => {
                give_back(lease, outcome.as_ref().err()).await;
                outcome
            }
            (Some(outcome), Some((reason, after))) => {
                lease.afterwards(after);
                lease.give_back().await;
                outcome.map_err(|_| reason)
            }
            (None, stopped) => {
                let failed = || SqlFault::new(FaultKind::Other, "the statement failed");
                let reason = stopped.map_or_else(failed, |(reason, _)| reason);
                Err(SqlFault { message: format!("{}; its outcome is not known", reason.message), ..reason })
            }
        }
    }

    async fn statements(
        &self,
        lease: &mut Lease,
        statements: &[Bound],
        shape: Shape,
        limits: Limits,
    ) -> Result<Vec<Rows>, SqlFault> {
        let mut plans = Vec::with_capacity(statements.len());
        for (text, _) in statements {
            plans.push(self.plan(lease, text).await?);
        }
        let read_only = self.pool.config().read_only;
        if read_only && plans.iter().any(|plan| plan.writes) {
            return Err(SqlFault::new(FaultKind::ReadOnly, "the statement writes, and the source is read-only"));
        }
        if plans.iter().any(|plan| plan.has_effects) {
            // What is read-only is rolled back, but for some locks.
            lease.afterwards(if read_only { After::Unlock } else { After::Renew });
        }
        let level = match shape {
            Shape::Transaction(Some(level)) => format!(" ISOLATION LEVEL {}", level.sql()),
            Shape::Transaction(None) | Shape::Single => String::new(),
        };
        let (begin, end) = match (read_only, shape) {
            // Whatever a function did is undone, and so is what it locked.
            (true, _) => (Some(format!("BEGIN{level} READ ONLY")), Some("ROLLBACK")),
            (false, Shape::Transaction(_)) => (Some(format!("BEGIN{level}")), Some("COMMIT")),
            (false, Shape::Single) => (None, None),
        };
        let begin = begin.as_deref();
        control(lease, begin).await?;
        let outcome = self.one_by_one(lease, &plans, statements, shape, limits).await;
        control(lease, if outcome.is_ok() { end } else { begin.and(Some("ROLLBACK")) }).await?;
        outcome
    }

    async fn one_by_one(
        &self,
        lease: &mut Lease,
        plans: &[Arc<Plan>],
        statements: &[Bound],
        shape: Shape,
        limits: Limits,
    ) -> Result<Vec<Rows>, SqlFault> {
        let mut budget = Budget::new(limits);
        let mut all = Vec::with_capacity(plans.len());
        for (plan, (text, binds)) in plans.iter().zip(statements) {
            let cut = (shape == Shape::Single).then_some((&self.pool, lease.connection.backend));
            let rows = call::statement(&mut lease.connection.inner, plan, binds, &mut budget, cut).await;
            lease.afterwards(budget.after);
            if rows.as_ref().is_err_and(|fault| fault.kind == FaultKind::Refused) {
                // A table may have changed since it was described.
                self.lock().remove(text);
            }
            all.push(rows?);
        }
        Ok(all)
    }

    /// What is known of a statement; asked for when it is first needed.
    async fn plan(&self, lease: &mut Lease, sql: &Arc<str>) -> Result<Arc<Plan>, SqlFault> {
        if let Some(plan) = self.lock().get(sql) {
            return Ok(Arc::clone(plan));
        }
        self.learn(lease, sql).await
    }

    /// Asks what there is to know of a statement, of which the connection may know what it was before a table changed.
    async fn learn(&self, lease: &mut Lease, sql: &Arc<str>) -> Result<Arc<Plan>, SqlFault> {
        let connection = &mut lease.connection.inner;
        connection.clear_cached_statements().await.map_err(|error| fault::statement(&error, ""))?;
        let plan = Arc::new(Plan::make(connection, sql, self.pool.config().read_only).await?);
        let mut plans = self.lock();
        if plans.len() >= KEPT {
            plans.clear();
        }
        plans.insert(Arc::clone(sql), Arc::clone(&plan));
        Ok(plan)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Plan>>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How statements are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One, which needs no transaction of its own.
    Single,
    /// All in one transaction.
    Transaction(Option<Isolation>),
}

/// Runs a statement of our own around those of a call.
async fn control(lease: &mut Lease, sql: Option<&str>) -> Result<(), SqlFault> {
    let Some(sql) = sql else { return Ok(()) };
    lease
        .connection
        .inner
        .execute(AssertSqlSafe(sql.to_owned()))
        .await
        .map_err(|error| fault::statement(&error, ""))?;
    Ok(())
}

/// Gives a connection back, unless the fault is that of the connection.
async fn give_back(lease: Lease, fault: Option<&SqlFault>) {
    if !fault.is_some_and(|fault| matches!(fault.kind, FaultKind::Unavailable | FaultKind::Other)) {
        lease.give_back().await;
    }
}
