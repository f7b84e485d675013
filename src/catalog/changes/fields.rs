//! Which fields of two JSON values differ.

use serde_json::{Map, Value};

/// The paths of the fields that differ, `inputSchema.properties.limit.maximum`, with `added` and `removed` behind
/// those that only one side has. Values with a `name` are known by it in lists, such as a prompt's arguments.
pub(in crate::catalog) fn changed(old: &Value, new: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    differ("", old, new, &mut paths);
    paths
}

fn differ(path: &str, old: &Value, new: &Value, paths: &mut Vec<String>) {
    if old == new {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        return entries(path, old, new, paths);
    }
    if let (Some(was), Some(is)) = (by_name(old), by_name(new)) {
        let before = paths.len();
        entries(path, &was, &is, paths);
        if paths.len() == before {
            paths.push(format!("{path} order"));
        }
        return;
    }
    paths.push(path.to_owned());
}

fn entries(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, paths: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (key, value) in new {
        match old.get(key) {
            Some(was) => differ(&below(key), was, value, paths),
            None => paths.push(format!("{} added", below(key))),
        }
    }
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    paths.extend(gone.map(|key| format!("{} removed", below(key))));
}

/// A list's entries by their names, if all have one of their own.
pub(in crate::catalog) fn by_name(list: &Value) -> Option<Map<String, Value>> {
    let list = list.as_array()?;
    let named = list.iter().map(|entry| Some((entry.get("name")?.as_str()?.to_owned(), entry.clone())));
    let named: Map<String, Value> = named.collect::<Option<_>>()?;
    (named.len() == list.len()).then_some(named)
}
