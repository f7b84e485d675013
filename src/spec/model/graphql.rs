//! `graphql`: APIs that are asked in GraphQL, and what they are asked.

use std::time::Duration;

use super::api::{Auth, CircuitBreaker, Pool, RateLimit, Retry, Timeout, Tls};
use super::{HttpSource, Str};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{self, At, Bytes, Foreign, FromNode, Named, Required, record};
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
        /// Sent with every request.
        /// Example: `{ Accept-Language: en }`
        "headers" => headers: Foreign<Spanned<Text>>,
        /// Added to every request's query.
        /// Example: `{ api-version: '2024-10-01' }`
        "query" => query: Foreign<Spanned<Text>>,
        /// Sent with every request, in its one `Cookie` header (RFC 6265).
        /// Example: `{ theme: light }`
        "cookies" => cookies: Foreign<Spanned<Text>>,
        /// How requests are authorized.
        /// Example: `{ bearer: '${API_TOKEN}' }`
        "auth" => auth: Option<Auth>,
        /// How long a call may take, and how long connecting.
        /// Example: `{ connect: 2s, total: 10s }`
        "timeout" => timeout: Option<Timeout>,
        /// How TLS connections are made.
        /// Example: `{ ca: ./ca.pem }`
        "tls" => tls: Option<Tls>,
        /// The URL of a proxy that all requests go through.
        /// Example: `http://proxy.example.com:3128`
        "proxy" => proxy: Option<Spanned<Text>>,
        /// Nothing but HTTP/2, or nothing but HTTP/1.1; without it TLS settles it (ALPN).
        /// Example: `true`
        "http2" => http2: Option<Spanned<bool>>,
        /// Connections that are kept open between requests.
        /// Example: `{ maxIdle: 8, idleTimeout: 30s }`
        "pool" => pool: Option<Pool>,
        /// When a request that failed is sent again.
        /// Example: `{ attempts: 3, delay: 200ms }`
        "retry" => retry: Option<Retry>,
        /// How many may be sent in a stretch of time; more of them wait.
        /// Example: `{ requests: 10, per: 1s }`
        "rateLimit" => rate_limit: Option<RateLimit>,
        /// Requests at the same time; the others wait.
        /// Example: `8`
        "concurrency" => concurrency: Option<Spanned<u64>>,
        /// When an API that fails is left alone for a while.
        /// Example: `{ failures: 5, cooldown: 30s }`
        "circuitBreaker" => circuit_breaker: Option<CircuitBreaker>,
        /// Other origins that a redirect may lead to.
        /// Example: `[https://files.example.com]`
        "redirects" => redirects: Option<Vec<Spanned<Text>>>,
        /// Whether a redirect to another origin may lead to a private, loopback, link-local or metadata address.
        /// Example: `true`
        "allowPrivate" => allow_private: Option<Spanned<bool>>,
    }
}

impl GraphqlSource {
    /// What of it is of any HTTP API.
    pub fn http(&self) -> HttpSource {
        HttpSource {
            at: self.at,
            url: self.url.clone(),
            cache: None,
            headers: self.headers.clone(),
            query: self.query.clone(),
            cookies: self.cookies.clone(),
            auth: self.auth.clone(),
            timeout: self.timeout.clone(),
            tls: self.tls.clone(),
            proxy: self.proxy.clone(),
            http2: self.http2.clone(),
            pool: self.pool.clone(),
            retry: self.retry.clone(),
            rate_limit: self.rate_limit.clone(),
            concurrency: self.concurrency.clone(),
            circuit_breaker: self.circuit_breaker.clone(),
            redirects: self.redirects.clone(),
            allow_private: self.allow_private.clone(),
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
    }
    around => around
}

impl GraphqlAction {
    /// `None` also when the document is there and at fault: nobody should then be told that it is missing.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let read = GraphqlAction::from_node(node, at, sink)?;
        let lost = |is_read: bool, key: &str| !is_read && node.get(key).is_some();
        let misspelt = read::misspelt(node.entries(), Self::KEYS, &["query", "file"]);
        let lost = misspelt || lost(read.query.is_some(), "query") || lost(read.file.is_some(), "file");
        (!lost).then_some(read)
    }
}
