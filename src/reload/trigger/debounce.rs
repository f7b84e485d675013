//! When a burst of events is over.

use std::time::Duration;

use tokio::time::Instant;

/// The longest that a burst is waited for, while its events keep coming; a longer debounce is waited for in full.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Events that are looked into together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Burst {
    first: Instant,
    last: Instant,
}

impl Burst {
    /// The burst with one more event, or a new one.
    pub fn extend(burst: Option<Burst>, now: Instant) -> Burst {
        Burst { first: burst.map_or(now, |burst| burst.first), last: now }
    }

    /// When it is over: after `quiet` without an event, or when it took too long.
    pub fn due(self, quiet: Duration) -> Instant {
        (self.last + quiet).min(self.first + LONGEST_WAIT.max(quiet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn one_event_waits_for_the_quiet_time() {
        let start = Instant::now();
        assert_eq!(Burst::extend(None, start).due(ms(60)), start + ms(60));
    }

    #[test]
    fn each_event_puts_it_off() {
        let start = Instant::now();
        let burst = Burst::extend(Some(Burst::extend(None, start)), start + ms(50));
        assert_eq!(burst.due(ms(60)), start + ms(110));
    }

    #[test]
    fn events_without_end_are_looked_into_after_half_a_second() {
        let start = Instant::now();
        let burst =
            (1..100).fold(Burst::extend(None, start), |burst, step| Burst::extend(Some(burst), start + ms(step * 10)));
        assert_eq!(burst.due(ms(60)), start + ms(500));
    }

    #[test]
    fn a_long_debounce_is_kept() {
        let start = Instant::now();
        assert_eq!(Burst::extend(None, start).due(ms(3_000)), start + ms(3_000));
    }

    #[test]
    fn no_debounce_looks_at_once() {
        let start = Instant::now();
        assert_eq!(Burst::extend(None, start).due(Duration::ZERO), start);
    }
}
