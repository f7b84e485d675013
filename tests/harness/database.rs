//! Throwaway databases on real servers, which are started once for all tests of a process.
//!
//! ```no_run
//! let Some(db) = Database::postgres("CREATE TABLE t (a int)").await else { return };
//! ```
//!
//! A machine without the binaries of a server skips its tests, and says so; with `MCP_REQUIRE_DATABASES=1` in the
//! environment they fail instead.

mod kind;
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection, Row as _};
use tokio::sync::OnceCell;

pub use kind::Kind;
pub use server::{PASSWORD, Server};

/// The servers that the tests share; they end with this process.
static SHARED: [OnceCell<Option<Server>>; 2] = [const { OnceCell::const_new() }; 2];

/// A database of its own on a server.
pub struct Database {
    kind: Kind,
    port: u16,
    name: String,
}

impl Database {
    /// A PostgreSQL database that `setup` was run in; `None` if this machine has no PostgreSQL.
    pub async fn postgres(setup: &str) -> Option<Database> {
        Database::on(shared(Kind::Postgres).await?, setup).await.into()
    }

    /// A MariaDB database that `setup` was run in; `None` if this machine has no MariaDB.
    pub async fn mariadb(setup: &str) -> Option<Database> {
        Database::on(shared(Kind::Mariadb).await?, setup).await.into()
    }

    /// A database on a server that is nobody else's.
    pub async fn on(server: &Server, setup: &str) -> Database {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let (kind, port) = (server.kind(), server.port);
        run(&kind.url(port, kind.first_database()), &format!("CREATE DATABASE {name}")).await.unwrap();
        let database = Database { kind, port, name };
        database.run(setup).await;
        database
    }

    /// Its URL, with user and password.
    pub fn url(&self) -> String {
        self.kind.url(self.port, &self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements that are divided by `;`.
    pub async fn run(&self, sql: &str) {
        run(&self.url(), sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// The first value of a statement, which is cast to text; "" for NULL or without a row.
    pub async fn text(&self, sql: &str) -> String {
        let url = self.url();
        let sql = AssertSqlSafe(sql.to_owned());
        let text = match self.kind {
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                let row = connection.fetch_optional(sqlx::raw_sql(sql)).await.unwrap();
                row.and_then(|row| row.try_get_unchecked::<Option<String>, _>(0).unwrap())
            }
            Kind::Mariadb => {
                let mut connection = MySqlConnection::connect(&url).await.unwrap();
                let row = connection.fetch_optional(sqlx::raw_sql(sql)).await.unwrap();
                row.and_then(|row| row.try_get_unchecked::<Option<String>, _>(0).unwrap())
            }
        };
        text.unwrap_or_default()
    }
}

/// A server of a test's own, that can be stopped; `None` if this machine has none of this kind.
pub async fn server(kind: Kind) -> Option<Server> {
    let server = Server::start(kind).await;
    if server.is_none() {
        missing(kind);
    }
    server
}

async fn shared(kind: Kind) -> Option<&'static Server> {
    SHARED[kind as usize].get_or_init(|| server(kind)).await.as_ref()
}

/// Says that tests are skipped, or fails if they may not be.
fn missing(kind: Kind) {
    let required = std::env::var_os("MCP_REQUIRE_DATABASES").is_some_and(|value| value == "1");
    assert!(!required, "this machine has no {kind:?}, and MCP_REQUIRE_DATABASES is set");
    super::optional::not_run(&format!("the tests with {kind:?}, as this machine has none"));
}

async fn run(url: &str, sql: &str) -> sqlx::Result<()> {
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("postgres") {
        PgConnection::connect(url).await?.execute(sqlx::raw_sql(sql)).await?;
    } else {
        MySqlConnection::connect(url).await?.execute(sqlx::raw_sql(sql)).await?;
    }
    Ok(())
}
