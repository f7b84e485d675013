//! Rows as text: a Markdown table, or CSV.

use std::borrow::Cow;

use serde_json::Value;

use super::super::types::Rows;
use crate::spec::model::Layout;

/// Writes rows, with a header.
pub fn write(rows: &Rows, layout: Layout) -> String {
    let csv = layout == Layout::Csv;
    let mut text = String::new();
    let header = rows.columns.iter().map(|name| Cow::Borrowed(name.as_str()));
    match csv {
        true => csv_line(&mut text, header.map(|name| csv_text(&name))),
        false => {
            table_line(&mut text, header.map(|name| table_text(&name)));
            table_line(&mut text, rows.columns.iter().map(|_| "---".to_owned()));
        }
    }
    for row in rows.values.chunks(rows.columns.len().max(1)) {
        match csv {
            true => csv_line(&mut text, row.iter().map(csv_value)),
            false => table_line(&mut text, row.iter().map(|value| table_text(&plain(value)))),
        }
    }
    text
}

/// A value as people write it: strings without quotes, NULL as nothing.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn csv_line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&cell);
    }
    text.push_str("\r\n");
}

/// RFC 4180, section 2. An empty text is quoted, which keeps it apart from NULL.
fn csv_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        other => csv_text(&plain(other)),
    }
}

fn csv_text(text: &str) -> String {
    match text.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

fn table_line(text: &mut String, cells: impl Iterator<Item = String>) {
    text.push('|');
    for cell in cells {
        text.push(' ');
        text.push_str(&cell);
        text.push_str(" |");
    }
    text.push('\n');
}

/// A cell ends at a bar or at the end of its line, so neither may stand in it.
fn table_text(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|");
    text.replace("\r\n", "<br>").replace(['\r', '\n'], "<br>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows() -> Rows {
        let values = vec![
            json!(1),
            json!("a, \"b\"\nc|d\\e"),
            json!(null),
            json!("12.50"),
            json!(""),
            json!({ "a": [1, true] }),
        ];
        let columns = ["n", "a|b", "c,d"].map(str::to_owned).into();
        Rows { columns, values, ..Rows::default() }
    }

    #[test]
    fn csv_is_quoted_where_it_has_to_be() {
        let text = "n,a|b,\"c,d\"\r\n1,\"a, \"\"b\"\"\nc|d\\e\",\r\n12.50,\"\",\"{\"\"a\"\":[1,true]}\"\r\n";
        assert_eq!(write(&rows(), Layout::Csv), text);
    }

    #[test]
    fn a_cell_stays_in_its_table() {
        let text = "| n | a\\|b | c,d |\n| --- | --- | --- |\n| 1 | a, \"b\"<br>c\\|d\\\\e |  |\n\
                    | 12.50 |  | {\"a\":[1,true]} |\n";
        assert_eq!(write(&rows(), Layout::Table), text);
    }

    #[test]
    fn no_rows_are_a_header() {
        let none = Rows { values: Vec::new(), ..rows() };
        assert_eq!(write(&none, Layout::Csv), "n,a|b,\"c,d\"\r\n");
    }
}
