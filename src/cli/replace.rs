//! Writing a file that others read, all at once.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The rights of a new file; the umask takes some away.
const NEW: u32 = 0o666;
/// The rights of a file that is not yet what it will be.
const PRIVATE: u32 = 0o600;

/// Writes `text` to a file of another name that is then given its name, so that nobody ever reads half of it. A
/// file that is there keeps its permissions; a link stays one, and what it points to is written.
///
/// # Errors
/// Words, if the file is read-only or can't be written.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    let target = target(path)?;
    let permissions = fs::metadata(&target).ok().map(|metadata| metadata.permissions());
    if permissions.as_ref().is_some_and(Permissions::readonly) {
        return Err("it is read-only".to_owned());
    }
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let aside = target.with_file_name(name);
    let written = write(&aside, text, permissions).and_then(|()| fs::rename(&aside, &target));
    written.map_err(|error| {
        let _ = fs::remove_file(&aside);
        reason(&error)
    })
}

/// What a link points to, or the path itself.
fn target(path: &Path) -> Result<PathBuf, String> {
    match path.symlink_metadata() {
        Ok(_) => path.canonicalize().map_err(|_| "it is a link that points to nothing".to_owned()),
        Err(_) => Ok(path.to_owned()),
    }
}

fn write(path: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    let mode = if permissions.is_some() { PRIVATE } else { NEW };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// An error of writing in plain words.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AlreadyExists => "it is there already".to_owned(),
        io::ErrorKind::StorageFull => "no space left on device".to_owned(),
        _ => error.to_string(),
    }
}
