//! From a part of a scalar's value back to the text that it was written as.

use std::ops::Range;

/// How a scalar is written, as far as its characters stand for others.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// Plain, a block, or TOML's literal text: every character is itself.
    Verbatim,
    /// YAML's `'…'`: `''` is a quote.
    Single,
    /// `"…"` with escapes.
    Double,
}

/// Finds `range` of a scalar's `value` in the text it was `written` as: plain, quoted, or a block with its
/// header and indentation. `None` where the two can't be brought together.
pub fn align(written: &str, value: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let (style, mut at) = opening(written)?;
    let (mut start, mut end) = (None, None);
    for (i, c) in value.char_indices() {
        if i >= range.end && end.is_some() {
            break;
        }
        let here = character(written, at, c, style)?;
        if i >= range.start && start.is_none() {
            start = Some(here.start);
        }
        at = here.end;
        if i + c.len_utf8() >= range.end && end.is_none() {
            end = Some(at);
        }
    }
    let start = start.unwrap_or(at);
    Some(start..end.unwrap_or(at).max(start))
}

/// A scalar's style and where its text begins.
fn opening(written: &str) -> Option<(Style, usize)> {
    Some(match written.as_bytes().first()? {
        b'|' | b'>' => (Style::Verbatim, written.find('\n')? + 1),
        b'"' if written.starts_with("\"\"\"") => (Style::Double, 3),
        b'\'' if written.starts_with("'''") => (Style::Verbatim, 3),
        b'"' => (Style::Double, 1),
        b'\'' => (Style::Single, 1),
        _ => (Style::Verbatim, 0),
    })
}

/// Where the character `c` of the value is written, from `from` on. White space may be more or less than in the
/// value: lines are folded and indented.
fn character(written: &str, from: usize, c: char, style: Style) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let rest = written.get(at..)?;
        match escape(rest, style) {
            Some((None, length)) => {
                at += length;
                continue;
            }
            Some((Some(escaped), length)) => return (escaped == c).then_some(at..at + length),
            None if rest.starts_with(c) => return Some(at..at + c.len_utf8()),
            None => {}
        }
        match rest.chars().next() {
            Some(space) if space.is_whitespace() => at += space.len_utf8(),
            _ if c.is_whitespace() => return Some(from..from),
            _ => return None,
        }
    }
}

/// The escape sequence that a text begins with: what it stands for (nothing, if it joins two lines) and its length.
fn escape(text: &str, style: Style) -> Option<(Option<char>, usize)> {
    match style {
        Style::Single => text.starts_with("''").then_some((Some('\''), 2)),
        Style::Double => {
            let rest = text.strip_prefix('\\')?;
            let unescaped = match rest.chars().next()? {
                '0' => '\0',
                'a' => '\x07',
                'b' => '\x08',
                't' => '\t',
                'n' => '\n',
                'v' => '\x0b',
                'f' => '\x0c',
                'r' => '\r',
                'e' => '\x1b',
                'N' => '\u{85}',
                '_' => '\u{a0}',
                'L' => '\u{2028}',
                'P' => '\u{2029}',
                'x' => return code_point(rest, 2),
                'u' => return code_point(rest, 4),
                'U' => return code_point(rest, 8),
                '\n' | '\r' => return Some((None, 2)),
                itself => return Some((Some(itself), 1 + itself.len_utf8())),
            };
            Some((Some(unescaped), 2))
        }
        Style::Verbatim => None,
    }
}

/// `x41`, `u0041`, or two halves of a surrogate pair as JSON writes them.
fn code_point(text: &str, digits: usize) -> Option<(Option<char>, usize)> {
    let number = |from: usize| u32::from_str_radix(text.get(from..from + digits)?, 16).ok();
    let (high, length) = (number(1)?, digits + 2);
    if let Some(c) = char::from_u32(high) {
        return Some((Some(c), length));
    }
    let low = number(length + 1)?;
    char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?])
        .next()?
        .ok()
        .map(|c| (Some(c), length * 2))
}

#[cfg(test)]
mod tests {
    use super::align;

    fn found(written: &str, value: &str, needle: &str) -> Option<String> {
        let from = value.find(needle)?;
        let range = align(written, value, &(from..from + needle.len()))?;
        written.get(range).map(str::to_owned)
    }

    #[test]
    fn finds_a_part_of_a_scalar_however_it_is_written() {
        for (written, value) in [
            ("SELECT foo FROM t", "SELECT foo FROM t"),
            ("'SELECT foo FROM t'", "SELECT foo FROM t"),
            ("\"SELECT foo\"", "SELECT foo"),
            ("|\n    SELECT a,\n      foo\n    FROM t\n", "SELECT a,\n  foo\nFROM t\n"),
            (">-\n    SELECT a,\n    foo\n", "SELECT a, foo"),
            ("\"\"\"SELECT\nfoo\"\"\"", "SELECT\nfoo"),
            ("'ü foo'", "ü foo"),
            ("'it''s ''foo'''", "it's 'foo'"),
            (r#""a \"b\"\tfoo""#, "a \"b\"\tfoo"),
            (r#""\\ \u00fc \xe9 \U0001F600 \ud83d\ude00 foo""#, "\\ ü é 😀 😀 foo"),
            ("\"SELECT \\\n    foo\"", "SELECT foo"),
            ("\"\"\"\\\n    SELECT a, \\\n    foo \\\n    \"\"\"", "SELECT a, foo "),
            (r"'''C:\foo'''", r"C:\foo"),
            ("a\n  b\n\n  foo", "a b\nfoo"),
        ] {
            assert_eq!(found(written, value, "foo").as_deref(), Some("foo"), "{written}");
        }
        assert_eq!(found(r#""a \"b\" c""#, "a \"b\" c", "\"b\"").as_deref(), Some(r#"\"b\""#));
    }

    #[test]
    fn gives_up_where_the_two_differ() {
        for (written, value) in [("abc", "abd"), ("\"\\u12\"", "a"), ("\"\\ud800x\"", "a"), ("|", "a"), ("", "a")] {
            assert_eq!(align(written, value, &(0..value.len())), None, "{written}");
        }
    }

    #[test]
    fn takes_any_range_without_panic() {
        for start in 0..10 {
            for end in 0..10 {
                align("'ü'' x'", "ü' x", &(start..end));
                align("\"\\", "ü' x", &(start..end));
            }
        }
    }
}
