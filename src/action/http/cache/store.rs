//! The answers of one source that are kept: bounded, those that were not asked for the longest go first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Kept, Key};
use crate::action::http::source::Room;

/// No answer takes more than this part of the room.
const LARGEST: usize = 4;

/// A bounded store.
#[derive(Debug)]
pub struct Store {
    room: Room,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// By URL.
    slots: HashMap<String, Vec<Slot>>,
    entries: usize,
    bytes: usize,
    /// Counts the look-ups.
    clock: u64,
}

#[derive(Debug)]
struct Slot {
    kept: Arc<Kept>,
    used: u64,
}

impl Store {
    /// An empty one.
    pub fn new(room: Room) -> Store {
        Store { room, shelf: Mutex::default() }
    }

    /// Bytes that one body may have.
    pub fn largest(&self) -> usize {
        self.room.bytes / LARGEST
    }

    /// The answer that is kept for this, fresh or not.
    pub fn find(&self, key: &Key) -> Option<Arc<Kept>> {
        let mut shelf = self.shelf();
        shelf.clock += 1;
        let now = shelf.clock;
        let slot = shelf.slots.get_mut(key.url.as_str())?.iter_mut().find(|slot| slot.kept.key == *key)?;
        slot.used = now;
        Some(slot.kept.clone())
    }

    /// Keeps an answer in place of what was kept for the same.
    pub fn put(&self, kept: Kept) {
        let size = kept.size();
        if size > self.largest() {
            return;
        }
        let mut shelf = self.shelf();
        shelf.remove(|slot| slot.kept.key == kept.key, kept.key.url.as_str());
        while shelf.entries >= self.room.entries || shelf.bytes + size > self.room.bytes {
            if !shelf.remove_oldest() {
                break;
            }
        }
        shelf.clock += 1;
        let (now, url) = (shelf.clock, kept.key.url.as_str().to_owned());
        shelf.entries += 1;
        shelf.bytes += size;
        shelf.slots.entry(url).or_default().push(Slot { kept: Arc::new(kept), used: now });
    }

    /// Forgets what is kept of a URL (RFC 9111 section 4.4).
    pub fn forget(&self, url: &str) {
        self.shelf().remove(|_| true, url);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn remove(&mut self, which: impl Fn(&Slot) -> bool, url: &str) {
        let Some(slots) = self.slots.get_mut(url) else { return };
        for slot in slots.extract_if(.., |slot| which(slot)) {
            self.entries -= 1;
            self.bytes -= slot.kept.size();
        }
        if slots.is_empty() {
            self.slots.remove(url);
        }
    }

    /// Whether there was one.
    fn remove_oldest(&mut self) -> bool {
        let all = self.slots.iter().flat_map(|(url, slots)| slots.iter().map(move |slot| (slot.used, url)));
        let Some((used, url)) = all.min_by_key(|(used, _)| *used).map(|(used, url)| (used, url.clone())) else {
            return false;
        };
        self.remove(|slot| slot.used == used, &url);
        true
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use tokio::time::Instant;

    use super::super::Keep;
    use super::*;

    fn key(url: &str) -> Key {
        Key { url: url.parse().unwrap(), headers: HeaderMap::new(), keep: Keep { ttl: None } }
    }

    fn kept(url: &str, bytes: usize) -> Kept {
        let body = vec![0; bytes].into();
        Kept { key: key(url), status: reqwest::StatusCode::OK, headers: HeaderMap::new(), body, stale: Instant::now() }
    }

    #[test]
    fn holds_no_more_than_its_room() {
        let store = Store::new(Room { entries: 2, bytes: 4000 });
        let has = |url: &str| store.find(&key(url)).is_some();
        for url in ["http://a/1", "http://a/2"] {
            store.put(kept(url, 10));
        }
        assert!(has("http://a/1"));
        store.put(kept("http://a/3", 10));
        assert!(has("http://a/1") && !has("http://a/2") && has("http://a/3"), "the one not asked for goes first");
        store.put(kept("http://a/4", 2000));
        assert!(!has("http://a/4"), "it takes too much");
        store.put(kept("http://a/1", 20));
        store.forget("http://a/3");
        let taken = |store: &Store| {
            let shelf = store.shelf();
            (shelf.entries, shelf.bytes, shelf.slots.len())
        };
        assert_eq!(taken(&store), (1, 30, 1));
        store.forget("http://a/1");
        assert_eq!(taken(&store), (0, 0, 0));
        let store = Store::new(Room { entries: 100, bytes: 4000 });
        for n in 0..100 {
            store.put(kept(&format!("http://a/{n}"), 900));
        }
        assert_eq!(taken(&store), (4, 4 * 911, 4));
    }
}
