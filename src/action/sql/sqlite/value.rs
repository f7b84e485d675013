//! SQLite's values as JSON, by the declared type of their column.

use rusqlite::types::ValueRef;
use serde_json::{Number, Value};

use crate::action::sql::types::ColumnKind;
use crate::outcome::base64;

/// Integers beyond this are not exact in JavaScript, so they become strings.
const EXACT: u64 = 1 << 53;

/// What a declared type means. Where SQLite only looks for a part of a name (`VARCHAR(20)`, `BIGINT`), so do we.
/// <https://sqlite.org/datatype3.html#determination_of_column_affinity>
pub fn kind(declared: Option<&str>) -> ColumnKind {
    let Some(declared) = declared else { return ColumnKind::Unknown };
    let declared = declared.to_ascii_uppercase();
    let name = declared.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or_default();
    let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    match name {
        "BOOLEAN" | "BOOL" => ColumnKind::Boolean,
        "DECIMAL" | "NUMERIC" | "DEC" => ColumnKind::Decimal,
        "JSON" | "JSONB" => ColumnKind::Json,
        "DATE" => ColumnKind::Date,
        "TIME" => ColumnKind::Time,
        "DATETIME" | "TIMESTAMP" | "TIMESTAMPTZ" => ColumnKind::Timestamp,
        _ if has(&["INT"]) => ColumnKind::Integer,
        _ if has(&["CHAR", "CLOB", "TEXT"]) => ColumnKind::Text,
        _ if has(&["BLOB"]) => ColumnKind::Blob,
        _ if has(&["REAL", "FLOA", "DOUB"]) => ColumnKind::Number,
        _ => ColumnKind::Unknown,
    }
}

/// A value as JSON.
pub fn to_json(value: ValueRef<'_>, kind: ColumnKind) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => from_integer(integer, kind),
        ValueRef::Real(real) => from_real(real, kind),
        ValueRef::Text(text) => from_text(text, kind),
        ValueRef::Blob(bytes) => Value::String(base64(bytes)),
    }
}

/// About how many bytes the value has as JSON text. Nothing is copied to find out.
pub fn size(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Null => 4,
        ValueRef::Integer(_) | ValueRef::Real(_) => 8,
        ValueRef::Text(text) => text.len().saturating_add(2),
        ValueRef::Blob(bytes) => (bytes.len() / 3).saturating_mul(4).saturating_add(6),
    }
}

fn from_integer(integer: i64, kind: ColumnKind) -> Value {
    match (kind, integer) {
        (ColumnKind::Boolean, 0 | 1) => Value::Bool(integer == 1),
        (ColumnKind::Decimal, _) => Value::String(integer.to_string()),
        _ if integer.unsigned_abs() > EXACT => Value::String(integer.to_string()),
        _ => Value::Number(integer.into()),
    }
}

fn from_real(real: f64, kind: ColumnKind) -> Value {
    match Number::from_f64(real) {
        Some(_) if kind == ColumnKind::Decimal => Value::String(shortest(real)),
        Some(number) => Value::Number(number),
        // SQLite has no NaN: what is not finite is an infinity.
        None => Value::String(if real < 0.0 { "-Infinity" } else { "Infinity" }.into()),
    }
}

/// The shortest text that reads back as the same number.
fn shortest(real: f64) -> String {
    let size = real.abs();
    if size == 0.0 || (1e-7..1e21).contains(&size) { format!("{real}") } else { format!("{real:e}") }
}

fn from_text(text: &[u8], kind: ColumnKind) -> Value {
    // Whoever wrote the database may have put anything into its text.
    let text = String::from_utf8_lossy(text);
    match kind {
        ColumnKind::Json => serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned())),
        ColumnKind::Timestamp if is_spaced_timestamp(text.as_bytes()) => Value::String(text.replacen(' ', "T", 1)),
        _ => Value::String(text.into_owned()),
    }
}

/// Whether this is SQLite's own `YYYY-MM-DD HH:MM:SS`, maybe with a fraction or a zone.
fn is_spaced_timestamp(text: &[u8]) -> bool {
    let shape = b"0000-00-00 00:00:00";
    let (Some(head), Some(tail)) = (text.get(..shape.len()), text.get(shape.len()..)) else { return false };
    let shaped = head.iter().zip(shape).all(|(byte, wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        _ => byte == wanted,
    });
    shaped && tail.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b':' | b'Z'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(text: &str, kind: ColumnKind) -> Value {
        to_json(ValueRef::Text(text.as_bytes()), kind)
    }

    #[test]
    fn declared_types() {
        for (declared, expected) in [
            ("INTEGER", ColumnKind::Integer),
            ("unsigned big int", ColumnKind::Integer),
            ("VARCHAR(20)", ColumnKind::Text),
            ("text", ColumnKind::Text),
            ("Double Precision", ColumnKind::Number),
            ("REAL", ColumnKind::Number),
            ("DECIMAL(10,2)", ColumnKind::Decimal),
            ("numeric (8, 3)", ColumnKind::Decimal),
            ("bool", ColumnKind::Boolean),
            ("JSON", ColumnKind::Json),
            ("BLOB", ColumnKind::Blob),
            ("DATETIME", ColumnKind::Timestamp),
            ("timestamp with time zone", ColumnKind::Timestamp),
            ("DATE", ColumnKind::Date),
            ("TIME", ColumnKind::Time),
            ("", ColumnKind::Unknown),
            ("uuid", ColumnKind::Unknown),
        ] {
            assert_eq!(kind(Some(declared)), expected, "{declared}");
        }
        assert_eq!(kind(None), ColumnKind::Unknown);
    }

    #[test]
    fn integers() {
        let integer = |integer, kind| to_json(ValueRef::Integer(integer), kind);
        let edge = 1_i64 << 53;
        assert_eq!(integer(edge, ColumnKind::Integer), json!(edge));
        assert_eq!(integer(-edge, ColumnKind::Unknown), json!(-edge));
        assert_eq!(integer(edge + 1, ColumnKind::Integer), json!("9007199254740993"));
        assert_eq!(integer(i64::MIN, ColumnKind::Unknown), json!("-9223372036854775808"));
        assert_eq!(integer(1, ColumnKind::Boolean), json!(true));
        assert_eq!(integer(0, ColumnKind::Boolean), json!(false));
        assert_eq!(integer(2, ColumnKind::Boolean), json!(2));
        assert_eq!(integer(5, ColumnKind::Decimal), json!("5"));
    }

    #[test]
    fn reals() {
        let real = |real, kind| to_json(ValueRef::Real(real), kind);
        assert_eq!(real(1.5, ColumnKind::Number), json!(1.5));
        assert_eq!(real(f64::INFINITY, ColumnKind::Number), json!("Infinity"));
        assert_eq!(real(f64::NEG_INFINITY, ColumnKind::Decimal), json!("-Infinity"));
        assert_eq!(real(19.9, ColumnKind::Decimal), json!("19.9"));
        assert_eq!(real(1e20, ColumnKind::Decimal), json!("100000000000000000000"));
        assert_eq!(real(1e300, ColumnKind::Decimal), json!("1e300"));
        assert_eq!(real(-1e-9, ColumnKind::Decimal), json!("-1e-9"));
        assert_eq!(real(0.0, ColumnKind::Decimal), json!("0"));
    }

    #[test]
    fn texts_and_blobs() {
        assert_eq!(text("1.10", ColumnKind::Decimal), json!("1.10"));
        assert_eq!(text(r#"{"a":[1]}"#, ColumnKind::Json), json!({"a": [1]}));
        assert_eq!(text("{broken", ColumnKind::Json), json!("{broken"));
        assert_eq!(text(&"[".repeat(100_000), ColumnKind::Json), json!("[".repeat(100_000)));
        assert_eq!(text(r#"{"a":1}"#, ColumnKind::Text), json!(r#"{"a":1}"#));
        assert_eq!(to_json(ValueRef::Text(b"a\xffb"), ColumnKind::Text), json!("a\u{fffd}b"));
        assert_eq!(to_json(ValueRef::Blob(&[0, 255]), ColumnKind::Json), json!("AP8="));
        assert_eq!(to_json(ValueRef::Null, ColumnKind::Boolean), json!(null));
    }

    #[test]
    fn timestamps() {
        let stamp = |stamp| text(stamp, ColumnKind::Timestamp);
        assert_eq!(stamp("2026-01-02 03:04:05"), json!("2026-01-02T03:04:05"));
        assert_eq!(stamp("2026-01-02 03:04:05.678Z"), json!("2026-01-02T03:04:05.678Z"));
        for other in
            ["2026-01-02", "2026-01-02 03:04", "2026-01-02T03:04:05", "now and then", "2026-01-02 03:04:05 CET", ""]
        {
            assert_eq!(stamp(other), json!(other));
        }
        assert_eq!(text("2026-01-02 03:04:05", ColumnKind::Text), json!("2026-01-02 03:04:05"));
    }

    #[test]
    fn sizes_are_near_the_json() {
        for value in [ValueRef::Null, ValueRef::Text(b"hello"), ValueRef::Blob(&[7; 100]), ValueRef::Blob(&[])] {
            let exact = to_json(value, ColumnKind::Unknown).to_string().len();
            assert!(size(value).abs_diff(exact) <= 4, "{value:?}");
        }
    }
}
