//! MySQL, by way of a real MariaDB.

mod attacks;
mod door;
mod running;
mod sessions;
mod stopping;
mod types;

use std::time::Duration;

use mcp_declare::action::Limits;
use mcp_declare::action::sql::mysql::{self, Mysql};
use mcp_declare::action::sql::server::ServerConfig;
use mcp_declare::action::sql::types::{Bind, Bound, Rows, SqlFault};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::harness::Database;

/// A database, and the driver on it.
struct Shop {
    db: Database,
    mysql: Mysql,
}

const LIMITS: Limits = Limits { timeout: crate::harness::PATIENCE, max_rows: 1000, max_bytes: 10 * 1024 * 1024 };

const BOOKS: &str = "
    CREATE TABLE books (id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(50) NOT NULL, price DECIMAL(6,2), extra JSON);
    INSERT INTO books (title, price, extra) VALUES ('Dune', 9.90, '{\"pages\": 412}'), ('Emma', NULL, NULL)";

fn config(url: &str) -> ServerConfig {
    ServerConfig {
        url: url.to_owned().into(),
        read_only: false,
        on_connect: Vec::new(),
        max_connections: 4,
        acquire_timeout: crate::harness::PATIENCE,
        idle_timeout: Duration::from_secs(600),
        statement_timeout: None,
        scratch: None,
    }
}

impl Shop {
    /// A database that `setup` was run in; `None` if this machine has no MariaDB.
    async fn new(setup: &str) -> Option<Shop> {
        Shop::with(setup, |_| {}).await
    }

    /// One that refuses writes.
    async fn read_only(setup: &str) -> Option<Shop> {
        Shop::with(setup, |config| config.read_only = true).await
    }

    async fn with(setup: &str, change: impl FnOnce(&mut ServerConfig)) -> Option<Shop> {
        let db = Database::mariadb(&format!("ALTER DATABASE CHARACTER SET utf8mb4; {setup}")).await?;
        let mut config = config(&db.url());
        change(&mut config);
        Some(Shop { mysql: mysql::open(config).await.unwrap(), db })
    }

    async fn rows(&self, sql: &str, binds: Value) -> Result<Rows, SqlFault> {
        self.within(sql, binds, LIMITS).await
    }

    async fn within(&self, sql: &str, binds: Value, limits: Limits) -> Result<Rows, SqlFault> {
        self.mysql.query(sql.into(), bound(&binds), limits, &CancellationToken::new()).await
    }

    /// The rows of a statement that must go well, as JSON objects.
    async fn ask(&self, sql: &str, binds: Value) -> Value {
        match self.rows(sql, binds).await {
            Ok(rows) => rows.into_objects().map(Value::Object).collect(),
            Err(fault) => panic!("{sql}: {fault:?}"),
        }
    }

    /// The first value of a statement that must go well.
    async fn value(&self, sql: &str) -> Value {
        self.rows(sql, Value::Null).await.unwrap_or_else(|fault| panic!("{sql}: {fault:?}")).into_value().unwrap()
    }

    /// The connections of this database that are open on the server, and what they run.
    async fn processes(&self) -> String {
        let sql = "SELECT GROUP_CONCAT(CONCAT(COMMAND, ':', COALESCE(INFO, '')) SEPARATOR '\n') \
                   FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()";
        self.db.text(sql).await
    }
}

fn bound(binds: &Value) -> Vec<(String, Bind)> {
    let named = binds.as_object().into_iter().flatten();
    named.map(|(name, value)| (name.clone(), Bind::from_json(value))).collect()
}

fn transaction(statements: &[(&str, Value)]) -> Vec<Bound> {
    statements.iter().map(|(sql, binds)| ((*sql).into(), bound(binds))).collect()
}
