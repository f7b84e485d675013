//! What could not be mapped, and why: nothing is dropped in silence.

use indexmap::IndexMap;

/// Something that is not in the tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The operation, as a person calls it; empty for the whole description.
    pub operation: String,
    /// The part of it; the whole operation without.
    pub part: Option<String>,
    /// Why: a lowercase sentence fragment.
    pub why: String,
}

impl Left {
    /// A whole operation.
    pub fn operation(operation: &str, why: impl Into<String>) -> Self {
        Left { operation: operation.to_owned(), part: None, why: why.into() }
    }

    /// A part of one.
    pub fn part(operation: &str, part: impl Into<String>, why: impl Into<String>) -> Self {
        Left { operation: operation.to_owned(), part: Some(part.into()), why: why.into() }
    }
}

/// A line for each reason, with all that it holds for.
pub fn by_reason<'l>(all: impl Iterator<Item = &'l Left>) -> Vec<String> {
    let mut reasons: IndexMap<String, Vec<String>> = IndexMap::new();
    for Left { operation, part, why } in all {
        let (reason, name) = match part {
            Some(part) if operation.is_empty() => (format!("{part}: {why}"), String::new()),
            Some(part) => (format!("{part}: {why}"), operation.clone()),
            None => (why.clone(), operation.clone()),
        };
        reasons.entry(reason).or_default().push(name);
    }
    let line = |(reason, names): (String, Vec<String>)| {
        let mut names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        names.dedup();
        if names.is_empty() { reason } else { format!("{reason} ({})", names.join(", ")) }
    };
    reasons.into_iter().map(line).collect()
}
