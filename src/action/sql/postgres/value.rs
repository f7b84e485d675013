//! What a column's values are asked for as, and the JSON that their text becomes. Nothing is lost: what a double
//! can't hold is a string.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use super::types::Type;
use crate::action::sql::types::{ColumnKind, json};

/// Integers beyond this are strings: 2^53.
const SAFE: u64 = 1 << 53;

/// How a column's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Text as it is.
    Text,
    /// `true` or `false`.
    Boolean,
    /// An integer.
    Integer,
    /// A floating-point number, `NaN` or an infinity.
    Float,
    /// JSON.
    Json,
    /// JSON with bytes as `\x…` in its strings.
    JsonOfBytes,
    /// Nothing: the type `void`.
    Nothing,
}

/// Object ids of PostgreSQL's own types, which never change (`pg_type.dat`).
mod oid {
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const JSON: u32 = 114;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const BYTEA_ARRAY: u32 = 1001;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const NUMERIC_ARRAY: u32 = 1231;
    pub const TIMETZ: u32 = 1266;
    pub const NUMERIC: u32 = 1700;
    pub const VOID: u32 = 2278;
    pub const UUID: u32 = 2950;
    pub const JSONB: u32 = 3802;
    /// The first that a server gives to types of its own.
    pub const FIRST_OWN: u32 = 16384;
}

/// The expression that gives a column as text, and how that is read.
pub fn rendering(column: &str, id: u32) -> (String, Reading) {
    let text = format!("{column}::text");
    match id {
        oid::BOOL => (text, Reading::Boolean),
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => (text, Reading::Integer),
        oid::FLOAT4 | oid::FLOAT8 => (text, Reading::Float),
        oid::TEXT | oid::VARCHAR | oid::NAME | oid::UUID | oid::NUMERIC => (text, Reading::Text),
        oid::JSON | oid::JSONB => (text, Reading::Json),
        oid::BYTEA => (format!("translate(encode({column}, 'base64'), chr(10), '')"), Reading::Text),
        oid::VOID => (text, Reading::Nothing),
        oid::NUMERIC_ARRAY => (format!("to_json({column}::text[])::text"), Reading::Json),
        oid::BYTEA_ARRAY => (format!("to_json({column})::text"), Reading::JsonOfBytes),
        _ => (format!("to_json({column})::text"), Reading::Json),
    }
}

/// Whether a value of this type may have any length.
pub fn may_be_long(id: u32) -> bool {
    !matches!(
        id,
        oid::BOOL
            | oid::NAME
            | oid::INT8
            | oid::INT2
            | oid::INT4
            | oid::OID
            | oid::FLOAT4
            | oid::FLOAT8
            | oid::DATE
            | oid::TIME
            | oid::TIMESTAMP
            | oid::TIMESTAMPTZ
            | oid::TIMETZ
            | oid::VOID
            | oid::UUID
    )
}

/// How the value of a column that was not asked for as text is read; none if it can't be.
pub fn plain(id: u32) -> Option<Reading> {
    match id {
        oid::TEXT | oid::VARCHAR | oid::NAME => Some(Reading::Text),
        oid::JSON => Some(Reading::Json),
        _ => None,
    }
}

/// What a column holds.
pub fn kind(found: &Type) -> ColumnKind {
    match found.oid {
        oid::BOOL => ColumnKind::Boolean,
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => ColumnKind::Integer,
        oid::FLOAT4 | oid::FLOAT8 => ColumnKind::Number,
        oid::NUMERIC => ColumnKind::Decimal,
        oid::BYTEA => ColumnKind::Blob,
        oid::TIMESTAMP | oid::TIMESTAMPTZ => ColumnKind::Timestamp,
        oid::DATE => ColumnKind::Date,
        oid::TIME | oid::TIMETZ => ColumnKind::Time,
        oid::JSON | oid::JSONB => ColumnKind::Json,
        _ if found.is_composite || found.element.is_some() => ColumnKind::Json,
        // An extension's type may have a way of its own to be JSON; an enum or a range has not.
        own if own >= oid::FIRST_OWN && found.category == "U" => ColumnKind::Json,
        _ if found.category == "P" => ColumnKind::Json,
        _ => ColumnKind::Text,
    }
}

/// Whether this is the type of bytes.
pub fn is_bytes(id: u32) -> bool {
    id == oid::BYTEA
}

/// Whether this is one of the types of JSON.
pub fn is_json(id: u32) -> bool {
    matches!(id, oid::JSON | oid::JSONB)
}

/// The JSON that a column's text stands for.
pub fn to_json(text: &str, reading: Reading) -> Value {
    let plain = || Value::String(text.to_owned());
    match reading {
        Reading::Text => plain(),
        Reading::Nothing => Value::Null,
        Reading::Boolean => Value::Bool(text == "true"),
        Reading::Integer => match text.parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= SAFE => number.into(),
            _ => plain(),
        },
        Reading::Float => text.parse().ok().and_then(Number::from_f64).map_or_else(plain, Value::Number),
        Reading::Json => json(text).unwrap_or_else(plain),
        Reading::JsonOfBytes => json(text).map_or_else(plain, bytes_in),
    }
}

/// Bytes in PostgreSQL's hexadecimal, told in base64.
fn bytes_in(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(bytes_in).collect(),
        Value::String(hex) => Value::String(match unhex(&hex) {
            Some(bytes) => STANDARD.encode(bytes),
            None => hex,
        }),
        other => other,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

/// Bytes in base64, as PostgreSQL reads them; none if it is no base64.
pub fn bytes_from_base64(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(bytes.iter().fold(String::from("\\x"), |hex, byte| format!("{hex}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_in_json_that_no_double_holds_are_strings() {
        for (text, wanted) in [
            ("[9007199254740992, -9007199254740993]", json!([9_007_199_254_740_992_u64, "-9007199254740993"])),
            ("[1.5, 0.1, 1e3, -0.0, 0.30000000000000004]", json!([1.5, 0.1, 1000.0, -0.0, 0.300_000_000_000_000_04])),
            ("[1e400, 0.12345678901234567890]", json!(["1e400", "0.12345678901234567890"])),
            (
                r#"{"a\\\"1": "2\\", "b": 12345678901234567890}"#,
                json!({ "a\\\"1": "2\\", "b": "12345678901234567890" }),
            ),
        ] {
            assert_eq!(to_json(text, Reading::Json), wanted, "{text}");
        }
    }

    #[test]
    fn bytes_go_to_base64_and_back() {
        assert_eq!(bytes_from_base64("AP8Q").unwrap(), "\\x00ff10");
        assert_eq!(to_json(r#"[["\\x00ff10"], null]"#, Reading::JsonOfBytes), json!([["AP8Q"], null]));
        assert_eq!(bytes_from_base64("?"), None);
    }
}
