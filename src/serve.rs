//! The MCP server: one handler over the current catalog, two transports.

mod ask;
#[cfg(test)]
pub(crate) mod echo;
mod feed;
mod handler;
pub mod http;
pub mod methods;
pub mod stdio;
mod updates;
pub mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::action::call::Level;
use crate::catalog::Catalog;
use ask::Seal;
use updates::{Subscriptions, Updates};

/// The handler of every client: it answers from the catalog that is current when a request comes in.
#[derive(Debug, Clone)]
pub struct Handler {
    catalog: watch::Receiver<Arc<Catalog>>,
    /// Whether the catalog may still change, so that lists that are empty now are declared too.
    reloads: bool,
    closing: CancellationToken,
    seal: Arc<Seal>,
    /// The least level of log messages that the client of a session wants (`logging/setLevel`).
    level: watch::Sender<Level>,
    /// Those of all clients.
    updates: Arc<Updates>,
    /// Those of this client; its session's end drops them.
    subscriptions: Arc<Subscriptions>,
    /// Whether this client's session is told of changes.
    told: Arc<AtomicBool>,
}

impl Handler {
    /// A handler over the cell that reloads swap. `closing` ends what waits for changes.
    pub fn new(catalog: watch::Receiver<Arc<Catalog>>, reloads: bool, closing: CancellationToken) -> Self {
        let updates = Arc::new(Updates::new(catalog.clone()));
        let level = watch::Sender::new(Level::Info);
        let (seal, subscriptions, told) = (Arc::new(Seal::random()), Arc::default(), Arc::default());
        Handler { catalog, reloads, closing, seal, level, updates, subscriptions, told }
    }

    /// The same for another client.
    pub fn for_another(&self) -> Self {
        let level = watch::Sender::new(Level::Info);
        Handler { subscriptions: Arc::default(), told: Arc::default(), level, ..self.clone() }
    }

    /// Whether the session is not told of changes yet; from now on it is. A client may say again and again that
    /// it is initialized, and gets one feed.
    fn begins(&self) -> bool {
        let changes = self.reloads || self.current().has_subscriptions();
        changes && !self.told.swap(true, Ordering::Relaxed)
    }

    fn current(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }
}
