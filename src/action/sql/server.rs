//! What PostgreSQL and MySQL have in common: servers that are reached over a network.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

/// How a database server is reached, and how its connections are kept.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The URL, password and all.
    pub url: SecretString,
    /// Whether the server refuses every write.
    pub read_only: bool,
    /// Statements that each new connection runs first.
    pub on_connect: Vec<String>,
    /// Connections that may be open at once.
    pub max_connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a connection may stay unused.
    pub idle_timeout: Duration,
    /// How long one statement may run, enforced by the server too.
    pub statement_timeout: Option<Duration>,
    /// The throwaway schema or database that its connections work in, for tests.
    pub scratch: Option<Arc<str>>,
}
