//! JSON of a database, without loss.

use serde_json::Value;

/// Integers beyond this are not exact in JavaScript.
const EXACT: u64 = 1 << 53;

/// Reads JSON whose numbers may be of any size: what a double can't hold becomes a string of its digits. `None` if it is
/// no JSON, or too deep.
pub fn json(text: &str) -> Option<Value> {
    serde_json::from_str(&lossless(text)).ok()
}

/// The same JSON, with the numbers in quotes that a double can't hold.
fn lossless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, found) = rest.split_at(start);
        safe.push_str(before);
        let end = if found.starts_with('"') { string_end(found) } else { number_end(found) };
        let (token, after) = found.split_at(end);
        let quoted = !found.starts_with('"') && !fits(token);
        if quoted {
            safe.push('"');
        }
        safe.push_str(token);
        if quoted {
            safe.push('"');
        }
        rest = after;
    }
    safe.push_str(rest);
    safe
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    let closing = |(at, c): (usize, char)| {
        let closes = at > 0 && c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at + 1)
    };
    text.char_indices().find_map(closing).unwrap_or(text.len())
}

fn number_end(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'))).unwrap_or(text.len())
}

/// Whether a number stays what it is as a double: an integer up to 2^53, or up to 15 digits.
fn fits(number: &str) -> bool {
    if let Ok(integer) = number.parse::<i64>() {
        return integer.unsigned_abs() <= EXACT;
    }
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit).skip_while(|digit| *digit == '0').count();
    let finite = number.parse::<f64>().is_ok_and(|value| value.is_finite() && (value != 0.0 || digits == 0));
    // The shortest text of a double has up to 17 digits, and means just this double.
    let shortest = || number.parse::<f64>().is_ok_and(|value| serde_json::to_string(&value).is_ok_and(|s| s == number));
    finite && (digits <= 15 || shortest())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_no_double_holds_are_strings() {
        for (text, wanted) in [
            ("[9007199254740992, -9007199254740993]", json!([9_007_199_254_740_992_u64, "-9007199254740993"])),
            ("[12345678901234567890, 1e400]", json!(["12345678901234567890", "1e400"])),
            ("[0.1, 1.5e3, -0.0, 0.12345678901234567890]", json!([0.1, 1500.0, -0.0, "0.12345678901234567890"])),
            (r#"{"a 1": "2\"3", "b": [true, null, 1]}"#, json!({ "a 1": "2\"3", "b": [true, null, 1] })),
        ] {
            assert_eq!(json(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in ["", "{", "{broken", "\"", "1 2", &"[".repeat(100_000)] {
            assert_eq!(json(text), None);
        }
    }
}
