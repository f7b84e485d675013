//! Bounds that outlast a reload: what runs through one still keeps the next one waiting, and what was counted counts.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::action::gate::{Bounds, Gate};

/// What is the same before and after a reload: the file, the thing in it, and its bounds.
type Key = (Option<PathBuf>, String, Bounds);

static ALL: Mutex<Vec<(Key, Weak<Gate>)>> = Mutex::new(Vec::new());

/// The gate of `owner`'s actions with these bounds.
pub fn shared(file: Option<&Path>, owner: &str, bounds: Bounds) -> Arc<Gate> {
    if bounds == Bounds::default() {
        return Arc::new(Gate::new(&bounds, owner));
    }
    let file = file.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let key = (file, owner.to_owned(), bounds);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, gate)| gate.strong_count() > 0);
    if let Some(gate) = all.iter().find(|(known, _)| *known == key).and_then(|(_, gate)| gate.upgrade()) {
        return gate;
    }
    let gate = Arc::new(Gate::new(&bounds, owner));
    all.push((key, Arc::downgrade(&gate)));
    gate
}
