//! Rows, kept flat: the names once and the values in one run, so that a big result makes few allocations.

use std::sync::Arc;

use serde_json::{Map, Value};

/// What cut a result short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// There are more rows than this.
    MaxRows(usize),
    /// The rows have more bytes than this.
    MaxBytes(usize),
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Arc<[String]>,
    /// The values, row after row.
    pub values: Vec<Value>,
    /// What cut the rows short, if something did.
    pub truncated: Option<Truncation>,
    /// How many rows the statement wrote itself, triggers not counted.
    pub affected: u64,
    /// The id of the row that was inserted last, if this statement inserted one that has an id.
    pub last_insert_id: Option<i64>,
}

impl Rows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The rows as JSON objects.
    pub fn into_objects(self) -> impl Iterator<Item = Map<String, Value>> {
        let count = self.len();
        let (columns, mut values) = (self.columns, self.values.into_iter());
        (0..count).map(move |_| columns.iter().cloned().zip(values.by_ref().take(columns.len())).collect())
    }

    /// The first row as a JSON object.
    pub fn into_first(self) -> Option<Map<String, Value>> {
        self.into_objects().next()
    }

    /// The first column of the first row.
    pub fn into_value(self) -> Option<Value> {
        self.values.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(columns: &[&str], values: Vec<Value>) -> Rows {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Rows { columns, values, truncated: None, affected: 0, last_insert_id: None }
    }

    #[test]
    fn rows_are_objects_in_the_order_of_the_columns() {
        let two = rows(&["b", "a"], vec![json!(1), json!("x"), json!(2), json!(null)]);
        assert_eq!(two.len(), 2);
        let text = r#"[{"b":1,"a":"x"},{"b":2,"a":null}]"#;
        assert_eq!(serde_json::to_string(&two.clone().into_objects().collect::<Vec<_>>()).unwrap(), text);
        assert_eq!(serde_json::to_string(&two.clone().into_first()).unwrap(), r#"{"b":1,"a":"x"}"#);
        assert_eq!(two.into_value(), Some(json!(1)));
    }

    #[test]
    fn no_rows_and_no_columns() {
        for empty in [rows(&["a"], vec![]), rows(&[], vec![])] {
            assert_eq!((empty.len(), empty.is_empty()), (0, true));
            assert_eq!(empty.clone().into_objects().count(), 0);
            assert_eq!(empty.clone().into_first(), None);
            assert_eq!(empty.into_value(), None);
        }
    }
}
