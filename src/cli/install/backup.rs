//! Copies of configurations as they were before they were edited.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::cli::replace::reason;

/// Copies of one file that are kept.
const MOST: usize = 100;
/// The rights of a copy before it has those of the file.
const PRIVATE: u32 = 0o600;

/// Keeps the text of a file beside it, as `NAME.bak`, or `NAME.bak2` and so on: what was kept before stays, and no link
/// is followed. One that is there with the same text will do.
///
/// # Errors
/// Words, if it can't be written.
pub fn keep(path: &Path, text: &str) -> Result<PathBuf, String> {
    let permissions = fs::metadata(path).map(|metadata| metadata.permissions());
    for number in 1..=MOST {
        let copy = named(path, number);
        let cant_write = |error: &std::io::Error| format!("can't write {}: {}", copy.display(), reason(error));
        match OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&copy) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(|error| cant_write(&error))?;
                // The file's own rights, as it may hold somebody's tokens; its owner can read and remove the copy.
                if let Ok(permissions) = &permissions {
                    let mode = fs::Permissions::from_mode(permissions.mode() | PRIVATE);
                    file.set_permissions(mode).map_err(|error| cant_write(&error))?;
                }
                return Ok(copy);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let is_file = copy.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
                if is_file && fs::read(&copy).is_ok_and(|kept| kept == text.as_bytes()) {
                    return Ok(copy);
                }
            }
            Err(error) => return Err(cant_write(&error)),
        }
    }
    Err(format!("there are {MOST} copies of {} already: remove some", path.display()))
}

fn named(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(if number == 1 { ".bak".to_owned() } else { format!(".bak{number}") });
    path.with_file_name(name)
}
