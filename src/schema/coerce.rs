//! Text to the value that a schema expects.

use super::values;
use serde_json::{Number, Value};

/// Converts `text` (a prompt argument, a URI variable, `name=value` on the command line) by `schema`, which is that
/// of one property. What stands in an `enum` or `const` becomes that value; otherwise the types are tried from
/// null over boolean, integer, number, array and object to string. An array is JSON or a list with commas; an
/// object is JSON. Text that does not convert stays a string, so that validation can name it.
pub fn coerce(schema: &Value, text: &str) -> Value {
    converted(schema, text).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// `None` where the text does not convert, or is taken as a string.
fn converted(schema: &Value, text: &str) -> Option<Value> {
    let listed = schema.get("enum").and_then(Value::as_array);
    let options: Vec<&Value> = listed.into_iter().flatten().chain(schema.get("const")).collect();
    if !options.is_empty() {
        let written = |option: &Value| option.as_str().map_or_else(|| option.to_string(), str::to_owned);
        if let Some(option) = options.iter().find(|o| written(o) == text) {
            return Some((*option).clone());
        }
    }
    if let Some(value) = values::types(schema).and_then(|types| by_types(schema, &types, text)) {
        return Some(value);
    }
    let branches = ["anyOf", "oneOf"].into_iter().filter_map(|k| schema.get(k)?.as_array()).flatten();
    branches.into_iter().find_map(|branch| converted(branch, text))
}

fn by_types(schema: &Value, types: &[&str], text: &str) -> Option<Value> {
    let word = text.trim();
    let wanted = |name: &str| types.contains(&name);
    if wanted("null") && word == "null" {
        return Some(Value::Null);
    }
    if wanted("boolean") && matches!(word, "true" | "false") {
        return Some(Value::Bool(word == "true"));
    }
    if let Some(number) = wanted("integer").then(|| integer(word)).flatten() {
        return Some(Value::Number(number));
    }
    if let Some(number) = wanted("number").then(|| word.parse().ok()).flatten() {
        return Some(Value::Number(number));
    }
    if wanted("array") && (word.starts_with('[') || !wanted("string")) {
        return Some(array(schema, word));
    }
    let object = || serde_json::from_str(word).ok().filter(Value::is_object);
    wanted("object").then(object).flatten()
}

/// A JSON number without a fraction (`5`, `5.0`, `5e2`), as an integer where it is exact.
fn integer(word: &str) -> Option<Number> {
    let number: Number = word.parse().ok()?;
    if number.is_i64() || number.is_u64() {
        return Some(number);
    }
    let float = number.as_f64()?;
    let exact = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
    exact.then(|| format!("{float:.0}").parse().ok()).flatten()
}

fn array(schema: &Value, word: &str) -> Value {
    if word.is_empty() {
        return Value::Array(Vec::new());
    }
    if let Ok(array @ Value::Array(_)) = serde_json::from_str(word) {
        return array;
    }
    if let Ok(array @ Value::Array(_)) = serde_json::from_str(&format!("[{word}]"))
        && word.starts_with(['{', '['])
    {
        return array;
    }
    let prefix = schema.get("prefixItems").and_then(Value::as_array);
    let item = |i: usize| prefix.and_then(|p| p.get(i)).or_else(|| schema.get("items")).unwrap_or(&Value::Null);
    word.split(',').enumerate().map(|(i, part)| coerce(item(i), part.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_becomes_what_the_schema_expects() {
        for (schema, text, expected) in [
            (json!({"type": "integer"}), "5", json!(5)),
            (json!({"type": "integer"}), " -5 ", json!(-5)),
            (json!({"type": "integer"}), "5.0", json!(5)),
            (json!({"type": "integer"}), "5e2", json!(500)),
            (json!({"type": "integer"}), "18446744073709551615", json!(u64::MAX)),
            (json!({"type": "number"}), "1.5", json!(1.5)),
            (json!({"type": "number"}), "5", json!(5)),
            (json!({"type": "boolean"}), "true", json!(true)),
            (json!({"type": "boolean"}), "false", json!(false)),
            (json!({"type": "null"}), "null", json!(null)),
            (json!({"type": "string"}), "5", json!("5")),
            (json!({"type": "string"}), " a ", json!(" a ")),
            (json!({"type": "object"}), "{\"a\": 1}", json!({"a": 1})),
            (json!({"type": ["integer", "null"]}), "null", json!(null)),
            (json!({"type": ["integer", "string"]}), "7", json!(7)),
            (json!({"type": ["integer", "string"]}), "x7", json!("x7")),
            (json!({"type": ["array", "string"]}), "a,b", json!("a,b")),
            (json!({"type": ["array", "string"]}), "[1]", json!([1])),
            (json!({"enum": [1, 2]}), "2", json!(2)),
            (json!({"enum": ["1", 1]}), "1", json!("1")),
            (json!({"enum": [true, null]}), "null", json!(null)),
            (json!({"enum": ["a"], "type": "string"}), "b", json!("b")),
            (json!({"const": 4.5}), "4.5", json!(4.5)),
            (json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "3", json!(3)),
            (json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "null", json!(null)),
            (json!({"anyOf": [{"type": "integer"}]}), "x", json!("x")),
            (json!({}), "5", json!("5")),
            (json!(true), "5", json!("5")),
            (json!("integer"), "5", json!("5")),
        ] {
            assert_eq!(coerce(&schema, text), expected, "{schema} {text}");
        }
    }

    #[test]
    fn arrays_are_json_or_a_list() {
        let integers = json!({"type": "array", "items": {"type": "integer"}});
        let objects = json!({"type": "array", "items": {"type": "object"}});
        let pair = json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]});
        for (schema, text, expected) in [
            (&json!({"type": "array"}), "a, b", json!(["a", "b"])),
            (&integers, "1,2,x", json!([1, 2, "x"])),
            (&integers, "[1, 2]", json!([1, 2])),
            (&integers, "", json!([])),
            (&integers, "7", json!([7])),
            (&integers, "[1, 2", json!(["[1", 2])),
            (&objects, "{\"a\": 1}, {\"b\": [2, 3]}", json!([{"a": 1}, {"b": [2, 3]}])),
            (&pair, "1,2,3", json!(["1", 2, "3"])),
        ] {
            assert_eq!(coerce(schema, text), expected, "{schema} {text}");
        }
    }

    #[test]
    fn text_that_does_not_convert_stays_text() {
        for (kind, text) in [
            ("integer", "5.5"),
            ("integer", ""),
            ("integer", "99999999999999999999"),
            ("integer", "NaN"),
            ("integer", "1e400"),
            ("number", "1e400"),
            ("number", "0x10"),
            ("number", "inf"),
            ("boolean", "yes"),
            ("boolean", "TRUE"),
            ("object", "[1]"),
            ("object", "{"),
            ("null", ""),
        ] {
            assert_eq!(coerce(&json!({"type": kind}), text), json!(text), "{kind} {text}");
        }
        let deep = format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert_eq!(coerce(&json!({"type": "object"}), &deep), json!(deep));
    }
}
