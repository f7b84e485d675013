//! What SQL costs: the memory of 100,000 rows, and the time of a result that is cut. Run with
//! `cargo bench --bench sql`; it prints a table and fails where a goal is missed.
//!
//! Of SQLite. Every figure is of a real process of the benched build, asked over stdio.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const ROUNDS: usize = 7;
const ROWS: usize = 100_000;

const SPEC: &str = r#"
server: { name: rows }
sources:
  db: { sql: "sqlite:./rows.db", init: ./rows.sql, readOnly: true }
tools:
  json: { sql: { source: db, query: "SELECT id, name FROM few", maxRows: 200000 } }
  csv: { sql: { source: db, query: "SELECT id, name, price FROM few", maxRows: 200000, as: csv } }
  table: { sql: { source: db, query: "SELECT id, name, price FROM few", maxRows: 200000, as: table } }
  few: { sql: { source: db, query: "SELECT id, name, price FROM few WHERE id <= 10000" } }
  many: { sql: { source: db, query: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT a.id, a.name, a.price FROM few AS a, n" } }
  one: { params: { id: integer }, sql: { source: db, query: "SELECT id, name, price FROM few WHERE id = :id" } }
"#;

const SCRIPT: &str = "
CREATE TABLE few (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO few SELECT i, 'product number ' || i, i * 1.5 FROM n;
";

/// A server over stdio, ended when dropped.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
}

impl Server {
    fn start(spec: &Path) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        command.arg("serve").arg(spec).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
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
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
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

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    std::fs::write(&spec, SPEC).unwrap();
    std::fs::write(folder.path().join("rows.sql"), SCRIPT).unwrap();
    drop(Server::start(&spec));
    let mut missed = Vec::new();
    let mut row = |what: &str, measured: f64, goal: f64, unit: &str| {
        let verdict = if measured <= goal { "met" } else { "MISSED" };
        println!("{what:<52} {measured:>9.1} {unit:<4} goal {goal:>7.1} {unit:<4} {verdict}");
        if measured > goal {
            missed.push(what.to_owned());
        }
    };
    for (tool, lines) in [("json", None), ("csv", Some("\\r\\n")), ("table", Some("\\n|"))] {
        let mut server = Server::start(&spec);
        server.call("one", &json!({ "id": 1 }));
        let idle = server.memory("VmRSS:");
        let answer = server.call(tool, &json!({}));
        match lines {
            None => assert!(answer.contains(&format!("\"rowCount\":{ROWS},\"truncated\":false"))),
            Some(end) => assert!(answer.matches(end).count() > ROWS),
        }
        row(&format!("100,000 rows as {tool}: peak above idle"), server.memory("VmHWM:") - idle, 64.0, "MiB");
    }
    let mut server = Server::start(&spec);
    let few = median(|| assert!(server.call("few", &json!({})).contains("\"truncated\":true")));
    let many = median(|| assert!(server.call("many", &json!({})).contains("\"truncated\":true")));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    row("cut at 1,000 rows: of 10,000,000 against of 10,000", ratio, 1.5, "x");
    assert!(missed.is_empty(), "goals missed: {}", missed.join(", "));
}
