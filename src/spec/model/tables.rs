//! The tables of a database, as actions and sources name them.

use super::{Around, Limits, Str};
use crate::spec::node::Node;
use crate::spec::read::{Choice, Required, record};
use crate::spec::source::Spanned;

record! {
    /// What a database's catalog tells of its tables, and their rows.
    pub struct TablesAction as "tables action" {
        /// The name of a source.
        /// Example: `shop`
        "source" => source: Required<Str>,
        /// The tables and views that are meant, `*` for any characters; all by default.
        /// Example: `[books, 'order*']`
        "only" => only: Option<Vec<Str>>,
        /// What the answer is; the list of the tables by default.
        /// Example: `schema`
        "returns" => returns: Option<Spanned<TablesReturns>>,
        /// Handlebars: how the names in a list have to begin, in any case of letters.
        /// Example: `'{{value}}'`
        "startsWith" => starts_with: Option<Str>,
        /// Handlebars: the one table that is meant.
        /// Example: `'{{table}}'`
        "table" => table: Option<Str>,
        /// The values of a row's primary key; `"{{name}}"` for a param.
        /// Example: `'{{id}}'`
        "key" => key: Option<Node>,
        /// The values that columns have to have; `"{{name}}"` for a param.
        /// Example: `{ author: '{{author}}' }`
        "where" => conditions: Option<Node>,
        /// Handlebars: the column that rows are in the order of, `-` before it for the greatest first.
        /// Example: `-price`
        "orderBy" => order_by: Option<Str>,
        /// How many rows; `"{{name}}"` for a param.
        /// Example: `'{{limit}}'`
        "limit" => limit: Option<Node>,
        ..limits: Limits,
        ..around: Box<Around>,
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

impl Choice for TablesReturns {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("list", TablesReturns::List),
        ("schema", TablesReturns::Schema),
        ("rows", TablesReturns::Rows),
        ("row", TablesReturns::Row),
        ("count", TablesReturns::Count),
    ];
}

record! {
    /// What of a database becomes resources.
    pub struct Expose as "expose" {
        /// Whether the tables, their columns and keys do.
        /// Example: `true`
        "schema" => schema: Option<Spanned<bool>>,
        /// The tables and views whose rows do, `*` for any characters; the schema is of these alone then.
        /// Example: `[books, 'order*']`
        "tables" => tables: Option<Vec<Str>>,
        /// What the URIs begin with; `NAME://` by default.
        /// Example: `'shop://'`
        "uri" => uri: Option<Str>,
    }
}
