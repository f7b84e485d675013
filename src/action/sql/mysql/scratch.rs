//! Throwaway databases, which tests work in.

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::connect::Recipe;
use super::fault;
use crate::action::sql::scratch;
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::OpenFault;

/// Makes a database and runs a script in it.
///
/// # Errors
/// If the server can't be reached, lets this user make none, or finds fault with the script.
pub async fn build(config: &ServerConfig, name: &str, script: &str) -> Result<(), OpenFault> {
    let mut connection = Recipe::new(config)?.plain().await?;
    sweep(&mut connection).await;
    let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4; USE {name}");
    if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(create))).await {
        let said = fault::running(&error).message;
        return Err(OpenFault::Unavailable(format!(
            "`fixtures` needs a database of its own, and the server makes none for this user (``GRANT ALL ON \
             `mcp\\_declare\\_test\\_%`.*`` allows it): {said}"
        )));
    }
    let run = connection.execute(sqlx::raw_sql(AssertSqlSafe(script.to_owned()))).await;
    run.map_err(|error| {
        let said = fault::preparing(&error, script);
        OpenFault::Init { message: fault::without_database(said.message, Some(name)), offset: said.offset }
    })?;
    let _ = connection.close().await;
    Ok(())
}

/// Drops what runs that were killed have left behind, as far as this user may.
async fn sweep(connection: &mut MySqlConnection) {
    let seen = "SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata";
    let names: Vec<String> = sqlx::query_scalar(seen).fetch_all(&mut *connection).await.unwrap_or_default();
    for name in names.iter().filter(|name| scratch::is_stale(name)) {
        let waits = "SET SESSION lock_wait_timeout = 5";
        let drop = format!("{waits}; DROP DATABASE IF EXISTS {name}; SET SESSION lock_wait_timeout = DEFAULT");
        let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await;
    }
}

/// Drops a database with all that is in it.
///
/// # Errors
/// If the server can't be reached, or somebody does not let go of what is in it.
pub async fn remove(config: &ServerConfig, name: &str) -> Result<(), OpenFault> {
    let mut connection = Recipe::new(config)?.plain().await?;
    let drop = format!("SET SESSION lock_wait_timeout = 5; DROP DATABASE IF EXISTS {name}");
    let dropped = connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await;
    dropped.map_err(|error| OpenFault::Unavailable(fault::running(&error).message))?;
    let _ = connection.close().await;
    Ok(())
}
