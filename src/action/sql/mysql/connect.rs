//! Opens connections, and sets what every statement can rely on.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::fault;
use super::session::{Flavor, Session};
use crate::action::sql::lexer::{self, Dialect};
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::{FaultKind, OpenFault};

/// What a URL may ask for after `?`.
const OPTIONS: &[&str] =
    &["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "sslmode", "sslca", "sslcert", "sslkey", "socket"];

/// Modes of SQL in which the server reads quotes and backslashes in another way than we do.
const OTHER_GRAMMARS: &[&str] =
    &["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"];

/// How long stopping a connection may take.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// What connections are opened from; the same for every one of a pool.
#[derive(Debug)]
pub struct Recipe {
    options: MySqlConnectOptions,
    read_only: bool,
    on_connect: Vec<String>,
    scratch: Option<Arc<str>>,
}

impl Recipe {
    /// Reads the URL.
    pub fn new(config: &ServerConfig) -> Result<Recipe, OpenFault> {
        let url = config.url.expose_secret();
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let known = |pair: &str| OPTIONS.contains(&pair.split('=').next().unwrap_or_default());
        if query.split('&').any(|pair| !pair.is_empty() && !known(pair)) {
            let words = format!("the URL has an option that is not known; known are {}", OPTIONS.join(", "));
            return Err(OpenFault::Unavailable(words));
        }
        let options = MySqlConnectOptions::from_str(url)
            .map_err(|_| {
                OpenFault::Unavailable("not the URL of a database: such as mysql://user@host/database".into())
            })?
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        Ok(Recipe {
            options,
            read_only: config.read_only,
            on_connect: config.on_connect.clone(),
            scratch: config.scratch.clone(),
        })
    }

    /// Whether every transaction is read-only.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// Opens a connection to what the URL names, and sets nothing.
    pub async fn plain(&self) -> Result<MySqlConnection, OpenFault> {
        self.options.connect().await.map_err(|error| fault::opening(&error))
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Result<Session, OpenFault> {
        let mut connection = self.plain().await?;
        self.fence(&mut connection).await.map_err(|error| fault::opening(&error))?;
        for (index, sql) in self.on_connect.iter().enumerate() {
            on_connect(&mut connection, index, sql).await?;
        }
        if let Some(name) = &self.scratch {
            let used = connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("USE {name}")))).await;
            used.map_err(|error| fault::opening(&error))?;
        }
        let about = about(&mut connection).await.map_err(|error| fault::opening(&error))?;
        pin(&mut connection, &about.sql_mode).await.map_err(|error| fault::opening(&error))?;
        self.fence(&mut connection).await.map_err(|error| fault::opening(&error))?;
        Ok(Session::new(connection, about.id, Flavor::of(&about.version), about.database))
    }

    /// Makes every transaction read-only that says nothing else, those of single statements too.
    async fn fence(&self, connection: &mut MySqlConnection) -> sqlx::Result<()> {
        if self.read_only {
            connection.execute(sqlx::raw_sql("SET SESSION TRANSACTION READ ONLY")).await?;
        }
        Ok(())
    }

    /// Ends a session and whatever it is doing, by another connection.
    pub async fn kill(&self, session: Session) {
        let kill = async {
            let mut other = self.options.connect().await?;
            other.execute(sqlx::raw_sql(AssertSqlSafe(format!("KILL CONNECTION {}", session.id)))).await?;
            other.close().await
        };
        // If the server can't be reached it finds the closed socket by itself.
        let _ = tokio::time::timeout(KILL_TIMEOUT, kill).await;
    }
}

/// What the server says of a connection.
struct About {
    version: String,
    sql_mode: String,
    id: u64,
    database: Option<String>,
}

async fn about(connection: &mut MySqlConnection) -> sqlx::Result<About> {
    let query = sqlx::raw_sql("SELECT VERSION(), @@SESSION.sql_mode, CONNECTION_ID(), DATABASE()");
    let row = query.fetch_one(connection).await?;
    Ok(About {
        version: row.try_get_unchecked(0)?,
        sql_mode: row.try_get_unchecked(1)?,
        id: row.try_get_unchecked(2)?,
        database: row.try_get_unchecked(3)?,
    })
}

async fn on_connect(connection: &mut MySqlConnection, index: usize, sql: &str) -> Result<(), OpenFault> {
    if let Some(second) = lexer::statements(sql, Dialect::Mysql).get(1) {
        let message = "only one statement is allowed here".into();
        return Err(OpenFault::OnConnect { index, message, offset: Some(second.start) });
    }
    match sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match fault::preparing(&error, sql) {
            lost if lost.kind == FaultKind::Unavailable => fault::opening(&error),
            said => OpenFault::OnConnect { index, message: said.message, offset: said.offset },
        }),
    }
}

/// Sets, last of all, what values and the text of statements are read by: UTC, UTF-8 and one grammar. The rest of the
/// server's mode stays.
async fn pin(connection: &mut MySqlConnection, sql_mode: &str) -> sqlx::Result<()> {
    let plain = |mode: &&str| mode.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let modes: Vec<&str> = sql_mode.split(',').filter(plain).filter(|mode| !OTHER_GRAMMARS.contains(mode)).collect();
    let modes = modes.join(",");
    let pins = format!(
        "ROLLBACK; SET autocommit = 1, completion_type = 0, sql_auto_is_null = 0, time_zone = '+00:00', sql_mode = '{modes}'; \
         SET NAMES utf8mb4"
    );
    sqlx::raw_sql(AssertSqlSafe(pins)).execute(connection).await.map(|_| ())
}
