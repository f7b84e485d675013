//! Which files can be reached: a Landlock ruleset.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::Reach;

/// The first version that keeps files from being truncated by their path.
const TRUNCATES: ABI = ABI::V3;
/// The first version that can leave it open that files are moved from folder to folder.
const MOVES: ABI = ABI::V2;
/// The latest version that is asked for, where the kernel has it.
const LATEST: ABI = ABI::V7;

/// Where every program finds the system's libraries and other programs.
const SYSTEM: [&str; 7] = ["/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/etc/ld.so.cache"];
/// Devices without a memory; all may be read, the first written.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/urandom"];

/// What the kernel did with a ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Every promise is kept.
    Wholly,
    /// A file can still be truncated by its path.
    ButTruncation,
    /// There is no Landlock.
    NotAtAll,
}

/// Restricts this process to what may be reached, and keeps it from sending signals to the outside, where the
/// kernel can.
///
/// # Errors
/// In plain words, if a path is not there or the kernel refuses.
pub(super) fn restrict(reach: Option<&Reach>, program: &Path) -> Result<Kept, String> {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
    let ruleset = ruleset.scope(Scope::Signal).map_err(refused)?;
    let ruleset = match reach {
        Some(_) => ruleset.handle_access(AccessFs::from_all(LATEST)).map_err(refused)?,
        // Whoever is in a Landlock domain of any kind gets at no process outside: not at its memory in `/proc` either.
        None if supports(MOVES) => ruleset.handle_access(AccessFs::Refer).map_err(refused)?,
        None => ruleset,
    };
    let mut ruleset = ruleset.create().map_err(refused)?;
    if reach.is_none() && supports(MOVES) {
        ruleset = allow(ruleset, Path::new("/"), AccessFs::Refer.into())?;
    }
    if let Some(reach) = reach {
        ruleset = allow_system(ruleset, program)?;
        for path in &reach.read {
            ruleset = allow(ruleset, path, AccessFs::from_read(LATEST))?;
        }
        for path in &reach.write {
            ruleset = allow(ruleset, path, writing())?;
        }
    }
    let status = ruleset.restrict_self().map_err(refused)?;
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => Kept::NotAtAll,
        RulesetStatus::FullyEnforced => Kept::Wholly,
        RulesetStatus::PartiallyEnforced if supports(TRUNCATES) => Kept::Wholly,
        RulesetStatus::PartiallyEnforced => Kept::ButTruncation,
    })
}

/// Everything but to make devices, behind which the whole disk could be.
fn writing() -> BitFlags<AccessFs> {
    let mut all = AccessFs::from_all(LATEST);
    all.remove(AccessFs::MakeBlock | AccessFs::MakeChar);
    all
}

/// Whether the kernel's Landlock is of this version or a later one.
fn supports(version: ABI) -> bool {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    ruleset.handle_access(AccessFs::from_all(version)).and_then(Ruleset::create).is_ok()
}

/// The program, its interpreter, the system's libraries and devices.
fn allow_system(mut ruleset: RulesetCreated, program: &Path) -> Result<RulesetCreated, String> {
    let running = AccessFs::from_read(LATEST);
    for path in SYSTEM.iter().map(Path::new).filter(|path| path.exists()) {
        ruleset = allow(ruleset, path, running)?;
    }
    for path in DEVICES.iter().map(Path::new).filter(|path| path.exists()) {
        let writing = if path == Path::new("/dev/null") { AccessFs::WriteFile.into() } else { BitFlags::EMPTY };
        ruleset = allow(ruleset, path, writing | AccessFs::ReadFile)?;
    }
    for path in std::iter::once(program.to_owned()).chain(interpreters(program)) {
        ruleset = allow(ruleset, &path, running)?;
    }
    Ok(ruleset)
}

fn allow(ruleset: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, String> {
    let not_there = || format!("{} can't be opened", path.display());
    let opened = PathFd::new(path).map_err(|_| not_there())?;
    let folder = fs::metadata(path).map_err(|_| not_there())?.is_dir();
    let access = if folder { access } else { access & AccessFs::from_file(LATEST) };
    ruleset.add_rule(PathBeneath::new(opened, access)).map_err(refused)
}

/// What a script's first line names: `#!/usr/bin/env python3` is `env` and the `python3` of `PATH`.
fn interpreters(program: &Path) -> Vec<PathBuf> {
    let mut start = [0; 256];
    let read = fs::File::open(program).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    let Some(line) = start.get(..read).and_then(|s| s.strip_prefix(b"#!")) else { return Vec::new() };
    let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let mut words = line.split_whitespace();
    let Some(interpreter) = words.next().map(PathBuf::from) else { return Vec::new() };
    let by_name = interpreter.ends_with("env").then(|| words.find(|word| !word.starts_with('-'))).flatten();
    let found = by_name.and_then(|name| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    });
    [interpreter].into_iter().chain(found).collect()
}

fn refused(error: landlock::RulesetError) -> String {
    format!("the kernel refuses to restrict files: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripts_interpreters_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        let of = |text: &str| {
            fs::write(&script, text).unwrap();
            interpreters(&script)
        };
        assert_eq!(of("#!/bin/sh -eu\n"), [PathBuf::from("/bin/sh")]);
        assert_eq!(of("#! /bin/sh"), [PathBuf::from("/bin/sh")]);
        let env = of("#!/usr/bin/env -S sh -eu\n");
        assert_eq!((env.len(), env[1].ends_with("sh")), (2, true), "{env:?}");
        assert!(of("#!\n").is_empty() && of("\x7fELF").is_empty() && of("").is_empty());
        assert!(interpreters(Path::new("/no/such/program")).is_empty());
    }
}
