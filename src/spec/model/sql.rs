//! `sql`, as written: a statement on a database.

use super::{Around, Limits, Str};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{At, Choice, FromNode, Required, record};
use crate::spec::source::Spanned;

record! {
    /// A statement on a database.
    pub struct SqlAction as "sql action" {
        /// The name of a source.
        /// Example: `shop`
        "source" => source: Required<Str>,
        /// The statement, `:name` for a param.
        /// Example: `'SELECT * FROM books WHERE id = :id'`
        "query" => query: Option<Str>,
        /// In place of `query`: the file that holds it.
        /// Example: `./find.sql`
        "file" => file: Option<Str>,
        /// In place of `query`: several, in one transaction.
        /// Example: `['UPDATE stock SET left = left - 1 WHERE id = :id', 'INSERT INTO orders (book) VALUES (:id)']`
        "statements" => statements: Option<Vec<Str>>,
        /// Which of `statements` gives the answer, counted from 1; the last one otherwise.
        /// Example: `1`
        "resultOf" => result_of: Option<Spanned<u64>>,
        /// What the transaction of `statements` sees of others.
        /// Example: `serializable`
        "isolation" => isolation: Option<Spanned<Isolation>>,
        /// What the answer is: all rows, one row, one value, or how many rows were changed.
        /// Example: `row`
        "returns" => returns: Option<Spanned<Returns>>,
        /// What rows are written as.
        /// Example: `table`
        "as" => layout: Option<Spanned<Layout>>,
        ..limits: Limits,
        ..around: Box<Around>,
    }
}

impl SqlAction {
    /// `None` also when the statement is there and at fault: nobody should then be told that it is missing.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let read = SqlAction::from_node(node, at, sink)?;
        let lost = |is_read: bool, key: &str| !is_read && node.get(key).is_some();
        let lost = lost(read.query.is_some(), "query")
            || lost(read.file.is_some(), "file")
            || lost(read.statements.is_some(), "statements");
        (!lost).then_some(read)
    }
}

/// What a statement's result is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// `{rows, rowCount, truncated}`
    Rows,
    /// One object, or not found.
    Row,
    /// One scalar.
    Value,
    /// `{affected, lastId}`
    Affected,
}

impl Choice for Returns {
    const WORDS: &'static [(&'static str, Self)] =
        &[("rows", Returns::Rows), ("row", Returns::Row), ("value", Returns::Value), ("affected", Returns::Affected)];
}

/// What rows are written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// JSON, also as structured content.
    #[default]
    Json,
    /// A Markdown table.
    Table,
    /// CSV (RFC 4180), with a header.
    Csv,
}

impl Choice for Layout {
    const WORDS: &'static [(&'static str, Self)] =
        &[("json", Layout::Json), ("table", Layout::Table), ("csv", Layout::Csv)];
}

/// What a transaction sees of others: the levels of ISO/IEC 9075-2, section 4.41.4. A database that has no such
/// level takes the next stricter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// What others have committed before each statement.
    ReadCommitted,
    /// What others have committed before the first statement.
    RepeatableRead,
    /// As if the transactions ran one after the other.
    Serializable,
}

impl Isolation {
    /// SQL's words for it.
    pub fn sql(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        }
    }
}

impl Choice for Isolation {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("readCommitted", Isolation::ReadCommitted),
        ("repeatableRead", Isolation::RepeatableRead),
        ("serializable", Isolation::Serializable),
    ];
}
