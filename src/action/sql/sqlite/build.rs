//! Builds a database that does not exist yet from a script.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use super::connect::{beside, harden, plain, run_to_end};
use super::fault;
use super::guard::{Guard, Trust};
use crate::action::sql::lexer::{Dialect, statements};
use crate::action::sql::types::OpenFault;

/// Builds the database of `path`: as a file beside it that takes its name when it is whole. If another process
/// was faster, its database stays.
pub fn file(path: &Path, script: &str) -> Result<(), OpenFault> {
    let unfinished = Unfinished(beside(path, &format!(".{}.new", unique())));
    let connection = Connection::open(plain(&unfinished.0)).map_err(|_| {
        OpenFault::Unavailable(
            "the database file can't be made: its folder does not exist or can't be written to".into(),
        )
    })?;
    let guard = harden(&connection).map_err(|error| fault::opening(&error))?;
    // Nobody sees the file before it is whole, so it needs no journal on disk.
    let speed = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF";
    connection.execute_batch(speed).map_err(|error| fault::opening(&error))?;
    run(&connection, &guard, script)?;
    connection.close().map_err(|(_, error)| fault::opening(&error))?;
    publish(&unfinished.0, path)
        .map_err(|error| OpenFault::Unavailable(format!("the database file can't be made: {}", error.kind())))
}

/// Runs a script, statement by statement.
pub fn run(connection: &Connection, guard: &Guard, script: &str) -> Result<(), OpenFault> {
    for range in statements(script, Dialect::Sqlite) {
        let start = range.start;
        let sql = script.get(range).unwrap_or_default();
        guard.forget();
        guard.trusting(Trust::Script, || run_to_end(connection, guard, sql)).map_err(|fault| OpenFault::Init {
            message: fault.message,
            offset: Some(start + fault.offset.unwrap_or(0)),
        })?;
    }
    if connection.is_autocommit() {
        return Ok(());
    }
    Err(OpenFault::Init { message: "a transaction is left open".into(), offset: Some(script.len()) })
}

/// Gives a whole file its name. A link never replaces what has that name already; where the file system has no
/// links, a rename has to do.
fn publish(from: &Path, to: &Path) -> std::io::Result<()> {
    File::open(from)?.sync_all()?;
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(_) if to.try_exists()? => Ok(()),
        Err(_) => fs::rename(from, to),
    }
}

/// A file that goes away with all that SQLite put beside it, unless it was renamed.
struct Unfinished(std::path::PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // What is not there needs no removing, and nothing better can be done about the rest.
            let _ = fs::remove_file(beside(&self.0, suffix));
        }
    }
}

/// A name that no other build has, here or in another process.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{}", std::process::id(), since.as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed))
}
