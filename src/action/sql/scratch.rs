//! Throwaway places on a server for tests: a schema of PostgreSQL, a database of MySQL, which `fixtures` builds.
//!
//! What was made is known to the process, not to its maker: so it can be removed also when a test fails, or when
//! Ctrl-C ends the run in the middle of one. Of a run that was killed the next one removes what is left, an hour later.
//! Only `mcp-declare test` makes any.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

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

/// Letters at the end of a name.
const LETTERS: usize = 6;
/// What is older than this, in seconds, was left behind by a run that was killed: no test takes so long.
const STALE: u64 = 3600;

/// What there is now, and how it is reached.
static MADE: Mutex<Vec<(Dialect, ServerConfig)>> = Mutex::new(Vec::new());

/// Makes a throwaway place on the server and runs a script in it. Gives the configuration whose connections work in
/// it; where names in statements are qualified they lead out of it.
///
/// # Errors
/// If the server can't be reached, lets this user make none, or finds fault with the script.
pub async fn build(dialect: Dialect, config: &ServerConfig, script: &str) -> Result<ServerConfig, OpenFault> {
    let letters: String = std::iter::repeat_with(fastrand::lowercase).take(LETTERS).collect();
    let name: Arc<str> = format!("{PREFIX}{}_{letters}", now()).into();
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

/// Whether a schema or database was left behind by a run that was killed. Its name tells when it was made, and has
/// nothing in it that would have to be quoted.
pub fn is_stale(name: &str) -> bool {
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
    let Some((made, letters)) = parts else { return false };
    let ours = letters.len() == LETTERS && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = made.bytes().all(|byte| byte.is_ascii_digit());
    ours && number && made.parse().is_ok_and(|made: u64| now().saturating_sub(made) > STALE)
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Removes all that was made. Gives, in words, what is left behind all the same.
pub async fn remove_all() -> Vec<String> {
    let all = made().clone();
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
        // Only now: whoever waits for this may give up in the middle, and ask for it once more.
        made().retain(|(_, there)| there.scratch.as_ref() != Some(&name));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_given_up_in_the_middle_is_removed_the_next_time() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://ada@{}/shop?sslmode=disable", silent.local_addr().unwrap());
        let config = ServerConfig {
            url: url.into(),
            read_only: false,
            on_connect: Vec::new(),
            max_connections: 1,
            acquire_timeout: BUILDING,
            idle_timeout: BUILDING,
            statement_timeout: None,
            scratch: Some(format!("{PREFIX}1000000000_abcdef").into()),
        };
        made().push((Dialect::Postgres, config));
        tokio::select! {
            left = remove_all() => panic!("nobody answered, yet {left:?}"),
            accepted = silent.accept() => drop(accepted.unwrap()),
        }
        assert_eq!(made().len(), 1);
        drop(silent);
        let left = remove_all().await;
        assert!(left.len() == 1 && left.iter().all(|words| words.contains("DROP SCHEMA")), "{left:?}");
        assert!(made().is_empty());
    }

    #[test]
    fn only_what_is_old_and_ours_is_stale() {
        assert!(is_stale("mcp_declare_test_1000000000_abcdef"));
        let fresh = format!("{PREFIX}{}_abcdef", now());
        let odd = ["abcdefghijkl", "1000000000_abc; x", "-1_abcdef", "+1_abcdef", "_abcdef", "1000000000"];
        let odd = odd.map(|rest| format!("{PREFIX}{rest}"));
        for name in odd.iter().map(String::as_str).chain([fresh.as_str(), "public"]) {
            assert!(!is_stale(name), "{name}");
        }
    }
}
