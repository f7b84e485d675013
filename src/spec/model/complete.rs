//! `complete`, as written: where completions come from.

use super::{Shape, Str};
use crate::spec::read::{Required, record};

record! {
    /// Where completions of an argument or variable come from: written out, or an action that sees `value`, what was
    /// typed, and the other arguments.
    pub struct Complete as "complete" {
        /// Written out.
        /// Example: `[title, price]`
        "values" => values: Option<Required<Vec<Str>>>,
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    optional action => action
}
