//! The sessions of clients up to 2025-11-25: rmcp's own, counted, ended when nobody uses them, and with a memory
//! of what they said. A client that leaves without a word would else keep its session's memory for hours.

mod tape;
mod usage;

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt};
use rmcp::{
    ErrorData,
    model::{ClientJsonRpcMessage, JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult},
    transport::{
        WorkerTransport,
        streamable_http_server::session::{
            ServerSseMessage, SessionId, SessionManager,
            local::{LocalSessionManager, LocalSessionManagerError, LocalSessionWorker, SessionError},
        },
    },
};
use tokio::time::timeout;

use tape::{Place, Tape};
use usage::Usage;

/// How long a session must have been unused before another may take its place.
const SPARED: Duration = Duration::from_secs(60);
/// How long a session's end may take.
const ENDING: Duration = Duration::from_secs(5);
/// How long the beginning of an answer's event stream waits for its end.
const AT_ONCE: Duration = Duration::from_millis(20);
/// How often unused sessions and answers are looked for, at least.
const LOOK: Duration = Duration::from_secs(15);

/// rmcp's sessions, at most `max` of them.
pub(super) struct Sessions {
    local: Arc<LocalSessionManager>,
    uses: Uses,
    max: usize,
    idle: Duration,
    spared: Duration,
}

#[derive(Debug, Clone, Default)]
struct Uses(Arc<Mutex<HashMap<SessionId, Usage>>>);

impl Uses {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Usage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch<T>(&self, id: &SessionId, change: impl FnOnce(&mut Usage) -> T) -> Result<T, LocalSessionManagerError> {
        let mut uses = self.lock();
        let usage = uses.get_mut(id).ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()))?;
        usage.last = Instant::now();
        Ok(change(usage))
    }
}

/// Counts a stream for as long as it lives.
struct Streaming {
    uses: Uses,
    id: SessionId,
}

impl Streaming {
    fn new(uses: &Uses, id: &SessionId) -> Result<Self, LocalSessionManagerError> {
        uses.touch(id, |usage| usage.streams += 1)?;
        Ok(Streaming { uses: uses.clone(), id: id.clone() })
    }

    fn hold<S: Stream + Send + Sync + 'static>(self, stream: S) -> impl Stream<Item = S::Item> + Send + Sync + 'static {
        stream.map(move |item| {
            let _ = &self;
            item
        })
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        // The session may be gone.
        let _ = self.uses.touch(&self.id, |usage| usage.streams = usage.streams.saturating_sub(1));
    }
}

impl Sessions {
    pub(super) fn new(max: usize, idle: Duration) -> Self {
        let mut local = LocalSessionManager::default();
        // rmcp counts messages only: a long call or an open stream would not keep a session alive.
        local.session_config.keep_alive = None;
        // The tapes are what is kept. rmcp would keep every answer for a minute as well, and look at all of them at
        // every message.
        local.session_config.completed_cache_ttl = Duration::ZERO;
        Sessions { local: Arc::new(local), uses: Uses::default(), max, idle, spared: SPARED }
    }

    /// Makes sure that one more session may begin, at the cost of the longest unused one. False when all are in use.
    ///
    /// Clients that begin at the very same time may get a session too many.
    pub(super) fn make_room(&self) -> bool {
        let uses = self.uses.lock();
        if uses.len() < self.max {
            return true;
        }
        let unused = uses.iter().filter(|(_, usage)| usage.is_idle(self.spared));
        let Some(id) = unused.min_by_key(|(_, usage)| usage.last).map(|(id, _)| id.clone()) else { return false };
        drop(uses);
        tracing::info!("ended the longest unused session to make room");
        self.end(id);
        true
    }

    /// Ends sessions that are not used any more, and forgets what nobody will ask for again. Never returns.
    pub(super) async fn expire(&self) {
        loop {
            tokio::time::sleep(LOOK.min(self.idle)).await;
            let mut uses = self.uses.lock();
            uses.values_mut().for_each(Usage::forget);
            let idle = uses.iter().filter(|(_, usage)| usage.is_idle(self.idle));
            let idle: Vec<_> = idle.map(|(id, _)| id.clone()).collect();
            drop(uses);
            idle.into_iter().for_each(|id| self.end(id));
        }
    }

    fn end(&self, id: SessionId) {
        self.uses.lock().remove(&id);
        let local = self.local.clone();
        tokio::spawn(async move { timeout(ENDING, local.close_session(&id)).await });
    }

    /// The version that a session agreed on; None where there is no such session.
    pub(super) fn version(&self, id: &str) -> Option<ProtocolVersion> {
        self.uses.lock().get(id).and_then(|usage| usage.version.clone())
    }

    /// Records what the session says unasked, from its first moment on: a stream that is opened late misses nothing.
    async fn record_common(&self, id: &SessionId) -> Result<(), LocalSessionManagerError> {
        let common = self.uses.touch(id, |usage| usage.common.clone())?;
        let events = self.local.create_standalone_stream(id).await?;
        tokio::spawn(async move { common.record(events).await });
        Ok(())
    }

    /// Hands `message` on and records its answer. One that is there soon is recorded here and leaves as a whole; any
    /// other is recorded by a task, so that no client who does not read holds its session up.
    async fn record_answer(
        &self,
        id: &SessionId,
        request: RequestId,
        message: ClientJsonRpcMessage,
    ) -> Result<Tape, LocalSessionManagerError> {
        let tape = match self.uses.touch(id, |usage| usage.begin(&request))? {
            Ok(tape) => tape,
            Err(reason) => return Ok(refused(request, reason)),
        };
        let answering = Answering { uses: self.uses.clone(), id: id.clone(), request };
        let events = self.local.create_stream(id, message).await?;
        let recording = tape.clone();
        let mut recorder = Recorder(Some(Box::pin(async move { recording.record_answer(events, answering).await })));
        let _ = timeout(AT_ONCE, &mut recorder).await;
        Ok(tape)
    }
}

/// Records an answer to its end, also where nobody waits for that any more.
struct Recorder(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Future for Recorder {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(recording) = &mut self.0 {
            ready!(recording.as_mut().poll(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(recording) = self.0.take() {
            tokio::spawn(recording);
        }
    }
}

/// Keeps a request's id taken until it is answered.
struct Answering {
    uses: Uses,
    id: SessionId,
    request: RequestId,
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = self.uses.touch(&self.id, |usage| usage.done(&self.request));
    }
}

fn refused(request: RequestId, reason: &'static str) -> Tape {
    let error = ServerJsonRpcMessage::error(ErrorData::invalid_request(reason, None), Some(request));
    let tape = Tape::new(None);
    tape.push(ServerSseMessage::from_message(error));
    tape.end();
    tape
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.local.create_session().await?;
        self.uses.lock().insert(id.clone(), Usage::new());
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        let answer = self.local.initialize_session(id, message).await?;
        if let JsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(agreed) = &response.result
        {
            self.uses.touch(id, |usage| usage.version = Some(agreed.protocol_version.clone()))?;
            self.record_common(id).await?;
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        let _ = self.uses.touch(id, |_| {});
        self.local.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.uses.lock().remove(id);
        self.local.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let streaming = Streaming::new(&self.uses, id)?;
        // rmcp comes here with requests alone.
        let JsonRpcMessage::Request(request) = &message else {
            return Err(LocalSessionManagerError::SessionError(SessionError::InvalidEventId));
        };
        let tape = self.record_answer(id, request.id.clone(), message).await?;
        Ok(streaming.hold(tape.play()))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let streaming = Streaming::new(&self.uses, id)?;
        let common = self.uses.touch(id, |usage| usage.common.clone())?;
        Ok(streaming.hold(common.play()))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let streaming = Streaming::new(&self.uses, id)?;
        let unknown = || LocalSessionManagerError::SessionError(SessionError::InvalidEventId);
        let place = Place::read(&last_event_id).ok_or_else(unknown)?;
        let tape = self.uses.touch(id, |usage| match place.name {
            Some(name) => usage.answer(name),
            None => Some(usage.common.clone()),
        })?;
        let tape = tape.ok_or_else(unknown)?;
        tape.rewind(place);
        Ok(streaming.hold(tape.play()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(max: usize, spared: Duration) -> Sessions {
        Sessions { spared, ..Sessions::new(max, Duration::from_secs(60)) }
    }

    #[tokio::test]
    async fn the_longest_unused_session_makes_room() {
        let sessions = sessions(2, Duration::ZERO);
        let mut transports = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..2 {
            assert!(sessions.make_room());
            let (id, transport) = sessions.create_session().await.unwrap();
            transports.push(transport);
            ids.push(id);
        }
        assert!(sessions.has_session(&ids[0]).await.unwrap());
        assert!(sessions.make_room());
        let left: Vec<_> = sessions.uses.lock().keys().cloned().collect();
        assert_eq!(left, [ids[0].clone()], "the other was used last");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!sessions.has_session(&ids[1]).await.unwrap());
    }

    #[tokio::test]
    async fn sessions_in_use_are_spared() {
        let sessions = sessions(1, Duration::ZERO);
        let (id, _transport) = sessions.create_session().await.unwrap();
        let streaming = Streaming::new(&sessions.uses, &id).unwrap().hold(futures_util::stream::empty::<()>());
        assert!(!sessions.make_room(), "a stream is open");
        drop(streaming);
        assert!(sessions.make_room());
    }

    #[tokio::test]
    async fn sessions_used_lately_are_spared() {
        let sessions = sessions(1, Duration::from_secs(60));
        let (id, _transport) = sessions.create_session().await.unwrap();
        assert!(!sessions.make_room());
        sessions.close_session(&id).await.unwrap();
        assert!(sessions.make_room());
    }
}
