//! Carries what a running call says to its client, in the client's era.

use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use rmcp::model::{InputRequests, InputResponses, ProgressToken};
use rmcp::service::{PeerRequestOptions, RequestHandle, ServiceError};
use rmcp::{Peer, RoleServer};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::words;
use crate::action::call::{Capabilities, Input, LIFETIME, Message, Reply, Request};

/// How long a message may take to leave. A client that does not read must not hold a call up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lets a call go on.
pub(super) type Go = oneshot::Sender<()>;

/// The line of one call to its client.
pub(super) struct Relay {
    pub(super) peer: Peer<RoleServer>,
    pub(super) token: Option<ProgressToken>,
    pub(super) messages: mpsc::Receiver<Message>,
    /// The request was taken back, and with it the call.
    pub(super) taken_back: CancellationToken,
    /// Ends the call.
    pub(super) cancel: CancellationToken,
    /// The server is closing, or its client has left.
    pub(super) closing: CancellationToken,
    /// How the client is asked.
    pub(super) asking: Asking,
    /// What the client lacked.
    pub(super) lacking: Capabilities,
}

/// How a client is asked.
pub(super) enum Asking {
    /// By requests of ours, up to 2025-11-25.
    Requests,
    /// By the answer to its call, from 2026-07-28 on.
    Rounds {
        /// What it answered before.
        answers: InputResponses,
        /// What it is asked now.
        open: InputRequests,
    },
}

impl Relay {
    /// Runs `work` and carries what it says, all of it before this returns. `work` holds the other end of the line.
    /// Work that may become a task is given back, with what lets it go on, when it begins to do something.
    pub(super) async fn carry<W: Future + Unpin>(&mut self, work: W) -> Result<W::Output, (W, Go)> {
        let line = std::pin::pin!(self.forward());
        match select(work, line).await {
            Either::Left((given, line)) => {
                let _ = timeout(PATIENCE, line).await;
                Ok(given)
            }
            Either::Right((Some(go), work)) => Err((work, go)),
            Either::Right((None, work)) => Ok(work.await),
        }
    }

    async fn forward(&mut self) -> Option<Go> {
        let mut asked = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = self.taken_back.cancelled(), if !self.cancel.is_cancelled() => self.cancel.cancel(),
                message = self.messages.recv() => match message {
                    None => break,
                    Some(Message::Ask(inputs, reply)) => match &mut self.asking {
                        Asking::Rounds { answers, open } => {
                            let _ = reply.send(round(inputs, answers, open));
                        }
                        Asking::Requests => {
                            asked.push(ask(self.peer.clone(), inputs, reply, self.closing.clone()));
                        }
                    },
                    Some(Message::Lacks(missing)) => self.lacking = self.lacking.and(missing),
                    Some(Message::Begins(go)) => return Some(go),
                    Some(_) if self.cancel.is_cancelled() => {}
                    Some(message) => {
                        let modern = matches!(self.asking, Asking::Rounds { .. });
                        let _ = timeout(PATIENCE, tell(&self.peer, self.token.as_ref(), modern, message)).await;
                    }
                },
                Some(()) = asked.next() => {}
            }
        }
        // What nobody waits for any more is taken back.
        while asked.next().await.is_some() {}
        None
    }
}

#[expect(deprecated, reason = "MCP has log messages until 2027-07-28 at least")]
async fn tell(peer: &Peer<RoleServer>, token: Option<&ProgressToken>, modern: bool, message: Message) {
    use rmcp::model::{CustomNotification, LoggingMessageNotificationParam, ProgressNotificationParam};
    let told = match message {
        Message::Progress { progress, total, message } => {
            let Some(token) = token else { return };
            let mut params = ProgressNotificationParam::new(token.clone(), progress);
            params.total = total;
            params.message = message;
            peer.notify_progress(params).await
        }
        Message::Log { level, logger, data } => {
            let mut params = LoggingMessageNotificationParam::new(level.into(), data);
            params.logger = logger;
            peer.notify_logging_message(params).await
        }
        // From 2026-07-28 on there is no such word.
        Message::Visited(id) if !modern => {
            let params = json!({ "elicitationId": id });
            let told = CustomNotification::new("notifications/elicitation/complete", Some(params));
            peer.send_notification(told.into()).await
        }
        Message::Visited(_) => return,
        Message::Ask(..) | Message::Lacks(_) | Message::Begins(_) => return,
    };
    if let Err(fault) = told {
        tracing::debug!(%fault, "the client could not be told");
    }
}

/// What the client answered before of what is asked now; if it is nothing, all of it is asked.
fn round(inputs: Vec<Input>, answers: &mut InputResponses, open: &mut InputRequests) -> Reply {
    let given: Map<String, Value> = inputs.iter().filter_map(|input| answers.remove_entry(&input.key)).collect();
    if !given.is_empty() {
        return Reply::Answers(given);
    }
    for input in inputs {
        let Some(question) = words::question(input.request) else { return unknown() };
        open.insert(input.key, question);
    }
    Reply::Later
}

fn unknown() -> Reply {
    Reply::Failed("this can't be asked in MCP's words".to_owned())
}

/// Asks by requests, all at once.
async fn ask(
    peer: Peer<RoleServer>,
    inputs: Vec<Input>,
    mut reply: oneshot::Sender<Reply>,
    closing: CancellationToken,
) {
    // Ends the requests that are open when nobody waits for them any more.
    let over = CancellationToken::new();
    let questions = join_all(inputs.into_iter().map(|input| one(&peer, input.key, input.request, &over, &closing)));
    let mut questions = std::pin::pin!(questions);
    let answers = tokio::select! {
        answers = &mut questions => answers,
        () = reply.closed() => {
            over.cancel();
            questions.await
        }
    };
    let answers: Result<Map<String, Value>, String> = answers.into_iter().collect();
    let _ = reply.send(answers.map_or_else(Reply::Failed, Reply::Answers));
}

async fn one(
    peer: &Peer<RoleServer>,
    key: String,
    request: Request,
    over: &CancellationToken,
    closing: &CancellationToken,
) -> Result<(String, Value), String> {
    let request = words::request(request).ok_or("this can't be asked in MCP's words")?;
    let options = PeerRequestOptions::no_options();
    let mut handle = peer.send_cancellable_request(request, options).await.map_err(|fault| refusal(&fault))?;
    let given_up = tokio::select! {
        answer = &mut handle.rx => {
            let answer = answer.map_err(|_| "the client has left".to_owned())?.map_err(|fault| refusal(&fault))?;
            let answer = serde_json::to_value(answer).map_err(|_| "the client's answer can't be read".to_owned())?;
            return Ok((key, answer));
        }
        () = over.cancelled() => "the call was cancelled",
        () = closing.cancelled() => "the server is closing",
        () = sleep(LIFETIME) => "nobody answered in time",
    };
    take_back(handle, given_up).await;
    Err(given_up.to_owned())
}

async fn take_back(handle: RequestHandle<RoleServer>, why: &str) {
    let _ = timeout(PATIENCE, handle.cancel(Some(why.to_owned()))).await;
}

fn refusal(fault: &ServiceError) -> String {
    match fault {
        ServiceError::McpError(error) => format!("the client refused: {}", error.message),
        _ => "the client could not be asked".to_owned(),
    }
}
