//! Where the `{{…}}` tags of a text stand and what kind each is. Exact to the byte, which the handlebars
//! parser is not: it gives a line and a column for some elements and none for others.

use std::ops::Range;

use crate::spec::Fault;

mod balance;

/// The longest text that may hold tags, in bytes.
const MAX_TEXT: usize = 1 << 20;
/// The most tags times bytes: handlebars counts lines from the beginning for every tag, so its time grows with this.
/// 600 tags fit into 100 KB.
const MAX_WORK: usize = 1 << 26;
/// How deep brackets may nest inside one tag, and blocks inside each other.
const MAX_DEPTH: usize = 32;

/// What a tag is for, told by its first sign or word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{x}}`, `{{{x}}}`, `{{&x}}`, `{{helper x}}`
    Value,
    /// `{{#if x}}`
    Open,
    /// `{{/if}}`
    Close,
    /// `{{else}}`, `{{^}}`; chained: `{{else if x}}`
    Else { chained: bool },
    /// `{{> name}}`
    Partial,
    /// `{{! … }}`, `{{!-- … --}}`
    Comment,
}

/// A tag and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub kind: Kind,
    /// From `{{` to `}}`, both included.
    pub range: Range<usize>,
    /// What stands inside, without signs (`#`, `/`, `>`, `else`), `~` and outer white space.
    pub inner: Range<usize>,
    /// Whether a `~` asks for white space to be removed.
    pub trims: bool,
}

/// A text is a row of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text without a tag; never empty.
    Text(Range<usize>),
    /// `\{{`: two literal braces.
    Escape(Range<usize>),
    /// A tag.
    Tag(Tag),
}

impl Segment {
    /// The tag, if this is one.
    pub(super) fn as_tag(&self) -> Option<&Tag> {
        match self {
            Segment::Tag(tag) => Some(tag),
            Segment::Text(_) | Segment::Escape(_) => None,
        }
    }
}

/// Splits `text` into segments that cover it without gaps. All faults are found: unclosed tags, unsupported kinds,
/// blocks that don't match, too deep nesting.
pub(super) fn scan(text: &str) -> Result<Vec<Segment>, Vec<Fault>> {
    if text.len() > MAX_TEXT {
        return Err(vec![Fault::new(0..0, "this text is longer than a template may be (1 MiB)")]);
    }
    let mut scan = Scan { text, segments: Vec::new(), faults: Vec::new(), from: 0 };
    scan.run();
    scan.faults.extend(balance::check(text, scan.segments.iter().filter_map(Segment::as_tag)));
    if scan.faults.is_empty() { Ok(scan.segments) } else { Err(scan.faults) }
}

/// The first word of a tag's inner text.
pub(super) fn first_word(inner: &str) -> &str {
    let end = inner.find(|c: char| !is_symbol(c)).unwrap_or(inner.len());
    inner.get(..end).unwrap_or(inner)
}

/// Whether handlebars takes `c` as part of a name.
pub(super) fn is_symbol(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$' | ':') || !c.is_ascii()
}

struct Scan<'a> {
    text: &'a str,
    segments: Vec<Segment>,
    faults: Vec<Fault>,
    /// End of the last segment.
    from: usize,
}

impl<'a> Scan<'a> {
    fn part(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or("")
    }

    fn rest(&self, from: usize) -> &'a str {
        self.part(from..self.text.len())
    }

    fn run(&mut self) {
        let mut at = 0;
        let most = MAX_WORK / self.text.len().max(1);
        for count in 0.. {
            let Some(found) = self.rest(at).find("{{") else { break };
            let open = at + found;
            if count > most {
                self.faults =
                    vec![Fault::new(open..open + 2, format!("more than {most} `{{{{…}}}}` in so long a text"))];
                break;
            }
            at = match self.part(self.from..open).bytes().rev().take_while(|b| *b == b'\\').count() {
                1 => self.escape(open),
                _ => self.tag(open),
            };
        }
        self.text_until(self.text.len());
    }

    fn text_until(&mut self, end: usize) {
        if self.from < end {
            self.segments.push(Segment::Text(self.from..end));
        }
        self.from = end;
    }

    /// `\{{` (and `\{{{{`, which handlebars takes as one) makes the braces literal.
    fn escape(&mut self, open: usize) -> usize {
        let end = if self.rest(open).starts_with("{{{{") { open + 4 } else { open + 2 };
        self.text_until(open - 1);
        self.segments.push(Segment::Escape(open - 1..end));
        self.from = end;
        end
    }

    fn tag(&mut self, open: usize) -> usize {
        if self.rest(open).starts_with("{{{{") {
            self.faults.push(Fault::new(open..open + 4, "raw blocks `{{{{…}}}}` are not supported"));
            return open + 4;
        }
        let comment = self.rest(open).starts_with("{{!");
        let end = if comment { self.comment_end(open) } else { self.tag_end(open) };
        let Some(end) = end else {
            self.faults.push(Fault::new(open..open + 2, "this `{{` is not closed by `}}`"));
            return self.text.len();
        };
        let tag = if comment {
            Ok(Tag { kind: Kind::Comment, range: open..end, inner: open + 3..end - 2, trims: false })
        } else {
            self.classify(open..end)
        };
        match tag {
            Ok(tag) => {
                self.text_until(open);
                self.segments.push(Segment::Tag(tag));
            }
            Err(fault) => self.faults.push(fault),
        }
        self.from = end;
        end
    }

    /// A comment that begins with `--` ends at `--}}`, any other (also when there is no `--}}`) at `}}`.
    fn comment_end(&self, open: usize) -> Option<usize> {
        let inner = self.rest(open + 3);
        let dashes = inner.len() - inner.trim_start_matches([' ', '\t', '\n', '\r']).len();
        let long = inner.get(dashes..).and_then(|i| i.strip_prefix("--")).and_then(|i| i.find("--}}"));
        long.map(|at| open + 3 + dashes + 2 + at + 4).or_else(|| inner.find("}}").map(|at| open + 3 + at + 2))
    }

    /// The end of a tag: `}}` outside of strings and braces, so that `{{{x}}}` and `{{f {"a":1}}}` end right.
    fn tag_end(&mut self, open: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let (mut at, mut braces, mut brackets) = (open + 2, 0usize, 0usize);
        loop {
            match bytes.get(at)? {
                quote @ (b'"' | b'\'') => at = self.string_end(at + 1, *quote)?,
                b'{' => braces += 1,
                b'}' if braces > 0 => braces -= 1,
                b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at + 2),
                b'(' | b'[' => brackets += 1,
                b')' | b']' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if braces + brackets > MAX_DEPTH {
                self.faults.push(Fault::new(open..open + 2, format!("brackets nest deeper than {MAX_DEPTH} here")));
                return Some(self.text.len());
            }
            at += 1;
        }
    }

    /// Where the closing quote of a string that begins at `from` stands.
    fn string_end(&self, from: usize, quote: u8) -> Option<usize> {
        let mut escaped = false;
        for (i, b) in self.rest(from).bytes().enumerate() {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b if b == quote => return Some(from + i),
                _ => {}
            }
        }
        None
    }

    fn trim(&self, range: Range<usize>) -> Range<usize> {
        let text = self.part(range.clone());
        let start = range.start + (text.len() - text.trim_ascii_start().len());
        start..(range.end - (text.len() - text.trim_ascii_end().len())).max(start)
    }

    /// Tells a tag's kind and finds its inner text.
    fn classify(&self, range: Range<usize>) -> Result<Tag, Fault> {
        let whole = range.start + 2..range.end.saturating_sub(2).max(range.start + 2);
        let mut inner = whole.clone();
        if self.part(inner.clone()).starts_with('~') {
            inner.start += 1;
        }
        if self.part(inner.clone()).ends_with('~') {
            inner.end -= 1;
        }
        let trims = inner != whole;
        let inner = self.trim(inner);
        let (kind, skip) = self.kind(self.part(inner.clone()), &range)?;
        let mut inner = self.trim(inner.start + skip..inner.end);
        if self.part(inner.clone()).starts_with('{') {
            inner = self.trim(inner.start + 1..inner.end.saturating_sub(1).max(inner.start + 1));
        }
        let kind = match kind {
            Kind::Else { .. } => Kind::Else { chained: !inner.is_empty() },
            kind => kind,
        };
        Ok(Tag { kind, range, inner, trims })
    }

    /// The kind of a tag and how many bytes of `inner` say so.
    fn kind(&self, inner: &str, range: &Range<usize>) -> Result<(Kind, usize), Fault> {
        let refuse = |what: &str| Err(Fault::new(range.clone(), format!("{what} are not supported")));
        match inner.as_bytes() {
            [b'#', rest @ ..] => match rest.trim_ascii_start().first() {
                Some(b'*') => refuse("inline partials and decorators"),
                Some(b'>') => refuse("partial blocks `{{#> …}}`"),
                _ => Ok((Kind::Open, 1)),
            },
            [b'*', ..] => refuse("decorators"),
            [b'/', ..] => Ok((Kind::Close, 1)),
            [b'>', ..] => Ok((Kind::Partial, 1)),
            [b'^', ..] => Ok((Kind::Else { chained: true }, 1)),
            [b'&', ..] => Ok((Kind::Value, 1)),
            _ => match (first_word(inner), inner.get(4..).and_then(|rest| rest.chars().next())) {
                ("else", None) => Ok((Kind::Else { chained: true }, 4)),
                ("else", Some(c)) if c.is_ascii_whitespace() => Ok((Kind::Else { chained: true }, 4)),
                (word, Some(c)) if word.starts_with("else") && is_symbol(c) => {
                    let message = format!("handlebars reads `{{{{{word}}}}}` as `{{{{else …}}}}`");
                    Err(Fault::new(range.clone(), message).help(format!("write `{{{{this.{word}}}}}`")))
                }
                _ => Ok((Kind::Value, 0)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<(Kind, String)> {
        let tag = |s: Segment| match s {
            Segment::Tag(tag) => Some((tag.kind, text[tag.inner].to_owned())),
            _ => None,
        };
        scan(text).unwrap().into_iter().filter_map(tag).collect()
    }

    fn messages(text: &str) -> Vec<String> {
        scan(text).unwrap_err().into_iter().map(|f| format!("{}: {}", &text[f.range], f.message)).collect()
    }

    #[test]
    fn tells_the_kinds_apart() {
        let text = "a{{ b }}{{{c}}}{{~&d~}}{{#if e}}{{else if f}}{{^}}{{/if}}{{> g}}{{! h}}{{!-- }} --}}";
        let chained = Kind::Else { chained: true };
        let expected = [
            (Kind::Value, "b"),
            (Kind::Value, "c"),
            (Kind::Value, "d"),
            (Kind::Open, "if e"),
            (chained, "if f"),
            (Kind::Else { chained: false }, ""),
            (Kind::Close, "if"),
            (Kind::Partial, "g"),
            (Kind::Comment, " h"),
            (Kind::Comment, "-- }} --"),
        ];
        assert_eq!(tags(text), expected.map(|(k, s)| (k, s.to_owned())));
    }

    #[test]
    fn covers_the_text_without_gaps() {
        for text in ["", "x", "{{a}}", r"x\{{a}} \\{{b}} {{c}}\{{{{d", "ü{{!-- ü --}}ü"] {
            let mut at = 0;
            for segment in scan(text).unwrap() {
                let (Segment::Text(r) | Segment::Escape(r) | Segment::Tag(Tag { range: r, .. })) = segment;
                assert_eq!(r.start, at, "{text}");
                at = r.end;
            }
            assert_eq!(at, text.len(), "{text}");
        }
    }

    #[test]
    fn strings_and_braces_hide_the_end() {
        assert_eq!(tags(r#"{{default a "}}"}}"#), [(Kind::Value, r#"default a "}}""#.to_owned())]);
        assert_eq!(tags(r#"{{json {"a":{"b":1}}}}"#).len(), 1);
        assert_eq!(tags("{\"a\":{\"b\":{{x}}}}"), [(Kind::Value, "x".to_owned())]);
    }

    #[test]
    fn says_what_is_not_closed_or_not_supported() {
        assert_eq!(messages("a {{b"), ["{{: this `{{` is not closed by `}}`"]);
        assert_eq!(messages("{{don't}} it's"), ["{{: this `{{` is not closed by `}}`"]);
        assert_eq!(messages("{{{{raw}}}}x{{{{/raw}}}}").len(), 2);
        assert_eq!(messages("{{#*inline \"a\"}}{{/inline}}").len(), 2);
        assert_eq!(
            messages("{{#if a}}{{#each b}}{{/if}}{{/each}}"),
            ["{{/if}}: `{{/if}}` stands where `{{#each}}` has to be closed", "{{/each}}: `{{/each}}` closes nothing"]
        );
        assert_eq!(messages("{{else}}{{#if a}}{{else}}{{else}}").len(), 3);
        assert_eq!(messages("{{elsewhere}}"), ["{{elsewhere}}: handlebars reads `{{elsewhere}}` as `{{else …}}`"]);
        assert_eq!(messages(&"{{#if a}}".repeat(40)).len(), 41);
    }

    #[test]
    fn hostile_text_ends_quickly() {
        assert!(scan(&"{".repeat(100_000)).is_err());
        assert!(scan(&format!("{{{{a {}", "(".repeat(100_000))).is_err());
        assert!(scan(&"x".repeat(MAX_TEXT + 1)).is_err());
        assert!(scan(&r"\{{".repeat(1_000)).is_ok());
        for many in ["{{a}}", "{{!--}}", "{{a ", "{{}}", "{{else}}"] {
            assert!(scan(&many.repeat(100_000)).unwrap_err().len() < 1000, "{many}");
        }
        assert!(scan(&format!("{{{{a {}", "\"\\".repeat(300_000))).is_err());
        assert!(scan("{{}}").is_ok());
        assert!(scan("{{~}}").is_ok());
        assert!(scan("{{{}}").is_err());
    }
}
