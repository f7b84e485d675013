//! `sources`: where actions find what they work on.

use serde_json::Value;
use std::time::Duration;

use super::database::DatabaseTls;
use super::{Expose, GraphqlSource, HttpSource, McpSource};
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::Node;
use crate::spec::read::{self, At, FromNode, Keys, Required, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

/// A named connection.
#[derive(Debug, Clone)]
pub enum Source {
    /// A database.
    Sql(Box<SqlSource>),
    /// The base of an HTTP API.
    Http(Box<HttpSource>),
    /// A GraphQL API.
    Graphql(Box<GraphqlSource>),
    /// Another MCP server.
    Mcp(Box<McpSource>),
}

impl Source {
    /// The key that says which kind it is.
    const KINDS: [&'static str; 4] = ["sql", "http", "graphql", "mcp"];

    /// The kind, as the spec names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Source::Sql(_) => "sql",
            Source::Http(_) => "http",
            Source::Graphql(_) => "graphql",
            Source::Mcp(_) => "mcp",
        }
    }
}

impl FromNode for Source {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let mut known = SqlSource::names();
        for key in [HttpSource::names(), GraphqlSource::names(), McpSource::names()].concat() {
            if !known.contains(&key) {
                known.push(key);
            }
        }
        let entries = read::map(node, "source", &known, sink)?;
        let mut kinds = entries.iter().filter(|e| Self::KINDS.contains(&e.key.value.as_str()));
        let Some(kind) = kinds.next() else {
            read::refuse_unknown(entries, &known, "source", at, sink);
            if !read::misspelt(entries, &known, "source", &Self::KINDS) {
                let found = Diagnostic::error(Code::MissingKey, at.span, "this source is of no kind");
                sink.push(found.label(format!("give it one of {}", read::list_names(&Self::KINDS))));
            }
            return None;
        };
        if let Some(second) = kinds.next() {
            let found =
                Diagnostic::error(Code::TwoActions, second.key.span, "a source is of one kind, this one is of two");
            sink.push(found.label("make two sources of it").related(kind.key.span, "first defined here"));
            return None;
        }
        match kind.key.value.as_str() {
            "sql" => SqlSource::from_node(node, at, sink).map(|source| Source::Sql(Box::new(source))),
            "graphql" => {
                let read = GraphqlSource::from_node(node, at, sink);
                // nobody should be asked for what is in a file
                let lost = read::misspelt(entries, &GraphqlSource::names(), "source", &["schema"]);
                read.filter(|_| !lost).map(|source| Source::Graphql(Box::new(source)))
            }
            "mcp" => McpSource::from_node(node, at, sink).map(|source| Source::Mcp(Box::new(source))),
            _ => HttpSource::from_node(node, at, sink).map(|source| Source::Http(Box::new(source))),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([
            SqlSource::schema(book),
            HttpSource::schema(book),
            GraphqlSource::schema(book),
            McpSource::schema(book),
        ])
    }
}

record! {
    /// A database.
    pub struct SqlSource as "source" {
        /// Its URL: `sqlite:PATH`, `postgres://…` or `mysql://…`.
        /// Example: `sqlite:./bookshop.db`
        "sql" => url: Required<Spanned<Text>>,
        /// A SQL script that builds a SQLite database which does not exist yet.
        /// Example: `./bookshop.sql`
        "init" => init: Option<Spanned<Text>>,
        /// A SQL script that builds what `mcp-declare test` works on: a SQLite database in memory, in place of `init`; a
        /// throwaway schema of PostgreSQL; a throwaway database of MySQL. Nothing else reads it.
        /// Example: `./tests/bookshop.sql`
        "fixtures" => fixtures: Option<Spanned<Text>>,
        /// Whether the database itself refuses every change.
        /// Example: `true`
        "readOnly" => read_only: Option<Spanned<bool>>,
        /// Statements for every new connection.
        /// Example: `['SET search_path TO shop']`
        "onConnect" => on_connect: Option<Vec<Spanned<Text>>>,
        /// Connections at the same time, at most.
        /// Example: `8`
        "maxConnections" => max_connections: Option<Spanned<u64>>,
        /// How long a call waits for a connection to a server.
        /// Example: `5s`
        "acquireTimeout" => acquire_timeout: Option<Spanned<Duration>>,
        /// How long a connection to a server may stay unused.
        /// Example: `10m`
        "idleTimeout" => idle_timeout: Option<Spanned<Duration>>,
        /// How long one statement may run, whatever an action says; a server sees to it too.
        /// Example: `30s`
        "statementTimeout" => statement_timeout: Option<Spanned<Duration>>,
        /// Whether a database that can't be reached is an error, also when serving.
        /// Example: `true`
        "required" => required: Option<Spanned<bool>>,
        /// How the connection to a server is kept from others.
        /// Example: `{ mode: verify-full, ca: ./ca.pem }`
        "tls" => tls: Option<DatabaseTls>,
        /// How long a statement of an action that says nothing else may run.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// What of it becomes resources.
        /// Example: `{ schema: true, tables: [books, 'order*'] }`
        "expose" => expose: Option<Expose>,
    }
}
