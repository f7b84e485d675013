//! A project's own configuration of a client, which everybody who works on the project shares.

use std::path::{Path, PathBuf};

use super::absolute;
use super::client::Client;
use crate::cli::program;

/// A project as a client sees it.
#[derive(Debug)]
pub struct Project {
    /// The folder that the client opens.
    folder: PathBuf,
    /// What stands for that folder in an entry.
    named: &'static str,
    /// The client's file in it.
    file: &'static str,
}

impl Project {
    /// The project in a folder.
    ///
    /// # Errors
    /// Words, if there is no such folder, or the client reads nothing there.
    pub fn at(folder: &Path, client: Client) -> Result<Project, String> {
        let (file, named) = client.project().ok_or_else(|| {
            format!("{} has no configuration of a project; without --project it is the user's", client.title())
        })?;
        match folder.is_dir() {
            true => Ok(Project { folder: absolute(folder)?, named, file }),
            false => Err(format!("--project: there is no folder {}", folder.display())),
        }
    }

    /// The client's configuration file.
    pub fn file(&self) -> PathBuf {
        self.folder.join(self.file)
    }

    /// How an entry names a file: by the project's folder where the file is below that, as others have it elsewhere.
    ///
    /// # Errors
    /// Words, if the path is no text.
    pub fn path(&self, file: &Path) -> Result<String, String> {
        let whole = absolute(file)?;
        match whole.strip_prefix(&self.folder) {
            Ok(below) if below.as_os_str().is_empty() => Ok(self.named.to_owned()),
            Ok(below) => Ok(format!("{}/{}", self.named, program::text(below)?)),
            Err(_) => program::text(&whole),
        }
    }
}
