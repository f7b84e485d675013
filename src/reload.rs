//! Hot reload: a trigger, a load, and then either one swap or a report; the catalog that serves is only ever
//! replaced by a whole one.

pub mod trigger;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::action::source::Mode;
use crate::catalog::{Catalog, Changes, Loaded};
use crate::spec::Environment;
use crate::spec::load::Input;
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

    /// Every path that a load depends on.
    pub fn paths(&self, loaded: &Loaded) -> Vec<PathBuf> {
        loaded.inputs.iter().chain(&self.environment_files).cloned().collect()
    }
}

/// What became of a reload.
pub enum Report<'a> {
    /// The new catalog serves; these lists changed.
    Swapped(&'a Arc<Catalog>, Changes, &'a Loaded),
    /// The spec is at fault: the old catalog serves on.
    Refused(&'a Arc<Catalog>, Refusal, &'a Loaded),
    /// The environment can't be read: the old catalog serves on.
    NotRead(String),
}

/// An edit that was refused while an older catalog serves on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: SystemTime,
    /// How many errors it had.
    pub errors: usize,
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
    origin: &Origin,
    mut trigger: Trigger,
    cells: &Cells,
    closing: &CancellationToken,
    report: impl Fn(Report<'_>),
) {
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            _cause = trigger.changed() => {}
        }
        let old = cells.catalog.borrow().clone();
        let loaded = match origin.load(Some(&old)).await {
            Ok(loaded) => loaded,
            Err(words) => {
                refuse(cells, 1);
                report(Report::NotRead(words));
                continue;
            }
        };
        trigger.set_paths(&origin.paths(&loaded));
        match &loaded.catalog {
            Some(new) => {
                let changes = Changes::between(&old, new);
                cells.refusal.send_replace(None);
                cells.catalog.send_replace(new.clone());
                report(Report::Swapped(new, changes, &loaded));
            }
            None => {
                let refusal = refuse(cells, loaded.diagnostics.errors());
                report(Report::Refused(&old, refusal, &loaded));
            }
        }
    }
}

fn refuse(cells: &Cells, errors: usize) -> Refusal {
    let refusal = Refusal { at: SystemTime::now(), errors };
    cells.refusal.send_replace(Some(refusal.clone()));
    refusal
}
