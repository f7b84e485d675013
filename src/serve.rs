//! The MCP server: one handler over the current catalog, two transports.

#[cfg(test)]
pub(crate) mod echo;
mod feed;
mod handler;
pub mod http;
pub mod methods;
pub mod stdio;
pub mod wire;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;

/// The handler of every client: it answers from the catalog that is current when a request comes in.
#[derive(Debug, Clone)]
pub struct Handler {
    catalog: watch::Receiver<Arc<Catalog>>,
    /// Whether the catalog may still change, so that lists that are empty now are declared too.
    reloads: bool,
    closing: CancellationToken,
}

impl Handler {
    /// A handler over the cell that reloads swap. `closing` ends what waits for changes.
    pub fn new(catalog: watch::Receiver<Arc<Catalog>>, reloads: bool, closing: CancellationToken) -> Self {
        Handler { catalog, reloads, closing }
    }

    fn current(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }
}
