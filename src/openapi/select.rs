//! Which operations are wanted.

use regex::Regex;

use super::operation::Operation;

/// Patterns that an operation is held against. A list that is not there says nothing.
#[derive(Debug, Default)]
pub struct Selection {
    /// Of its tags, one fits.
    pub tags: Option<Vec<Pattern>>,
    /// Its path fits.
    pub paths: Option<Vec<Pattern>>,
    /// Its method fits, in any case of letters.
    pub methods: Option<Vec<Pattern>>,
    /// Its `operationId` fits.
    pub operations: Option<Vec<Pattern>>,
}

/// A text in which `*` stands for any characters but `/`, and `**` for any.
#[derive(Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles it; `None` for one that is too large.
    pub fn new(text: &str) -> Option<Pattern> {
        let parts = text.split("**").map(|part| regex::escape(part).replace("\\*", "[^/]*"));
        let whole = parts.collect::<Vec<_>>().join(".*");
        Regex::new(&format!("^(?is:{whole})$")).ok().map(Pattern)
    }

    /// Whether all of a text is like it.
    pub fn fits(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl Selection {
    /// What each list says of an operation, of those that are there.
    fn verdicts(&self, operation: &Operation<'_>) -> impl Iterator<Item = bool> {
        let any = |patterns: &Option<Vec<Pattern>>, texts: &[&str]| {
            patterns.as_ref().map(|all| all.iter().any(|p| texts.iter().any(|text| p.fits(text))))
        };
        let id: Vec<&str> = operation.id.into_iter().collect();
        [
            any(&self.tags, &operation.tags),
            any(&self.paths, &[operation.path]),
            any(&self.methods, &[&operation.method]),
            any(&self.operations, &id),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether an operation fits all the lists that are there.
    pub fn includes(&self, operation: &Operation<'_>) -> bool {
        self.verdicts(operation).all(|fits| fits)
    }

    /// Whether an operation fits one of the lists.
    pub fn excludes(&self, operation: &Operation<'_>) -> bool {
        self.verdicts(operation).any(|fits| fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_and_two_do_not() {
        let fits = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().fits(text);
        assert!(fits("/repos/*", "/repos/{owner}") && !fits("/repos/*", "/repos/{owner}/{repo}"));
        assert!(fits("/repos/**", "/repos/{owner}/{repo}") && !fits("/repos/**", "/user/repos/x"));
        assert!(fits("get", "GET") && !fits("a.b", "axb") && fits("{a|b}", "{a|b}"));
    }
}
