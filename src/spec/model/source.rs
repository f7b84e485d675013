//! `sources`: where actions find what they work on.

use std::time::Duration;

use super::Str;
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::Node;
use crate::spec::read::{self, At, Foreign, FromNode, Required, record};
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
        /// Its URL: `sqlite:PATH`.
        "sql" => url: Required<Spanned<Text>>,
        /// A SQL script that builds a SQLite database which does not exist yet.
        "init" => init: Option<Spanned<Text>>,
        "readOnly" => read_only: Option<Spanned<bool>>,
        /// Statements for every new connection.
        "onConnect" => on_connect: Option<Vec<Spanned<Text>>>,
        "maxConnections" => max_connections: Option<Spanned<u64>>,
        /// How long a statement of this source may run.
        "timeout" => timeout: Option<Spanned<Duration>>,
    }
}

record! {
    /// The base of an HTTP API.
    pub struct HttpSource as "source" {
        /// Its base URL.
        "http" => url: Required<Spanned<Text>>,
        /// Sent with every request.
        "headers" => headers: Foreign<Spanned<Text>>,
        /// Added to every request's query.
        "query" => query: Foreign<Spanned<Text>>,
        "auth" => auth: Option<Auth>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Other origins that a redirect may lead to.
        "redirects" => redirects: Option<Vec<Spanned<Text>>>,
        /// Whether a redirect to another origin may lead to a private, loopback, link-local or metadata address.
        "allowPrivate" => allow_private: Option<Spanned<bool>>,
    }
}

record! {
    /// How requests are authorized: exactly one of its keys.
    pub struct Auth as "auth" {
        /// RFC 6750.
        "bearer" => bearer: Option<Spanned<Text>>,
        /// RFC 7617.
        "basic" => basic: Option<Basic>,
        /// A key of the API's own.
        "apiKey" => api_key: Option<ApiKey>,
    }
}

record! {
    /// A user and password (RFC 7617).
    pub struct Basic as "basic auth" {
        "username" => username: Required<Spanned<Text>>,
        "password" => password: Required<Spanned<Text>>,
    }
}

record! {
    /// A key that goes into a header or the query.
    pub struct ApiKey as "apiKey" {
        "header" => header: Option<Str>,
        "query" => query: Option<Str>,
        "value" => value: Required<Spanned<Text>>,
    }
}
