//! Where our own binary is, for what only a process of its own can do.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// On Linux the file that this process runs, also when another one has taken its name since.
const THIS_PROCESS: &str = "/proc/self/exe";

/// Says that this process runs the binary `mcp-declare`, or where it lies. Without it (the library in a process of
/// somebody else) no sandbox can be set up and nobody watches over the commands. The first word counts.
pub fn announce(binary: Option<&Path>) {
    let found = match binary {
        Some(path) => Some(path.to_owned()),
        None if Path::new(THIS_PROCESS).exists() => Some(PathBuf::from(THIS_PROCESS)),
        None => std::env::current_exe().ok(),
    };
    if let Some(path) = found {
        BINARY.get_or_init(|| path);
    }
}

/// Our own binary; `None` if nobody has said where it is.
pub fn own_binary() -> Option<&'static Path> {
    BINARY.get().map(PathBuf::as_path)
}
