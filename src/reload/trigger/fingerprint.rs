//! What is behind a path at one moment, in a few bytes.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How many bytes of a file are hashed; of a longer one the length and the time of change count too.
const HASHED_BYTES: u64 = 8 * 1024 * 1024;

/// A file changed this shortly before it was read may change again within the same time stamp (2 s on FAT), so the
/// stamp is not trusted.
const STAMP_COARSENESS: Duration = Duration::from_secs(2);

/// The content behind a path, and what `stat` said about it, to spare the next reading.
#[derive(Debug, Clone)]
pub(super) struct Fingerprint {
    content: Content,
    stamp: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// Missing, or not reachable.
    Absent,
    /// No digest: not readable. `modified` only when the digest does not cover all bytes.
    File { length: u64, digest: Option<u64>, modified: Option<SystemTime> },
    /// The names that count, in any order.
    Folder { names: u64, digest: u64 },
    /// A pipe or device, whose content is never read.
    Other,
}

impl Fingerprint {
    /// Reads what is behind `path`, links followed.
    pub fn take(path: &Path) -> Fingerprint {
        match fs::metadata(path) {
            Ok(meta) => Fingerprint::read(path, &meta),
            Err(_) => Fingerprint { content: Content::Absent, stamp: None },
        }
    }

    /// The fingerprint of now; nothing is read when `stat` rules a change out.
    pub fn retake(&self, path: &Path) -> Fingerprint {
        match fs::metadata(path) {
            Ok(meta) if self.stamp == Some(Stamp::of(&meta)) => self.clone(),
            Ok(meta) => Fingerprint::read(path, &meta),
            Err(_) => Fingerprint { content: Content::Absent, stamp: None },
        }
    }

    /// Whether the content is the same; time stamps and inodes aside.
    pub fn same_content(&self, other: &Fingerprint) -> bool {
        self.content == other.content
    }

    fn read(path: &Path, meta: &Metadata) -> Fingerprint {
        // `meta` is from before the reading: a write meanwhile makes the next `stat` differ.
        let content = if meta.is_dir() {
            folder(path)
        } else if meta.is_file() {
            file(path, meta)
        } else {
            Content::Other
        };
        Fingerprint { content, stamp: Stamp::of(meta).trusted() }
    }
}

fn file(path: &Path, meta: &Metadata) -> Content {
    let length = meta.len();
    if length == 0 {
        // Nothing to read, or a file of the kernel's, which may have no end.
        return Content::File { length, digest: None, modified: None };
    }
    let modified = if length > HASHED_BYTES { meta.modified().ok() } else { None };
    Content::File { length, digest: digest(path).ok(), modified }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn digest(path: &Path) -> io::Result<u64> {
    // What is a pipe by now must not be waited for.
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = file.take(HASHED_BYTES);
    let mut hasher = DefaultHasher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.write(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The names' digests are added up, so that neither their order nor their number costs memory.
fn folder(path: &Path) -> Content {
    let Ok(entries) = fs::read_dir(path) else { return Content::Absent };
    let names = entries.flatten().map(|entry| entry.file_name()).filter(|name| counts(name));
    let (names, digest) = names.fold((0, 0_u64), |(count, sum), name| {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        (count + 1, sum.wrapping_add(hasher.finish()))
    });
    Content::Folder { names, digest }
}

/// Whether a name is one of a folder's content: not hidden, not an editor's backup or temporary file, and not a
/// database's journal, which come and go while nothing changes for the reader of the folder.
pub(super) fn counts(name: &OsStr) -> bool {
    const TRANSIENT: [&[u8]; 9] =
        [b"~", b".swp", b".swx", b".tmp", b".part", b"-journal", b"-wal", b"-shm", b".crdownload"];
    let name = name.as_encoded_bytes();
    !name.starts_with(b".") && !name.starts_with(b"#") && !TRANSIENT.iter().any(|ending| name.ends_with(ending))
}

/// What `stat` tells without reading.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    changed: Option<SystemTime>,
    inode: (u64, u64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Stamp {
        Stamp { length: meta.len(), modified: meta.modified().ok(), changed: changed_at(meta), inode: inode(meta) }
    }

    /// The stamp, unless a later change could bear the same.
    fn trusted(self) -> Option<Stamp> {
        let age = SystemTime::now().duration_since(self.changed?).ok()?;
        (age > STAMP_COARSENESS).then_some(self)
    }
}

/// When the inode was last changed: written, renamed, or its rights set. Programs can't set this time.
#[cfg(unix)]
pub(super) fn changed_at(meta: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = Duration::from_secs(u64::try_from(meta.ctime()).ok()?);
    let nanos = Duration::from_nanos(u64::try_from(meta.ctime_nsec()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds)?.checked_add(nanos)
}

/// When the file was last written, the nearest that there is.
#[cfg(not(unix))]
pub(super) fn changed_at(meta: &Metadata) -> Option<SystemTime> {
    meta.modified().ok()
}

/// Device and inode number.
#[cfg(unix)]
pub(super) fn inode(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

/// Nothing that tells two files apart.
#[cfg(not(unix))]
pub(super) fn inode(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    fn file(text: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn same_after(path: &Path, change: impl FnOnce()) -> bool {
        let before = Fingerprint::take(path);
        change();
        before.same_content(&before.retake(path))
    }

    #[test]
    fn the_bytes_count() {
        let (_keep, path) = file("one");
        assert!(same_after(&path, || ()));
        assert!(!same_after(&path, || fs::write(&path, "two").unwrap()));
        assert!(!same_after(&path, || fs::write(&path, "three").unwrap()));
        assert!(!same_after(&path, || fs::write(&path, "").unwrap()));
        assert!(!same_after(&path, || fs::remove_file(&path).unwrap()));
        assert!(same_after(&path, || ()));
        assert!(!same_after(&path, || fs::write(&path, "").unwrap()));
    }

    #[test]
    fn times_and_inodes_do_not_count() {
        let (keep, path) = file("one");
        assert!(same_after(&path, || fs::write(&path, "one").unwrap()));
        assert!(same_after(&path, || {
            let other = keep.path().join("other");
            fs::write(&other, "one").unwrap();
            fs::rename(&other, &path).unwrap();
        }));
        assert!(same_after(&path, || {
            File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }));
    }

    #[test]
    fn the_same_length_and_time_of_writing_hide_nothing() {
        let (_keep, path) = file("one");
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        assert!(!same_after(&path, || {
            fs::write(&path, "two").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        }));
    }

    #[test]
    fn an_old_stamp_is_trusted_and_a_young_one_is_not() {
        let stamp = |age| Stamp {
            length: 1,
            modified: None,
            changed: SystemTime::now().checked_sub(Duration::from_secs(age)),
            inode: (1, 1),
        };
        assert!(stamp(60).trusted().is_some());
        assert!(stamp(0).trusted().is_none());
        assert!(Stamp { changed: None, ..stamp(60) }.trusted().is_none());
        let future = SystemTime::now() + Duration::from_secs(60);
        assert!(Stamp { changed: Some(future), ..stamp(60) }.trusted().is_none());
    }

    #[test]
    fn a_trusted_stamp_spares_the_reading() {
        let (_keep, path) = file("one");
        let meta = fs::metadata(&path).unwrap();
        let pretended = Content::File { length: 3, digest: Some(7), modified: None };
        let before = Fingerprint { content: pretended.clone(), stamp: Some(Stamp::of(&meta)) };
        assert_eq!(before.retake(&path).content, pretended);
        fs::write(&path, "longer").unwrap();
        assert_ne!(before.retake(&path).content, pretended);
    }

    #[test]
    fn a_folder_counts_by_its_names() {
        let (keep, path) = file("one");
        let folder = keep.path();
        assert!(same_after(folder, || fs::write(&path, "two").unwrap()));
        assert!(!same_after(folder, || fs::write(folder.join("more"), "").unwrap()));
        assert!(!same_after(folder, || fs::rename(folder.join("more"), folder.join("less")).unwrap()));
        assert!(!same_after(folder, || fs::remove_file(folder.join("less")).unwrap()));
        for name in [".hidden", "..data", "a~", "#a#", "a.swp", "shop.db-journal", "shop.db-wal", "shop.db-shm"] {
            assert!(same_after(folder, || fs::write(folder.join(name), "").unwrap()), "{name}");
        }
    }

    #[test]
    fn a_folder_in_place_of_a_file_is_a_change() {
        let (_keep, path) = file("");
        assert!(!same_after(&path, || {
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
        }));
    }

    #[test]
    fn a_long_file_is_hashed_in_part_and_seen_by_its_length() {
        let (_keep, path) = file("");
        let long = File::options().write(true).open(&path).unwrap();
        long.set_len(HASHED_BYTES + 1).unwrap();
        assert!(same_after(&path, || ()));
        assert!(!same_after(&path, || long.set_len(HASHED_BYTES + 2).unwrap()));
        assert!(!same_after(&path, || long.set_modified(SystemTime::UNIX_EPOCH).unwrap()));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_never_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert_eq!(Fingerprint::take(&path).content, Content::Other);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert_eq!(Fingerprint::take(&path).content, Content::Absent);
    }
}
