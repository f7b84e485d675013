//! JSON that is kept for long.

use std::sync::Arc;

use serde_json::{Map, Value};

/// The same JSON, its maps without room for more: one that grew may take three times the memory of its entries.
pub fn tight(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(tight_map(map)),
        Value::Array(items) => Value::Array(items.into_iter().map(tight).collect()),
        other => other,
    }
}

fn tight_map(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter().map(|(key, value)| (key, tight(value))).collect()
}

/// An object to be shared; `None` of any other JSON.
pub fn object(value: Value) -> Option<Arc<Map<String, Value>>> {
    match value {
        Value::Object(map) => Some(Arc::new(tight_map(map))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_of_it_changes() {
        let value = json!({ "b": [{ "d": 1, "c": [] }, "x", null], "a": {}, "e": 1.5 });
        assert_eq!(tight(value.clone()).to_string(), value.to_string());
        assert_eq!(Value::Object(object(value.clone()).unwrap().as_ref().clone()), value);
        assert_eq!(object(json!([{}])), None);
    }
}
