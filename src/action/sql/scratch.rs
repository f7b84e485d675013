//! Throwaway places on a server for tests: a schema of PostgreSQL, a database of MySQL, which `fixtures` builds.
//!
//! What was made is known to the process, not to its maker: so it can be removed also when a test fails, or when
//! Ctrl-C ends the run in the middle of one. Only `mcp-declare test` makes any.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::lexer::Dialect;
use super::server::ServerConfig;
use super::types::OpenFault;
use super::{mysql, postgres};

/// How the names of throwaway places begin; what a run that was killed left behind is found by it.
const PREFIX: &str = "mcp_declare_test_";
/// How long building one may take.
const BUILDING: Duration = Duration::from_secs(60);
/// How long removing one may take, the wait for whoever still works in it included.
const REMOVING: Duration = Duration::from_secs(15);

/// What there is now, and how it is reached.
static MADE: Mutex<Vec<(Dialect, ServerConfig)>> = Mutex::new(Vec::new());

/// Makes a throwaway place on the server and runs a script in it. Gives the configuration whose connections work in
/// it; where names in statements are qualified they lead out of it.
///
/// # Errors
/// If the server can't be reached, lets this user make none, or finds fault with the script.
pub async fn build(dialect: Dialect, config: &ServerConfig, script: &str) -> Result<ServerConfig, OpenFault> {
    let name: String = std::iter::repeat_with(fastrand::lowercase).take(12).collect();
    let name: Arc<str> = format!("{PREFIX}{name}").into();
    let config = ServerConfig { scratch: Some(Arc::clone(&name)), ..config.clone() };
    made().push((dialect, config.clone()));
    let building = async {
        match dialect {
            Dialect::Mysql => mysql::scratch::build(&config, &name, script).await,
            Dialect::Postgres | Dialect::Sqlite => postgres::scratch::build(&config, &name, script).await,
        }
    };
    let late = |_| OpenFault::Unavailable(format!("building what tests work on took more than {BUILDING:?}"));
    tokio::time::timeout(BUILDING, building).await.map_err(late)??;
    Ok(config)
}

/// Removes all that was made. Gives, in words, what is left behind all the same.
pub async fn remove_all() -> Vec<String> {
    let all = std::mem::take(&mut *made());
    let mut left = Vec::new();
    for (dialect, config) in all {
        let Some(name) = config.scratch.clone() else { continue };
        let removing = async {
            match dialect {
                Dialect::Mysql => mysql::scratch::remove(&config, &name).await,
                Dialect::Postgres | Dialect::Sqlite => postgres::scratch::remove(&config, &name).await,
            }
        };
        let removed = tokio::time::timeout(REMOVING, removing).await;
        let why = match removed {
            Ok(Ok(())) => continue,
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => format!("it took more than {REMOVING:?}"),
        };
        let (kind, drop) = match dialect {
            Dialect::Mysql => ("database", format!("DROP DATABASE {name}")),
            Dialect::Postgres | Dialect::Sqlite => ("schema", format!("DROP SCHEMA {name} CASCADE")),
        };
        left.push(format!("the {kind} `{name}` was left on the server, remove it by `{drop}`: {why}"));
    }
    left
}

fn made() -> std::sync::MutexGuard<'static, Vec<(Dialect, ServerConfig)>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}
