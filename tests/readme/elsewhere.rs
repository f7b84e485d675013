//! Blocks about what can't be run here, or is in a file of its own.

use super::commands::run;
use super::{Verdict, Workshop, root};

/// Whether a block is what a file of the repository holds.
pub fn check_same(file: &str, text: &str) -> Verdict {
    let held = std::fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    if held.trim_end() == text.trim_end() { Ok(()) } else { Err(format!("{file} says something else")) }
}

/// Commands for another machine: a shell can read them, their files are there, and so are the options of `serve`.
pub fn check(workshop: &Workshop, text: &str) -> Verdict {
    let read = std::process::Command::new("bash").args(["-n", "-c", text]).output().map_err(|why| why.to_string())?;
    if !read.status.success() {
        return Err(String::from_utf8_lossy(&read.stderr).into_owned());
    }
    let missing = text.split_whitespace().find(|word| word.starts_with(".ci/") && !root().join(word).is_file());
    if let Some(missing) = missing {
        return Err(format!("there is no {missing}"));
    }
    let help = run(workshop, "mcp-declare serve --help").text;
    let served = text.lines().filter_map(|line| line.split_once(" serve ").map(|(_, arguments)| arguments));
    let mut options = served.flat_map(str::split_whitespace).filter(|word| word.starts_with("--"));
    match options.find(|option| !help.contains(option)) {
        Some(unknown) => Err(format!("`serve` has no {unknown}")),
        None => Ok(()),
    }
}
