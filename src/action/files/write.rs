//! Writing files below a folder.

use std::io::{self, Write};

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::{FileFault, Root, check};
use crate::spec::model::WriteMode;

/// Tries at a name for a file that is not there yet.
const TRIES: u32 = 16;
/// The rights of a new file; the umask takes some away.
const NEW: u32 = 0o666;
/// The rights of a file that is for its owner alone.
const PRIVATE: u32 = 0o600;

impl Root {
    /// Writes `bytes` to the file at `relative`, whose folder has to be there. Says whether the file is new. A link
    /// is followed where it stays below the root, except that a replaced one becomes a file. Blocks on the disk.
    ///
    /// # Errors
    /// See [`FileFault`]; [`FileFault::Exists`] for [`WriteMode::Create`].
    pub fn write(&self, relative: &str, bytes: &[u8], mode: WriteMode) -> Result<bool, FileFault> {
        check(relative)?;
        let fault = |error: io::Error| FileFault::of(relative, &error);
        let was_there = match self.folder.metadata(relative) {
            Ok(metadata) if metadata.is_file() => true,
            Ok(_) => return Err(FileFault::not_a_file(relative)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(fault(error)),
        };
        match mode {
            WriteMode::Create => self.create(relative, bytes, NEW),
            WriteMode::Append => {
                let mut options = OpenOptions::new();
                options.append(true).create(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
                self.folder.open_with(relative, &options).and_then(|mut file| file.write_all(bytes))
            }
            WriteMode::Replace => self.replace(relative, bytes, was_there),
        }
        .map_err(fault)?;
        Ok(!was_there)
    }

    fn create(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = self.folder.open_with(path, options.write(true).create_new(true).mode(mode))?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = self.folder.remove_file(path);
        }
        written
    }

    /// By a file of another name that is given its name.
    fn replace(&self, path: &str, bytes: &[u8], was_there: bool) -> io::Result<()> {
        let permissions = if was_there { Some(self.folder.metadata(path)?.permissions()) } else { None };
        // Nobody else may read meanwhile what was not for all.
        let mode = if was_there { PRIVATE } else { NEW };
        let beside = self.beside(path, bytes, mode)?;
        let named = permissions
            .map_or(Ok(()), |permissions| self.folder.set_permissions(&beside, permissions))
            .and_then(|()| self.folder.rename(&beside, &self.folder, path));
        if named.is_err() {
            let _ = self.folder.remove_file(&beside);
        }
        named
    }

    /// Writes a new hidden file into the folder of another, and gives its path. Its name is no longer for a longer name,
    /// and that of no other write.
    fn beside(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<String> {
        let folder = path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or_default();
        let mut last = io::ErrorKind::AlreadyExists.into();
        for _ in 0..TRIES {
            let beside = format!("{folder}.mcp-declare-{:016x}", fastrand::u64(..));
            match self.create(&beside, bytes, mode) {
                Ok(()) => return Ok(beside),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}
