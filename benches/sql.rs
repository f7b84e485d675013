//! What SQL costs: the memory of 100,000 rows, and the time of a result that is cut. Run with
//! `cargo bench --bench sql`; it prints a table and fails where a goal is missed.
//!
//! Of SQLite, PostgreSQL and MariaDB, the latter two with servers that this machine has; one that it has not is said to
//! be missing. Every figure is of a real process of the benched build, asked over stdio.
//!
//! | goal | how |
//! |---|---|
//! | 100,000 rows in less than 64 MiB | the most that the process ever had in memory, less what it had after a call of one row |
//! | `maxRows` costs no more of 10,000,000 rows than of 10,000, at most 1.5 times | medians of several calls that give 1,000 rows, in turn |

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use harness::Database;
use serde_json::{Value, json};

/// Throwaway servers, as the tests have them.
#[allow(dead_code, unused_imports)]
#[path = "../tests/harness"]
mod harness {
    pub mod database;
    pub mod optional;

    pub use database::Database;

    pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

    pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
        let holds = async {
            while !condition().await {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, holds).await.is_ok(), "waited in vain for {what}");
    }
}

const ROUNDS: usize = 15;
const ROWS: usize = 100_000;

const SPEC: &str = r#"
server: { name: rows }
sources:
  db: { sql: "${DATABASE_URL}", INIT readOnly: true, maxConnections: 1 }
tools:
  json: { sql: { source: db, query: "SELECT id, name FROM items", maxRows: 200000 } }
  csv: { sql: { source: db, query: "SELECT id, name, price FROM items", maxRows: 200000, as: csv } }
  table: { sql: { source: db, query: "SELECT id, name, price FROM items", maxRows: 200000, as: table } }
  few: { sql: { source: db, query: "SELECT id, name, price FROM few" } }
  many: { sql: { source: db, query: "SELECT id, name, price FROM many" } }
  one: { params: { id: integer }, sql: { source: db, query: "SELECT id, name, price FROM items WHERE id = :id" } }
"#;

const SQLITE: &str = "
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO items SELECT i, 'product number ' || i, i * 1.5 FROM n;
CREATE VIEW few AS SELECT * FROM items WHERE id <= 10000;
CREATE VIEW many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
SELECT a.id, a.name, a.price FROM items AS a, n;
";

const POSTGRES: &str = "
CREATE UNLOGGED TABLE many AS
    SELECT i AS id, 'product number ' || i AS name, i * 1.5::float8 AS price FROM generate_series(1, 10000000) AS i;
CREATE UNLOGGED TABLE items AS SELECT * FROM many WHERE id <= 100000;
CREATE UNLOGGED TABLE few AS SELECT * FROM items WHERE id <= 10000;
";

const MARIADB: &str = "
CREATE TABLE many ENGINE=MyISAM
    SELECT CAST(seq AS INT) AS id, CONCAT('product number ', seq) AS name, seq * 1.5e0 AS price FROM seq_1_to_10000000;
CREATE TABLE items ENGINE=MyISAM SELECT * FROM many LIMIT 100000;
CREATE TABLE few ENGINE=MyISAM SELECT * FROM many LIMIT 10000;
";

/// A server over stdio, ended when dropped.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
}

impl Server {
    fn start(spec: &Path, url: &str) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        command
            .env("DATABASE_URL", url)
            .arg("serve")
            .arg(spec)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Server { child, input, output, asked: 0 };
        let client = json!({ "name": "bench", "version": "1" });
        server.ask("initialize", json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }));
        writeln!(server.input, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).unwrap();
        server
    }

    fn ask(&mut self, method: &str, params: Value) -> String {
        self.asked += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params });
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> String {
        let mut answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        // What is said besides, such as that the list of tools changed.
        while !answer.contains("\"result\"") {
            answer.clear();
            self.output.read_line(&mut answer).unwrap();
        }
        assert!(answer.contains("\"isError\":false"), "{}", &answer[..answer.len().min(300)]);
        answer
    }

    /// A figure of `/proc/PID/status`, in MiB.
    fn memory(&self, figure: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The medians of two things that are done in turn.
fn medians(mut run: [&mut dyn FnMut(); 2]) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (run, times) in run.iter_mut().zip(&mut times) {
            let begun = Instant::now();
            run();
            times.push(begun.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[ROUNDS / 2]
    })
}

/// The goals that were missed.
#[derive(Default)]
struct Table {
    missed: Vec<String>,
}

impl Table {
    fn row(&mut self, what: String, measured: f64, goal: f64, unit: &str) {
        let verdict = if measured <= goal { "met" } else { "MISSED" };
        println!("{what:<64} {measured:>9.1} {unit:<4} goal {goal:>7.1} {unit:<4} {verdict}");
        if measured > goal {
            self.missed.push(what);
        }
    }
}

fn measure(name: &str, spec: &Path, url: &str, table: &mut Table) {
    for (tool, lines) in [("json", None), ("csv", Some("\\r\\n")), ("table", Some("\\n|"))] {
        let mut server = Server::start(spec, url);
        server.call("one", &json!({ "id": 1 }));
        let idle = server.memory("VmRSS:");
        let answer = server.call(tool, &json!({}));
        match lines {
            None => assert!(answer.contains(&format!("\"rowCount\":{ROWS},\"truncated\":false"))),
            Some(end) => assert!(answer.matches(end).count() > ROWS),
        }
        table.row(
            format!("{name}: 100,000 rows as {tool}, peak above idle"),
            server.memory("VmHWM:") - idle,
            64.0,
            "MiB",
        );
    }
    let server = std::cell::RefCell::new(Server::start(spec, url));
    let cut = |tool: &str| assert!(server.borrow_mut().call(tool, &json!({})).contains("\"truncated\":true"));
    cut("few");
    cut("many");
    let [few, many] = medians([&mut || cut("few"), &mut || cut("many")]);
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    table.row(format!("{name}: 1,000 of 10,000,000 rows against 1,000 of 10,000"), ratio, 1.5, "x");
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let mut table = Table::default();
    std::fs::write(folder.path().join("rows.sql"), SQLITE).unwrap();
    std::fs::write(&spec, SPEC.replace("INIT", "init: ./rows.sql,")).unwrap();
    let url = format!("sqlite:{}", folder.path().join("rows.db").display());
    drop(Server::start(&spec, &url));
    measure("SQLite", &spec, &url, &mut table);
    std::fs::write(&spec, SPEC.replace("INIT", "")).unwrap();
    let servers = [("PostgreSQL", Database::postgres(POSTGRES).await), ("MariaDB", Database::mariadb(MARIADB).await)];
    for (name, database) in servers {
        match database {
            Some(database) => measure(name, &spec, &database.url(), &mut table),
            None => println!("{name}: this machine has none, so nothing is measured of it"),
        }
    }
    assert!(table.missed.is_empty(), "goals missed: {}", table.missed.join(", "));
}
