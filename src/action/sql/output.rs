//! What a statement's rows are turned into, and the JSON Schema of that.

mod text;

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::types::{Column, ColumnKind, Described, Rows, Truncation};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::{Layout, Returns};

/// Stands among the types of a column that may hold any JSON.
const ANY: &str = "any";

/// Turns rows into an answer.
///
/// # Errors
/// If one row or value was asked for and there is none.
pub fn outcome(rows: Rows, returns: Returns, layout: Layout) -> Result<Outcome, ActionError> {
    let none = || ActionError::new(ErrorKind::NotFound, "not found: there is no such row");
    match returns {
        Returns::Row if rows.is_empty() => Err(none()),
        Returns::Rows | Returns::Row if layout != Layout::Json => Ok(Outcome {
            truncated: (returns == Returns::Rows).then(|| cut(&rows)).flatten(),
            mime_type: Some(mime_type(layout).to_owned()),
            ..Outcome::text(text::write(&rows, layout))
        }),
        Returns::Rows => {
            let truncated = cut(&rows);
            let count = rows.len();
            // Not `json!`, which would copy every row.
            let answer = [
                ("rows".to_owned(), rows.into_array().into()),
                ("rowCount".to_owned(), count.into()),
                ("truncated".to_owned(), truncated.is_some().into()),
            ];
            Ok(Outcome { truncated, ..Outcome::json(Value::Object(answer.into_iter().collect())) })
        }
        Returns::Row => rows.into_first().map(|row| Outcome::json(Value::Object(row))).ok_or_else(none),
        Returns::Value => rows.into_value().map(Outcome::json).ok_or_else(none),
        Returns::Affected => Ok(Outcome::json(json!({ "affected": rows.affected, "lastId": rows.last_insert_id }))),
    }
}

/// By which bound rows were cut, in words for the reader.
fn cut(rows: &Rows) -> Option<String> {
    rows.truncated.map(|cut| match cut {
        Truncation::MaxRows(n) => format!("cut after {n} rows (maxRows)"),
        Truncation::MaxBytes(n) => format!("cut after {n} bytes (maxBytes)"),
    })
}

/// The media type of an answer: RFC 8259, RFC 7763, RFC 4180.
pub fn mime_type(layout: Layout) -> &'static str {
    match layout {
        Layout::Json => "application/json",
        Layout::Table => "text/markdown",
        Layout::Csv => "text/csv",
    }
}

/// The schema of an answer of statements that give these columns; `None` where it would be no object.
pub fn schema(described: &[Described], returns: Returns) -> Option<Value> {
    match returns {
        Returns::Rows => Some(json!({
            "type": "object",
            "properties": {
                "rows": { "type": "array", "items": row(described) },
                "rowCount": { "type": "integer" },
                "truncated": { "type": "boolean" },
            },
            "required": ["rows", "rowCount", "truncated"],
        })),
        Returns::Row => Some(row(described)),
        Returns::Value => None,
        Returns::Affected => Some(json!({
            "type": "object",
            "properties": { "affected": { "type": "integer" }, "lastId": { "type": ["integer", "null"] } },
            "required": ["affected", "lastId"],
        })),
    }
}

/// The schema of a row. What variants of a query give in the same column is all allowed.
fn row(described: &[Described]) -> Value {
    if described.iter().any(|d| !d.complete) {
        return json!({ "type": "object" });
    }
    let mut types: IndexMap<&str, BTreeSet<&str>> = IndexMap::new();
    for column in described.iter().flat_map(|d| &d.columns) {
        types.entry(&column.name).or_default().extend(column_types(column));
    }
    let schema = |types: BTreeSet<&str>| match (types.len(), types.first()) {
        (1, Some(one)) => json!({ "type": one }),
        _ if types.contains(ANY) => json!({}),
        _ => json!({ "type": types }),
    };
    let properties: Map<String, Value> =
        types.into_iter().map(|(name, types)| (name.to_owned(), schema(types))).collect();
    let everywhere = |name: &&String| described.iter().all(|d| d.columns.iter().any(|c| c.name == **name));
    let required: Vec<&String> = properties.keys().filter(everywhere).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// What a column may hold. SQLite converts values to a column's type where that loses nothing and keeps
/// them as they are otherwise, so only text columns are sure of their type.
fn column_types(column: &Column) -> Vec<&'static str> {
    let mut types = match column.kind {
        ColumnKind::Text | ColumnKind::Decimal => vec!["string"],
        ColumnKind::Integer | ColumnKind::Number => vec!["number", "string"],
        ColumnKind::Boolean => vec!["boolean", "number", "string"],
        ColumnKind::Blob | ColumnKind::Timestamp | ColumnKind::Date | ColumnKind::Time => vec!["string", "number"],
        ColumnKind::Json => vec!["object", ANY],
        ColumnKind::Unknown => vec!["number", "string"],
    };
    if column.nullable {
        types.push("null");
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: ColumnKind, nullable: bool) -> Column {
        Column { name: name.to_owned(), declared_type: None, kind, nullable }
    }

    fn described(columns: Vec<Column>) -> Described {
        Described { columns, complete: true, params: Vec::new(), read_only: true }
    }

    fn rows(values: Vec<Value>, truncated: Option<Truncation>) -> Rows {
        Rows { columns: ["a".to_owned()].into(), values, truncated, affected: 2, last_insert_id: Some(7) }
    }

    #[test]
    fn rows_become_what_was_asked_for() {
        let given = || rows(vec![json!(1), json!(2)], Some(Truncation::MaxRows(2)));
        let all = outcome(given(), Returns::Rows, Layout::Json).unwrap();
        assert_eq!(
            all.clone().into_value(),
            json!({ "rows": [{ "a": 1 }, { "a": 2 }], "rowCount": 2, "truncated": true })
        );
        assert_eq!(all.truncated.unwrap(), "cut after 2 rows (maxRows)");
        assert_eq!(outcome(given(), Returns::Row, Layout::Json).unwrap().into_value(), json!({ "a": 1 }));
        assert_eq!(outcome(given(), Returns::Value, Layout::Json).unwrap().into_value(), json!(1));
        assert_eq!(
            outcome(given(), Returns::Affected, Layout::Json).unwrap().into_value(),
            json!({ "affected": 2, "lastId": 7 })
        );
        for returns in [Returns::Row, Returns::Value] {
            assert_eq!(outcome(rows(Vec::new(), None), returns, Layout::Json).unwrap_err().kind, ErrorKind::NotFound);
        }
    }

    #[test]
    fn the_schema_says_no_more_than_the_database_keeps() {
        let first = described(vec![column("id", ColumnKind::Integer, false), column("name", ColumnKind::Text, true)]);
        let row = schema(std::slice::from_ref(&first), Returns::Row).unwrap();
        assert_eq!(row["properties"]["id"], json!({ "type": ["number", "string"] }));
        assert_eq!(row["properties"]["name"], json!({ "type": ["null", "string"] }));
        assert_eq!(row["required"], json!(["id", "name"]));
        let second = described(vec![column("id", ColumnKind::Text, false)]);
        let row = schema(&[first, second], Returns::Row).unwrap();
        assert_eq!(row["properties"]["id"], json!({ "type": ["number", "string"] }));
        assert_eq!(row["required"], json!(["id"]));
        let json_column = described(vec![column("id", ColumnKind::Json, true)]);
        assert_eq!(schema(&[json_column], Returns::Row).unwrap()["properties"]["id"], json!({}));
        assert_eq!(schema(&[], Returns::Value), None);
    }
}
