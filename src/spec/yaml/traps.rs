//! What people write who do not know YAML by heart, and what they are told.

use std::borrow::Cow;

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

    /// `SELECT "Line #"` without quotes around all of it, of which YAML takes `#"` for a comment: reported.
    pub(super) fn cut_quote(&mut self, value: &str, place: Span) -> bool {
        let rest = self.text.get(place.end as usize..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let Some(comment) = rest.trim_start().strip_prefix('#').filter(|_| rest.starts_with([' ', '\t'])) else {
            return false;
        };
        let cut = |quote: char| {
            // An apostrophe or an inch is no quote: it stands behind a letter or digit.
            let opens = value.rsplit_once(quote).is_some_and(|(before, _)| !before.ends_with(char::is_alphanumeric));
            let closes = comment.split(quote).skip(1).any(|after| !after.starts_with(char::is_alphanumeric));
            opens && !value.matches(quote).count().is_multiple_of(2) && closes
        };
        if !cut('"') && !cut('\'') {
            return false;
        }
        let begin = place.end as usize + rest.len() - rest.trim_start().len();
        let found = Diagnostic::error(
            Code::Syntax,
            Span::new(self.file, begin..begin + 1),
            "a comment begins inside of quotes",
        );
        self.sink.push(
            found
                .label("YAML takes ` #` for one")
                .help("write the text on lines of its own, behind `|`, or put quotes around all of it"),
        );
        true
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
fn syntax_help(text: &str, info: &str, at: usize) -> Option<Cow<'static, str>> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    let line = text.get(start..)?.lines().next().unwrap_or("");
    if info.contains("flow")
        && let Some(value) = uri_template(line)
    {
        return Some(format!("quote this value: `\"{value}\"`; inside `{{…}}` and `[…]` braces are YAML's own").into());
    }
    known_help(text, info, at, start, line).map(Cow::Borrowed)
}

/// What the parser's words or the line's look tell.
fn known_help(text: &str, info: &str, at: usize, start: usize, line: &str) -> Option<&'static str> {
    let is_colon = info.contains("mapping values are not allowed");
    if text.get(start..at)?.ends_with('\t') || text.get(at..)?.starts_with('\t') {
        Some("YAML is indented with spaces, not tabs")
    } else if is_colon && text.get(at..)?.starts_with(':') {
        Some("quote this value: a `:` at its end or before a space makes a key of it")
    } else if line.contains("{{") && !line.contains(['"', '\'']) {
        Some("quote this template: inside `{…}` and `[…]` braces and commas are YAML's own")
    } else if info.contains("flow") && text.get(..start)?.trim_end().lines().last()?.contains(" #") {
        Some("is something behind a ` #`, which begins a comment? put quotes around a text that has one")
    } else if is_colon {
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

/// The first value of a line that has a variable of a URI template (RFC 6570) and no quotes: `GET /x/{id}`.
fn uri_template(line: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(brace) = line.get(from..)?.find('{').map(|at| from + at) {
        let (before, after) = (line.get(..brace)?, line.get(brace + 1..)?);
        from = brace + 1;
        let name = after.split_once('}').map_or("", |(name, _)| name);
        let is_variable = |c: char| c.is_ascii_alphanumeric() || "_.,*+#/;?&:".contains(c);
        let begins = ["{ ", "[", ": ", ", "].iter().filter_map(|mark| Some(before.rfind(mark)? + mark.len())).max();
        let start = begins.unwrap_or(0);
        let value = line.get(start..)?;
        let is_text = before.ends_with(|c: char| !c.is_whitespace() && !"{[,:\"'".contains(c));
        if is_text && !name.is_empty() && name.chars().all(is_variable) && !value.starts_with(['"', '\'']) {
            return Some(flow_value(value));
        }
    }
    None
}

/// What stands before the `,`, `}` or `]` that ends a value, braces of its own left in it.
fn flow_value(text: &str) -> &str {
    let mut depth = 0usize;
    let end = text.char_indices().find(|(_, c)| match c {
        '{' => {
            depth += 1;
            false
        }
        '}' if depth > 0 => {
            depth -= 1;
            false
        }
        ',' | '}' | ']' => depth == 0,
        _ => false,
    });
    text.get(..end.map_or(text.len(), |(at, _)| at)).unwrap_or(text).trim_end()
}
