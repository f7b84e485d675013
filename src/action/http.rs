//! `http`: a request to an HTTP API.
//!
//! | file | what |
//! |---|---|
//! | `source`, `base`, `auth` | an API as the spec's `sources` describe it |
//! | `client`, `address` | connections, and the addresses that a redirect may not reach |
//! | `line`, `target`, `field`, `header` | the parts of a request, each the one way for values into it |
//! | `request` | all of them together: checked at load, bound at a call |
//! | `redirect` | sending, step by step |
//! | `answer`, `fault` | what comes back |
//! | `explain` | a request as it may be seen |

mod address;
mod answer;
mod auth;
mod base;
mod client;
mod explain;
mod fault;
mod field;
mod header;
mod line;
mod redirect;
mod request;
mod source;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use reqwest::Method;

pub use source::HttpSource;

use super::{Arguments, Builder, Call, Limits, Scope};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::HttpAction;
use crate::spec::{Code, Diagnostic};
use line::Line;
use request::Request;

/// A compiled HTTP action.
#[derive(Debug)]
pub struct Http {
    source: Arc<HttpSource>,
    request: Request,
    limits: Limits,
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
        let (source, request) = (source?, request?);
        let mut limits = builder.limits;
        if let Some(timeout) = source.timeout() {
            limits.timeout = timeout;
        }
        let limits = limits.with(written.timeout.as_ref(), None, written.max_bytes.as_ref());
        Some(Http { source, request, limits })
    }

    /// Sends the request and reads its answer.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it, nothing answers in time, a redirect leads where it may not, or
    /// the status is not 2xx.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let bound = self.request.bind(&self.source, arguments, &self.limits)?;
        let what = bound.what;
        let exchange = async {
            let response = redirect::send(&self.source, bound.request).await.map_err(|mut error| {
                error.message = format!("{what}: {}", error.message);
                error
            })?;
            answer::read(response, &what, &self.source, self.limits.max_bytes).await
        };
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(ActionError::new(ErrorKind::Cancelled, "the call was cancelled")),
            done = tokio::time::timeout(self.limits.timeout, exchange) => done.unwrap_or_else(|_| {
                let words = format!("{what} took longer than {:?}", self.limits.timeout);
                Err(ActionError::new(ErrorKind::TimedOut, words))
            }),
        }
    }

    /// The request that a call would send: its line, headers and body, secrets masked.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        explain::explain(&self.request, &self.source, arguments, &self.limits)
    }

    /// Whether the method is a safe one (RFC 9110 section 9.2.1).
    pub fn read_only(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.request.method)
    }
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
