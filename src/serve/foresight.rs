//! Looking at the resources of a subscription (2026-07-28) before it is acknowledged, so that whatever changes from then
//! on is told. rmcp has no room for that: over stdio [`Foresighted`] stands before it, over HTTP [`super::http`].

use std::borrow::Cow;
use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rmcp::model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult, SubscriptionFilter};
use rmcp::service::{NotificationContext, RequestContext, Service};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::Handler;
use super::updates::Ahead;

/// A handler that may have to look at something before a subscription is acknowledged.
pub trait Foresight: ServerHandler {
    /// Looks at the resources of a subscription; what this gives is kept until the subscription is over.
    fn look_ahead(&self, _requested: &SubscriptionFilter) -> BoxFuture<'static, Ahead> {
        ready(Ahead::default()).boxed()
    }
}

impl Foresight for Handler {
    fn look_ahead(&self, requested: &SubscriptionFilter) -> BoxFuture<'static, Ahead> {
        let accepted = self.acceptable(requested);
        Ahead::new(accepted.resource_subscriptions.iter().flatten(), &self.updates).seen().boxed()
    }
}

/// A handler whose subscriptions are looked at before rmcp acknowledges them.
pub struct Foresighted<H>(pub H);

impl<H: Foresight> Service<RoleServer> for Foresighted<H> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let _looked = match &request {
            ClientRequest::SubscriptionsListenRequest(listen) => {
                Some(self.0.look_ahead(&listen.params.notifications).await)
            }
            _ => None,
        };
        self.0.handle_request(request, context).await
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        ServerHandler::get_info(&self.0)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        ServerHandler::supported_protocol_versions(&self.0)
    }
}
