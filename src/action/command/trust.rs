//! Whether others could change what a command does.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::action::Trust;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Span};

/// Reports a command in a file that others may write, or in a folder where they may put another file in its
/// place: it would run whatever they like.
pub fn refuse_writable(at: Span, trust: Trust, files: &Files, sink: &mut Diagnostics) {
    if trust == Trust::Anybody {
        return;
    }
    let Some(path) = files.path(at.file).filter(|p| p.is_file()) else { return };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writable = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        let (mode, sticky) = (metadata.mode(), metadata.mode() & 0o1000 != 0 && metadata.is_dir());
        let group = mode & 0o020 != 0 && metadata.gid() != metadata.uid();
        (!sticky && (mode & 0o002 != 0 || group)).then(|| path.display().to_string())
    };
    if let Some(owner) = stranger(path, folder) {
        let words =
            format!("{} belongs to another user ({owner}), in a folder where anybody may put files", path.display());
        if sink.says(Code::UnsafePermissions, &words) {
            return;
        }
        let found = Diagnostic::error(Code::UnsafePermissions, at, words);
        sink.push(found.label("move it to a folder of your own, or say --trust-permissions"));
        return;
    }
    if let Some(name) = writable(path).or_else(|| writable(folder)) {
        let words = format!("others may write {name}, and with it what its commands do");
        if sink.says(Code::UnsafePermissions, &words) {
            return;
        }
        let found = Diagnostic::error(Code::UnsafePermissions, at, words);
        let label = format!("take the right away with `chmod go-w {name}`, or say --trust-permissions");
        sink.push(found.label(label));
    }
}

/// The owner of a file that somebody else may have put there: in a folder such as `/tmp`, where everybody may add files
/// and nobody may replace those of others, a folder of specs or a pattern of `include` would take it.
fn stranger(path: &Path, folder: &Path) -> Option<u32> {
    let (file, folder) = (std::fs::metadata(path).ok()?, std::fs::metadata(folder).ok()?);
    is_stranger(&folder, file.uid(), rustix::process::geteuid().as_raw()).then(|| file.uid())
}

fn is_stranger(folder: &std::fs::Metadata, owner: u32, ourselves: u32) -> bool {
    folder.mode() & 0o022 != 0 && ![0, folder.uid(), ourselves].contains(&owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_of_somebody_else_in_a_folder_for_all_is_a_strangers() {
        let folder = tempfile::tempdir().unwrap();
        let with = |mode| {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            std::fs::metadata(folder.path()).unwrap()
        };
        let shared = with(0o1777);
        let (owner, somebody) = (shared.uid(), shared.uid() + 7);
        assert!(is_stranger(&shared, somebody, owner));
        assert!(!is_stranger(&shared, owner, owner) && !is_stranger(&shared, somebody, somebody));
        assert!(!is_stranger(&shared, 0, somebody));
        assert!(!is_stranger(&with(0o755), somebody, owner), "nobody else could put it there");
    }
}
