//! Values that are too large, made smaller and still of the same shape: arrays lose items at their end, long texts
//! characters; no key of an object is lost, and no type changes.

use serde_json::Value;

/// What stands at the end of a text that was cut.
const ELLIPSIS: char = '…';

/// Bytes of a text that are always kept: shorter ones are names and words, not content.
const LEAST_TEXT: usize = 64;

/// Makes a value fit into `max_bytes` of compact JSON, as far as that is possible. Whether it fitted from the start.
pub fn shorten(value: &mut Value, max_bytes: usize) -> bool {
    let before = size(value);
    if before <= max_bytes {
        return true;
    }
    fit(value, before, max_bytes);
    false
}

/// Bytes of a value as compact JSON.
pub fn size(value: &Value) -> usize {
    let mut counter = Counter(0);
    // counting never fails
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Shrinks a value of `size` bytes to `room`; gives the bytes that it has then.
fn fit(value: &mut Value, size: usize, room: usize) -> usize {
    if size <= room {
        return size;
    }
    match value {
        Value::Array(items) => fit_items(items, room),
        Value::Object(fields) => fit_fields(fields, size, room),
        Value::String(text) => fit_text(text, room),
        Value::Null | Value::Bool(_) | Value::Number(_) => size,
    }
}

/// Keeps the items that fit; if not even the first does, that one is shortened.
fn fit_items(items: &mut Vec<Value>, room: usize) -> usize {
    let mut used = 2;
    let mut kept = 0;
    for item in items.iter() {
        let with = used + size(item) + usize::from(kept > 0);
        if with > room {
            break;
        }
        used = with;
        kept += 1;
    }
    items.truncate(kept.max(1));
    if let (0, Some(first)) = (kept, items.first_mut()) {
        let before = size(first);
        let after = fit(first, before, room.saturating_sub(2));
        if after + 2 <= room {
            return after + 2;
        }
        items.clear();
        return 2;
    }
    used
}

/// Shrinks the largest fields first.
fn fit_fields(fields: &mut serde_json::Map<String, Value>, size_now: usize, room: usize) -> usize {
    let mut all: Vec<(usize, &mut Value)> = fields.values_mut().map(|value| (size(value), value)).collect();
    all.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let mut size_now = size_now;
    for (before, value) in all {
        if size_now <= room {
            break;
        }
        let after = fit(value, before, before.saturating_sub(size_now - room));
        size_now -= before.saturating_sub(after);
    }
    size_now
}

fn fit_text(text: &mut String, room: usize) -> usize {
    let mut used = 2 + ELLIPSIS.len_utf8();
    let room = room.max(LEAST_TEXT);
    let end = text.char_indices().find_map(|(at, c)| {
        used += escaped(c);
        (used > room).then_some(at)
    });
    if let Some(end) = end {
        text.truncate(end);
        text.push(ELLIPSIS);
    }
    2 + text.chars().map(escaped).sum::<usize>()
}

/// Bytes of a character inside of a JSON string.
fn escaped(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
