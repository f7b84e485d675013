//! When a request is sent again, and after how long.

use std::time::{Duration, SystemTime};

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Response, StatusCode};
use tokio::time::Instant;

use super::fault::Failed;
use crate::action::gate::count;
use crate::spec::Diagnostics;
use crate::spec::model::api;

/// The most tries that a spec may ask for.
const MOST_ATTEMPTS: u64 = 10;
const DELAY: Duration = Duration::from_millis(250);
const MAX_DELAY: Duration = Duration::from_secs(10);

/// A source's `retry`; by default everything is tried once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    delay: Duration,
    max_delay: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { attempts: 1, delay: DELAY, max_delay: MAX_DELAY }
    }
}

impl Retry {
    /// Reads `retry`; mistakes are reported.
    pub fn read(written: &api::Retry, sink: &mut Diagnostics) -> Retry {
        let attempts = written.attempts.get().and_then(|n| count(n, 1, MOST_ATTEMPTS, sink)).unwrap_or(1);
        let delay = written.delay.as_ref().map_or(DELAY, |d| d.value);
        let max_delay = written.max_delay.as_ref().map_or(MAX_DELAY.max(delay), |d| d.value);
        Retry { attempts: u32::try_from(attempts).unwrap_or(1), delay, max_delay }
    }

    /// Whether a request of this method is sent a second time at all (RFC 9110 section 9.2.2).
    pub fn covers(&self, method: &Method) -> bool {
        const IDEMPOTENT: [Method; 5] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
        self.attempts > 1 && IDEMPOTENT.contains(method)
    }

    /// When the next try is due after the `tried`-th one came out so; `None` if that is the last word, or if the time
    /// of the call would be over by then.
    pub fn next(&self, tried: u32, outcome: &Result<Response, Failed>, deadline: Instant) -> Option<Instant> {
        if tried >= self.attempts {
            return None;
        }
        let asked = match outcome {
            Ok(response) => {
                is_passing(response.status()).then_some(())?;
                let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                asked.and_then(|text| retry_after(text, SystemTime::now()))
            }
            Err(Failed::Unreachable(_)) => None,
            Err(Failed::Refused(_)) => return None,
        };
        let wait = asked.unwrap_or_else(|| self.backoff(tried, fastrand::f64()));
        let due = Instant::now().checked_add(wait)?;
        (due < deadline).then_some(due)
    }

    /// The wait after the `tried`-th try: twice as long each time, of which between half and all is waited, so that
    /// callers who failed together do not come back together.
    fn backoff(&self, tried: u32, chance: f64) -> Duration {
        let doubled = 2_u32.checked_pow(tried.saturating_sub(1)).and_then(|factor| self.delay.checked_mul(factor));
        let longest = doubled.unwrap_or(self.max_delay).min(self.max_delay);
        longest.mul_f64(0.5 + chance / 2.0)
    }
}

/// Whether a status says that the same request may go well later.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// How long `Retry-After` asks to wait (RFC 9110 section 10.2.3): seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text).ok().map(|at| at.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound() {
        let retry = Retry { attempts: 9, delay: Duration::from_millis(100), max_delay: Duration::from_secs(1) };
        let waits: Vec<u128> = (1..8).map(|tried| retry.backoff(tried, 1.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(retry.backoff(1, 0.0).as_millis(), 50);
        assert_eq!(retry.backoff(u32::MAX, 0.0).as_millis(), 500);
    }

    #[test]
    fn retry_after_has_two_forms() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3)),
            ("Sunday, 06-Nov-94 08:49:39 GMT", Some(2)),
            ("Sun Nov  6 08:49:38 1994", Some(1)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
