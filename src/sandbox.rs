//! What a command can't do, enforced by the kernel.
//!
//! The command is not started itself: our own binary is, as `mcp-declare __run`. It takes its own rights away
//! (capabilities, Landlock, seccomp, limits) and then becomes the command with `exec`, so that nothing has to run between
//! `fork` and `exec` in the server.
//!
//! | promise | kept by |
//! |---|---|
//! | `read`, `write` | Landlock; seccomp for what Landlock leaves open: modes, owners, times, Unix sockets |
//! | `network` | seccomp: no socket of any kind; a pair of connected ones may be made |
//! | `memory`, `cpu`, `fileSize` | `RLIMIT_AS`, `RLIMIT_CPU`, `RLIMIT_FSIZE`, and no capability to raise them |
//! | `memory` of all processes together | the server, which adds it up now and then |
//! | `processes` | `RLIMIT_NPROC`, which does not bind root; 1: seccomp |
//!
//! In every sandbox a command has none of root's privileges, gains none by setuid programs, can't leave its
//! process group, trace other processes, change their limits, become root among users of its own (namespaces), or use
//! io_uring (which goes past seccomp).

mod binary;
#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod limits;
mod promise;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use binary::{announce, own_binary};
#[cfg(target_os = "linux")]
pub use launch::{probe, run};
pub use promise::{Promise, Unkept, unkept};

/// The first argument of our own binary where it is to become a command; what follows is a [`Sandbox`] as JSON, the
/// program and its arguments.
pub const RUN: &str = "__run";

/// The first argument of our own binary where it is to find out what the kernel can keep.
pub const PROBE: &str = "__probe";

/// The exit status of a command that was not started because its sandbox could not be set up.
pub const NOT_STARTED: u8 = 125;

/// The bounds of a command. What is `None` is not restricted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The files and folders that can be reached; `None`: all.
    pub reach: Option<Reach>,
    /// Whether it may use the network.
    pub network: bool,
    /// Bytes of address space that each of its processes may have, and of memory that all of them may use together.
    pub memory: Option<u64>,
    /// Seconds of processor time that each of its processes may use.
    pub cpu: Option<u64>,
    /// Processes and threads that it may have at the same time.
    pub processes: Option<u64>,
    /// Bytes that a file may have which it writes.
    pub file_size: Option<u64>,
    /// Whether it runs also where the kernel does not keep a promise.
    pub best_effort: bool,
}

/// Absolute paths; of a folder all that is below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// May be read and run.
    pub read: Vec<PathBuf>,
    /// May be read, run, written, made and removed.
    pub write: Vec<PathBuf>,
}

impl Sandbox {
    /// What it promises.
    pub fn promises(&self) -> impl Iterator<Item = Promise> {
        let many = self.processes.is_some_and(|most| most > 1);
        let all = [
            (Promise::Files, self.reach.is_some()),
            (Promise::Network, !self.network),
            (Promise::OneProcess, self.processes.is_some() && !many),
            (Promise::Processes, many),
            (Promise::Limits, self.memory.is_some() || self.cpu.is_some() || self.file_size.is_some()),
        ];
        all.into_iter().filter_map(|(promise, made)| made.then_some(promise))
    }
}
