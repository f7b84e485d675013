//! Finds the params that stand alone in `IN (…)`, where a list may be bound.

use std::ops::Range;

use super::{Dialect, Kind, tokens};

/// Whether the `:name` of this place is all that stands between the parentheses of an `IN (…)`.
pub fn stands_in_list(sql: &str, param: &Range<usize>, dialect: Dialect) -> bool {
    let tokens: Vec<_> = tokens(sql, dialect).collect();
    let Some(at) = tokens.iter().position(|token| token.range == *param) else { return false };
    let token = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let written = |range: &Range<usize>| sql.get(range.clone()).unwrap_or_default();
    let is_in = token(2).is_some_and(|t| t.kind == Kind::Word && written(&t.range).eq_ignore_ascii_case("in"));
    let opens = token(1).is_some_and(|t| written(&t.range) == "(");
    let closes = tokens.get(at + 1).is_some_and(|t| written(&t.range) == ")");
    is_in && opens && closes
}
