//! What goes into a bundle: the files that the spec reads, never what it takes from outside.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::catalog::Loaded;
use crate::spec::load;
use crate::spec::outside::Variable;

/// Variables that every environment has.
const EVERYWHERE: [&str; 5] = ["HOME", "PATH", "SHELL", "TMPDIR", "USER"];
/// Files that a bundle may have.
const MAX_FILES: usize = 10_000;

/// What goes into a bundle beside the program.
#[derive(Debug)]
pub struct Contents {
    /// The spec, below the bundle's folder of specs; empty if it is that folder.
    pub spec: String,
    /// The files, by their paths below that folder.
    pub files: BTreeMap<String, PathBuf>,
    /// What whoever installs it has to give.
    pub variables: Vec<Variable>,
}

impl Contents {
    /// What the spec reads, and what else is to go along.
    ///
    /// # Errors
    /// Words, if something is not below the spec's folder, or is a secret of this machine.
    pub fn of(spec: &Path, loaded: &Loaded, more: &[PathBuf]) -> Result<Contents, String> {
        let whole = canonical(spec)?;
        let is_folder = whole.is_dir();
        let root = if is_folder { whole.as_path() } else { whole.parent().unwrap_or(&whole) };
        if let Some(secret) = loaded.outside.files.first() {
            let words = "is a secret of this machine, by `${file:…}`; a bundle asks for `${NAME}` instead";
            return Err(format!("{} {words}", secret.display()));
        }
        let mut files = BTreeMap::new();
        for path in loaded.inputs.iter().filter(|path| path.is_file()) {
            add(&canonical(path)?, root, &mut files)?;
        }
        for path in more {
            walk(&canonical(path)?, root, &mut files)?;
        }
        let spec = if is_folder { String::new() } else { below(&whole, root)? };
        let asked = loaded.outside.variables.iter().filter(|variable| !EVERYWHERE.contains(&variable.name.as_str()));
        Ok(Contents { spec, files, variables: asked.cloned().collect() })
    }
}

fn canonical(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {}", path.display(), load::reason(&error)))
}

/// The path in the bundle.
fn below(path: &Path, root: &Path) -> Result<String, String> {
    let inside = path.strip_prefix(root).ok().and_then(Path::to_str);
    let words =
        || format!("{} is not below the spec's folder {}, so a bundle can't have it", path.display(), root.display());
    inside.map(str::to_owned).ok_or_else(words)
}

fn add(path: &Path, root: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    if files.len() >= MAX_FILES {
        return Err(format!("these are more than {MAX_FILES} files"));
    }
    files.insert(below(path, root)?, path.to_owned());
    Ok(())
}

/// Adds a file, or all files below a folder. Links are left out there: they may lead anywhere.
fn walk(path: &Path, root: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    if path.is_file() {
        return add(path, root, files);
    }
    let cant_read = |error: std::io::Error| format!("{}: {}", path.display(), load::reason(&error));
    for entry in fs::read_dir(path).map_err(cant_read)? {
        let entry = entry.map_err(cant_read)?;
        let kind = entry.file_type().map_err(cant_read)?;
        if kind.is_dir() || kind.is_file() {
            walk(&entry.path(), root, files)?;
        }
    }
    Ok(())
}

/// Whether its owner may run it.
pub fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}
