//! One process beside the server that is told of every command, and kills them when the server is gone: also after a
//! SIGKILL, when the server itself can do nothing any more.
//!
//! It is our own binary, reading lines from a pipe whose other end the server alone holds. The end of the pipe is the end of
//! the server. A command is announced before it is started, by the pipe that will be its stderr, and gets its process
//! group's number as soon as there is one: there is no moment in which it runs and nobody knows of it.

mod keeper;

use std::collections::BTreeMap;
use std::io::{self, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};

use super::group::Group;
use crate::sandbox::own_binary;
pub use keeper::keep;

/// The first argument of our own binary where it is the watchdog.
pub const WATCH: &str = "__watchdog";

static SERVER: Mutex<Server> = Mutex::new(Server { keeper: None, running: BTreeMap::new(), next: 0 });

/// What the server knows.
struct Server {
    keeper: Option<Child>,
    /// Commands by the order of their starts.
    running: BTreeMap<u64, Running>,
    next: u64,
}

/// How a command is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Running {
    /// The number of the pipe that is its stderr; on Linux no other pipe has it.
    pipe: u64,
    /// The number of its process group, as soon as it has one.
    group: Option<i32>,
}

/// A command that is watched until this is dropped.
#[derive(Debug)]
pub(super) struct Watched(Option<u64>);

impl Watched {
    /// Announces a command that is about to be started with this pipe as its stderr. Where our own binary is not known,
    /// nobody watches.
    pub(super) fn announce(stderr: &PipeWriter) -> Self {
        let pipe = own_binary().and_then(|_| fstat(stderr).ok()).map(|stat| stat.st_ino);
        Watched(pipe.map(|pipe| {
            let mut server = server();
            let number = server.next;
            server.next = number.wrapping_add(1);
            server.know(number, Running { pipe, group: None });
            number
        }))
    }

    /// Gives the number of its group.
    pub(super) fn led_by(&self, group: &Group) {
        let Some(number) = self.0 else { return };
        let mut server = server();
        if let Some(running) = server.running.get(&number).copied() {
            server.know(number, Running { group: group.number(), ..running });
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            let mut server = server();
            server.running.remove(&number);
            server.tell(&format!("end {number}\n"));
        }
    }
}

fn server() -> MutexGuard<'static, Server> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The line that tells of a command.
fn runs(number: u64, running: Running) -> String {
    match running {
        Running { pipe, group: Some(group) } => format!("runs {number} {pipe} {group}\n"),
        Running { pipe, group: None } => format!("runs {number} {pipe}\n"),
    }
}

impl Server {
    fn know(&mut self, number: u64, running: Running) {
        self.running.insert(number, running);
        self.tell(&runs(number, running));
    }

    /// Writes a line to the watchdog. One that is gone, or does not read any more, is replaced by another.
    fn tell(&mut self, line: &str) {
        let pipe = self.keeper.as_mut().and_then(|keeper| keeper.stdin.as_mut());
        if pipe.is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_ok()) {
            return;
        }
        if let Some(mut gone) = self.keeper.take() {
            let _ = gone.kill();
            let _ = gone.wait();
        }
        if self.running.is_empty() {
            return;
        }
        match self.start() {
            Ok(keeper) => self.keeper = Some(keeper),
            Err(error) => tracing::warn!("nobody watches over the commands: the watchdog can't be started: {error}"),
        }
    }

    /// Starts a watchdog that knows all that is known here.
    fn start(&self) -> io::Result<Child> {
        let binary = own_binary().ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(binary);
        command.arg0("mcp-declare").arg(WATCH).env_clear().current_dir("/");
        // Out of the way of a signal to the server's whole group, and away from what the server's client reads.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keeper = command.spawn()?;
        if let Some(pipe) = keeper.stdin.as_mut() {
            // A watchdog that has been stopped must not stop the server.
            fcntl_setfl(&*pipe, fcntl_getfl(&*pipe)? | OFlags::NONBLOCK)?;
            let all: String = self.running.iter().map(|(number, running)| runs(*number, *running)).collect();
            pipe.write_all(all.as_bytes())?;
        }
        Ok(keeper)
    }
}
