//! What goes into a bundle: the files that the spec reads, never what it takes from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::catalog::Loaded;
use crate::spec::load;
use crate::spec::outside::Variable;

/// Files that a bundle may have.
const MAX_FILES: usize = 10_000;

/// Bytes that they may have in all.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes at the beginning of a file in which a private key is looked for.
const LOOKED_AT: u64 = 256 * 1024;

/// Why nothing of `.git` goes along.
const OF_REPOSITORY: &str = "is of a repository's own files";
/// What private keys begin with: the first line of one in PEM ends so (RFC 7468), those of PuTTY and age begin so.
const KEYS: [&[u8]; 3] = [b"PRIVATE KEY-----", b"PuTTY-User-Key-File", b"AGE-SECRET-KEY-"];
/// How the names of files end that hold private keys in other forms.
const KEY_FILES: [&str; 5] = [".ppk", ".p12", ".pfx", ".jwk", ".keystore"];

/// What goes into a bundle beside the program.
#[derive(Debug)]
pub struct Contents {
    /// The spec, below the bundle's folder of specs; empty if it is that folder.
    pub spec: String,
    /// The files, by their paths below that folder.
    pub files: BTreeMap<String, PathBuf>,
    /// The folders below it in which there is nothing.
    pub empty: Vec<String>,
    /// What whoever installs it has to give.
    pub variables: Vec<Variable>,
    /// How many files and folders of those that were to go along did not.
    pub left_out: usize,
}

/// Files as they are found.
struct Search<'s> {
    root: &'s Path,
    /// Those that never go along.
    not: Vec<PathBuf>,
    files: BTreeMap<String, PathBuf>,
    empty: BTreeSet<String>,
    bytes: u64,
    left_out: usize,
}

impl Contents {
    /// What the spec reads, and what else is to go along.
    ///
    /// # Errors
    /// Words, if something is not below the spec's folder, or is a secret of this machine.
    pub fn of<'n>(
        spec: &Path,
        loaded: &Loaded,
        more: &[PathBuf],
        not: impl Iterator<Item = &'n PathBuf>,
    ) -> Result<Contents, String> {
        let whole = canonical(spec)?;
        let is_folder = whole.is_dir();
        let root = if is_folder { whole.as_path() } else { whole.parent().unwrap_or(&whole) };
        if let Some(secret) = loaded.outside.files.first() {
            let words = "is a secret of this machine, by `${file:…}`; a bundle asks for `${NAME}` instead";
            return Err(format!("{} {words}", secret.display()));
        }
        let not = not.filter_map(|path| path.canonicalize().ok()).collect();
        let mut search = Search { root, not, files: BTreeMap::new(), empty: BTreeSet::new(), bytes: 0, left_out: 0 };
        for path in loaded.inputs.iter().filter(|path| path.is_file()) {
            search.add(&canonical(path)?)?;
        }
        for path in more {
            let whole = canonical(path)?;
            if is_of_repository(&whole) {
                return Err(format!("{} {OF_REPOSITORY}, so a bundle can't have it", path.display()));
            }
            search.walk(&whole)?;
        }
        let spec = if is_folder { String::new() } else { below(&whole, root)? };
        let asked = loaded.outside.variables.iter().filter(|variable| !variable.is_everywhere());
        let Search { files, empty, left_out, .. } = search;
        Ok(Contents { spec, files, empty: Vec::from_iter(empty), variables: asked.cloned().collect(), left_out })
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

impl Search<'_> {
    /// Adds a file that is named, which must be no secret.
    fn add(&mut self, path: &Path) -> Result<(), String> {
        if let Some(why) = self.secret(path) {
            return Err(format!("{} {why}, so a bundle can't have it", path.display()));
        }
        if self.files.len() >= MAX_FILES {
            return Err(format!("these are more than {MAX_FILES} files"));
        }
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        if self.files.insert(below(path, self.root)?, path.to_owned()).is_none() {
            self.bytes = self.bytes.saturating_add(length);
        }
        if self.bytes > MAX_BYTES {
            return Err(format!("these files have more than {} MiB", MAX_BYTES >> 20));
        }
        Ok(())
    }

    /// Adds a file, or all files below a folder. Links are left out there, as they may lead anywhere, and so is what is
    /// hidden or a secret.
    fn walk(&mut self, path: &Path) -> Result<(), String> {
        if path.is_file() {
            return self.add(path);
        }
        let cant_read = |error: std::io::Error| format!("{}: {}", path.display(), load::reason(&error));
        let before = self.files.len() + self.empty.len();
        for entry in fs::read_dir(path).map_err(cant_read)? {
            let entry = entry.map_err(cant_read)?;
            let (kind, path) = (entry.file_type().map_err(cant_read)?, entry.path());
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let is_kept = kind.is_dir() || (kind.is_file() && self.secret(&path).is_none());
            match is_kept && !is_hidden {
                true => self.walk(&path)?,
                false => self.left_out += 1,
            }
        }
        if self.files.len() + self.empty.len() == before && path != self.root {
            self.empty.insert(below(path, self.root)?);
        }
        Ok(())
    }

    /// Why a file is nobody else's business.
    fn secret(&self, path: &Path) -> Option<&'static str> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_environment = name.split('.').any(|part| part == "env");
        if self.not.iter().any(|not| not == path) || is_environment {
            return Some("is the environment of this machine, or the bundle itself");
        }
        if is_of_repository(path) {
            return Some(OF_REPOSITORY);
        }
        if KEY_FILES.iter().any(|end| name.ends_with(end)) {
            return Some("is a private key by its name");
        }
        let mut beginning = Vec::new();
        let file = fs::File::open(path).ok()?;
        file.take(LOOKED_AT).read_to_end(&mut beginning).ok()?;
        let has_key = KEYS.iter().any(|key| beginning.windows(key.len()).any(|window| window == *key));
        has_key.then_some("holds a private key")
    }
}

/// Whether it is of what git keeps for itself, addresses with tokens among it.
fn is_of_repository(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == ".git")
}

/// Whether its owner may run it.
pub fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}
