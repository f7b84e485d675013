//! Names of tools and params that come from names in a database.

use std::collections::HashSet;

/// Names that are taken.
#[derive(Debug, Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// A name like this one that nothing else has.
    pub fn take(&mut self, wanted: &str) -> String {
        let base = identifier(wanted);
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.0.contains(name)).unwrap_or(base);
        self.0.insert(name.clone());
        name
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Letters, digits and `_` alone, a letter first.
fn identifier(name: &str) -> String {
    let mut clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !clean.starts_with(|c: char| c.is_ascii_alphabetic()) {
        clean.insert(0, 'c');
    }
    clean.truncate(48);
    clean
}

/// Whether a name can stand in a statement and a text of a spec: without what a template or the environment would
/// change there, and on one line.
pub fn usable(name: &str) -> bool {
    !name.is_empty() && !name.contains("{{") && !name.contains("${") && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers_and_differ() {
        let mut names = Names::default();
        assert_eq!(names.take("find_books"), "find_books");
        assert_eq!(names.take("find books"), "find_books_2");
        assert_eq!(names.take("find\u{e9}books"), "find_books_3");
        assert_eq!(names.take("2026"), "c2026");
        assert_eq!(names.count(), 4);
        for (name, wanted) in
            [("a b", true), ("a\"b", true), ("", false), ("a\nb", false), ("{{a}}", false), ("${A}", false)]
        {
            assert_eq!(usable(name), wanted, "{name}");
        }
    }
}
