//! `test`: what a spec expects of itself, run through the same path as a client's requests.

mod junit;
mod report;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::spec::{self, SpecArguments};
use super::{Exit, complain, note, print};
use tokio::signal::unix::{SignalKind, signal};

use crate::action::http::tape::Tape;
use crate::action::source::Mode;
use crate::action::sql::scratch;
use crate::catalog::{Case, Catalog, Loaded};
use crate::reload::trigger::{Trigger, WatchConfig};
use crate::spec::load::Input;
use report::{Outcome, Tally};
use snapshot::Snapshots;

/// How long one test may take.
const LIMIT: Duration = Duration::from_secs(60);
/// What stands for a test's name where the spec itself asks an API.
const SPEC: &str = "";

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
    /// Run again after each change of the spec or of a file that it names.
    #[arg(long)]
    watch: bool,
}

/// Runs the tests. Whatever ends them, nothing that they made on a server stays there.
pub async fn run(arguments: Arguments) -> Exit {
    let ended = async {
        let stop = signal(SignalKind::terminate());
        let terminated = async {
            match stop {
                Ok(mut stop) => stop.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated => {}
        }
    };
    let exit = tokio::select! {
        exit = rounds(&arguments) => exit,
        () = ended => if arguments.watch { Exit::Done } else { Exit::AtFault },
    };
    if clean_up().await { exit } else { Exit::AtFault }
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
    let (exit, mut inputs) = once(arguments, &input, tape).await;
    if !arguments.watch {
        return exit;
    }
    let mut trigger = Trigger::new(WatchConfig::default());
    loop {
        trigger.set_paths(&inputs);
        note("waiting for a change; end with Ctrl-C\n\n");
        trigger.changed().await;
        if let Some(Err(words)) = tape.map(Tape::rewind) {
            complain(&words);
        }
        (_, inputs) = once(arguments, &input, tape).await;
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

/// Runs the tests once. Gives the files that they depend on, too.
async fn once(arguments: &Arguments, input: &Input, tape: Option<&Tape>) -> (Exit, Vec<PathBuf>) {
    let spec_alone = vec![arguments.spec.spec.clone()];
    let loaded = match load(arguments, input, tape).await {
        Ok(loaded) => loaded,
        Err(exit) => return (exit, spec_alone),
    };
    note(&spec::diagnostics(&loaded));
    let inputs = [spec_alone, loaded.inputs.clone()].concat();
    let Some(catalog) = loaded.catalog.clone() else { return (spec::exit(&loaded), inputs) };
    let all: Vec<String> = catalog.cases().iter().map(|case| case.name.clone()).collect();
    let wanted = |name: &&String| arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    let names: Vec<&String> = all.iter().filter(wanted).collect();
    if names.is_empty() {
        complain(&match &arguments.filter {
            Some(filter) => spec::unknown("test", filter, all.iter().map(String::as_str)),
            None => "this spec has no `tests`".to_owned(),
        });
        return (Exit::AtFault, inputs);
    }
    let snapshots = Snapshots::new(beside(&arguments.spec.spec, "snapshots"), arguments.update);
    let mut tally = Tally::default();
    let (mut fresh, mut clean) = (Some(catalog), true);
    for name in names {
        // Each test finds the databases as the scripts build them, whatever the tests before it did.
        let catalog = match fresh.take() {
            Some(catalog) => Some(catalog),
            None => load(arguments, input, tape).await.ok().and_then(|loaded| loaded.catalog),
        };
        if let Some(tape) = tape {
            tape.begin(name);
        }
        let case = catalog.as_ref().and_then(|c| c.cases().iter().find(|case| case.name == *name).zip(Some(c)));
        let outcome = match case {
            Some((case, catalog)) => one(case, catalog, &snapshots, &loaded).await,
            None => Outcome::unread(name, &arguments.spec.spec),
        };
        print(&outcome.to_string());
        tally.add(outcome);
        drop(catalog);
        clean &= clean_up().await;
    }
    print(&format!("{tally}\n"));
    let kept = finish(arguments, tape, &all, &tally);
    (if tally.passed() && kept && clean { Exit::Done } else { Exit::AtFault }, inputs)
}

/// Removes what was made on servers; `false` if something is left, which is told.
async fn clean_up() -> bool {
    let left = scratch::remove_all().await;
    left.iter().for_each(|words| complain(words));
    left.is_empty()
}

async fn load(arguments: &Arguments, input: &Input, tape: Option<&Tape>) -> Result<Loaded, Exit> {
    let environment = arguments.spec.environment.read().map_err(|words| {
        complain(&words);
        Exit::Usage
    })?;
    // What is asked for while the spec is read belongs to no test.
    if let Some(tape) = tape {
        tape.begin(SPEC);
    }
    Ok(Catalog::load(input, &environment, Mode::Test, arguments.spec.trust_permissions.into(), None).await)
}

async fn one(case: &Case, catalog: &Arc<Catalog>, snapshots: &Snapshots, loaded: &Loaded) -> Outcome {
    let began = Instant::now();
    let mut faults = match tokio::time::timeout(LIMIT, case.run(catalog)).await {
        Err(_) => vec![format!("it took more than {LIMIT:?}")],
        Ok((got, unscripted)) => {
            let mut faults = case.judge(&got).await;
            faults.extend(unscripted);
            if case.has_snapshot() {
                faults.extend(snapshots.compare(&case.name, &got));
            }
            faults
        }
    };
    faults.dedup();
    let (line, column) = loaded.files.line_column(case.at.file, case.at.range().start);
    let place = format!("{}:{line}:{column}", loaded.files.name(case.at.file));
    Outcome { name: case.name.clone(), place, took: began.elapsed(), faults }
}

/// Writes what the run leaves; `false` if that failed.
fn finish(arguments: &Arguments, tape: Option<&Tape>, all: &[String], tally: &Tally) -> bool {
    let mut sound = true;
    let mut told = |done: Result<Option<String>, String>| match done {
        Ok(words) => words.into_iter().for_each(|words| note(&format!("{words}\n"))),
        Err(words) => {
            complain(&words);
            sound = false;
        }
    };
    if let (true, Some(tape)) = (arguments.record, tape) {
        let tests = all.iter().map(String::as_str).chain([SPEC]);
        told(tape.save(tests).map(|count| Some(format!("recorded {}", spec::plural(count, "answer")))));
    }
    if let Some(path) = &arguments.junit {
        let written = std::fs::write(path, junit::xml(&arguments.spec.spec, tally));
        told(written.map(|()| None).map_err(|error| format!("can't write {}: {error}", path.display())));
    }
    sound
}
