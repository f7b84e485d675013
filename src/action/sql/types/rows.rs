//! Rows, kept flat: the names once and the values in one run, so that a big result makes few allocations.

use std::sync::Arc;

use serde_json::{Map, Value};

/// From how many values on it pays to give memory back early.
const LARGE: usize = 4096;

/// What cut a result short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// There are more rows than this.
    MaxRows(usize),
    /// The rows have more bytes than this.
    MaxBytes(usize),
}

/// What a statement gave.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// What several statements wrote: their counts together, and the id that was inserted last.
    pub fn sum(all: Vec<Rows>) -> Rows {
        let add = |sum: Rows, rows: Rows| Rows {
            affected: sum.affected.saturating_add(rows.affected),
            last_insert_id: rows.last_insert_id.or(sum.last_insert_id),
            ..sum
        };
        all.into_iter().fold(Rows::default(), add)
    }

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
        let object = |value| match value {
            Value::Object(object) => Some(object),
            _ => None,
        };
        self.into_array().into_iter().filter_map(object)
    }

    /// The rows as an array of JSON objects. What is turned into them is let go of meanwhile, as both together would be
    /// large.
    pub fn into_array(self) -> Vec<Value> {
        let width = self.columns.len();
        let (columns, mut values) = (self.columns, self.values);
        let mut objects = Vec::with_capacity(values.len().checked_div(width).unwrap_or(0));
        // From the end, where values can be taken away.
        while let Some(start) = values.len().checked_sub(width).filter(|_| !values.is_empty()) {
            objects.push(Value::Object(columns.iter().cloned().zip(values.drain(start..)).collect()));
            if values.capacity() > LARGE && values.len() < values.capacity() / 2 {
                values.shrink_to_fit();
            }
        }
        objects.reverse();
        objects
    }

    /// The first row as a JSON object.
    pub fn into_first(mut self) -> Option<Map<String, Value>> {
        self.values.truncate(self.columns.len());
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
