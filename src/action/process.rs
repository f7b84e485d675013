//! Runs one program to its end, bounded in time, output and number, and leaves nothing of it behind.
//!
//! The program leads a process group of its own. However a run ends (by itself, late, cancelled, its future
//! dropped), the whole group is killed then: what a command leaves in the background doesn't outlive it. What moves to
//! another group (`setsid`) is out of reach, except in a sandbox, where nothing can. After an end of the server that it
//! could do nothing about, the [`watchdog`] does the same.

use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

mod environment;
mod fault;
mod group;
mod lines;
mod pump;
mod resolve;
mod talk;
pub mod watchdog;
mod weight;

pub use environment::safe_env;
pub use fault::ProcessFault;
pub use lines::Told;
pub use pump::STDERR_KEPT;
pub use resolve::resolve;
pub use talk::{Companion, talk};

use group::Group;
use pump::{Output, Stop};
use watchdog::Watched;

use crate::sandbox::{self, Sandbox};

/// Programs that run at the same time in this process; what comes on top waits.
pub const MOST_AT_ONCE: usize = 64;

/// From SIGTERM to SIGKILL, for a program that is late or cancelled.
pub const TERM_GRACE: Duration = Duration::from_secs(2);

/// How long output is still read after the program's exit when something in the background holds it open.
pub const LINGER: Duration = Duration::from_millis(100);

/// How long a killed program is waited for. One that hangs in the kernel is left to the runtime to reap.
const REAP_GRACE: Duration = Duration::from_secs(1);

static SLOTS: Semaphore = Semaphore::const_new(MOST_AT_ONCE);

/// One run of a program, already bound: nothing in here is ever parsed again. It has no `Debug`, for its
/// environment holds secrets.
pub struct Run<'a> {
    /// The program's absolute path, as [`resolve`] gives it.
    pub program: &'a Path,
    /// Its arguments, after its own name.
    pub arguments: Vec<String>,
    /// Environment variables. The program sees these and [`safe_env`], whose values these replace.
    pub env: Vec<(String, String)>,
    /// The working folder; empty: our own.
    pub cwd: &'a Path,
    /// What the program reads; `None`: `/dev/null`.
    pub stdin: Option<Vec<u8>>,
    /// The longest that the call takes, waiting for a slot included; [`TERM_GRACE`] may come on top.
    pub timeout: Duration,
    /// Bytes of stdout that are kept. A program that writes more is killed.
    pub max_bytes: usize,
    /// What it can't do.
    pub sandbox: Option<&'a Sandbox>,
}

/// What a program left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its output, at most [`Run::max_bytes`].
    pub stdout: Vec<u8>,
    /// The last [`STDERR_KEPT`] bytes of what it wrote to stderr.
    pub stderr: Vec<u8>,
    /// Whether stdout went on, and the program was killed for it. `exit` then says nothing about the program.
    pub truncated: bool,
    /// Whether stderr began before `stderr`.
    pub stderr_truncated: bool,
    /// How it ended.
    pub exit: Exit,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It ended with this status; 0 is success.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit status {code}"),
            Exit::Signal(signal) => write!(f, "ended by signal {signal}"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, signal) => Exit::Signal(signal.unwrap_or(0)),
        }
    }
}

/// Runs a program and waits for its end. An exit status other than 0 is no fault here. Dropping the future kills the
/// program and all of its group at once.
///
/// # Errors
///
/// See [`ProcessFault`]. When it is late or cancelled, the group gets SIGTERM, and [`TERM_GRACE`] later SIGKILL;
/// the fault is given after that.
pub async fn run(run: Run<'_>, cancel: &CancellationToken) -> Result<Finished, ProcessFault> {
    watch(run, cancel, None).await
}

/// [`run`], and each line of stderr is told as soon as it ends.
///
/// # Errors
///
/// Those of [`run`].
pub async fn watch(run: Run<'_>, cancel: &CancellationToken, told: Option<Told<'_>>) -> Result<Finished, ProcessFault> {
    run_in(&SLOTS, run, cancel, told).await
}

async fn run_in(
    slots: &Semaphore,
    run: Run<'_>,
    cancel: &CancellationToken,
    told: Option<Told<'_>>,
) -> Result<Finished, ProcessFault> {
    fault::check(&run)?;
    let mut stopped = pin!(stopped(run.timeout, cancel));
    let _slot = tokio::select! {
        biased;
        fault = &mut stopped => return Err(fault.before_start()),
        slot = slots.acquire() => slot,
    };
    let (watched, stderr, mut child) = start(&run)?;
    // Declared after the child, so that on a drop the group is killed while its leader still holds the number.
    let group = Group::led_by(&child);
    watched.led_by(&group);
    let mut output = Output::new(run.max_bytes);
    let ended = {
        let mut pump = pin!(pump::pump(&mut child, stderr, run.stdin, &mut output, told).fuse());
        let ended = tokio::select! {
            // The clock and the token first: a program that never stops writing must not hide them.
            biased;
            fault = &mut stopped => {
                terminate(group, &mut child, pump).await;
                return Err(fault);
            }
            () = weight::too_much(&group, run.sandbox) => {
                drop(group);
                reap(&mut child).await;
                return Err(ProcessFault::TooMuchMemory);
            }
            ended = follow(&mut child, pump.as_mut()) => ended,
        };
        // Before the pump lets go of the pipes: a program must not end by itself of a closed one.
        drop(group);
        ended
    };
    let exit = match ended.map_err(|error| ProcessFault::Lost(fault::plain(&error).to_owned()))? {
        Some(status) => status.into(),
        None => reap(&mut child).await,
    };
    Ok(output.finish(exit))
}

/// Waits for the run's time to be over or its call to be cancelled.
async fn stopped(after: Duration, cancel: &CancellationToken) -> ProcessFault {
    tokio::select! {
        biased;
        () = cancel.cancelled() => ProcessFault::Cancelled,
        () = sleep(after) => ProcessFault::TimedOut(after),
    }
}

/// Starts the program; the watchdog knows of it before it is there.
fn start(run: &Run<'_>) -> Result<(Watched, pipe::Receiver, Child), ProcessFault> {
    let fault = |error| fault::not_started(run, &error);
    let mut command = command(run)?;
    let (stderr, theirs) = io::pipe().map_err(fault)?;
    let watched = Watched::announce(&theirs);
    command.stderr(theirs);
    let stderr = pipe::Receiver::from_owned_fd(OwnedFd::from(stderr)).map_err(fault)?;
    let child = command.spawn().map_err(fault)?;
    Ok((watched, stderr, child))
}

fn command(run: &Run<'_>) -> Result<Command, ProcessFault> {
    let mut command = match run.sandbox {
        Some(sandbox) => confined(sandbox, run.program)?,
        None => Command::new(run.program),
    };
    command.args(&run.arguments).env_clear();
    command.envs(safe_env().iter().map(|(name, value)| (name, value)));
    command.envs(run.env.iter().map(|(name, value)| (name, value)));
    if !run.cwd.as_os_str().is_empty() {
        command.current_dir(run.cwd);
    }
    command.stdin(if run.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).process_group(0);
    Ok(command)
}

/// Our own binary, which gives up its rights and becomes the program.
fn confined(sandbox: &Sandbox, program: &Path) -> Result<Command, ProcessFault> {
    let not_started = |why: &str| ProcessFault::NotStarted(why.to_owned());
    let binary = sandbox::own_binary().ok_or_else(|| not_started("its sandbox can't be set up in this process"))?;
    let sandbox = serde_json::to_string(sandbox).map_err(|_| not_started("a path of its sandbox is not UTF-8"))?;
    let mut command = Command::new(binary);
    command.arg(sandbox::RUN).arg(sandbox).arg(program);
    Ok(command)
}

/// Waits until the program has ended and its output is read, or until stdout is full (then there is no status).
async fn follow(
    child: &mut Child,
    mut pump: Pin<&mut impl Future<Output = Result<(), Stop>>>,
) -> io::Result<Option<ExitStatus>> {
    tokio::select! {
        // The program first: something that it left behind and that never stops writing must not hide its end.
        biased;
        status = child.wait() => match timeout(LINGER, pump).await {
            Ok(Err(Stop::Broken(error))) => Err(error),
            _ => status.map(Some),
        },
        pumped = pump.as_mut() => match pumped {
            Ok(()) => child.wait().await.map(Some),
            Err(Stop::Full) => Ok(None),
            Err(Stop::Broken(error)) => Err(error),
        },
    }
}

/// Asks the group to end, drains its output meanwhile so that none of it waits for a reader, and kills what is left.
async fn terminate(group: Group, child: &mut Child, pump: Pin<&mut impl Future<Output = Result<(), Stop>>>) {
    group.terminate();
    let gone = async {
        // The leader may go first; the rest gets its grace as well.
        let _ = child.wait().await;
        group.gone().await;
    };
    tokio::select! {
        _ = timeout(TERM_GRACE, gone) => {}
        () = async { let _ = pump.await; pending().await } => {}
    }
    drop(group);
    reap(child).await;
}

/// Waits for a program that was killed.
async fn reap(child: &mut Child) -> Exit {
    match timeout(REAP_GRACE, child.wait()).await {
        Ok(Ok(status)) => status.into(),
        Ok(Err(_)) | Err(_) => Exit::Signal(group::KILLED_BY),
    }
}

#[cfg(test)]
mod tests;
