//! `sandbox`: from what is written to what the kernel enforces, and whether it can.

use std::path::PathBuf;
use std::time::Duration;

use crate::sandbox::{self, Reach, Sandbox};
use crate::spec::model;
use crate::spec::{Bytes, Code, Diagnostic, Diagnostics, Files, Spanned, Text};

/// Checks the sandbox of a command: its own, or that of the spec's `defaults`. `None` after a mistake.
pub fn compile(
    own: Option<&model::Sandbox>,
    defaults: Option<&model::Sandbox>,
    files: &Files,
    sink: &mut Diagnostics,
) -> Option<Option<Sandbox>> {
    let Some(written) = own.or(defaults) else { return Some(None) };
    let reach = match (&written.read, &written.write) {
        (None, None) => Some(None),
        (read, write) => reach(read.as_deref(), write.as_deref(), files, sink).map(Some),
    };
    let seconds = |cpu: &Spanned<Duration>| cpu.value.as_secs() + u64::from(cpu.value.subsec_nanos() > 0);
    let processes = processes(written.processes.as_ref(), sink);
    let sandbox = Sandbox {
        reach: reach?,
        network: written.network.as_ref().is_none_or(|network| network.value),
        memory: written.memory.as_ref().map(size),
        cpu: written.cpu.as_ref().map(seconds),
        processes: processes?,
        file_size: written.file_size.as_ref().map(size),
        best_effort: written.best_effort.as_ref().is_some_and(|best| best.value),
    };
    if !is_none(written) {
        kept(&sandbox, written, sink)?;
    }
    Some((!is_none(written)).then_some(sandbox))
}

/// `sandbox: {}` takes the one of the `defaults` away.
fn is_none(written: &model::Sandbox) -> bool {
    let model::Sandbox { at: _, faulty: _, read, write, network, memory, cpu, processes, file_size, best_effort: _ } =
        written;
    let bounds = [memory.is_none(), cpu.is_none(), processes.is_none(), file_size.is_none()];
    read.is_none() && write.is_none() && network.is_none() && bounds.into_iter().all(|none| none)
}

fn size(bytes: &Spanned<Bytes>) -> u64 {
    bytes.value.0 as u64
}

/// The outer `None` is a mistake.
fn processes(written: Option<&Spanned<u64>>, sink: &mut Diagnostics) -> Option<Option<u64>> {
    match written {
        Some(most) if most.value == 0 => {
            sink.error(Code::BadValue, most.span, "with no process nothing can run");
            None
        }
        most => Some(most.map(|most| most.value)),
    }
}

fn reach(
    read: Option<&[Spanned<Text>]>,
    write: Option<&[Spanned<Text>]>,
    files: &Files,
    sink: &mut Diagnostics,
) -> Option<Reach> {
    let mut all = |paths: Option<&[Spanned<Text>]>| -> Option<Vec<PathBuf>> {
        let found: Vec<_> = paths.unwrap_or_default().iter().map(|path| place(path, files, sink)).collect();
        found.into_iter().collect()
    };
    let (read, write) = (all(read), all(write));
    Some(Reach { read: read?, write: write? })
}

/// The absolute path of a file or folder that has to be there.
fn place(path: &Spanned<Text>, files: &Files, sink: &mut Diagnostics) -> Option<PathBuf> {
    let place =
        std::path::absolute(files.folder(path.span.file).join(path.expose())).ok().filter(|place| place.exists());
    if place.is_none() {
        let found = Diagnostic::error(Code::MissingFile, path.span, format!("there is no `{}`", path.written()));
        report(found.label("only what is there can be opened to a command"), sink);
    }
    place
}

/// Reports the promises that this system can't keep.
fn kept(sandbox: &Sandbox, written: &model::Sandbox, sink: &mut Diagnostics) -> Option<()> {
    let made: Vec<_> = sandbox.promises().collect();
    let broken = sandbox::unkept().iter().filter(|unkept| made.contains(&unkept.promise));
    let mut sound = true;
    for unkept in broken {
        let words = format!("{} can't be kept here: {}", unkept.promise.keys(), unkept.why);
        let found = match sandbox.best_effort {
            true => Diagnostic::warning(Code::Sandbox, written.at, words).label("the command runs without that"),
            false => Diagnostic::error(Code::Sandbox, written.at, words)
                .label("`bestEffort: true` serves the spec all the same"),
        };
        sound &= sandbox.best_effort;
        report(found, sink);
    }
    sound.then_some(())
}

/// Reports a mistake once, for the sandbox of the `defaults` is that of many commands.
fn report(found: Diagnostic, sink: &mut Diagnostics) {
    if !sink.holds(&found) {
        sink.push(found);
    }
}
