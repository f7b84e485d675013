//! What a statement does to its database, judged by its words: MCP's `readOnlyHint`, `destructiveHint` and
//! `idempotentHint`. Nothing is said that the words do not show.

use super::lexer::{Dialect, Kind, tokens};

/// What running something does; `None` where that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effects {
    /// Nothing is changed.
    pub read_only: Option<bool>,
    /// Something that was there may be gone or changed.
    pub destructive: Option<bool>,
    /// To do it again, with the same arguments, changes nothing more.
    pub idempotent: Option<bool>,
}

impl Effects {
    /// Those of what only reads.
    pub fn none() -> Self {
        Effects { read_only: Some(true), destructive: None, idempotent: None }
    }

    /// Those of one of two, whichever a call chooses.
    pub fn or(self, other: Self) -> Self {
        let (one, two) = (self.of_a_write(), other.of_a_write());
        Effects {
            read_only: all(self.read_only, other.read_only),
            destructive: any(one.destructive, two.destructive),
            idempotent: all(one.idempotent, two.idempotent),
        }
        .plain()
    }

    /// Those of one after the other.
    pub fn and(self, other: Self) -> Self {
        let both_write = self.read_only != Some(true) && other.read_only != Some(true);
        let together = self.or(other);
        // What the second one does may depend on what the first one did.
        Effects { idempotent: together.idempotent.filter(|idempotent| !(both_write && *idempotent)), ..together }
    }

    /// What only reads destroys nothing and can be done again.
    fn of_a_write(self) -> Self {
        match self.read_only {
            Some(true) => Effects { destructive: Some(false), idempotent: Some(true), ..self },
            _ => self,
        }
    }

    /// MCP's other hints mean something only where something is written.
    fn plain(self) -> Self {
        if self.read_only == Some(true) { Effects::none() } else { self }
    }
}

fn all(one: Option<bool>, two: Option<bool>) -> Option<bool> {
    match (one, two) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn any(one: Option<bool>, two: Option<bool>) -> Option<bool> {
    all(one.map(|one| !one), two.map(|two| !two)).map(|neither| !neither)
}

/// The effects of one statement, of which the database may have told whether it writes.
pub fn of(sql: &str, dialect: Dialect, read_only: Option<bool>) -> Effects {
    if read_only == Some(true) {
        return Effects::none();
    }
    let statement = Statement::read(sql, dialect);
    let (destructive, idempotent) = match statement.verb() {
        "INSERT" => statement.insert(),
        "REPLACE" | "MERGE" => (Some(true), None),
        "UPDATE" => (Some(true), statement.sets_plain_values().then_some(true)),
        "DELETE" => (Some(true), statement.is_plain().then_some(true)),
        "DROP" | "TRUNCATE" | "ALTER" => (Some(true), None),
        "CREATE" => (Some(false), None),
        "WITH" if statement.has(&["UPDATE", "DELETE", "MERGE", "REPLACE"]) => (Some(true), None),
        "WITH" if statement.has(&["INSERT"]) => (Some(false), None),
        _ => return Effects { read_only, ..Effects::default() },
    };
    Effects { read_only: Some(false), destructive, idempotent }
}

/// A statement's tokens, words in capitals.
struct Statement {
    tokens: Vec<(Kind, String)>,
}

impl Statement {
    fn read(sql: &str, dialect: Dialect) -> Self {
        let token = |token: super::lexer::Token| {
            let text = sql.get(token.range)?;
            Some((token.kind, if token.kind == Kind::Word { text.to_ascii_uppercase() } else { text.to_owned() }))
        };
        Statement { tokens: tokens(sql, dialect).filter_map(token).collect() }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter(|(kind, _)| *kind == Kind::Word).map(|(_, word)| word.as_str())
    }

    fn verb(&self) -> &str {
        self.words().next().unwrap_or("")
    }

    fn has(&self, words: &[&str]) -> bool {
        self.words().any(|word| words.contains(&word))
    }

    /// Of an insert: it destroys nothing unless it takes the place of what is there.
    fn insert(&self) -> (Option<bool>, Option<bool>) {
        let words: Vec<&str> = self.words().collect();
        let follows = |pair: &[&str]| words.windows(pair.len()).any(|found| found == pair);
        if follows(&["OR", "REPLACE"]) || follows(&["ON", "DUPLICATE", "KEY"]) {
            return (Some(true), None);
        }
        if follows(&["DO", "UPDATE"]) {
            return (Some(true), self.sets_plain_values().then_some(true));
        }
        let passes_over = follows(&["DO", "NOTHING"]) || follows(&["OR", "IGNORE"]) || words.get(1) == Some(&"IGNORE");
        (Some(false), if passes_over { None } else { Some(false) })
    }

    /// Whether what comes after `SET` is `column = value, …` with values that are the same each time: params,
    /// literals, `excluded.column`; and the statement asks for nothing that could be different the next time.
    fn sets_plain_values(&self) -> bool {
        let Some(start) = self.tokens.iter().rposition(|token| is_word(token, "SET")) else { return false };
        let rest = self.tokens.get(start + 1..).unwrap_or_default();
        let end = rest.iter().position(|token| ["WHERE", "RETURNING"].iter().any(|word| is_word(token, word)));
        let set = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.is_plain() && set.split(|(_, text)| text == ",").all(is_plain_assignment)
    }

    /// Whether it holds no query of its own, no function, no `LIMIT` and none of the words for this moment.
    fn is_plain(&self) -> bool {
        let calls = self.tokens.windows(2).any(|pair| match pair {
            [(Kind::Word, word), (_, open)] => open == "(" && !NO_FUNCTIONS.contains(&word.as_str()),
            _ => false,
        });
        // An insert has its columns in parentheses behind its table.
        let calls = calls && self.verb() != "INSERT";
        !calls && !self.has(NOT_PLAIN)
    }
}

/// Words that may stand before a parenthesis and call nothing.
const NO_FUNCTIONS: &[&str] = &["IN", "AND", "OR", "NOT", "WHERE", "BETWEEN", "VALUES", "ON", "LIKE", "SET"];

/// Words by which a statement may do something else the next time.
const NOT_PLAIN: &[&str] =
    &["SELECT", "LIMIT", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP", "USING"];

fn is_word((kind, text): &(Kind, String), word: &str) -> bool {
    *kind == Kind::Word && text == word
}

/// `column = value`, where the value is one token or `excluded.column`.
fn is_plain_assignment(tokens: &[(Kind, String)]) -> bool {
    let value = match tokens {
        [_, (_, equals), value @ ..] if equals == "=" => value,
        _ => return false,
    };
    match value {
        [(Kind::Word, word)] => ["NULL", "TRUE", "FALSE", "DEFAULT"].contains(&word.as_str()),
        [(Kind::Quoted, _)] => false,
        [_] => true,
        [first, (_, dot), _] => is_word(first, "EXCLUDED") && dot == ".",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(sql: &str) -> (Option<bool>, Option<bool>) {
        let effects = of(sql, Dialect::Sqlite, Some(false));
        (effects.destructive, effects.idempotent)
    }

    #[test]
    fn statements_show_what_they_do() {
        let (yes, no) = (Some(true), Some(false));
        for (sql, wanted) in [
            ("INSERT INTO t(a) VALUES (:a)", (no, no)),
            ("insert into t(a) select a from u", (no, no)),
            ("INSERT OR IGNORE INTO t(a) VALUES (:a)", (no, None)),
            ("INSERT INTO t(a) VALUES (:a) ON CONFLICT DO NOTHING", (no, None)),
            ("INSERT OR REPLACE INTO t(a) VALUES (:a)", (yes, None)),
            ("REPLACE INTO t(a) VALUES (:a)", (yes, None)),
            ("INSERT INTO t(a, n) VALUES (:a, :n) ON CONFLICT(a) DO UPDATE SET n = excluded.n", (yes, yes)),
            ("INSERT INTO t(a, n) VALUES (:a, 1) ON CONFLICT(a) DO UPDATE SET n = n + 1", (yes, None)),
            ("UPDATE t SET a = :a, b = 'x', c = NULL WHERE id = :id", (yes, yes)),
            ("UPDATE t SET a = a + :a WHERE id = :id", (yes, None)),
            ("UPDATE t SET a = b", (yes, None)),
            ("UPDATE t SET a = \"b\"", (yes, None)),
            ("UPDATE t SET at = datetime('now')", (yes, None)),
            ("UPDATE t SET a = 1 WHERE at < CURRENT_TIMESTAMP", (yes, None)),
            ("UPDATE t SET a = 1 WHERE id = (SELECT min(id) FROM t WHERE a = 0)", (yes, None)),
            ("DELETE FROM t WHERE id IN (:ids) AND (a = 1 OR b = 2)", (yes, yes)),
            ("DELETE FROM t WHERE at < datetime('now')", (yes, None)),
            ("DELETE FROM t ORDER BY id LIMIT 1", (yes, None)),
            ("WITH x AS (SELECT 1) DELETE FROM t", (yes, None)),
            ("WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x", (no, None)),
            ("CREATE TABLE t(a)", (no, None)),
            ("DROP TABLE t", (yes, None)),
            ("SELECT set_something(:a)", (None, None)),
            ("CALL something()", (None, None)),
        ] {
            assert_eq!(hints(sql), wanted, "{sql}");
        }
    }

    #[test]
    fn what_is_read_has_no_other_hints() {
        assert_eq!(of("SELECT 1", Dialect::Sqlite, Some(true)), Effects::none());
        assert_eq!(of("SELECT 1", Dialect::Postgres, None), Effects::default());
        assert_eq!(of("DELETE FROM t", Dialect::Mysql, None).read_only, Some(false));
    }

    #[test]
    fn several_statements_do_what_each_does() {
        let of = |sql: &str| of(sql, Dialect::Sqlite, Some(sql.starts_with("SELECT")));
        let (read, insert, delete) = (of("SELECT 1"), of("INSERT INTO t VALUES (1)"), of("DELETE FROM t"));
        assert_eq!(read.and(read), Effects::none());
        assert_eq!(read.and(delete), delete);
        assert_eq!(read.or(delete), delete);
        let both = Effects { read_only: Some(false), destructive: Some(true), idempotent: Some(false) };
        assert_eq!(insert.and(delete), both);
        assert_eq!(delete.and(delete), Effects { idempotent: None, ..delete });
        assert_eq!(insert.and(Effects::default()).destructive, None);
    }
}
