//! Where the key stands that a later one repeats: TOML's parser only tells of the later one.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A key that stands twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Its name, without quotes.
    pub name: String,
    /// Where it stands first, if that can be told.
    pub first: Option<Range<usize>>,
}

/// What the key at `again` repeats; `root` is what the whole text was read into.
pub fn find(text: &str, root: &DeTable<'_>, again: &Range<usize>) -> Duplicate {
    let raw = || text.get(again.clone()).unwrap_or("").trim_matches(['"', '\'']).to_owned();
    if let Some(table) = inline(text, root, again.start) {
        let name = raw();
        let first = table.get_key_value(name.as_str()).map(|(key, _)| key.span());
        return Duplicate { name, first: first.filter(|first| first.end <= again.start) };
    }
    match path(text, again) {
        Some(path) => {
            let line = line_start(text, again.start);
            let (earlier, _) = DeTable::parse_recoverable(text.get(..line).unwrap_or(""));
            let first = key_at(earlier.get_ref(), &path);
            Duplicate { name: path.last().cloned().unwrap_or_else(raw), first }
        }
        None => Duplicate { name: raw(), first: None },
    }
}

/// The innermost `{…}` around a byte of the text.
fn inline<'t, 'i>(text: &str, table: &'t DeTable<'i>, at: usize) -> Option<&'t DeTable<'i>> {
    table.iter().find_map(|(_, value)| inside(text, value.get_ref(), &value.span(), at))
}

fn inside<'t, 'i>(text: &str, value: &'t DeValue<'i>, span: &Range<usize>, at: usize) -> Option<&'t DeTable<'i>> {
    match value {
        DeValue::Table(table) => inline(text, table, at).or_else(|| {
            let braces = text.get(span.start..).is_some_and(|t| t.starts_with('{'));
            (braces && span.contains(&at)).then_some(table)
        }),
        DeValue::Array(items) => items.iter().find_map(|item| inside(text, item.get_ref(), &item.span(), at)),
        _ => None,
    }
}

/// The whole path of a key: those of the table's header that it stands below, and its own up to `again`.
fn path(text: &str, again: &Range<usize>) -> Option<Vec<String>> {
    let line = line_start(text, again.start);
    let own = text.get(line..again.end)?.trim_start();
    if own.starts_with("[[") {
        return keys(&format!("{own}]]"));
    }
    if own.starts_with('[') {
        return keys(&format!("{own}]"));
    }
    let lines = text.get(..line)?.lines().rev();
    let header = lines.filter(|l| l.trim_start().starts_with('[')).find_map(keys).unwrap_or_default();
    Some([header, keys(&format!("{own} = 0"))?].concat())
}

/// The keys of one line, from the outermost table to the last.
fn keys(line: &str) -> Option<Vec<String>> {
    let parsed = DeTable::parse(line).ok()?;
    let (mut table, mut keys) = (parsed.get_ref(), Vec::new());
    while let Some((key, value)) = table.iter().next() {
        keys.push(key.get_ref().to_string());
        match newest(value.get_ref()) {
            Some(inner) => table = inner,
            None => break,
        }
    }
    Some(keys)
}

fn key_at(mut table: &DeTable<'_>, path: &[String]) -> Option<Range<usize>> {
    let (last, parents) = path.split_last()?;
    for key in parents {
        table = newest(table.get(key.as_str())?.get_ref())?;
    }
    table.get_key_value(last.as_str()).map(|(key, _)| key.span())
}

/// A table, or the last one of an array of tables.
fn newest<'t, 'i>(value: &'t DeValue<'i>) -> Option<&'t DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(table),
        DeValue::Array(items) => items.last().and_then(|item| newest(item.get_ref())),
        _ => None,
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both places of the first duplicate, as `line:column` from 0, and its name.
    fn found(text: &str) -> (String, Option<String>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let again = errors.first().unwrap().span().unwrap();
        let duplicate = find(text, root.get_ref(), &again);
        let place = |at: usize| format!("{}:{}", text[..at].matches('\n').count(), at - line_start(text, at));
        (duplicate.name, duplicate.first.map(|first| place(first.start)))
    }

    #[test]
    fn finds_the_first_of_two_keys() {
        for (text, name, first) in [
            ("a = 1\na = 2\n", "a", "0:0"),
            ("[t]\na = 1\n[u]\na = 1\nb = 1\na = 2\n", "a", "3:0"),
            ("[t.x]\na = 1\n[t.y]\na = 1\n[t.x]\nb = 2\n", "x", "0:3"),
            ("[t.x]\na = 1\n[t.y]\na = 1\n[t.x]\na = 2\n", "x", "0:3"),
            ("[[m]]\na = 1\n[[m]]\na = 2\na = 3\n", "a", "3:0"),
            ("[t]\nx.a = 1\nx.b = 2\nx.a = 3\n", "a", "1:2"),
            ("[t]\n\"a b\" = 1\n'a b' = 2\n", "a b", "1:0"),
            ("a = 1\nt = { b = 1, a = 1, c = { a = 1 }, a = 2 }\n", "a", "1:13"),
            ("t = [{ a = 1 }, { b = 1, a = 1, a = 2 }]\n", "a", "0:25"),
            ("[t]\na = [\n[1],\n]\na = 2\n", "a", "1:0"),
        ] {
            assert_eq!(found(text), (name.to_owned(), Some(first.to_owned())), "{text}");
        }
    }

    #[test]
    fn takes_any_place_without_panic() {
        let text = "[t]\nü = 1\nü = 2\n";
        let (root, _) = DeTable::parse_recoverable(text);
        for start in 0..text.len() + 2 {
            for end in 0..text.len() + 2 {
                find(text, root.get_ref(), &(start..end));
            }
        }
    }
}
