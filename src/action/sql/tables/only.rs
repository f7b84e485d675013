//! Which tables are meant, by their names.

use crate::spec::Spanned;

/// Names and patterns.
#[derive(Debug)]
pub struct Only(Option<Vec<String>>);

impl Only {
    /// All tables, if none is named.
    pub fn new(names: Option<&[Spanned<String>]>) -> Self {
        Only(names.map(|names| names.iter().map(|name| name.value.clone()).collect()))
    }

    /// Whether a table is meant.
    pub fn takes(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| fits(pattern, name)))
    }
}

/// Whether a name is a pattern's, in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, wanted) in [
            ("books", "books", true),
            ("books", "Books", false),
            ("books", "booksx", false),
            ("*", "", true),
            ("report_*", "report_2026", true),
            ("report_*", "a_report_2026", false),
            ("*_log", "call_log", true),
            ("*_log", "call_logs", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
