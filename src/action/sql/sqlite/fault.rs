//! What SQLite says, told as our faults.

use rusqlite::{Error, ErrorCode};

use super::guard::Guard;
use super::watch;
use crate::action::sql::lexer::{Dialect, Kind, tokens};
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};

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
