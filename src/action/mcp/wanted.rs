//! Resources that somebody here wants to hear of: the server is subscribed to as long as one is wanted.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, watch};

/// Updates that a watcher may be behind before it looks at everything.
const BEHIND: usize = 256;

/// What is wanted of one server, over all its connections.
#[derive(Debug)]
pub struct Wanted {
    uris: Mutex<HashMap<Arc<str>, usize>>,
    /// What is wanted has changed.
    pub changed: Notify,
    /// What the server has been asked for on the connection that there is.
    asked: watch::Sender<BTreeSet<Arc<str>>>,
    updated: broadcast::Sender<Arc<str>>,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted {
            uris: Mutex::default(),
            changed: Notify::new(),
            asked: watch::channel(BTreeSet::new()).0,
            updated: broadcast::channel(BEHIND).0,
        }
    }
}

impl Wanted {
    /// All that is wanted now.
    pub fn all(&self) -> BTreeSet<Arc<str>> {
        self.uris.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// The server has been asked for these.
    pub fn asked_for(&self, uris: BTreeSet<Arc<str>>) {
        self.asked.send_replace(uris);
    }

    /// The server says that a resource has changed.
    pub fn updated(&self, uri: &str) {
        // Fails only where nobody listens.
        let _ = self.updated.send(uri.into());
    }

    /// Every resource may have changed: the connection is another one.
    pub fn all_updated(&self) {
        self.all().iter().for_each(|uri| self.updated(uri));
    }

    /// Wants a resource, until the watch is dropped.
    pub fn watch(self: &Arc<Self>, uri: &str) -> Watching {
        let uri: Arc<str> = uri.into();
        let updates = self.updated.subscribe();
        *self.uris.lock().unwrap_or_else(PoisonError::into_inner).entry(uri.clone()).or_default() += 1;
        self.changed.notify_one();
        Watching { wanted: self.clone(), uri, updates }
    }
}

/// A resource that is wanted.
#[derive(Debug)]
pub struct Watching {
    wanted: Arc<Wanted>,
    uri: Arc<str>,
    updates: broadcast::Receiver<Arc<str>>,
}

impl Watching {
    /// Waits until the server has been asked for it.
    pub async fn asked(&self) {
        // The other end is kept here.
        let _ = self.wanted.asked.subscribe().wait_for(|asked| asked.contains(&self.uri)).await;
    }

    /// Waits for the next time that it may have changed. Cancel-safe.
    pub async fn next(&mut self) {
        loop {
            match self.updates.recv().await {
                Ok(uri) if uri == self.uri => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut all = self.wanted.uris.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.uri) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&self.uri);
                self.wanted.changed.notify_one();
            }
        }
    }
}
