//! The defaults of a schema's properties, found once.

use serde_json::{Map, Value};

/// Defaults of one object and of the objects in it.
#[derive(Debug, Default)]
pub struct Defaults {
    values: Vec<(String, Value)>,
    nested: Vec<(String, Defaults)>,
}

impl Defaults {
    /// Those of `schema`'s properties.
    pub fn of(schema: &Map<String, Value>) -> Defaults {
        let mut defaults = Defaults::default();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let Some(property) = property.as_object() else { continue };
            if let Some(value) = property.get("default") {
                defaults.values.push((name.clone(), value.clone()));
            }
            let inner = Defaults::of(property);
            if !inner.values.is_empty() || !inner.nested.is_empty() {
                defaults.nested.push((name.clone(), inner));
            }
        }
        defaults
    }

    /// Adds what `object` lacks.
    pub fn fill(&self, object: &mut Map<String, Value>) {
        for (name, value) in &self.values {
            if !object.contains_key(name) {
                object.insert(name.clone(), value.clone());
            }
        }
        for (name, inner) in &self.nested {
            if let Some(Value::Object(object)) = object.get_mut(name) {
                inner.fill(object);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(schema: Value, mut args: Value) -> Value {
        Defaults::of(schema.as_object().unwrap()).fill(args.as_object_mut().unwrap());
        args
    }

    #[test]
    fn what_is_missing_is_filled_in() {
        let schema = json!({"properties": {"a": {"default": 1}, "b": {"default": null}, "c": {}, "d": true}});
        assert_eq!(filled(schema.clone(), json!({})), json!({"a": 1, "b": null}));
        assert_eq!(filled(schema.clone(), json!({"a": null, "x": 2})), json!({"a": null, "x": 2, "b": null}));
        assert_eq!(filled(json!({}), json!({"x": 2})), json!({"x": 2}));
    }

    #[test]
    fn objects_that_are_there_are_filled_too() {
        let schema = json!({"properties": {
            "outer": {"properties": {"inner": {"properties": {"n": {"default": 1}}}}},
            "given": {"default": {"x": 1}, "properties": {"y": {"default": 2}}},
        }});
        assert_eq!(filled(schema.clone(), json!({})), json!({"given": {"x": 1, "y": 2}}));
        let deep = filled(schema.clone(), json!({"outer": {"inner": {}}, "given": 5}));
        assert_eq!(deep, json!({"outer": {"inner": {"n": 1}}, "given": 5}));
        assert_eq!(filled(schema, json!({"outer": [], "given": {}}))["outer"], json!([]));
    }
}
