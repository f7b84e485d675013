//! Which files below a folder are meant: globs that take in and globs that leave out.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Which paths are meant. Hidden ones (a name that begins with a dot) only where a pattern of `include` has such a
/// name itself.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Everything, if it is empty.
    include: GlobSet,
    /// Those of `include` that name hidden files.
    hidden: GlobSet,
    exclude: GlobSet,
}

impl Filter {
    /// Compiles it: all files, or those of `include`; without those of `exclude`.
    ///
    /// # Errors
    /// The pattern that is none, and why in words.
    pub fn new<'p>(
        include: impl IntoIterator<Item = &'p str>,
        exclude: impl IntoIterator<Item = &'p str>,
    ) -> Result<Self, (&'p str, String)> {
        let (mut included, mut hidden, mut excluded) =
            (GlobSetBuilder::new(), GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in include {
            let glob = glob(pattern).map_err(|why| (pattern, why))?;
            if is_hidden(pattern) {
                hidden.add(glob.clone());
            }
            included.add(glob);
        }
        let mut last = "";
        for pattern in exclude {
            last = pattern;
            excluded.add(glob(pattern).map_err(|why| (pattern, why))?);
            // What leaves out all that is in a folder leaves out the folder.
            if let Some(folder) = pattern.strip_suffix("/**").filter(|folder| !folder.is_empty()) {
                excluded.add(glob(folder).map_err(|why| (pattern, why))?);
            }
        }
        let built = |set: GlobSetBuilder| set.build().map_err(|_| (last, "the patterns are too large".to_owned()));
        Ok(Filter { include: built(included)?, hidden: built(hidden)?, exclude: built(excluded)? })
    }

    /// Whether the file at `path` is meant. A path that is not written plainly (`a//b`, `./a`, `a/../b`) is not.
    pub fn takes(&self, path: &str) -> bool {
        let plain = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        let included = match is_hidden(path) {
            true => self.hidden.is_match(path),
            false => self.include.is_empty() || self.include.is_match(path),
        };
        plain && included && !self.exclude.is_match(path)
    }

    /// Whether there may be files below the folder at `path` that are meant.
    pub fn enters(&self, path: &str) -> bool {
        (!is_hidden(path) || !self.hidden.is_empty()) && !self.exclude.is_match(path)
    }

    /// Whether the folder at `path` is shown where folders are.
    pub fn shows(&self, path: &str) -> bool {
        !is_hidden(path) && !self.exclude.is_match(path)
    }
}

/// A glob over paths: `*` and `?` stay within a name, `**` goes over folders, `{a,b}` and `[a-z]` choose.
///
/// # Errors
/// Why it is none, in words.
pub fn glob(pattern: &str) -> Result<Glob, String> {
    let glob = GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern)).literal_separator(true).build();
    glob.map_err(|error| error.kind().to_string())
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|name| name.starts_with('.') && !matches!(name, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&'static str], exclude: &[&'static str]) -> Filter {
        Filter::new(include.iter().copied(), exclude.iter().copied()).unwrap()
    }

    #[test]
    fn takes_what_is_included_and_not_excluded() {
        let all = filter(&[], &[]);
        assert!(all.takes("a") && all.takes("a/b.md"));
        let notes = filter(&["**/*.md", "*.{txt,rst}"], &["drafts/**", "**/old.md"]);
        for (path, taken) in [
            ("a.md", true),
            ("b/c/a.md", true),
            ("a.txt", true),
            ("b/a.txt", false),
            ("a.rs", false),
            ("drafts/a.md", false),
            ("drafts/b/a.md", false),
            ("b/old.md", false),
            ("b/drafts/a.md", true),
        ] {
            assert_eq!(notes.takes(path), taken, "{path}");
        }
        assert!(!notes.enters("drafts") && notes.enters("b") && !notes.shows("drafts"));
    }

    #[test]
    fn hidden_files_are_taken_only_where_the_spec_says_so() {
        let all = filter(&["**/*"], &[]);
        for path in [".env", ".git/config", "a/.secret", "a/.b/c"] {
            assert!(!all.takes(path), "{path}");
        }
        assert!(!all.enters(".git"));
        let some = filter(&["**/*", ".github/**"], &[]);
        assert!(some.takes(".github/a.yml") && some.takes("a") && !some.takes(".env") && some.enters(".github"));
    }

    #[test]
    fn paths_that_are_not_plain_are_not_taken() {
        let all = filter(&[], &[]);
        for path in ["", "/a", "a//b", "./a", "a/./b", "a/../b", "..", "../a", "a/"] {
            assert!(!all.takes(path), "{path}");
        }
    }

    #[test]
    fn a_wrong_pattern_is_named() {
        let (pattern, why) = Filter::new(["a", "a[b"], []).unwrap_err();
        assert_eq!((pattern, why.as_str()), ("a[b", "unclosed character class; missing ']'"));
        assert_eq!(Filter::new([], ["{a"]).unwrap_err().0, "{a");
    }
}
