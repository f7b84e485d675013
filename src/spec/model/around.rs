//! What may stand around an action, as written.

use super::api::{KeptAnswers, RateLimit};
use crate::spec::read::record;
use crate::spec::source::{Span, Spanned};

record! {
    /// The keys that every action has that is a map.
    pub struct Around {
        /// How often it may run; more calls wait.
        /// Example: `{ requests: 10, per: 1m }`
        "rateLimit" => rate_limit: Option<RateLimit>,
        /// Calls of it that run at the same time; the others wait.
        /// Example: `4`
        "concurrency" => concurrency: Option<Spanned<u64>>,
        /// How long answers are kept and given again for the same arguments.
        /// Example: `{ ttl: 60s }`
        "cache" => cache: Option<KeptAnswers>,
    }
}

impl Around {
    /// Nothing.
    pub fn nothing(at: Span) -> Self {
        Around { at, faulty: false, rate_limit: None, concurrency: None, cache: None }
    }

    /// Whether there is anything.
    pub fn is_something(&self) -> bool {
        self.rate_limit.is_some() || self.concurrency.is_some() || self.cache.is_some()
    }
}
