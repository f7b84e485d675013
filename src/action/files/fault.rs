//! Why a file was not read.

use std::fmt;
use std::io::{self, ErrorKind};

use rustix::io::Errno;

/// Characters of a path that a message repeats.
const SHOWN: usize = 200;

/// Why a file below a folder was not read. Each text names the path that was asked for and nothing
/// else of the disk. The path inside is shortened, and its control characters are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// Nothing stands there.
    NotFound(String),
    /// The path is absolute, or `..` or a link of it leads out of the folder.
    Outside(String),
    /// A folder, a pipe, a socket or a device.
    NotAFile(String),
    /// The system's permissions forbid it.
    Denied(String),
    /// It is there, and should not be.
    Exists(String),
    /// Anything else: the path, and why.
    Other(String, &'static str),
}

impl FileFault {
    /// Nothing stands at `path`.
    pub fn not_found(path: &str) -> Self {
        FileFault::NotFound(shown(path))
    }

    pub(super) fn outside(path: &str) -> Self {
        FileFault::Outside(shown(path))
    }

    pub(super) fn not_a_file(path: &str) -> Self {
        FileFault::NotAFile(shown(path))
    }

    pub(super) fn other(path: &str, why: &'static str) -> Self {
        FileFault::Other(shown(path), why)
    }

    /// The fault that the system's `error` means for `path`.
    pub(super) fn of(path: &str, error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => FileFault::not_found(path),
            Some(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => FileFault::not_a_file(path),
            Some(Errno::EXIST) => FileFault::Exists(shown(path)),
            Some(Errno::NOSPC | Errno::DQUOT) => FileFault::other(path, "the disk is full"),
            Some(Errno::ROFS) => FileFault::other(path, "the disk is read-only"),
            Some(Errno::ACCESS | Errno::PERM) => FileFault::Denied(shown(path)),
            Some(Errno::LOOP) => FileFault::other(path, "its links lead in a circle"),
            Some(Errno::MFILE | Errno::NFILE) => FileFault::other(path, "too many files are open"),
            Some(Errno::IO) => FileFault::other(path, "the disk can't be read"),
            Some(Errno::XDEV) => FileFault::outside(path),
            // cap-std's word for a path that leads out has no error number: it is not the system's.
            None if error.kind() == ErrorKind::PermissionDenied => FileFault::outside(path),
            _ => FileFault::other(path, "the system refused it"),
        }
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileFault::NotFound(path) => write!(f, "there is no file `{path}`"),
            FileFault::Outside(path) => write!(f, "`{path}` leads outside of the folder"),
            FileFault::NotAFile(path) => write!(f, "`{path}` is not a regular file"),
            FileFault::Denied(path) => write!(f, "`{path}` is denied by the system's permissions"),
            FileFault::Exists(path) => write!(f, "`{path}` is there already"),
            FileFault::Other(path, why) if path.is_empty() => f.write_str(why),
            FileFault::Other(path, why) => write!(f, "`{path}` can't be opened: {why}"),
        }
    }
}

impl std::error::Error for FileFault {}

/// The path as messages show it.
fn shown(path: &str) -> String {
    let mut shown: String =
        path.chars().take(SHOWN).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if path.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
