//! What a statement does, and which ones are refused before the server sees them.
//!
//! The server itself keeps a read-only source from writing, by `START TRANSACTION READ ONLY`. But MariaDB lets
//! a statement end that transaction on its own (`CREATE`, `LOCK TABLES`, `CALL`, `EXECUTE IMMEDIATE`, `COMMIT`), so
//! there only statements that can't are let through. Others outlive their call on a connection that is shared.

use crate::action::sql::lexer::{self, Dialect, Kind, Token};
use crate::action::sql::types::{FaultKind, SqlFault};

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It reads.
    Read,
    /// It writes rows.
    Write,
    /// It changes what tables there are or what is known of them, and commits by itself.
    Define,
    /// It runs a stored procedure, which may do anything.
    Call,
}

impl Class {
    /// Whether it leaves something on its connection: procedures set variables, and temporary tables stay.
    pub fn leaves_traces(self) -> bool {
        matches!(self, Class::Define | Class::Call)
    }
}

/// First words of statements, and what these do.
const VERBS: &[(Class, &[&str])] = &[
    (Class::Read, &["select", "show", "explain", "describe", "desc", "table", "values"]),
    (Class::Write, &["insert", "update", "delete", "replace", "do"]),
    (
        Class::Define,
        &[
            "create", "alter", "drop", "rename", "truncate", "analyze", "optimize", "repair", "check", "checksum",
            "grant", "revoke",
        ],
    ),
    (Class::Call, &["call"]),
];

/// Functions whose effect outlives the call, or that read files of the server's machine.
const FUNCTIONS: &[&str] = &["get_lock", "release_lock", "release_all_locks", "load_file"];

/// Functions of MariaDB's sequences.
const SEQUENCES: &[&str] = &["nextval", "setval"];

/// Judges the only statement of a text.
///
/// # Errors
/// If there is no statement or more than one, or if it is none that an action may run.
pub fn judge(sql: &str) -> Result<Class, SqlFault> {
    let statements = lexer::statements(sql, Dialect::Mysql);
    let refused = |words: &str, at: usize| Err(SqlFault::new(FaultKind::Refused, words).at(Some(at)));
    let Some(first) = statements.first() else { return refused("there is no statement", 0) };
    if let Some(second) = statements.get(1) {
        return refused("only one statement is allowed here", second.start);
    }
    let words = Words::of(sql);
    if let Some(at) = words.executable_comment() {
        return refused("a comment that the server runs, `/*! … */`, is not allowed", at);
    }
    if let Some(at) = words.positional() {
        return refused("`?` is a parameter without a name: write it as :name", at);
    }
    if let Some((at, name)) = words.call_of(FUNCTIONS) {
        return refused(&format!("the function {} is not allowed", name.to_uppercase()), at);
    }
    let verb = words.verb();
    let class = VERBS.iter().find(|(_, verbs)| verbs.contains(&verb.as_str())).map(|(class, _)| *class);
    let Some(class) = class else {
        let words = format!("statements that begin with {} are not allowed", verb.to_uppercase());
        return refused(&words, first.start);
    };
    if let Some(at) = words.sends_rows(class) {
        return refused("INTO a file or a variable is not allowed", at);
    }
    let counts = class == Class::Read && (words.call_of(SEQUENCES).is_some() || words.next_value());
    Ok(if counts { Class::Write } else { class })
}

/// The names of the functions that a statement calls, as they are written, in small letters.
pub fn functions(sql: &str) -> Vec<String> {
    let words = Words::of(sql);
    (0..words.tokens.len()).filter_map(|at| words.called(at)).collect()
}

/// Whether a statement sets a variable, by `@name := …`.
pub fn sets_variables(sql: &str) -> bool {
    let words = Words::of(sql);
    (0..words.tokens.len()).any(|at| words.text(at) == ":=")
}

/// Whether one of a statement's words is this one.
pub fn has_word(sql: &str, word: &str) -> bool {
    let words = Words::of(sql);
    (0..words.tokens.len()).any(|at| words.is(at, word))
}

/// The tokens of a statement.
struct Words<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Words<'a> {
    fn of(sql: &'a str) -> Self {
        Words { sql, tokens: lexer::tokens(sql, Dialect::Mysql).collect() }
    }

    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).and_then(|token| self.sql.get(token.range.clone())).unwrap_or_default()
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.kind(at) == Some(Kind::Word) && self.text(at).eq_ignore_ascii_case(word)
    }

    fn start(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(self.sql.len(), |token| token.range.start)
    }

    /// The word that says what the statement does: the first, or after `WITH …` the first that stands outside of
    /// parentheses and can be it.
    fn verb(&self) -> String {
        let mut depth = 0_usize;
        let mut after_with = false;
        for at in 0..self.tokens.len() {
            match (self.kind(at), self.text(at)) {
                (Some(Kind::Symbol), "(") if after_with => depth += 1,
                (Some(Kind::Symbol), ")") if after_with => depth = depth.saturating_sub(1),
                (Some(Kind::Symbol), "(") => {}
                (Some(Kind::Word), word) if !after_with && word.eq_ignore_ascii_case("with") => after_with = true,
                (_, word) if !after_with => return word.to_ascii_lowercase(),
                (Some(Kind::Word), word) if depth == 0 => {
                    let word = word.to_ascii_lowercase();
                    if VERBS.iter().any(|(class, verbs)| *class != Class::Define && verbs.contains(&word.as_str())) {
                        return word;
                    }
                }
                _ => {}
            }
        }
        "with".into()
    }

    /// The name of the function that is called here. The server knows its own by quoted names too.
    fn called(&self, at: usize) -> Option<String> {
        let name = match self.kind(at)? {
            Kind::Word => self.text(at),
            Kind::Quoted => self.text(at).trim_matches('`'),
            _ => return None,
        };
        (self.text(at + 1) == "(").then(|| name.to_ascii_lowercase())
    }

    fn call_of(&self, functions: &[&str]) -> Option<(usize, String)> {
        let mut calls = (0..self.tokens.len()).filter_map(|at| Some((self.start(at), self.called(at)?)));
        calls.find(|(_, name)| functions.contains(&name.as_str()))
    }

    /// `NEXT VALUE FOR`, which writes to a sequence.
    fn next_value(&self) -> bool {
        (0..self.tokens.len()).any(|at| self.is(at, "next") && self.is(at + 1, "value") && self.is(at + 2, "for"))
    }

    /// Where rows are sent into a file or variable. What only reads has no other use for INTO.
    fn sends_rows(&self, class: Class) -> Option<usize> {
        let file = |at| self.is(at, "outfile") || self.is(at, "dumpfile");
        let sends = |at: &usize| self.is(*at, "into") && (class == Class::Read || file(at + 1));
        (0..self.tokens.len()).find(sends).map(|at| self.start(at))
    }

    fn positional(&self) -> Option<usize> {
        let question = |at: &usize| self.kind(*at) == Some(Kind::Symbol) && self.text(*at) == "?";
        (0..self.tokens.len()).find(question).map(|at| self.start(at))
    }

    /// `/*! … */` and MariaDB's `/*M! … */`, which are comments to us and statements to the server.
    fn executable_comment(&self) -> Option<usize> {
        let starts = std::iter::once(0).chain(self.tokens.iter().map(|token| token.range.end));
        let ends = self.tokens.iter().map(|token| token.range.start).chain([self.sql.len()]);
        starts.zip(ends).find_map(|(start, end)| {
            let gap = self.sql.get(start..end)?;
            let found = [gap.find("/*!"), gap.find("/*M!"), gap.find("/*m!")].into_iter().flatten().min()?;
            Some(start + found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_statements_do() {
        for (sql, class) in [
            ("SELECT 1", Class::Read),
            ("/* x */ (select 1) UNION (SELECT 2);", Class::Read),
            ("WITH a AS (SELECT 1), b AS (DELETE FROM x) SELECT * FROM a", Class::Read),
            ("with recursive a as (select 1) delete from t where id in (select * from a)", Class::Write),
            ("WITH a AS (SELECT 1) UPDATE t SET x = 1", Class::Write),
            ("SHOW TABLES", Class::Read),
            ("EXPLAIN DELETE FROM t", Class::Read),
            ("TABLE t", Class::Read),
            ("REPLACE INTO t VALUES (1)", Class::Write),
            ("SELECT NEXTVAL(s)", Class::Write),
            ("SELECT `nextval` (s)", Class::Write),
            ("SELECT NEXT VALUE FOR s", Class::Write),
            ("SELECT 'a; b', \"?\", `?`, 1 -- ?\n", Class::Read),
            ("SELECT @n := @n + 1 FROM t", Class::Read),
            ("SELECT /*+ MAX_EXECUTION_TIME(5) */ 1", Class::Read),
            ("CREATE TABLE t (a int)", Class::Define),
            ("CALL p()", Class::Call),
        ] {
            assert_eq!(judge(sql), Ok(class), "{sql}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (sql, words, at) in [
            ("", "there is no statement", ""),
            ("-- x", "there is no statement", "-- x"),
            ("SELECT 1; DROP TABLE t", "only one statement is allowed here", "DROP"),
            ("SET autocommit = 0", "statements that begin with SET are not allowed", "SET"),
            ("(COMMIT)", "statements that begin with COMMIT are not allowed", "("),
            ("WITH a", "statements that begin with WITH are not allowed", "WITH"),
            ("SELECT /*! 1 INTO OUTFILE 'x' */", "a comment that the server runs, `/*! … */`, is not allowed", "/*!"),
            ("SELECT 1 /*M!100000 + 1 */", "a comment that the server runs, `/*! … */`, is not allowed", "/*M!"),
            ("SELECT ?", "`?` is a parameter without a name: write it as :name", "?"),
            ("SELECT 1 INTO OUTFILE 'x'", "INTO a file or a variable is not allowed", "INTO"),
            ("SELECT 1 INTO @x", "INTO a file or a variable is not allowed", "INTO"),
            ("INSERT INTO t SELECT 1 INTO DUMPFILE 'x'", "INTO a file or a variable is not allowed", "INTO DUMP"),
            ("SELECT load_file ('x')", "the function LOAD_FILE is not allowed", "load_file"),
            ("SELECT `GET_LOCK`('x', 1)", "the function GET_LOCK is not allowed", "`GET_LOCK`"),
        ] {
            let fault = judge(sql).unwrap_err();
            assert_eq!((fault.message.as_str(), fault.offset), (words, sql.find(at)), "{sql}");
            assert_eq!(fault.kind, FaultKind::Refused);
        }
    }

    #[test]
    fn the_functions_of_a_statement() {
        assert_eq!(functions("SELECT Abs(1), shop.f(2), `G`(3) FROM t WHERE a IN (1)"), ["abs", "f", "g", "in"]);
    }
}
