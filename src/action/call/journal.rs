//! What a call has done so far, for a client that comes back with an answer and calls again (MCP 2026-07-28,
//! `requestState`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

/// What places of a call gave. By default nothing is kept.
#[derive(Debug, Clone, Default)]
pub struct Journal(Option<Arc<Mutex<BTreeMap<String, Value>>>>);

impl Journal {
    /// A journal that is kept, with what was done before.
    pub fn kept(before: Map<String, Value>) -> Self {
        Journal(Some(Arc::new(Mutex::new(before.into_iter().collect()))))
    }

    /// All of it.
    pub fn entries(&self) -> Map<String, Value> {
        self.with(|entries| entries.iter().map(|(place, value)| (place.clone(), value.clone())).collect())
            .unwrap_or_default()
    }

    pub(super) fn get(&self, place: &str) -> Option<Value> {
        self.with(|entries| entries.get(place).cloned()).flatten()
    }

    /// Notes what `place` gave; what its parts gave is not needed any more.
    pub(super) fn put(&self, place: &str, value: &Value) {
        self.with(|entries| {
            let below = format!("{place}.");
            let parts = entries.range(below.clone()..).map(|(known, _)| known).take_while(|k| k.starts_with(&below));
            let parts: Vec<String> = parts.cloned().collect();
            parts.iter().for_each(|part| _ = entries.remove(part));
            entries.insert(place.to_owned(), value.clone());
        });
    }

    pub(super) fn remove(&self, place: &str) {
        self.with(|entries| entries.remove(place));
    }

    fn with<T>(&self, read: impl FnOnce(&mut BTreeMap<String, Value>) -> T) -> Option<T> {
        let entries = self.0.as_ref()?;
        Some(read(&mut entries.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_whole_takes_the_place_of_its_parts() {
        let journal = Journal::kept(Map::new());
        for (place, value) in [("a.x", 1), ("a.y.z", 2), ("ab", 3), ("a", 4)] {
            journal.put(place, &json!(value));
        }
        assert_eq!(Value::Object(journal.entries()), json!({ "a": 4, "ab": 3 }));
        assert_eq!(journal.get("a"), Some(json!(4)));
        assert_eq!(journal.get("a.x"), None);
    }

    #[test]
    fn nothing_is_kept_by_default() {
        let journal = Journal::default();
        journal.put("a", &json!(1));
        assert_eq!(journal.get("a"), None);
        assert!(journal.entries().is_empty());
    }
}
