//! What the log says of each request that runs something, at `info`: what it was, how it ended, how long it took.
//! Nothing of what was given or answered.

use std::time::Instant;

use crate::outcome::{ActionError, ErrorKind};

/// A request that runs. Without anybody who reads it, nothing is measured.
#[derive(Debug)]
pub struct RequestLog(Option<Instant>);

impl RequestLog {
    /// It begins.
    pub fn begin() -> RequestLog {
        RequestLog(tracing::enabled!(tracing::Level::INFO).then(Instant::now))
    }

    /// It has ended: `method` is MCP's, `name` that of the tool, resource or prompt.
    pub fn end<T>(self, method: &str, name: &str, outcome: &Result<T, ActionError>) {
        let Some(began) = self.0 else { return };
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(method, name, ms, "{}", how(outcome));
    }
}

/// How it ended, in words.
fn how<T>(outcome: &Result<T, ActionError>) -> &'static str {
    match outcome.as_ref().map_err(|error| error.kind) {
        Ok(_) => "answered",
        Err(ErrorKind::Invalid) => "refused what was given",
        Err(ErrorKind::NotFound) => "not found",
        Err(ErrorKind::TimedOut) => "timed out",
        Err(ErrorKind::Cancelled) => "cancelled",
        Err(ErrorKind::Failed) => "failed",
        Err(ErrorKind::Lacking) => "needs what the client can't do",
        Err(ErrorKind::Unanswered) => "asks the client first",
    }
}
