//! The numbers that a user feels: start, memory, a large spec, an edit, size. Run with `cargo bench`; it prints a table
//! and fails where a goal is missed.
//!
//! Times are medians of real processes of the benched build; the time that the same machine takes to start
//! and end `/bin/true` stands beside them, since a busy machine slows both.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod client;
mod edits;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use client::Server;

const ROUNDS: usize = 15;

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| run()).collect();
    times.sort();
    times[ROUNDS / 2]
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// A spec of `count` tools over the bookshop's database.
fn large(folder: &Path, count: usize) -> PathBuf {
    let path = folder.join(format!("large{count}.yaml"));
    write(&path, count, 0);
    path
}

/// Writes it, its first tool described anew in each edition.
fn write(path: &Path, count: usize, edition: usize) {
    let mut text = String::from(
        "server: { name: large }\nsources:\n  shop: { sql: \"sqlite:./bookshop.db\", readOnly: true }\ntools:\n",
    );
    text.push_str(&format!("  first: {{ description: 'Edition {edition}', text: first }}\n"));
    for i in 1..count {
        text.push_str(&format!(
            "  tool_{i:04}:\n    description: One book of the shop by its id, tool number {i}.\n    params: {{ id: integer }}\n    \
             sql: {{ source: shop, query: \"SELECT id, title, price FROM books WHERE id = :id\" }}\n"
        ));
    }
    std::fs::write(path, text).unwrap();
}

/// The bookshop in a folder of its own, its database built.
fn bookshop(folder: &Path) -> PathBuf {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bookshop");
    let copied = Command::new("cp").arg("-r").arg(example.join(".")).arg(folder).status().unwrap();
    assert!(copied.success());
    let spec = folder.join("bookshop.yaml");
    let mut server = Server::start(&spec);
    server.initialize();
    spec
}

/// What a server of the spec has in memory when it is idle, in KiB.
fn resident(spec: &Path) -> f64 {
    let mut server = Server::start(spec);
    server.initialize();
    std::thread::sleep(Duration::from_millis(300));
    server.resident() as f64
}

struct Table(Vec<String>);

impl Table {
    fn row(&mut self, what: &str, measured: f64, goal: f64, unit: &str) {
        let verdict = if measured <= goal { "met" } else { "MISSED" };
        println!("{what:<46} {measured:>9.2} {unit:<4} goal {goal:>7.1} {unit:<4} {verdict}");
        if measured > goal {
            self.0.push(what.to_owned());
        }
    }
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let spec = bookshop(folder.path());
    let mut table = Table(Vec::new());
    let milliseconds = |d: Duration| d.as_secs_f64() * 1000.0;
    let bare = median(|| timed(|| assert!(Command::new("/bin/true").status().unwrap().success())));
    println!("starting and ending /bin/true takes {:.1} ms here\n", milliseconds(bare));

    let start = median(|| {
        let begin = Instant::now();
        let mut server = Server::start(&spec);
        server.initialize();
        begin.elapsed()
    });
    table.row("bookshop: spawn to answered initialize", milliseconds(start), 30.0, "ms");

    let idle = resident(&spec);
    table.row("bookshop: resident memory when idle", idle / 1024.0, 20.0, "MiB");

    let large = large(folder.path(), 5000);
    table.row("5,000 tools: resident memory of each", (resident(&large) - idle) / 5000.0, 12.0, "KiB");
    let load = median(|| {
        let begin = Instant::now();
        let mut server = Server::start(&large);
        server.initialize();
        begin.elapsed()
    });
    table.row("5,000 tools: spawn to answered initialize", milliseconds(load), 1000.0, "ms");

    let hundred = self::large(folder.path(), 100);
    let told = edits::until_told(&hundred, 100);
    table.row("100 tools: edit to list_changed, median", milliseconds(told), 150.0, "ms");
    let told = edits::until_told(&large, 5000);
    table.row("5,000 tools: edit to list_changed, median", milliseconds(told), 1000.0, "ms");
    let (with, without) = edits::slowest_calls(&hundred, 100);
    println!(
        "p99 of calls: {:.3} ms with a reload each second, {:.3} ms without",
        milliseconds(with),
        milliseconds(without)
    );
    table.row("p99 of calls with reloads to that without", with.as_secs_f64() / without.as_secs_f64(), 1.2, "x");

    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dist/mcp-declare");
    match std::fs::metadata(&dist) {
        Ok(file) => table.row("the dist binary", file.len() as f64 / f64::from(1 << 20), 30.0, "MiB"),
        Err(_) => println!("the dist binary was not measured: build it with `cargo build --profile dist`"),
    }
    assert!(table.0.is_empty(), "goals missed: {}", table.0.join(", "));
}
