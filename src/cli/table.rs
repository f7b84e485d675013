//! Rows as an aligned table, for a terminal.

use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a cell keeps at least, however narrow the terminal is.
const LEAST: usize = 4;
/// What is between two cells.
const GAP: &str = "  ";
/// Rows that are shown; the rest is counted.
const MOST_ROWS: usize = 1000;

/// The table of an answer: of the one list of rows in it, with what else it says below. Rows that don't fit side by
/// side are set out one below the other. `None` if it is no such answer.
pub fn of_answer(answer: &Value, width: usize) -> Option<String> {
    let answer = answer.as_object()?;
    let (key, rows) = only_rows(answer)?;
    let mut text = table(&rows, width).unwrap_or_else(|| records(&rows));
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

/// The one list of rows, and its key. One that is empty is known by its count.
fn only_rows(answer: &Map<String, Value>) -> Option<(&str, Vec<&Map<String, Value>>)> {
    let mut lists = answer.iter().filter_map(|(key, value)| Some((key.as_str(), rows(value)?)));
    match (lists.next(), lists.next()) {
        (Some(only), None) => Some(only),
        (None, _) if answer.get("rowCount").is_some_and(|count| *count == 0) => Some(("rows", Vec::new())),
        _ => None,
    }
}

/// The rows of a list of objects.
fn rows(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(Value::as_object).collect()
}

/// `None` if the terminal is too narrow.
fn table(rows: &[&Map<String, Value>], width: usize) -> Option<String> {
    if rows.is_empty() {
        return Some(String::new());
    }
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let shown = rows.iter().take(MOST_ROWS);
    let cells: Vec<Vec<String>> =
        shown.map(|row| names.iter().map(|name| row.get(*name).map_or_else(String::new, cell)).collect()).collect();
    let numeric = |name: &&str| rows.iter().all(|row| row.get(*name).is_none_or(|v| v.is_number() || v.is_null()));
    let right: Vec<bool> = names.iter().map(numeric).collect();
    let head: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let widths = widths(&head, &cells, width)?;
    let mut text = format!("\x1b[1m{}\x1b[0m\n", line(&head, &widths, &right));
    for row in &cells {
        text.push_str(&line(row, &widths, &right));
        text.push('\n');
    }
    Some(text)
}

/// Each row as lines of names and values, of which nothing is cut.
fn records(rows: &[&Map<String, Value>]) -> String {
    let record = |row: &&Map<String, Value>| {
        let widest = row.keys().map(|name| plain(name).width()).max().unwrap_or(0);
        let line = |(name, value): (&String, &Value)| {
            let name = plain(name);
            let pad = " ".repeat(widest.saturating_sub(name.width()));
            format!("\x1b[1m{name}\x1b[0m{pad}{GAP}{}\n", cell(value))
        };
        row.iter().map(line).chain(["\n".to_owned()]).collect::<String>()
    };
    rows.iter().take(MOST_ROWS).map(record).collect()
}

/// The columns' widths: the widest ones give way until all fit, but not those of numbers, as a number without its
/// end is another number.
fn widths(head: &[String], cells: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let mut columns: Vec<(usize, usize)> = head.iter().map(|name| (name.width(), LEAST)).collect();
    for row in cells {
        for ((most, least), cell) in columns.iter_mut().zip(row) {
            *most = cell.width().max(*most);
            if is_number(cell) {
                *least = cell.width().max(*least);
            }
        }
    }
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    let room = width.checked_sub(gaps)?;
    while columns.iter().map(|(width, _)| width).sum::<usize>() > room {
        let (widest, _) = columns.iter_mut().filter(|(width, least)| width > least).max()?;
        *widest -= 1;
    }
    Some(columns.into_iter().map(|(width, _)| width).collect())
}

/// Whether a cell is a number, be it that of a database that gives its decimals as text.
fn is_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok_and(f64::is_finite)
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
        assert_eq!(bare(&of_answer(&answer, 5).unwrap()), "id    1\ntext  a very long text indeed\n\n");
        assert_eq!((cut("日本語", 5).as_str(), cut("abc", 3).as_str()), ("日本…", "abc"));
    }

    #[test]
    fn a_number_is_never_cut() {
        let answer = json!({ "rows": [{ "path": "/a/long/path", "size": 270_553_174_016_u64, "left": "12345.67" }] });
        assert_eq!(
            bare(&of_answer(&answer, 32).unwrap()),
            "path              size  left\n/a/long…  270553174016  12345.67\n"
        );
        let narrow = bare(&of_answer(&answer, 24).unwrap());
        assert_eq!(narrow, "path  /a/long/path\nsize  270553174016\nleft  12345.67\n\n");
    }

    #[test]
    fn without_rows_the_rest_is_told() {
        let answer = json!({ "rows": [], "rowCount": 0, "truncated": false, "page": 7 });
        assert_eq!(bare(&of_answer(&answer, 80).unwrap()), "rowCount: 0, page: 7\n");
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
