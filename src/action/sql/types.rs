//! What every SQL driver takes and gives, whichever the database.

mod json;
mod open;
mod rows;

use serde_json::Value;
use std::fmt;
use std::sync::Arc;

pub use json::json;
pub use open::OpenFault;
pub use rows::{Rows, Truncation};

pub use crate::spec::model::Isolation;

/// A statement and what is bound to its parameters, by name without the colon.
pub type Bound = (Arc<str>, Vec<(String, Bind)>);

/// Statements that take effect all together or not at all. Every driver runs them with
/// `transaction(&self, work: Transaction, limits: Limits, cancel: &CancellationToken) -> Result<Vec<Rows>, SqlFault>`,
/// which gives what each of them gave, in their order; the limit of bytes is for all of them together.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// The statements, in their order.
    pub statements: Vec<Bound>,
    /// What they see of others; the database's default if it is not said.
    pub isolation: Option<Isolation>,
}

/// A value that is bound to a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// NULL.
    Null,
    /// A truth value; 0 or 1 where the database has none.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// Text; may hold NUL characters.
    Text(String),
    /// An array: its JSON text, or a list of values where a list stands.
    List(Vec<Value>),
}

impl Bind {
    /// What a JSON value binds as: objects as their JSON text, integers beyond 64 signed bits as their digits.
    pub fn from_json(value: &Value) -> Bind {
        match value {
            Value::Null => Bind::Null,
            Value::Bool(truth) => Bind::Bool(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Bind::Integer(integer),
                (None, Some(float)) if number.is_f64() => Bind::Float(float),
                _ => Bind::Text(number.to_string()),
            },
            Value::String(text) => Bind::Text(text.clone()),
            Value::Array(items) => Bind::List(items.clone()),
            Value::Object(_) => Bind::Text(value.to_string()),
        }
    }
}

/// What a column holds, judged by its declared type. SQLite lets any value stand in any column, unless
/// the table is STRICT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Integers: JSON numbers up to ±2^53, strings beyond.
    Integer,
    /// Floating point: JSON numbers; infinities are strings.
    Number,
    /// Exact decimals: strings.
    Decimal,
    /// Text.
    Text,
    /// Truth values.
    Boolean,
    /// Bytes: base64 text.
    Blob,
    /// JSON of any shape.
    Json,
    /// Date and time: RFC 3339, without an offset where the column has no zone.
    Timestamp,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// Not known before a value is seen.
    Unknown,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as the database gives it.
    pub name: String,
    /// The declared type; none for an expression.
    pub declared_type: Option<String>,
    /// What that type means for us.
    pub kind: ColumnKind,
    /// False only where the database rules NULL out.
    pub nullable: bool,
}

/// A statement that was prepared and not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its columns; none when it gives no rows.
    pub columns: Vec<Column>,
    /// Whether those are all of them: what a procedure gives may not be known before it runs.
    pub complete: bool,
    /// The names of its parameters, each once, without colons.
    pub params: Vec<String>,
    /// Whether it writes nothing.
    pub read_only: bool,
}

impl Described {
    /// The first name that two columns share: rows are objects, so one of the two would be lost.
    pub fn duplicate_column(&self) -> Option<&str> {
        let mut seen = std::collections::HashSet::new();
        self.columns.iter().map(|column| column.name.as_str()).find(|name| !seen.insert(*name))
    }
}

/// Why a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The statement itself is wrong or not allowed.
    Refused,
    /// A constraint of the schema was violated.
    Constraint,
    /// Somebody else holds a lock.
    Busy,
    /// A write to a database that may only be read.
    ReadOnly,
    /// The time was up.
    TimedOut,
    /// The caller went away.
    Cancelled,
    /// The database can't be reached or read.
    Unavailable,
    /// Anything else, such as a fault in the data.
    Other,
}

/// A statement that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFault {
    /// What is wrong, in the database's own words where it has some.
    pub message: String,
    /// The byte of the statement that is at fault, if that is known.
    pub offset: Option<usize>,
    /// Why it failed.
    pub kind: FaultKind,
}

impl SqlFault {
    /// A fault that has no place in the statement.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        SqlFault { message: message.into(), offset: None, kind }
    }

    /// The same fault, at a byte of the statement.
    pub fn at(mut self, offset: Option<usize>) -> Self {
        self.offset = offset;
        self
    }
}

impl fmt::Display for SqlFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for SqlFault {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_binds_by_its_type() {
        assert_eq!(Bind::from_json(&json!(null)), Bind::Null);
        assert_eq!(Bind::from_json(&json!(true)), Bind::Bool(true));
        assert_eq!(Bind::from_json(&json!(i64::MIN)), Bind::Integer(i64::MIN));
        assert_eq!(Bind::from_json(&json!(u64::MAX)), Bind::Text("18446744073709551615".into()));
        assert_eq!(Bind::from_json(&json!(1.5)), Bind::Float(1.5));
        assert_eq!(Bind::from_json(&json!(1.0)), Bind::Float(1.0));
        assert_eq!(Bind::from_json(&json!("a\0b")), Bind::Text("a\0b".into()));
        assert_eq!(Bind::from_json(&json!([1, {"a": "b"}])), Bind::List(vec![json!(1), json!({"a": "b"})]));
        assert_eq!(Bind::from_json(&json!({"a": "b"})), Bind::Text(r#"{"a":"b"}"#.into()));
    }

    #[test]
    fn a_column_name_that_stands_twice_is_named() {
        let column =
            |name: &str| Column { name: name.into(), declared_type: None, kind: ColumnKind::Unknown, nullable: true };
        let mut described =
            Described { columns: vec![column("a"), column("b")], complete: true, params: vec![], read_only: true };
        assert_eq!(described.duplicate_column(), None);
        described.columns.push(column("a"));
        assert_eq!(described.duplicate_column(), Some("a"));
    }
}
