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

static SERVER: Mutex<Server> = Mutex::new(Server { keeper: None, running: BTreeMap::new() });

/// What the server knows.
struct Server {
    keeper: Option<Child>,
    /// Commands by their pipes, with the numbers of their groups.
    running: BTreeMap<u64, Option<i32>>,
}

/// A command that is watched until this is dropped.
#[derive(Debug)]
pub(super) struct Watched {
    /// The number of the pipe that is the command's stderr.
    pipe: Option<u64>,
}

impl Watched {
    /// Announces a command that is about to be started with this pipe as its stderr. Where our own binary is not known,
    /// nobody watches.
    pub(super) fn announce(stderr: &PipeWriter) -> Self {
        let pipe = own_binary().and_then(|_| fstat(stderr).ok()).map(|stat| stat.st_ino);
        if let Some(pipe) = pipe {
            let mut server = server();
            server.running.insert(pipe, None);
            server.tell(&started(pipe, None));
        }
        Watched { pipe }
    }

    /// Gives the number of its group.
    pub(super) fn led_by(&self, group: &Group) {
        if let Some(pipe) = self.pipe {
            let mut server = server();
            server.running.insert(pipe, group.number());
            server.tell(&started(pipe, group.number()));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe {
            let mut server = server();
            server.running.remove(&pipe);
            server.tell(&format!("end {pipe}\n"));
        }
    }
}

fn server() -> MutexGuard<'static, Server> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The line that tells of a command.
fn started(pipe: u64, group: Option<i32>) -> String {
    match group {
        Some(group) => format!("group {pipe} {group}\n"),
        None => format!("start {pipe}\n"),
    }
}

impl Server {
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
            let all: String = self.running.iter().map(|(pipe, group)| started(*pipe, *group)).collect();
            pipe.write_all(all.as_bytes())?;
        }
        Ok(keeper)
    }
}
