//! One run of the tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::report::{Outcome, Tally};
use super::snapshot::Snapshots;
use super::{Arguments, beside, clean_up, junit};
use crate::action::http::tape::Tape;
use crate::action::source::Mode;
use crate::catalog::case::{self, Case};
use crate::catalog::{Catalog, Loaded};
use crate::cli::replace::replace;
use crate::cli::spec::{self, plural};
use crate::cli::{Exit, complain, note, print};
use crate::spec::load::Input;

/// How long one test may take.
const LIMIT: Duration = Duration::from_secs(60);
/// What stands for a test's name where the spec itself asks an API.
const SPEC: &str = "";

/// What the tests of one run share.
struct Round<'r> {
    arguments: &'r Arguments,
    tape: Option<&'r Tape>,
    snapshots: Snapshots,
    loaded: Loaded,
}

/// Runs the tests once. Gives the files that they depend on, too.
pub async fn run(arguments: &Arguments, input: &Input, tape: Option<&Tape>) -> (Exit, Vec<PathBuf>) {
    let spec = &arguments.spec;
    let given = [Some(spec.spec.clone()), spec.environment.env_file.clone()].into_iter().flatten().collect::<Vec<_>>();
    let environment = match spec.environment.read() {
        Ok(environment) => environment,
        Err(words) => {
            complain(&words);
            return (Exit::Usage, given);
        }
    };
    if let Some(tape) = tape {
        tape.begin(SPEC);
    }
    let loaded = Catalog::load(input, &environment, Mode::Test, spec.trust_permissions.into(), None).await;
    note(&spec::diagnostics(&loaded));
    let snapshots = Snapshots::new(beside(&spec.spec, "snapshots"), arguments.update);
    let round = Round { arguments, tape, snapshots, loaded };
    let inputs = round.inputs(given);
    let Some(catalog) = round.loaded.catalog.clone() else { return (spec::exit(&round.loaded), inputs) };
    let all: Vec<String> = catalog.cases().iter().map(|case| case.name.clone()).collect();
    let exit = match round.chosen(&all) {
        Ok(names) => round.tests(catalog, &all, &names).await,
        Err(words) => {
            complain(&words);
            Exit::AtFault
        }
    };
    (exit, inputs)
}

impl Round<'_> {
    /// The files that are worth another run: not those that this one writes.
    fn inputs(&self, given: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut inputs = [given, self.loaded.inputs.clone()].concat();
        if !self.arguments.record {
            inputs.push(beside(&self.arguments.spec.spec, "recordings.json"));
        }
        if let (Some(catalog), false) = (&self.loaded.catalog, self.arguments.update) {
            let with_snapshot = catalog.cases().iter().filter(|case| case.has_snapshot());
            inputs.extend(with_snapshot.map(|case| self.snapshots.path(&case.name)));
        }
        inputs
    }

    /// The tests that are wanted, or why there are none.
    fn chosen<'n>(&self, all: &'n [String]) -> Result<Vec<&'n str>, String> {
        let filter = self.arguments.filter.as_deref();
        let wanted = |name: &&str| filter.is_none_or(|filter| name.contains(filter));
        let names: Vec<&str> = all.iter().map(String::as_str).filter(wanted).collect();
        match (filter, names.is_empty()) {
            (_, false) => Ok(names),
            (Some(filter), true) => Err(spec::unknown("test", filter, all.iter().map(String::as_str))),
            (None, true) => Err("this spec has no `tests`: write `tests: { finds_tea: { call: find_notes, with: { words: tea }, expect: { … } } }`".to_owned()),
        }
    }

    async fn tests(&self, catalog: Arc<Catalog>, all: &[String], names: &[&str]) -> Exit {
        let uncovered = if self.arguments.coverage { case::untested(&catalog) } else { Vec::new() };
        let (mut fresh, mut tally, mut clean) = (Some(catalog), Tally::default(), true);
        for name in names {
            let outcome = self.test(name, fresh.take()).await;
            print(&outcome.to_string());
            tally.add(outcome);
            clean &= clean_up().await;
        }
        uncovered.iter().for_each(|words| print(&format!("no test of {words}\n")));
        print(&format!("{tally}\n"));
        let kept = self.finish(all, &tally);
        if tally.passed() && uncovered.is_empty() && kept && clean { Exit::Done } else { Exit::AtFault }
    }

    /// One test, which finds the databases as the scripts build them, whatever the tests before it did.
    async fn test(&self, name: &str, fresh: Option<Arc<Catalog>>) -> Outcome {
        let began = Instant::now();
        let catalog = match fresh {
            Some(catalog) => Ok(catalog),
            None => {
                if let Some(tape) = self.tape {
                    tape.again(SPEC);
                }
                self.loaded.anew(name).await
            }
        };
        let known = self.loaded.catalog.as_ref().and_then(|catalog| find(catalog, name));
        let place = known.map(|case| self.place(case)).unwrap_or_default();
        let (faults, left_out) = match catalog {
            Ok(catalog) => {
                let ran = self.ran(name, &catalog).await;
                catalog.close().await;
                ran
            }
            Err(why) => (vec![format!("the spec can't be used for this test any more: {why}")], None),
        };
        Outcome { name: name.to_owned(), place, took: began.elapsed(), faults, left_out }
    }

    /// A test's faults, or why it is left out. The recording of one that is not run stays as it is.
    async fn ran(&self, name: &str, catalog: &Catalog) -> (Vec<String>, Option<String>) {
        let Some(case) = find(catalog, name) else { return (vec!["it is gone".to_owned()], None) };
        if let Some(why) = case.left_out() {
            return (Vec::new(), Some(why.to_owned()));
        }
        if let Some(tape) = self.tape {
            tape.begin(name);
        }
        let faults = self.faults(case, catalog).await;
        if let Some(tape) = self.tape {
            tape.end(faults.is_empty());
        }
        (faults, None)
    }

    async fn faults(&self, case: &Case, catalog: &Catalog) -> Vec<String> {
        let Ok((got, unscripted)) = tokio::time::timeout(LIMIT, case.run(catalog)).await else {
            return vec![format!("it took more than {LIMIT:?}")];
        };
        let mut faults = case.judge(&got).await;
        faults.extend(unscripted);
        // What is wrong is not kept.
        if case.has_snapshot() && (faults.is_empty() || !self.arguments.update) {
            faults.extend(self.snapshots.compare(&case.name, &got));
        }
        faults.dedup();
        faults
    }

    fn place(&self, case: &Case) -> String {
        let (line, column) = self.loaded.files.line_column(case.at.file, case.at.range().start);
        format!("{}:{line}:{column}", self.loaded.files.name(case.at.file))
    }

    /// Writes what the run leaves; `false` if that failed.
    fn finish(&self, all: &[String], tally: &Tally) -> bool {
        let mut sound = true;
        let mut told = |done: Result<Option<String>, String>| match done {
            Ok(words) => words.into_iter().for_each(|words| note(&format!("{words}\n"))),
            Err(words) => {
                complain(&words);
                sound = false;
            }
        };
        if let (true, Some(tape)) = (self.arguments.record, self.tape) {
            let tests = all.iter().map(String::as_str).chain([SPEC]);
            told(tape.save(tests, replace).map(|count| Some(format!("recorded {}", plural(count, "answer")))));
        }
        told(Ok(self.snapshots.told()));
        if let Some(catalog) = &self.loaded.catalog {
            let kept = catalog.cases().iter().filter(|case| case.has_snapshot()).map(|case| case.name.as_str());
            told(Ok(self.snapshots.needless(kept)));
        }
        if let Some(path) = &self.arguments.junit {
            let written = replace(path, &junit::xml(&self.arguments.spec.spec, tally));
            told(written.map(|()| None).map_err(|why| format!("can't write {}: {why}", path.display())));
        }
        sound
    }
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c Case> {
    catalog.cases().iter().find(|case| case.name == name)
}
