//! Telling clients what changed: each has a task or request of its own that waits on the catalog's cell, so none
//! delays another.
//!
//! A client is told of whatever changes after it was answered: its feed begins *before* the answer to `initialize`,
//! or the acknowledgement of its subscription, leaves. Before the latter its resources are looked at as well, which rmcp
//! has no room for: see [`super::foresight`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ResourceUpdatedNotificationParam, SubscriptionFilter};
use rmcp::service::{Peer, SubscriptionContext};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::task;
use tokio::time::timeout;

use super::Handler;
use super::updates::{Subscriptions, Updated};
use crate::catalog::{Catalog, ChangedLists, Visible};

/// How long one client may take to accept a notification before it is given up.
const SLOWEST: Duration = Duration::from_secs(10);
/// How often a session's end is looked for while nothing changes.
const LOOK: Duration = Duration::from_secs(30);

/// What one client has not been told yet. It keeps no catalog: the connections of one that was replaced must be
/// free to close, however slow the client is.
#[derive(Debug)]
pub struct Feed {
    catalog: watch::Receiver<Arc<Catalog>>,
    told: Visible,
    updated: broadcast::Receiver<Updated>,
}

enum News {
    Lists(ChangedLists),
    /// One resource, or all of them, where some were missed.
    Resource(Result<Updated, RecvError>),
}

impl Feed {
    /// Of what changes from now on.
    pub fn new(handler: &Handler) -> Self {
        let mut catalog = handler.catalog.clone();
        let told = catalog.borrow_and_update().visible;
        Feed { catalog, told, updated: handler.updates.listen() }
    }

    /// Waits for something that the client would see; `None` when there will be nothing. Cancel-safe.
    async fn next(&mut self) -> Option<News> {
        loop {
            tokio::select! {
                update = self.updated.recv() => {
                    return (update != Err(RecvError::Closed)).then_some(News::Resource(update));
                }
                changed = self.catalog.changed() => changed.ok()?,
            }
            let new = self.catalog.borrow_and_update().visible;
            let changed = std::mem::replace(&mut self.told, new).changed(new);
            if changed.any() {
                return Some(News::Lists(changed));
            }
        }
    }
}

/// Tells the client of a session (versions with `initialize`) until it is gone.
pub async fn session(handler: Handler, mut feed: Feed, peer: Peer<RoleServer>) {
    while !peer.is_transport_closed() {
        let news = tokio::select! {
            () = handler.closing.cancelled() => return,
            () = tokio::time::sleep(LOOK) => continue,
            news = feed.next() => news,
        };
        let telling = async {
            match news {
                Some(News::Lists(changed)) => tell_lists(&peer, changed).await,
                Some(News::Resource(update)) => tell_resources(&peer, handler.subscriptions.wanted(update)).await,
                None => Err(rmcp::ServiceError::TransportClosed),
            }
        };
        if !matches!(timeout(SLOWEST, telling).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn tell_lists(peer: &Peer<RoleServer>, changed: ChangedLists) -> Result<(), rmcp::ServiceError> {
    if changed.tools {
        peer.notify_tool_list_changed().await?;
    }
    if changed.resources {
        peer.notify_resource_list_changed().await?;
    }
    if changed.prompts {
        peer.notify_prompt_list_changed().await?;
    }
    Ok(())
}

async fn tell_resources(peer: &Peer<RoleServer>, uris: Vec<String>) -> Result<(), rmcp::ServiceError> {
    for uri in uris {
        peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await?;
    }
    Ok(())
}

/// The subscriptions that are about to be acknowledged. rmcp asks what a subscription may hold, acknowledges it and
/// then hands it over, all in the request's one task: by that each is found again.
#[derive(Debug, Default)]
pub struct Begun(Mutex<HashMap<task::Id, (Feed, Subscriptions)>>);

impl Begun {
    /// Begins a subscription; from now on nothing is missed.
    pub fn begin(&self, handler: &Handler, accepted: &SubscriptionFilter) {
        let (feed, subscriptions) = begin(handler, accepted);
        if let Some(task) = task::try_id() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task, (feed, subscriptions));
        }
    }

    fn take(&self) -> Option<(Feed, Subscriptions)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&task::try_id()?)
    }
}

fn begin(handler: &Handler, accepted: &SubscriptionFilter) -> (Feed, Subscriptions) {
    let (feed, subscriptions) = (Feed::new(handler), Subscriptions::default());
    for uri in accepted.resource_subscriptions.iter().flatten() {
        // The filter that was accepted holds no more than there may be.
        let _ = subscriptions.add(uri, &handler.updates);
    }
    (feed, subscriptions)
}

/// Answers `subscriptions/listen` (2026-07-28) until the client or the server ends it.
pub async fn subscription(handler: &Handler, context: &SubscriptionContext) {
    let begun = handler.begun.take();
    let (mut feed, subscriptions) = begun.unwrap_or_else(|| begin(handler, context.accepted()));
    loop {
        let news = tokio::select! {
            () = handler.closing.cancelled() => return,
            () = context.cancelled() => return,
            news = feed.next() => news,
        };
        let telling = async {
            match news {
                Some(News::Lists(changed)) => offer_lists(context, changed).await,
                Some(News::Resource(update)) => offer_resources(context, subscriptions.wanted(update)).await,
                None => Err(rmcp::service::SubscriptionSendError::SubscriptionClosed),
            }
        };
        if !matches!(timeout(SLOWEST, telling).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// Tells of those lists that the client asked for.
async fn offer_lists(
    context: &SubscriptionContext,
    changed: ChangedLists,
) -> Result<(), rmcp::service::SubscriptionSendError> {
    let (sink, wanted) = (context.sink(), context.accepted());
    if changed.tools && wanted.tools_list_changed == Some(true) {
        sink.notify_tool_list_changed().await?;
    }
    if changed.resources && wanted.resources_list_changed == Some(true) {
        sink.notify_resource_list_changed().await?;
    }
    if changed.prompts && wanted.prompts_list_changed == Some(true) {
        sink.notify_prompt_list_changed().await?;
    }
    Ok(())
}

async fn offer_resources(
    context: &SubscriptionContext,
    uris: Vec<String>,
) -> Result<(), rmcp::service::SubscriptionSendError> {
    for uri in uris {
        context.sink().notify_resource_updated(uri).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rmcp::ServerHandler;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::action::Trust;
    use crate::action::source::Mode;
    use crate::spec::Environment;
    use crate::spec::load::Input;

    async fn catalog(text: &str) -> Arc<Catalog> {
        let input = Input::Text(format!("server: {{ name: t }}\n{text}"));
        let loaded = Catalog::load(&input, &Environment::default(), Mode::Check, Trust::Owner, None).await;
        loaded.catalog.unwrap()
    }

    fn filter() -> SubscriptionFilter {
        let filter = serde_json::json!({ "toolsListChanged": true, "resourceSubscriptions": ["a:1"] });
        serde_json::from_value(filter).unwrap()
    }

    /// What rmcp does with a subscription, a reload coming between its acknowledgement and its handing over.
    #[tokio::test]
    async fn a_reload_between_the_acknowledgement_and_the_feed_is_told() {
        let of = |word: &str| {
            format!(
                "tools: {{ {word}: {{ text: x }} }}\nresources: {{ 'a:1': {{ text: {word}, subscribe: {{ poll: 1h }} }} }}"
            )
        };
        let cell = watch::channel(catalog(&of("one")).await).0;
        let handler = Handler::new(cell.subscribe(), CancellationToken::new());
        let two = catalog(&of("two")).await;
        let request = tokio::spawn(async move {
            let accepted = handler.accepted_subscription_filter(&filter()).unwrap();
            assert_eq!(accepted.resource_subscriptions.as_deref(), Some(&["a:1".to_owned()][..]));
            cell.send_replace(two);
            let (mut feed, subscriptions) = handler.begun.take().unwrap();
            assert!(handler.begun.take().is_none());
            let (mut lists, mut resources) = (0, 0);
            while (lists, resources) != (1, 1) {
                match feed.next().await.unwrap() {
                    News::Lists(changed) => lists += usize::from(changed.tools),
                    News::Resource(update) => resources += subscriptions.wanted(update).len(),
                }
            }
        });
        timeout(Duration::from_secs(30), request).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn two_subscriptions_that_begin_at_once_are_not_mixed_up() {
        let handler = Handler::new(watch::channel(catalog("").await).1, CancellationToken::new());
        let begin = |uris: &'static [&'static str]| {
            let handler = handler.clone();
            async move {
                let mut accepted = filter();
                accepted.resource_subscriptions = Some(uris.iter().map(|uri| (*uri).to_owned()).collect());
                handler.begun.begin(&handler, &accepted);
                task::yield_now().await;
                let (_, subscriptions) = handler.begun.take().unwrap();
                subscriptions.wanted(Err(RecvError::Lagged(1)))
            }
        };
        let (one, other) = (tokio::spawn(begin(&["a:1"])), tokio::spawn(begin(&["a:2"])));
        assert_eq!((one.await.unwrap(), other.await.unwrap()), (vec!["a:1".to_owned()], vec!["a:2".to_owned()]));
    }
}
