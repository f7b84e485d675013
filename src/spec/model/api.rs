//! `sources` of kind `http`: the base of an API, and all that its requests share.

use std::time::Duration;

use super::{Str, choice};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, Foreign, FromNode, Named, Required, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// The base of an HTTP API.
    pub struct HttpSource as "source" {
        /// Its base URL.
        "http" => url: Required<Spanned<Text>>,
        /// Sent with every request.
        "headers" => headers: Foreign<Spanned<Text>>,
        /// Added to every request's query.
        "query" => query: Foreign<Spanned<Text>>,
        /// Sent with every request, in its one `Cookie` header (RFC 6265).
        "cookies" => cookies: Foreign<Spanned<Text>>,
        "auth" => auth: Option<Auth>,
        /// How long a call may take, and how long connecting.
        "timeout" => timeout: Option<Timeout>,
        "tls" => tls: Option<Tls>,
        /// The URL of a proxy that all requests go through.
        "proxy" => proxy: Option<Spanned<Text>>,
        /// Nothing but HTTP/2, or nothing but HTTP/1.1; without it TLS settles it (ALPN).
        "http2" => http2: Option<Spanned<bool>>,
        /// Connections that are kept open between requests.
        "pool" => pool: Option<Pool>,
        "retry" => retry: Option<Retry>,
        "rateLimit" => rate_limit: Option<RateLimit>,
        /// Requests at the same time.
        "concurrency" => concurrency: Option<Spanned<u64>>,
        "circuitBreaker" => circuit_breaker: Option<CircuitBreaker>,
        /// Answers to GET that are kept.
        "cache" => cache: Option<Cache>,
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
        /// RFC 6749.
        "oauth2" => oauth2: Option<OAuth2>,
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
    /// A key that goes into a header, the query or a cookie.
    pub struct ApiKey as "apiKey" {
        "header" => header: Option<Str>,
        "query" => query: Option<Str>,
        "cookie" => cookie: Option<Str>,
        "value" => value: Required<Spanned<Text>>,
    }
}

record! {
    /// A token that is fetched and renewed (RFC 6749 sections 4.4 and 6).
    pub struct OAuth2 as "oauth2" {
        "tokenUrl" => token_url: Required<Spanned<Text>>,
        "clientId" => client_id: Required<Spanned<Text>>,
        "clientSecret" => client_secret: Option<Spanned<Text>>,
        "scopes" => scopes: Option<Vec<Spanned<Text>>>,
        /// Where it is given, tokens are fetched by it; else by the client's own credentials.
        "refreshToken" => refresh_token: Option<Spanned<Text>>,
        /// How the client shows its credentials.
        "clientAuth" => client_auth: Option<Spanned<ClientAuth>>,
        /// More for the token endpoint: `audience`, `resource`.
        "params" => params: Named<Spanned<Text>>,
    }
}

/// How a client shows its credentials to the token endpoint (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// In `Authorization`.
    Basic,
    /// In the body.
    Body,
}

impl FromNode for Spanned<ClientAuth> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("basic", ClientAuth::Basic), ("body", ClientAuth::Body)], sink)
    }
}

record! {
    /// Bounds of time.
    pub struct Timeouts as "timeout" {
        /// For a connection, the TLS handshake included.
        "connect" => connect: Option<Spanned<Duration>>,
        /// For a call.
        "total" => total: Option<Spanned<Duration>>,
    }
}

/// `timeout: 10s` is short for `timeout: { total: 10s }`.
#[derive(Debug, Clone)]
pub struct Timeout(pub Timeouts);

impl FromNode for Timeout {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let timeouts = match &node.kind {
            Kind::Map(_) => Timeouts::from_node(node, at, sink)?,
            _ => Timeouts { at: at.span, connect: None, total: Some(Spanned::from_node(node, at, sink)?) },
        };
        Some(Timeout(timeouts))
    }
}

record! {
    /// How TLS connections are made. Each is a PEM file beside the spec, or PEM itself.
    pub struct Tls as "tls" {
        /// The authorities that are trusted, in place of the machine's.
        "ca" => ca: Option<Spanned<Text>>,
        /// The certificate that is shown, and those that lead to it.
        "cert" => cert: Option<Spanned<Text>>,
        /// Its private key.
        "key" => key: Option<Spanned<Text>>,
    }
}

record! {
    /// Connections without a request.
    pub struct Pool as "pool" {
        /// How many are kept.
        "maxIdle" => max_idle: Option<Spanned<u64>>,
        /// For how long.
        "idleTimeout" => idle_timeout: Option<Spanned<Duration>>,
    }
}

record! {
    /// When a request is sent again: only one that is idempotent (RFC 9110 section 9.2.2).
    pub struct Retry as "retry" {
        /// Tries in all, the first counted.
        "attempts" => attempts: Required<Spanned<u64>>,
        /// Before the second try; twice as long before each further one.
        "delay" => delay: Option<Spanned<Duration>>,
        "maxDelay" => max_delay: Option<Spanned<Duration>>,
    }
}

record! {
    /// How many requests there may be in any stretch of time of a length; more of them wait.
    pub struct RateLimit as "rateLimit" {
        "requests" => requests: Required<Spanned<u64>>,
        "per" => per: Required<Spanned<Duration>>,
    }
}

record! {
    /// When an API that fails is left alone for a while.
    pub struct CircuitBreaker as "circuitBreaker" {
        /// Failures in a row.
        "failures" => failures: Required<Spanned<u64>>,
        /// For how long nothing is sent then.
        "cooldown" => cooldown: Option<Spanned<Duration>>,
    }
}

record! {
    /// Answers to GET that are kept (RFC 9111).
    pub struct Cache as "cache" {
        /// How long they are fresh, whatever they say themselves.
        "ttl" => ttl: Option<Spanned<Duration>>,
        "maxEntries" => max_entries: Option<Spanned<u64>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

record! {
    /// The same for one action; the room is the source's.
    pub struct ActionCache as "cache" {
        "ttl" => ttl: Option<Spanned<Duration>>,
    }
}
