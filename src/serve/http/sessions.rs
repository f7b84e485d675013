//! The sessions of clients up to 2025-11-25: rmcp's own, counted. A client that leaves without a word would else
//! keep its session's memory for hours.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt};
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::{
        WorkerTransport,
        streamable_http_server::session::{
            ServerSseMessage, SessionId, SessionManager,
            local::{LocalSessionManager, LocalSessionManagerError, LocalSessionWorker},
        },
    },
};
use tokio::time::timeout;

/// How long a session must have been unused before another may take its place.
const SPARED: Duration = Duration::from_secs(60);
/// How long a session's end may take; it waits for a client that does not read.
const ENDING: Duration = Duration::from_secs(5);

/// rmcp's sessions, at most `max` of them.
pub(super) struct Sessions {
    local: Arc<LocalSessionManager>,
    uses: Uses,
    max: usize,
    spared: Duration,
}

#[derive(Debug, Clone, Default)]
struct Uses(Arc<Mutex<HashMap<SessionId, Use>>>);

#[derive(Debug)]
struct Use {
    /// Answers and event streams that are open.
    streams: usize,
    last: Instant,
}

impl Uses {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self, id: &SessionId, change: impl FnOnce(&mut Use)) {
        if let Some(usage) = self.lock().get_mut(id) {
            change(usage);
            usage.last = Instant::now();
        }
    }
}

/// Counts a stream for as long as it lives.
struct Streaming {
    uses: Uses,
    id: SessionId,
}

impl Streaming {
    fn new(uses: &Uses, id: &SessionId) -> Self {
        uses.touch(id, |usage| usage.streams += 1);
        Streaming { uses: uses.clone(), id: id.clone() }
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
        self.uses.touch(&self.id, |usage| usage.streams = usage.streams.saturating_sub(1));
    }
}

impl Sessions {
    pub(super) fn new(max: usize, idle: Duration) -> Self {
        let mut local = LocalSessionManager::default();
        // rmcp counts messages only: a long call or an open stream does not keep a session alive.
        local.session_config.keep_alive = Some(idle);
        Sessions { local: Arc::new(local), uses: Uses::default(), max, spared: SPARED }
    }

    /// Makes sure that one more session may begin, at the cost of the longest unused one. False when all are in use.
    ///
    /// Clients that begin at the very same time may get a session too many.
    pub(super) fn make_room(&self) -> bool {
        let mut uses = self.uses.lock();
        if uses.len() < self.max {
            return true;
        }
        let unused = uses.iter().filter(|(_, usage)| usage.streams == 0 && usage.last.elapsed() >= self.spared);
        let Some(id) = unused.min_by_key(|(_, usage)| usage.last).map(|(id, _)| id.clone()) else { return false };
        uses.remove(&id);
        drop(uses);
        tracing::info!(session = &*id, "ended the longest unused session to make room");
        let local = self.local.clone();
        tokio::spawn(async move { timeout(ENDING, local.close_session(&id)).await });
        true
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.local.create_session().await?;
        self.uses.lock().insert(id.clone(), Use { streams: 0, last: Instant::now() });
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.local.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.uses.touch(id, |_| {});
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
        let streaming = Streaming::new(&self.uses, id);
        Ok(streaming.hold(self.local.create_stream(id, message).await?))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let streaming = Streaming::new(&self.uses, id);
        Ok(streaming.hold(self.local.create_standalone_stream(id).await?))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let streaming = Streaming::new(&self.uses, id);
        Ok(streaming.hold(self.local.resume(id, last_event_id).await?))
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
        let streaming = Streaming::new(&sessions.uses, &id).hold(futures_util::stream::empty::<()>());
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
