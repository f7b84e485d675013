//! One connection to a server that has shaken hands.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{
    ClientRequest, ErrorCode, GetExtensions, InputResponses, ProtocolVersion, RequestMetaObject, ServerPeerInfo,
    ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, ServiceError};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::caller::Caller;
use super::calls::Calls;
use super::config::Config;
use super::flight::Flight;
use super::open::Open;
use super::task::{self, TASK};
use super::{questions, visits, words};
use crate::action::Call;
use crate::action::call::{Capabilities, Level, cancelled};
use crate::outcome::{ActionError, ErrorKind};

/// How often a server may ask before it answers, and a client come back.
pub const MAX_ROUNDS: usize = 10;
/// What may be behind an unknown method where a tool is called.
const AS_TASK: &str = "(a tool that can be called as a task of 2025-11-25 alone can't be called here)";
/// The part of a call that names what stays open meanwhile.
const OPEN: &str = "open";

/// What a server answered.
pub type Answered = Result<ServerResult, ServiceError>;

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Within {
    /// From now on.
    pub left: Duration,
    /// In all, waiting for a turn included.
    pub all: Duration,
}

impl From<Duration> for Within {
    fn from(all: Duration) -> Self {
        Within { left: all, all }
    }
}

/// A server that can be asked.
#[derive(Debug)]
pub struct Session {
    pub name: Arc<str>,
    pub config: Arc<Config>,
    pub peer: Peer<RoleClient>,
    pub calls: Arc<Calls>,
    /// What it said of itself.
    pub info: Arc<ServerPeerInfo>,
    /// Something went wrong that the connection may be to blame for.
    pub suspect: Notify,
    /// Calls whose clients are asked, and are to call again.
    pub open: Open,
}

impl Session {
    /// Whether it speaks 2026-07-28 or later.
    pub fn is_modern(&self) -> bool {
        self.info.protocol_version >= ProtocolVersion::V_2026_07_28
    }

    /// Asks for something that belongs to a call, and answers what the server asks back.
    ///
    /// # Errors
    /// Whatever kept it from an answer, in words for the caller.
    pub async fn converse(
        &self,
        call: &Call,
        within: Within,
        request: impl Fn(Option<InputResponses>, Option<String>) -> ClientRequest,
    ) -> Result<ServerResult, ActionError> {
        if let Some(Value::String(name)) = call.within(OPEN).recall() {
            return self.resume(&name, call, within).await;
        }
        if let Some(Value::String(task)) = call.within(TASK).recall() {
            return self.follow(&task, call, within).await;
        }
        let (mut responses, mut state) = (None, None);
        let (mut left, mut as_task) = (within, false);
        for round in 1..=MAX_ROUNDS {
            let answer = self.exchange(request(responses.take(), state.take()), Some(call), left, as_task).await?;
            if !as_task && task::is_demanded(&answer) {
                as_task = true;
                continue;
            }
            let no_method = self.has_no_method(&answer);
            let answer = self.answer(answer, Some(call)).await.map_err(|error| match no_method {
                // What such a tool is answered with; that it is one is not in rmcp's types.
                true => ActionError { message: format!("{} {AS_TASK}", error.message), ..error },
                false => error,
            });
            match answer? {
                ServerResult::CreateTaskResult(made) => {
                    call.within(TASK).record(&Value::String(made.task.task_id.clone()));
                    return self.follow(&made.task.task_id, call, left).await;
                }
                ServerResult::InputRequiredResult(asks) => {
                    state = asks.request_state;
                    let here = call.within(&format!("round-{round}"));
                    let asks = asks.input_requests.unwrap_or_default();
                    responses = Some(questions::answer(&self.name, asks, &here).await?);
                    // Who was asked may have taken longer than the server may.
                    left = Within { left: within.all, ..within };
                }
                answer => return Ok(answer),
            }
        }
        Err(self.asks_on())
    }

    fn has_no_method(&self, answer: &Answered) -> bool {
        let Err(ServiceError::McpError(error)) = answer else { return false };
        self.info.protocol_version == ProtocolVersion::V_2025_11_25 && error.code == ErrorCode::METHOD_NOT_FOUND
    }

    /// The error of a server that asks more than [`MAX_ROUNDS`] times.
    pub fn asks_on(&self) -> ActionError {
        ActionError::failed(format!("the server `{}` asks again and again", self.name))
    }

    /// Goes on with a call that stayed open while its client was asked.
    async fn resume(&self, name: &str, call: &Call, within: Within) -> Result<ServerResult, ActionError> {
        call.within(OPEN).forget();
        let Some((flight, caller)) = self.open.take(name) else {
            let words =
                format!("the server `{}` does not wait for this answer any more: make the call again", self.name);
            return Err(ActionError::failed(words));
        };
        if caller.rounds() >= MAX_ROUNDS {
            return Err(self.asks_on());
        }
        caller.come_back(call);
        let deadline = Instant::now() + within.left;
        let answer = self.wait(flight, Some((&caller, call)), deadline, within.all).await?;
        self.answer(answer, Some(call)).await
    }

    /// Asks for something.
    ///
    /// # Errors
    /// Whatever kept it from an answer, in words for the caller. The server is told where nobody waits any more.
    pub async fn ask(
        &self,
        request: ClientRequest,
        call: Option<&Call>,
        within: Within,
    ) -> Result<ServerResult, ActionError> {
        let answer = self.exchange(request, call, within, false).await?;
        self.answer(answer, call).await
    }

    /// Asks for something, where `as_task` with leave to answer it later; gives what came back.
    ///
    /// # Errors
    /// Whatever kept it from an answer.
    pub async fn exchange(
        &self,
        mut request: ClientRequest,
        call: Option<&Call>,
        within: Within,
        as_task: bool,
    ) -> Result<Answered, ActionError> {
        let deadline = Instant::now() + within.left;
        let options = self.options(call, as_task);
        let caller = call.map(|call| (Caller::new(call), call));
        if let Some((caller, _)) = &caller {
            request.extensions_mut().insert(caller.clone());
        }
        let sending = self.peer.send_cancellable_request(request, options);
        let handle = tokio::select! {
            handle = sending => handle.map_err(|error| self.fault(&error))?,
            () = self.calls.gone.cancelled() => return Err(words::gone(&self.name)),
            () = sleep_until(deadline) => return Err(self.late(within.all)),
        };
        let flight = Flight { calls: self.calls.clone(), handle: Some(handle), why: "nobody waits for it any more" };
        let caller = caller.as_ref().map(|(caller, call)| (caller, *call));
        self.wait(flight, caller, deadline, within.all).await
    }

    /// Waits for the answer to what was asked, or until the caller's client has to be asked first.
    async fn wait(
        &self,
        mut flight: Flight,
        caller: Option<(&Caller, &Call)>,
        mut deadline: Instant,
        patience: Duration,
    ) -> Result<Answered, ActionError> {
        loop {
            let Some(handle) = &mut flight.handle else { return Err(words::gone(&self.name)) };
            tokio::select! {
                biased;
                answer = &mut handle.rx => {
                    flight.over();
                    return Ok(answer.unwrap_or(Err(ServiceError::TransportClosed)));
                }
                () = self.calls.gone.cancelled() => {
                    flight.over();
                    return Err(words::gone(&self.name));
                }
                () = taken_back(caller) => {
                    flight.why = "the call was cancelled";
                    return Err(cancelled());
                }
                () = left(caller) => return Err(self.put_off(flight, caller)),
                () = sleep_until(deadline) => {
                    if caller.is_some_and(|(caller, _)| caller.is_asking()) {
                        deadline = Instant::now() + patience;
                        continue;
                    }
                    flight.why = "it took too long";
                    return Err(self.late(patience));
                }
            }
        }
    }

    /// What a server answered, in words for the caller where that is an error.
    ///
    /// # Errors
    /// Those of [`Session::ask`].
    pub async fn answer(&self, answer: Answered, call: Option<&Call>) -> Result<ServerResult, ActionError> {
        if let (Err(ServiceError::McpError(error)), Some(call)) = (&answer, call) {
            call.client.require(words::required(error)).await?;
            visits::first(&self.name, error, call).await?;
        }
        answer.map_err(|error| self.fault(&error))
    }

    /// Keeps a call open until its client, which is asked by the answer to its own, calls again.
    fn put_off(&self, mut flight: Flight, caller: Option<(&Caller, &Call)>) -> ActionError {
        flight.why = "nobody came back with an answer";
        let Some((caller, call)) = caller else { return words::gone(&self.name) };
        match self.open.keep(flight, caller.clone()) {
            Some(name) => {
                call.within(OPEN).record(&Value::String(name));
                ActionError::new(ErrorKind::Unanswered, "the client is asked first")
            }
            None => {
                let words =
                    format!("too many calls of the server `{}` wait for their users: try again later", self.name);
                ActionError::failed(words)
            }
        }
    }

    /// Why a request came to nothing. The keeper hears of it where the connection is to blame.
    fn fault(&self, fault: &ServiceError) -> ActionError {
        let (error, broken) = words::lost(&self.name, fault, &self.config);
        if broken {
            self.suspect.notify_one();
        }
        error
    }

    fn late(&self, patience: Duration) -> ActionError {
        let words = format!("the server `{}` did not answer within {patience:?}", self.name);
        ActionError::new(ErrorKind::TimedOut, words)
    }

    /// What goes with a request from 2026-07-28 on: what the caller can be asked, and what it wants to hear.
    fn options(&self, call: Option<&Call>, as_task: bool) -> PeerRequestOptions {
        let options = PeerRequestOptions::no_options();
        let Some(client) = call.filter(|_| self.is_modern()).map(|call| &call.client) else { return options };
        let mut meta = RequestMetaObject::new();
        let capabilities = Capabilities { tasks: as_task, ..client.capabilities() };
        meta.set_client_capabilities(questions::capabilities(capabilities));
        if let Some(level) = Level::ALL.into_iter().find(|level| client.hears(*level)) {
            meta.set_log_level(level.into());
        }
        options.with_meta(meta)
    }
}

async fn taken_back(caller: Option<(&Caller, &Call)>) {
    match caller {
        Some((_, call)) => call.cancel.cancelled().await,
        None => std::future::pending().await,
    }
}

/// Waits until the caller's client is to call again.
async fn left(caller: Option<(&Caller, &Call)>) {
    match caller {
        Some((caller, _)) => caller.left().await,
        None => std::future::pending().await,
    }
}
