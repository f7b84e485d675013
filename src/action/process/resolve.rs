//! Which file a program's name means.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf, absolute};

use rustix::fs::{Access, access};

use super::environment;
use crate::spec::Fault;

/// The absolute path of `program`: one with a slash is relative to `folder`, a bare name is looked for in the
/// folders of `PATH`. Relative and empty entries of `PATH` are passed over, so that a name never means
/// something in whatever folder happens to be current.
///
/// # Errors
///
/// When there is no such file or it can't be executed; the fault covers all of `program`.
pub fn resolve(program: &str, folder: &Path) -> Result<PathBuf, Fault> {
    resolve_in(program, folder, environment::path())
}

fn resolve_in(program: &str, folder: &Path, path: &OsStr) -> Result<PathBuf, Fault> {
    let fault = |message: String| Fault::new(0..program.len(), message);
    if program.is_empty() {
        return Err(fault("the name of a program is expected, and it is empty".to_owned()));
    }
    if program.contains('\0') {
        return Err(fault("the name of a program can't have a NUL byte in it".to_owned()));
    }
    if !program.contains('/') {
        return search(program, path).ok_or_else(|| {
            let mut words = program.split_whitespace();
            let help = match folder.join(program).is_file() {
                true => format!("write `./{program}` for the file beside the spec"),
                false if words.clone().count() > 1 => {
                    let first = words.next().unwrap_or_default();
                    format!("each argument is an element of its own: `[{first}, …]`")
                }
                false => "a bare name is looked for in the folders of PATH".to_owned(),
            };
            fault(format!("command not found: {program}")).help(help)
        });
    }
    // `absolute`, because the program is started in another folder than the one that `folder` may be relative to.
    let file =
        absolute(folder.join(program)).map_err(|_| fault(format!("`{program}` can't be made an absolute path")))?;
    match whats_wrong(&file) {
        None => Ok(file),
        Some(Wrong::Missing) => Err(fault(format!("command not found: {program}"))),
        Some(Wrong::Folder) => Err(fault(format!("`{program}` is a folder, not a program"))),
        Some(Wrong::NoFile) => Err(fault(format!("`{program}` is not a regular file"))),
        Some(Wrong::NotExecutable) => {
            Err(fault(format!("`{program}` is not executable")).help(format!("try `chmod +x {program}`")))
        }
        Some(Wrong::OutOfReach) => Err(fault(format!("`{program}` can't be reached with our permissions"))),
    }
}

fn search(name: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| whats_wrong(file).is_none())
}

enum Wrong {
    Missing,
    Folder,
    NoFile,
    NotExecutable,
    OutOfReach,
}

fn whats_wrong(file: &Path) -> Option<Wrong> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Some(Wrong::Folder),
        Ok(metadata) if !metadata.is_file() => Some(Wrong::NoFile),
        Ok(_) => access(file, Access::EXEC_OK).is_err().then_some(Wrong::NotExecutable),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(Wrong::OutOfReach),
        Err(_) => Some(Wrong::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// `bin/tool` can be executed, `bin/text` can't; `bin/sub` is a folder and `bin/pipe` a pipe.
    fn disk() -> tempfile::TempDir {
        let disk = tempfile::tempdir().unwrap();
        let bin = disk.path().join("bin");
        fs::create_dir_all(bin.join("sub")).unwrap();
        for (name, mode) in [("tool", 0o755), ("text", 0o644)] {
            fs::write(bin.join(name), "#!/bin/sh\n").unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let pipe = std::process::Command::new("mkfifo").args(["-m", "755"]).arg(bin.join("pipe")).status();
        assert!(pipe.unwrap().success());
        disk
    }

    fn message(program: &str, folder: &Path, path: &OsStr) -> String {
        let fault = resolve_in(program, folder, path).unwrap_err();
        assert_eq!(fault.range, 0..program.len());
        fault.message
    }

    #[test]
    fn slashes_are_relative_to_the_folder() {
        let disk = disk();
        let tool = disk.path().join("bin/tool");
        let none = OsStr::new("");
        for (program, folder) in
            [("./tool", "bin"), ("bin/tool", ""), ("../bin/tool", "bin"), ("./bin/../bin/tool", "")]
        {
            let found = resolve_in(program, &disk.path().join(folder), none).unwrap();
            assert!(found.is_absolute());
            assert_eq!(found.canonicalize().unwrap(), tool.canonicalize().unwrap());
        }
        assert_eq!(resolve_in(tool.to_str().unwrap(), Path::new("/nowhere"), none), Ok(tool));
    }

    #[test]
    fn a_relative_folder_gives_an_absolute_path() {
        let found = resolve_in("./Cargo.toml", Path::new(""), OsStr::new(""));
        assert_eq!(found.unwrap_err().message, "`./Cargo.toml` is not executable");
        let up = "../".repeat(40) + "bin/sh";
        assert!(resolve_in(&up, Path::new("src"), OsStr::new("")).unwrap().is_absolute());
    }

    #[test]
    fn bare_names_come_from_path() {
        let disk = disk();
        let (bin, sub) = (disk.path().join("bin"), disk.path().join("bin/sub"));
        let path = env::join_paths([Path::new(""), Path::new("bin"), &sub, &bin]).unwrap();
        assert_eq!(resolve_in("tool", Path::new("/"), &path), Ok(bin.join("tool")));
        for name in ["text", "sub", "pipe", "kubectl", ".", "..", "~", "tool "] {
            assert_eq!(message(name, Path::new("/"), &path), format!("command not found: {name}"));
        }
        // Not the folder of the spec, not the current one.
        assert_eq!(message("tool", &bin, OsStr::new(":.:bin")), "command not found: tool");
        let help = resolve_in("tool", &bin, OsStr::new(":.:bin")).unwrap_err().help;
        assert_eq!(help.as_deref(), Some("write `./tool` for the file beside the spec"));
        assert!(resolve("sh", Path::new("/")).unwrap().is_absolute());
    }

    #[test]
    fn says_what_is_wrong() {
        let disk = disk();
        let folder = disk.path().join("bin");
        for (program, expected) in [
            ("", "the name of a program is expected, and it is empty"),
            ("a\0b", "the name of a program can't have a NUL byte in it"),
            ("./nothing", "command not found: ./nothing"),
            ("./tool/x", "command not found: ./tool/x"),
            ("./sub", "`./sub` is a folder, not a program"),
            ("/", "`/` is a folder, not a program"),
            ("./pipe", "`./pipe` is not a regular file"),
            ("./text", "`./text` is not executable"),
        ] {
            assert_eq!(message(program, &folder, OsStr::new("")), expected);
        }
        assert_eq!(message(&"x/".repeat(100_000), &folder, OsStr::new("")).len(), 19 + 200_000);
    }
}
