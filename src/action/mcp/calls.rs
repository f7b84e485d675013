//! The calls in flight on one connection: what the server says of a call goes to whoever made it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::model::{ProgressToken, RequestId};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::caller::Caller;
use crate::action::call::Level;

/// Characters of a message that are passed on.
const MAX_MESSAGE: usize = 2000;

#[derive(Debug)]
struct Flight {
    token: Option<ProgressToken>,
    caller: Caller,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.caller.end();
    }
}

/// The calls in flight, and what the server has said that is of no call.
#[derive(Debug, Default)]
pub struct Calls {
    flights: Mutex<HashMap<RequestId, Flight>>,
    /// The connection is over.
    pub gone: CancellationToken,
    /// The server says that a list has changed.
    pub lists: Notify,
}

impl Calls {
    fn flights(&self) -> MutexGuard<'_, HashMap<RequestId, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is about to leave.
    pub fn left(&self, id: RequestId, token: Option<ProgressToken>, caller: Caller) {
        self.flights().insert(id, Flight { token, caller });
    }

    /// It is answered, or nobody waits for it any more.
    pub fn over(&self, id: &RequestId) {
        self.flights().remove(id);
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.gone.cancel();
        self.flights().clear();
    }

    /// Passes on how far a call is.
    pub fn progress(&self, token: &ProgressToken, progress: f64, total: Option<f64>, message: Option<String>) {
        let flights = self.flights();
        let flight = flights.values().find(|flight| flight.token.as_ref() == Some(token));
        if let Some(call) = flight.and_then(|flight| flight.caller.call()) {
            call.client.progress(progress, total, message.map(|words| cut(&words)));
        }
    }

    /// Passes a log message on. A server does not say to which call one belongs: with several in flight, nobody else's
    /// caller is told.
    pub fn say(&self, level: Level, logger: Option<&str>, data: Value) {
        match self.only().and_then(|caller| caller.call()) {
            Some(call) => call.client.say(level, logger, bounded(data)),
            None => tracing::debug!(?logger, "a log message of no single call: {}", cut(&data.to_string())),
        }
    }

    /// Passes on that the user is done at a web page.
    pub fn visited(&self, id: &str) {
        let callers: Vec<Caller> = self.flights().values().map(|flight| flight.caller.clone()).collect();
        for call in callers.iter().filter(|caller| caller.has_sent(id)).filter_map(Caller::call) {
            call.client.visited(id);
        }
    }

    /// The only call in flight.
    pub fn only(&self) -> Option<Caller> {
        let flights = self.flights();
        let mut all = flights.values();
        all.next().filter(|_| all.next().is_none()).map(|flight| flight.caller.clone())
    }
}

fn bounded(data: Value) -> Value {
    match data {
        Value::String(words) => Value::String(cut(&words)),
        other if other.to_string().len() > MAX_MESSAGE => Value::String(cut(&other.to_string())),
        other => other,
    }
}

fn cut(words: &str) -> String {
    match words.char_indices().nth(MAX_MESSAGE) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}… (cut)", words.get(..end).unwrap_or_default()),
    }
}
