//! The `sql:` source: which database, opened how.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::lexer::Dialect;
use super::sqlite::{self, Location, OpenFault, Sqlite, SqliteConfig};
use super::types::{Described, SqlFault};
use crate::action::source::Mode;
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned};

/// Connections of a database, unless the spec says otherwise.
const CONNECTIONS: usize = 4;
/// Connections that a spec may ask for.
const MAX_CONNECTIONS: u64 = 256;
/// A database's URL, for messages.
const EXAMPLE: &str = "such as `sqlite:./shop.db`";
/// How long a statement waits for somebody else's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open database.
#[derive(Debug)]
pub struct SqlSource {
    config: SqliteConfig,
    /// Which file the database was when it was opened: another one in its place is opened anew.
    file: Option<FileIdentity>,
    mode: Mode,
    /// Its driver.
    pub driver: Driver,
    /// How long a statement of an action that says nothing else may run.
    pub timeout: Option<Duration>,
}

/// One of the databases that are spoken to.
#[derive(Debug, Clone)]
pub enum Driver {
    /// SQLite.
    Sqlite(Sqlite),
    /// No connection: statements are taken as they are.
    Offline,
}

impl Driver {
    /// Whose SQL the database speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Driver::Sqlite(_) | Driver::Offline => Dialect::Sqlite,
        }
    }

    /// Prepares a statement; `None` without a connection.
    ///
    /// # Errors
    /// What the database says.
    pub async fn describe(&self, sql: &str) -> Option<Result<Described, SqlFault>> {
        match self {
            Driver::Sqlite(sqlite) => Some(sqlite.describe(sql).await),
            Driver::Offline => None,
        }
    }
}

impl SqlSource {
    /// Opens it, or takes `previous` if that is configured the same.
    pub async fn open(
        name: &Spanned<String>,
        written: &model::SqlSource,
        files: &mut Files,
        mode: Mode,
        previous: Option<&Arc<SqlSource>>,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<Arc<SqlSource>> {
        let (config, script) = config(written, files, sink, inputs)?;
        let timeout = written.timeout.as_ref().map(|t| t.value);
        let same = |p: &&Arc<SqlSource>| p.config == config && p.mode == mode && p.file == identity(&config);
        if let Some(previous) = previous.filter(same) {
            let kept = previous.timeout == timeout;
            return Some(if kept { previous.clone() } else { Arc::new(previous.with_timeout(timeout)) });
        }
        let opening = match mode {
            Mode::Serve => sqlite::open(config.clone(), sqlite::Mode::Serve).await,
            Mode::Check => sqlite::open(config.clone(), sqlite::Mode::Check).await,
            Mode::Offline => {
                return Some(Arc::new(SqlSource { config, file: None, mode, driver: Driver::Offline, timeout }));
            }
        };
        match opening {
            Ok(sqlite) => {
                let file = identity(&config);
                Some(Arc::new(SqlSource { config, file, mode, driver: Driver::Sqlite(sqlite), timeout }))
            }
            Err(fault) => {
                report(&fault, name, written, script.as_ref(), sink);
                None
            }
        }
    }

    fn with_timeout(&self, timeout: Option<Duration>) -> Self {
        SqlSource {
            config: self.config.clone(),
            file: self.file,
            mode: self.mode,
            driver: self.driver.clone(),
            timeout,
        }
    }

    /// Whether the database refuses every write.
    pub fn read_only(&self) -> bool {
        self.config.read_only
    }
}

/// Device and inode of a file.
type FileIdentity = (u64, u64);

/// Which file a database is; `None` for one in memory, or that is not there.
fn identity(config: &SqliteConfig) -> Option<FileIdentity> {
    let Location::File(path) = &config.database else { return None };
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

fn config(
    written: &model::SqlSource,
    files: &mut Files,
    sink: &mut Diagnostics,
    inputs: &mut Vec<PathBuf>,
) -> Option<(SqliteConfig, Option<Spanned<String>>)> {
    let url = written.url.get()?;
    let database = location(url, files, sink);
    let init = match &written.init {
        Some(path) => crate::action::read(files, path.expose(), path.span, sink, inputs).map(Some),
        None => Some(None),
    };
    let max_connections = match &written.max_connections {
        Some(n) if !(1..=MAX_CONNECTIONS).contains(&n.value) => {
            sink.error(Code::BadValue, n.span, format!("`maxConnections` is 1 to {MAX_CONNECTIONS}"));
            CONNECTIONS
        }
        Some(n) => usize::try_from(n.value).unwrap_or(CONNECTIONS),
        None => CONNECTIONS,
    };
    let init = init?;
    let config = SqliteConfig {
        database: database?,
        read_only: written.read_only.as_ref().is_some_and(|r| r.value),
        init: init.as_ref().map(|script| script.value.clone()),
        on_connect: written.on_connect.iter().flatten().map(|s| s.value.clone()).collect(),
        max_connections,
        busy_timeout: BUSY_TIMEOUT,
    };
    Some((config, init))
}

/// `sqlite:PATH`, `sqlite://PATH` or `sqlite::memory:`; paths start at the folder of the spec's file.
fn location(url: &Spanned<crate::spec::Text>, files: &Files, sink: &mut Diagnostics) -> Option<Location> {
    let (scheme, rest) = url.expose().split_once(':').unwrap_or((url.expose(), ""));
    let refuse = |words: &str, label: &str| Diagnostic::error(Code::BadValue, url.span, words).label(label);
    match scheme {
        "sqlite" if rest == ":memory:" => Some(Location::Memory),
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.contains(['?', '\0']) {
                sink.push(refuse(
                    "not the URL of a SQLite database",
                    "such as `sqlite:./shop.db` or `sqlite::memory:`",
                ));
                return None;
            }
            Some(Location::File(files.folder(url.span.file).join(path)))
        }
        "postgres" | "postgresql" | "mysql" | "mariadb" => {
            sink.push(refuse("PostgreSQL and MySQL are not supported by this version", "`sqlite:PATH` is"));
            None
        }
        _ => {
            let path = !url.is_secret() && !url.written().contains(':');
            let label = if path { format!("write `sqlite:{}`", url.written()) } else { EXAMPLE.to_owned() };
            sink.push(refuse("not the URL of a database", &label));
            None
        }
    }
}

fn report(
    fault: &OpenFault,
    name: &Spanned<String>,
    written: &model::SqlSource,
    script: Option<&Spanned<String>>,
    sink: &mut Diagnostics,
) {
    let at = written.url.get().map_or(name.span, |url| url.span);
    let words = format!("source `{}`: {fault}", name.value);
    sink.push(match fault {
        OpenFault::Missing => Diagnostic::error(Code::MissingFile, at, words),
        OpenFault::Init { offset, .. } => {
            let place = match (script, offset) {
                (Some(script), Some(offset)) => script.at(*offset..*offset + 1),
                (Some(script), None) => script.span.into(),
                (None, _) => at.into(),
            };
            Diagnostic::error(Code::Sql, place, words)
        }
        OpenFault::OnConnect { index, offset, .. } => {
            let statement = written.on_connect.as_ref().and_then(|all| all.get(*index));
            match (statement, offset) {
                (Some(statement), Some(offset)) => {
                    let text = Spanned::new(statement.written().to_owned(), statement.span);
                    Diagnostic::error(Code::Sql, text.at(*offset..*offset + 1), words)
                }
                (Some(statement), None) => Diagnostic::error(Code::Sql, statement.span, words),
                (None, _) => Diagnostic::error(Code::Sql, at, words),
            }
        }
        OpenFault::NotADatabase => Diagnostic::error(Code::BadValue, at, words),
        OpenFault::Locked | OpenFault::Unavailable(_) => Diagnostic::error(Code::Unreachable, at, words),
    });
}
