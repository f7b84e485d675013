//! A table's schema as clients read it, and the JSON Schema of that.

use serde_json::{Map, Value, json};

use super::{ForeignKey, Schema, TableColumn};

impl Schema {
    /// Everything, as clients read it.
    pub fn json(&self) -> Value {
        let column = |column: &TableColumn| {
            json!({
                "name": column.name,
                "type": column.kind,
                "nullable": column.nullable,
                "default": column.default,
                "generated": column.generated,
                "comment": column.comment,
            })
        };
        let key =
            |key: &ForeignKey| json!({ "columns": key.columns, "table": key.table, "references": key.references });
        json!({
            "name": self.table.name,
            "kind": self.table.kind,
            "comment": self.table.comment,
            "columns": self.columns.iter().map(column).collect::<Vec<_>>(),
            "primaryKey": self.primary_key,
            "foreignKeys": self.foreign_keys.iter().map(key).collect::<Vec<_>>(),
        })
    }

    /// The JSON Schema of [`Schema::json`].
    pub fn json_schema() -> Value {
        let (word, truth) = (json!({ "type": "string" }), json!({ "type": "boolean" }));
        let (words, perhaps) = (list(&word), json!({ "type": ["string", "null"] }));
        let column = object(&json!({
            "name": word, "type": word, "nullable": truth, "default": perhaps, "generated": truth, "comment": perhaps,
        }));
        let key = object(&json!({ "columns": words, "table": word, "references": words }));
        object(&json!({
            "name": word,
            "kind": { "type": "string", "enum": ["table", "view"] },
            "comment": perhaps,
            "columns": list(&column),
            "primaryKey": words,
            "foreignKeys": list(&key),
        }))
    }
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An object that has all of these properties.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({ "type": "object", "properties": properties, "required": names })
}
