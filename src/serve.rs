//! The MCP server: one handler over the current catalog, two transports.

mod ask;
#[cfg(test)]
pub(crate) mod echo;
mod feed;
mod foresight;
mod handler;
pub mod http;
pub mod methods;
mod random;
pub mod stdio;
mod tasks;
mod updates;
pub mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::action::call::Level;
use crate::catalog::Catalog;
use ask::Seal;
use feed::{Begun, Feed};
use tasks::Tasks;
use updates::{Subscriptions, Updates};

/// The handler of every client: it answers from the catalog that is current when a request comes in.
#[derive(Debug, Clone)]
pub struct Handler {
    catalog: watch::Receiver<Arc<Catalog>>,
    closing: CancellationToken,
    seal: Arc<Seal>,
    /// The least level of log messages that the client of a session wants (`logging/setLevel`).
    level: watch::Sender<Level>,
    /// Those of all clients.
    tasks: Arc<Tasks>,
    /// Those of all clients.
    updates: Arc<Updates>,
    /// Those of this client; its session's end drops them.
    subscriptions: Arc<Subscriptions>,
    /// Whether this client's session is told of changes.
    told: Arc<AtomicBool>,
    /// What a session that was answered and is not told yet has missed.
    feed: Arc<Mutex<Option<Feed>>>,
    /// Those of this client's subscriptions that are not acknowledged yet.
    begun: Arc<Begun>,
}

impl Handler {
    /// A handler over the cell that reloads swap. `closing` ends what waits for changes.
    pub fn new(catalog: watch::Receiver<Arc<Catalog>>, closing: CancellationToken) -> Self {
        let updates = Arc::new(Updates::new(catalog.clone()));
        let tasks = Arc::new(Tasks::new(closing.clone()));
        let level = watch::Sender::new(Level::Info);
        let seal = Arc::new(Seal::random());
        let (subscriptions, told, feed, begun) = Default::default();
        Handler { catalog, closing, seal, level, tasks, updates, subscriptions, told, feed, begun }
    }

    /// The same for another client.
    pub fn for_another(&self) -> Self {
        let level = watch::Sender::new(Level::Info);
        let (subscriptions, told, feed, begun) = Default::default();
        Handler { subscriptions, told, feed, begun, level, ..self.clone() }
    }

    /// Keeps what changes from now on for the session that is being answered.
    fn answered(&self) {
        if !self.told.load(Ordering::Relaxed) {
            *self.feed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Feed::new(self));
        }
    }

    /// What the session has to be told since it was answered, if it is not told of changes yet; from now on it is.
    /// A client may say again and again that it is initialized, and gets one feed.
    fn begins(&self) -> Option<Feed> {
        if self.told.swap(true, Ordering::Relaxed) {
            return None;
        }
        let feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(feed.unwrap_or_else(|| Feed::new(self)))
    }

    fn current(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }
}
