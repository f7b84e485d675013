//! CSV (RFC 4180) and TSV with a header line: an array of objects, every value a string, as nothing says its type.

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{FormatFault, Read, Room};

/// Columns that a table may have.
const MAX_COLUMNS: usize = 1000;

/// Reads a table. A record with fewer fields than the header lacks the others; further fields get names of their own.
pub(super) fn read(text: &str, separator: u8, cut: bool, room: &mut Room) -> Result<Read, FormatFault> {
    let whole_lines = match (cut, text.rfind('\n')) {
        (true, Some(end)) => text.get(..=end).unwrap_or(text),
        _ => text,
    };
    let mut builder = ReaderBuilder::new();
    builder.delimiter(separator).flexible(true).has_headers(false).quoting(separator == b',');
    let mut reader = builder.from_reader(whole_lines.trim_start_matches('\u{feff}').as_bytes());
    let mut record = StringRecord::new();
    let mut next = |record: &mut StringRecord| {
        reader.read_record(record).map_err(|_| FormatFault::new("is no table of separated values"))
    };
    let mut rows = Vec::new();
    if !next(&mut record)? {
        return Ok(Read { value: rows.into(), whole: true });
    }
    let header = names(record.iter());
    while next(&mut record)? {
        if record.len() > MAX_COLUMNS || header.len() > MAX_COLUMNS {
            return Err(FormatFault::new(format!("has more than {MAX_COLUMNS} columns")));
        }
        let row = row(&header, record.iter());
        if room.row(&row).is_none() {
            return Ok(Read { value: rows.into(), whole: false });
        }
        rows.push(Value::Object(row));
    }
    Ok(Read { value: rows.into(), whole: true })
}

fn row<'r>(header: &[String], fields: impl Iterator<Item = &'r str>) -> Map<String, Value> {
    let named = fields.enumerate().map(|(at, field)| {
        let name = header.get(at).cloned().unwrap_or_else(|| numbered(at));
        (name, Value::from(field))
    });
    named.collect()
}

/// The header's names, each once: the second `id` is `id_2`, one without a name `column3`.
pub(super) fn names<'r>(header: impl Iterator<Item = &'r str>) -> Vec<String> {
    let mut seen = std::collections::HashMap::<String, usize>::new();
    let mut names = Vec::new();
    for (at, name) in header.enumerate() {
        let name = match name.trim() {
            "" => numbered(at),
            name => name.to_owned(),
        };
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        names.push(if *times > 1 { format!("{name}_{times}") } else { name });
    }
    names
}

fn numbered(at: usize) -> String {
    format!("column{}", at + 1)
}
