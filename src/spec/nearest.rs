//! "Did you mean …?"

/// The one of `known` that `name` was most likely meant to be, if any is near enough to say so.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= allowance(name.len().max(k.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// How many slips of the pen a name of `length` bytes may have.
fn allowance(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=4 => 1,
        5..=7 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_else() {
        assert_eq!(nearest("readonly", ["source", "readOnly"]), Some("readOnly"));
        assert_eq!(nearest("descripton", ["description", "params"]), Some("description"));
        assert_eq!(nearest("qeury", ["query", "source"]), Some("query"));
        assert_eq!(nearest("colour", ["size", "title"]), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
