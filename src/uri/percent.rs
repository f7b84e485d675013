//! Percent-encoding (RFC 3986 section 2).

use std::borrow::Cow;

/// The characters that encoding leaves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Letters, digits, `-`, `.`, `_` and `~`.
    Unreserved,
    /// Those, the reserved characters, and triplets (`%` with two hex digits).
    Reserved,
}

/// Percent-encodes all but letters, digits, `-`, `.`, `_` and `~`, so that `value` is a single path
/// segment, query name or query value. It leaves `.` and `..` as they are.
pub fn encode_segment(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    encode(value, Keep::Unreserved, &mut out);
    out
}

/// Appends `text`, encoded.
pub(super) fn encode(text: &str, keep: Keep, out: &mut String) {
    for (at, byte) in text.bytes().enumerate() {
        let kept = is_unreserved(byte)
            || keep == Keep::Reserved && (is_reserved(byte) || byte == b'%' && triplet(text, at).is_some());
        push(byte, kept, out);
    }
}

/// The one form of all URIs that differ only in how they are encoded (RFC 3986 section 6.2.2): what a URI can't hold
/// becomes triplets, triplets get upper-case digits, and those of unreserved characters become the
/// characters. `None` where a `%` has no two hex digits. The result is ASCII.
pub(super) fn normalise(text: &str) -> Option<Cow<'_, str>> {
    if text.bytes().all(|byte| is_unreserved(byte) || is_reserved(byte)) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'%' {
            let meant = triplet(text, at)?;
            bytes.nth(1);
            push(meant, is_unreserved(meant), &mut out);
        } else {
            push(byte, is_unreserved(byte) || is_reserved(byte), &mut out);
        }
    }
    Some(Cow::Owned(out))
}

/// The text that `encoded` stands for; `None` where a `%` has no two hex digits or the bytes are no UTF-8.
pub fn decode(encoded: &str) -> Option<String> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'%' {
            out.push(triplet(encoded, at)?);
            bytes.nth(1);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// The byte that the triplet at byte `at` of `text` stands for, if there is one.
pub(super) fn triplet(text: &str, at: usize) -> Option<u8> {
    let [b'%', high, low, ..] = text.as_bytes().get(at..)? else { return None };
    Some(hex_value(*high)? << 4 | hex_value(*low)?)
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends an ASCII byte that is to be kept, or any other as a triplet.
fn push(byte: u8, kept: bool, out: &mut String) {
    if kept {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.push(hex_digit(byte >> 4));
        out.push(hex_digit(byte & 0xF));
    }
}

fn hex_digit(value: u8) -> char {
    char::from(if value < 10 { b'0' + value } else { b'A' + value - 10 })
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(encode_segment("a/b?c#d%20é ~"), "a%2Fb%3Fc%23d%2520%C3%A9%20~");
    }

    #[test]
    fn normal_forms() {
        for (text, normal) in [
            ("a/b?c=[d]", Some("a/b?c=[d]")),
            ("%7e%2d%c3%a9", Some("~-%C3%A9")),
            ("é \"", Some("%C3%A9%20%22")),
            ("%2f%25", Some("%2F%25")),
            ("100%", None),
            ("%4", None),
            ("%zz", None),
            ("%é", None),
        ] {
            assert_eq!(normalise(text).as_deref(), normal, "{text}");
        }
    }

    #[test]
    fn decodes_only_what_is_well_formed() {
        assert_eq!(decode("a%2Fb%c3%A9+").as_deref(), Some("a/bé+"));
        for bad in ["%", "%2", "%2g", "%ff", "%C3", "%C3%28", "%ED%A0%80"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
