//! One call: a connection, a transaction where one is needed, statements, and the end of all that when the time is up
//! or the caller has gone.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Either, Executor, Row, ValueRef as _};
use tokio_util::sync::CancellationToken;

use super::fault;
use super::plan::Plan;
use super::pool::{After, Pool};
use super::value;
use crate::action::Limits;
use crate::action::sql::types::{Bind, FaultKind, Rows, SqlFault, Truncation};

/// Bytes of JSON around a value.
const OVERHEAD: usize = 6;

/// What ends a call early.
#[derive(Debug, Clone)]
pub struct Stop {
    /// When its time is up.
    pub deadline: Instant,
    /// Fires when nobody waits for it any more.
    pub cancel: CancellationToken,
}

impl Stop {
    /// Waits for a reason to stop, and tells it.
    pub async fn reason(&self) -> SqlFault {
        tokio::select! {
            () = self.cancel.cancelled() => SqlFault::new(FaultKind::Cancelled, "the statement was cancelled"),
            () = tokio::time::sleep_until(self.deadline.into()) => {
                SqlFault::new(FaultKind::TimedOut, "the statement took too long and was stopped")
            }
        }
    }
}

/// How many bytes a call may still give.
#[derive(Debug)]
pub struct Budget {
    left: usize,
    limits: Limits,
    /// What has to be done to the connection, as rows were cut.
    pub after: After,
}

impl Budget {
    /// All of them.
    pub fn new(limits: Limits) -> Budget {
        Budget { left: limits.max_bytes, limits, after: After::Reuse }
    }
}

/// The rows of a call as they come.
struct Collected {
    values: Vec<serde_json::Value>,
    count: u64,
    affected: u64,
    truncated: Option<Truncation>,
}

/// Runs a statement. `cut` tells which process to stop when no more of its rows are wanted; without one, they are
/// passed over.
///
/// # Errors
/// What the server says, and a value that can't be bound.
pub async fn statement(
    connection: &mut PgConnection,
    plan: &Plan,
    binds: &[(String, Bind)],
    budget: &mut Budget,
    cut: Option<(&Arc<Pool>, i32)>,
) -> Result<Rows, SqlFault> {
    let arguments = arguments(plan, binds, budget.limits.max_bytes)?;
    let text = plan.text(budget.limits.max_rows);
    let mut found = Collected { values: Vec::new(), count: 0, affected: 0, truncated: None };
    let mut rows = connection.fetch_many(sqlx::query_with(AssertSqlSafe(text), arguments));
    while let Some(next) = rows.next().await {
        match next.map_err(|error| fault::statement(&error, ""))? {
            Either::Left(done) => found.affected += done.rows_affected(),
            Either::Right(row) => keep(&row, plan, &mut found, budget)?,
        }
        if let (Some(Truncation::MaxBytes(_)), Some((pool, backend)), false) = (found.truncated, cut, plan.writes) {
            // The rest is not sent over: the statement ends with an error that nobody reads.
            if !pool.cancel(backend).await {
                budget.after = After::Close;
            }
            while rows.next().await.is_some_and(|next| next.is_ok()) {}
            break;
        }
    }
    let affected = match (plan.changes, plan.columns.is_empty()) {
        (true, false) => found.count,
        (true, true) => found.affected,
        (false, _) => 0,
    };
    let columns = Arc::clone(&plan.columns);
    Ok(Rows { columns, values: found.values, truncated: found.truncated, affected, last_insert_id: None })
}

/// Keeps a row, unless there are enough.
fn keep(row: &PgRow, plan: &Plan, found: &mut Collected, budget: &mut Budget) -> Result<(), SqlFault> {
    found.count += 1;
    if found.truncated.is_some() {
        return Ok(());
    }
    if found.count > budget.limits.max_rows as u64 {
        found.truncated = Some(Truncation::MaxRows(budget.limits.max_rows));
        return Ok(());
    }
    let mut cells = Vec::with_capacity(plan.readings.len());
    let mut size = 2;
    for ((index, reading), name) in plan.readings.iter().enumerate().zip(plan.columns.iter()) {
        let raw = row.try_get_raw(index).map_err(|error| fault::statement(&error, ""))?;
        let text = if raw.is_null() { None } else { Some(raw.as_str().map_err(|_| not_text())?) };
        size += name.len() + OVERHEAD + text.map_or(4, str::len);
        cells.push(text.map_or(serde_json::Value::Null, |text| value::to_json(text, *reading)));
    }
    match budget.left.checked_sub(size) {
        Some(left) => {
            budget.left = left;
            found.values.append(&mut cells);
        }
        None => found.truncated = Some(Truncation::MaxBytes(budget.limits.max_bytes)),
    }
    Ok(())
}

fn not_text() -> SqlFault {
    SqlFault::new(FaultKind::Other, "the database sent a value that is no text")
}

fn arguments(plan: &Plan, binds: &[(String, Bind)], max_bytes: usize) -> Result<PgArguments, SqlFault> {
    let unsendable = |_| SqlFault::new(FaultKind::Other, "a value can't be sent");
    let mut arguments = PgArguments::default();
    for param in &plan.params {
        let bound = binds.iter().find(|(name, _)| *name == param.name);
        let (_, bind) = bound.ok_or_else(|| {
            SqlFault::new(FaultKind::Refused, format!("nothing is bound to the parameter `:{}`", param.name))
        })?;
        let text = param.text(bind)?;
        arguments.add(text).map_err(unsendable)?;
    }
    if plan.cuts_cells {
        // One more than a row may have, so that it is seen to be too long.
        let most = i32::try_from(max_bytes).unwrap_or(i32::MAX).saturating_add(1);
        arguments.add(most).map_err(unsendable)?;
    }
    Ok(arguments)
}
