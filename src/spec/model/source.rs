//! `sources`: where actions find what they work on.

use std::time::Duration;

use super::database::DatabaseTls;
use super::{Expose, HttpSource};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::Node;
use crate::spec::read::{self, At, FromNode, Required, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

/// A named connection.
#[derive(Debug, Clone)]
pub enum Source {
    /// A database.
    Sql(Box<SqlSource>),
    /// The base of an HTTP API.
    Http(Box<HttpSource>),
}

impl Source {
    /// The key that says which kind it is.
    const KINDS: [&'static str; 2] = ["sql", "http"];

    /// The kind, as the spec names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Source::Sql(_) => "sql",
            Source::Http(_) => "http",
        }
    }
}

impl FromNode for Source {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let mut known: Vec<&str> = SqlSource::KEYS.to_vec();
        known.extend(HttpSource::KEYS.iter().filter(|key| !SqlSource::KEYS.contains(key)));
        let entries = read::map(node, "source", &known, sink)?;
        let mut kinds = entries.iter().filter(|e| Self::KINDS.contains(&e.key.value.as_str()));
        let Some(kind) = kinds.next() else {
            read::refuse_unknown(entries, &known, "source", at, sink);
            if !read::misspelt(entries, &known, &Self::KINDS) {
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
            _ => HttpSource::from_node(node, at, sink).map(|source| Source::Http(Box::new(source))),
        }
    }
}

record! {
    /// A database.
    pub struct SqlSource as "source" {
        /// Its URL: `sqlite:PATH`, `postgres://…` or `mysql://…`.
        "sql" => url: Required<Spanned<Text>>,
        /// A SQL script that builds a SQLite database which does not exist yet.
        "init" => init: Option<Spanned<Text>>,
        "readOnly" => read_only: Option<Spanned<bool>>,
        /// Statements for every new connection.
        "onConnect" => on_connect: Option<Vec<Spanned<Text>>>,
        "maxConnections" => max_connections: Option<Spanned<u64>>,
        /// How long a call waits for a connection to a server.
        "acquireTimeout" => acquire_timeout: Option<Spanned<Duration>>,
        /// How long a connection to a server may stay unused.
        "idleTimeout" => idle_timeout: Option<Spanned<Duration>>,
        /// How long one statement may run, whatever an action says; a server sees to it too.
        "statementTimeout" => statement_timeout: Option<Spanned<Duration>>,
        /// Whether a database that can't be reached is an error, also when serving.
        "required" => required: Option<Spanned<bool>>,
        /// How the connection to a server is kept from others.
        "tls" => tls: Option<DatabaseTls>,
        /// How long a statement of an action that says nothing else may run.
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// What of it becomes resources.
        "expose" => expose: Option<Expose>,
    }
}
