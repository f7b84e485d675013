//! `graphql`: APIs that are asked in GraphQL, and what they are asked.

use std::time::Duration;

use super::api::{Redirects, Requests};
use super::{Around, HttpSource, Str};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{self, At, Bytes, FromNode, Keys, Named, Required, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// A GraphQL API: what an HTTP one has but for `cache`, and its schema.
    pub struct GraphqlSource as "source" {
        /// The URL of its endpoint.
        /// Example: `https://api.github.com/graphql`
        "graphql" => url: Required<Spanned<Text>>,
        /// The file with its schema, in GraphQL's schema definition language; without it the API is asked.
        /// Example: `./schema.graphql`
        "schema" => schema: Option<Str>,
        /// Whether an API that can't be asked for its schema is an error, also when serving.
        /// Example: `true`
        "required" => required: Option<Spanned<bool>>,
        ..requests: Requests,
        ..redirects: Redirects,
    }
}

impl GraphqlSource {
    /// What of it is of any HTTP API.
    pub fn http(&self) -> HttpSource {
        HttpSource {
            at: self.at,
            faulty: self.faulty,
            url: self.url.clone(),
            requests: self.requests.clone(),
            cache: None,
            redirects: self.redirects.clone(),
        }
    }
}

record! {
    /// An operation of a GraphQL API.
    pub struct GraphqlAction as "graphql action" {
        /// The API.
        /// Example: `library`
        "source" => source: Required<Str>,
        /// The document; values are its variables.
        /// Example: `'query ($id: ID!) { book(id: $id) { title } }'`
        "query" => query: Option<Str>,
        /// In place of `query`: the file that holds it.
        /// Example: `./queries/book.graphql`
        "file" => file: Option<Str>,
        /// Which operation of the document is meant, where it has several.
        /// Example: `Book`
        "operationName" => operation_name: Option<Str>,
        /// Values of variables that are not just the param of the same name; handlebars.
        /// Example: `{ first: '{{limit}}' }`
        "variables" => variables: Named<Node>,
        /// How long a call may take.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// How long an answer may be; a longer one is shortened.
        /// Example: `1MiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        ..around: Box<Around>,
    }
}

impl GraphqlAction {
    /// `None` also when the document is there and at fault: nobody should then be told that it is missing.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let read = GraphqlAction::from_node(node, at, sink)?;
        let lost = |is_read: bool, key: &str| !is_read && node.get(key).is_some();
        let misspelt = read::misspelt(node.entries(), &Self::names(), "graphql action", &["query", "file"]);
        let lost = misspelt || lost(read.query.is_some(), "query") || lost(read.file.is_some(), "file");
        (!lost).then_some(read)
    }
}
