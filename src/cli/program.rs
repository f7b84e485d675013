//! How others start this program.

use std::path::{Path, PathBuf};

/// Its name, as it is installed.
const NAME: &str = "mcp-declare";

/// Where it is.
///
/// # Errors
/// Words, if the system doesn't tell.
pub fn path() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("can't tell where this program is: {error}"))
}

/// The word that starts it in a file that is shared: its name where `PATH` leads to it, else its whole path.
///
/// # Errors
/// Words, if the system doesn't tell, or the path is no text.
pub fn word() -> Result<String, String> {
    let path = path()?;
    match is_found(&path) {
        true => Ok(NAME.to_owned()),
        false => text(&path),
    }
}

fn is_found(path: &Path) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let first = std::env::split_paths(&folders).map(|folder| folder.join(NAME)).find(|file| file.is_file());
    first.and_then(|file| file.canonicalize().ok()).is_some_and(|file| path.canonicalize().is_ok_and(|own| own == file))
}

/// A path as text.
///
/// # Errors
/// Words, if it is none.
pub fn text(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("{} is no Unicode text", path.display()))
}
