//! What PostgreSQL says, told as our faults.

use std::io::ErrorKind;

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};

/// A fault of connecting. What the server says holds names that may have come from a secret.
pub fn opening(error: &sqlx::Error) -> OpenFault {
    let words = match error {
        sqlx::Error::Database(said) => refusal(&said.code().unwrap_or_default()),
        // What TLS has to say comes as invalid data.
        sqlx::Error::Io(error) if error.kind() == ErrorKind::InvalidData => untrusted(error),
        sqlx::Error::Io(error) if error.raw_os_error().is_none() && error.kind() != ErrorKind::UnexpectedEof => {
            "the database can't be reached: its host is not known".to_owned()
        }
        sqlx::Error::Io(error) => format!("the database can't be reached: {}", error.kind()),
        sqlx::Error::Tls(error) => untrusted(error),
        sqlx::Error::Configuration(_) => "the database's URL or certificates can't be used".to_owned(),
        _ => "the database can't be reached: it does not answer as PostgreSQL does".to_owned(),
    };
    OpenFault::Unavailable(words)
}

/// What TLS says, without the name that a certificate was to be for.
fn untrusted(why: &impl std::fmt::Display) -> String {
    let why = why.to_string();
    format!("the database can't be reached safely: {}", why.split(" for name").next().unwrap_or_default())
}

/// Why a server takes no connection, by its SQLSTATE.
fn refusal(code: &str) -> String {
    let words = match code {
        "28P01" | "28000" => "the database refuses this user, this password, or a connection from here",
        "3D000" => "the server has no database of this name",
        "42501" => "the database does not let this user in",
        "53300" => "the database has no connection left",
        "57P03" => "the database is starting up or shutting down",
        _ => return format!("the database refuses the connection (SQLSTATE {code})"),
    };
    words.to_owned()
}

/// A fault of a statement.
pub fn statement(error: &sqlx::Error, sql: &str) -> SqlFault {
    match error {
        sqlx::Error::Database(said) => match said.try_downcast_ref::<PgDatabaseError>() {
            Some(said) => said_by_server(said, sql),
            None => SqlFault::new(FaultKind::Other, said.message()),
        },
        sqlx::Error::Io(error) => {
            SqlFault::new(FaultKind::Unavailable, format!("the connection to the database broke: {}", error.kind()))
        }
        // What sqlx can't make sense of in the catalog.
        sqlx::Error::ColumnDecode { .. } => {
            let words = "a type in this statement can't be read here, such as a multirange: cast it to text";
            SqlFault::new(FaultKind::Refused, words)
        }
        sqlx::Error::Protocol(_) => {
            SqlFault::new(FaultKind::Other, "the database gave an answer that is not understood")
        }
        other => SqlFault::new(FaultKind::Other, other.to_string()),
    }
}

fn said_by_server(said: &PgDatabaseError, sql: &str) -> SqlFault {
    let offset = match said.position() {
        Some(PgErrorPosition::Original(place)) => byte(sql, place),
        _ => None,
    };
    let kind = kind(said.code());
    let hint = said.hint().filter(|_| kind == FaultKind::Refused);
    let message = match hint {
        Some(hint) => format!("{} ({hint})", said.message()),
        None => said.message().to_owned(),
    };
    SqlFault::new(kind, message).at(offset)
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn kind(code: &str) -> FaultKind {
    match (code, code.get(..2).unwrap_or_default()) {
        ("57014", _) => FaultKind::TimedOut,
        ("25006", _) => FaultKind::ReadOnly,
        ("55P03", _) | (_, "40") => FaultKind::Busy,
        // What a function of the database raises is meant for who called it.
        ("P0001", _) | (_, "22" | "23") => FaultKind::Constraint,
        (_, "08" | "53" | "57" | "58") => FaultKind::Unavailable,
        (_, "0A" | "25" | "26" | "34" | "3F" | "42") => FaultKind::Refused,
        _ => FaultKind::Other,
    }
}

/// The byte of a character that is counted from 1.
fn byte(sql: &str, place: usize) -> Option<usize> {
    let before = place.checked_sub(1)?;
    sql.char_indices().map(|(at, _)| at).nth(before)
}
