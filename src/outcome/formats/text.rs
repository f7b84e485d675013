//! Bytes as text.

use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;

use super::{Read, Room};

/// Bytes at the beginning in which XML and HTML say their own encoding.
const PROLOG: usize = 1024;

/// Bytes as text (WHATWG Encoding). A byte order mark decides, then `charset`, then what an XML declaration or an HTML
/// `meta` says, and UTF-8 otherwise. What can't be decoded becomes U+FFFD; with `cut`, a character at the end that was
/// cut in two is left out.
pub fn decode(bytes: Vec<u8>, charset: Option<&str>, cut: bool) -> String {
    let named = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    let marked = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    let encoding = marked.or(named).or_else(|| declared(&bytes)).unwrap_or(UTF_8);
    if encoding == UTF_8 && marked.is_none() {
        return utf8(bytes, cut);
    }
    let text = encoding.decode(&bytes).0.into_owned();
    match text.strip_suffix('\u{fffd}') {
        Some(rest) if cut => rest.to_owned(),
        _ => text,
    }
}

fn utf8(bytes: Vec<u8>, cut: bool) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if cut && error.utf8_error().error_len().is_none() => {
            let whole = error.utf8_error().valid_up_to();
            String::from_utf8_lossy(error.as_bytes().get(..whole).unwrap_or(&[])).into_owned()
        }
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// `<?xml encoding="…"?>` or `<meta charset="…">`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(bytes.get(..bytes.len().min(PROLOG)).unwrap_or(&[])).to_ascii_lowercase();
    let start = start.trim_start();
    let after = match start.split_once("?>") {
        Some((declaration, _)) if start.starts_with("<?xml") => declaration.split_once("encoding")?.1,
        _ if start.starts_with('<') => start.split_once("<meta").and_then(|(_, rest)| rest.split_once("charset"))?.1,
        _ => return None,
    };
    let label = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(label.len());
    Encoding::for_label(label.get(..end)?.as_bytes())
}

/// A text as a string.
pub(super) fn whole(text: &str, max_bytes: usize) -> Read {
    let kept = prefix(text, max_bytes);
    Read { value: Value::from(kept), whole: kept.len() == text.len() }
}

/// The longest beginning of a text that has at most `max` bytes.
pub fn prefix(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// A text as an array of its lines.
pub(super) fn lines(text: &str, room: &mut Room) -> Read {
    let mut lines = Vec::new();
    for line in text.lines() {
        if room.take(line.len() + 3).is_none() {
            return Read { value: lines.into(), whole: false };
        }
        lines.push(Value::from(line));
    }
    Read { value: lines.into(), whole: true }
}
