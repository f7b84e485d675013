//! The tables of a database, as actions and sources name them.

use std::time::Duration;

use super::{Str, choice};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{At, Bytes, FromNode, Required, record};
use crate::spec::source::Spanned;

record! {
    /// What a database's catalog tells of its tables, and their rows.
    pub struct TablesAction as "tables action" {
        "source" => source: Required<Str>,
        /// The tables and views that are meant, `*` for any characters; all by default.
        "only" => only: Option<Vec<Str>>,
        /// What the answer is; the list of the tables by default.
        "returns" => returns: Option<Spanned<TablesReturns>>,
        /// Handlebars: how the names in a list have to begin, in any case of letters.
        "startsWith" => starts_with: Option<Str>,
        /// Handlebars: the one table that is meant.
        "table" => table: Option<Str>,
        /// The values of a row's primary key; `"{{name}}"` for a param.
        "key" => key: Option<Node>,
        /// The values that columns have to have; `"{{name}}"` for a param.
        "where" => conditions: Option<Node>,
        /// Handlebars: the column that rows are in the order of, `-` before it for the greatest first.
        "orderBy" => order_by: Option<Str>,
        /// How many rows; `"{{name}}"` for a param.
        "limit" => limit: Option<Node>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxRows" => max_rows: Option<Spanned<u64>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

/// What an action over tables gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TablesReturns {
    /// The tables.
    List,
    /// A table's columns and keys.
    Schema,
    /// Rows of a table.
    Rows,
    /// The row of a primary key.
    Row,
    /// How many rows a table has.
    Count,
}

impl FromNode for Spanned<TablesReturns> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [
            ("list", TablesReturns::List),
            ("schema", TablesReturns::Schema),
            ("rows", TablesReturns::Rows),
            ("row", TablesReturns::Row),
            ("count", TablesReturns::Count),
        ];
        choice(node, at, &words, sink)
    }
}

record! {
    /// What of a database becomes resources.
    pub struct Expose as "expose" {
        /// Whether the tables, their columns and keys do.
        "schema" => schema: Option<Spanned<bool>>,
        /// The tables and views whose rows do, `*` for any characters; the schema is of these alone then.
        "tables" => tables: Option<Vec<Str>>,
        /// What the URIs begin with; `NAME://` by default.
        "uri" => uri: Option<Str>,
    }
}
