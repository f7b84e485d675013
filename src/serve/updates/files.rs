//! The files that somebody is subscribed to, watched all together: one watcher of the operating system, however many
//! files and subscribers there are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use crate::reload::trigger::{Cause, Trigger, WatchConfig};

/// Files that are watched at the same time; those on top are looked at now and then.
const MOST_FILES: usize = 4096;

/// The watched files. The watcher is made for the first of them.
#[derive(Debug, Default)]
pub struct Files {
    shared: Arc<Shared>,
    keeper: OnceLock<AbortOnDropHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    /// Rings when other files are wanted.
    others: Notify,
}

#[derive(Debug, Default)]
struct Wanted {
    files: HashMap<u64, (PathBuf, Arc<Notify>)>,
    next: u64,
}

/// A file that is watched until this is dropped.
#[derive(Debug)]
pub struct FileWatch {
    shared: Arc<Shared>,
    number: u64,
    changed: Arc<Notify>,
}

impl Files {
    /// Watches a file, which need not be there. `None` when there are too many.
    pub fn watch(&self, path: PathBuf) -> Option<FileWatch> {
        let changed = Arc::new(Notify::new());
        let number = {
            let mut wanted = self.shared.wanted();
            if wanted.files.len() >= MOST_FILES {
                return None;
            }
            let number = wanted.next;
            wanted.next = number.wrapping_add(1);
            wanted.files.insert(number, (path, changed.clone()));
            number
        };
        self.keeper.get_or_init(|| AbortOnDropHandle::new(tokio::spawn(keep(self.shared.clone()))));
        self.shared.others.notify_one();
        Some(FileWatch { shared: self.shared.clone(), number, changed })
    }
}

impl FileWatch {
    /// Resolves when what is behind the path may be another, and once when the watching has begun: what changed before that
    /// is found by looking then. Cancel-safe.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        self.shared.wanted().files.remove(&self.number);
        self.shared.others.notify_one();
    }
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The paths, and who is told when those with a number from `first` on are watched.
    fn since(&self, first: &mut u64) -> (Vec<PathBuf>, Vec<Arc<Notify>>) {
        let wanted = self.wanted();
        let new = wanted.files.iter().filter(|(number, _)| **number >= *first).map(|(_, (_, changed))| changed.clone());
        let told = (wanted.files.values().map(|(path, _)| path.clone()).collect(), new.collect());
        *first = wanted.next;
        told
    }

    fn tell(&self, paths: &[PathBuf]) {
        let wanted = self.wanted();
        for (_, changed) in wanted.files.values().filter(|(path, _)| paths.binary_search(path).is_ok()) {
            changed.notify_one();
        }
    }
}

/// Tells of changes for ever.
async fn keep(shared: Arc<Shared>) {
    let mut trigger = Trigger::of_files(WatchConfig::default());
    let mut first = 0;
    loop {
        tokio::select! {
            () = shared.others.notified() => {
                let (paths, new) = shared.since(&mut first);
                let aimed = tokio::task::spawn_blocking(move || {
                    trigger.set_paths(&paths);
                    trigger
                });
                // It fails only where the runtime ends.
                let Ok(aimed) = aimed.await else { return };
                trigger = aimed;
                new.iter().for_each(|changed| changed.notify_one());
            }
            cause = trigger.changed() => if let Cause::Files(paths) = cause {
                shared.tell(&paths);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn every_watch_of_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&one, "1").unwrap();
        let files = Files::default();
        let watches = [one.clone(), one.clone(), other.clone()].map(|path| files.watch(path).unwrap());
        for watch in &watches {
            timeout(SOON, watch.changed()).await.expect("the watching begins");
        }
        std::fs::write(&one, "2").unwrap();
        for watch in &watches[..2] {
            timeout(SOON, watch.changed()).await.expect("it changed");
        }
        std::fs::write(&other, "new").unwrap();
        timeout(SOON, watches[2].changed()).await.expect("it came");
    }

    #[tokio::test]
    async fn there_are_so_many_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::default();
        let mut watches: Vec<_> =
            (0..MOST_FILES).map(|n| files.watch(folder.path().join(n.to_string())).unwrap()).collect();
        assert!(files.watch(folder.path().join("more")).is_none());
        watches.pop();
        assert!(files.watch(folder.path().join("more")).is_some());
        drop(watches);
        assert_eq!(files.shared.wanted().files.len(), 0);
    }
}
