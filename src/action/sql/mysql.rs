//! The MySQL and MariaDB driver.
//!
//! ```text
//! Mysql ──▶ pool: connections for the next call ──▶ session: one connection, what a call does on it
//!   └─▶ plans: what is known of each statement, found out once
//! ```
//!
//! `connect` opens connections and sets what statements rely on, `guard` says which may run, `plan`, `describe` and
//! `returning` know them, `gather`, `value`, `time` and `geometry` read their rows, `fault` tells what the server says.

mod connect;
mod describe;
mod fault;
mod gather;
mod geometry;
mod guard;
mod plan;
mod pool;
mod returning;
pub(super) mod scratch;
mod session;
mod time;
mod value;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::server::ServerConfig;
use super::types::{Bind, Bound, Described, FaultKind, OpenFault, Rows, SqlFault, Transaction};
use crate::action::Limits;
use connect::Recipe;
use guard::Class;
use plan::Plan;
use pool::{Lease, Pool};
use session::{Ended, Scope, Session, State};

/// How long a statement may take to be prepared, waiting for a connection included.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(30);

/// How much later than the server we give up on a statement, so that the server can be the one to stop it.
const GRACE: Duration = Duration::from_millis(100);

/// Statements whose plans are kept.
const KEPT: usize = 4096;

/// A MySQL or MariaDB database. Clones share its connections; the last one closes them.
#[derive(Debug, Clone)]
pub struct Mysql {
    pool: Arc<Pool>,
    plans: Arc<Mutex<HashMap<Arc<str>, Arc<Plan>>>>,
    statement_timeout: Option<Duration>,
}

/// Opens a database and tries a first connection.
///
/// # Errors
/// If the URL is none of a database, the server can't be reached or refuses us, or a statement of `onConnect` fails.
pub async fn open(config: ServerConfig) -> Result<Mysql, OpenFault> {
    let mysql = Mysql::new(&config)?;
    mysql.probe().await?;
    Ok(mysql)
}

impl Mysql {
    /// A database whose connections are opened when they are needed.
    ///
    /// # Errors
    /// If the URL is none of a database.
    pub fn new(config: &ServerConfig) -> Result<Mysql, OpenFault> {
        let pool = Pool::new(Recipe::new(config)?, config);
        Ok(Mysql { pool, plans: Arc::default(), statement_timeout: config.statement_timeout })
    }

    /// Opens a first connection, or sees whether one still answers.
    ///
    /// # Errors
    /// If the server can't be reached or refuses us, or a statement of `onConnect` fails.
    pub async fn probe(&self) -> Result<(), OpenFault> {
        self.pool.probe().await
    }

    /// Closes the connections that are not in use, and lets no call begin any more.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Prepares one statement without running it.
    ///
    /// # Errors
    /// What is wrong with the statement; more than one statement is refused.
    pub async fn describe(&self, sql: &str) -> Result<Described, SqlFault> {
        let class = guard::judge(sql)?;
        if self.pool.read_only() {
            admit(class, Scope::ReadOnly(None))?;
        }
        let cancel = CancellationToken::new();
        let watch = Watch { deadline: Instant::now() + DESCRIBE_TIMEOUT, cancel: &cancel };
        let mut lease = watch.over(self.pool.take(Scope::Alone, usize::MAX, watch.deadline)).await?;
        let outcome = watch.over(self.describe_on(&mut lease, sql)).await;
        release(lease, &outcome).await;
        outcome
    }

    async fn describe_on(&self, lease: &mut Lease, sql: &str) -> Result<Described, SqlFault> {
        let session = lease.session()?;
        let outcome = async {
            let (plan, columns) = describe::plan(session, sql).await?;
            let described = describe::describe(sql, &plan, &columns, self.pool.read_only());
            self.keep(sql.into(), plan);
            Ok(described)
        };
        let outcome = outcome.await;
        session.end(Scope::Alone, true).await?;
        outcome
    }

    /// Runs one statement. The names of `binds` have no colon and are exactly those of the statement. Bytes are
    /// counted roughly as those of JSON text, and time from now on, the wait for a connection included.
    ///
    /// # Errors
    /// What the server says, a bind that is missing or too many, the time that is up, or `cancel`.
    pub async fn query(
        &self,
        sql: Arc<str>,
        binds: Vec<(String, Bind)>,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Rows, SqlFault> {
        let scope = if self.pool.read_only() { Scope::ReadOnly(None) } else { Scope::Alone };
        let rows = self.call(scope, vec![(sql, binds)], limits, cancel).await?;
        rows.into_iter().next().ok_or_else(|| SqlFault::new(FaultKind::Other, "the statement gave nothing"))
    }

    /// Runs statements one after the other in one transaction: all take effect, or none. The limit of bytes is for all
    /// of them together.
    ///
    /// # Errors
    /// Those of [`Mysql::query`]; and statements that would end the transaction.
    pub async fn transaction(
        &self,
        work: Transaction,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Vec<Rows>, SqlFault> {
        let Transaction { statements, isolation } = work;
        let scope = if self.pool.read_only() { Scope::ReadOnly(isolation) } else { Scope::Transaction(isolation) };
        self.call(scope, statements, limits, cancel).await
    }

    async fn call(
        &self,
        scope: Scope,
        statements: Vec<Bound>,
        limits: Limits,
        cancel: &CancellationToken,
    ) -> Result<Vec<Rows>, SqlFault> {
        for (sql, _) in &statements {
            admit(guard::judge(sql)?, scope)?;
        }
        let time = self.statement_timeout.map_or(limits.timeout, |longest| longest.min(limits.timeout));
        let now = Instant::now();
        let deadline = now.checked_add(time).unwrap_or(now + Duration::from_secs(86_400));
        let watch = Watch { deadline, cancel };
        let mut lease = watch.over(self.pool.take(scope, limits.max_rows, deadline)).await?;
        let outcome = watch.over(self.run(&mut lease, scope, &statements, limits)).await;
        release(lease, &outcome).await;
        outcome
    }

    async fn run(
        &self,
        lease: &mut Lease,
        scope: Scope,
        statements: &[Bound],
        limits: Limits,
    ) -> Result<Vec<Rows>, SqlFault> {
        let session = lease.session()?;
        let mut bytes_left = limits.max_bytes;
        let mut all = Vec::with_capacity(statements.len());
        let mut clean = true;
        let mut fault = None;
        for (index, (sql, binds)) in statements.iter().enumerate() {
            let to_the_end = matches!(scope, Scope::Transaction(_)) || index + 1 < statements.len();
            let outcome = async {
                let plan = self.plan(session, sql).await?;
                clean &= !plan.leaves_traces();
                session.run(&plan, binds, limits, &mut bytes_left, to_the_end).await
            };
            match outcome.await {
                Ok((rows, Ended::Whole)) => all.push(rows),
                // The rest of the result is on its way: the connection is of no more use.
                Ok((rows, Ended::Cut)) => {
                    all.push(rows);
                    return Ok(all);
                }
                Err(found) => {
                    fault = Some(found);
                    break;
                }
            }
        }
        session.end(scope, fault.is_none()).await?;
        if !clean {
            session.state = State::Spent;
        }
        fault.map_or(Ok(all), Err)
    }

    async fn plan(&self, session: &mut Session, sql: &Arc<str>) -> Result<Arc<Plan>, SqlFault> {
        let known = self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        match known {
            Some(plan) => Ok(plan),
            None => Ok(self.keep(sql.clone(), describe::plan(session, sql).await?.0)),
        }
    }

    fn keep(&self, sql: Arc<str>, plan: Plan) -> Arc<Plan> {
        let plan = Arc::new(plan);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= KEPT {
            plans.clear();
        }
        plans.insert(sql, plan.clone());
        plan
    }
}

/// Whether a statement may run there.
fn admit(class: Class, scope: Scope) -> Result<(), SqlFault> {
    match (scope, class) {
        (Scope::ReadOnly(_), Class::Write | Class::Define | Class::Call) => {
            Err(SqlFault::new(FaultKind::ReadOnly, "it writes, and its source is read-only"))
        }
        (Scope::Transaction(_), Class::Define | Class::Call) => {
            Err(SqlFault::new(FaultKind::Refused, "it can end the transaction that it stands in"))
        }
        _ => Ok(()),
    }
}

/// Gives a connection back. A statement that the caller was told is stopped has been stopped.
async fn release<T>(lease: Lease, outcome: &Result<T, SqlFault>) {
    let stopped = |fault: &SqlFault| matches!(fault.kind, FaultKind::TimedOut | FaultKind::Cancelled);
    match outcome {
        Err(fault) if stopped(fault) => lease.stop().await,
        _ => drop(lease),
    }
}

/// The bounds of a call in time.
struct Watch<'a> {
    deadline: Instant,
    cancel: &'a CancellationToken,
}

impl Watch<'_> {
    async fn over<T>(&self, work: impl Future<Output = Result<T, SqlFault>>) -> Result<T, SqlFault> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.cancel.cancelled() => Err(SqlFault::new(FaultKind::Cancelled, "the statement was cancelled")),
            () = tokio::time::sleep_until((self.deadline + GRACE).into()) => {
                Err(SqlFault::new(FaultKind::TimedOut, "the statement took too long and was stopped"))
            }
        }
    }
}
