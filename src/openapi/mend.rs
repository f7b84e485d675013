//! Schemas that their authors got wrong, mended: a keyword that can't hold is left out, and that is said.

use serde_json::{Value, json};

use crate::schema::Schema;

/// How often a schema is looked at again after something was taken out.
const ROUNDS: usize = 6;

/// Takes out what is at fault; `said` is told which keyword and why.
///
/// # Errors
/// In words, if nothing that could be taken out would help.
pub fn mend(schema: &mut Value, mut said: impl FnMut(String, String)) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..ROUNDS {
        let Err(faults) = Schema::check(schema) else { return Ok(()) };
        let mut pointers: Vec<(String, String)> = faults.into_iter().map(|f| (f.pointer, f.message)).collect();
        // later items of a list first, so that the others keep their places
        pointers.reverse();
        for (pointer, message) in pointers {
            let gone = remove(schema, &pointer);
            last.clone_from(&message);
            if let Some(place) = gone {
                said(place, message);
            }
        }
    }
    match Schema::check(schema) {
        Ok(()) => Ok(()),
        Err(_) => Err(format!("its schema can't be used: {last}")),
    }
}

/// Removes what a JSON Pointer names and tells its place in the words of a person; `None` if it is gone already.
fn remove(schema: &mut Value, pointer: &str) -> Option<String> {
    let (parent, last) = pointer.rsplit_once('/')?;
    let key = last.replace("~1", "/").replace("~0", "~");
    let place = place(pointer);
    let holds_names = parent.ends_with("/properties") || parent.ends_with("/$defs");
    match schema.pointer_mut(parent)? {
        Value::Object(fields) if holds_names => fields.insert(key, json!({})).map(drop)?,
        Value::Object(fields) => fields.shift_remove(&key).map(drop)?,
        Value::Array(items) => {
            let at: usize = key.parse().ok()?;
            (at < items.len()).then(|| items.remove(at)).map(drop)?;
        }
        _ => return None,
    }
    Some(place)
}

/// `/properties/a/items/pattern` as "`pattern` of `a.items`".
fn place(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let mut steps: Vec<String> = steps.filter(|step| step != "properties" && step != "$defs").collect();
    if steps.last().is_some_and(|last| last.parse::<usize>().is_ok()) {
        steps.pop();
    }
    let keyword = steps.pop().unwrap_or_default();
    match steps.is_empty() {
        true => format!("`{keyword}`"),
        false => format!("`{keyword}` of `{}`", steps.join(".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_hold_is_taken_out_and_said() {
        let mut schema = json!({ "type": "object", "properties": {
            "a": { "type": "integer", "default": "x", "minimum": 1 },
            "b": { "type": "string", "pattern": "(?<!x)y" },
            "c": { "type": "whatever" },
        }});
        let mut said = Vec::new();
        mend(&mut schema, |place, _| said.push(place)).unwrap();
        said.sort();
        assert_eq!(said, ["`default` of `a`", "`pattern` of `b`", "`type` of `c`"]);
        assert_eq!(schema["properties"]["a"], json!({ "type": "integer", "minimum": 1 }));
    }
}
