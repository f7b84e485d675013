//! What the text of a statement tells before the server is asked: its parameters, where its main part stands, and
//! what it would leave behind on its connection.

mod reader;

use std::ops::Range;

use crate::action::sql::lexer::{self, Dialect, Kind, Rewritten, Token};
use crate::action::sql::types::{FaultKind, SqlFault};
use reader::Reader;

/// A place of a value. Several of the same name share one where they can, but a list and a single value don't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The name, without its colon.
    pub name: String,
    /// Whether it stands alone in `IN (…)`.
    pub list: bool,
    /// Whether it is text as nothing tells its type.
    pub text: bool,
}

/// What a statement does, as its main keyword says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It gives rows: SELECT, VALUES or TABLE.
    Query,
    /// INSERT, UPDATE, DELETE or MERGE.
    Change,
    /// SHOW or EXPLAIN, which tell about the server and whose rows are text.
    Tell,
    /// Anything else.
    Other,
}

/// A statement as it is written.
#[derive(Debug)]
pub struct Statement<'a> {
    sql: &'a str,
    parsed: lexer::Parsed,
    /// What its parameters stand for, `$1` first.
    pub slots: Vec<Slot>,
    /// The position of the slot of each parameter.
    places: Vec<usize>,
    /// What it does.
    pub verb: Verb,
    /// Where its main part begins: after a WITH list, if it has one.
    main: usize,
    /// Where the whole ends, a `;` left out.
    end: usize,
    /// Whether it says by a keyword that it writes or locks.
    pub writes: bool,
    /// Whether it makes a table of what it selects.
    pub makes_tables: bool,
    /// Whether a column may be NULL that its table keeps from being so.
    pub widens: bool,
    /// The functions that it calls, by name and place.
    pub calls: Vec<(String, usize)>,
}

/// Keywords that begin statements which would outlive their call, or end what a call stands in.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"],
        "a transaction is begun and ended for the statement: it can't do so itself",
    ),
    (
        &["set", "reset", "discard", "load"],
        "settings of a connection are shared with other calls: set them by `onConnect`",
    ),
    (
        &["prepare", "execute", "deallocate", "declare", "fetch", "move", "close", "listen", "unlisten"],
        "what a statement leaves on its connection would be seen by other calls",
    ),
    (&["copy"], "COPY needs a channel of its own that calls don't have: use SELECT or INSERT"),
];

impl<'a> Statement<'a> {
    /// Reads a statement.
    ///
    /// # Errors
    /// If it is none, more than one, or one that may not run here.
    pub fn parse(sql: &'a str) -> Result<Statement<'a>, SqlFault> {
        let parsed = lexer::parse(sql, Dialect::Postgres);
        let refused = |words: &str| SqlFault::new(FaultKind::Refused, words);
        if let Some(second) = &parsed.second_statement {
            return Err(refused("only one statement is allowed here").at(Some(second.start)));
        }
        let tokens: Vec<Token> = lexer::tokens(sql, Dialect::Postgres).filter(|t| t.kind != Kind::Semicolon).collect();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Err(refused("there is no statement"));
        };
        let reader = Reader { sql, tokens: &tokens };
        if let Some((_, words)) = REFUSED.iter().find(|(verbs, _)| reader.is(0, verbs)) {
            return Err(refused(words).at(Some(first.range.start)));
        }
        if let Some(at) = reader.numbered().or_else(|| reader.questioned()) {
            return Err(refused("a parameter is written `:name` here").at(Some(at)));
        }
        if let Some(at) = reader.escaped_name() {
            return Err(
                refused("a name in Unicode escapes, `U&\"…\"`, is not read here: write its characters").at(Some(at))
            );
        }
        let main = reader.main();
        let (slots, places) = slots(sql, &parsed);
        Ok(Statement {
            sql,
            slots,
            places,
            verb: reader.verb(main),
            main: tokens.get(main).map_or(0, |token| token.range.start),
            end: last.range.end,
            writes: reader.writes(),
            makes_tables: reader.has(&["into"]) && reader.verb(main) == Verb::Query,
            widens: reader.has(&[
                "left",
                "right",
                "full",
                "union",
                "intersect",
                "except",
                "rollup",
                "cube",
                "grouping",
            ]),
            calls: reader.calls(),
            parsed,
        })
    }

    /// The text with something else in the place of each parameter: what `replacement` gives for the position of
    /// its slot.
    pub fn rewrite(&self, replacement: impl Fn(usize, &Slot) -> String) -> Rewritten {
        lexer::rewrite(self.sql, &self.parsed, |name, index| {
            let at = self.places.get(index).copied().unwrap_or_default();
            self.slots.get(at).map_or_else(|| format!(":{name}"), |slot| replacement(at, slot))
        })
    }

    /// Makes it easier to find a type for a slot: its places part, and one that stands for itself is text. False if
    /// there is nothing left to do.
    pub fn loosen(&mut self, at: usize) -> bool {
        let places = self.places.iter().enumerate().filter(|(_, slot)| **slot == at).map(|(place, _)| place);
        let others: Vec<usize> = places.skip(1).collect();
        let Some(slot) = self.slots.get_mut(at) else { return false };
        if others.is_empty() {
            return !std::mem::replace(&mut slot.text, true);
        }
        let slot = slot.clone();
        for place in others {
            if let Some(at) = self.places.get_mut(place) {
                *at = self.slots.len();
                self.slots.push(slot.clone());
            }
        }
        true
    }

    /// A text that was rewritten from this one, in three parts: the WITH list, the main part, and nothing else.
    pub fn split(&self, rewritten: &Rewritten) -> (Range<usize>, Range<usize>) {
        let text = rewritten.text.as_str();
        // The way back is monotonous, so the way there is found by looking.
        let forth = |original: usize| (0..=text.len()).find(|at| rewritten.original(*at) >= original);
        let main = forth(self.main).unwrap_or(0);
        let end = forth(self.end).unwrap_or(text.len());
        (0..main, main..end)
    }
}

fn slots(sql: &str, parsed: &lexer::Parsed) -> (Vec<Slot>, Vec<usize>) {
    let (mut slots, mut places) = (Vec::new(), Vec::new());
    for param in &parsed.params {
        let list = lexer::stands_in_list(sql, &param.range, Dialect::Postgres);
        let slot = Slot { name: param.name.clone(), list, text: false };
        let at = slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            slots.push(slot);
            slots.len() - 1
        });
        places.push(at);
    }
    (slots, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(sql: &str) -> (String, String) {
        let statement = Statement::parse(sql).unwrap();
        let rewritten = statement.rewrite(|at, _| format!("<{}>", at + 1));
        let (with, main) = statement.split(&rewritten);
        (rewritten.text[with].trim_end().to_owned(), rewritten.text[main].to_owned())
    }

    #[test]
    fn the_main_part_stands_behind_the_with_list() {
        for (sql, with, main) in [
            ("SELECT :a;", "", "SELECT <1>"),
            ("  /* x */ TABLE t -- y", "  /* x */", "TABLE t"),
            ("WITH a AS (SELECT ':x', :b) SELECT :b, :c", "WITH a AS (SELECT ':x', <1>)", "SELECT <1>, <2>"),
            (
                "with recursive a(n) as not materialized (select 1), b AS (TABLE a) (SELECT 2)",
                "with recursive a(n) as not materialized (select 1), b AS (TABLE a)",
                "(SELECT 2)",
            ),
            ("WITH values AS (SELECT 1) VALUES (1)", "WITH values AS (SELECT 1)", "VALUES (1)"),
            (
                "WITH a AS (SELECT 1) SEARCH DEPTH FIRST BY x SET o DELETE FROM t",
                "WITH a AS (SELECT 1) SEARCH DEPTH FIRST BY x SET o",
                "DELETE FROM t",
            ),
        ] {
            assert_eq!(parts(sql), (with.to_owned(), main.to_owned()), "{sql}");
        }
    }

    #[test]
    fn what_a_statement_does_is_told_by_its_words() {
        for (sql, verb, writes) in [
            ("SELECT 'delete from t', \"update\", x FROM t", Verb::Query, false),
            ("SELECT (delete) FROM t", Verb::Query, true),
            ("WITH a AS (DELETE FROM t) SELECT 1", Verb::Query, true),
            ("SELECT 1 FOR NO KEY UPDATE", Verb::Query, true),
            ("SELECT substring(a FOR 2) FROM t", Verb::Query, false),
            ("INSERT INTO t SELECT 1", Verb::Change, true),
            ("SHOW x", Verb::Tell, false),
            ("EXPLAIN (ANALYZE) SELECT 1", Verb::Other, false),
        ] {
            let statement = Statement::parse(sql).unwrap();
            assert_eq!((statement.verb, statement.writes), (verb, writes), "{sql}");
        }
    }

    #[test]
    fn a_call_may_look_like_a_field() {
        let calls = |sql: &str| -> Vec<String> {
            Statement::parse(sql).unwrap().calls.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(calls("SELECT f(1), g . \"H\" (2), (x).i.\"J\", :k.l, a[1].m"), ["f", "H", "i", "J", "l", "m"]);
        assert_eq!(calls("SELECT t.a, s.t.b FROM s.t WHERE x IN (1)"), ["in"]);
    }

    #[test]
    fn places_of_one_value_part_before_they_are_text() {
        let mut statement = Statement::parse("SELECT :a IS NULL OR x = :a OR x IN (:a)").unwrap();
        let text = |statement: &Statement<'_>| {
            statement.rewrite(|at, slot| format!("{}{}", at + 1, if slot.text { "t" } else { "" })).text
        };
        assert_eq!(text(&statement), "SELECT 1 IS NULL OR x = 1 OR x IN (2)");
        assert!(statement.loosen(0));
        assert_eq!(text(&statement), "SELECT 1 IS NULL OR x = 3 OR x IN (2)");
        assert!(statement.loosen(0));
        assert_eq!(text(&statement), "SELECT 1t IS NULL OR x = 3 OR x IN (2)");
        assert!(!statement.loosen(0));
    }
}
