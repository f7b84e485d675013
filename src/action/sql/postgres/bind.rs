//! Values on their way to the server: every one is bound as text, which the statement casts to the type that stands
//! there. So a value of any type can be bound, and the server says what is wrong with one.

use serde_json::Value;

use super::types::Type;
use super::value;
use crate::action::sql::types::{Bind, FaultKind, SqlFault};

/// What a value is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The name, without its colon.
    pub name: String,
    /// Whether a list stands here, of this type.
    pub list: bool,
    /// The type that stands here.
    pub kind: Type,
}

impl Param {
    /// The expression that stands for it in the statement, where `$number` is the text.
    pub fn expression(&self, number: usize) -> String {
        let Type { name, array, is_composite, .. } = &self.kind;
        if self.list {
            return format!("SELECT unnest(CAST(${number}::text AS {array}))");
        }
        let cast = format!("CAST(${number}::text AS {name})");
        match is_composite {
            true => format!(
                "(CASE WHEN ${number}::text LIKE '{{%' THEN json_populate_record(NULL::{name}, \
                 CAST(${number}::text AS json)) ELSE {cast} END)"
            ),
            false => format!("({cast})"),
        }
    }

    /// The text of a value; none for NULL.
    ///
    /// # Errors
    /// If no text can stand for it.
    pub fn text(&self, bind: &Bind) -> Result<Option<String>, SqlFault> {
        let text = match bind {
            Bind::Null if self.list => Some("{NULL}".to_owned()),
            Bind::Null => None,
            Bind::List(items) if self.list || self.kind.element.is_some() => Some(self.array(items)?),
            Bind::List(items) => Some(Value::Array(items.clone()).to_string()),
            one if self.list => Some(self.array(&[single(one)])?),
            Bind::Bool(truth) => Some(truth.to_string()),
            Bind::Integer(integer) => Some(integer.to_string()),
            Bind::Float(float) => Some(float.to_string()),
            Bind::Text(text) if value::is_bytes(self.kind.oid) => Some(bytes(text)?),
            Bind::Text(text) => Some(text.clone()),
        };
        match text {
            Some(text) if text.contains('\0') => Err(refused("PostgreSQL's text holds no NUL characters")),
            text => Ok(text),
        }
    }

    /// `{…}`, <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT>
    fn array(&self, items: &[Value]) -> Result<String, SqlFault> {
        let item = |item: &Value| match item {
            Value::Array(inner) if !self.element_type().is_some_and(value::is_json) => self.array(inner),
            other => Ok(match self.element(other)? {
                Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                None => "NULL".to_owned(),
            }),
        };
        let items: Vec<String> = items.iter().map(item).collect::<Result<_, _>>()?;
        Ok(format!("{{{}}}", items.join(",")))
    }

    fn element_type(&self) -> Option<u32> {
        if self.list { Some(self.kind.oid) } else { self.kind.element }
    }

    /// An element of an array, as its type reads it; none for NULL.
    fn element(&self, element: &Value) -> Result<Option<String>, SqlFault> {
        match element {
            Value::Null => Ok(None),
            Value::String(text) if self.element_type().is_some_and(value::is_bytes) => bytes(text).map(Some),
            Value::String(text) => Ok(Some(text.clone())),
            // 1.0 is an integer to JSON Schema, and `1` to every type of numbers.
            Value::Number(number) if number.is_f64() => Ok(number.as_f64().map(|float| float.to_string())),
            other => Ok(Some(other.to_string())),
        }
    }
}

/// A value that is a list of its own.
fn single(bind: &Bind) -> Value {
    match bind {
        Bind::Bool(truth) => (*truth).into(),
        Bind::Integer(integer) => (*integer).into(),
        Bind::Float(float) => (*float).into(),
        Bind::Text(text) => text.as_str().into(),
        Bind::Null | Bind::List(_) => Value::Null,
    }
}

fn bytes(text: &str) -> Result<String, SqlFault> {
    value::bytes_from_base64(text).ok_or_else(|| refused("bytes are bound as base64, and this is none"))
}

fn refused(words: &str) -> SqlFault {
    SqlFault::new(FaultKind::Constraint, words)
}
