//! What is different between what was expected and what came, path by path.

use serde_json::{Map, Value};

use crate::spec::nearest;

/// Differences that are told.
const MOST: usize = 20;
/// Characters of a value that are shown.
const SHOWN: usize = 400;

/// Where `got` is not what `wanted` is a part of: objects may have more fields, lists more elements between those that
/// are wanted in this order.
pub fn subset(wanted: &Value, got: &Value) -> Vec<String> {
    differences(wanted, got, false)
}

/// Where the two are different.
pub fn exact(wanted: &Value, got: &Value) -> Vec<String> {
    differences(wanted, got, true)
}

fn differences(wanted: &Value, got: &Value, whole: bool) -> Vec<String> {
    let mut found = Vec::new();
    compare("", wanted, got, whole, &mut found);
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("and {more} more differences"));
    }
    found
}

fn compare(path: &str, wanted: &Value, got: &Value, whole: bool, found: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => fields(path, wanted, got, whole, found),
        (Value::Array(wanted), Value::Array(got)) if whole => elements(path, wanted, got, found),
        (Value::Array(wanted), Value::Array(got)) => in_order(path, wanted, got, found),
        (wanted, got) if same(wanted, got) => {}
        _ => found.push(format!("{}expected {}, got {}", prefix(path), short(wanted), short(got))),
    }
}

fn fields(path: &str, wanted: &Map<String, Value>, got: &Map<String, Value>, whole: bool, found: &mut Vec<String>) {
    for (name, value) in wanted {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match got.get(name) {
            Some(got) => compare(&path, value, got, whole, found),
            None => {
                let words = format!("{path}: expected {}, there is none", short(value));
                found.push(match nearest(name, got.keys().map(String::as_str)) {
                    Some(near) => format!("{words}; did you mean `{near}`?"),
                    None => words,
                });
            }
        }
    }
    for (name, value) in got.iter().filter(|(name, _)| whole && !wanted.contains_key(*name)) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        found.push(format!("{path}: not expected, got {}", short(value)));
    }
}

fn elements(path: &str, wanted: &[Value], got: &[Value], found: &mut Vec<String>) {
    for (at, (wanted, got)) in wanted.iter().zip(got).enumerate() {
        compare(&format!("{path}[{at}]"), wanted, got, true, found);
    }
    if wanted.len() != got.len() {
        found.push(format!("{}expected {} elements, got {}", prefix(path), wanted.len(), got.len()));
    }
}

/// Each wanted element has to be found behind the one before it.
fn in_order(path: &str, wanted: &[Value], got: &[Value], found: &mut Vec<String>) {
    let mut rest = got;
    for (at, element) in wanted.iter().enumerate() {
        match rest.iter().position(|candidate| subset(element, candidate).is_empty()) {
            Some(position) => rest = rest.get(position + 1..).unwrap_or_default(),
            None => {
                let words = format!("{path}[{at}]: no element is {}", short(element));
                found.push(match (rest, got.len()) {
                    ([], 0) => format!("{words}; the list is empty"),
                    ([], _) => format!("{words}; there are no more elements"),
                    ([next, ..], _) => format!("{words}; the next one: {}", subset(element, next).join(", ")),
                });
                return;
            }
        }
    }
}

/// 1 and 1.0 are the same number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// A value in one line, cut.
pub fn short(value: &Value) -> String {
    cut(&value.to_string())
}

/// A text, cut.
pub fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_may_leave_out_fields_and_elements() {
        let got = json!({ "rows": [{ "id": 1, "t": "a" }, { "id": 2, "t": "b" }, { "id": 3, "t": "c" }], "n": 3 });
        for wanted in [
            json!({}),
            json!({ "n": 3.0 }),
            json!({ "rows": [] }),
            json!({ "rows": [{ "id": 2 }] }),
            json!({ "rows": [{ "t": "a" }, { "t": "c" }] }),
        ] {
            assert_eq!(subset(&wanted, &got), Vec::<String>::new(), "{wanted}");
        }
    }

    #[test]
    fn what_is_not_so_is_told_by_its_path() {
        let got = json!({ "rows": [{ "id": 1, "t": "a" }], "n": 3 });
        for (wanted, words) in [
            (json!({ "n": 4 }), "n: expected 4, got 3"),
            (json!({ "m": 4 }), "m: expected 4, there is none"),
            (json!([1]), r#"expected [1], got {"rows":[{"id":1,"t":"a"}],"n":3}"#),
            (
                json!({ "rows": [{ "id": 2 }] }),
                r#"rows[0]: no element is {"id":2}; the next one: id: expected 2, got 1"#,
            ),
            (
                json!({ "rows": [{ "id": 1 }, { "id": 1 }] }),
                r#"rows[1]: no element is {"id":1}; there are no more elements"#,
            ),
        ] {
            assert_eq!(subset(&wanted, &got), [words], "{wanted}");
        }
        let wanted = json!({ "rows": [{ "id": 1 }] });
        assert_eq!(exact(&wanted, &got), [r#"rows[0].t: not expected, got "a""#, "n: not expected, got 3"]);
        assert_eq!(exact(&json!([1, 2]), &json!([1])), ["expected 2 elements, got 1"]);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let wanted: Value = (0..100).map(|n| json!(n)).collect();
        let got: Value = (0..100).map(|n| json!(n + 1)).collect();
        assert_eq!(exact(&wanted, &got).len(), MOST + 1);
        assert!(short(&json!("x".repeat(9999))).len() < SHOWN + 9);
    }
}
