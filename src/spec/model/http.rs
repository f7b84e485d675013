//! `http`, as written: a request to an HTTP API.

mod body;

use std::time::Duration;

use super::api::{ActionCache, RateLimit};
use super::{Paginate, Str};
use crate::spec::node::Node;
use crate::spec::read::{Bytes, Foreign, Required, record};
use crate::spec::source::Spanned;
pub use body::{Pairs, Part, RawBody, WrittenPart};

record! {
    /// A request to an HTTP API.
    pub struct HttpAction as "http action" {
        /// The name of a source.
        /// Example: `shop`
        "source" => source: Option<Str>,
        /// `METHOD target`, where the target is a URI template over the params.
        /// Example: `'GET /search{?q,page}'`
        "request" => request: Required<Str>,
        /// More headers; handlebars values.
        /// Example: `{ X-Trace: '{{trace}}' }`
        "headers" => headers: Foreign<Str>,
        /// Added to the query; handlebars values.
        /// Example: `{ q: '{{words}}' }`
        "query" => query: Foreign<Str>,
        /// Sent in the one `Cookie` header (RFC 6265); handlebars values.
        /// Example: `{ lang: '{{lang}}' }`
        "cookies" => cookies: Foreign<Str>,
        /// A JSON body; a string that is exactly `"{{name}}"` keeps the value's type.
        /// Example: `{ title: '{{title}}', price: '{{price}}' }`
        "json" => json: Option<Node>,
        /// A body as web forms send it: `application/x-www-form-urlencoded`; handlebars values.
        /// Example: `{ title: '{{title}}' }`
        "form" => form: Option<Pairs<Str>>,
        /// A body of parts, `multipart/form-data` (RFC 7578).
        /// Example: `{ title: '{{title}}', cover: { file: './covers/{id}.png' } }`
        "multipart" => multipart: Option<Pairs<Part>>,
        /// Any other body: handlebars, or a file.
        /// Example: `'{{note}}'`
        "body" => body: Option<RawBody>,
        /// The media type of `body`.
        /// Example: `text/plain`
        "contentType" => content_type: Option<Str>,
        /// What the caller is told where the status is not 2xx: by status (`404`), class (`4xx`) or `default`.
        /// Example: `{ '404': 'There is no book {{id}}.', 5xx: The shop is closed. }`
        "errors" => errors: Foreign<Str>,
        /// How the pages of an answer follow each other.
        /// Example: `{ link: true, maxPages: 5 }`
        "paginate" => paginate: Option<Paginate>,
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// How many may be sent in a stretch of time; more of them wait.
        /// Example: `{ requests: 10, per: 1s }`
        "rateLimit" => rate_limit: Option<RateLimit>,
        /// Requests at the same time.
        /// Example: `4`
        "concurrency" => concurrency: Option<Spanned<u64>>,
        /// How long answers to GET are kept.
        /// Example: `{ ttl: 60s }`
        "cache" => cache: Option<ActionCache>,
    }
}
