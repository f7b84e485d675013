//! Telling clients that lists changed: each has a task or request of its own that waits on the catalog's
//! cell, so none delays another.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, SubscriptionContext};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Handler;
use super::updates::Subscriptions;
use crate::catalog::{Catalog, Changes};

/// How long one client may take to accept a notification before it is given up.
const SLOWEST: Duration = Duration::from_secs(10);
/// How often a session's end is looked for while nothing changes.
const LOOK: Duration = Duration::from_secs(30);

/// The changes that one client has not been told yet.
struct Feed {
    catalog: watch::Receiver<Arc<Catalog>>,
    told: Arc<Catalog>,
}

impl Feed {
    fn new(handler: &Handler) -> Self {
        let mut catalog = handler.catalog.clone();
        let told = catalog.borrow_and_update().clone();
        Feed { catalog, told }
    }

    /// Waits for a catalog whose lists differ; `None` when there will be none.
    async fn next(&mut self) -> Option<Changes> {
        loop {
            self.catalog.changed().await.ok()?;
            let new = self.catalog.borrow_and_update().clone();
            let changes = Changes::between(&self.told, &new);
            self.told = new;
            if changes.any() {
                return Some(changes);
            }
        }
    }
}

/// Tells the client of a session (versions with `initialize`) until it is gone.
pub async fn session(handler: Handler, peer: Peer<RoleServer>) {
    let mut feed = Feed::new(&handler);
    let mut updates = handler.updates.listen();
    while !peer.is_transport_closed() {
        tokio::select! {
            () = handler.closing.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
            update = updates.recv() => {
                for uri in handler.subscriptions.wanted(update) {
                    let told = peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri));
                    if !matches!(timeout(SLOWEST, told).await, Ok(Ok(()))) {
                        return;
                    }
                }
            }
            changes = feed.next() => {
                let Some(changes) = changes else { return };
                if !matches!(timeout(SLOWEST, tell(&peer, changes)).await, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}

async fn tell(peer: &Peer<RoleServer>, changes: Changes) -> Result<(), rmcp::ServiceError> {
    if changes.tools {
        peer.notify_tool_list_changed().await?;
    }
    if changes.resources {
        peer.notify_resource_list_changed().await?;
    }
    if changes.prompts {
        peer.notify_prompt_list_changed().await?;
    }
    Ok(())
}

/// Answers `subscriptions/listen` (2026-07-28) until the client or the server ends it.
pub async fn subscription(handler: &Handler, context: &SubscriptionContext) {
    let mut feed = Feed::new(handler);
    let mut updates = handler.updates.listen();
    let subscriptions = Subscriptions::default();
    for uri in context.accepted().resource_subscriptions.iter().flatten() {
        // The filter that was accepted holds no more than there may be.
        let _ = subscriptions.add(uri, &handler.updates);
    }
    loop {
        tokio::select! {
            () = handler.closing.cancelled() => return,
            () = context.cancelled() => return,
            update = updates.recv() => {
                for uri in subscriptions.wanted(update) {
                    if !matches!(timeout(SLOWEST, context.sink().notify_resource_updated(uri)).await, Ok(Ok(()))) {
                        return;
                    }
                }
            }
            changes = feed.next() => {
                let Some(changes) = changes else { return };
                let sink = context.sink();
                let wanted = sink.accepted();
                let (tools, resources, prompts) = (
                    changes.tools && wanted.tools_list_changed == Some(true),
                    changes.resources && wanted.resources_list_changed == Some(true),
                    changes.prompts && wanted.prompts_list_changed == Some(true),
                );
                let telling = async {
                    if tools {
                        sink.notify_tool_list_changed().await?;
                    }
                    if resources {
                        sink.notify_resource_list_changed().await?;
                    }
                    if prompts {
                        sink.notify_prompt_list_changed().await?;
                    }
                    Ok::<(), rmcp::service::SubscriptionSendError>(())
                };
                if !matches!(timeout(SLOWEST, telling).await, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}
