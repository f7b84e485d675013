//! Text → handlebars' syntax tree, with the exact place of every tag beside it.

use std::ops::Range;

use handlebars::Handlebars;
use handlebars::template::Template as Tree;

use super::tags::{self, Kind, Segment, Tag};
use crate::spec::Fault;

/// A parsed text.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub text: String,
    /// In the order of the text, which is also the order in which a walk of the tree meets them.
    pub tags: Vec<Tag>,
    pub tree: Tree,
}

/// Parses `text`; the faults are of its syntax, all of them.
pub(super) fn parse(text: &str) -> Result<Parsed, Vec<Fault>> {
    let tags: Vec<Tag> = tags::scan(text)?.iter().filter_map(Segment::as_tag).cloned().collect();
    // A partial's lines are put in as they are; otherwise handlebars would indent them, and values with them.
    let mut parser = Handlebars::new();
    parser.set_prevent_indent(true);
    if let Err(error) = parser.register_template_string("", text) {
        let faults = unreadable(text, &tags);
        return Err(if faults.is_empty() { vec![elsewhere(text, error.pos())] } else { faults });
    }
    let tree = parser.get_template("").cloned().unwrap_or_default();
    Ok(Parsed { text: text.to_owned(), tags, tree })
}

/// handlebars stops at the first tag that it can't read, so every tag is tried by itself.
fn unreadable(text: &str, tags: &[Tag]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for tag in tags {
        let written = text.get(tag.range.clone()).unwrap_or("");
        let word = tags::first_word(text.get(tag.inner.clone()).unwrap_or(""));
        let alone = match tag.kind {
            Kind::Open => format!("{written}{{{{/{word}}}}}"),
            Kind::Else { .. } => format!("{{{{#if x}}}}{written}{{{{/if}}}}"),
            Kind::Close => format!("{{{{#{word} x}}}}{written}"),
            Kind::Value | Kind::Partial | Kind::Comment => written.to_owned(),
        };
        if Tree::compile(&alone).is_err() {
            let fault = Fault::new(tag.range.clone(), format!("`{written}` can't be read"));
            faults.push(fault.help("a value is written `{{name}}`, a helper `{{upper name}}`, a block `{{#if name}}`"));
        }
    }
    faults
}

fn elsewhere(text: &str, position: Option<(usize, usize)>) -> Fault {
    let at = position.map_or(0, |(line, column)| offset(text, line, column));
    Fault::new(at..at, "the template can't be read from here on")
}

/// The byte that a line and a column (in characters, both from 1) mean.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or("");
    before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

/// Finds names and words inside one tag, from left to right.
pub(super) struct Words {
    /// The tag with its strings blanked out, so that no word is found in them.
    masked: String,
    /// Where the tag begins in the text.
    base: usize,
    at: usize,
}

impl Words {
    pub(super) fn of(parsed: &Parsed, tag: &Tag) -> Self {
        let written = parsed.text.get(tag.range.clone()).unwrap_or("");
        Words { masked: mask(written), base: tag.range.start, at: 0 }
    }

    /// The next place of `word` as a whole word; the whole tag if it isn't found.
    pub(super) fn next(&mut self, word: &str) -> Range<usize> {
        match self.find(word, self.at).or_else(|| self.find(word, 0)) {
            Some(found) => {
                self.at = found.end;
                self.base + found.start..self.base + found.end
            }
            None => self.base..self.base + self.masked.len(),
        }
    }

    /// Goes behind `key=`: settings are kept by handlebars in no order.
    pub(super) fn setting(&mut self, key: &str) -> Range<usize> {
        let mut at = 0;
        while let Some(found) = self.find(key, at) {
            at = found.end;
            if self.masked.get(at..).is_some_and(|rest| rest.trim_ascii_start().starts_with('=')) {
                break;
            }
        }
        self.at = at;
        self.base + at.saturating_sub(key.len())..self.base + at
    }

    fn find(&self, word: &str, from: usize) -> Option<Range<usize>> {
        let joins = |c: char| tags::is_symbol(c) || matches!(c, '.' | '/' | '@' | '[' | ']');
        let rest = self.masked.get(from..)?;
        rest.match_indices(word).map(|(at, _)| from + at..from + at + word.len()).find(|found| {
            let before = self.masked.get(..found.start).and_then(|s| s.chars().next_back());
            let after = self.masked.get(found.end..).and_then(|s| s.chars().next());
            // A path that ends in `]` may be followed by anything; `#x` and `/x` begin a tag, not a path.
            let sign = before == Some('/') && self.masked.get(..found.start).is_some_and(|s| s.ends_with("{{/"));
            (sign || !before.is_some_and(joins)) && !after.is_some_and(joins)
        })
    }
}

/// Blanks the strings of a tag, byte for byte.
fn mask(tag: &str) -> String {
    let mut open = None;
    let mut escaped = false;
    let mut out = String::with_capacity(tag.len());
    for c in tag.chars() {
        let hidden = open.is_some();
        match open {
            None if matches!(c, '"' | '\'') => open = Some(c),
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(quote) if c == quote => open = None,
            _ => {}
        }
        if hidden {
            out.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unreadable_tag_is_reported() {
        let text = "{{a | upper}} {{b}} {{#if}}{{/if}} {{c()}} {{}}";
        let found: Vec<_> = parse(text).unwrap_err().into_iter().map(|f| text[f.range].to_owned()).collect();
        assert_eq!(found, ["{{a | upper}}", "{{c()}}", "{{}}"]);
    }

    #[test]
    fn words_are_found_in_order_and_not_in_strings() {
        let text = r#"ü{{f "a" a aa b=a a.b x=../a}}"#;
        let parsed = parse(text).unwrap();
        let mut words = Words::of(&parsed, &parsed.tags[0]);
        assert_eq!(words.next("a"), 9 + 1..11);
        assert_eq!(&text[words.next("a.b")], "a.b");
        assert_eq!(words.setting("b").end, text.find("b=").unwrap() + 1);
        assert_eq!(words.next("a").start, text.find("b=a").unwrap() + 2);
        words.setting("x");
        assert_eq!(&text[words.next("../a")], "../a");
        assert_eq!(&text[words.next("zz")], &text[2..]);
    }

    #[test]
    fn offsets_are_bytes() {
        assert_eq!(offset("ü\nöx", 2, 2), 5);
        assert_eq!(offset("a", 9, 9), 1);
    }
}
