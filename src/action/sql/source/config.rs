//! What a `sql:` source says, as the drivers want it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::url;
use crate::action::source::Mode;
use crate::action::sql::lexer::Dialect;
use crate::action::sql::server::ServerConfig;
use crate::action::sql::sqlite::{Location, SqliteConfig};
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Span, Spanned};

/// Connections that a spec may ask for.
const MAX_CONNECTIONS: u64 = 256;
/// How long a statement of SQLite waits for somebody else's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for a connection to a server.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection to a server may stay unused.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// How a database is opened. Equal ones may share their connections.
#[derive(Debug, Clone)]
pub enum Config {
    /// A file, or a database in memory.
    Sqlite(SqliteConfig),
    /// A server of PostgreSQL or MySQL.
    Server(Dialect, ServerConfig),
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Config::Sqlite(one), Config::Sqlite(two)) => one == two,
            (Config::Server(kind, one), Config::Server(other_kind, two)) => {
                kind == other_kind
                    && one.url.expose_secret() == two.url.expose_secret()
                    && one.read_only == two.read_only
                    && one.on_connect == two.on_connect
                    && one.max_connections == two.max_connections
                    && one.acquire_timeout == two.acquire_timeout
                    && one.idle_timeout == two.idle_timeout
                    && one.statement_timeout == two.statement_timeout
            }
            _ => false,
        }
    }
}

impl Config {
    /// Reads what a source says, and the text of the script that builds it: `fixtures` for tests, else `init`.
    pub fn read(
        written: &model::SqlSource,
        files: &mut Files,
        sink: &mut Diagnostics,
        mode: Mode,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<(Config, Option<Spanned<String>>)> {
        let found = url::read(written.url.get()?, files, sink)?;
        match found {
            url::Found::Sqlite(database) => sqlite(written, database, files, sink, mode, inputs),
            url::Found::Server(dialect) => {
                let config = server(written, dialect, files, sink, inputs)?;
                let script = match written.fixtures.as_ref().filter(|_| mode == Mode::Test) {
                    Some(path) => Some(crate::action::read(files, path.expose(), path.span, sink, inputs)?),
                    None => None,
                };
                Some((config, script))
            }
        }
    }

    /// The same for tests, which change nothing that anybody keeps: a SQLite database that has a script is built by it
    /// in memory, one on a server in a throwaway place; any other database is only read.
    pub fn for_tests(self, has_script: bool) -> Config {
        match self {
            Config::Sqlite(config) if config.init.is_some() => {
                Config::Sqlite(SqliteConfig { database: Location::Memory, ..config })
            }
            Config::Sqlite(config) => Config::Sqlite(SqliteConfig { read_only: true, ..config }),
            Config::Server(dialect, config) => {
                let read_only = config.read_only || !has_script;
                Config::Server(dialect, ServerConfig { read_only, ..config })
            }
        }
    }

    /// Whether the database refuses every write.
    pub fn read_only(&self) -> bool {
        match self {
            Config::Sqlite(config) => config.read_only,
            Config::Server(_, config) => config.read_only,
        }
    }

    /// Whose SQL the database speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Config::Sqlite(_) => Dialect::Sqlite,
            Config::Server(dialect, _) => *dialect,
        }
    }
}

fn sqlite(
    written: &model::SqlSource,
    database: Location,
    files: &mut Files,
    sink: &mut Diagnostics,
    mode: Mode,
    inputs: &mut Vec<PathBuf>,
) -> Option<(Config, Option<Spanned<String>>)> {
    let needless = [
        (written.acquire_timeout.as_ref().map(|t| t.span), "acquireTimeout"),
        (written.idle_timeout.as_ref().map(|t| t.span), "idleTimeout"),
        (written.tls.as_ref().map(|t| t.at), "tls"),
    ];
    refuse(&needless, "is for databases on a server, and this is a SQLite database", sink);
    let init = match written.fixtures.as_ref().filter(|_| mode == Mode::Test).or(written.init.as_ref()) {
        Some(path) => crate::action::read(files, path.expose(), path.span, sink, inputs).map(Some),
        None => Some(None),
    };
    let init = init?;
    let config = SqliteConfig {
        database,
        read_only: written.read_only.as_ref().is_some_and(|r| r.value),
        init: init.as_ref().map(|script| script.value.clone()),
        on_connect: written.on_connect.iter().flatten().map(|s| s.value.clone()).collect(),
        max_connections: usize::try_from(max_connections(written, 4, sink)).unwrap_or(1),
        busy_timeout: BUSY_TIMEOUT,
    };
    Some((Config::Sqlite(config), init))
}

fn server(
    written: &model::SqlSource,
    dialect: Dialect,
    files: &Files,
    sink: &mut Diagnostics,
    inputs: &mut Vec<PathBuf>,
) -> Option<Config> {
    let needless = [(written.init.as_ref().map(|i| i.span), "init")];
    refuse(&needless, "builds a SQLite database, and this one is on a server", sink);
    let address = written.url.get()?;
    let url = match &written.tls {
        Some(tls) => url::with_tls(address, dialect, tls, files, sink, inputs)?,
        None => address.expose().to_owned(),
    };
    let duration = |value: Option<&Spanned<Duration>>, usual| value.map_or(usual, |value| value.value);
    let config = ServerConfig {
        url: SecretString::from(url),
        read_only: written.read_only.as_ref().is_some_and(|r| r.value),
        on_connect: written.on_connect.iter().flatten().map(|s| s.expose().to_owned()).collect(),
        max_connections: u32::try_from(max_connections(written, 10, sink)).unwrap_or(1),
        acquire_timeout: duration(written.acquire_timeout.as_ref(), ACQUIRE_TIMEOUT),
        idle_timeout: duration(written.idle_timeout.as_ref(), IDLE_TIMEOUT),
        statement_timeout: written.statement_timeout.as_ref().map(|timeout| timeout.value),
        scratch: None,
    };
    Some(Config::Server(dialect, config))
}

fn max_connections(written: &model::SqlSource, usual: u64, sink: &mut Diagnostics) -> u64 {
    match &written.max_connections {
        Some(n) if !(1..=MAX_CONNECTIONS).contains(&n.value) => {
            sink.error(Code::BadValue, n.span, format!("`maxConnections` is 1 to {MAX_CONNECTIONS}"));
            usual
        }
        Some(n) => n.value,
        None => usual,
    }
}

fn refuse(needless: &[(Option<Span>, &str)], why: &str, sink: &mut Diagnostics) {
    for (span, key) in needless {
        if let Some(span) = span {
            sink.push(Diagnostic::error(Code::BadValue, *span, format!("`{key}` {why}")).label("leave it out"));
        }
    }
}
