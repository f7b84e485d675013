//! `http`: a request to an HTTP API.
//!
//! | file | what |
//! |---|---|
//! | `source`, `base`, `auth`, `oauth` | an API as the spec's `sources` describe it, and how requests are authorized |
//! | `client`, `tls`, `address` | connections, and the addresses that a redirect may not reach |
//! | `line`, `target`, `field`, `header`, `cookie`, `body` | the parts of a request, each the one way for values into it |
//! | `request` | all of them together: checked at load, bound at a call |
//! | `pages` | many requests for one answer |
//! | `exchange` | a request and its answer, with all that a source does around it: |
//! | `cache`, `retry`, `breaker` | answers that are kept, further tries, a pause after failures |
//! | `redirect` | sending, step by step |
//! | `answer`, `room`, `failure`, `fault` | what comes back |
//! | `explain` | a request as it may be seen |
//! | `graphql` | operations of a GraphQL API, over all that |

mod address;
mod answer;
mod auth;
mod base;
mod body;
mod breaker;
mod cache;
mod client;
mod cookie;
mod exchange;
mod explain;
mod failure;
mod fault;
mod field;
pub mod graphql;
mod header;
mod line;
mod oauth;
mod pages;
mod redirect;
mod request;
mod retry;
mod room;
mod source;
pub mod tape;
mod target;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;

pub use graphql::{Graphql, GraphqlSource};
pub use source::HttpSource;

use super::gate::{Bounds, Gate};
use super::{Arguments, Builder, Call, Limits, Scope};
use crate::outcome::shape::Wants;
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::HttpAction;
use crate::spec::model::api::ActionCache;
use crate::spec::{Code, Diagnostic};
use answer::Reader;
use cache::Keep;
use exchange::Exchange;
use failure::Errors;
use line::Line;
use pages::Pages;
use request::Request;
use tokio::time::Instant;

/// A compiled HTTP action.
#[derive(Debug)]
pub struct Http {
    source: Arc<HttpSource>,
    request: Request,
    errors: Errors,
    pages: Option<Pages>,
    wants: Wants,
    pub(super) limits: Limits,
    /// The action's own bounds.
    gate: Gate,
    /// Whether answers are kept; `None` if not.
    keep: Option<Keep>,
}

impl Http {
    /// Compiles it. Nothing is sent. `None` after mistakes, all of which are reported.
    pub fn compile(written: &HttpAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let line = written.request.get().and_then(|line| Line::parse(line, builder.sink));
        let (source, target) = match &written.source {
            Some(name) => {
                let source = builder.sources.http(name, builder.sink);
                (source, line.as_ref().and_then(|line| line.below_source(builder.sink)))
            }
            None => match line.as_ref().and_then(|line| line.absolute(builder.sink)) {
                Some((base, target)) => (bare(base, written, builder), Some(target)),
                None => (None, None),
            },
        };
        let parts = request::Parts { method: line.and_then(|line| line.method), target, source: source.as_deref() };
        let request = Request::compile(parts, written, scope, builder);
        let errors = Errors::compile(written, scope, builder);
        let pages = written.paginate.as_ref().map(|paginate| Pages::compile(paginate, builder));
        let (source, request, errors) = (source?, request?, errors?);
        let pages = match pages {
            Some(pages) => Some(pages?),
            None => None,
        };
        let mut limits = builder.limits;
        if let Some(timeout) = source.timeout() {
            limits.timeout = timeout;
        }
        let limits = limits.with(written.timeout.as_ref(), None, written.max_bytes.as_ref());
        let bounds = Bounds::read(written.rate_limit.as_ref(), written.concurrency.as_ref(), builder.sink);
        let keep = match &written.cache {
            Some(cache) => Self::keep(cache, &request, builder)?,
            None => source.keep(),
        };
        let gate = Gate::new(&bounds, "this request");
        Some(Http { source, request, errors, pages, wants: Wants::default(), limits, gate, keep })
    }

    /// Whether the action's answers are kept, where it says so itself; a mistake is reported.
    fn keep(written: &ActionCache, request: &Request, builder: &mut Builder<'_>) -> Option<Option<Keep>> {
        if request.method != Method::GET {
            let words = format!("answers to {} are not kept", request.method);
            builder.sink.push(Diagnostic::error(Code::BadValue, written.at, words).label("`cache` is for GET"));
            return None;
        }
        Some(Some(Keep { ttl: written.ttl() }))
    }

    /// Sends the request and reads its answer.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it, nothing answers in time, a redirect leads where it may not, or
    /// the status is not 2xx.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let deadline = Instant::now().checked_add(self.limits.timeout).unwrap_or_else(Instant::now);
        let bound = self.request.bind(&self.source, arguments, &self.limits).await?;
        let what = bound.what;
        let exchange = Exchange { source: &self.source, gate: &self.gate, keep: self.keep, again: false, deadline };
        let sender = Sender { exchange, what: &what };
        let reader = self.reader(&what, arguments);
        let exchange = async {
            match &self.pages {
                // Boxed: it is larger than a single exchange, and rare.
                Some(pages) => {
                    Box::pin(pages.collect(bound.request, &reader, self.limits.timeout, call, &sender)).await
                }
                None => reader.read(sender.send(bound.request).await?).await,
            }
        };
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(ActionError::new(ErrorKind::Cancelled, "the call was cancelled")),
            done = tokio::time::timeout_at(deadline, exchange) => {
                done.unwrap_or_else(|_| Err(took_longer(&what, self.limits.timeout)))
            }
        }
    }

    fn reader<'r>(&'r self, what: &'r str, arguments: &'r Arguments) -> Reader<'r> {
        Reader {
            source: &self.source,
            what,
            max_bytes: self.limits.max_bytes,
            wants: self.wants,
            errors: &self.errors,
            arguments,
        }
    }

    /// Notes what is made of its answers.
    pub fn wanted(&mut self, wants: Wants) {
        self.wants = wants;
    }

    /// The request that a call would send: its line, headers and body, secrets masked.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        explain::explain(&self.request, &self.source, arguments, &self.limits)
    }

    /// Whether its answer is joined from pages, of which the client is told.
    pub fn has_pages(&self) -> bool {
        self.pages.is_some()
    }

    /// Whether the method is a safe one (RFC 9110 section 9.2.1).
    pub fn read_only(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.request.method)
    }
}

/// What sends the requests of a call.
struct Sender<'s> {
    exchange: Exchange<'s>,
    /// The call's request, for messages.
    what: &'s str,
}

impl Sender<'_> {
    /// Sends a request that was bound to the source.
    ///
    /// # Errors
    /// Those of [`Exchange::send`], with the request named.
    async fn send(&self, request: reqwest::Request) -> Result<reqwest::Response, ActionError> {
        self.exchange.send(request).await.map_err(|mut error| {
            error.message = format!("{}: {}", self.what, error.message);
            error
        })
    }
}

/// The error of a request that has had its time.
fn took_longer(what: &str, time: Duration) -> ActionError {
    ActionError::new(ErrorKind::TimedOut, format!("{what} took longer than {time:?}"))
}

/// The stand-in for a source; a machine that can't have one is reported.
fn bare(base: base::Base, written: &HttpAction, builder: &mut Builder<'_>) -> Option<Arc<HttpSource>> {
    let source = HttpSource::bare(base);
    source
        .map_err(|why| {
            let words = format!("no HTTP client can be set up: {why}");
            builder.sink.push(Diagnostic::error(Code::Unreachable, written.at, words));
        })
        .ok()
}
