//! `fixtures` of databases on servers: what tests work on is made for them, and gone afterwards.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Database, Process, Spec, soon, until};

const REAL: &str =
    "CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(40)); INSERT INTO books VALUES (1, 'Real')";
const FIXTURES: &str = "
CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(40) NOT NULL);
INSERT INTO books VALUES (1, 'Dune'), (2, 'Emma');
";

const SPEC: &str = "
sources: { db: { sql: '${DATABASE_URL}', fixtures: ./fixtures.sql } }
tools:
  count: { sql: { source: db, query: SELECT count(*) FROM books, returns: value } }
  add: { params: { id: integer }, sql: { source: db, query: 'INSERT INTO books VALUES (:id, :id)', returns: affected } }
  clear: { sql: { source: db, query: DELETE FROM books, returns: affected } }
  place: { sql: { source: db, query: 'SELECT PLACE', returns: value } }
  sleep: { sql: { timeout: 50s, source: db, query: 'SELECT NAP', returns: value } }
tests:
";

/// A spec with these tests on a database.
fn spec(db: &Database, tests: &str) -> Spec {
    let (place, nap, id) = match db.url().starts_with("postgres") {
        true => ("current_schema()::text", "pg_sleep(40)::text", "CAST(:id AS text)"),
        false => ("DATABASE()", "SLEEP(40)", "CAST(:id AS CHAR)"),
    };
    let text = SPEC.replace("PLACE", place).replace("NAP", nap).replace(":id, :id", &format!(":id, {id}"));
    Spec::new(&(text + tests)).file("fixtures.sql", FIXTURES).env("DATABASE_URL", &db.url())
}

/// How many throwaway places of this name there are on the server.
async fn places(db: &Database, name: &str) -> String {
    db.text(&format!(
        "SELECT CAST(count(*) AS CHAR(9)) FROM information_schema.schemata WHERE schema_name LIKE '{name}'"
    ))
    .await
    .trim()
    .to_owned()
}

async fn works_on_fixtures(db: &Database) {
    let tests = "
  counts: { call: count, exact: 2 }
  adds: { call: add, with: { id: 3 }, expect: { affected: 1 } }
  clears: { call: clear, expect: { affected: 2 } }
  counts_again: { call: count, exact: 2 }
  works_elsewhere: { call: place, exact: here }
";
    let spec = spec(db, tests);
    let run = spec.run("test", &[]).await;
    assert_eq!(run.err, "");
    assert!(run.out.ends_with("1 test failed, 4 passed\n"), "{}", run.out);
    let (_, rest) = run.out.split_once("mcp_declare_test_").unwrap_or_else(|| panic!("{}", run.out));
    let name = format!("mcp_declare_test_{}", rest.split('"').next().unwrap());
    assert_eq!(places(db, &name).await, "0", "{name} is gone, although its test failed");
    // Whoever serves the spec sees what is really there.
    assert_eq!(spec.run("call", &["count"]).await.out, "1\n");
    assert_eq!(db.text("SELECT title FROM books").await, "Real");
}

async fn says_what_is_wrong_with_the_script(db: &Database) {
    let spec =
        spec(db, "  counts: { call: count, exact: 2 }\n").file("fixtures.sql", "CREATE TABLE a (b int);\nSELEKT 1;\n");
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.err.contains("the database could not be built by its script: ") && run.err.contains("fixtures.sql:2:1"),
        "{}",
        run.err
    );
    assert_eq!(spec.run("check", &[]).await.code, 0);
}

async fn is_gone_when_the_run_is_ended(db: &Database) {
    let spec = spec(db, "  sleeps: { call: sleep }\n");
    for (signal, before) in [(Signal::INT, "sleeping"), (Signal::TERM, "sleeping")] {
        let mut child = Process::command(&spec, "test").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until(before, async || {
            let asleep = match db.url().starts_with("postgres") {
                true => "SELECT CAST(count(*) AS text) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(40)%' AND state = 'active' \
                         AND pid <> pg_backend_pid() AND datname = current_database()",
                false => "SELECT CAST(count(*) AS CHAR(9)) FROM information_schema.processlist WHERE info LIKE 'SELECT%SLEEP(40)%' \
                          AND id <> connection_id()",
            };
            db.text(asleep).await != "0"
        })
        .await;
        kill_process(Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap(), signal).unwrap();
        let ended = soon("the end", child.wait()).await.unwrap();
        assert_eq!(ended.code(), Some(1));
    }
}

async fn sweeps_what_a_killed_run_left(db: &Database, create: &str) {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let old = "mcp_declare_test_1000000000_abcdef".to_owned();
    let (fresh, others) = (format!("mcp_declare_test_{now}_abcdef"), "mcp_declare_test_mine".to_owned());
    for name in [&old, &fresh, &others] {
        db.run(&format!("{create} {name}")).await;
    }
    assert_eq!(spec(db, "  counts: { call: count, exact: 2 }\n").run("test", &[]).await.code, 0);
    let mut left = Vec::new();
    for name in [&old, &fresh, &others] {
        left.push(places(db, name).await);
        db.run(&format!("DROP {} IF EXISTS {name}", create.split(' ').nth(1).unwrap())).await;
    }
    assert_eq!(left, ["0", "1", "1"], "what may still be in use, and what is not ours, stays");
}

#[tokio::test]
async fn postgres_tests_work_in_a_schema_of_their_own() {
    let Some(db) = Database::postgres(REAL).await else { return };
    works_on_fixtures(&db).await;
    says_what_is_wrong_with_the_script(&db).await;
    is_gone_when_the_run_is_ended(&db).await;
    sweeps_what_a_killed_run_left(&db, "CREATE SCHEMA").await;
    assert_eq!(places(&db, "mcp_declare_test_%").await, "0");
}

#[tokio::test]
async fn mariadb_tests_work_in_a_database_of_their_own() {
    let Some(db) = Database::mariadb(REAL).await else { return };
    works_on_fixtures(&db).await;
    says_what_is_wrong_with_the_script(&db).await;
    is_gone_when_the_run_is_ended(&db).await;
    sweeps_what_a_killed_run_left(&db, "CREATE DATABASE").await;
}

#[tokio::test]
async fn an_on_connect_does_not_lead_out_of_it() {
    let Some(db) = Database::postgres(REAL).await else { return };
    let spec = spec(&db, "  clears: { call: clear, expect: { affected: 2 } }\n");
    spec.write(&spec.get("spec.yaml").replace("fixtures:", "onConnect: [SET search_path TO public], fixtures:"));
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(db.text("SELECT title FROM books").await, "Real");
}

#[tokio::test]
async fn who_may_make_none_is_told_so() {
    let Some(db) = Database::postgres(REAL).await else { return };
    let role = format!("{}_reader", db.name());
    db.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT SELECT ON books TO {role}")).await;
    let url = format!("{role}:x@{}", db.url().rsplit_once('@').unwrap().1);
    let spec = spec(&db, "  counts: { call: count, exact: 2 }\n").env("DATABASE_URL", &format!("postgres://{url}"));
    let run = spec.run("test", &[]).await;
    assert_ne!(run.code, 0);
    assert!(
        run.err.contains("`fixtures` needs a schema of its own, and the server makes none for this user"),
        "{}",
        run.err
    );
    if let Some(db) = Database::mariadb(REAL).await {
        let user = format!("{}_reader", db.name());
        db.run(&format!(
            "CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'x'; GRANT SELECT ON {}.* TO {user}@'127.0.0.1'",
            db.name()
        ))
        .await;
        let url = format!("{user}:x@{}", db.url().rsplit_once('@').unwrap().1);
        let run = spec.env("DATABASE_URL", &format!("mysql://{url}")).run("test", &[]).await;
        assert_ne!(run.code, 0);
        assert!(
            run.err.contains("`fixtures` needs a database of its own, and the server makes none for this user"),
            "{}",
            run.err
        );
    }
}
