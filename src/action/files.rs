//! Files below a folder, with no way out of it: not by `..`, not by an absolute path, not by a link.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;
use rustix::io::Errno;

mod fault;
mod filter;
mod mime;
mod walk;
mod write;

pub use fault::FileFault;
pub use filter::{Filter, glob};
pub use mime::of_name as mime_type_of_name;
pub use walk::{Entry, MAX_DEPTH, Walk};

/// Bytes of the longest path that is tried (Linux's `PATH_MAX`, without its NUL).
const LONGEST_PATH: usize = 4095;

/// Bytes set aside for a file on its own word about its length.
const SET_ASIDE: usize = 1 << 20;

/// A folder that is held open from the time the spec is loaded. What is read is found below the open folder
/// (`openat2` with `RESOLVE_BENEATH` where the system has it), so renaming it or swapping a link while
/// a path is being walked leads nowhere else. Cloning shares the handle.
#[derive(Clone)]
pub struct Root {
    folder: Arc<Dir>,
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// The file from its start, at most as many bytes as were asked for.
    pub bytes: Vec<u8>,
    /// Whether the file goes on after `bytes`.
    pub truncated: bool,
    /// By the file's name; without a known extension `text/plain` for UTF-8 without NUL, else
    /// `application/octet-stream`.
    pub mime_type: String,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root")
    }
}

impl Root {
    /// Opens the folder `path` (empty: the working folder), following links.
    ///
    /// # Errors
    ///
    /// In plain words, when it is missing, is no folder or may not be read. This one is for the spec's author and names
    /// `path` as it was given.
    pub fn open(path: &Path) -> Result<Root, String> {
        let given = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match Dir::open_ambient_dir(given, ambient_authority()) {
            Ok(folder) => Ok(Root { folder: Arc::new(folder) }),
            Err(error) => Err(format!("`{}` {}", given.display(), why_not_open(&error))),
        }
    }

    /// Reads at most `max_bytes` of the file at `relative`, a path below the folder that is taken literally
    /// (`%2e` is no dot). Links are followed as long as every step stays below; an absolute link is refused even
    /// where it points back inside. Never waits for a pipe's other end. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// See [`FileFault`]; every text of it names `relative` alone.
    pub fn read(&self, relative: &str, max_bytes: usize) -> Result<FileContent, FileFault> {
        self.read_range(relative, 0, max_bytes)
    }

    /// [`Root::read`] from the byte `offset` on; beyond the file's end there is nothing.
    ///
    /// # Errors
    ///
    /// As [`Root::read`].
    pub fn read_range(&self, relative: &str, offset: u64, max_bytes: usize) -> Result<FileContent, FileFault> {
        let (mut file, length) = self.open_file(relative)?;
        let fault = |error: io::Error| FileFault::of(relative, &error);
        if offset > 0 {
            file.seek(SeekFrom::Start(offset)).map_err(fault)?;
        }
        let enough = max_bytes.saturating_add(1);
        let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(left.saturating_add(1).min(enough).min(SET_ASIDE));
        file.take(u64::try_from(enough).unwrap_or(u64::MAX)).read_to_end(&mut bytes).map_err(fault)?;
        let truncated = bytes.len() > max_bytes;
        bytes.truncate(max_bytes);
        let mime_type = mime::of(relative, &bytes, truncated);
        Ok(FileContent { bytes, truncated, mime_type })
    }

    /// Opens the file at `relative` as [`Root::read`] does, and tells its length in bytes.
    ///
    /// # Errors
    ///
    /// As [`Root::read`].
    pub fn open_file(&self, relative: &str) -> Result<(File, u64), FileFault> {
        check(relative)?;
        // O_NONBLOCK: opening a pipe returns at once, and the handle itself tells what was opened.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        let fault = |error: io::Error| FileFault::of(relative, &error);
        let file = self.folder.open_with(relative, &options).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        match metadata.is_file() {
            true => Ok((file.into_std(), metadata.len())),
            false => Err(FileFault::not_a_file(relative)),
        }
    }

    /// Does something that blocks on the disk, on a thread that may.
    ///
    /// # Errors
    ///
    /// As `work`.
    pub async fn blocking<T: Send + 'static, E: From<FileFault> + Send + 'static>(
        &self,
        relative: &str,
        work: impl FnOnce(&Root) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let root = self.clone();
        match tokio::task::spawn_blocking(move || work(&root)).await {
            Ok(done) => done,
            Err(_) => Err(FileFault::other(relative, "it was broken off").into()),
        }
    }
}

fn why_not_open(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "does not exist",
        ErrorKind::NotADirectory => "is not a folder",
        ErrorKind::PermissionDenied => "may not be opened",
        _ if Errno::from_io_error(error) == Some(Errno::MFILE) => "can't be opened: too many files are open",
        _ => "can't be opened as a folder",
    }
}

/// What the path's text alone gives away, before the disk is asked: `a/../../b` leads outside whatever `a` is.
fn check(relative: &str) -> Result<(), FileFault> {
    if relative.is_empty() {
        return Err(FileFault::other(relative, "a file's path is expected, and it is empty"));
    }
    if relative.contains('\0') {
        return Err(FileFault::other(relative, "a path can't have a NUL byte in it"));
    }
    if relative.len() > LONGEST_PATH {
        return Err(FileFault::not_found(relative));
    }
    let mut depth = 0_usize;
    for component in Path::new(relative).components() {
        let inside = match component {
            Component::Normal(_) => depth.checked_add(1),
            Component::CurDir => Some(depth),
            Component::ParentDir => depth.checked_sub(1),
            Component::RootDir | Component::Prefix(_) => None,
        };
        depth = inside.ok_or_else(|| FileFault::outside(relative))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
