//! The server's values as JSON, by the type of their column. They come in the binary protocol.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>

use serde_json::{Number, Value};
use sqlx::mysql::{MySql, MySqlColumn, MySqlRow, MySqlTypeInfo};
use sqlx::{Column as _, Decode, Row as _, Type, TypeInfo as _};

use super::{geometry, time};
use crate::action::sql::types::{self, ColumnKind};
use crate::outcome::base64;

/// Integers beyond this are not exact in JavaScript, so they become strings.
const EXACT: u64 = 1 << 53;

/// How a column's values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `BOOLEAN`, which is `TINYINT(1)`.
    Boolean,
    /// A signed integer of any width.
    Signed,
    /// An unsigned integer of any width, or a year.
    Unsigned,
    /// Bits, the highest first.
    Bits,
    /// A number of 32 bits.
    Float,
    /// A number of 64 bits.
    Double,
    /// An exact number, in digits.
    Decimal,
    /// A date.
    Date,
    /// A date and time without a zone.
    DateTime,
    /// A moment; the connection's time zone is UTC.
    Timestamp,
    /// A time of day or a span.
    Time,
    /// Text, in any character set.
    Text,
    /// Text that is JSON.
    Json,
    /// Bytes.
    Bytes,
    /// Geometry.
    Geometry,
    /// Nothing but NULL.
    Null,
}

impl Form {
    /// How the values of a column are read, as far as its type tells: MariaDB's JSON is text.
    pub fn of(info: &MySqlTypeInfo) -> Form {
        match info.name() {
            "BOOLEAN" if <u8 as Type<MySql>>::compatible(info) => Form::Unsigned,
            "BOOLEAN" => Form::Boolean,
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Form::Signed,
            "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" | "BIGINT UNSIGNED"
            | "YEAR" => Form::Unsigned,
            "BIT" => Form::Bits,
            "FLOAT" => Form::Float,
            "DOUBLE" => Form::Double,
            "DECIMAL" => Form::Decimal,
            "DATE" => Form::Date,
            "DATETIME" => Form::DateTime,
            "TIMESTAMP" => Form::Timestamp,
            "TIME" => Form::Time,
            "JSON" => Form::Json,
            "GEOMETRY" => Form::Geometry,
            "NULL" => Form::Null,
            "ENUM" | "SET" => Form::Text,
            // Whatever has a character set is text; its name says BLOB or BINARY also where it only sorts by bytes.
            _ if <str as Type<MySql>>::compatible(info) => Form::Text,
            _ => Form::Bytes,
        }
    }

    /// What a column of this form holds.
    pub fn kind(self) -> ColumnKind {
        match self {
            Form::Boolean => ColumnKind::Boolean,
            Form::Signed | Form::Unsigned | Form::Bits => ColumnKind::Integer,
            Form::Float | Form::Double => ColumnKind::Number,
            Form::Decimal => ColumnKind::Decimal,
            Form::Date => ColumnKind::Date,
            Form::DateTime | Form::Timestamp => ColumnKind::Timestamp,
            Form::Time => ColumnKind::Time,
            Form::Text | Form::Geometry => ColumnKind::Text,
            Form::Json => ColumnKind::Json,
            Form::Bytes => ColumnKind::Blob,
            Form::Null => ColumnKind::Unknown,
        }
    }

    /// A value as JSON, from its bytes on the wire. What can't be read so is given as base64 text.
    fn read(self, raw: &[u8]) -> Value {
        let read = match self {
            Form::Boolean => signed(raw).map(|integer| match integer {
                0 | 1 => Value::Bool(integer == 1),
                _ => integer.into(),
            }),
            Form::Signed => signed(raw).map(from_signed),
            Form::Unsigned => unsigned(raw.iter().rev()).map(from_unsigned),
            Form::Bits => unsigned(raw.iter()).map(from_unsigned),
            Form::Float => raw.try_into().ok().map(|bytes| from_float(f32::from_le_bytes(bytes))),
            Form::Double => raw.try_into().ok().map(|bytes| from_double(f64::from_le_bytes(bytes))),
            Form::Decimal | Form::Text => Some(Value::String(String::from_utf8_lossy(raw).into_owned())),
            Form::Date => time::date(raw).map(Value::String),
            Form::DateTime => time::date_time(raw).map(Value::String),
            Form::Timestamp => time::date_time(raw).map(|text| Value::String(text + "Z")),
            Form::Time => time::time(raw).map(Value::String),
            Form::Json => types::json(&String::from_utf8_lossy(raw)).or_else(|| Form::Text.read(raw).into()),
            Form::Geometry => geometry::to_wkt(raw).map(Value::String),
            Form::Bytes | Form::Null => None,
        };
        read.unwrap_or_else(|| Value::String(base64(raw)))
    }
}

/// The columns of a result: their names, and how each is read.
#[derive(Debug, Default)]
pub struct Shape {
    /// The names.
    pub names: Vec<String>,
    /// The forms.
    forms: Vec<Form>,
    /// Bytes of JSON text that the names cost in every row.
    overhead: usize,
}

impl Shape {
    /// The shape of a result. `is_json` knows the columns whose text is JSON.
    pub fn of(columns: &[MySqlColumn], is_json: impl Fn(&MySqlColumn) -> bool) -> Shape {
        let form = |column: &MySqlColumn| match Form::of(column.type_info()) {
            Form::Text if is_json(column) => Form::Json,
            form => form,
        };
        let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
        // Two quotes, a colon and a comma for each name, and the braces.
        let overhead = names.iter().map(|name| name.len() + 4).sum::<usize>() + 2;
        Shape { names, forms: columns.iter().map(form).collect(), overhead }
    }

    /// Adds a row's values to `values` if they have at most `left` bytes as JSON text, roughly; gives how many.
    ///
    /// # Errors
    /// If the row is not what its columns say.
    pub fn keep(&self, row: &MySqlRow, values: &mut Vec<Value>, left: usize) -> Result<Option<usize>, sqlx::Error> {
        let before = values.len();
        let mut size = self.overhead;
        for (index, form) in self.forms.iter().enumerate() {
            let raw = <&[u8] as Decode<MySql>>::decode(row.try_get_raw(index)?).ok();
            size = size.saturating_add(raw.map_or(4, |raw| raw_size(*form, raw)));
            if size > left {
                values.truncate(before);
                return Ok(None);
            }
            values.push(raw.map_or(Value::Null, |raw| form.read(raw)));
        }
        Ok(Some(size))
    }
}

/// About how many bytes a value has as JSON text.
fn raw_size(form: Form, raw: &[u8]) -> usize {
    match form {
        Form::Text | Form::Json | Form::Decimal => raw.len().saturating_add(2),
        Form::Bytes => (raw.len() / 3).saturating_mul(4).saturating_add(6),
        Form::Geometry => raw.len().saturating_mul(2),
        Form::Date | Form::DateTime | Form::Timestamp | Form::Time => 22,
        _ => 8,
    }
}

/// A little-endian integer of 1, 2, 4 or 8 bytes.
fn signed(raw: &[u8]) -> Option<i64> {
    Some(match raw {
        [a] => i8::from_le_bytes([*a]).into(),
        [a, b] => i16::from_le_bytes([*a, *b]).into(),
        [a, b, c, d] => i32::from_le_bytes([*a, *b, *c, *d]).into(),
        _ => i64::from_le_bytes(raw.try_into().ok()?),
    })
}

/// The integer of these bytes, the highest first.
fn unsigned<'a>(bytes: impl ExactSizeIterator<Item = &'a u8>) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

fn from_signed(integer: i64) -> Value {
    if integer.unsigned_abs() > EXACT { Value::String(integer.to_string()) } else { integer.into() }
}

fn from_unsigned(integer: u64) -> Value {
    if integer > EXACT { Value::String(integer.to_string()) } else { integer.into() }
}

/// The shortest number that reads back as the same 32 bits: 0.1, not 0.10000000149011612.
fn from_float(float: f32) -> Value {
    from_double(float.to_string().parse().unwrap_or_else(|_| float.into()))
}

/// A number. The servers store neither NaN nor infinities.
fn from_double(double: f64) -> Value {
    Number::from_f64(double).map_or_else(|| Value::String(double.to_string()), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_keep_every_digit() {
        assert_eq!(Form::Signed.read(&[255]), json!(-1));
        assert_eq!(Form::Signed.read(&(-9_i32).to_le_bytes()), json!(-9));
        assert_eq!(Form::Signed.read(&(1_i64 << 53).to_le_bytes()), json!(9_007_199_254_740_992_u64));
        assert_eq!(Form::Signed.read(&i64::MIN.to_le_bytes()), json!("-9223372036854775808"));
        assert_eq!(Form::Unsigned.read(&[255]), json!(255));
        assert_eq!(Form::Unsigned.read(&u64::MAX.to_le_bytes()), json!("18446744073709551615"));
        assert_eq!(Form::Bits.read(&[1, 255]), json!(511));
        assert_eq!(Form::Bits.read(&[255; 8]), json!("18446744073709551615"));
    }

    #[test]
    fn truths_are_zero_and_one() {
        assert_eq!(
            [0, 1, 2, 255].map(|byte| Form::Boolean.read(&[byte])),
            [json!(false), json!(true), json!(2), json!(-1)]
        );
    }

    #[test]
    fn numbers_are_the_shortest_that_read_back() {
        assert_eq!(Form::Float.read(&0.1_f32.to_le_bytes()), json!(0.1));
        assert_eq!(Form::Double.read(&0.1_f64.to_le_bytes()), json!(0.1));
        assert_eq!(Form::Decimal.read(b"1.10"), json!("1.10"));
    }

    #[test]
    fn texts_and_bytes() {
        assert_eq!(Form::Json.read(br#"{"a":[1]}"#), json!({ "a": [1] }));
        assert_eq!(Form::Json.read(b"{broken"), json!("{broken"));
        assert_eq!(Form::Text.read("ä🦀".as_bytes()), json!("ä🦀"));
        assert_eq!(Form::Bytes.read(&[0, 255]), json!("AP8="));
        // what is cut short is never dropped
        assert_eq!(Form::Double.read(&[0, 255]), json!("AP8="));
        assert_eq!(Form::Geometry.read(&[0, 255]), json!("AP8="));
    }
}
