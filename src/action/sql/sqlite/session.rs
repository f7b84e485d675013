//! One connection at work: its statements are compiled once and kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, Statement};

use super::connect::Opened;
use super::guard::{Guard, Trust};
use super::plan::{self, Plan};
use super::{fault, nullable, value, watch};
use crate::action::Limits;
use crate::action::sql::types::{Bind, Bound, Column, Described, FaultKind, Rows, SqlFault, Truncation};

/// How many compiled statements a connection keeps; each costs a few KiB.
const KEPT: usize = 256;
/// Statements of the driver's own that it keeps beside them: those that every `describe` runs.
const OWN: usize = 2;

/// A connection and what is compiled on it. It may go from thread to thread.
pub struct Session {
    connection: Connection,
    guard: Guard,
    read_only: bool,
    /// What is known of each statement that the connection keeps compiled.
    plans: HashMap<Arc<str>, Plan>,
}

impl From<Opened> for Session {
    fn from(opened: Opened) -> Self {
        let Opened { connection, guard, read_only } = opened;
        connection.set_prepared_statement_cache_capacity(KEPT + OWN);
        Session { connection, guard, read_only, plans: HashMap::new() }
    }
}

impl Session {
    /// See [`super::Sqlite::describe`]. What is compiled is not kept: it may never be run.
    pub fn describe(&mut self, sql: &str) -> Result<Described, SqlFault> {
        self.look_at_tables();
        let (statement, plan) = plan::compile(&self.connection, &self.guard, sql)?;
        let not_null = nullable::not_null(&self.connection, &self.guard, sql, plan.columns.len());
        let declared = statement.columns();
        let columns = (0..).zip(&declared).zip(&plan.kinds).map(|((index, column), kind)| Column {
            name: column.name().to_owned(),
            declared_type: column.decl_type().map(str::to_owned),
            kind: *kind,
            nullable: !not_null.contains(&index),
        });
        Ok(Described { columns: columns.collect(), complete: true, params: plan.params, read_only: plan.read_only })
    }

    /// Learns of tables that somebody else changed: SQLite looks when a statement runs, not when one is compiled.
    fn look_at_tables(&self) {
        let look = || {
            let mut statement = self.connection.prepare_cached("SELECT 1 FROM sqlite_schema LIMIT 1")?;
            statement.query_row([], |_| Ok(()))
        };
        // Why it can't be read is told of the statement that is compiled next.
        let _ = self.guard.trusting(Trust::Driver, look);
    }

    /// Runs a statement that was quick before. `None` if it is not known to be, or did not come to its end: then
    /// nothing has happened.
    pub fn quick(&mut self, sql: &str, binds: &[(String, Bind)], limits: Limits) -> Option<Rows> {
        self.plans.get(sql).filter(|plan| plan.is_quick())?;
        let mut bytes_left = limits.max_bytes;
        self.run(sql, binds, limits, &mut bytes_left).ok()
    }

    /// See [`super::Sqlite::query`].
    pub fn query(&mut self, sql: &str, binds: &[(String, Bind)], limits: Limits) -> Result<Rows, SqlFault> {
        let mut bytes_left = limits.max_bytes;
        let outcome = self.run(sql, binds, limits, &mut bytes_left);
        self.leave_transaction();
        outcome
    }

    /// See [`super::Sqlite::transaction`].
    pub fn transaction(&mut self, statements: Vec<Bound>, limits: Limits) -> Result<Vec<Rows>, SqlFault> {
        // A writer takes its lock at once: one that reads first may find that it can't write any more.
        self.control(if self.read_only { "BEGIN" } else { "BEGIN IMMEDIATE" })?;
        let mut bytes_left = limits.max_bytes;
        let outcome = statements.into_iter().map(|(sql, binds)| {
            let rows = self.run(&sql, &binds, limits, &mut bytes_left)?;
            // A conflict clause or a trigger can end the transaction; what follows would stand alone.
            match self.connection.is_autocommit() {
                true => Err(SqlFault::new(FaultKind::Other, "the statement ended the transaction")),
                false => Ok(rows),
            }
        });
        let outcome = outcome.collect::<Result<Vec<_>, _>>().and_then(|rows| {
            let in_time = watch::verdict().map_or(Ok(()), |stop| Err(stop.into()));
            in_time.and_then(|()| self.control("COMMIT")).map(|()| rows)
        });
        self.leave_transaction();
        outcome
    }

    /// Makes the session fit for use after a panic in one of its statements.
    pub fn recover(&mut self) {
        self.forget_statements();
        self.guard.set(Trust::Call);
        self.leave_transaction();
    }

    fn control(&self, sql: &str) -> Result<(), SqlFault> {
        self.guard.forget();
        let outcome = self.guard.trusting(Trust::Driver, || self.connection.execute_batch(sql));
        outcome.map_err(|error| fault::running(&error, &self.guard))
    }

    /// No transaction outlives its call.
    fn leave_transaction(&self) {
        if !self.connection.is_autocommit() {
            // If even this fails, SQLite has rolled back by itself.
            let _ = self.control("ROLLBACK");
        }
    }

    fn run(
        &mut self,
        sql: &str,
        binds: &[(String, Bind)],
        limits: Limits,
        bytes_left: &mut usize,
    ) -> Result<Rows, SqlFault> {
        if let Some(stop) = watch::verdict() {
            return Err(stop.into());
        }
        if !self.plans.contains_key(sql) {
            self.learn(sql)?;
        }
        let begun = Instant::now();
        let (connection, guard) = (&self.connection, &self.guard);
        guard.forget();
        let mut statement = connection.prepare_cached(sql).map_err(|error| fault::compiling(&error, guard, sql))?;
        let Some(plan) = self.plans.get_mut(sql) else { return Err(lost()) };
        let written_before = connection.total_changes();
        let bound = plan.bind(&mut statement, binds);
        let outcome = bound.and_then(|()| step(&mut statement, plan, guard, limits, bytes_left));
        plan.took(outcome.is_ok().then(|| begun.elapsed()));
        let (values, truncated) = outcome?;
        let wrote = connection.total_changes() != written_before;
        let affected = if wrote { connection.changes() } else { 0 };
        let last_insert_id = (plan.inserts && affected > 0).then(|| connection.last_insert_rowid());
        Ok(Rows { columns: Arc::clone(&plan.columns), values, truncated, affected, last_insert_id })
    }

    /// Finds out what there is to know of a statement.
    fn learn(&mut self, sql: &str) -> Result<(), SqlFault> {
        let (_, plan) = plan::compile(&self.connection, &self.guard, sql)?;
        if self.plans.len() >= KEPT {
            self.forget_statements();
        }
        self.plans.insert(sql.into(), plan);
        Ok(())
    }

    /// A statement and its plan are kept together or not at all.
    fn forget_statements(&mut self) {
        self.connection.flush_prepared_statement_cache();
        self.plans.clear();
    }
}

fn lost() -> SqlFault {
    SqlFault::new(FaultKind::Other, "the statement was not compiled")
}

type Collected = (Vec<serde_json::Value>, Option<Truncation>);

/// Runs a statement whose parameters are bound. One that writes runs to its end, whatever of its rows is kept.
fn step(
    statement: &mut Statement<'_>,
    plan: &mut Plan,
    guard: &Guard,
    limits: Limits,
    bytes_left: &mut usize,
) -> Result<Collected, SqlFault> {
    let mut values = Vec::new();
    let mut truncated = None;
    let mut count = 0;
    guard.forget();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| fault::running(&error, guard))? {
        if count == 0 {
            plan.refresh(row.as_ref());
        }
        if truncated.is_none() {
            truncated = if count == limits.max_rows {
                Some(Truncation::MaxRows(limits.max_rows))
            } else {
                (!keep(row, plan, &mut values, bytes_left)).then_some(Truncation::MaxBytes(limits.max_bytes))
            };
        }
        if truncated.is_some() && plan.read_only {
            break;
        }
        count += 1;
    }
    drop(rows);
    if count == 0 {
        plan.refresh(statement);
    }
    Ok((values, truncated))
}

/// Keeps a row, unless there are too few bytes left for it.
fn keep(row: &rusqlite::Row<'_>, plan: &Plan, values: &mut Vec<serde_json::Value>, bytes_left: &mut usize) -> bool {
    let cells = || (0..).zip(&plan.kinds).filter_map(|(index, kind)| Some((row.get_ref::<usize>(index).ok()?, *kind)));
    let size = cells().map(|(cell, _)| value::size(cell)).fold(plan.row_overhead, usize::saturating_add);
    let Some(left) = bytes_left.checked_sub(size) else { return false };
    *bytes_left = left;
    values.extend(cells().map(|(cell, kind)| value::to_json(cell, kind)));
    true
}
