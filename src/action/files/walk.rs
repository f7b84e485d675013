//! Going through the files of a folder, in order and within bounds.

use std::io;
use std::ops::ControlFlow;
use std::time::{Instant, SystemTime};

use cap_std::fs::{Dir, Metadata};
use tokio_util::sync::CancellationToken;

use super::filter::Filter;
use super::{FileFault, Root, check};

/// Files and folders that one walk looks at.
const MAX_ENTRIES: usize = 200_000;
/// Folders below folders that are entered.
pub const MAX_DEPTH: usize = 64;

/// A file or folder below a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path below the root, `/` between names.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Bytes of a file.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

/// What a walk goes through, and how far.
#[derive(Debug, Clone)]
pub struct Walk<'w> {
    /// Where it begins: a path below the root, empty for the root itself. A file is gone through alone.
    pub from: &'w str,
    /// The files that are meant.
    pub filter: &'w Filter,
    /// Whether folders are told too.
    pub folders: bool,
    /// Folders below `from` that are entered; 1 for `from` alone.
    pub depth: usize,
    /// When it has to be over.
    pub until: Instant,
    /// Ends it early.
    pub cancel: &'w CancellationToken,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was seen.
    Whole,
    /// Whoever was told had enough.
    Enough,
    /// There was no more time.
    TimedOut,
    /// The call was taken back.
    Cancelled,
    /// A folder holds too much.
    TooMany,
}

impl Ended {
    /// Why something may be missing, in words.
    pub fn cut(self) -> Option<String> {
        match self {
            Ended::Whole | Ended::Enough => None,
            Ended::TimedOut => Some("cut: there was no more time (timeout)".to_owned()),
            Ended::Cancelled => Some("cut: the call was cancelled".to_owned()),
            Ended::TooMany => Some(format!("cut after {MAX_ENTRIES} files and folders were looked at")),
        }
    }
}

impl Root {
    /// Tells of every file that is meant, a folder's in the order of their names, files and folders mixed. Links to
    /// files are followed as long as they stay below the root, links to folders are not. Names that are not Unicode
    /// are left out. Blocks on the disk.
    ///
    /// # Errors
    /// If `from` can't be opened; what can't be opened below it is left out.
    pub fn walk(&self, walk: &Walk<'_>, mut tell: impl FnMut(Entry) -> ControlFlow<()>) -> Result<Ended, FileFault> {
        let from = walk.from.trim_end_matches('/');
        let fault = |error: io::Error| FileFault::of(from, &error);
        if from.is_empty() {
            let folder = self.folder.try_clone().map_err(fault)?;
            return Ok(Progress { root: self, walk, seen: 0 }.folder(&folder, "", 1, &mut tell));
        }
        check(from)?;
        let metadata = self.folder.metadata(from).map_err(fault)?;
        if metadata.is_dir() {
            if !walk.filter.enters(from) {
                return Err(FileFault::not_found(from));
            }
            let folder = self.folder.open_dir(from).map_err(fault)?;
            return Ok(Progress { root: self, walk, seen: 0 }.folder(&folder, from, 1, &mut tell));
        }
        if !metadata.is_file() || !walk.filter.takes(from) {
            return Err(FileFault::not_found(from));
        }
        let _ = tell(entry(from.to_owned(), &metadata));
        Ok(Ended::Whole)
    }
}

struct Progress<'w> {
    root: &'w Root,
    walk: &'w Walk<'w>,
    seen: usize,
}

impl Progress<'_> {
    fn folder(
        &mut self,
        folder: &Dir,
        path: &str,
        depth: usize,
        tell: &mut impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Ended {
        let Ok(entries) = folder.entries() else { return Ended::Whole };
        let mut names = Vec::new();
        for entry in entries.flatten() {
            if let Some(ended) = self.over() {
                return ended;
            }
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            names.push((name, kind));
        }
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, kind) in names {
            if self.walk.cancel.is_cancelled() {
                return Ended::Cancelled;
            }
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let ended = match kind.is_dir() {
                true => self.below(folder, &name, below, depth, tell),
                false => self.file(below, tell),
            };
            if ended != Ended::Whole {
                return ended;
            }
        }
        Ended::Whole
    }

    fn file(&self, path: String, tell: &mut impl FnMut(Entry) -> ControlFlow<()>) -> Ended {
        if !self.walk.filter.takes(&path) {
            return Ended::Whole;
        }
        match self.root.folder.metadata(&path) {
            Ok(metadata) if metadata.is_file() => told(tell(entry(path, &metadata))),
            _ => Ended::Whole,
        }
    }

    fn below(
        &mut self,
        folder: &Dir,
        name: &str,
        path: String,
        depth: usize,
        tell: &mut impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Ended {
        if !self.walk.filter.enters(&path) {
            return Ended::Whole;
        }
        // What was put in its place since is entered in its stead, if it is below this folder.
        let Ok(inner) = folder.open_dir(name) else { return Ended::Whole };
        if self.walk.folders
            && self.walk.filter.shows(&path)
            && let Ok(metadata) = inner.dir_metadata()
            && tell(entry(path.clone(), &metadata)).is_break()
        {
            return Ended::Enough;
        }
        match depth < self.walk.depth.min(MAX_DEPTH) {
            true => self.folder(&inner, &path, depth.saturating_add(1), tell),
            false => Ended::Whole,
        }
    }

    /// Counts an entry, and says whether the walk is over.
    fn over(&mut self) -> Option<Ended> {
        self.seen = self.seen.saturating_add(1);
        match () {
            () if self.seen > MAX_ENTRIES => Some(Ended::TooMany),
            () if self.walk.cancel.is_cancelled() => Some(Ended::Cancelled),
            () if Instant::now() > self.walk.until => Some(Ended::TimedOut),
            () => None,
        }
    }
}

fn told(flow: ControlFlow<()>) -> Ended {
    if flow.is_break() { Ended::Enough } else { Ended::Whole }
}

fn entry(path: String, metadata: &Metadata) -> Entry {
    let is_folder = metadata.is_dir();
    Entry {
        path,
        is_folder,
        size: if is_folder { 0 } else { metadata.len() },
        modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
    }
}
