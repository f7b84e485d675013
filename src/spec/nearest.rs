//! "Did you mean …?"

/// The one of `known` that `name` was most likely meant to be, if any is near enough to say so.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = name.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let slip = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= allowance(name.len().max(k.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| *k);
    slip.or_else(|| {
        let mut longer = known.iter().filter(|k| lower.len() >= MIN_BEGINNING && k.to_lowercase().starts_with(&lower));
        // The beginning of several names is meant for none of them.
        longer.next().copied().filter(|_| longer.next().is_none())
    })
}

/// Letters of a name's beginning that say which name is meant.
const MIN_BEGINNING: usize = 4;

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
        assert_eq!(nearest("user", ["username", "password"]), Some("username"));
        assert_eq!(nearest("readOnly", ["readOnlyHint", "title"]), Some("readOnlyHint"));
        assert_eq!(nearest("book", ["bookshops", "bookstores"]), None);
    }
}
