//! Calls that stay open at a server up to 2025-11-25 while our client is asked by the answer to its own call, and calls
//! again with what it was asked for (MCP 2026-07-28, multi round-trip requests).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::caller::Caller;
use super::flight::Flight;
use crate::action::call::LIFETIME;

/// Calls of one connection that wait for their clients.
const MOST_OPEN: usize = 64;

/// The calls of one connection that wait for their clients.
#[derive(Debug, Clone, Default)]
pub struct Open(Arc<Mutex<HashMap<String, Waiting>>>);

/// A call that waits. Whoever drops it takes it back at the server.
#[derive(Debug)]
struct Waiting {
    flight: Flight,
    caller: Caller,
    _end: AbortOnDropHandle<()>,
}

impl Open {
    /// Keeps a call until its client comes back with the name that this gives, for as long as a client has time for
    /// that. The name is used once in the life of this process; that nobody makes one up is seen to by who signs it.
    /// `None`, and the call is taken back, where too many wait.
    pub fn keep(&self, flight: Flight, caller: Caller) -> Option<String> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let (all, own) = (Arc::downgrade(&self.0), name.clone());
        let mut waiting = lock(&self.0);
        if waiting.len() >= MOST_OPEN {
            return None;
        }
        let end = tokio::spawn(async move {
            sleep(LIFETIME).await;
            // Dropped when the lock is not held any more, as what that does is none of ours.
            let late = all.upgrade().and_then(|all| lock(&all).remove(&own));
            drop(late);
        });
        waiting.insert(name.clone(), Waiting { flight, caller, _end: AbortOnDropHandle::new(end) });
        Some(name)
    }

    /// The call of this name, once.
    pub fn take(&self, name: &str) -> Option<(Flight, Caller)> {
        lock(&self.0).remove(name).map(|waiting| (waiting.flight, waiting.caller))
    }

    /// Takes all of them back.
    pub fn clear(&self) {
        let all = std::mem::take(&mut *lock(&self.0));
        drop(all);
    }
}

fn lock(all: &Mutex<HashMap<String, Waiting>>) -> MutexGuard<'_, HashMap<String, Waiting>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}
