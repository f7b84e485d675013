//! What this system can keep of a sandbox's promises.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::{PROBE, own_binary};

/// Something that a sandbox promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Promise {
    /// `read` and `write`.
    Files,
    /// `network: false`.
    Network,
    /// `processes: 1`.
    OneProcess,
    /// More `processes`.
    Processes,
    /// `memory`, `cpu` and `fileSize`.
    Limits,
}

impl Promise {
    /// All of them.
    pub const ALL: [Promise; 5] =
        [Promise::Files, Promise::Network, Promise::OneProcess, Promise::Processes, Promise::Limits];

    /// The keys of the language that make it.
    pub fn keys(self) -> &'static str {
        match self {
            Promise::Files => "`read` and `write`",
            Promise::Network => "`network: false`",
            Promise::OneProcess | Promise::Processes => "`processes`",
            Promise::Limits => "`memory`, `cpu` and `fileSize`",
        }
    }
}

/// A promise that this system can't keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unkept {
    /// Which.
    pub promise: Promise,
    /// What is missing, in plain words.
    pub why: String,
}

/// The promises that this system can't keep: found by trying, once, in a process of its own.
pub fn unkept() -> &'static [Unkept] {
    static UNKEPT: OnceLock<Vec<Unkept>> = OnceLock::new();
    UNKEPT.get_or_init(|| ask().unwrap_or_else(none))
}

fn ask() -> Result<Vec<Unkept>, &'static str> {
    if cfg!(not(target_os = "linux")) {
        return Err("there are sandboxes on Linux only");
    }
    let binary = own_binary().ok_or("only the program mcp-declare itself can set up a sandbox")?;
    let output = Command::new(binary).arg(PROBE).stdin(Stdio::null()).stderr(Stdio::null()).env_clear().output();
    let output = output.map_err(|_| "mcp-declare could not be started a second time")?;
    serde_json::from_slice(&output.stdout).map_err(|_| "trying out a sandbox failed")
}

fn none(why: &str) -> Vec<Unkept> {
    Promise::ALL.into_iter().map(|promise| Unkept { promise, why: why.to_owned() }).collect()
}
