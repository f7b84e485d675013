//! What describes content, as MCP's JSON: icons, annotations, `_meta`.

use serde_json::{Map, Value, json};

use crate::spec::model::{ContentAnnotations, Icon};
use crate::spec::{Choice, Code, Diagnostics, Kind, Node};

/// MCP's `Icon`s.
pub fn icons(written: &[Icon]) -> Value {
    let icon = |icon: &Icon| {
        let mut listed = Map::new();
        listed.insert("src".to_owned(), json!(icon.src.get()?.value));
        if let Some(mime_type) = &icon.mime_type {
            listed.insert("mimeType".to_owned(), json!(mime_type.value));
        }
        if let Some(sizes) = &icon.sizes {
            listed.insert("sizes".to_owned(), sizes.iter().map(|s| s.value.clone()).collect());
        }
        if let Some(theme) = &icon.theme {
            listed.insert("theme".to_owned(), json!(theme.value.name()));
        }
        Some(Value::Object(listed))
    };
    written.iter().filter_map(icon).collect()
}

/// MCP's `Annotations`; a mistake is reported, and what is at fault left out.
pub fn annotations(written: &ContentAnnotations, sink: &mut Diagnostics) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(roles) = &written.audience {
        all.insert("audience".to_owned(), roles.iter().map(|role| role.value.name()).collect());
    }
    if let Some(node) = &written.priority {
        match node.to_json().as_f64().filter(|p| (0.0..=1.0).contains(p)) {
            Some(priority) => {
                all.insert("priority".to_owned(), json!(priority));
            }
            None => sink.error(Code::BadValue, node.span, "a priority is a number from 0 to 1"),
        }
    }
    if let Some(when) = &written.last_modified {
        all.insert("lastModified".to_owned(), json!(when.value));
    }
    all
}

/// MCP's `_meta`; reported if it is no map.
pub fn meta(written: Option<&Node>, sink: &mut Diagnostics) -> Option<Map<String, Value>> {
    let node = written?;
    match (&node.kind, node.to_json()) {
        (Kind::Map(_), Value::Object(meta)) => Some(meta),
        _ => {
            sink.error(Code::WrongType, node.span, format!("expected a map, found {}", node.what()));
            None
        }
    }
}
