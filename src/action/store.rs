//! Answers that are kept: bounded, those that were not asked for the longest go first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// No answer takes more than this part of the room.
const LARGEST: usize = 4;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Answers.
    pub entries: usize,
    /// Bytes of all answers, and of what they are found by.
    pub bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Room { entries: 1000, bytes: 16 << 20 }
    }
}

/// What can be kept.
pub trait Keep {
    /// Bytes that it takes.
    fn size(&self) -> usize;

    /// Whether it is an answer to the same as the other, which has the same name.
    fn is_like(&self, other: &Self) -> bool;
}

/// A bounded store. An answer has a name, and there may be several of one name.
#[derive(Debug)]
pub struct Store<T> {
    room: Room,
    shelf: Mutex<Shelf<T>>,
}

#[derive(Debug)]
struct Shelf<T> {
    /// By name.
    slots: HashMap<String, Vec<Slot<T>>>,
    entries: usize,
    bytes: usize,
    /// Counts the look-ups.
    clock: u64,
}

#[derive(Debug)]
struct Slot<T> {
    kept: Arc<T>,
    size: usize,
    used: u64,
}

impl<T: Keep> Store<T> {
    /// An empty one.
    pub fn new(room: Room) -> Self {
        let shelf = Shelf { slots: HashMap::new(), entries: 0, bytes: 0, clock: 0 };
        Store { room, shelf: Mutex::new(shelf) }
    }

    /// Bytes that one answer may have.
    pub fn largest(&self) -> usize {
        self.room.bytes / LARGEST
    }

    /// The answer of this name that is the right one, fresh or not.
    pub fn find(&self, name: &str, is: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let mut shelf = self.shelf();
        shelf.clock += 1;
        let now = shelf.clock;
        let slot = shelf.slots.get_mut(name)?.iter_mut().find(|slot| is(&slot.kept))?;
        slot.used = now;
        Some(slot.kept.clone())
    }

    /// Keeps an answer in place of what was kept for the same.
    pub fn put(&self, name: &str, kept: T) {
        let size = kept.size().saturating_add(name.len());
        let mut shelf = self.shelf();
        shelf.remove(name, |slot| slot.kept.is_like(&kept));
        if size > self.largest() {
            return;
        }
        while shelf.entries >= self.room.entries || shelf.bytes.saturating_add(size) > self.room.bytes {
            if !shelf.remove_oldest() {
                break;
            }
        }
        shelf.clock += 1;
        shelf.entries += 1;
        shelf.bytes += size;
        let slot = Slot { kept: Arc::new(kept), size, used: shelf.clock };
        shelf.slots.entry(name.to_owned()).or_default().push(slot);
    }

    /// Forgets what is kept by a name.
    pub fn forget(&self, name: &str) {
        self.shelf().remove(name, |_| true);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<T>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Shelf<T> {
    fn remove(&mut self, name: &str, which: impl Fn(&Slot<T>) -> bool) {
        let Some(slots) = self.slots.get_mut(name) else { return };
        for slot in slots.extract_if(.., |slot| which(slot)) {
            self.entries -= 1;
            self.bytes -= slot.size;
        }
        if slots.is_empty() {
            self.slots.remove(name);
        }
    }

    /// Whether there was one.
    fn remove_oldest(&mut self) -> bool {
        let all = self.slots.iter().flat_map(|(name, slots)| slots.iter().map(move |slot| (slot.used, name)));
        let Some((used, name)) = all.min_by_key(|(used, _)| *used).map(|(used, name)| (used, name.clone())) else {
            return false;
        };
        self.remove(&name, |slot| slot.used == used);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(usize);

    impl Keep for Bytes {
        fn size(&self) -> usize {
            self.0
        }
        fn is_like(&self, _: &Self) -> bool {
            true
        }
    }

    fn taken(store: &Store<Bytes>) -> (usize, usize, usize) {
        let shelf = store.shelf();
        (shelf.entries, shelf.bytes, shelf.slots.len())
    }

    #[test]
    fn holds_no_more_than_its_room() {
        let store = Store::new(Room { entries: 2, bytes: 4000 });
        let has = |name: &str| store.find(name, |_| true).is_some();
        for name in ["1", "2"] {
            store.put(name, Bytes(10));
        }
        assert!(has("1"));
        store.put("3", Bytes(10));
        assert!(has("1") && !has("2") && has("3"), "the one not asked for goes first");
        store.put("4", Bytes(2000));
        assert!(!has("4"), "it takes too much");
        store.put("3", Bytes(2000));
        assert!(!has("3"), "what it stands in place of is gone too");
        store.put("1", Bytes(20));
        assert_eq!(taken(&store), (1, 21, 1));
        store.forget("1");
        assert_eq!(taken(&store), (0, 0, 0));
    }

    #[test]
    fn holds_no_more_bytes_than_its_room() {
        let store = Store::new(Room { entries: 100, bytes: 4000 });
        for n in 0..100 {
            store.put(&format!("{n:02}"), Bytes(900));
        }
        assert_eq!(taken(&store), (4, 4 * 902, 4));
    }
}
