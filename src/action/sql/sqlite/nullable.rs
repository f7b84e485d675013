//! Which columns of a result are never NULL.
//!
//! Only said of the plainest statements, `SELECT columns FROM one_table …`: an outer join, a union, a grouping
//! without rows can all bring in a NULL where the table allows none.

use std::collections::HashSet;

use rusqlite::Connection;

use super::guard::{Guard, Trust};
use crate::action::sql::lexer::{Dialect, Kind, tokens};

/// Words that make a statement more than plain.
const NOT_PLAIN: &[&str] =
    &["select", "with", "join", "union", "intersect", "except", "values", "having", "explain", "window", "over"];

/// The indexes of the columns, of `count`, that are never NULL.
pub fn not_null(connection: &Connection, guard: &Guard, sql: &str, count: usize) -> HashSet<usize> {
    let words = words(sql);
    let Some((columns, table)) = plain_select(&words) else { return HashSet::new() };
    let known = guard.trusting(Trust::Driver, || table_columns(connection, &table)).unwrap_or_default();
    let origins: Vec<&str> = match columns {
        Columns::All => known.iter().map(|(name, _)| name.as_str()).collect(),
        Columns::Named(ref names) => names.iter().map(String::as_str).collect(),
    };
    if origins.len() != count {
        return HashSet::new();
    }
    let never = |origin: &str| known.iter().any(|(name, not_null)| *not_null && name.eq_ignore_ascii_case(origin));
    (0..).zip(origins).filter(|(_, origin)| never(origin)).map(|(index, _)| index).collect()
}

enum Columns {
    All,
    Named(Vec<String>),
}

#[derive(PartialEq)]
enum Piece {
    Word(String),
    Name(String),
    Other(u8),
}

impl Piece {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Piece::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// What may be a name, without its quotes.
    fn name(&self) -> Option<&str> {
        match self {
            Piece::Word(name) | Piece::Name(name) => Some(name),
            Piece::Other(_) => None,
        }
    }
}

fn words(sql: &str) -> Vec<Piece> {
    let piece = |token: crate::action::sql::lexer::Token| {
        let text = sql.get(token.range)?;
        Some(match token.kind {
            Kind::Word => Piece::Word(text.to_owned()),
            Kind::Quoted => Piece::Name(text.get(1..text.len().checked_sub(1)?)?.to_owned()),
            _ => Piece::Other(text.bytes().next()?),
        })
    };
    tokens(sql, Dialect::Sqlite).filter_map(piece).collect()
}

/// The columns and the table, if the statement is plain.
fn plain_select(pieces: &[Piece]) -> Option<(Columns, String)> {
    let (first, rest) = pieces.split_first()?;
    let not_plain = rest.iter().any(|piece| NOT_PLAIN.iter().any(|word| piece.is(word)));
    if !first.is("select") || not_plain {
        return None;
    }
    let from = rest.iter().position(|piece| piece.is("from"))?;
    let (list, after) = (rest.get(..from)?, rest.get(from + 1..)?);
    let (table, after) = after.split_first()?;
    is_plain_tail(after).then_some(())?;
    let list = match list.split_first() {
        Some((first, rest)) if first.is("distinct") => rest,
        _ => list,
    };
    let columns = match list {
        [Piece::Other(b'*')] => Columns::All,
        list => Columns::Named(list.split(|piece| *piece == Piece::Other(b',')).map(origin).collect::<Option<_>>()?),
    };
    Some((columns, table.name()?.to_owned()))
}

/// The column that `name`, `t.name` or either `AS other` comes from.
fn origin(item: &[Piece]) -> Option<String> {
    let path = match item {
        [path @ .., keyword, _] if keyword.is("as") => path,
        path => path,
    };
    match path {
        [name] | [_, Piece::Other(b'.'), name] => name.name().map(str::to_owned),
        _ => None,
    }
}

/// Whether nothing after the table's name brings in a second table or an aggregate.
fn is_plain_tail(after: &[Piece]) -> bool {
    let clause = |piece: &Piece| ["where", "order", "limit"].iter().any(|word| piece.is(word));
    let alias = after.iter().take_while(|piece| !clause(piece) && **piece != Piece::Other(b';'));
    let alias: Vec<_> = alias.collect();
    let aliased = match alias.as_slice() {
        [] => true,
        [name] => name.name().is_some(),
        [keyword, name] => keyword.is("as") && name.name().is_some(),
        _ => false,
    };
    let ordering = after.iter().skip_while(|piece| !piece.is("order"));
    aliased && ordering.into_iter().all(|piece| *piece != Piece::Other(b'('))
}

/// The visible columns of a table and whether each is never NULL; none if there is not exactly one real table of
/// that name. A key without an index is the rowid itself; any other may be NULL unless it says otherwise or the
/// table is WITHOUT ROWID.
fn table_columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<(String, bool)>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.name, c.\"notnull\" OR (c.pk > 0 AND (t.wr OR
            NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) WHERE origin = 'pk')))
         FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
         WHERE t.name = ?1 COLLATE NOCASE AND t.type = 'table' AND c.hidden <> 1
           AND (SELECT count(*) FROM pragma_table_list WHERE name = ?1 COLLATE NOCASE) = 1
         ORDER BY c.cid",
    )?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
