//! What rmcp reads from and writes to. Texts that are no message are answered here; the end of the input becomes
//! an orderly end of the service.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rmcp::{
    RoleServer,
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, GetMeta, JsonRpcMessage, RequestId,
        ServerJsonRpcMessage,
    },
    transport::Transport,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    batch::{Batch, Fate, Whole},
    lines::Line,
    link::{Link, Load},
};
use crate::serve::{
    methods,
    wire::{self, Heading, Refusal},
};

/// How long calls in flight may go on when the input has ended.
const GRACE: Duration = Duration::from_secs(5);
/// The refusal of a request that is of neither era.
const EARLY: &str = "there is no session yet: send `initialize` first, or with each request the metadata of MCP 2026-07-28 \
                     (`io.modelcontextprotocol/protocolVersion` and more in its `_meta`)";

/// What rmcp runs on.
pub(super) struct StdioTransport<R, W> {
    link: Arc<Link<R, W>>,
    /// Ends what runs on this transport.
    stop: CancellationToken,
    /// When calls in flight are cut off; set when the input has ended.
    deadline: Option<Instant>,
}

impl<R, W> StdioTransport<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(super) fn new(link: Arc<Link<R, W>>, stop: CancellationToken) -> Self {
        StdioTransport { link, stop, deadline: None }
    }

    /// The next message, or None when none will come any more. Every wait in here may be broken off.
    async fn next(&self) -> Option<ClientJsonRpcMessage> {
        let mut load = self.link.load.subscribe();
        let mut lines = self.link.lines.lock().await;
        loop {
            if let Some(message) = self.link.batches().waiting.pop_front() {
                return Some(message);
            }
            let line = async {
                // Fails only when the sender is gone, which the link holds.
                let _ = load.wait_for(Load::has_room).await;
                lines.next().await
            };
            let line = tokio::select! {
                biased;
                () = self.link.closing.cancelled() => return None,
                line = line => line,
            };
            match line {
                Ok(Line::Whole(text)) if self.link.batches().takes(text) => self.unpack(text),
                Ok(Line::Whole(text)) => match read(text).and_then(|message| self.in_era(message)) {
                    Ok(Some(message)) => match self.register(&message) {
                        Ok(()) => return Some(message),
                        Err(refusal) => self.refuse(refusal),
                    },
                    Ok(None) => {}
                    Err(refusal) => self.refuse(refusal),
                },
                Ok(Line::TooLong) => self.refuse(Refusal::invalid(None, "the line is longer than 16 MiB")),
                Ok(Line::End) => return None,
                Err(fault) => {
                    self.link.keep_read_fault(fault);
                    return None;
                }
            }
        }
    }

    /// Passes on what belongs to a session only where there is one: a process may serve both eras in any order.
    fn in_era(&self, message: Option<ClientJsonRpcMessage>) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
        let session = &self.link.session;
        match &message {
            Some(JsonRpcMessage::Request(asked)) => match &asked.request {
                ClientRequest::InitializeRequest(_) => session.store(true, Ordering::Relaxed),
                ClientRequest::PingRequest(_) => {}
                other if session.load(Ordering::Relaxed) || other.get_meta().protocol_version().is_some() => {}
                _ => return Err(Refusal::of(asked.id.clone(), ErrorData::invalid_params(EARLY, None))),
            },
            Some(JsonRpcMessage::Notification(told)) => match &told.notification {
                ClientNotification::CancelledNotification(_) => {}
                _ if session.load(Ordering::Relaxed) => {}
                _ => return Ok(None),
            },
            Some(JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)) | None => {}
        }
        Ok(message)
    }

    /// Takes a batch apart: its messages wait to be read, what is wrong with it goes to its answers.
    fn unpack(&self, text: &[u8]) {
        let messages = match wire::split_batch(text) {
            Ok(messages) => messages,
            Err(refusal) => return self.refuse(refusal),
        };
        let mut batch = Batch::default();
        for message in messages {
            let message = match read(&message).and_then(|message| self.admit(message)) {
                Ok(None) => continue,
                Ok(Some(message)) => message,
                Err(refusal) => {
                    batch.answers.push(refusal.to_json());
                    continue;
                }
            };
            if let JsonRpcMessage::Request(request) = &message {
                batch.owes(request.id.clone());
            }
            self.link.batches().waiting.push_back(message);
        }
        let whole = self.link.batches().add(batch);
        self.write_whole(whole);
    }

    /// Counts a message of a batch, where it may stand in one.
    fn admit(&self, message: Option<ClientJsonRpcMessage>) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
        let Some(message) = message else { return Ok(None) };
        if let JsonRpcMessage::Request(request) = &message
            && let ClientRequest::InitializeRequest(_) = &request.request
        {
            return Err(Refusal::invalid(Some(request.id.clone()), "`initialize` must not be part of a batch"));
        }
        self.register(&message)?;
        Ok(Some(message))
    }

    fn write_whole(&self, whole: Option<Whole>) {
        let Some(Whole { text, requests }) = whole else { return };
        self.link.settle(&requests);
        if let Some(text) = text {
            self.write_later(text);
        }
    }

    /// Keeps count of the answers that are owed. A cancelled request gets none, and a second request with the id
    /// of one in flight would get none either, so it is refused.
    fn register(&self, message: &ClientJsonRpcMessage) -> Result<(), Refusal> {
        match message {
            JsonRpcMessage::Request(request) => {
                let id = &request.id;
                let mut new = false;
                self.link.load.send_modify(|load| new = load.requests.insert(id.clone()));
                let reason = "a request with this id is not answered yet";
                if new { Ok(()) } else { Err(Refusal::invalid(Some(id.clone()), reason)) }
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.forget(id);
                }
                Ok(())
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => Ok(()),
        }
    }

    fn forget(&self, id: &RequestId) {
        self.link.settle([id]);
        let whole = self.link.batches().forget(id);
        self.write_whole(whole);
    }

    /// Answers a text that is no message.
    fn refuse(&self, refusal: Refusal) {
        tracing::debug!(reason = %refusal.message, "refused a line");
        self.write_later(refusal.to_json());
    }

    /// In a task of its own, as half a line must not be left when a read is broken off.
    fn write_later(&self, text: Vec<u8>) {
        self.link.load.send_modify(|load| load.refusals += 1);
        let link = self.link.clone();
        tokio::spawn(async move {
            let _ = link.write(text).await;
            link.load.send_modify(|load| load.refusals = load.refusals.saturating_sub(1));
        });
    }

    /// Lets `listen` handlers return and calls finish, then ends the session.
    ///
    /// rmcp would stop forwarding progress at the end of the input and let every handler have five seconds, so it
    /// is told of the end only when all is done.
    async fn wind_down(&mut self) {
        self.link.closing.cancel();
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + GRACE);
        let mut load = self.link.load.subscribe();
        let _ = timeout_at(deadline, load.wait_for(Load::is_idle)).await;
        self.stop.cancel();
    }
}

/// Reads a line. An empty one, and a broken notification or answer, is nothing.
fn read(text: &[u8]) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
    // RFC 8259, section 8.1: a byte order mark may be ignored.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(call) = wire::tool_call(text) {
        return Ok(Some(call));
    }
    let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(text) else {
        return Heading::read(text)?.unreadable().map_or(Ok(None), Err);
    };
    match message {
        // Its params do not fit, which says more than that it comes too early.
        JsonRpcMessage::Request(request) => match request.request {
            ClientRequest::CustomRequest(custom) if custom.method == "initialize" => {
                Err(Refusal::of(request.id, methods::refuse(&custom, false)))
            }
            known => match methods::refuse_list(known.method(), text) {
                Some(error) => Err(Refusal::of(request.id, error)),
                None => Ok(Some(JsonRpcMessage::request(known, request.id))),
            },
        },
        message => Ok(Some(message)),
    }
}

fn answered(message: &ServerJsonRpcMessage) -> Option<RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(response.id.clone()),
        JsonRpcMessage::Error(error) => error.id.clone(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}

impl<R, W> Transport<RoleServer> for StdioTransport<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let link = self.link.clone();
        async move {
            link.batches().look_at(&message);
            let text = serde_json::to_vec(&message)?;
            let Some(id) = answered(&message) else { return link.write(text).await };
            let fate = link.batches().answer(&id, text);
            let (text, requests) = match fate {
                Fate::Alone(text) => (Some(text), vec![id]),
                Fate::Kept => return Ok(()),
                Fate::Last(Whole { text, requests }) => (text, requests),
            };
            let outcome = match text {
                Some(text) => link.write(text).await,
                None => Ok(()),
            };
            link.settle(&requests);
            outcome
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if self.deadline.is_none()
            && let Some(message) = self.next().await
        {
            return Some(message);
        }
        self.wind_down().await;
        // `stop` ends the session from here; None would make rmcp wait for handlers that nobody waits for.
        std::future::pending().await
    }

    async fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
