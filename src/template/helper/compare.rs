//! Equality and order of JSON values.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{fail, kind};
use crate::template::RenderFault;

/// Whether two values are the same JSON; numbers by value.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The order of two numbers or two texts, for `helper`; `None` when either is null.
pub(super) fn compare(helper: &str, a: &Value, b: &Value) -> Result<Option<Ordering>, RenderFault> {
    let decimal = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).and_then(Number::from_f64);
    let order = match (a, b) {
        (Value::Null, _) | (_, Value::Null) => return Ok(None),
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::String(b)) => decimal(b).and_then(|b| compare_numbers(a, &b)),
        (Value::String(a), Value::Number(b)) => decimal(a).and_then(|a| compare_numbers(&a, b)),
        _ => None,
    };
    match order {
        Some(order) => Ok(Some(order)),
        None => fail(format!("`{helper}` compares two numbers or two texts, not {} and {}", kind(a), kind(b))),
    }
}

/// Integers exactly, anything else as floating point.
fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |n: &Number| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}
