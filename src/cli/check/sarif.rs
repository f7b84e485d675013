//! Diagnostics as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines.

use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::spec::render::{Region, region};
use crate::spec::{Code, Diagnostic, FileId, Files, Place, Severity};

/// Where a code is explained, in the repository.
const EXPLAINED: &str = "docs/errors.md";
/// The repository's address; empty as long as the package names none.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The whole log of one run.
pub fn log(results: Vec<Value>) -> Value {
    let rules: Vec<Value> = Code::ALL.iter().map(|code| rule(*code)).collect();
    let driver = json!({ "name": "mcp-declare", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    })
}

/// A code: a `reportingDescriptor` (SARIF, section 3.49). Its `helpUri` has to be absolute.
fn rule(code: Code) -> Value {
    let explained = format!("{EXPLAINED}#{}", code.name());
    let mut rule = json!({
        "id": code.name(),
        "shortDescription": { "text": code.meaning() },
        "help": { "text": format!("{explained} explains it, with a wrong and a right example.") },
    });
    if let (Value::Object(rule), false) = (&mut rule, REPOSITORY.is_empty()) {
        rule.insert("helpUri".to_owned(), json!(format!("{REPOSITORY}/blob/HEAD/{explained}")));
    }
    rule
}

/// One diagnostic: a `result` (SARIF, section 3.27).
pub fn result(diagnostic: &Diagnostic, files: &Files) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let rule = Code::ALL.iter().position(|code| *code == diagnostic.code);
    let locations: Vec<Value> = diagnostic.place.iter().map(|place| location(place, files)).collect();
    let related = diagnostic.related.iter().map(|(place, words)| {
        let mut at = location(place, files);
        if let Value::Object(at) = &mut at {
            at.insert("message".to_owned(), json!({ "text": words }));
        }
        at
    });
    let related: Vec<Value> = related.collect();
    json!({
        "ruleId": diagnostic.code.name(),
        "ruleIndex": rule,
        "level": level,
        "message": { "text": words(diagnostic) },
        "locations": locations,
        "relatedLocations": related,
    })
}

/// All that a diagnostic says: its message, what its caret says, and what to do.
fn words(diagnostic: &Diagnostic) -> String {
    let more = [&diagnostic.label].into_iter().chain(&diagnostic.help).filter(|words| !words.is_empty());
    [&diagnostic.message].into_iter().chain(more).cloned().collect::<Vec<_>>().join("; ")
}

fn location(place: &Place, files: &Files) -> Value {
    let Region { line, column, end_line, end_column } = region(place, files);
    let region = json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column });
    json!({ "physicalLocation": { "artifactLocation": { "uri": uri(place.span.file, files) }, "region": region } })
}

/// A file as a URI reference (RFC 3986): relative to the folder that the command runs in, where it is below that.
fn uri(file: FileId, files: &Files) -> String {
    let path = Path::new(files.name(file));
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    let begin = if path.is_absolute() { "file://" } else { "" };
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(escaped(&name.to_string_lossy())),
        Component::ParentDir => Some("..".to_owned()),
        Component::RootDir => Some(String::new()),
        Component::CurDir | Component::Prefix(_) => None,
    });
    format!("{begin}{}", parts.collect::<Vec<_>>().join("/"))
}

/// A name with everything escaped that is not unreserved (RFC 3986, section 2.3).
fn escaped(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
