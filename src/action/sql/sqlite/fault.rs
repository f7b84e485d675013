//! What SQLite says, told as our faults.

use std::fmt;

use rusqlite::{Error, ErrorCode};

use super::guard::Guard;
use super::watch;
use crate::action::sql::lexer::{Dialect, Kind, tokens};
use crate::action::sql::types::{FaultKind, SqlFault};

/// Why a database could not be opened. No message holds its path, which may have come from a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenFault {
    /// There is no file, and no script that builds it.
    Missing,
    /// The script that builds it failed.
    Init {
        /// What SQLite says.
        message: String,
        /// The byte of the script that is at fault, or where the statement at fault begins.
        offset: Option<usize>,
    },
    /// A statement of `onConnect` failed.
    OnConnect {
        /// Which one, from 0.
        index: usize,
        /// What SQLite says.
        message: String,
        /// The byte of the statement that is at fault, if that is known.
        offset: Option<usize>,
    },
    /// The file is something else.
    NotADatabase,
    /// Somebody else holds a lock.
    Locked,
    /// It can't be read.
    Unavailable(String),
}

impl fmt::Display for OpenFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenFault::Missing => {
                formatter.write_str("there is no database file, and the source has no `init` that would build it")
            }
            OpenFault::Init { message, .. } => {
                write!(formatter, "the database could not be built by `init`: {message}")
            }
            OpenFault::OnConnect { message, .. } => write!(formatter, "a statement of `onConnect` failed: {message}"),
            OpenFault::NotADatabase => formatter.write_str("the file is not a SQLite database"),
            OpenFault::Locked => formatter.write_str("the database is locked by somebody else"),
            OpenFault::Unavailable(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for OpenFault {}

impl From<OpenFault> for SqlFault {
    fn from(fault: OpenFault) -> Self {
        let kind = if fault == OpenFault::Locked { FaultKind::Busy } else { FaultKind::Unavailable };
        // Opening is stopped like any statement, and then says nothing else of use.
        watch::verdict().map_or_else(|| SqlFault::new(kind, fault.to_string()), SqlFault::from)
    }
}

/// A fault of opening or of reading a database for the first time.
pub fn opening(error: &Error) -> OpenFault {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenFault::NotADatabase,
        Some(ErrorCode::CannotOpen) => OpenFault::Unavailable("the database file can't be opened".into()),
        Some(ErrorCode::ReadOnly) => OpenFault::Unavailable(
            "the database can't be read without writing beside it: it was not closed properly, or its folder is read-only".into(),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenFault::Locked,
        _ => OpenFault::Unavailable(words(error)),
    }
}

/// A fault of compiling `sql`.
pub fn compiling(error: &Error, guard: &Guard, sql: &str) -> SqlFault {
    if let Error::MultipleStatement = error {
        return SqlFault::new(FaultKind::Refused, "only one statement is allowed here");
    }
    let fault = running(error, guard);
    let kind = if fault.kind == FaultKind::Other { FaultKind::Refused } else { fault.kind };
    let offset = match error {
        Error::SqlInputError { offset, .. } => usize::try_from(*offset).ok().filter(|offset| *offset <= sql.len()),
        _ => named_place(&fault.message, sql),
    };
    SqlFault { kind, offset, ..fault }
}

/// A fault of running a statement.
pub fn running(error: &Error, guard: &Guard) -> SqlFault {
    let code = error.sqlite_error_code();
    if code == Some(ErrorCode::AuthorizationForStatementDenied) {
        return SqlFault::new(FaultKind::Refused, guard.denied().unwrap_or_else(|| words(error)));
    }
    let stopped =
        matches!(code, Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
    match watch::verdict().filter(|_| stopped) {
        Some(stop) => stop.into(),
        None => SqlFault::new(kind(code), words(error)),
    }
}

fn kind(code: Option<ErrorCode>) -> FaultKind {
    match code {
        Some(ErrorCode::ConstraintViolation) => FaultKind::Constraint,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FaultKind::Busy,
        Some(ErrorCode::ReadOnly) => FaultKind::ReadOnly,
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::DiskFull
            | ErrorCode::PermissionDenied,
        ) => FaultKind::Unavailable,
        _ => FaultKind::Other,
    }
}

/// SQLite's own words. What rusqlite adds of its own, a path or the whole statement, is left out.
fn words(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::SqliteFailure(code, _) if code.code == ErrorCode::CannotOpen => {
            "the database file can't be opened".into()
        }
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqliteFailure(code, None) => code.to_string(),
        Error::NulError(_) | Error::InvalidPath(_) => "the path of the database file is not valid".into(),
        other => other.to_string(),
    }
}

/// Where the name stands that a message such as `no such table: x` ends with: SQLite tells no place then.
fn named_place(message: &str, sql: &str) -> Option<usize> {
    let (_, name) = message.strip_prefix("no such ")?.split_once(": ")?;
    let name = name.rsplit('.').next()?;
    tokens(sql, Dialect::Sqlite)
        .filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
        .find(|token| {
            let written = sql.get(token.range.clone()).unwrap_or_default();
            let bare = written.trim_matches(|quote| matches!(quote, '"' | '`' | '[' | ']'));
            bare.eq_ignore_ascii_case(name)
        })
        .map(|token| token.range.start)
}
