//! The binary, running.

use std::process::Stdio;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::{Spec, soon};

/// A running `mcp-declare serve`; killed when dropped.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: watch::Receiver<String>,
    _folder: Arc<TempDir>,
}

impl Process {
    /// `mcp-declare COMMAND SPEC`, not yet started.
    pub fn command(spec: &Spec, command: &str) -> Command {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        child.arg(command).arg(spec.path()).kill_on_drop(true);
        child.envs(spec.env.iter().map(|(name, value)| (name, value)));
        child
    }

    /// Starts to serve.
    pub fn serve(spec: &Spec, arguments: &[&str]) -> Process {
        let mut command = Process::command(spec, "serve");
        command.args(arguments);
        Process::start(spec, command)
    }

    /// Starts a command that becomes a server.
    pub fn start(spec: &Spec, mut command: Command) -> Process {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = collect(child.stderr.take().unwrap());
        Process { stdin: child.stdin.take(), stdout: Some(stdout), child, stderr, _folder: spec.folder.clone() }
    }

    /// The two ends that a client talks to.
    pub fn ends(&mut self) -> (ChildStdout, ChildStdin) {
        (self.stdout.take().unwrap().into_inner().into_inner(), self.stdin.take().unwrap())
    }

    /// Where a client writes.
    pub fn stdin(&mut self) -> &mut ChildStdin {
        self.stdin.as_mut().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Everything that it said on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.borrow().clone()
    }

    /// What it says on stderr, as it grows.
    pub fn heard(&self) -> watch::Receiver<String> {
        self.stderr.clone()
    }

    /// Waits until stderr holds these words, and gives all of it.
    pub async fn says(&mut self, words: &str) -> String {
        let heard = soon(words, self.stderr.wait_for(|text| text.contains(words))).await.map(|text| text.clone());
        heard.unwrap_or_else(|_| panic!("stderr ended without {words:?}: {}", self.stderr()))
    }

    /// Waits until it serves the last text of the spec. Versions are compared, as a reload may come that nobody
    /// asked for: a spec that was written just before the start is read twice.
    pub async fn reloaded(&mut self, spec: &Spec) {
        self.says(&format!("reloaded test {} (", spec.version())).await;
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// Waits for its end, and gives the exit code.
    pub async fn exit(&mut self) -> i32 {
        let status = soon("the end of the process", self.child.wait()).await.unwrap();
        status.code().unwrap_or_else(|| panic!("ended by {status}"))
    }

    /// Waits for its end, however it came.
    pub async fn ended(&mut self) {
        soon("the end of the process", self.child.wait()).await.unwrap();
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Writes one line as it is.
    pub async fn line(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).await.unwrap();
        stdin.write_all(b"\n").await.unwrap();
    }

    pub async fn send(&mut self, message: &Value) {
        self.line(&message.to_string()).await;
    }

    /// The next message; `None` at the end of stdout.
    pub async fn next(&mut self) -> Option<Value> {
        let line = soon("a message", self.stdout.as_mut().unwrap().next_line()).await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a message: {line}")))
    }

    /// Sends a request and waits for its answer; other messages are passed over.
    pub async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        loop {
            let answer = self.next().await.unwrap_or_else(|| panic!("no answer to {message}: {}", self.stderr()));
            if answer["id"] == message["id"] {
                return answer;
            }
        }
    }

    /// Begins a session.
    pub async fn initialize(&mut self, version: &str) -> Value {
        let answer = self.ask(&super::initialize(version)).await;
        self.send(&serde_json::json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer
    }
}

fn collect(mut stderr: ChildStderr) -> watch::Receiver<String> {
    let (sender, receiver) = watch::channel(String::new());
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            sender.send_modify(|text| text.push_str(&String::from_utf8_lossy(&buffer[..read])));
        }
    });
    receiver
}
