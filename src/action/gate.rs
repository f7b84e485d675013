//! How many requests there may be: at the same time (`concurrency`), and in a stretch of time (`rateLimit`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::outcome::ActionError;
use crate::spec::model::api;
use crate::spec::{Code, Diagnostics, Spanned};

/// The most requests that `rateLimit` may count: each is remembered.
const MOST_REQUESTS: u64 = 100_000;
const MOST_AT_ONCE: u64 = 100_000;

/// The bounds as they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Requests, and in which time.
    rate: Option<(usize, Duration)>,
    at_once: Option<usize>,
}

impl Bounds {
    /// Reads `rateLimit` and `concurrency`; mistakes are reported.
    pub fn read(rate: Option<&api::RateLimit>, at_once: Option<&Spanned<u64>>, sink: &mut Diagnostics) -> Bounds {
        let rate = rate.and_then(|rate| {
            let requests = count(rate.requests.get()?, 1, MOST_REQUESTS, sink)?;
            Some((requests, rate.per.get()?.value))
        });
        Bounds { rate, at_once: at_once.and_then(|n| count(n, 1, MOST_AT_ONCE, sink)) }
    }
}

/// A number between two others; reported otherwise.
pub fn count(written: &Spanned<u64>, least: u64, most: u64, sink: &mut Diagnostics) -> Option<usize> {
    if !(least..=most).contains(&written.value) {
        let words = format!("expected a number from {least} to {most}, found {}", written.value);
        sink.error(Code::BadValue, written.span, words);
        return None;
    }
    usize::try_from(written.value).ok()
}

/// Lets as many requests through as its bounds allow; the others wait.
#[derive(Debug)]
pub struct Gate {
    rate: Option<Rate>,
    places: Option<Arc<Semaphore>>,
}

/// A place among the requests at the same time, kept until it is dropped.
#[derive(Debug)]
pub struct Pass(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

impl Gate {
    /// A gate; `what` is what lies behind it, for messages.
    pub fn new(bounds: &Bounds, what: &str) -> Gate {
        let rate =
            bounds.rate.map(|(requests, per)| Rate { requests, per, what: what.to_owned(), log: Mutex::default() });
        Gate { rate, places: bounds.at_once.map(|n| Arc::new(Semaphore::new(n))) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// If it would not come before `deadline` by the rate; nothing is used up then.
    pub async fn pass(&self, deadline: Instant) -> Result<Pass, ActionError> {
        let place = match &self.places {
            // it is never closed
            Some(places) => places.clone().acquire_owned().await.ok(),
            None => None,
        };
        if let Some(rate) = &self.rate {
            tokio::time::sleep_until(rate.turn(Instant::now(), deadline)?).await;
        }
        Ok(Pass(place))
    }
}

/// Never more than `requests` in any stretch of `per`.
#[derive(Debug)]
struct Rate {
    requests: usize,
    per: Duration,
    what: String,
    /// The turns that were given last, at most `requests` of them; some may be to come.
    log: Mutex<VecDeque<Instant>>,
}

impl Rate {
    /// The next turn, from `now` on.
    fn turn(&self, now: Instant, deadline: Instant) -> Result<Instant, ActionError> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = match log.front() {
            Some(first) if log.len() >= self.requests => now.max(first.checked_add(self.per).unwrap_or(deadline)),
            _ => now,
        };
        if turn > now && turn >= deadline {
            let (requests, per, what) = (self.requests, self.per, &self.what);
            let wait = turn.saturating_duration_since(now).as_secs() + 1;
            return Err(ActionError::failed(format!(
                "{what} may be asked {requests} times in {per:?} (rateLimit), and that is used up; try again in {wait} s"
            )));
        }
        if log.len() >= self.requests {
            log.pop_front();
        }
        log.push_back(turn);
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_holds_in_every_stretch_of_time() {
        let per = Duration::from_secs(10);
        let rate = Rate { requests: 3, per, what: "it".to_owned(), log: Mutex::default() };
        let start = Instant::now();
        let deadline = start + Duration::from_secs(25);
        let turn = || rate.turn(start, deadline).map(|turn| turn.duration_since(start).as_secs());
        let turns: Vec<u64> = (0..9).map(|_| turn().unwrap()).collect();
        assert_eq!(turns, [0, 0, 0, 10, 10, 10, 20, 20, 20]);
        for _ in 0..2 {
            let words = turn().unwrap_err().message;
            assert_eq!(words, "it may be asked 3 times in 10s (rateLimit), and that is used up; try again in 31 s");
        }
        let later = start + Duration::from_secs(26);
        assert_eq!(rate.turn(later, later + per).unwrap(), start + 3 * per);
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_its_pass_is_dropped() {
        let gate = Gate::new(&Bounds { rate: None, at_once: Some(1) }, "it");
        let deadline = Instant::now() + Duration::from_secs(60);
        let first = gate.pass(deadline).await.unwrap();
        let second = std::pin::pin!(gate.pass(deadline));
        let (second, waited) = match futures_util::future::select(second, std::future::ready(())).await {
            futures_util::future::Either::Right(((), second)) => (second, true),
            futures_util::future::Either::Left(_) => panic!("the place was taken"),
        };
        drop(first);
        assert!(second.await.is_ok() && waited);
    }
}
