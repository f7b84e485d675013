//! A transport that sees every message in order: what is said of a call reaches its caller before its answer does.

use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::{GetExtensions, GetMeta, JsonRpcMessage, ServerNotification};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;

use super::caller::Caller;
use super::calls::Calls;
use super::wanted::Wanted;

/// The notification of a server up to 2025-11-25 that its user is done at a web page.
const VISITED: &str = "notifications/elicitation/complete";

/// A transport and who listens to it.
pub struct Tap<T> {
    inner: T,
    calls: Arc<Calls>,
    wanted: Arc<Wanted>,
}

impl<T> Tap<T> {
    /// Listens to `inner`.
    pub fn new(inner: T, calls: Arc<Calls>, wanted: Arc<Wanted>) -> Self {
        Tap { inner, calls, wanted }
    }

    /// Takes what is said of a call, or to no call; gives the rest back.
    #[expect(deprecated, reason = "MCP has log messages until 2027-07-28 at least")]
    fn take(&self, said: ServerNotification) -> Option<ServerNotification> {
        match said {
            ServerNotification::ProgressNotification(told) => {
                let told = told.params;
                self.calls.progress(&told.progress_token, told.progress, told.total, told.message);
            }
            ServerNotification::LoggingMessageNotification(told) => {
                let told = told.params;
                self.calls.say(told.level.into(), told.logger.as_deref(), told.data);
            }
            ServerNotification::ToolListChangedNotification(_)
            | ServerNotification::ResourceListChangedNotification(_)
            | ServerNotification::PromptListChangedNotification(_) => self.calls.lists.notify_one(),
            ServerNotification::ResourceUpdatedNotification(told) => self.wanted.updated(&told.params.uri),
            ServerNotification::CustomNotification(told) if told.method == VISITED => {
                let id = told.params.as_ref().and_then(|params| params.get("elicitationId")?.as_str());
                id.into_iter().for_each(|id| self.calls.visited(id));
            }
            other => return Some(other),
        }
        None
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Tap<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        if let JsonRpcMessage::Request(sent) = &item
            && let Some(caller) = sent.request.extensions().get::<Caller>()
        {
            self.calls.left(sent.id.clone(), sent.request.get_meta().get_progress_token(), caller.clone());
        }
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let Some(message) = self.inner.receive().await else {
                self.calls.close();
                return None;
            };
            match message {
                JsonRpcMessage::Notification(mut said) => {
                    if let Some(notification) = self.take(said.notification) {
                        said.notification = notification;
                        return Some(JsonRpcMessage::Notification(said));
                    }
                }
                JsonRpcMessage::Response(answer) => {
                    self.calls.over(&answer.id);
                    return Some(JsonRpcMessage::Response(answer));
                }
                JsonRpcMessage::Error(error) => {
                    if let Some(id) = &error.id {
                        self.calls.over(id);
                    }
                    return Some(JsonRpcMessage::Error(error));
                }
                other => return Some(other),
            }
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.calls.close();
        self.inner.close()
    }
}
