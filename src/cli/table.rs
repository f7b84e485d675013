//! Rows as an aligned table, for a terminal.

use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a cell keeps at least, however narrow the terminal is.
const LEAST: usize = 4;
/// What is between two cells.
const GAP: &str = "  ";
/// Rows that are shown; the rest is counted.
const MOST_ROWS: usize = 1000;

/// The table of an answer: of the one list of rows in it, with what else it says below. `None` if it is no such
/// answer, or the terminal is too narrow.
pub fn of_answer(answer: &Value, width: usize) -> Option<String> {
    let answer = answer.as_object()?;
    let mut lists = answer.iter().filter_map(|(key, value)| Some((key, rows(value)?)));
    let (key, rows) = lists.next()?;
    if lists.next().is_some() {
        return None;
    }
    let mut text = table(&rows, width)?;
    if rows.len() > MOST_ROWS {
        text.push_str(&format!("and {} more\n", rows.len() - MOST_ROWS));
    }
    let others = answer.iter().filter(|(name, value)| *name != key && **value != Value::Bool(false));
    let others: Vec<String> = others.map(|(name, value)| format!("{name}: {}", cell(value))).collect();
    if !others.is_empty() {
        text.push_str(&format!("\x1b[2m{}\x1b[0m\n", others.join(", ")));
    }
    Some(text)
}

/// The rows of a list of objects.
fn rows(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(Value::as_object).collect()
}

fn table(rows: &[&Map<String, Value>], width: usize) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let shown = rows.iter().take(MOST_ROWS);
    let cells: Vec<Vec<String>> =
        shown.map(|row| names.iter().map(|name| row.get(*name).map_or_else(String::new, cell)).collect()).collect();
    let is_number = |name: &&str| rows.iter().all(|row| row.get(*name).is_none_or(|v| v.is_number() || v.is_null()));
    let right: Vec<bool> = names.iter().map(is_number).collect();
    let head: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let widths = widths(&head, &cells, width)?;
    let mut text = format!("\x1b[1m{}\x1b[0m\n", line(&head, &widths, &right));
    for row in &cells {
        text.push_str(&line(row, &widths, &right));
        text.push('\n');
    }
    Some(text)
}

/// The columns' widths: the widest ones give way until all fit.
fn widths(head: &[String], cells: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let mut widths: Vec<usize> = head.iter().map(|name| name.width()).collect();
    for row in cells {
        for (most, cell) in widths.iter_mut().zip(row) {
            *most = cell.width().max(*most);
        }
    }
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    let room = width.checked_sub(gaps)?;
    while widths.iter().sum::<usize>() > room {
        let widest = widths.iter_mut().max().filter(|widest| **widest > LEAST)?;
        *widest -= 1;
    }
    Some(widths)
}

fn line(cells: &[String], widths: &[usize], right: &[bool]) -> String {
    let padded = cells.iter().zip(widths).zip(right).map(|((cell, width), right)| {
        let cell = cut(cell, *width);
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        if *right { pad + &cell } else { cell + &pad }
    });
    padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// The text in one line, as people read it.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        other => other.to_string(),
    }
}

/// Without what would break the line, or move the terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The beginning of a text, with a mark if something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bare(text: &str) -> String {
        text.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    }

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        let answer = json!({
            "rows": [{ "title": "Dune", "price": 9.5 }, { "title": "日本\nb", "price": 12, "of": [1] }],
            "rowCount": 2, "truncated": false,
        });
        let text = bare(&of_answer(&answer, 80).unwrap());
        assert_eq!(text, "title   price  of\nDune      9.5\n日本 b     12  [1]\nrowCount: 2\n");
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let answer = json!({ "rows": [{ "id": 1, "text": "a very long text indeed" }] });
        assert_eq!(bare(&of_answer(&answer, 16).unwrap()), "id  text\n 1  a very long…\n");
        assert!(of_answer(&answer, 5).is_none());
        assert_eq!((cut("日本語", 5).as_str(), cut("abc", 3).as_str()), ("日本…", "abc"));
    }

    #[test]
    fn other_answers_are_no_table() {
        for answer in [json!([1]), json!({ "rows": [] }), json!({ "rows": [1] }), json!({ "a": [{}], "b": [{}] })] {
            assert!(of_answer(&answer, 80).is_none(), "{answer}");
        }
    }

    #[test]
    fn a_value_can_not_move_the_cursor() {
        let text = of_answer(&json!({ "rows": [{ "a": "x\u{1b}[2Jy", "b\r": 1 }] }), 80).unwrap();
        assert_eq!(bare(&text), "a       b\nx [2Jy   1\n");
    }
}
