//! `test`: what a spec expects of itself, run through the same path as a client's requests.

mod junit;
mod report;
mod round;
mod snapshot;

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::spec::{self, SpecArguments};
use super::{Exit, complain, note};
use crate::action::http::tape::Tape;
use crate::action::sql::scratch;
use crate::reload::trigger::{Trigger, WatchConfig};
use crate::spec::load::Input;

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Databases are built anew for each test by their `fixtures`: SQLite's in memory, others in a schema or database that is\n\
                  removed afterwards; one without is only read.\n\
                  Answers of HTTP APIs come from a recording beside the spec, which --record makes.\n\n\
                  Examples:\n  mcp-declare test bookshop.yaml\n  mcp-declare test bookshop.yaml dune --watch"
)]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// Run only the tests whose names have this in them.
    filter: Option<String>,
    /// Keep the answers of tests with `snapshot: true` as they are now.
    #[arg(long)]
    update: bool,
    /// Ask the HTTP APIs and keep their answers, secrets masked.
    #[arg(long)]
    record: bool,
    /// Ask the HTTP APIs and keep nothing.
    #[arg(long, conflicts_with = "record")]
    live: bool,
    /// Write the outcome as JUnit XML too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail if a tool, resource, prompt or completion has no test, and say which.
    #[arg(long)]
    coverage: bool,
    /// Run again after each change of the spec, of a file that it names, or of what it is compared with.
    #[arg(long)]
    watch: bool,
}

/// Runs the tests. Whatever ends them, nothing that they made on a server stays there.
pub async fn run(arguments: Arguments) -> Exit {
    let exit = tokio::select! {
        exit = rounds(&arguments) => exit,
        () = ended() => if arguments.watch { Exit::Done } else { Exit::AtFault },
    };
    if clean_up().await { exit } else { Exit::AtFault }
}

/// Ctrl-C, SIGTERM, or the end of the terminal.
async fn ended() {
    let heard = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = heard(SignalKind::interrupt()) => {}
        () = heard(SignalKind::terminate()) => {}
        () = heard(SignalKind::hangup()) => {}
    }
}

/// Once, or again after each change.
async fn rounds(arguments: &Arguments) -> Exit {
    let (tape, input) = match prepared(arguments) {
        Ok(prepared) => prepared,
        Err(words) => {
            complain(&words);
            return Exit::Usage;
        }
    };
    let mut trigger = Trigger::of_files(WatchConfig::default());
    loop {
        let (exit, inputs) = round::run(arguments, &input, tape).await;
        if !arguments.watch {
            return exit;
        }
        trigger.set_paths(&inputs);
        note("waiting for a change; end with Ctrl-C\n\n");
        trigger.changed().await;
        if let Some(Err(words)) = tape.map(Tape::rewind) {
            complain(&words);
        }
    }
}

/// The recording beside the spec, none for tests that ask the APIs themselves; and the spec.
fn prepared(arguments: &Arguments) -> Result<(Option<&'static Tape>, Input), String> {
    let spec = &arguments.spec.spec;
    if arguments.watch && spec == Path::new("-") {
        return Err("standard input is read once: `--watch` needs a file or a folder".to_owned());
    }
    let input = spec::input(spec)?;
    if arguments.live {
        return Ok((None, input));
    }
    let tape = Tape::open(&beside(spec, "recordings.json"), arguments.record)?;
    Ok((Some(tape.insert()?), input))
}

/// `bookshop.yaml` → `bookshop.WHAT`; for a folder `bookshop` too, as what is in it is the spec.
fn beside(spec: &Path, what: &str) -> PathBuf {
    if spec == Path::new("-") {
        return PathBuf::from(format!("stdin.{what}"));
    }
    if !spec.is_dir() {
        return spec.with_extension(what);
    }
    let whole = spec.canonicalize().unwrap_or_else(|_| spec.to_owned());
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    whole.with_file_name(format!("{name}.{what}"))
}

/// Removes what was made on servers; `false` if something is left, which is told.
async fn clean_up() -> bool {
    let left = scratch::remove_all().await;
    left.iter().for_each(|words| complain(words));
    left.is_empty()
}
