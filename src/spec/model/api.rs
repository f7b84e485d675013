//! `sources` of kind `http`: the base of an API, and all that its requests share.

use serde_json::Value;
use std::time::Duration;

use super::Str;
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, Choice, Foreign, FromNode, Named, Required, Written, record};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// The base of an HTTP API.
    pub struct HttpSource as "source" {
        /// Its base URL.
        /// Example: `https://api.example.com/v1`
        "http" => url: Required<Spanned<Text>>,
        ..requests: Requests,
        /// Answers to GET that are kept.
        /// Example: `{ maxEntries: 500 }`
        "cache" => cache: Option<Cache>,
        ..redirects: Redirects,
    }
}

record! {
    /// What the requests to an API share.
    pub struct Requests {
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
    }
}

record! {
    /// Where redirects may lead.
    pub struct Redirects {
        /// Other origins that a redirect may lead to.
        /// Example: `[https://files.example.com]`
        "redirects" => origins: Option<Vec<Spanned<Text>>>,
        /// Whether a redirect to another origin may lead to a private, loopback, link-local or metadata address.
        /// Example: `true`
        "allowPrivate" => allow_private: Option<Spanned<bool>>,
    }
}

record! {
    /// How requests are authorized: exactly one of its keys.
    pub struct Auth as "auth" {
        /// A bearer token (RFC 6750).
        /// Example: `${API_TOKEN}`
        "bearer" => bearer: Option<Written<Spanned<Text>>>,
        /// A user and password (RFC 7617).
        /// Example: `{ username: reader, password: '${API_PASSWORD}' }`
        "basic" => basic: Option<Written<Basic>>,
        /// A key of the API's own, in a header, the query or a cookie.
        /// Example: `{ header: X-API-Key, value: '${API_KEY}' }`
        "apiKey" => api_key: Option<Written<ApiKey>>,
        /// A token that is fetched and renewed (RFC 6749).
        /// Example: `{ tokenUrl: 'https://id.example.com/token', clientId: shop, clientSecret: '${CLIENT_SECRET}' }`
        "oauth2" => oauth2: Option<Written<OAuth2>>,
    }
}

record! {
    /// A user and password (RFC 7617).
    pub struct Basic as "basic auth" {
        /// The user's name.
        /// Example: `reader`
        "username" => username: Required<Spanned<Text>>,
        /// The password.
        /// Example: `${API_PASSWORD}`
        "password" => password: Required<Spanned<Text>>,
    }
}

record! {
    /// A key that goes into a header, the query or a cookie.
    pub struct ApiKey as "apiKey" {
        /// The header that the key goes into.
        /// Example: `X-API-Key`
        "header" => header: Option<Str>,
        /// The query parameter that the key goes into.
        /// Example: `api_key`
        "query" => query: Option<Str>,
        /// The cookie that the key goes into.
        /// Example: `session`
        "cookie" => cookie: Option<Str>,
        /// The key.
        /// Example: `${API_KEY}`
        "value" => value: Required<Spanned<Text>>,
    }
}

record! {
    /// A token that is fetched and renewed (RFC 6749 sections 4.4 and 6).
    pub struct OAuth2 as "oauth2" {
        /// The URL of the token endpoint.
        /// Example: `https://id.example.com/token`
        "tokenUrl" => token_url: Required<Spanned<Text>>,
        /// The client's identifier.
        /// Example: `shop`
        "clientId" => client_id: Required<Spanned<Text>>,
        /// The client's secret.
        /// Example: `${CLIENT_SECRET}`
        "clientSecret" => client_secret: Option<Spanned<Text>>,
        /// The scopes that are asked for.
        /// Example: `[books.read]`
        "scopes" => scopes: Option<Vec<Spanned<Text>>>,
        /// Where it is given, tokens are fetched by it; else by the client's own credentials.
        /// Example: `${REFRESH_TOKEN}`
        "refreshToken" => refresh_token: Option<Spanned<Text>>,
        /// How the client shows its credentials.
        /// Example: `body`
        "clientAuth" => client_auth: Option<Spanned<ClientAuth>>,
        /// More for the token endpoint: `audience`, `resource`.
        /// Example: `{ audience: 'https://api.example.com' }`
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

impl Choice for ClientAuth {
    const WORDS: &'static [(&'static str, Self)] = &[("basic", ClientAuth::Basic), ("body", ClientAuth::Body)];
}

record! {
    /// Bounds of time.
    pub struct Timeouts as "timeout" {
        /// For a connection, the TLS handshake included.
        /// Example: `2s`
        "connect" => connect: Option<Spanned<Duration>>,
        /// For a call.
        /// Example: `10s`
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
            _ => {
                Timeouts { at: at.span, faulty: false, connect: None, total: Some(Spanned::from_node(node, at, sink)?) }
            }
        };
        Some(Timeout(timeouts))
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Spanned::<Duration>::schema(book), Timeouts::schema(book)])
    }
}

record! {
    /// How TLS connections are made. Each is a PEM file beside the spec, or PEM itself.
    pub struct Tls as "tls" {
        /// The authorities that are trusted, in place of the machine's.
        /// Example: `./ca.pem`
        "ca" => ca: Option<Spanned<Text>>,
        /// The certificate that is shown, and those that lead to it.
        /// Example: `./client.pem`
        "cert" => cert: Option<Spanned<Text>>,
        /// Its private key.
        /// Example: `./client.key`
        "key" => key: Option<Spanned<Text>>,
    }
}

record! {
    /// Connections without a request.
    pub struct Pool as "pool" {
        /// How many are kept.
        /// Example: `8`
        "maxIdle" => max_idle: Option<Spanned<u64>>,
        /// For how long.
        /// Example: `30s`
        "idleTimeout" => idle_timeout: Option<Spanned<Duration>>,
    }
}

record! {
    /// When a request is sent again: only one that is idempotent (RFC 9110 section 9.2.2).
    pub struct Retry as "retry" {
        /// Tries in all, the first counted.
        /// Example: `3`
        "attempts" => attempts: Required<Spanned<u64>>,
        /// Before the second try; twice as long before each further one.
        /// Example: `200ms`
        "delay" => delay: Option<Spanned<Duration>>,
        /// Before any try, at most.
        /// Example: `5s`
        "maxDelay" => max_delay: Option<Spanned<Duration>>,
    }
}

record! {
    /// How many requests there may be in any stretch of time of a length; more of them wait.
    pub struct RateLimit as "rateLimit" {
        /// How many.
        /// Example: `10`
        "requests" => requests: Required<Spanned<u64>>,
        /// The length of the stretch of time.
        /// Example: `1s`
        "per" => per: Required<Spanned<Duration>>,
    }
}

record! {
    /// When an API that fails is left alone for a while.
    pub struct CircuitBreaker as "circuitBreaker" {
        /// Failures in a row.
        /// Example: `5`
        "failures" => failures: Required<Spanned<u64>>,
        /// For how long nothing is sent then.
        /// Example: `30s`
        "cooldown" => cooldown: Option<Spanned<Duration>>,
    }
}

record! {
    /// Answers to GET that are kept (RFC 9111).
    pub struct Cache as "cache" {
        /// How long they are fresh, whatever they say themselves.
        /// Example: `60s`
        "ttl" => ttl: Option<Spanned<Duration>>,
        /// Answers that are kept at most.
        /// Example: `500`
        "maxEntries" => max_entries: Option<Spanned<u64>>,
        /// Bytes that kept answers have in all, at most.
        /// Example: `16MiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

record! {
    /// How long the answers of one action are kept.
    pub struct ActionCache as "cache" {
        /// How long answers are fresh, whatever they say themselves.
        /// Example: `60s`
        "ttl" => ttl: Option<Written<Spanned<Duration>>>,
    }
}

record! {
    /// How long the answers of an action are kept that says nothing of that itself.
    pub struct KeptAnswers as "cache" {
        /// How long answers are given again.
        /// Example: `60s`
        "ttl" => ttl: Required<Spanned<Duration>>,
    }
}

impl ActionCache {
    /// How long answers are kept, where that is said.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl.as_ref()?.0.as_ref().map(|ttl| ttl.value)
    }
}
