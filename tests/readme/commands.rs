//! `console` blocks: commands and what they print.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::specs::json;
use super::{Verdict, Workshop};

/// The longest that a command may take.
const BOUND: Duration = Duration::from_secs(120);

/// How a command ended.
pub struct Ran {
    /// What it printed, stdout and stderr as a terminal shows them.
    pub text: String,
    pub code: i32,
}

/// Runs every command of a block and compares what it prints.
pub fn check(workshop: &Workshop, block: &str) -> Verdict {
    for (command, expected) in sessions(block)? {
        let printed = match meant(&command)? {
            Some(command) if serves_http(&command) => serve(workshop, &command, |_| Ok(()))?,
            Some(command) => run(workshop, &command).text,
            None => String::new(),
        };
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let printed = printed.join("\n");
        let printed: Vec<&str> = printed.trim_end().lines().collect();
        if !matches(&expected, &printed) {
            return Err(format!("`{command}` prints\n{}", printed.join("\n")));
        }
    }
    Ok(())
}

/// The commands of a block, each with the lines below it.
fn sessions(block: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut sessions: Vec<(String, Vec<String>)> = Vec::new();
    let mut lines = block.lines();
    while let Some(line) = lines.next() {
        match (line.strip_prefix("$ "), sessions.last_mut()) {
            (Some(command), _) => {
                let mut command = command.to_owned();
                while command.ends_with('\\') {
                    command.pop();
                    command.push_str(lines.next().unwrap_or("").trim_start());
                }
                sessions.push((command, Vec::new()));
            }
            (None, Some((_, expected))) => expected.push(line.trim_end().to_owned()),
            (None, None) => return Err("a console block begins with `$ `".to_owned()),
        }
    }
    for (_, expected) in &mut sessions {
        while expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
    }
    Ok(sessions)
}

/// The command to run; none for what cargo does while it builds and tests anyway.
fn meant(command: &str) -> Result<Option<String>, String> {
    if ["cargo test", "cargo build", "cargo build --release", "cargo install --path ."].contains(&command) {
        return Ok(None);
    }
    if let Some((before, after)) = command.split_once(" -- ").filter(|_| command.starts_with("cargo ")) {
        let known = ["cargo run", "cargo run --release"].contains(&before);
        return if known {
            Ok(Some(format!("mcp-declare {after}")))
        } else {
            Err(format!("no rule covers `{command}`"))
        };
    }
    if command.contains("mcp-declare ") {
        Ok(Some(command.to_owned()))
    } else {
        Err(format!("no rule covers `{command}`"))
    }
}

/// Whether a command listens, until it is told to end, on the usual port or a socket.
fn serves_http(command: &str) -> bool {
    let usual = command.ends_with(" --http") || command.ends_with(" --http 127.0.0.1:8000");
    command.contains(" serve ") && (usual || on_socket(command))
}

fn on_socket(command: &str) -> bool {
    command.contains(" --http unix:")
}

/// Whether lines are those expected, where `...` stands for any.
fn matches(expected: &[String], printed: &[&str]) -> bool {
    match (expected.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((dots, rest)), _) if dots == "..." => (0..=printed.len()).any(|skip| matches(rest, &printed[skip..])),
        (Some((first, rest)), Some((line, more))) => first == line && matches(rest, more),
        _ => false,
    }
}

/// Runs a command to its end, without input.
pub fn run(workshop: &Workshop, command: &str) -> Ran {
    let mut child = start(workshop, &format!("exec 2>&1; {command}"), Stdio::piped(), Stdio::null());
    let mut stdout = child.stdout.take().unwrap();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        send.send(text)
    });
    let Ok(text) = receive.recv_timeout(BOUND) else {
        child.kill().unwrap();
        panic!("`{command}` takes longer than {BOUND:?}");
    };
    let code = child.wait().unwrap().code().unwrap_or(-1);
    let here = format!("{}/", workshop.top().display());
    Ran { text: text.replace(&here, ""), code }
}

fn start(workshop: &Workshop, script: &str, stdout: Stdio, stderr: Stdio) -> Child {
    let binaries = Path::new(env!("CARGO_BIN_EXE_mcp-declare")).parent().unwrap().display();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(&workshop.current).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    command.env("PATH", path).env("SHOP_TOKEN", "not-a-real-token").env_remove("COLUMNS").spawn().unwrap()
}

/// Serves over HTTP on a free port until the server says that it is ready and `visit` has seen its address; gives
/// what it said, with the usual port in place of the free one.
fn serve(workshop: &Workshop, command: &str, visit: impl FnOnce(&str) -> Result<(), String>) -> Result<String, String> {
    let free = || command.replace(" 127.0.0.1:8000", "").replace("--http", "--http 127.0.0.1:0");
    let script = if on_socket(command) { command.to_owned() } else { free() };
    let mut child = start(workshop, &format!("exec {script}"), Stdio::null(), Stdio::piped());
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
    let mut said = String::new();
    let mut address = String::new();
    while let Ok(line) = receive.recv_timeout(BOUND) {
        said.push_str(&format!("{line}\n"));
        if let Some((_, url)) = line.split_once(" on http://") {
            address = url.split('/').next().unwrap_or("").to_owned();
            break;
        }
    }
    let seen = if address.is_empty() { Err("it does not serve".to_owned()) } else { visit(&address) };
    let id = rustix::process::Pid::from_child(&child);
    let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    let ended = child.wait().unwrap();
    seen.map_err(|why| format!("{why}:\n{said}"))?;
    if !ended.success() {
        return Err(format!("`{command}` ends with {ended} after SIGTERM"));
    }
    Ok(if on_socket(command) { said } else { said.replace(&address, "127.0.0.1:8000") })
}

/// What `/health` answers for the bookshop.
pub fn check_health(workshop: &Workshop, shown: &str) -> Verdict {
    let shown = json(shown)?;
    let command = format!("mcp-declare serve '{}' --http", workshop.spec.display());
    serve(workshop, &command, |address| {
        let answer = get(address, "/health").map_err(|why| why.to_string())?;
        let body = json(answer.split_once("\r\n\r\n").map_or("", |(_, body)| body))?;
        if body == shown { Ok(()) } else { Err(format!("/health answers {body}")) }
    })
    .map(drop)
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(BOUND))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
