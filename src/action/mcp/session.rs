//! One connection to a server that has shaken hands.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{
    ClientRequest, GetExtensions, InputResponses, ProtocolVersion, RequestMetaObject, ServerPeerInfo, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, ServiceError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::calls::{Caller, Calls};
use super::config::Config;
use super::{questions, words};
use crate::action::Call;
use crate::action::call::{Level, cancelled};
use crate::outcome::{ActionError, ErrorKind};

/// How often a server may ask before it answers.
const MAX_ROUNDS: usize = 10;

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
        let (mut responses, mut state) = (None, None);
        let mut left = within;
        for round in 1..=MAX_ROUNDS {
            let caller = Caller::new(call);
            match self.ask(request(responses.take(), state.take()), Some(caller), left).await? {
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
        Err(ActionError::failed(format!("the server `{}` asks again and again", self.name)))
    }

    /// Asks for something.
    ///
    /// # Errors
    /// Whatever kept it from an answer, in words for the caller. The server is told where nobody waits any more.
    pub async fn ask(
        &self,
        mut request: ClientRequest,
        caller: Option<Caller>,
        within: Within,
    ) -> Result<ServerResult, ActionError> {
        let mut deadline = Instant::now() + within.left;
        let options = self.options(caller.as_ref());
        if let Some(caller) = &caller {
            request.extensions_mut().insert(caller.clone());
        }
        let fault = |fault: &ServiceError| {
            let (error, broken) = words::lost(&self.name, fault, &self.config);
            if broken {
                self.suspect.notify_one();
            }
            error
        };
        let late = || {
            let words = format!("the server `{}` did not answer within {:?}", self.name, within.all);
            ActionError::new(ErrorKind::TimedOut, words)
        };
        let sending = self.peer.send_cancellable_request(request, options);
        let handle = tokio::select! {
            handle = sending => handle.map_err(|error| fault(&error))?,
            () = self.calls.gone.cancelled() => return Err(words::gone(&self.name)),
            () = sleep_until(deadline) => return Err(late()),
        };
        let mut flight = Flight { calls: &self.calls, handle: Some(handle), why: "nobody waits for it any more" };
        loop {
            let Some(handle) = &mut flight.handle else { return Err(words::gone(&self.name)) };
            tokio::select! {
                biased;
                answer = &mut handle.rx => {
                    let id = handle.id.clone();
                    flight.handle = None;
                    self.calls.over(&id);
                    let answer = answer.unwrap_or(Err(ServiceError::TransportClosed));
                    if let (Err(ServiceError::McpError(error)), Some(caller)) = (&answer, &caller) {
                        caller.call.client.require(words::required(error)).await?;
                    }
                    return answer.map_err(|error| fault(&error));
                }
                () = self.calls.gone.cancelled() => {
                    flight.handle = None;
                    return Err(words::gone(&self.name));
                }
                () = taken_back(caller.as_ref()) => {
                    flight.why = "the call was cancelled";
                    return Err(cancelled());
                }
                () = sleep_until(deadline) => {
                    if caller.as_ref().is_some_and(Caller::is_asking) {
                        deadline = Instant::now() + within.all;
                        continue;
                    }
                    flight.why = "it took too long";
                    return Err(late());
                }
            }
        }
    }

    /// What goes with a request from 2026-07-28 on: what the caller can be asked, and what it wants to hear.
    fn options(&self, caller: Option<&Caller>) -> PeerRequestOptions {
        let options = PeerRequestOptions::no_options();
        let Some(caller) = caller.filter(|_| self.is_modern()) else { return options };
        let client = &caller.call.client;
        let mut meta = RequestMetaObject::new();
        meta.set_client_capabilities(questions::capabilities(client.capabilities()));
        if let Some(level) = Level::ALL.into_iter().find(|level| client.hears(*level)) {
            meta.set_log_level(level.into());
        }
        options.with_meta(meta)
    }
}

async fn taken_back(caller: Option<&Caller>) {
    match caller {
        Some(caller) => caller.call.cancel.cancelled().await,
        None => std::future::pending().await,
    }
}

/// A request without an answer yet. The server is told when it is dropped.
struct Flight<'s> {
    calls: &'s Calls,
    handle: Option<RequestHandle<RoleClient>>,
    why: &'static str,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        self.calls.over(&handle.id);
        let why = self.why.to_owned();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { drop(handle.cancel(Some(why)).await) });
        }
    }
}
