//! Why a program gave nothing.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rustix::io::Errno;

use super::{MOST_AT_ONCE, Run};

/// Why a run has no result. The texts hold nothing of the arguments, the environment or the disk, save for names
/// of environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessFault {
    /// A NUL byte stands in what this names (`argument 2`, `environment variable X`); nothing was started.
    Nul {
        /// Where it stands.
        what: String,
    },
    /// An environment variable can't have this name: it is empty or has `=` in it. Nothing was started.
    BadName(String),
    /// The system did not start the program, for this reason.
    NotStarted(String),
    /// No slot came free in this time; nothing was started.
    Busy(Duration),
    /// It did not finish in this time and was killed.
    TimedOut(Duration),
    /// The call was cancelled; if the program had been started, it was killed.
    Cancelled,
    /// All of its processes together used more memory than its sandbox allows, and were killed.
    TooMuchMemory,
    /// Talking to the program failed, for this reason, and it was killed.
    Lost(String),
}

impl ProcessFault {
    /// The fault of a program that was never started.
    pub(super) fn before_start(self) -> Self {
        match self {
            ProcessFault::TimedOut(after) => ProcessFault::Busy(after),
            other => other,
        }
    }
}

impl fmt::Display for ProcessFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessFault::Nul { what } => write!(f, "{what} has a NUL byte in it, which no program can be given"),
            ProcessFault::BadName(name) => {
                write!(f, "an environment variable can't be named `{}`", name.escape_debug())
            }
            ProcessFault::NotStarted(why) => write!(f, "the program could not be started: {why}"),
            ProcessFault::Busy(after) => {
                write!(f, "the program was not started: {MOST_AT_ONCE} others were running for {after:?}")
            }
            ProcessFault::TimedOut(after) => write!(f, "the program did not finish within {after:?}"),
            ProcessFault::Cancelled => f.write_str("the call was cancelled"),
            ProcessFault::TooMuchMemory => {
                f.write_str("its processes used more memory together than its sandbox allows (`memory`)")
            }
            ProcessFault::Lost(why) => write!(f, "the connection to the program was lost: {why}"),
        }
    }
}

impl std::error::Error for ProcessFault {}

/// Refuses what the system can't hand to a program as it is.
pub(super) fn check(run: &Run<'_>) -> Result<(), ProcessFault> {
    let nul = |what: String| Err(ProcessFault::Nul { what });
    let has_nul = |bytes: &[u8]| bytes.contains(&0);
    if has_nul(run.program.as_os_str().as_encoded_bytes()) {
        return nul("the program's path".to_owned());
    }
    if has_nul(run.cwd.as_os_str().as_encoded_bytes()) {
        return nul("the working folder".to_owned());
    }
    if let Some(at) = run.arguments.iter().position(|argument| has_nul(argument.as_bytes())) {
        return nul(format!("argument {}", at.saturating_add(1)));
    }
    for (name, value) in &run.env {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(ProcessFault::BadName(name.clone()));
        }
        if has_nul(value.as_bytes()) {
            return nul(format!("environment variable {name}"));
        }
    }
    Ok(())
}

/// What the system's `error` at the start means.
pub(super) fn not_started(run: &Run<'_>, error: &io::Error) -> ProcessFault {
    let missing = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    let why = if missing && !run.cwd.as_os_str().is_empty() && !run.cwd.is_dir() {
        "its working folder does not exist"
    } else if missing && run.program.exists() {
        "the interpreter that its first line names does not exist"
    } else if missing {
        "its file does not exist"
    } else {
        plain(error)
    };
    ProcessFault::NotStarted(why.to_owned())
}

/// The system's `error` in plain words.
pub(super) fn plain(error: &io::Error) -> &'static str {
    match Errno::from_io_error(error) {
        Some(Errno::ACCESS | Errno::PERM) => "permission denied",
        Some(Errno::TOOBIG) => "its arguments and environment are longer than the system allows",
        Some(Errno::NOEXEC) => "its file is neither a program for this machine nor a script with a `#!` line",
        Some(Errno::TXTBSY) => "its file is being written",
        Some(Errno::AGAIN) => "the system allows no more processes",
        Some(Errno::NOMEM) => "the system is out of memory",
        Some(Errno::MFILE | Errno::NFILE) => "too many files are open",
        _ => "the system refused it",
    }
}
