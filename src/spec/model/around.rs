//! What may stand around an action, as written.

use super::api::{ActionCache, RateLimit};
use crate::spec::describe::{Book, Record};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Entry;
use crate::spec::read::{At, field};
use crate::spec::source::{Span, Spanned};

/// The keys that every action has that is a map.
#[derive(Debug, Clone)]
pub struct Around {
    /// The place of the action's key.
    pub at: Span,
    /// How often it may run.
    pub rate_limit: Option<RateLimit>,
    /// Calls that run at the same time.
    pub concurrency: Option<Spanned<u64>>,
    /// Answers that are kept.
    pub cache: Option<ActionCache>,
}

impl Around {
    /// The keys.
    pub const KEYS: [&'static str; 3] = ["rateLimit", "concurrency", "cache"];

    /// Nothing.
    pub fn nothing(at: Span) -> Self {
        Around { at, rate_limit: None, concurrency: None, cache: None }
    }

    /// Reads it from the keys of an action, which has others too.
    pub fn of(entries: &[Entry], what: &str, at: At<'_>, sink: &mut Diagnostics) -> Self {
        Around {
            at: at.span,
            rate_limit: field(entries, "rateLimit", &[], what, at, sink),
            concurrency: field(entries, "concurrency", &[], what, at, sink),
            cache: field(entries, "cache", &[], what, at, sink),
        }
    }

    /// Adds the keys to the schema of an action.
    pub fn describe(record: &mut Record, book: &mut Book) {
        let rate = "How often it may run; more calls wait.\nExample: `{ requests: 10, per: 1m }`";
        record.key::<Option<RateLimit>>("rateLimit", rate, book);
        let at_once = "Calls of it that run at the same time; the others wait.\nExample: `4`";
        record.key::<Option<Spanned<u64>>>("concurrency", at_once, book);
        let cache = "How long answers are kept and given again for the same arguments.\nExample: `{ ttl: 60s }`";
        record.key::<Option<ActionCache>>("cache", cache, book);
    }

    /// Whether there is anything.
    pub fn is_something(&self) -> bool {
        self.rate_limit.is_some() || self.concurrency.is_some() || self.cache.is_some()
    }
}
