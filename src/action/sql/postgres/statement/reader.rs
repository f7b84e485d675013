//! The words of a statement: what its keywords and names tell.

use super::Verb;
use crate::action::sql::lexer::{Kind, Token};

/// The tokens of a statement, by position.
pub struct Reader<'t> {
    /// The statement.
    pub sql: &'t str,
    /// Its tokens.
    pub tokens: &'t [Token],
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).and_then(|token| self.sql.get(token.range.clone())).unwrap_or_default()
    }

    /// Whether one of these words stands there.
    pub fn is(&self, at: usize, words: &[&str]) -> bool {
        let word = self.tokens.get(at).is_some_and(|token| token.kind == Kind::Word);
        word && words.iter().any(|word| self.text(at).eq_ignore_ascii_case(word))
    }

    /// Whether one of these words stands anywhere.
    pub fn has(&self, words: &[&str]) -> bool {
        (0..self.tokens.len()).any(|at| self.is(at, words))
    }

    /// Where `$1` stands.
    pub fn numbered(&self) -> Option<usize> {
        let at = (1..self.tokens.len()).find(|at| {
            let (before, number) = (self.tokens.get(at - 1), self.tokens.get(*at));
            self.text(at - 1) == "$"
                && number
                    .is_some_and(|n| n.kind == Kind::Number && before.is_some_and(|b| b.range.end == n.range.start))
        })?;
        self.tokens.get(at - 1).map(|token| token.range.start)
    }

    /// Where a `?` stands that other drivers take for a parameter. The operator of that name has a value on both sides.
    pub fn questioned(&self) -> Option<usize> {
        let symbol = |at: usize| self.tokens.get(at).is_none_or(|token| token.kind == Kind::Symbol);
        let question = |at: &usize| {
            let (before, after) = (at.checked_sub(1), at + 1);
            // `@?`, `?|`, `?&`, `?#` and `?-` are operators of their own, and any may be `OPERATOR(schema.?)`.
            let no_left = before.is_none_or(|at| symbol(at) && !matches!(self.text(at), ")" | "]" | "?" | "@" | "."));
            let operator = before.is_some_and(|at| symbol(at) && matches!(self.text(at), "@" | "."));
            let no_right = !operator && symbol(after) && matches!(self.text(after), "" | ")" | "," | "=" | "<" | ">");
            self.text(*at) == "?"
                && symbol(*at)
                && (no_left || no_right)
                && !matches!(self.text(after), "|" | "&" | "#" | "-")
        };
        let at = (0..self.tokens.len()).find(question)?;
        self.tokens.get(at).map(|token| token.range.start)
    }

    /// Whether this is a name behind a value and a dot, or behind other such names.
    fn follows_value(&self, at: usize) -> bool {
        let mut at = at;
        while at >= 2 && self.text(at - 1) == "." {
            at -= 2;
            match self.tokens.get(at).map(|token| token.kind) {
                Some(Kind::Word | Kind::Quoted) => {}
                Some(Kind::Param) => return true,
                _ => return matches!(self.text(at), ")" | "]"),
            }
        }
        false
    }

    /// Where `U&"…"` stands, a name that we would read as another.
    pub fn escaped_name(&self) -> Option<usize> {
        let touch = |one: &Token, two: &Token| one.range.end == two.range.start;
        let escaped = |at: &usize| match self.tokens.get(*at..*at + 3) {
            Some([u, and, name]) => {
                self.is(*at, &["u"])
                    && self.text(*at + 1) == "&"
                    && name.kind == Kind::Quoted
                    && touch(u, and)
                    && touch(and, name)
            }
            _ => false,
        };
        (0..self.tokens.len()).find(escaped).and_then(|at| self.tokens.get(at)).map(|token| token.range.start)
    }

    /// The token that the main part begins with: behind `WITH name AS (…), …`.
    pub fn main(&self) -> usize {
        if !self.is(0, &["with"]) {
            return 0;
        }
        let mut at = 1 + usize::from(self.is(1, &["recursive"]));
        // Each round begins at the name of a part.
        loop {
            at = self.behind_parts(at + 1);
            match self.text(at) {
                "," => at += 1,
                _ => return at,
            }
        }
    }

    /// Behind `(columns) AS MATERIALIZED (…) SEARCH …`: at a comma, or where the main part begins.
    fn behind_parts(&self, mut at: usize) -> usize {
        let mut body = false;
        while at < self.tokens.len() {
            match self.text(at) {
                "(" if body => return at,
                "(" => at = self.closing(at),
                "," if body => return at,
                _ if body && self.is(at, &["select", "insert", "update", "delete", "merge", "values", "table"]) => {
                    return at;
                }
                // What is in the parentheses behind AS is the part itself.
                _ if self.is(at, &["as"]) => {
                    while at < self.tokens.len() && self.text(at) != "(" {
                        at += 1;
                    }
                    at = self.closing(at);
                    body = true;
                }
                _ => at += 1,
            }
        }
        at
    }

    /// Behind the parenthesis that closes the one at `at`.
    fn closing(&self, mut at: usize) -> usize {
        let mut depth = 0_usize;
        while at < self.tokens.len() {
            match self.text(at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        at
    }

    /// What the statement does, whose main part begins there.
    pub fn verb(&self, main: usize) -> Verb {
        if self.is(main, &["select", "values", "table"]) || self.text(main) == "(" {
            Verb::Query
        } else if self.is(main, &["insert", "update", "delete", "merge"]) {
            Verb::Change
        } else if self.is(main, &["show"]) || (self.is(main, &["explain"]) && !self.has(&["analyze", "analyse"])) {
            Verb::Tell
        } else {
            Verb::Other
        }
    }

    /// Whether some part inserts, updates, deletes, locks rows, or makes a table of what it selects.
    pub fn writes(&self) -> bool {
        const CHANGES: &[&str] = &["insert", "update", "delete", "merge"];
        (0..self.tokens.len()).any(|at| {
            let opens = at == 0 || self.text(at - 1) == "(" || self.text(at - 1) == ")";
            (opens && self.is(at, CHANGES) && self.text(at + 1) != "(")
                || (self.is(at, &["for"]) && self.is(at + 1, &["update", "share", "no", "key"]))
                || self.is(at, &["into"])
        })
    }

    /// The functions that it calls. PostgreSQL takes `(value).function` for a call, as well as for a field.
    pub fn calls(&self) -> Vec<(String, usize)> {
        let name = |at: usize| {
            let token = self.tokens.get(at).filter(|_| self.text(at + 1) == "(" || self.follows_value(at))?;
            let name = match token.kind {
                Kind::Word => self.text(at).to_lowercase(),
                Kind::Quoted => self.text(at).trim_matches('"').replace("\"\"", "\""),
                _ => return None,
            };
            Some((name, token.range.start))
        };
        (0..self.tokens.len()).filter_map(name).collect()
    }
}
