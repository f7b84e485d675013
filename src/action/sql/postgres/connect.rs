//! Opens connections, and sets what every one of them needs.

use std::str::FromStr;

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use super::fault;
use crate::action::sql::lexer::{self, Dialect};
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::OpenFault;

/// How often a server that runs a statement looks whether anybody still waits for it.
const LOOK_FOR_CLIENT: &str = "10s";

/// Ends whatever a session may have begun or set, but keeps its prepared statements: `DISCARD ALL` would not.
/// <https://www.postgresql.org/docs/current/sql-discard.html>
const FORGET: &str = "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
                      SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP";

/// What the text of statements, and their values, are read by; `onConnect` can't change it.
const PINS: &str = "SET standard_conforming_strings = on; SET client_encoding = 'UTF8'; SET DateStyle = 'ISO'; \
                    SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'";

/// Words that begin or end a transaction.
const OF_TRANSACTIONS: &[&str] =
    &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"];

/// An open connection, and the process that serves it.
#[derive(Debug)]
pub struct Connection {
    /// The connection.
    pub inner: PgConnection,
    /// The id of the server's process, which [`pg_cancel_backend`] takes.
    ///
    /// [`pg_cancel_backend`]: https://www.postgresql.org/docs/current/functions-admin.html
    pub backend: i32,
}

/// What a URL may ask for after `?`; `options` and `options[…]` are the server's settings.
const OPTIONS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// What the URL says.
///
/// # Errors
/// If it is no URL of a PostgreSQL database.
pub fn options(config: &ServerConfig) -> Result<PgConnectOptions, OpenFault> {
    let url = config.url.expose_secret();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let known = |pair: &str| OPTIONS.contains(&pair.split(['=', '[', '%']).next().unwrap_or_default());
    if query.split('&').any(|pair| !pair.is_empty() && !known(pair)) {
        let words = format!("the URL has an option that is not known; known are {}", OPTIONS.join(", "));
        return Err(OpenFault::Unavailable(words));
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        OpenFault::Unavailable("not the URL of a database: such as postgres://user@host/database".into())
    })?;
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name("mcp-declare") };
    Ok(options.disable_statement_logging())
}

/// Opens a connection and readies it.
pub async fn connect(options: &PgConnectOptions, config: &ServerConfig) -> Result<Connection, OpenFault> {
    let mut inner = options.connect().await.map_err(|error| fault::opening(&error))?;
    let backend = ready(&mut inner, config).await?;
    Ok(Connection { inner, backend })
}

/// Makes a connection as it was when it was opened: what a call left behind is seen by no other.
pub async fn renew(connection: &mut Connection, config: &ServerConfig) -> Result<(), OpenFault> {
    let forgotten = connection.inner.execute(sqlx::raw_sql(FORGET)).await;
    forgotten.map_err(|error| fault::opening(&error))?;
    ready(&mut connection.inner, config).await.map(|_| ())
}

/// Sets what every session needs, and gives the id of the server's process.
async fn ready(inner: &mut PgConnection, config: &ServerConfig) -> Result<i32, OpenFault> {
    let opening = |error: sqlx::Error| fault::opening(&error);
    let backend = settings(inner, config).await.map_err(opening)?;
    // Not known before PostgreSQL 14, and not on every system.
    let looks = format!("SET client_connection_check_interval = '{LOOK_FOR_CLIENT}'");
    let _ = inner.execute(AssertSqlSafe(looks)).await;
    for (index, sql) in config.on_connect.iter().enumerate() {
        on_connect(inner, index, sql).await?;
    }
    inner.execute(sqlx::raw_sql(PINS)).await.map_err(opening)?;
    if let Some(name) = &config.scratch {
        // That schema alone: a table that `fixtures` does not make is not to be found elsewhere.
        inner.execute(sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = {name}")))).await.map_err(opening)?;
    }
    Ok(backend)
}

async fn on_connect(inner: &mut PgConnection, index: usize, sql: &str) -> Result<(), OpenFault> {
    let first = lexer::tokens(sql, Dialect::Postgres).next().and_then(|token| sql.get(token.range)).unwrap_or_default();
    if OF_TRANSACTIONS.iter().any(|word| first.eq_ignore_ascii_case(word)) {
        let message = "a transaction is begun and ended for each statement of an action".into();
        return Err(OpenFault::OnConnect { index, message, offset: sql.find(first) });
    }
    let said = |error| {
        let found = fault::statement(&error, sql);
        OpenFault::OnConnect { index, message: found.message, offset: found.offset }
    };
    inner.execute(sqlx::query(AssertSqlSafe(sql)).persistent(false)).await.map(|_| ()).map_err(said)
}

/// Bounds the time of statements, and gives the id of the server's process.
async fn settings(connection: &mut PgConnection, config: &ServerConfig) -> sqlx::Result<i32> {
    let timeout = config.statement_timeout.map_or(0, |timeout| timeout.as_millis().max(1));
    let sql = "SELECT pg_backend_pid(), set_config('statement_timeout', $1, false)";
    let query = sqlx::query(sql).bind(timeout.min(i32::MAX as u128).to_string()).persistent(false);
    connection.fetch_one(query).await?.try_get(0)
}
