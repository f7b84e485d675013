//! Hot reload: a trigger, a load, and then either one swap or a report; the catalog that serves is only ever
//! replaced by a whole one.

pub mod trigger;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::action::source::Mode;
use crate::catalog::{Catalog, ChangedLists, Changes, Loaded, Lock};
use crate::spec::Environment;
use crate::spec::load::{self, Input};
use trigger::Trigger;

/// What a server is loaded from, again and again.
pub struct Origin {
    /// The spec.
    pub input: Input,
    /// Whether specs that others may write are taken.
    pub trust: crate::action::Trust,
    /// Reads the environment anew; words if that fails.
    pub environment: Box<dyn Fn() -> Result<Environment, String> + Send + Sync>,
    /// Files that the environment is read from.
    pub environment_files: Vec<PathBuf>,
    /// The lock that what clients see is held to, if it is.
    pub lock: Option<PathBuf>,
}

impl Origin {
    /// Loads, with the connections of `previous` carried over.
    ///
    /// # Errors
    /// Words, if the environment can't be read.
    pub async fn load(&self, previous: Option<&Catalog>) -> Result<Loaded, String> {
        let environment = (self.environment)()?;
        Ok(Catalog::load(&self.input, &environment, Mode::Serve, self.trust, previous).await)
    }

    /// What clients would see otherwise than the lock has it; nothing without a lock, or without a catalog.
    ///
    /// # Errors
    /// Words, if the lock can't be read.
    pub fn drift(&self, loaded: &Loaded) -> Result<Changes, String> {
        let (Some(path), Some(catalog)) = (&self.lock, &loaded.catalog) else { return Ok(Changes::default()) };
        let lock = load::read_text(path).and_then(|text| Lock::parse(&text));
        let words = |why| format!("can't read {}: {why}; `mcp-declare lock` writes it", path.display());
        Ok(lock.map_err(words)?.drift(catalog))
    }

    /// Every path that a load depends on.
    pub fn paths(&self, loaded: &Loaded) -> Vec<PathBuf> {
        loaded.inputs.iter().chain(&self.environment_files).chain(&self.lock).cloned().collect()
    }
}

/// What became of a reload.
pub enum Report<'a> {
    /// The new catalog serves.
    Swapped {
        /// It.
        catalog: &'a Catalog,
        /// What clients see change.
        changes: Changes,
        /// The lists in which they do.
        lists: ChangedLists,
        /// What was found in the spec.
        loaded: &'a Loaded,
    },
    /// The spec is at fault: the old catalog serves on.
    Refused {
        /// The one that serves on.
        catalog: &'a Catalog,
        /// When and how badly.
        refusal: Refusal,
        /// What was found in the spec.
        loaded: &'a Loaded,
    },
    /// Clients would see something else than the lock has: the old catalog serves on.
    Drifted {
        /// The one that serves on.
        catalog: &'a Catalog,
        /// When, and how much.
        refusal: Refusal,
        /// What they would see otherwise.
        changes: Changes,
        /// What was found in the spec.
        loaded: &'a Loaded,
    },
    /// The environment or the lock can't be read, and these are the words for it: the old catalog serves on.
    NotRead {
        /// The one that serves on.
        catalog: &'a Catalog,
        /// When; counted as one error.
        refusal: Refusal,
        /// Why.
        why: String,
    },
}

/// An edit that was refused while an older catalog serves on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: SystemTime,
    /// Why.
    pub why: Why,
}

/// Why an edit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It had so many errors.
    Errors(usize),
    /// So much is not as it was locked.
    Drift(usize),
}

/// Where the server stands; the cell that reloads swap, and the last refused edit since.
#[derive(Debug, Clone)]
pub struct Cells {
    /// The catalog that serves.
    pub catalog: watch::Sender<Arc<Catalog>>,
    /// The refused edit that it outlived.
    pub refusal: watch::Sender<Option<Refusal>>,
}

/// Reloads at each trigger until `closing`. A connection that the new catalog does not use closes when the
/// last call on the old one has ended.
pub async fn run(
    origin: Arc<Origin>,
    mut trigger: Trigger,
    cells: &Cells,
    closing: &CancellationToken,
    report: impl Fn(Report<'_>),
) {
    loop {
        let old = cells.catalog.borrow().clone();
        tokio::select! {
            () = closing.cancelled() => return,
            _cause = trigger.changed() => {}
            () = old.recovered() => {}
        }
        match load_aside(&origin, &old).await {
            Ok((loaded, drift)) => {
                trigger.set_paths(&origin.paths(&loaded));
                report(settle(&old, &loaded, drift, cells));
            }
            Err(why) => report(Report::NotRead { catalog: &old, refusal: refuse(cells, Why::Errors(1)), why }),
        }
    }
}

/// Loads on a thread of its own: to compile a large spec takes long, and nothing in it lets a call pass.
async fn load_aside(origin: &Arc<Origin>, old: &Arc<Catalog>) -> Result<(Loaded, Changes), String> {
    let (origin, old, runtime) = (origin.clone(), old.clone(), Handle::current());
    let loading = tokio::task::spawn_blocking(move || {
        let loaded = runtime.block_on(origin.load(Some(&old)))?;
        let drift = origin.drift(&loaded)?;
        Ok((loaded, drift))
    });
    loading.await.unwrap_or_else(|_| Err("loading broke off; this is a mistake of the program".to_owned()))
}

/// Swaps the catalog, if there is a new one that shows what it may.
fn settle<'a>(old: &'a Arc<Catalog>, loaded: &'a Loaded, drift: Changes, cells: &Cells) -> Report<'a> {
    let Some(new) = &loaded.catalog else {
        let refusal = refuse(cells, Why::Errors(loaded.diagnostics.errors()));
        return Report::Refused { catalog: old, refusal, loaded };
    };
    if !drift.is_empty() {
        let refusal = refuse(cells, Why::Drift(drift.iter().len()));
        return Report::Drifted { catalog: old, refusal, changes: drift, loaded };
    }
    cells.refusal.send_replace(None);
    cells.catalog.send_replace(new.clone());
    let (changes, lists) = (Changes::between(old, new), old.visible.changed(new.visible));
    Report::Swapped { catalog: new, changes, lists, loaded }
}

fn refuse(cells: &Cells, why: Why) -> Refusal {
    let refusal = Refusal { at: SystemTime::now(), why };
    cells.refusal.send_replace(Some(refusal.clone()));
    refusal
}
