//! The text of a description: JSON, or YAML with all its bounds.

use serde_json::Value;

use crate::spec::{Diagnostics, FileId, Files, read_yaml};

/// Bytes that a description may have.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Reads a text as a tree. `None` after mistakes in YAML, which have been reported at their places.
///
/// # Errors
/// In words, for JSON that is none.
pub fn parse(files: &Files, file: FileId, sink: &mut Diagnostics) -> Result<Option<Value>, String> {
    let text = files.text(file);
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        let parsed = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        match parsed {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.to_string().starts_with("recursion limit") => {
                return Err("it is nested too deep".to_owned());
            }
            Err(error) if text.contains('"') && error.is_eof() => return Err("its JSON ends in the middle".to_owned()),
            Err(error) if files.name(file).ends_with(".json") => return Err(format!("it is not JSON: {error}")),
            Err(_) => {}
        }
    }
    let errors = sink.errors();
    let node = read_yaml(file, files, sink);
    Ok(node.filter(|_| sink.errors() == errors).map(|node| node.to_json()))
}
