//! The driver as a whole, against real files.

mod attacks;
mod opening;
mod quick;
mod running;
mod stopping;

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::action::sql::types::{Bound, FaultKind};

const SHOP: &str = "
    CREATE TABLE books(id INTEGER PRIMARY KEY, title TEXT NOT NULL, price DECIMAL(6,2), sold BOOLEAN, extra JSON, at DATETIME);
    INSERT INTO books VALUES (1, 'Dune', '9.95', 1, '{\"pages\":412}', '2026-01-02 03:04:05'), (2, 'Emma', 5, 0, NULL, NULL);
";

const LIMITS: Limits = Limits { max_rows: 1000, max_bytes: 1 << 20, timeout: Duration::from_secs(20) };

fn config(database: Location) -> SqliteConfig {
    SqliteConfig {
        database,
        read_only: false,
        init: None,
        on_connect: vec![],
        max_connections: 4,
        busy_timeout: Duration::from_secs(20),
    }
}

/// Opens a database and its first connection.
async fn open(config: SqliteConfig, mode: Mode) -> Result<Sqlite, OpenFault> {
    let db = super::open(config, mode).await?;
    db.probe().await?;
    Ok(db)
}

async fn memory(init: &str) -> Sqlite {
    open(SqliteConfig { init: Some(init.into()), ..config(Location::Memory) }, Mode::Serve).await.unwrap()
}

async fn shop(folder: &Path, read_only: bool) -> Sqlite {
    let config = config(Location::File(folder.join("shop.db")));
    open(SqliteConfig { read_only, init: Some(SHOP.into()), ..config }, Mode::Serve).await.unwrap()
}

fn binds(binds: &[(&str, Value)]) -> Vec<(String, Bind)> {
    binds.iter().map(|(name, value)| ((*name).to_owned(), Bind::from_json(value))).collect()
}

async fn run(db: &Sqlite, sql: &str, values: &[(&str, Value)]) -> Result<Rows, SqlFault> {
    db.query(sql.into(), binds(values), LIMITS, &CancellationToken::new()).await
}

fn together(statements: Vec<Bound>) -> Transaction {
    Transaction { statements, isolation: None }
}

fn objects(rows: Rows) -> Value {
    rows.into_objects().map(Value::Object).collect()
}

async fn rows(db: &Sqlite, sql: &str) -> Value {
    objects(run(db, sql, &[]).await.unwrap())
}

async fn count(db: &Sqlite) -> Value {
    run(db, "SELECT count(*) FROM books", &[]).await.unwrap().into_value().unwrap()
}

/// The files in a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn rows_become_json_by_declared_type() {
    let db = memory(SHOP).await;
    assert_eq!(
        rows(&db, "SELECT * FROM books ORDER BY id").await,
        json!([
            {"id": 1, "title": "Dune", "price": "9.95", "sold": true, "extra": {"pages": 412}, "at": "2026-01-02T03:04:05"},
            {"id": 2, "title": "Emma", "price": "5", "sold": false, "extra": null, "at": null},
        ])
    );
    let odd =
        "SELECT 9007199254740993 AS big, 1e999 AS far, -1e999 AS near, x'00ff' AS bytes, 'a' || char(0) || 'b' AS nul";
    assert_eq!(
        rows(&db, odd).await,
        json!([{"big": "9007199254740993", "far": "Infinity", "near": "-Infinity", "bytes": "AP8=", "nul": "a\0b"}])
    );
}
