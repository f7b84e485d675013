//! What is printed of tests.

use std::fmt;
use std::time::Duration;

use crate::cli::spec::plural;

/// What came of one test.
#[derive(Debug)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// `FILE:LINE:COLUMN`
    pub place: String,
    /// How long it took.
    pub took: Duration,
    /// What was not as expected; empty if it passed.
    pub faults: Vec<String>,
    /// Why it was not run, if it was not.
    pub left_out: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (green, yellow, red, plain) = ("\u{1b}[32m", "\u{1b}[33m", "\u{1b}[1;31m", "\u{1b}[0m");
        if let Some(why) = &self.left_out {
            return writeln!(f, "{yellow}skip{plain}  {}: {why}", self.name);
        }
        if self.faults.is_empty() {
            return writeln!(f, "{green}ok{plain}    {}", self.name);
        }
        writeln!(f, "{red}FAIL{plain}  {}", self.name)?;
        writeln!(f, "      {}", self.place)?;
        for fault in &self.faults {
            writeln!(f, "      {}", fault.replace('\n', "\n      "))?;
        }
        Ok(())
    }
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Tally(pub Vec<Outcome>);

impl Tally {
    /// Adds one.
    pub fn add(&mut self, outcome: Outcome) {
        self.0.push(outcome);
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.0.iter().filter(|outcome| !outcome.faults.is_empty()).count()
    }

    /// How many were not run.
    pub fn left_out(&self) -> usize {
        self.0.iter().filter(|outcome| outcome.left_out.is_some()).count()
    }

    /// Whether none failed.
    pub fn passed(&self) -> bool {
        self.failed() == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.0.len() - self.failed() - self.left_out();
        match self.failed() {
            0 => write!(f, "{} passed", plural(passed, "test"))?,
            failed => write!(f, "{} failed, {passed} passed", plural(failed, "test"))?,
        }
        match self.left_out() {
            0 => Ok(()),
            left_out => write!(f, ", {left_out} skipped"),
        }
    }
}
