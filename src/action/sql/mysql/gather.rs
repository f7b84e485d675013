//! What a statement gave, as far as it is kept.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::mysql::{MySqlQueryResult, MySqlRow};

use super::guard::Class;
use super::plan::Plan;
use super::value::Shape;
use crate::action::Limits;
use crate::action::sql::types::{Rows, Truncation};

/// The rows of a statement's first result, and its counts. What else a procedure gives is passed over.
pub struct Gathered<'a> {
    plan: &'a Plan,
    limits: Limits,
    bytes_left: &'a mut usize,
    /// Whether the statement has to come to its end though its rows are cut.
    to_the_end: bool,
    shape: Option<Shape>,
    values: Vec<Value>,
    /// Rows of the first result, kept or not.
    count: usize,
    /// Whether the first result has come to its end.
    over: bool,
    truncated: Option<Truncation>,
    affected: u64,
    last_id: u64,
}

impl<'a> Gathered<'a> {
    /// Nothing yet.
    pub fn new(plan: &'a Plan, limits: Limits, bytes_left: &'a mut usize, to_the_end: bool) -> Self {
        Gathered {
            plan,
            limits,
            bytes_left,
            to_the_end: to_the_end || plan.class != Class::Read,
            shape: None,
            values: Vec::new(),
            count: 0,
            over: false,
            truncated: None,
            affected: 0,
            last_id: 0,
        }
    }

    /// Whether there is a reason to read on.
    pub fn wants_more(&self) -> bool {
        self.to_the_end || self.truncated.is_none()
    }

    /// Takes a row.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn row(&mut self, row: &MySqlRow) -> sqlx::Result<()> {
        if self.over {
            return Ok(());
        }
        self.count += 1;
        let shape = self.shape.get_or_insert_with(|| Shape::of(row.columns(), |column| self.plan.is_json(column)));
        if self.truncated.is_some() {
            return Ok(());
        }
        if self.count > self.limits.max_rows {
            self.truncated = Some(Truncation::MaxRows(self.limits.max_rows));
            return Ok(());
        }
        match shape.keep(row, &mut self.values, *self.bytes_left)? {
            Some(size) => *self.bytes_left = self.bytes_left.saturating_sub(size),
            None => self.truncated = Some(Truncation::MaxBytes(self.limits.max_bytes)),
        }
        Ok(())
    }

    /// Takes the end of a result.
    pub fn end_set(&mut self, done: &MySqlQueryResult) {
        self.over = true;
        self.affected = done.rows_affected();
        self.last_id = done.last_insert_id();
    }

    /// What there is.
    pub fn into_rows(self) -> Rows {
        let returned = if self.plan.class == Class::Write { u64::try_from(self.count).unwrap_or(u64::MAX) } else { 0 };
        Rows {
            columns: self.shape.map_or_else(|| self.plan.columns.clone(), |shape| shape.names.into()),
            values: self.values,
            truncated: self.truncated,
            // Of a statement with RETURNING the server counts no rows.
            affected: self.affected.max(returned),
            last_insert_id: i64::try_from(self.last_id).ok().filter(|id| *id != 0),
        }
    }
}
