//! The launcher: this process gives up its rights and becomes the command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::Resource;

use super::files::Kept;
use super::{Promise, Sandbox, Unkept, calls, files, limits};

/// Becomes a command: `arguments` are a [`Sandbox`] as JSON, the program's path and its arguments.
///
/// # Errors
/// In plain words, what kept it from that; nothing of the command has run then.
pub fn run(arguments: Vec<OsString>) -> Result<std::convert::Infallible, String> {
    let mut arguments = arguments.into_iter();
    let sandbox = arguments.next().and_then(|json| json.into_string().ok());
    let sandbox = sandbox.and_then(|json| serde_json::from_str::<Sandbox>(&json).ok());
    let (Some(sandbox), Some(program)) = (sandbox, arguments.next()) else {
        return Err("a sandbox and a program are expected".to_owned());
    };
    let mut command = Command::new(&program);
    command.args(arguments);
    restrict(&sandbox, Path::new(&program))?;
    let error = command.exec();
    Err(format!("the program could not be started: {error}"))
}

/// Gives up what the sandbox does not allow, the means to get it back first.
fn restrict(sandbox: &Sandbox, program: &Path) -> Result<(), String> {
    let tolerated = |outcome: Result<(), String>| if sandbox.best_effort { Ok(()) } else { outcome };
    let limited = limits::apply(sandbox).map_err(|error| format!("a limit can't be set: {error}"));
    tolerated(limited)?;
    let dropped = limits::drop_privileges().map_err(|error| format!("privileges can't be dropped: {error}"));
    tolerated(dropped)?;
    let kept = files::restrict(sandbox.reach.as_ref(), program)?;
    if sandbox.reach.is_some() && kept == Kept::NotAtAll {
        tolerated(Err("this kernel has no Landlock".to_owned()))?;
    }
    let filtered = calls::compile(sandbox, kept == Kept::ButTruncation).and_then(|filters| calls::apply(&filters));
    tolerated(filtered)?;
    let limited = limits::apply_memory(sandbox).map_err(|error| format!("the limit on memory can't be set: {error}"));
    tolerated(limited)
}

/// Finds out, by trying, which promises this system can't keep. Leaves this process without its rights.
pub fn probe() -> Vec<Unkept> {
    let mut unkept = Vec::new();
    let mut say = |promise, kept: Result<(), String>| unkept.extend(kept.err().map(|why| Unkept { promise, why }));
    let dropped = limits::drop_privileges().map_err(|error| format!("privileges can't be dropped: {error}"));
    say(Promise::Limits, dropped);
    say(Promise::Processes, processes());
    let everything = super::Reach { read: vec!["/".into()], write: Vec::new() };
    let files = match files::restrict(Some(&everything), Path::new("/")) {
        Ok(Kept::NotAtAll) => {
            Err("the kernel has no Landlock (Linux 5.13 and later, unless it was left out)".to_owned())
        }
        Ok(_) => Ok(()),
        Err(why) => Err(why),
    };
    let sandbox = Sandbox {
        reach: None,
        network: false,
        memory: None,
        cpu: None,
        processes: Some(1),
        file_size: None,
        best_effort: false,
    };
    let calls = calls::compile(&sandbox, false).and_then(|filters| calls::apply(&filters));
    say(Promise::Files, files.and(calls.clone()));
    say(Promise::Network, calls.clone());
    say(Promise::OneProcess, calls);
    unkept
}

/// Whether a limit on processes binds this user.
fn processes() -> Result<(), String> {
    limits::bound(Resource::Nproc, 0, 0).map_err(|error| format!("a limit can't be set: {error}"))?;
    let started = std::thread::Builder::new().spawn(|| {});
    match started {
        Ok(thread) => {
            let _ = thread.join();
            Err("root is bound by no limit on processes, except `processes: 1`".to_owned())
        }
        Err(_) => Ok(()),
    }
}
