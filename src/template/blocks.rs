//! The part of handlebars that the text of an SQL query may use: blocks that switch parts of it on and off, and
//! identifiers. A value never gets into the text.

use std::iter::Peekable;
use std::ops::Range;

use super::tags::{self, Kind, Segment, Tag};
use crate::spec::Fault;

/// A part of a query. Ranges are bytes of the query as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text, byte for byte what stands at `range`; never empty.
    Text {
        /// The text.
        text: String,
        /// Where it stands.
        range: Range<usize>,
    },
    /// `{{ident name}}`: the identifier that the param `name` chooses.
    Ident {
        /// The param.
        name: String,
        /// Where the param's name stands.
        range: Range<usize>,
    },
    /// `{{#if name}}` or `{{#unless name}}`, also behind `else`.
    If {
        /// The param that is asked for.
        name: String,
        /// Whether this is `unless`.
        negated: bool,
        /// Where the param's name stands.
        range: Range<usize>,
        /// What stands before `{{else}}`.
        then: Vec<Piece>,
        /// What stands behind it; an `{{else if}}` is one `If` in here.
        otherwise: Vec<Piece>,
    },
}

/// Splits the text of a query into its parts. White space stays as written.
///
/// # Errors
/// All faults: tags that are not closed or don't match, and every `{{…}}` that is neither `if`, `unless`, `else`,
/// `ident` nor a comment.
pub fn blocks(text: &str) -> Result<Vec<Piece>, Vec<Fault>> {
    let mut blocks = Blocks { text, segments: tags::scan(text)?.into_iter().peekable(), faults: Vec::new() };
    let pieces = blocks.pieces();
    if blocks.faults.is_empty() { Ok(pieces) } else { Err(blocks.faults) }
}

struct Blocks<'a> {
    text: &'a str,
    segments: Peekable<std::vec::IntoIter<Segment>>,
    faults: Vec<Fault>,
}

impl<'a> Blocks<'a> {
    fn part(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or("")
    }

    /// The pieces up to the next `{{else}}` or closing tag, or to the end.
    fn pieces(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(segment) = self.segments.next_if(|s| !ends_block(s)) {
            match segment {
                Segment::Text(range) => pieces.push(Piece::Text { text: self.part(&range).to_owned(), range }),
                Segment::Escape(range) => {
                    self.faults.push(Fault::new(range, "`\\{{` has no meaning in a query"));
                }
                Segment::Tag(tag) => pieces.extend(self.tag(&tag)),
            }
        }
        pieces
    }

    fn tag(&mut self, tag: &Tag) -> Option<Piece> {
        self.check_white_space(tag);
        match tag.kind {
            Kind::Value => self.ident(tag),
            Kind::Open => {
                let piece = self.block(tag);
                if let Some(Segment::Tag(end)) = self.segments.next() {
                    self.check_white_space(&end);
                }
                piece
            }
            Kind::Partial => {
                self.faults.push(Fault::new(tag.range.clone(), "a query can't put in partials"));
                None
            }
            Kind::Comment | Kind::Close | Kind::Else { .. } => None,
        }
    }

    fn check_white_space(&mut self, tag: &Tag) {
        if tag.trims {
            self.faults.push(Fault::new(tag.range.clone(), "`~` has no effect in a query: its white space is kept"));
        }
    }

    fn ident(&mut self, tag: &Tag) -> Option<Piece> {
        let words = self.words(tag);
        match words.as_slice() {
            [(ident, _), (name, range)] if *ident == "ident" && is_name(name) => {
                Some(Piece::Ident { name: (*name).to_owned(), range: range.clone() })
            }
            [(ident, _), _, ..] if *ident == "ident" => {
                let fault = Fault::new(tag.range.clone(), "`ident` takes the name of one param");
                self.faults.push(fault.help("for example `{{ident sort}}`"));
                None
            }
            words => {
                let message = format!("`{}` would put a value into SQL text", self.part(&tag.range));
                let help = match words {
                    [(name, _)] if is_name(name) => format!("bind it: `:{name}`"),
                    _ => "bind values by their names, as in `:title`".to_owned(),
                };
                self.faults.push(Fault::new(tag.range.clone(), message).help(help));
                None
            }
        }
    }

    /// A block whose opening tag (or `{{else if}}`) is `tag`, up to its closing tag.
    fn block(&mut self, tag: &Tag) -> Option<Piece> {
        let condition = self.condition(tag);
        let then = self.pieces();
        let otherwise = match self.segments.next_if(|s| matches!(s, Segment::Tag(Tag { kind: Kind::Else { .. }, .. })))
        {
            Some(Segment::Tag(tag)) => {
                self.check_white_space(&tag);
                match tag.kind {
                    Kind::Else { chained: true } => self.block(&tag).into_iter().collect(),
                    _ => self.pieces(),
                }
            }
            _ => Vec::new(),
        };
        let (name, negated, range) = condition?;
        Some(Piece::If { name, negated, range, then, otherwise })
    }

    fn condition(&mut self, tag: &Tag) -> Option<(String, bool, Range<usize>)> {
        let words = self.words(tag);
        let (word, rest) = words.split_first().map_or(("", [].as_slice()), |((word, _), rest)| (word, rest));
        let fault = match (word, rest) {
            ("if" | "unless", [(name, range)]) if is_name(name) => {
                return Some(((*name).to_owned(), word == "unless", range.clone()));
            }
            ("if" | "unless", _) => Fault::new(tag.range.clone(), "a condition in a query is the name of one param")
                .help(format!("for example `{{{{#{word} title}}}}`")),
            ("each", _) => Fault::new(tag.range.clone(), "a query can't hold `{{#each}}`")
                .help("a list binds as a whole: `IN (:ids)`"),
            _ => Fault::new(tag.range.clone(), "the blocks of a query are `{{#if name}}` and `{{#unless name}}`"),
        };
        self.faults.push(fault);
        None
    }

    /// The words of a tag and their places.
    fn words(&self, tag: &Tag) -> Vec<(&'a str, Range<usize>)> {
        let mut at = tag.inner.start;
        let mut words = Vec::new();
        for word in self.part(&tag.inner).split_inclusive(|c: char| c.is_ascii_whitespace()) {
            let trimmed = word.trim_ascii_end();
            if !trimmed.is_empty() {
                words.push((trimmed, at..at + trimmed.len()));
            }
            at += word.len();
        }
        words
    }
}

fn ends_block(segment: &Segment) -> bool {
    matches!(segment, Segment::Tag(Tag { kind: Kind::Else { .. } | Kind::Close, .. }))
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word != "this" && word.chars().all(|c| tags::is_symbol(c) && c != ':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(text: &str) -> Vec<String> {
        let line = |f: Fault| {
            let help = f.help.map(|h| format!(" ({h})")).unwrap_or_default();
            format!("{}: {}{help}", &text[f.range], f.message)
        };
        blocks(text).expect_err(text).into_iter().map(line).collect()
    }

    /// Pieces in short: text as it is, `<name>`, `(?name … : …)`; checks every range on the way.
    fn short(text: &str, pieces: &[Piece]) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text { text: part, range } => {
                assert_eq!(&text[range.clone()], part);
                assert!(!part.is_empty());
                part.clone()
            }
            Piece::Ident { name, range } => {
                assert_eq!(&text[range.clone()], name);
                format!("<{name}>")
            }
            Piece::If { name, negated, range, then, otherwise } => {
                assert_eq!(&text[range.clone()], name);
                let sign = if *negated { '!' } else { '?' };
                format!("({sign}{name} {}:{})", short(text, then), short(text, otherwise))
            }
        };
        pieces.iter().map(piece).collect()
    }

    fn shortened(text: &str) -> String {
        short(text, &blocks(text).unwrap_or_else(|f| panic!("{text}: {f:?}")))
    }

    #[test]
    fn splits_a_query() {
        let text = "SELECT *\n  {{#if max}} AND p <= :max {{/if}}\n ORDER BY {{ident sort}} {{!-- ü --}}LIMIT 1";
        assert_eq!(shortened(text), "SELECT *\n  (?max  AND p <= :max :)\n ORDER BY <sort> LIMIT 1");
        assert_eq!(shortened(""), "");
        assert_eq!(shortened("{{#unless ü}}a{{else}}b{{/unless}}"), "(!ü a:b)");
        assert_eq!(shortened("{{#if a}}1{{else if b}}2{{else unless c}}3{{^}}4{{/if}}5"), "(?a 1:(?b 2:(!c 3:4)))5");
        assert_eq!(shortened("{{#if a}}{{#if b}}{{else}}x{{/if}}y{{/if}}"), "(?a (?b :x)y:)");
        assert_eq!(shortened("{{# if a }}{{ ident\n b }}{{/ if }}"), "(?a <b>:)");
    }

    #[test]
    fn white_space_stays() {
        let text = "a\n  {{#if x}}\n  b\n  {{else}}\n  c\n  {{/if}}\nd";
        assert_eq!(shortened(text), "a\n  (?x \n  b\n  :\n  c\n  )\nd");
        assert_eq!(shortened("x '}}' {y} \\ {"), "x '}}' {y} \\ {");
    }

    #[test]
    fn values_do_not_get_into_the_text() {
        assert_eq!(
            faults("a = '{{title}}'"),
            ["{{title}}: `{{title}}` would put a value into SQL text (bind it: `:title`)"]
        );
        assert_eq!(
            faults("{{{title}}}")[0],
            "{{{title}}}: `{{{title}}}` would put a value into SQL text (bind it: `:title`)"
        );
        assert_eq!(faults("{{&title}}").len(), 1);
        assert_eq!(faults("{{ident}}"), ["{{ident}}: `{{ident}}` would put a value into SQL text (bind it: `:ident`)"]);
        for text in [
            "{{upper title}}",
            "{{book.title}}",
            "{{this}}",
            "{{../a}}",
            "{{(ident a)}}",
            "{{@index}}",
            "{{'a'}}",
            "{{}}",
            "{{a b c}}",
        ] {
            assert!(
                faults(text)[0]
                    .ends_with("would put a value into SQL text (bind values by their names, as in `:title`)"),
                "{text}: {:?}",
                faults(text)
            );
        }
        for text in [
            "{{ident a b}}",
            "{{ident a.b}}",
            "{{ident 'a'}}",
            "{{ident (a)}}",
            "{{ident a:b}}",
            "{{ident this}}",
            "{{ident a=b}}",
        ] {
            assert_eq!(
                faults(text),
                [format!("{text}: `ident` takes the name of one param (for example `{{{{ident sort}}}}`)")]
            );
        }
    }

    #[test]
    fn other_tags_are_refused() {
        assert_eq!(
            faults("{{#if (eq a 1)}}{{/if}}"),
            ["{{#if (eq a 1)}}: a condition in a query is the name of one param (for example `{{#if title}}`)"]
        );
        assert_eq!(faults("{{#unless a.b}}{{/unless}}").len(), 1);
        assert_eq!(faults("{{#if}}{{else if}}{{/if}}").len(), 2);
        assert_eq!(
            faults("{{#each ids}}x{{/each}}"),
            ["{{#each ids}}: a query can't hold `{{#each}}` (a list binds as a whole: `IN (:ids)`)"]
        );
        assert_eq!(
            faults("{{#with a}}{{/with}}"),
            ["{{#with a}}: the blocks of a query are `{{#if name}}` and `{{#unless name}}`"]
        );
        assert_eq!(faults("{{> p}}"), ["{{> p}}: a query can't put in partials"]);
        assert_eq!(faults(r"\{{a}}"), [r"\{{: `\{{` has no meaning in a query"]);
        assert_eq!(faults("{{~#if a}}{{else~}}{{/if~}}").len(), 3);
        assert_eq!(faults("{{#if a}}").len(), 1);
        assert_eq!(faults("{{a}} {{#if b.c}}{{d}}{{else each e}}{{f}}{{/if}}{{> g}}").len(), 6);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn text_is_verbatim(parts in proptest::collection::vec(("[a-z :'\"\nü{}%]{0,6}", 0..6usize), 0..8)) {
            prop_assume!(!parts.iter().any(|(t, _)| t.contains("{{") || t.ends_with('{')));
            let tag = |i: usize| ["{{#if a}}", "{{/if}}", "{{else}}", "{{ident b}}", "{{! {{ }}", "{{else if c}}"][i];
            let text: String = parts.iter().map(|(t, i)| format!("{t}{}", tag(*i))).collect();
            if let Ok(pieces) = blocks(&text) {
                let all = short(&text, &pieces);
                for (part, _) in &parts {
                    prop_assert!(all.contains(part.as_str()));
                }
            }
        }
    }
}
