//! Answers that were kept, and what is different now.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use similar::TextDiff;

use crate::catalog::case::{Got, cut};
use crate::cli::replace::{reason, replace};
use crate::cli::spec::plural;
use crate::spec::read::list_names;

/// How long looking for the shortest difference may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines of a difference that are shown.
const MOST: usize = 100;

/// Where answers are kept: a folder beside the spec, a file for each test.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
    update: bool,
    /// How many were written.
    written: Cell<usize>,
}

impl Snapshots {
    /// Those of a folder; `update` keeps the answers as they are now.
    pub fn new(folder: PathBuf, update: bool) -> Self {
        Snapshots { folder, update, written: Cell::new(0) }
    }

    /// Where the answer of a test is kept.
    pub fn path(&self, test: &str) -> PathBuf {
        self.folder.join(format!("{}.json", file_name(test)))
    }

    /// How many answers were kept; nothing if none was.
    pub fn told(&self) -> Option<String> {
        let written = self.written.take();
        (written > 0).then(|| format!("kept {}", plural(written, "answer")))
    }

    /// Which answers are kept although none of these tests has one.
    pub fn needless<'t>(&self, tests: impl Iterator<Item = &'t str>) -> Option<String> {
        let wanted: HashSet<PathBuf> = tests.map(|test| self.path(test)).collect();
        let there = std::fs::read_dir(&self.folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let is_json = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
        let needless = there.filter(|path| is_json(path) && !wanted.contains(path));
        let mut names: Vec<String> =
            needless.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
        names.sort();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let words = || format!("no test has the snapshot {} in {}", list_names(&names), self.folder.display());
        (!names.is_empty()).then(words)
    }

    /// Why the answer is not the one that was kept; while they are updated, it is kept.
    pub fn compare(&self, name: &str, got: &Got) -> Option<String> {
        let kept = if got.is_error { json!({ "error": got.text }) } else { got.value.clone() };
        let now = format!("{kept:#}\n");
        let path = self.path(name);
        // To read from a pipe waits for its other end.
        if path.exists() && !path.is_file() {
            return Some(format!("{} is not a file", path.display()));
        }
        match std::fs::read_to_string(&path) {
            Ok(before) if before == now => None,
            _ if self.update => {
                let folder = std::fs::create_dir_all(&self.folder).map_err(|error| reason(&error));
                let written = folder.and_then(|()| replace(&path, &now));
                self.written.update(|written| written + 1);
                written.err().map(|why| format!("can't write {}: {why}", path.display()))
            }
            Ok(before) => {
                let words = "the answer is another one than was kept (`--update` keeps this one)";
                Some(format!("{words}\n{}", difference(&before, &now)))
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Some(format!("can't read {}: {error}", path.display()))
            }
            Err(_) => Some("no answer was kept yet: `--update` keeps this one".to_owned()),
        }
    }
}

/// A test's name as that of a file, of which no other test's is the same: other bytes than those of letters, digits and
/// `-_.` are percent-encoded.
fn file_name(name: &str) -> String {
    let spelled = |c: char| match c {
        c if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') => c.to_string(),
        c => c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
    };
    name.chars().map(spelled).collect()
}

/// What is different, by lines; the first of them where there are many.
fn difference(before: &str, now: &str) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, now);
    let diff = diff.unified_diff().context_radius(2).to_string();
    let lines: Vec<&str> = diff.lines().collect();
    let shown: Vec<String> = lines.iter().take(MOST).map(|line| cut(line)).collect();
    let more = lines.len().saturating_sub(MOST);
    let rest = if more > 0 { format!("\nand {more} more lines") } else { String::new() };
    shown.join("\n") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tests_share_a_file() {
        assert_eq!(file_name("finds_dune-2.ä"), "finds_dune-2.ä");
        let names = ["a b", "a_b", "a/b", "a%20b", "../b"].map(file_name);
        assert_eq!(names, ["a%20b", "a_b", "a%2Fb", "a%2520b", "..%2Fb"]);
    }

    #[test]
    fn a_long_difference_is_cut() {
        let lines = |from: usize| (from..from + 9999).map(|n| format!("{n}\n")).collect::<String>();
        let said = difference(&lines(0), &lines(50_000));
        assert!(said.lines().count() == MOST + 1 && said.ends_with(" more lines"), "{said}");
    }
}
