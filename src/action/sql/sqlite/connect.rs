//! Opens connections, and takes from them what no statement of ours needs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::fault;
use super::guard::{Guard, Trust};
use super::{Location, Mode, SqliteConfig, build, watch};
use crate::action::sql::types::{FaultKind, OpenFault, SqlFault};
use crate::spec::Text;

/// What a connection is opened from; the same for every one of a pool.
#[derive(Debug)]
pub struct Recipe {
    target: Target,
    read_only: bool,
    /// Whether a statement of `onConnect` that writes is passed over, as nothing may be written.
    tolerant: bool,
    on_connect: Vec<Text>,
    busy_timeout: Duration,
}

#[derive(Debug)]
enum Target {
    /// A file that exists. An immutable one is read without a look at its locks and its log.
    File { path: PathBuf, immutable: bool },
    /// A database in memory, with the script that fills it.
    Memory { script: Option<String> },
}

/// A connection that is ready for calls.
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// Its rules.
    pub guard: Guard,
    /// Whether it refuses every write.
    pub read_only: bool,
}

impl Recipe {
    /// Finds the database, or builds it.
    pub fn new(config: SqliteConfig, mode: Mode) -> Result<Recipe, OpenFault> {
        let target = target(config.database, config.init, mode)?;
        Ok(Recipe {
            target,
            read_only: config.read_only || mode == Mode::Check,
            tolerant: mode == Mode::Check && !config.read_only,
            on_connect: config.on_connect,
            busy_timeout: config.busy_timeout,
        })
    }

    /// Whether all connections would not see the same data.
    pub fn in_memory(&self) -> bool {
        matches!(self.target, Target::Memory { .. })
    }

    /// How long a statement waits for somebody else's lock.
    pub fn patience(&self) -> Duration {
        self.busy_timeout
    }

    /// Opens a connection.
    pub fn connect(&self) -> Result<Opened, OpenFault> {
        let connection = self.open().map_err(|error| fault::opening(&error))?;
        let guard = harden(&connection).map_err(|error| fault::opening(&error))?;
        watch::install(&connection).map_err(|error| fault::opening(&error))?;
        if let Target::Memory { script: Some(script) } = &self.target {
            build::run(&connection, &guard, script)?;
        }
        self.on_connect(&connection, &guard)?;
        self.finish(&connection, &guard).map_err(|error| fault::opening(&error))?;
        guard.set(Trust::Call);
        Ok(Opened { connection, guard, read_only: self.read_only })
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let access = if self.read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match &self.target {
            Target::Memory { .. } => Connection::open_in_memory(),
            Target::File { path, immutable: false } => Connection::open_with_flags(plain(path), flags),
            Target::File { path, immutable: true } => {
                Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
            }
        }
    }

    fn on_connect(&self, connection: &Connection, guard: &Guard) -> Result<(), OpenFault> {
        for (index, sql) in self.on_connect.iter().enumerate() {
            guard.forget();
            let outcome = guard.trusting(Trust::OnConnect, || run_to_end(connection, guard, sql.expose()));
            match outcome {
                Err(fault) if self.tolerant && fault.kind == FaultKind::ReadOnly => {}
                // what the database says quotes the statement
                Err(_) if sql.is_secret() => {
                    let message = "why is not told, as a value from outside is in it".into();
                    return Err(OpenFault::OnConnect { index, message, offset: None });
                }
                Err(SqlFault { message, offset, .. }) => return Err(OpenFault::OnConnect { index, message, offset }),
                Ok(()) => {}
            }
            if !connection.is_autocommit() {
                let message = "a transaction is left open".into();
                return Err(OpenFault::OnConnect { index, message, offset: None });
            }
        }
        Ok(())
    }

    /// Last of all, so that nothing before can undo it.
    fn finish(&self, connection: &Connection, guard: &Guard) -> rusqlite::Result<()> {
        watch::install(connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        for (limit, value) in LIMITS {
            connection.set_limit(*limit, *value)?;
        }
        guard.trusting(Trust::Driver, || {
            // Reads the whole schema, which shows whether this is a database.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            if self.read_only {
                connection.execute_batch("PRAGMA query_only = ON")?;
            }
            Ok(())
        })
    }
}

/// Bounds on what one statement may ask of SQLite, <https://sqlite.org/limits.html>.
const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_LENGTH, 64 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1000),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// Sets what every connection needs before its first statement.
pub fn harden(connection: &Connection) -> rusqlite::Result<Guard> {
    for (setting, on) in [
        // A mistyped "name" must not quietly become a string.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    // Extensions can't be loaded: SQLite's default, which nothing here changes.
    Guard::install(connection)
}

/// Runs one statement and passes over its rows.
pub fn run_to_end(connection: &Connection, guard: &Guard, sql: &str) -> Result<(), SqlFault> {
    let mut statement = connection.prepare(sql).map_err(|error| fault::compiling(&error, guard, sql))?;
    let running = |error| fault::running(&error, guard);
    let mut rows = statement.query([]).map_err(running)?;
    while rows.next().map_err(running)?.is_some() {}
    Ok(())
}

fn target(database: Location, init: Option<String>, mode: Mode) -> Result<Target, OpenFault> {
    let Location::File(path) = database else { return Ok(Target::Memory { script: init }) };
    let exists = path
        .try_exists()
        .map_err(|error| OpenFault::Unavailable(format!("the database file can't be reached: {}", error.kind())))?;
    match (exists, init, mode) {
        (false, None, _) => Err(OpenFault::Missing),
        (false, script, Mode::Check) => Ok(Target::Memory { script }),
        (false, Some(script), Mode::Serve) => {
            build::file(&path, &script)?;
            Ok(Target::File { path, immutable: false })
        }
        (true, _, _) => {
            let immutable = mode == Mode::Check && log_would_be_made(&path);
            Ok(Target::File { path, immutable })
        }
    }
}

/// Whether even reading this database would make files beside it: it is in WAL mode and nobody has it open.
/// <https://sqlite.org/fileformat.html#file_format_version_numbers>
fn log_would_be_made(path: &Path) -> bool {
    let mut head = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let in_wal_mode = read.is_ok() && head.ends_with(&[2, 2]);
    in_wal_mode && !beside(path, "-wal").exists()
}

/// The path with something added to its last part.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A path that SQLite takes for nothing else: neither for a URI nor for `:memory:`.
pub fn plain(path: &Path) -> PathBuf {
    if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) }
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in plain(path).as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?immutable=1"
}
