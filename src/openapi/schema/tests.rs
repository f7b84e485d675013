use serde_json::{Value, json};

use super::{Way, convert, object};
use crate::openapi::document::Document;

fn converted(version: &str, schema: Value, schemas: Value) -> Value {
    let key = if version == "2.0" { "swagger" } else { "openapi" };
    let root = json!({ key: version, "components": { "schemas": schemas } });
    let document = Document::of(&root).unwrap();
    let mut made = convert(&document, &[&schema], Way::Sent).unwrap();
    made.schemas.remove(0)
}

#[test]
fn keywords_of_older_versions_become_those_of_2020_12() {
    for (schema, made) in [
        (json!({ "type": "string", "nullable": true }), json!({ "type": ["string", "null"] })),
        (
            json!({ "type": "string", "enum": ["a"], "nullable": true }),
            json!({ "type": ["string", "null"], "enum": ["a", null] }),
        ),
        (
            json!({ "allOf": [{ "type": "object" }], "nullable": true, "description": "d" }),
            json!({ "anyOf": [{ "allOf": [{ "type": "object" }] }, { "type": "null" }], "description": "d" }),
        ),
        (json!({ "minimum": 1, "exclusiveMinimum": true }), json!({ "exclusiveMinimum": 1 })),
        (json!({ "maximum": 1, "exclusiveMaximum": false }), json!({ "maximum": 1 })),
        (json!({ "type": "string", "example": 1, "xml": {}, "x-y": 2 }), json!({ "type": "string" })),
        (json!({ "$ref": "#/components/schemas/A", "description": "ignored" }), json!({ "type": "integer" })),
        (
            json!({ "properties": { "a": { "readOnly": true }, "b": {} }, "required": ["a"] }),
            json!({ "properties": { "b": {} } }),
        ),
    ] {
        assert_eq!(converted("3.0.0", schema.clone(), json!({ "A": { "type": "integer" } })), made, "{schema}");
    }
}

#[test]
fn beside_a_reference_3_1_says_more() {
    let schema = json!({ "$ref": "#/components/schemas/A", "description": "more" });
    let made = converted("3.1.0", schema, json!({ "A": { "type": "integer" } }));
    assert_eq!(made, json!({ "allOf": [{ "type": "integer" }], "description": "more" }));
}

#[test]
fn a_property_that_is_called_like_a_keyword_stays() {
    let schema = json!({ "properties": { "example": { "type": "string" }, "$ref": { "type": "string" } } });
    assert_eq!(converted("3.0.0", schema.clone(), json!({})), schema);
}

#[test]
fn objects_come_apart_where_nothing_is_lost() {
    let root = json!({ "openapi": "3.0.0", "components": { "schemas": {
        "A": { "allOf": [{ "properties": { "a": {} }, "required": ["a"] }, { "properties": { "b": { "readOnly": true } } }] },
        "Loop": { "allOf": [{ "$ref": "#/components/schemas/Loop" }] },
    } } });
    let document = Document::of(&root).unwrap();
    let apart = |schema: &Value| {
        object(&document, schema).map(|o| (o.properties.iter().map(|(n, _)| n.to_string()).collect::<Vec<_>>(), o.open))
    };
    assert_eq!(apart(&json!({ "$ref": "#/components/schemas/A" })), Some((vec!["a".to_owned()], false)));
    assert_eq!(apart(&json!({ "$ref": "#/components/schemas/Loop" })), None);
    assert_eq!(apart(&json!({ "properties": { "a": {} }, "oneOf": [{}] })), None);
    assert!(apart(&json!({ "properties": { "a": {} }, "additionalProperties": {} })).unwrap().1);
}
