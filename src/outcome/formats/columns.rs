//! Lines as rows: by a pattern with named groups, or by the gaps between columns that are aligned.

use regex::Regex;
use serde_json::{Map, Value};

use super::separated::names;
use super::{Read, Room};

/// Characters of a line that are looked at for gaps; what is beyond belongs to the last column.
const MAX_WIDTH: usize = 4096;

/// A pattern whose named groups are the columns.
#[derive(Debug, Clone)]
pub struct Columns(Regex);

impl Columns {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words for the spec's author.
    pub fn new(pattern: &str) -> Result<Columns, String> {
        let regex = Regex::new(pattern).map_err(|error| {
            let words = error.to_string();
            let last = words.lines().last().unwrap_or("it does not parse");
            last.trim_start_matches("error: ").to_owned()
        })?;
        match regex.capture_names().flatten().next() {
            Some(_) => Ok(Columns(regex)),
            None => Err("it has no named group: `(?<name>…)` makes a column".to_owned()),
        }
    }

    /// One row for each line that matches; other lines are passed over. A group that took no part is null.
    pub(super) fn read(&self, text: &str, cut: bool, room: &mut Room) -> Read {
        let names: Vec<&str> = self.0.capture_names().flatten().collect();
        let mut rows = Vec::new();
        for line in whole_lines(text, cut).lines() {
            let Some(found) = self.0.captures(line) else { continue };
            let value = |name: &str| found.name(name).map_or(Value::Null, |m| Value::from(m.as_str()));
            let row: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), value(name))).collect();
            if room.row(&row).is_none() {
                return Read { value: rows.into(), whole: false };
            }
            rows.push(Value::Object(row));
        }
        Read { value: rows.into(), whole: true }
    }
}

/// A text without its last line if that was cut.
fn whole_lines(text: &str, cut: bool) -> &str {
    match (cut, text.rfind('\n')) {
        (true, Some(end)) => text.get(..=end).unwrap_or(text),
        _ => text,
    }
}

/// A table whose first line is its header. A column begins after a gap that goes through all lines, where the header
/// has a word.
pub(super) fn table(text: &str, cut: bool, room: &mut Room) -> Read {
    let mut lines = whole_lines(text, cut).lines().filter(|line| !line.trim().is_empty());
    let mut rows = Vec::new();
    let Some(header) = lines.next() else { return Read { value: rows.into(), whole: true } };
    let starts = starts(header, lines.clone());
    let names = names(cells(header, &starts).into_iter());
    for line in lines {
        let cells = cells(line, &starts).into_iter().map(Value::from);
        let row: Map<String, Value> = names.iter().cloned().zip(cells).collect();
        if room.row(&row).is_none() {
            return Read { value: rows.into(), whole: false };
        }
        rows.push(Value::Object(row));
    }
    Read { value: rows.into(), whole: true }
}

/// The characters at which columns begin.
fn starts<'t>(header: &str, lines: impl Iterator<Item = &'t str>) -> Vec<usize> {
    let (mut in_header, mut in_rows) = (Vec::new(), Vec::new());
    mark(header, &mut in_header);
    lines.for_each(|line| mark(line, &mut in_rows));
    let filled = |marks: &[bool], at: usize| marks.get(at).copied().unwrap_or(false);
    let mut found: Vec<Stretch> = Vec::new();
    let (mut in_gap, mut unnamed) = (true, 0);
    for at in 0..in_header.len().max(in_rows.len()) {
        let (named, used) = (filled(&in_header, at), filled(&in_rows, at));
        if (named || used) && in_gap {
            found.push(Stretch { at, named: false, used: false, apart: unnamed > 1 });
        }
        in_gap = !(named || used);
        unnamed = if named { 0 } else { unnamed + 1 };
        if let Some(last) = found.last_mut() {
            last.named |= named;
            last.used |= used;
        }
    }
    let columns = found.iter().filter(|f| f.named && (f.used || f.apart)).map(|f| f.at);
    // whatever stands before the first column belongs to it
    std::iter::once(0).chain(columns.skip(1)).collect()
}

/// Characters between two gaps: whether the header and the rows have some there, and whether the header's word is
/// set apart from the one before by more than a space.
struct Stretch {
    at: usize,
    named: bool,
    used: bool,
    apart: bool,
}

/// Notes where a line has characters.
fn mark(line: &str, filled: &mut Vec<bool>) {
    for (at, c) in line.chars().take(MAX_WIDTH).enumerate() {
        if filled.len() <= at {
            filled.push(false);
        }
        if let Some(place) = filled.get_mut(at).filter(|_| !c.is_whitespace()) {
            *place = true;
        }
    }
}

/// A line's cells, trimmed.
fn cells<'l>(line: &'l str, starts: &[usize]) -> Vec<&'l str> {
    let mut at_byte = line.char_indices().map(|(at, _)| at).chain(std::iter::once(line.len()));
    let mut seen = 0;
    let bytes: Vec<usize> = starts
        .iter()
        .map(|start| {
            let at = at_byte.nth(start - seen).unwrap_or(line.len());
            seen = start + 1;
            at
        })
        .collect();
    let ends = bytes.iter().skip(1).copied().chain(std::iter::once(line.len()));
    bytes.iter().zip(ends).map(|(start, end)| line.get(*start..end).unwrap_or("").trim()).collect()
}
