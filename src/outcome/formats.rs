//! Text as JSON: what an API answers, a program prints or a file holds, read in the format that it is in.
//!
//! ```text
//! bytes ──text::decode──▶ text ──read(format)──▶ Read { value, whole }
//! ```
//!
//! Everything here takes time linear in the text, never recurses on it, and stops at a bound of the value's size: a
//! text that is small and means something large is cut, not built. What was cut before it came here (`cut`) is read
//! as far as it goes, without its broken end.

pub mod columns;
pub mod html;
pub mod json;
pub mod media_type;
pub mod separated;
pub mod shorten;
pub mod text;
pub mod xml;

use std::fmt;

use serde_json::Value;

pub use columns::Columns;
pub use media_type::MediaType;

/// Values that one text may hold; each takes memory beyond its bytes.
const MAX_VALUES: usize = 2_000_000;

/// Levels of arrays and objects, as other readers of JSON have it.
pub const MAX_DEPTH: usize = 128;

/// What a text is, and so what JSON it becomes.
#[derive(Debug, Clone)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// One JSON value a line; an array of them.
    Ndjson,
    /// Itself: a string.
    Text,
    /// An array of lines.
    Lines,
    /// Comma-separated values (RFC 4180) with a header: an array of objects of strings.
    Csv,
    /// The same with tabs.
    Tsv,
    /// A table whose columns are aligned with spaces, with a header: an array of objects of strings.
    Table,
    /// An array of objects of strings, one for each line that a pattern matches.
    Columns(Columns),
    /// An XML document: an object.
    Xml,
    /// An HTML page as Markdown: a string.
    Markdown,
}

/// What a text was read as.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The value.
    pub value: Value,
    /// Whether it is all of the text; otherwise its end is missing.
    pub whole: bool,
}

/// Why a text can't be read, in words that follow the name of what was read: "is not JSON (line 2)". Nothing of the
/// text is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatFault(pub String);

impl fmt::Display for FormatFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FormatFault {
    fn new(words: impl Into<String>) -> Self {
        FormatFault(words.into())
    }
}

/// Reads a text. `cut` says that its end is missing; `max_bytes` bounds the value as compact JSON (a string: its
/// bytes), and what is beyond is left out.
///
/// # Errors
/// If the text is not in that format, too deep, or made of too many values.
pub fn read(format: &Format, text: &str, cut: bool, max_bytes: usize) -> Result<Read, FormatFault> {
    let mut room = Room::new(max_bytes);
    let read = match format {
        Format::Json => return json::read(text, cut, max_bytes),
        Format::Ndjson => json::lines(text, cut, &mut room)?,
        Format::Text => text::whole(text, max_bytes),
        Format::Lines => text::lines(text, &mut room),
        Format::Csv => separated::read(text, b',', cut, &mut room)?,
        Format::Tsv => separated::read(text, b'\t', cut, &mut room)?,
        Format::Table => columns::table(text, cut, &mut room),
        Format::Columns(columns) => columns.read(text, cut, &mut room),
        Format::Xml => xml::read(text, cut, &mut room)?,
        Format::Markdown => html::markdown(text, max_bytes),
    };
    Ok(Read { whole: read.whole && !cut, ..read })
}

/// The bytes and values that may still be made.
#[derive(Debug)]
struct Room {
    bytes: usize,
    values: usize,
    used_up: bool,
}

impl Room {
    fn new(bytes: usize) -> Self {
        Room { bytes, values: MAX_VALUES, used_up: false }
    }

    /// Uses some of it for one value; `None` if there is not enough.
    fn take(&mut self, bytes: usize) -> Option<()> {
        match (self.bytes.checked_sub(bytes), self.values.checked_sub(1)) {
            (Some(bytes), Some(values)) => {
                (self.bytes, self.values) = (bytes, values);
                Some(())
            }
            _ => {
                self.used_up = true;
                None
            }
        }
    }

    /// Whether something did not fit.
    fn is_used_up(&self) -> bool {
        self.used_up
    }

    /// Uses some of it for an object of strings; `None` if there is not enough.
    fn row(&mut self, row: &serde_json::Map<String, Value>) -> Option<()> {
        self.take(3)?;
        row.iter().try_for_each(|(name, value)| self.take(name.len() + value.as_str().map_or(4, str::len) + 6))
    }
}

#[cfg(test)]
mod tests;
