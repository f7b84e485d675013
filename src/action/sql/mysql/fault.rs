//! What the server says, told as our faults.
//! <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>, <https://mariadb.com/kb/en/mariadb-error-codes/>

use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

use crate::action::sql::lexer::{Dialect, Kind, tokens};
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};

/// A fault of running a statement.
pub fn running(error: &Error) -> SqlFault {
    match database(error) {
        Some(said) => SqlFault::new(kind(said), words(said)),
        None => SqlFault::new(FaultKind::Unavailable, transport(error)),
    }
}

/// A fault of preparing `sql`, with its place there where the server tells it.
pub fn preparing(error: &Error, sql: &str) -> SqlFault {
    let fault = running(error);
    let kind = if fault.kind == FaultKind::Other { FaultKind::Refused } else { fault.kind };
    let offset = near(&fault.message, sql).or_else(|| named(&fault.message, sql));
    SqlFault { kind, offset, ..fault }
}

/// A fault of opening a connection. User, database and host are not told: they come from the URL.
pub fn opening(error: &Error) -> OpenFault {
    let words = match (database(error), error) {
        (Some(said), _) => match said.number() {
            1045 | 1698 => "the server refuses this user or password".into(),
            1049 => "the server has no such database".into(),
            1044 => "this user may not use this database".into(),
            1040 | 1203 | 1226 => "the server has too many connections".into(),
            1129 | 1130 => "the server accepts no connections from this machine".into(),
            number => format!("the server refuses the connection (error {number})"),
        },
        (None, Error::Tls(_)) => "TLS could not be agreed on with the server".into(),
        (None, Error::Configuration(_)) => "a password like this user's is sent over TLS alone".into(),
        // How the handshake says that it fails.
        (None, Error::Io(io)) if io.kind() == std::io::ErrorKind::InvalidData => {
            "the server's certificate is not one that is trusted, or is another host's".into()
        }
        (None, Error::Io(io)) => format!("the server can't be reached: {}", io.kind()),
        (None, error) => transport(error),
    };
    OpenFault::Unavailable(words)
}

/// Whether the connection is of no more use.
pub fn breaks(error: &Error) -> bool {
    database(error).is_none()
}

/// The fault of a call that met a closed door.
pub fn unavailable(fault: &OpenFault) -> SqlFault {
    SqlFault::new(FaultKind::Unavailable, fault.to_string())
}

fn database(error: &Error) -> Option<&MySqlDatabaseError> {
    error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
}

/// What is wrong between us and the server, without an address.
fn transport(error: &Error) -> String {
    match error {
        Error::Io(io) => format!("the connection to the server was lost: {}", io.kind()),
        Error::Protocol(_) | Error::Decode(_) | Error::ColumnDecode { .. } => {
            "the server's answer can't be read".into()
        }
        _ => "the connection to the server failed".into(),
    }
}

fn kind(said: &MySqlDatabaseError) -> FaultKind {
    match (said.number(), said.code().unwrap_or_default()) {
        (1792 | 1290 | 1836, _) => FaultKind::ReadOnly,
        (1969 | 3024, _) => FaultKind::TimedOut,
        (1205 | 1213 | 3572, _) => FaultKind::Busy,
        (1040 | 1053 | 1152 | 1203 | 1927, _) => FaultKind::Unavailable,
        // values that don't fit or can't be compared, and CHECK, whose state says nothing
        (1265 | 1267 | 1270 | 1271 | 1364 | 1366 | 3140 | 3819, _) => FaultKind::Constraint,
        (_, state) if state.starts_with("22") || state.starts_with("23") => FaultKind::Constraint,
        (_, state) if state.starts_with("42") => FaultKind::Refused,
        _ => FaultKind::Other,
    }
}

/// The server's own words, without the user and host that some name.
fn words(said: &MySqlDatabaseError) -> String {
    let message = said.message();
    match (message.split_once(" to user '"), message.split_once("' for ")) {
        (Some((what, _)), Some((_, on))) => format!("{what} to this user for {on}"),
        (Some((what, _)), None) => format!("{what} to this user"),
        (None, _) => message.to_owned(),
    }
}

/// A message in which tables, columns and functions of this database stand without its name.
pub fn without_database(message: String, database: Option<&str>) -> String {
    let Some(database) = database else { return message };
    let message = message.replace(&format!("'{database}."), "'").replace(&format!("`{database}`."), "");
    ["FUNCTION ", "PROCEDURE ", "function ", "routine "].iter().fold(message, |message, kind| {
        message
            .replace(&format!("{kind}{database}."), kind)
            .replace(&format!("{kind}'{database}."), &format!("{kind}'"))
    })
}

/// The byte that `… near 'TEXT' at line N` speaks of. The text is that of the statement from there on, cut after 80
/// characters.
fn near(message: &str, sql: &str) -> Option<usize> {
    let (_, rest) = message.split_once("near '")?;
    let (text, line) = rest.rsplit_once("' at line ")?;
    let line: usize = line.trim().parse().ok()?;
    if text.is_empty() {
        return Some(sql.trim_end().len());
    }
    let newlines = |at: usize| sql.get(..at).map_or(0, |before| before.matches('\n').count());
    let found = || sql.match_indices(text).map(|(at, _)| at);
    let runs_to_the_end = found().find(|at| sql.get(at + text.len()..).is_some_and(|rest| rest.trim().is_empty()));
    runs_to_the_end.or_else(|| found().find(|at| newlines(*at) + 1 == line)).or_else(|| found().next())
}

/// The byte where the name stands that a message speaks of: `Unknown column 'x' in …`, `FUNCTION shop.x does …`.
fn named(message: &str, sql: &str) -> Option<usize> {
    let quoted = message.split('\'').nth(1);
    let name = match message.strip_prefix("FUNCTION ").or_else(|| message.strip_prefix("PROCEDURE ")) {
        Some(rest) => rest.split(' ').next(),
        None => quoted,
    };
    let name = name?.rsplit('.').next().filter(|name| !name.is_empty())?;
    tokens(sql, Dialect::Mysql)
        .filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
        .find(|token| {
            let word = sql.get(token.range.clone()).unwrap_or_default();
            word.trim_matches('`').eq_ignore_ascii_case(name)
        })
        .map(|token| token.range.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_leads_to_a_byte() {
        let said = |text: &str, line: usize| format!("… the right syntax to use near '{text}' at line {line}");
        let sql = "SELECT id\nFORM books\nWHERE 'a' FORM books";
        assert_eq!(near(&said("FORM books\nWHERE 'a' FORM books", 2), sql), Some(10));
        assert_eq!(near(&said("FORM books", 3), sql), Some(31));
        assert_eq!(near(&said("", 3), sql), Some(sql.len()));
        assert_eq!(near(&said("nothing of it", 1), sql), None);
        let long = format!("SELECT x x x {}", "y ".repeat(100));
        assert_eq!(near(&said(&long[11..91], 1), &long), Some(11));
    }

    #[test]
    fn the_name_of_the_database_is_left_out() {
        for (said, told) in [
            ("Table 'shop.boks' doesn't exist", "Table 'boks' doesn't exist"),
            ("Incorrect value for column `shop`.`t`.`s` at row 1", "Incorrect value for column `t`.`s` at row 1"),
            ("FUNCTION shop.f does not exist", "FUNCTION f does not exist"),
            ("Unknown column 'shop' in 'SELECT'", "Unknown column 'shop' in 'SELECT'"),
        ] {
            assert_eq!(without_database(said.into(), Some("shop")), told);
            assert_eq!(without_database(said.into(), None), said);
        }
    }

    #[test]
    fn names_lead_to_a_byte() {
        let sql = "SELECT `Titel`, x.titel FROM boks";
        assert_eq!(named("Unknown column 'titel' in 'SELECT'", sql), Some(7));
        assert_eq!(named("Table 'shop.boks' doesn't exist", sql), sql.find("boks"));
        assert_eq!(named("FUNCTION shop.X does not exist", sql), sql.find("x."));
        assert_eq!(named("Something else", sql), None);
    }
}
