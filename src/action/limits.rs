//! The bounds of an action.

use std::time::Duration;

use crate::outcome::shape::ShapeLimits;
use crate::spec::model::{self, Defaults};
use crate::spec::{Bytes, Spanned};

/// The bounds of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a call may take.
    pub timeout: Duration,
    /// Rows that an answer may have.
    pub max_rows: usize,
    /// Bytes that an answer may have.
    pub max_bytes: usize,
}

impl From<Limits> for ShapeLimits {
    fn from(limits: Limits) -> Self {
        ShapeLimits { time: limits.timeout, max_bytes: limits.max_bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { timeout: Duration::from_secs(30), max_rows: 1000, max_bytes: 10 * 1024 * 1024 }
    }
}

impl Limits {
    /// These limits, where the spec's `defaults` say nothing else.
    pub fn or(self, defaults: Option<&Defaults>) -> Self {
        defaults.map_or(self, |defaults| self.with_all(&defaults.limits))
    }

    /// These limits, where an action of rows says nothing else.
    pub fn with_all(self, written: &model::Limits) -> Self {
        self.with(written.timeout.as_ref(), written.max_rows.as_ref(), written.max_bytes.as_ref())
    }

    /// These limits, where an action says nothing else.
    pub fn with(
        mut self,
        timeout: Option<&Spanned<Duration>>,
        max_rows: Option<&Spanned<u64>>,
        max_bytes: Option<&Spanned<Bytes>>,
    ) -> Self {
        if let Some(timeout) = timeout {
            self.timeout = timeout.value;
        }
        if let Some(rows) = max_rows {
            self.max_rows = usize::try_from(rows.value).unwrap_or(usize::MAX);
        }
        if let Some(bytes) = max_bytes {
            self.max_bytes = bytes.value.0;
        }
        self
    }

    /// These limits, with a shorter timeout if they have a longer one.
    pub fn at_most(self, longest: Option<Duration>) -> Self {
        Limits { timeout: longest.map_or(self.timeout, |longest| longest.min(self.timeout)), ..self }
    }
}
