//! What a machine may lack: a test that can't run then says so.

use std::io::Write as _;
use std::path::PathBuf;

/// Says what is not run. Not by `eprintln!`, which a test that passes hides.
pub fn not_run(words: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "NOT RUN: {words}").unwrap();
}

/// A program, if it is on this machine.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The `node_modules` folder that a variable names. In CI a machine with npm has to have it.
pub fn modules(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        let words = format!("{what}: {variable} names no installation");
        assert!(program("npm").is_none() || std::env::var_os("CI").is_none(), "{words}");
        not_run(&words);
    }
    found
}
