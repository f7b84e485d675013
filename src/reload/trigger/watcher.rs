//! The operating system's events, of the folders in which the paths that matter stand.
//!
//! Never of a file itself: such a watch follows the inode and is lost with the first rename over it. A path's links
//! are followed anew at each look, as each of them may lead elsewhere by then.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Bell;
use super::fingerprint::{counts, inode};
use super::trail::Trail;

/// How often the ways are followed again because a folder appeared meanwhile.
const MOST_ROUNDS: usize = 5;

/// Folders that one watcher watches. The operating system has a bound for all that a user runs, which others need too.
const MOST_FOLDERS: usize = 4096;

/// Rings its bell when something happens to the paths it is aimed at.
#[derive(Debug)]
pub(super) struct Watcher {
    inner: RecommendedWatcher,
    interest: Arc<Mutex<Interest>>,
    folders: HashMap<PathBuf, Watch>,
}

/// A folder's watch; in place only for the folder that it was made for.
#[derive(Debug, PartialEq, Eq)]
enum Watch {
    On(Identity),
    Refused,
}

impl Watcher {
    /// None, with a warning, when the operating system gives none.
    pub fn new(bell: Bell) -> Option<Watcher> {
        let interest = Arc::<Mutex<Interest>>::default();
        let listener = Arc::clone(&interest);
        let inner = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_err() || event.is_ok_and(|event| lock(&listener).concerns(&event)) {
                bell.ring();
            }
        });
        inner
            .inspect_err(|error| tracing::warn!("cannot watch files: {error}; comparing them every 2 s instead"))
            .ok()
            .map(|inner| Watcher { inner, interest, folders: HashMap::new() })
    }

    /// Watches what can change one of these absolute paths. Folders that were lost and came back are watched again;
    /// what can't be watched is left, with one warning, to the slow comparison.
    pub fn aim(&mut self, paths: &[PathBuf]) {
        for _ in 0..MOST_ROUNDS {
            if !self.aim_once(paths) {
                break;
            }
        }
    }

    /// Whether a watch was added, so that before it something may have appeared unseen.
    fn aim_once(&mut self, paths: &[PathBuf]) -> bool {
        let aim = Interest::of(paths);
        let wanted = aim.folders.clone();
        // From here on, new watches may already report.
        let lost = std::mem::replace(&mut *lock(&self.interest), aim).lost;
        let gone: Vec<_> = self.folders.keys().filter(|folder| !wanted.contains(*folder)).cloned().collect();
        for folder in gone.iter().chain(&lost) {
            self.forget(folder);
        }
        let mut added = false;
        for folder in wanted {
            added |= self.watch(&folder);
        }
        added
    }

    /// Whether the folder was not watched before, and now is.
    fn watch(&mut self, folder: &Path) -> bool {
        let Some(identity) = Identity::of(folder) else {
            self.forget(folder);
            return false;
        };
        let known = self.folders.get(folder);
        if matches!(known, Some(Watch::On(watched)) if *watched == identity) {
            return false;
        }
        let refused = known == Some(&Watch::Refused);
        if !refused {
            self.forget(folder);
        }
        let added = match self.folders.len() < MOST_FOLDERS {
            true => self.inner.watch(folder, RecursiveMode::NonRecursive),
            // One that is not known here is not warned of again and again, and tried as soon as there is room.
            false => return false,
        };
        if let Err(error) = &added
            && !refused
        {
            tracing::warn!("cannot watch the folder {}: {error}; comparing every 2 s instead", folder.display());
        }
        let watch = if added.is_ok() { Watch::On(identity) } else { Watch::Refused };
        self.folders.insert(folder.to_owned(), watch);
        added.is_ok()
    }

    fn forget(&mut self, folder: &Path) {
        if let Entry::Occupied(entry) = self.folders.entry(folder.to_owned())
            && entry.remove() != Watch::Refused
        {
            // An error says only that the watch went with its folder.
            let _ = self.inner.unwatch(folder);
        }
    }
}

/// Which folder a path led to; a new one of the same name is another, even when its inode number is used again.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    inode: (u64, u64),
    created: Option<SystemTime>,
}

impl Identity {
    fn of(folder: &Path) -> Option<Identity> {
        let meta = fs::symlink_metadata(folder).ok().filter(|meta| meta.is_dir())?;
        Some(Identity { inode: inode(&meta), created: meta.created().ok() })
    }
}

/// Which events matter. All paths are absolute and without links, as the events' are.
#[derive(Debug, Default)]
struct Interest {
    /// Entries whose every change matters.
    entries: HashSet<PathBuf>,
    /// Folders whose list of names matters.
    lists: HashSet<PathBuf>,
    /// What to watch for that: the entries' folders, and the lists.
    folders: HashSet<PathBuf>,
    /// Those of them that were moved or removed, their watches with them.
    lost: HashSet<PathBuf>,
}

impl Interest {
    fn of(paths: &[PathBuf]) -> Interest {
        let mut interest = Interest::default();
        for path in paths {
            let trail = Trail::follow(path);
            interest.entries.extend(trail.spots);
            interest.lists.extend(trail.end.filter(|end| end.is_dir()));
        }
        let parents = interest.entries.iter().filter_map(|entry| entry.parent());
        interest.folders = parents.map(Path::to_owned).chain(interest.lists.iter().cloned()).collect();
        interest
    }

    /// Whether the event is worth a look; cheap, as it is asked for each event in each folder.
    fn concerns(&mut self, event: &Event) -> bool {
        if event.need_rescan() {
            return true;
        }
        if event.kind.is_access() {
            return false;
        }
        let mut concerns = event.paths.is_empty();
        for path in &event.paths {
            concerns |= self.concerns_path(path, event.kind);
        }
        concerns
    }

    fn concerns_path(&mut self, path: &Path, kind: EventKind) -> bool {
        let lost = matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) && self.lose(path);
        lost || self.entries.contains(path) || self.lists_change(path, kind)
    }

    fn lose(&mut self, path: &Path) -> bool {
        let lost: Vec<_> = self.folders.iter().filter(|folder| folder.starts_with(path)).cloned().collect();
        let any = !lost.is_empty();
        self.lost.extend(lost);
        any
    }

    fn lists_change(&self, path: &Path, kind: EventKind) -> bool {
        let writes = matches!(kind, EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)));
        !writes
            && path.parent().is_some_and(|parent| self.lists.contains(parent))
            && path.file_name().is_some_and(counts)
    }
}

fn lock(interest: &Mutex<Interest>) -> MutexGuard<'_, Interest> {
    interest.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, DataChange, Flag, MetadataKind, RemoveKind, RenameMode};

    use super::*;

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const RENAMED: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));
    const CREATED: EventKind = EventKind::Create(CreateKind::File);
    const REMOVED: EventKind = EventKind::Remove(RemoveKind::Any);

    fn event(kind: EventKind, path: &Path) -> Event {
        Event::new(kind).add_path(path.to_owned())
    }

    /// A folder with a spec, aimed at the spec.
    fn scene() -> (tempfile::TempDir, PathBuf, Interest) {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        fs::write(root.join("spec.yaml"), "").unwrap();
        let interest = Interest::of(&[root.join("spec.yaml")]);
        (keep, root, interest)
    }

    #[test]
    fn every_change_of_a_wanted_entry_concerns() {
        let (_keep, root, mut interest) = scene();
        for kind in [WRITTEN, RENAMED, CREATED, REMOVED, EventKind::Any] {
            assert!(interest.concerns(&event(kind, &root.join("spec.yaml"))), "{kind:?}");
        }
        assert_eq!(interest.lost.len(), 0);
    }

    #[test]
    fn neighbours_and_access_do_not_concern() {
        let (_keep, root, mut interest) = scene();
        for kind in [WRITTEN, RENAMED, CREATED, REMOVED] {
            for name in ["shop.db", "shop.db-journal", ".spec.yaml.swp", "spec.yaml~", "4913"] {
                assert!(!interest.concerns(&event(kind, &root.join(name))), "{kind:?} {name}");
            }
        }
        assert!(!interest.concerns(&event(EventKind::Access(AccessKind::Any), &root.join("spec.yaml"))));
    }

    #[test]
    fn a_rename_concerns_by_either_name() {
        let (_keep, root, mut interest) = scene();
        let both = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        let event = Event::new(both).add_path(root.join("new")).add_path(root.join("spec.yaml"));
        assert!(interest.concerns(&event));
    }

    #[test]
    fn a_full_queue_and_an_event_without_paths_concern() {
        let (_keep, _, mut interest) = scene();
        assert!(interest.concerns(&Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert!(interest.concerns(&Event::new(EventKind::Any)));
    }

    #[test]
    fn a_folder_concerns_by_its_names_only() {
        let (_keep, root, _) = scene();
        let mut interest = Interest::of(std::slice::from_ref(&root));
        let metadata = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        assert!(interest.concerns(&event(CREATED, &root.join("more.yaml"))));
        assert!(interest.concerns(&event(REMOVED, &root.join("more.yaml"))));
        assert!(interest.concerns(&event(RENAMED, &root.join("more.yaml"))));
        assert!(!interest.concerns(&event(WRITTEN, &root.join("more.yaml"))));
        assert!(!interest.concerns(&event(metadata, &root.join("more.yaml"))));
        assert!(!interest.concerns(&event(CREATED, &root.join("shop.db-journal"))));
        assert!(!interest.concerns(&event(CREATED, &root.join("deep/more.yaml"))));
    }

    #[test]
    fn a_removed_folder_is_lost_with_all_below_it() {
        let (_keep, root, mut interest) = scene();
        assert!(interest.concerns(&event(REMOVED, root.parent().unwrap())));
        assert_eq!(interest.lost, HashSet::from([root]));
    }

    #[test]
    fn watches_follow_the_paths() {
        let (_keep, root, _) = scene();
        fs::create_dir(root.join("other")).unwrap();
        let mut watcher = Watcher::new(Bell::default()).unwrap();
        watcher.aim(&[root.join("spec.yaml"), root.join("other/a"), root.join("other/b")]);
        assert_eq!(watcher.folders.len(), 2);
        watcher.aim(&[root.join("other/a")]);
        assert_eq!(watcher.folders.keys().collect::<Vec<_>>(), [&root.join("other")]);
        watcher.aim(&[]);
        assert_eq!(watcher.folders.len(), 0);
    }

    #[test]
    fn a_missing_folder_is_awaited_in_the_nearest_that_exists() {
        let (_keep, root, _) = scene();
        let mut watcher = Watcher::new(Bell::default()).unwrap();
        let spec = [root.join("a/b/spec.yaml")];
        watcher.aim(&spec);
        assert_eq!(watcher.folders.keys().collect::<Vec<_>>(), [&root]);
        fs::create_dir_all(root.join("a/b")).unwrap();
        watcher.aim(&spec);
        assert_eq!(watcher.folders.keys().collect::<Vec<_>>(), [&root.join("a/b")]);
    }

    #[test]
    fn another_folder_of_the_same_name_is_watched_anew() {
        let (_keep, root, _) = scene();
        let folder = root.join("folder");
        fs::create_dir(&folder).unwrap();
        let before = Identity::of(&folder).unwrap();
        let mut watcher = Watcher::new(Bell::default()).unwrap();
        watcher.aim(&[folder.join("spec.yaml")]);
        assert!(!watcher.aim_once(&[folder.join("spec.yaml")]));
        fs::rename(&folder, root.join("old")).unwrap();
        fs::create_dir(&folder).unwrap();
        assert_ne!(Identity::of(&folder), Some(before));
        assert!(watcher.aim_once(&[folder.join("spec.yaml")]));
    }

    #[test]
    fn a_file_and_what_is_missing_are_no_folders() {
        let (_keep, root, _) = scene();
        assert_eq!(Identity::of(&root.join("spec.yaml")), None);
        assert_eq!(Identity::of(&root.join("missing")), None);
        assert!(Identity::of(&root).is_some());
    }
}
