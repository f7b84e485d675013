//! Answers that were kept, and what is different now.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use similar::TextDiff;

use crate::catalog::case::{Got, cut};

/// How long looking for the shortest difference may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines of a difference that are shown.
const MOST: usize = 100;

/// Where answers are kept: a folder beside the spec, a file for each test.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
    update: bool,
}

impl Snapshots {
    /// Those of a folder; `update` keeps the answers as they are now.
    pub fn new(folder: PathBuf, update: bool) -> Self {
        Snapshots { folder, update }
    }

    /// Why the answer is not the one that was kept.
    pub fn compare(&self, name: &str, got: &Got) -> Option<String> {
        let kept = if got.is_error { json!({ "error": got.text }) } else { got.value.clone() };
        let now = format!("{kept:#}\n");
        let path = self.folder.join(format!("{}.json", file_name(name)));
        if self.update {
            let written = std::fs::create_dir_all(&self.folder).and_then(|()| std::fs::write(&path, now));
            return written.err().map(|error| format!("can't write {}: {error}", path.display()));
        }
        match std::fs::read_to_string(&path) {
            Ok(before) if before == now => None,
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
