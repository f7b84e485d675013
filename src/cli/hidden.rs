//! What our own binary does for the server in a process of its own. Nobody types these.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use crate::action::process::watchdog;
use crate::sandbox;

/// Does what the first argument asks for, if it is one of ours. This process has one thread, as the launcher needs it.
pub fn dispatch() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next()?;
    match first.to_str()? {
        watchdog::WATCH => {
            watchdog::keep(std::io::stdin().lock());
            Some(ExitCode::SUCCESS)
        }
        sandbox::RUN => Some(run(arguments.collect())),
        sandbox::PROBE => Some(probe()),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
fn run(arguments: Vec<OsString>) -> ExitCode {
    match sandbox::run(arguments) {
        Ok(never) => match never {},
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "the sandbox could not be set up: {why}");
            ExitCode::from(sandbox::NOT_STARTED)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn run(_: Vec<OsString>) -> ExitCode {
    ExitCode::from(sandbox::NOT_STARTED)
}

#[cfg(target_os = "linux")]
fn probe() -> ExitCode {
    let found = serde_json::to_string(&sandbox::probe()).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "{found}");
    ExitCode::SUCCESS
}

#[cfg(not(target_os = "linux"))]
fn probe() -> ExitCode {
    ExitCode::SUCCESS
}
