//! The bounds of an answer of rows, as written.

use std::time::Duration;

use crate::spec::read::{Bytes, record};
use crate::spec::source::Spanned;

record! {
    /// The bounds of an answer of rows, and of all answers.
    pub struct Limits {
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Rows that an answer has at most; it says so when there were more.
        /// Example: `200`
        "maxRows" => max_rows: Option<Spanned<u64>>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}
