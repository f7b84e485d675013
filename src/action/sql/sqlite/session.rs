//! One connection at work: its statements are compiled once and kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::Connection;

use super::connect::Opened;
use super::guard::{Guard, Trust};
use super::plan::{Compiled, Plan};
use super::{Bound, fault, nullable, value, watch};
use crate::action::Limits;
use crate::action::sql::types::{Bind, Column, Described, FaultKind, Rows, SqlFault, Truncation};

/// How many compiled statements a connection keeps; each costs a few KiB.
const KEPT: usize = 256;

/// A connection and what is compiled on it.
pub struct Session<'c> {
    connection: &'c Connection,
    guard: &'c Guard,
    read_only: bool,
    statements: HashMap<Arc<str>, Compiled<'c>>,
    uses: u64,
}

impl<'c> Session<'c> {
    /// A session on an open connection.
    pub fn new(opened: &'c Opened) -> Self {
        let Opened { connection, guard, read_only } = opened;
        Session { connection, guard, read_only: *read_only, statements: HashMap::new(), uses: 0 }
    }

    /// See [`super::Sqlite::describe`]. What is compiled is not kept: it may never be run.
    pub fn describe(&mut self, sql: &str) -> Result<Described, SqlFault> {
        let Compiled { statement, plan, .. } = Compiled::new(self.connection, self.guard, sql)?;
        let not_null = nullable::not_null(self.connection, self.guard, sql, plan.columns.len());
        let declared = statement.columns();
        let columns = (0..).zip(&declared).zip(&plan.kinds).map(|((index, column), kind)| Column {
            name: column.name().to_owned(),
            declared_type: column.decl_type().map(str::to_owned),
            kind: *kind,
            nullable: !not_null.contains(&index),
        });
        Ok(Described { columns: columns.collect(), params: plan.params, read_only: plan.read_only })
    }

    /// See [`super::Sqlite::query`].
    pub fn query(&mut self, sql: Arc<str>, binds: &[(String, Bind)], limits: Limits) -> Result<Rows, SqlFault> {
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
            let rows = self.run(sql, &binds, limits, &mut bytes_left)?;
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
        self.statements.clear();
        self.guard.set(Trust::Call);
        self.leave_transaction();
    }

    fn control(&self, sql: &str) -> Result<(), SqlFault> {
        self.guard.forget();
        let outcome = self.guard.trusting(Trust::Driver, || self.connection.execute_batch(sql));
        outcome.map_err(|error| fault::running(&error, self.guard))
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
        sql: Arc<str>,
        binds: &[(String, Bind)],
        limits: Limits,
        bytes_left: &mut usize,
    ) -> Result<Rows, SqlFault> {
        if let Some(stop) = watch::verdict() {
            return Err(stop.into());
        }
        self.uses += 1;
        let compiled = match self.statements.entry(sql) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let compiled = Compiled::new(self.connection, self.guard, entry.key())?;
                entry.insert(compiled)
            }
        };
        compiled.used = self.uses;
        let written_before = self.connection.total_changes();
        let bound = compiled.bind(binds);
        let outcome = bound.and_then(|()| step(compiled, self.guard, limits, bytes_left));
        compiled.statement.clear_bindings();
        let (values, truncated) = outcome?;
        let wrote = self.connection.total_changes() != written_before;
        let affected = if wrote { self.connection.changes() } else { 0 };
        let last_insert_id = (compiled.plan.inserts && affected > 0).then(|| self.connection.last_insert_rowid());
        let columns = Arc::clone(&compiled.plan.columns);
        self.evict();
        Ok(Rows { columns, values, truncated, affected, last_insert_id })
    }

    /// Lets go of the statement that was not used for the longest time.
    fn evict(&mut self) {
        if self.statements.len() <= KEPT {
            return;
        }
        let oldest = self.statements.iter().min_by_key(|(_, compiled)| compiled.used).map(|(sql, _)| Arc::clone(sql));
        if let Some(sql) = oldest {
            self.statements.remove(&sql);
        }
    }
}

type Collected = (Vec<serde_json::Value>, Option<Truncation>);

/// Runs a statement whose parameters are bound. One that writes runs to its end, whatever of its rows is kept.
fn step(
    compiled: &mut Compiled<'_>,
    guard: &Guard,
    limits: Limits,
    bytes_left: &mut usize,
) -> Result<Collected, SqlFault> {
    let Compiled { statement, plan, .. } = compiled;
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
