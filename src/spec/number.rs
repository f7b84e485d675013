//! Numbers as YAML and TOML write them, into JSON's.

use serde_json::Number;

/// A plain YAML scalar as a number (core schema, YAML 1.2 section 10.3.2); `None` if it is text.
///
/// # Errors
/// Words for a number that JSON can't hold, or that is not what it looks like.
pub fn yaml(text: &str) -> Result<Option<Number>, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(octal) = text.strip_prefix("0o").filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit())) {
        return integer(octal, 8, text).map(Some);
    }
    if let Some(hex) = text.strip_prefix("0x").filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit())) {
        return integer(hex, 16, text).map(Some);
    }
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(format!("`{text}` has leading zeros, which YAML's versions read differently"));
        }
        return integer(text, 10, text).map(Some);
    }
    match digits {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => Err(format!("`{text}` is no number in JSON")),
        _ if is_float(digits) => float(text).map(Some),
        _ => Ok(None),
    }
}

/// An integer that stands as `digits` in base `radix`.
///
/// # Errors
/// Words, if it needs more than 64 bits.
pub fn integer(digits: &str, radix: u32, written: &str) -> Result<Number, String> {
    i64::from_str_radix(digits, radix)
        .map(Number::from)
        .or_else(|_| u64::from_str_radix(digits, radix).map(Number::from))
        .map_err(|_| format!("`{written}` is an integer beyond 64 bits"))
}

/// A float.
///
/// # Errors
/// Words, if it is beyond the range of a 64-bit float.
pub fn float(text: &str) -> Result<Number, String> {
    let value: Option<f64> = text.parse().ok();
    value.and_then(Number::from_f64).ok_or_else(|| format!("`{text}` is no number that JSON can hold"))
}

/// `(\. [0-9]+ | [0-9]+ (\. [0-9]*)?) ([eE] [-+]? [0-9]+)?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, part)) => all_digits(whole) && all_digits(part) && !(whole.is_empty() && part.is_empty()),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_ok && exponent_ok
}

#[cfg(test)]
mod tests {
    use super::yaml;

    #[test]
    fn reads_numbers_and_leaves_text() {
        for (text, number) in [
            ("0", "0"),
            ("-12", "-12"),
            ("18446744073709551615", "18446744073709551615"),
            ("0o17", "15"),
            ("0xFf", "255"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("-2.", "-2.0"),
        ] {
            assert_eq!(yaml(text).unwrap().unwrap().to_string(), number, "{text}");
        }
        for text in ["1_000", "1.2.3", "e5", ".", "-", "1e", "0b1", "12a", "::1", "2026-01-01"] {
            assert_eq!(yaml(text), Ok(None), "{text}");
        }
        for text in ["0777", "99999999999999999999", ".inf", "-.INF", ".nan", "1e999"] {
            assert!(yaml(text).is_err(), "{text}");
        }
    }
}
