//! The parts of a statement's text that matter to us: its named parameters and where one statement
//! ends. Everything else (strings, comments, quoted names, casts) is only recognised to be left alone.

mod list;
mod rewrite;
mod scan;

use std::ops::Range;

pub use list::stands_in_list;
pub use rewrite::{Rewritten, rewrite};
pub use scan::{Kind, Token, tokens};

/// Whose SQL a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

/// One occurrence of `:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The name, without its colon.
    pub name: String,
    /// Where `:name` stands, in bytes, the colon included.
    pub range: Range<usize>,
}

/// What [`parse`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// Every `:name`, in the order of the text; a name that is used twice is here twice.
    pub params: Vec<Param>,
    /// How many statements there are; a trailing `;` does not begin another one.
    pub statements: usize,
    /// Where the second statement stands, if there is one.
    pub second_statement: Option<Range<usize>>,
}

/// Finds the parameters and statements of a text. Never fails: what is unterminated runs to the end,
/// and the database will say what is wrong with it.
pub fn parse(sql: &str, dialect: Dialect) -> Parsed {
    let params = tokens(sql, dialect)
        .filter(|token| token.kind == Kind::Param)
        .filter_map(|token| {
            let name = sql.get(token.range.start + 1..token.range.end)?.to_owned();
            Some(Param { name, range: token.range })
        })
        .collect();
    let statements = statements(sql, dialect);
    Parsed { params, statements: statements.len(), second_statement: statements.into_iter().nth(1) }
}

/// Where each statement stands: from its first token to its last, without the `;` that ends it.
pub fn statements(sql: &str, dialect: Dialect) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut current: Option<Range<usize>> = None;
    let mut trigger = Trigger::default();
    for token in tokens(sql, dialect) {
        let word = if token.kind == Kind::Word { sql.get(token.range.clone()).unwrap_or_default() } else { "" };
        if token.kind == Kind::Semicolon && !trigger.holds_semicolon() {
            found.extend(current.take());
            trigger = Trigger::default();
            continue;
        }
        if dialect == Dialect::Sqlite {
            trigger = trigger.after(token.kind, word);
        }
        current = Some(current.map_or(token.range.clone(), |range| range.start..token.range.end));
    }
    found.extend(current);
    found
}

/// How far a SQLite `CREATE TRIGGER … BEGIN …; …; END` has been read: its semicolons end no statement
/// until one follows `; END`. (The rule of `sqlite3_complete`.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Trigger {
    /// At the start of a statement.
    #[default]
    Start,
    /// After `CREATE`.
    Create,
    /// After `CREATE TEMP`.
    Temp,
    /// Certainly not a trigger.
    Never,
    /// In a trigger.
    Body,
    /// In a trigger, after `;`.
    Semicolon,
    /// In a trigger, after `; END`.
    End,
}

impl Trigger {
    fn holds_semicolon(self) -> bool {
        matches!(self, Trigger::Body | Trigger::Semicolon)
    }

    fn after(self, kind: Kind, word: &str) -> Trigger {
        let is = |expected: &str| word.eq_ignore_ascii_case(expected);
        match self {
            Trigger::Start if is("create") => Trigger::Create,
            Trigger::Start if is("explain") || is("query") || is("plan") => Trigger::Start,
            Trigger::Create if is("temp") || is("temporary") => Trigger::Temp,
            Trigger::Create | Trigger::Temp if is("trigger") => Trigger::Body,
            Trigger::Start | Trigger::Create | Trigger::Temp | Trigger::Never => Trigger::Never,
            Trigger::Semicolon if is("end") => Trigger::End,
            Trigger::Body | Trigger::Semicolon | Trigger::End if kind == Kind::Semicolon => Trigger::Semicolon,
            Trigger::Body | Trigger::Semicolon | Trigger::End => Trigger::Body,
        }
    }
}

#[cfg(test)]
mod tests;
