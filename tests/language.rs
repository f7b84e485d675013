//! The language's JSON Schema and the reference that is made of it: current, complete, and true of every spec here.
//! After a change of the language, `UPDATE_EXPECTED=1 cargo test --test main language` writes both anew.

mod editors;
mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use mcp_declare::spec::{Diagnostics, Files, read_toml, read_yaml};
use serde_json::{Map, Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `mcp-declare schema` prints.
fn printed() -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_mcp-declare")).arg("schema").output().unwrap();
    assert!(run.status.success());
    String::from_utf8(run.stdout).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(&printed()).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).unwrap()
}

/// Compares a generated file with what it would be now.
fn assert_current(file: &str, now: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        assert!(std::env::var_os("CI").is_none(), "UPDATE_EXPECTED=1 would make this test pass");
        std::fs::write(&path, now).unwrap();
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(is == now, "{file} is not current: UPDATE_EXPECTED=1 cargo test --test main language");
}

/// A spec's text as JSON.
fn parsed(text: &str, is_toml: bool) -> Option<Value> {
    let mut files = Files::default();
    let file = files.add("spec", "spec", text.to_owned());
    let read = if is_toml { read_toml } else { read_yaml };
    read(file, &files, &mut Diagnostics::default()).map(|node| node.to_json())
}

/// The specs of a folder and of the folders in it.
fn specs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            specs(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "toml") {
            found.push(path);
        }
    }
}

/// Each record of the schema, by its name, and its keys.
fn records(schema: &Value) -> Vec<(String, Map<String, Value>)> {
    let definitions = schema["definitions"].as_object().unwrap();
    let forms = definitions.iter().flat_map(|(name, definition)| {
        let forms = definition["anyOf"].as_array().cloned().unwrap_or_else(|| vec![definition.clone()]);
        forms.into_iter().map(move |form| (name.clone(), form))
    });
    forms.filter_map(|(name, form)| Some((name, form["properties"].as_object()?.clone()))).collect()
}

#[test]
fn the_files_made_of_the_language_are_current() {
    assert_current("specs/mcp-declare.schema.json", &printed());
    assert_current("docs/reference.md", &reference::markdown(&schema()));
}

#[test]
fn every_key_has_a_description_and_an_example_that_fits() {
    let schema = schema();
    let (mut faults, mut keys, mut examples) = (Vec::new(), Map::new(), Map::new());
    for (record, written) in records(&schema) {
        for (key, written) in written {
            let name = format!("{record}.{key}");
            if written["description"].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{name} has no description"));
            }
            match written["examples"].get(0) {
                Some(example) => drop(examples.insert(name.clone(), example.clone())),
                None => faults.push(format!("{name} has no example")),
            }
            keys.insert(name, written);
        }
    }
    let all = json!({ "properties": keys, "definitions": schema["definitions"] });
    let validator = jsonschema::draft7::new(&all).unwrap();
    faults.extend(validator.iter_errors(&json!(examples)).map(|fault| format!("{}: {fault}", fault.instance_path())));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_spec_here_fits_the_schema() {
    let validator = validator();
    let mut all = Vec::new();
    specs(&root().join("examples"), &mut all);
    specs(&root().join("specs"), &mut all);
    assert!(all.len() > 15);
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut spec = parsed(&text, path.extension().is_some_and(|e| e == "toml")).unwrap();
        if spec.get("openapi").is_some() {
            continue;
        }
        // A part that another spec includes names no server.
        if spec.get("server").is_none() {
            spec["server"] = json!({ "name": "part" });
        }
        let faults: Vec<String> =
            validator.iter_errors(&spec).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
    }
}

#[test]
fn specs_with_mistakes_of_form_do_not_fit() {
    let validator = validator();
    let folder = root().join("tests/diagnostics");
    let mut tried = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let is_toml = path.extension().is_some_and(|e| e == "toml");
        if !is_toml && path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let said = std::fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        let own = format!("--> {}", path.file_name().unwrap().to_string_lossy());
        let of_form = said.split("\n\n").any(|one| {
            ["error[unknown-key]", "error[no-action]"].iter().any(|code| one.contains(code)) && one.contains(&own)
        });
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        if let Some(spec) = parsed(&text, is_toml).filter(|_| of_form) {
            tried += 1;
            assert!(!validator.is_valid(&spec), "{} fits the schema", path.display());
        }
    }
    assert!(tried > 10, "{tried}");
}
