//! Throwaway schemas, which tests work in.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::{connect, fault};
use crate::action::sql::scratch;
use crate::action::sql::server::ServerConfig;
use crate::action::sql::types::OpenFault;

/// Makes a schema and runs a script in it, in one transaction.
///
/// # Errors
/// If the server can't be reached, lets this user make none, or finds fault with the script.
pub async fn build(config: &ServerConfig, name: &str, script: &str) -> Result<(), OpenFault> {
    let mut connection = open(config).await?;
    sweep(&mut connection).await;
    let create = format!("CREATE SCHEMA {name}; SET search_path = {name}");
    if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(create))).await {
        let said = fault::statement(&error, "").message;
        return Err(OpenFault::Unavailable(format!(
            "`fixtures` needs a schema of its own, and the server makes none for this user (`GRANT CREATE ON DATABASE` \
             allows it): {said}"
        )));
    }
    let run = connection.execute(sqlx::raw_sql(AssertSqlSafe(script.to_owned()))).await;
    run.map_err(|error| {
        let said = fault::statement(&error, script);
        OpenFault::Init { message: said.message, offset: said.offset }
    })?;
    let _ = connection.close().await;
    Ok(())
}

/// Drops what runs that were killed have left behind, as far as that is ours to drop.
async fn sweep(connection: &mut PgConnection) {
    let own = "SELECT nspname::text FROM pg_namespace WHERE pg_get_userbyid(nspowner) = current_user";
    let names: Vec<String> = sqlx::query_scalar(own).fetch_all(&mut *connection).await.unwrap_or_default();
    for name in names.iter().filter(|name| scratch::is_stale(name)) {
        let drop = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {name} CASCADE; RESET lock_timeout");
        let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await;
    }
}

/// Drops a schema with all that is in it.
///
/// # Errors
/// If the server can't be reached, or somebody does not let go of what is in it.
pub async fn remove(config: &ServerConfig, name: &str) -> Result<(), OpenFault> {
    let mut connection = open(config).await?;
    let drop = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {name} CASCADE");
    let dropped = connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await;
    dropped.map_err(|error| OpenFault::Unavailable(fault::statement(&error, "").message))?;
    let _ = connection.close().await;
    Ok(())
}

async fn open(config: &ServerConfig) -> Result<PgConnection, OpenFault> {
    connect::options(config)?.connect().await.map_err(|error| fault::opening(&error))
}
