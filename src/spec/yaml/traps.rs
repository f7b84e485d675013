//! What people write who do not know YAML by heart, and what they are told.

use granit_parser::Event;

use super::{Composer, Stop};
use crate::spec::diagnostic::{Code, Diagnostic};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::source::{Span, Spanned};
use crate::spec::text::Text;

impl Composer<'_, '_> {
    /// Reports what the parser says; not what it says of the rest of a line whose template lacks quotes.
    pub(super) fn syntax(&mut self, info: &str, at: usize) {
        if self.unquoted.and_then(|end| self.text.get(end..at)).is_some_and(|between| !between.contains('\n')) {
            return;
        }
        let too_deep = info.contains("nest") || info.contains("recursion");
        let code = if too_deep { Code::TooLarge } else { Code::Syntax };
        let place = Span::new(self.file, at..at + self.character(at));
        let words = if too_deep { "nested too deep".to_owned() } else { format!("not valid YAML: {info}") };
        let found = Diagnostic::error(code, place, words);
        self.sink.push(match syntax_help(self.text, info, at) {
            Some(help) => found.help(help),
            None => found,
        });
    }

    fn character(&self, at: usize) -> usize {
        self.text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8)
    }

    /// Whether something stands between a key and its empty value: the `:`.
    pub(super) fn has_colon(&self, key: &Spanned<String>, value: &Node) -> bool {
        let between = self.text.get(key.span.end as usize..value.span.end as usize).unwrap_or("");
        let after = self.text.get(value.span.end as usize..).unwrap_or("");
        between.contains(':') || after.trim_start().starts_with(':')
    }

    /// `b FROM t` in `{ query: SELECT a, b FROM t }`: reported, and nothing more is said of the value before it.
    pub(super) fn bare_key(&mut self, key: &Spanned<String>, before: Option<&mut Entry>) {
        let words = format!("`{}` stands here without a value", key.value);
        let found = Diagnostic::error(Code::Syntax, key.span, words);
        self.sink.push(match before {
            Some(before) => {
                before.value.kind = Kind::Fault;
                let help = format!(
                    "does the value of `{}` need quotes? inside `{{…}}` a comma ends a value",
                    before.key.value
                );
                found.help(help)
            }
            None => found.label("write `name: value`, or quote it all if it is text"),
        });
    }

    /// `{{name}}` without quotes, which YAML takes for a map in a map: reported, and read as if it were quoted.
    pub(super) fn unquoted_template(&mut self, open: Span) -> Result<Node, Stop> {
        let mut depth = 1;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let span = self.until(open, &span);
                let written = self.text.get(span.range()).unwrap_or("");
                self.unquoted = Some(span.end as usize);
                self.sink.push(
                    Diagnostic::error(Code::Syntax, span, "a template without quotes").label("quote this template"),
                );
                return Ok(Node { span, kind: Kind::String(Text::new(written)) });
            }
        }
    }
}

/// What a syntax error most likely comes from.
fn syntax_help(text: &str, info: &str, at: usize) -> Option<&'static str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    let line = text.get(start..)?.lines().next().unwrap_or("");
    if text.get(start..at)?.ends_with('\t') || text.get(at..)?.starts_with('\t') {
        Some("YAML is indented with spaces, not tabs")
    } else if line.contains("{{") && !line.contains(['"', '\'']) {
        Some("quote this template: inside `{…}` and `[…]` braces and commas are YAML's own")
    } else if info.contains("mapping values are not allowed") {
        Some("quote this value: a `:` at its end or before a space makes a key of it")
    } else if info.contains("did not find expected key") {
        Some("is this line indented like those that it belongs to?")
    } else if info.contains("simple key expected") {
        Some("a key has a `:` behind it; the lines of a text behind `|` stand deeper than its key")
    } else if info.contains("unknown escape") {
        Some("inside double quotes a `\\` begins an escape: use single quotes, or write `\\\\`")
    } else if info.contains("multiline quoted scalar") {
        Some("is a quote before this never closed?")
    } else if info.contains("unexpected character") {
        Some("quote this text: YAML gives this character at its beginning a meaning of its own")
    } else {
        None
    }
}
