//! The tokenizer: one pass over the bytes, whitespace and comments left out.

use std::ops::Range;

use super::Dialect;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A quoted name.
    Quoted,
    /// A string.
    Text,
    /// A number.
    Number,
    /// `:name`.
    Param,
    /// `;`
    Semicolon,
    /// Any other character, `::` or `:=`.
    Symbol,
}

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
}

/// The tokens of a text.
#[derive(Debug)]
pub struct Tokens<'a> {
    sql: &'a str,
    dialect: Dialect,
    at: usize,
    /// Open `[` in PostgreSQL, where a `:` may divide the bounds of a slice.
    brackets: usize,
    before: Option<Token>,
    /// Whether the string before has backslashes.
    escaping: bool,
}

/// The tokens of `sql`, in order.
pub fn tokens(sql: &str, dialect: Dialect) -> Tokens<'_> {
    Tokens { sql, dialect, at: 0, brackets: 0, before: None, escaping: false }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while let Some(end) = self.blank() {
            self.at = end;
        }
        let (kind, end) = self.token(self.at, self.byte(self.at)?);
        let token = Token { kind, range: self.at..end };
        self.at = end;
        self.before = Some(token.clone());
        Some(token)
    }
}

impl Tokens<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.as_bytes().get(at).copied()
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.sql.as_bytes().get(at..).unwrap_or_default()
    }

    /// Where the bytes that `wanted` accepts end.
    fn run(&self, start: usize, wanted: impl Fn(u8) -> bool) -> usize {
        start + self.rest(start).iter().take_while(|byte| wanted(**byte)).count()
    }

    /// The end of the whitespace or comment that begins here.
    fn blank(&self) -> Option<usize> {
        let (at, rest) = (self.at, self.rest(self.at));
        match rest {
            [byte, ..] if byte.is_ascii_whitespace() => Some(at + 1),
            [b'#', ..] if self.dialect == Dialect::Mysql => Some(self.line_end(at)),
            [b'-', b'-', after @ ..] if self.begins_comment(after.first()) => Some(self.line_end(at)),
            [b'/', b'*', ..] => Some(self.block_end(at)),
            _ => None,
        }
    }

    /// In MySQL `a--1` is a subtraction: only white space makes `--` a comment.
    fn begins_comment(&self, next: Option<&u8>) -> bool {
        self.dialect != Dialect::Mysql || next.is_none_or(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
    }

    fn line_end(&self, start: usize) -> usize {
        let return_ends_line = self.dialect == Dialect::Postgres;
        self.run(start, |byte| byte != b'\n' && !(return_ends_line && byte == b'\r'))
    }

    /// The end of a `/* … */`; PostgreSQL's nest.
    fn block_end(&self, start: usize) -> usize {
        let (mut at, mut depth) = (start + 2, 1_usize);
        while depth > 0 {
            match self.rest(at) {
                [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
                [b'/', b'*', ..] if self.dialect == Dialect::Postgres => (at, depth) = (at + 2, depth + 1),
                [] => break,
                _ => at += 1,
            }
        }
        at
    }

    fn token(&mut self, start: usize, byte: u8) -> (Kind, usize) {
        let dialect = self.dialect;
        match byte {
            b'\'' => {
                self.escaping = dialect == Dialect::Mysql || self.after_e(start) || self.goes_on(start);
                (Kind::Text, self.quoted(start, b'\'', self.escaping))
            }
            b'"' if dialect == Dialect::Mysql => (Kind::Text, self.quoted(start, b'"', true)),
            b'"' => (Kind::Quoted, self.quoted(start, b'"', false)),
            b'`' if dialect != Dialect::Postgres => (Kind::Quoted, self.quoted(start, b'`', false)),
            b'[' if dialect == Dialect::Sqlite => (Kind::Quoted, self.through(start + 1, "]")),
            b'$' if dialect == Dialect::Postgres => self.dollar(start),
            b':' => self.colon(start),
            b';' => {
                self.brackets = 0;
                (Kind::Semicolon, start + 1)
            }
            b'[' | b']' => {
                self.brackets = if byte == b'[' { self.brackets + 1 } else { self.brackets.saturating_sub(1) };
                (Kind::Symbol, start + 1)
            }
            b'0'..=b'9' => (Kind::Number, self.run(start, |byte| byte == b'.' || in_word(byte))),
            _ if starts_word(byte) => (Kind::Word, self.run(start, |byte| byte == b'$' || in_word(byte))),
            _ => (Kind::Symbol, start + 1),
        }
    }

    /// The end of what `quote` opened: a doubled quote stands for itself.
    fn quoted(&self, start: usize, quote: u8, backslash: bool) -> usize {
        let mut at = start + 1;
        loop {
            match self.rest(at) {
                [] => return self.sql.len(),
                [b'\\', _, ..] if backslash => at += 2,
                [first, second, ..] if *first == quote && *second == quote => at += 2,
                [first, ..] if *first == quote => return at + 1,
                _ => at += 1,
            }
        }
    }

    /// The end of the next `end`, or of the text.
    fn through(&self, start: usize, end: &str) -> usize {
        let found = self.sql.get(start..).and_then(|rest| rest.find(end));
        found.map_or(self.sql.len(), |offset| start + offset + end.len())
    }

    /// Whether the string that begins here goes on with an `E'…'` of a line before, as SQL allows.
    fn goes_on(&self, start: usize) -> bool {
        let Some(Token { kind: Kind::Text, range }) = &self.before else { return false };
        let gap = self.sql.get(range.end..start).unwrap_or_default();
        self.escaping && self.dialect == Dialect::Postgres && gap.contains(['\n', '\r']) && !gap.contains("/*")
    }

    /// Whether the string that begins here is an `E'…'`, the only one of PostgreSQL's with backslashes.
    fn after_e(&self, start: usize) -> bool {
        let Some(Token { kind: Kind::Word, range }) = &self.before else { return false };
        let word = self.sql.get(range.clone()).unwrap_or_default();
        self.dialect == Dialect::Postgres && range.end == start && word.eq_ignore_ascii_case("e")
    }

    /// `$tag$ … $tag$`, or a `$` of its own, as in `$1`.
    fn dollar(&self, start: usize) -> (Kind, usize) {
        let tag_end = self.run(start + 1, in_word);
        let numbered = self.byte(start + 1).is_some_and(|byte| byte.is_ascii_digit());
        match self.sql.get(start..=tag_end) {
            Some(tag) if tag.ends_with('$') && !numbered => (Kind::Text, self.through(tag_end + 1, tag)),
            _ => (Kind::Symbol, start + 1),
        }
    }

    fn colon(&self, start: usize) -> (Kind, usize) {
        match self.byte(start + 1) {
            Some(b':' | b'=') => (Kind::Symbol, start + 2),
            Some(byte) if (byte.is_ascii_alphabetic() || byte == b'_') && !self.divides_slice(start) => {
                (Kind::Param, self.run(start + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            }
            _ => (Kind::Symbol, start + 1),
        }
    }

    /// Whether this `:` stands between the bounds of a slice, `a[1:n]`, where nothing is bound. A word
    /// must touch it, for `ARRAY[CASE WHEN :p …]` has a parameter.
    fn divides_slice(&self, start: usize) -> bool {
        let Some(before) = self.before.as_ref().filter(|_| self.brackets > 0) else { return false };
        match before.kind {
            Kind::Number | Kind::Quoted | Kind::Param => true,
            Kind::Word => before.range.end == start,
            Kind::Symbol => matches!(self.byte(before.range.start), Some(b')' | b']')),
            Kind::Text | Kind::Semicolon => false,
        }
    }
}

/// Bytes beyond ASCII count as letters, so a character is never cut in two.
fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn in_word(byte: u8) -> bool {
    starts_word(byte) || byte.is_ascii_digit()
}
