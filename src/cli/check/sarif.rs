//! Diagnostics as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines.

mod fingerprint;
mod help;

use std::collections::HashMap;
use std::path::{Component, Path};

use serde_json::{Map, Value, json};

use crate::catalog::Loaded;
use crate::spec::render::{Columns, Region, region};
use crate::spec::{Code, Diagnostic, FileId, Files, Place, Severity};

/// Where a code is explained, in the repository.
const EXPLAINED: &str = "docs/errors.md";
/// The repository's address; empty as long as the package names none.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The whole log of one run.
pub fn log(results: Vec<Value>) -> Value {
    let rules: Vec<Value> = Code::ALL.iter().map(|code| rule(*code)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut driver = json!({ "name": "mcp-declare", "version": version, "semanticVersion": version, "rules": rules });
    if !REPOSITORY.is_empty() {
        set(&mut driver, "informationUri", json!(REPOSITORY));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "utf16CodeUnits", "results": results }],
    })
}

/// A code: a `reportingDescriptor` (SARIF, section 3.49). Its `helpUri` has to be absolute.
fn rule(code: Code) -> Value {
    let mut rule = json!({
        "id": code.name(),
        "shortDescription": { "text": code.meaning() },
        "fullDescription": { "text": code.meaning() },
        "help": { "text": help::text(code), "markdown": help::markdown(code) },
    });
    if !REPOSITORY.is_empty() {
        set(&mut rule, "helpUri", json!(format!("{REPOSITORY}/blob/HEAD/{EXPLAINED}#{}", code.name())));
    }
    rule
}

/// What was found in one spec: `result`s (SARIF, section 3.27). What has no place of its own is told of the file that
/// was given: code hosts take no result without a location.
pub fn results(given: &Path, loaded: &Loaded) -> Vec<Value> {
    let files = &loaded.files;
    let mut fingerprints: HashMap<FileId, Vec<String>> = HashMap::new();
    let all = loaded.diagnostics.sorted(files).into_iter().map(|found| {
        let mut result = result(found);
        let at = found.place.as_ref().map_or_else(|| whole(given), |place| location(place, files));
        set(&mut result, "locations", json!([at]));
        if let Some(place) = &found.place {
            let file = place.span.file;
            let lines = fingerprints.entry(file).or_insert_with(|| fingerprint::of_lines(files.text(file)));
            let line = region(place, files, Columns::Utf16).line;
            if let Some(fingerprint) = lines.get(line.saturating_sub(1)) {
                set(&mut result, "partialFingerprints", json!({ "primaryLocationLineHash": fingerprint }));
            }
        }
        let related: Vec<Value> = found.related.iter().map(|(place, words)| related(place, words, files)).collect();
        if !related.is_empty() {
            set(&mut result, "relatedLocations", json!(related));
        }
        result
    });
    all.collect()
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(key.to_owned(), value);
    }
}

/// A diagnostic without its places.
fn result(diagnostic: &Diagnostic) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({
        "ruleId": diagnostic.code.name(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == diagnostic.code),
        "level": level,
        "message": { "text": words(diagnostic) },
    })
}

/// All that a diagnostic says: its message, what its caret says, and what to do.
fn words(diagnostic: &Diagnostic) -> String {
    let more = [&diagnostic.label].into_iter().chain(&diagnostic.help).filter(|words| !words.is_empty());
    [&diagnostic.message].into_iter().chain(more).cloned().collect::<Vec<_>>().join("; ")
}

fn related(place: &Place, words: &str, files: &Files) -> Value {
    let mut at = location(place, files);
    set(&mut at, "message", json!({ "text": words }));
    at
}

fn location(place: &Place, files: &Files) -> Value {
    let Region { line, column, end_line, end_column } = region(place, files, Columns::Utf16);
    let region = json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column });
    physical(Path::new(files.name(place.span.file)), region)
}

/// The first line of a file, of which no line is meant.
fn whole(file: &Path) -> Value {
    physical(file, json!({ "startLine": 1 }))
}

fn physical(file: &Path, region: Value) -> Value {
    let location =
        Map::from_iter([("artifactLocation".to_owned(), json!({ "uri": uri(file) })), ("region".to_owned(), region)]);
    json!({ "physicalLocation": location })
}

/// A file as a URI reference (RFC 3986): relative to the folder that the command runs in, where it is below that.
fn uri(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    let begin = if path.is_absolute() { "file://" } else { "" };
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(escaped(name.as_encoded_bytes())),
        Component::ParentDir => Some("..".to_owned()),
        Component::RootDir => Some(String::new()),
        Component::CurDir | Component::Prefix(_) => None,
    });
    format!("{begin}{}", parts.collect::<Vec<_>>().join("/"))
}

/// A name with everything escaped that is not unreserved (RFC 3986, section 2.3).
fn escaped(name: &[u8]) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    name.iter().map(|b| if plain(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}
