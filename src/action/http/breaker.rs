//! A circuit breaker: an API that failed several times in a row is left alone for a while, then tried once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::action::gate::count;
use crate::outcome::ActionError;
use crate::spec::Diagnostics;
use crate::spec::model::api;

const MOST_FAILURES: u64 = 1000;
const COOLDOWN: Duration = Duration::from_secs(30);

/// A source's `circuitBreaker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Failures in a row.
    failures: usize,
    /// For how long nothing is sent then.
    cooldown: Duration,
}

impl Threshold {
    /// Reads `circuitBreaker`; mistakes are reported.
    pub fn read(written: &api::CircuitBreaker, sink: &mut Diagnostics) -> Option<Threshold> {
        let failures = count(written.failures.get()?, 1, MOST_FAILURES, sink)?;
        Some(Threshold { failures, cooldown: written.cooldown.as_ref().map_or(COOLDOWN, |c| c.value) })
    }
}

/// What is known of an API.
#[derive(Debug)]
pub struct Breaker {
    threshold: Threshold,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In a row, up to now.
    failures: usize,
    /// Nothing is sent before; `None` while all is well.
    open_until: Option<Instant>,
    /// Whether somebody is trying if it is well again.
    trying: bool,
}

impl Breaker {
    /// One that has seen nothing yet.
    pub fn new(threshold: Threshold) -> Self {
        Breaker { threshold, state: Mutex::default() }
    }

    /// Lets a request through, whose outcome has to be told to what is given back.
    ///
    /// # Errors
    /// If the API is left alone just now.
    pub fn admit(&self, deadline: Instant) -> Result<Admitted<'_>, ActionError> {
        self.admit_at(Instant::now(), deadline)
    }

    fn admit_at(&self, now: Instant, deadline: Instant) -> Result<Admitted<'_>, ActionError> {
        let mut state = self.state();
        let is_trial = match state.open_until {
            None => false,
            Some(until) if now >= until && !state.trying => true,
            Some(until) => {
                let left = until.saturating_duration_since(now).as_secs() + 1;
                let failures = state.failures;
                return Err(ActionError::failed(format!(
                    "it failed {failures} times in a row and is left alone (circuitBreaker); try again in {left} s"
                )));
            }
        };
        state.trying |= is_trial;
        Ok(Admitted { breaker: self, is_trial, deadline, told: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, well: bool, now: Instant) {
        let mut state = self.state();
        if well {
            (state.failures, state.open_until) = (0, None);
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.threshold.failures {
            state.open_until = now.checked_add(self.threshold.cooldown);
        }
    }
}

/// A request that was let through. One that is dropped after the time of its call was over has failed; one that
/// is dropped before says nothing.
#[derive(Debug)]
pub struct Admitted<'b> {
    breaker: &'b Breaker,
    is_trial: bool,
    deadline: Instant,
    told: bool,
}

impl Admitted<'_> {
    /// Tells whether the API did its part.
    pub fn came_out(mut self, well: bool) {
        self.told = true;
        self.breaker.note(well, Instant::now());
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if !self.told && Instant::now() >= self.deadline {
            self.breaker.note(false, Instant::now());
        }
        if self.is_trial {
            self.breaker.state().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(3600);

    /// A breaker that opens after two failures, a time, and one that never comes in a test.
    fn breaker() -> (Breaker, Instant, Instant) {
        let now = Instant::now();
        (Breaker::new(Threshold { failures: 2, cooldown: COOLDOWN }), now, now + 9 * COOLDOWN)
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_after_one_that_is_well() {
        let (breaker, now, never) = breaker();
        for well in [false, true, false, false] {
            breaker.admit_at(now, never).unwrap().came_out(well);
        }
        let words = breaker.admit_at(now, never).unwrap_err().message;
        assert!(words.starts_with("it failed 2 times in a row and is left alone (circuitBreaker)"), "{words}");
        let later = now + COOLDOWN + Duration::from_secs(60);
        let trial = breaker.admit_at(later, never).unwrap();
        assert!(breaker.admit_at(later, never).is_err(), "one trial at a time");
        trial.came_out(false);
        assert!(breaker.admit_at(now, never).is_err());
        breaker.admit_at(later, never).unwrap().came_out(true);
        assert!(breaker.admit_at(now, never).is_ok() && breaker.admit_at(now, never).is_ok());
    }

    #[test]
    fn a_call_that_ran_out_of_time_is_a_failure_and_one_taken_back_is_none() {
        let (breaker, now, never) = breaker();
        for _ in 0..5 {
            drop(breaker.admit_at(now, never).unwrap());
        }
        for _ in 0..2 {
            drop(breaker.admit_at(now, now).unwrap());
        }
        assert!(breaker.admit_at(now, never).is_err());
        let later = now + COOLDOWN + Duration::from_secs(60);
        drop(breaker.admit_at(later, never).unwrap());
        assert!(breaker.admit_at(later, never).is_ok(), "a trial that was taken back makes room for the next");
    }
}
