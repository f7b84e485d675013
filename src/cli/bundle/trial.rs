//! A trial of what is packed: whether the spec loads where there is nothing but what goes along.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::{SPEC, replace, spec};
use crate::action::Trust;
use crate::action::source::Mode;
use crate::catalog::Catalog;
use crate::spec::env::Environment;
use crate::spec::load::Input;

/// A folder for nobody else, removed with all that is in it when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("mcp-declare-bundle-{:016x}", fastrand::u64(..)));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    /// Copies what goes along to where it is in a bundle.
    fn fill(&self, contents: &Contents) -> io::Result<()> {
        for (name, path) in &contents.files {
            let to = self.0.join(SPEC).join(name);
            fs::create_dir_all(to.parent().unwrap_or(Path::new(SPEC)))?;
            fs::copy(path, to)?;
        }
        for folder in &contents.empty {
            fs::create_dir_all(self.0.join(SPEC).join(folder))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a folder of temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Loads what was packed, with files alone: nothing is connected to.
///
/// # Errors
/// Words: the mistakes that a spec without the files that stay behind has, at their places in the bundle.
pub async fn run(contents: &Contents, environment: &Environment) -> Result<(), String> {
    let cant_try = |error: io::Error| format!("the bundle can't be tried out: {}", replace::reason(&error));
    let folder = Folder::new().map_err(cant_try)?;
    folder.fill(contents).map_err(cant_try)?;
    let input = Input::Path(folder.0.join(SPEC).join(&contents.spec));
    // Who may write the spec was looked at where it is.
    let loaded = Catalog::load(&input, environment, Mode::Offline, Trust::Anybody, None).await;
    if loaded.catalog.is_some() {
        return Ok(());
    }
    let faults = spec::diagnostics(&loaded).replace(&format!("{}/", folder.0.display()), "");
    Err(format!("the spec needs what is not in the bundle; `--include` takes files and folders along:\n{faults}"))
}
