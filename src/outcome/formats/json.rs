//! JSON without loss: every number is what was written, or the text of it.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{FormatFault, MAX_VALUES, Read, Room, shorten};

/// Significant digits that a 64-bit float always holds.
const SAFE_DIGITS: usize = 15;

/// Parses JSON (RFC 8259), at most 128 levels deep. A number that neither a 64-bit integer nor a 64-bit float holds
/// exactly becomes a string of it as it is written.
///
/// # Errors
/// If it is not JSON, too deep, or made of too many values.
pub fn parse(text: &str) -> Result<Value, FormatFault> {
    let exact = exact(text)?;
    serde_json::from_str(&exact).map_err(|error| {
        FormatFault::new(match error.is_eof() {
            true => "is not JSON: it ends too early".to_owned(),
            false => format!("is not JSON (line {})", error.line()),
        })
    })
}

/// JSON that may be cut, and is made to fit into `max_bytes`.
pub fn read(text: &str, cut: bool, max_bytes: usize) -> Result<Read, FormatFault> {
    let mut value = match cut {
        true => parse(&close(text).ok_or_else(|| FormatFault::new("was cut before anything of its JSON was whole"))?)?,
        false => parse(text)?,
    };
    // compact JSON is no longer than the text, but for numbers that became strings
    let fits = text.len() < max_bytes || shorten::shorten(&mut value, max_bytes);
    Ok(Read { value, whole: fits && !cut })
}

/// One JSON value a line; empty lines are passed over.
pub(super) fn lines(text: &str, cut: bool, room: &mut Room) -> Result<Read, FormatFault> {
    let mut values = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let last = cut && lines.peek().is_none();
        match parse(line) {
            Ok(value) if room.take(line.len() + 1).is_some() => values.push(value),
            Ok(_) => return Ok(Read { value: values.into(), whole: false }),
            Err(_) if last => break,
            Err(_) => return Err(FormatFault::new(format!("is not JSON (line {})", at + 1))),
        }
    }
    Ok(Read { value: values.into(), whole: true })
}

/// JSON in which numbers that would lose digits are strings.
fn exact(text: &str) -> Result<Cow<'_, str>, FormatFault> {
    let mut quoted = String::new();
    let mut copied = 0;
    let mut values = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                let token = text.get(at..end).unwrap_or("");
                if !is_exact(token) {
                    quoted.push_str(text.get(copied..at).unwrap_or(""));
                    quoted.extend(["\"", token, "\""]);
                    copied = end;
                }
                at = end;
            }
            b',' | b'[' | b'{' => {
                values += 1;
                at += 1;
            }
            _ => at += 1,
        }
    }
    if values > MAX_VALUES {
        return Err(FormatFault::new(format!("has more than {MAX_VALUES} values")));
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    quoted.push_str(text.get(copied..).unwrap_or(""));
    Ok(Cow::Owned(quoted))
}

/// Where a string that begins at `at` is over.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_number(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let of_number = |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    at + rest.iter().take_while(|b| of_number(b)).count()
}

/// Whether a number keeps its value; what is no number is left to the parser.
fn is_exact(token: &str) -> bool {
    let plain = !token.contains(['e', 'E']);
    if plain && token.len() <= SAFE_DIGITS || serde_json::from_str::<IgnoredAny>(token).is_err() {
        return true;
    }
    if token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok() {
        return true;
    }
    token.parse::<f64>().is_ok_and(|float| float.is_finite() && decimal(token) == decimal(&format!("{float:e}")))
}

/// A number's sign, significant digits and power of ten, the same for all ways to write it; `None` if the power is
/// beyond all bounds.
fn decimal(token: &str) -> Option<(bool, String, i64)> {
    let (mantissa, power) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, part].concat();
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let digits = significant.trim_start_matches('0').to_owned();
    if digits.is_empty() {
        return Some((false, digits, 0));
    }
    let power = power.parse::<i64>().ok()?.checked_sub(i64::try_from(part.len()).ok()?)?;
    Some((negative, digits, power.checked_add(i64::try_from(zeros).ok()?)?))
}

/// JSON whose end is missing, closed after the last value in it that is whole; `None` if there is none.
pub fn close(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut open: Vec<char> = Vec::new();
    let mut safe = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'[' | b'{' => {
                open.push(if *byte == b'[' { ']' } else { '}' });
                safe = Some(at + 1);
            }
            b']' | b'}' => {
                open.pop()?;
                safe = Some(at + 1);
            }
            b',' => safe = Some(at),
            _ => {}
        }
        at += 1;
    }
    let mut closed = text.get(..safe?)?.to_owned();
    closed.extend(open.iter().rev());
    Some(closed)
}
