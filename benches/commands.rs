//! What running commands costs: against a bare spawn, with an output without end, and by the hundred. Run with
//! `cargo bench --bench commands`; it prints a table and fails where a goal is missed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mcp_declare::action::process::{self, Run};
use mcp_declare::sandbox::{self, Sandbox};
use tokio_util::sync::CancellationToken;

const BINARY: &str = env!("CARGO_BIN_EXE_mcp-declare");
/// Runs of each kind.
const ROUNDS: usize = 400;
/// The most that a command may cost, in those of a bare spawn.
const MOST: f64 = 1.5;
/// What a command without end may add to the server's memory, in KiB: its cap, and as much again for the answer.
const MOST_MEMORY: u64 = 64 * 1024;

fn run<'a>(program: &'a Path, sandbox: Option<&'a Sandbox>) -> Run<'a> {
    Run {
        program,
        arguments: Vec::new(),
        env: Vec::new(),
        cwd: Path::new(""),
        stdin: None,
        timeout: Duration::from_secs(30),
        max_bytes: 1 << 20,
        sandbox,
    }
}

async fn ours(program: &Path, sandbox: Option<&Sandbox>) -> Duration {
    let begun = Instant::now();
    process::run(run(program, sandbox), &CancellationToken::new()).await.unwrap();
    begun.elapsed()
}

/// A spawn with pipes for stdout and stderr, both read to their end.
async fn bare(program: &Path) -> Duration {
    let begun = Instant::now();
    let mut command = tokio::process::Command::new(program);
    assert!(command.stdin(Stdio::null()).output().await.unwrap().status.success());
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Medians of a bare spawn, of a command, and of one in a sandbox, taken in turns.
async fn spawns() -> [Duration; 3] {
    let program = Path::new("/bin/true");
    let sandbox = Sandbox {
        reach: Some(sandbox::Reach { read: vec!["/tmp".into()], write: Vec::new() }),
        network: false,
        memory: Some(1 << 30),
        cpu: Some(10),
        processes: None,
        file_size: None,
        best_effort: true,
    };
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        times[0].push(bare(program).await);
        times[1].push(ours(program, None).await);
        if round % 10 == 0 {
            times[2].push(ours(program, Some(&sandbox)).await);
        }
    }
    times.map(median)
}

/// A server over stdio, ended when dropped.
struct Server {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    /// The number of the last request.
    last: u64,
}

impl Server {
    fn start(spec: &Path) -> Server {
        let mut command = Command::new(BINARY);
        command.arg("serve").arg(spec).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut server = Server { child, lines, last: 0 };
        let client = r#""capabilities":{},"clientInfo":{"name":"bench","version":"1"}"#;
        server.send("initialize", &format!(r#"{{"protocolVersion":"2025-11-25",{client}}}"#));
        server.answer();
        server
    }

    fn send(&mut self, method: &str, params: &str) {
        self.last += 1;
        let (stdin, id) = (self.child.stdin.as_mut().unwrap(), self.last);
        writeln!(stdin, r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#).unwrap();
    }

    fn call(&mut self, tool: &str) {
        self.send("tools/call", &format!(r#"{{"name":"{tool}","arguments":{{}}}}"#));
    }

    fn answer(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// A field of its status, in KiB.
    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Its children that nobody has waited for.
    fn zombies(&self) -> usize {
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("stat"));
        let stats = processes.filter_map(|path| std::fs::read_to_string(path).ok());
        let ours = format!("Z {} ", self.child.id());
        stats.filter(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(&ours))).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spec(folder: &Path) -> PathBuf {
    let path = folder.join("commands.yaml");
    let text = "server: { name: commands }\ntools:\n  \
                flood: { shell: { script: yes | head -c 1000000000, maxBytes: 10MiB } }\n  \
                quick: { shell: { script: 'sleep 0.2 & echo done' } }\n";
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::main]
async fn main() {
    sandbox::announce(Some(Path::new(BINARY)));
    ours(Path::new("/bin/true"), None).await;
    let mut missed = Vec::new();
    let [bare, ours, sandboxed] = spawns().await;
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!("a bare spawn of /bin/true       {bare:>10.1?}");
    println!("the same as a command           {ours:>10.1?}   {ratio:.2} x (goal: at most {MOST} x)");
    println!("the same in a sandbox           {sandboxed:>10.1?}");
    if ratio > MOST {
        missed.push("a command costs too much");
    }

    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&spec(folder.path()));
    server.call("quick");
    server.answer();
    let before = server.status("VmHWM:");
    let begun = Instant::now();
    server.call("flood");
    let answer = server.answer();
    let (took, grown) = (begun.elapsed(), server.status("VmHWM:") - before);
    println!(
        "1 GB cut at 10 MiB              {took:>10.1?}   {grown} KiB more at the peak (goal: at most {MOST_MEMORY})"
    );
    if !answer.contains("maxBytes") || grown > MOST_MEMORY {
        missed.push("an output without end is not bounded");
    }

    let begun = Instant::now();
    (0..200).for_each(|_| server.call("quick"));
    for _ in 0..200 {
        let answer = server.answer();
        assert!(answer.contains("done"), "{answer}");
    }
    let took = begun.elapsed();
    std::thread::sleep(Duration::from_secs(1));
    let zombies = server.zombies();
    println!("200 commands in flight          {took:>10.1?}   {zombies} zombies (goal: none)");
    if zombies > 0 {
        missed.push("commands leave zombies");
    }
    if !missed.is_empty() {
        println!("missed: {}", missed.join("; "));
        std::process::exit(1);
    }
}
