//! Opens connections, and sets what every one of them needs.

use std::str::FromStr;

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor, Row};

use super::fault;
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::OpenFault;

/// How often a server that runs a statement looks whether anybody still waits for it.
const LOOK_FOR_CLIENT: &str = "10s";

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
    let backend = settings(&mut inner, config).await.map_err(|error| fault::opening(&error))?;
    // Not known before PostgreSQL 14, and not on every system.
    let looks = format!("SET client_connection_check_interval = '{LOOK_FOR_CLIENT}'");
    let _ = inner.execute(AssertSqlSafe(looks)).await;
    for (index, sql) in config.on_connect.iter().enumerate() {
        let said = |error| {
            let found = fault::statement(&error, sql);
            OpenFault::OnConnect { index, message: found.message, offset: found.offset }
        };
        inner.execute(sqlx::query(AssertSqlSafe(sql.as_str())).persistent(false)).await.map_err(said)?;
    }
    if let Err(error) = inner.ping().await {
        return Err(fault::opening(&error));
    }
    Ok(Connection { inner, backend })
}

/// Sets what results are read by, and gives the id of the server's process.
async fn settings(connection: &mut PgConnection, config: &ServerConfig) -> sqlx::Result<i32> {
    let timeout = config.statement_timeout.map_or(0, |timeout| timeout.as_millis().max(1));
    let sql = "SELECT pg_backend_pid(), set_config('statement_timeout', $1, false), \
               set_config('IntervalStyle', 'iso_8601', false), set_config('bytea_output', 'hex', false)";
    let query = sqlx::query(sql).bind(timeout.min(i32::MAX as u128).to_string()).persistent(false);
    connection.fetch_one(query).await?.try_get(0)
}
