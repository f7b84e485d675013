//! `check --format sarif` as code hosts and editors read it.
//!
//! `MCP_SARIF` names a `node_modules` folder with `@microsoft/jest-sarif`, which has the official JSON Schema, as
//! `.ci/run` installs it. Without it that test does not run and says so; in CI that is a failure where there is an npm.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Spec, optional};

async fn log(spec: &Spec, files: &[&str]) -> Value {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    command.arg("check").args(files).args(["--format", "sarif"]).current_dir(spec.folder());
    let output = command.output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

#[tokio::test]
async fn places_are_uris_and_utf16_columns() {
    let text = "server: { name: shop }\ntools:\n  a: { description: \"😀 ü a greeting\", txt: x, text: x }\n";
    let spec = Spec::new("server: { name: x }").file("my shop ü/100%.yaml", text);
    let log = log(&spec, &["my shop ü/100%.yaml"]).await;
    assert_eq!(log["runs"][0]["columnKind"], "utf16CodeUnits");
    let line = text.lines().nth(2).unwrap();
    let before = line.split_once("txt").unwrap().0;
    let column = before.encode_utf16().count() + 1;
    assert_eq!(column, before.chars().count() + 2, "the face is two code units");
    let found = &results(&log)[0];
    assert_eq!(found["ruleId"], "unknown-key");
    assert_eq!(
        found["locations"],
        json!([{ "physicalLocation": {
            "artifactLocation": { "uri": "my%20shop%20%C3%BC/100%25.yaml" },
            "region": { "startLine": 3, "startColumn": column, "endLine": 3, "endColumn": column + 3 },
        } }])
    );
    assert_eq!(found["message"]["text"], "unknown key `txt` in tool `a`; did you mean `text`?");
}

#[tokio::test]
async fn a_line_that_moves_keeps_its_fingerprint() {
    let fingerprints = async |text: &str| {
        let spec = Spec::new("server: { name: x }").file("shop.yaml", text);
        let log = log(&spec, &["shop.yaml"]).await;
        let hash =
            |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
        results(&log).iter().map(hash).collect::<Vec<_>>()
    };
    let text = "server: { name: shop }\ntools:\n  greet: { txt: Hello }\n";
    let before = fingerprints(text).await;
    assert!(!before.is_empty());
    assert_eq!(fingerprints(&text.replace("tools:", "# a comment\n\ntools:")).await, before);
    assert_ne!(fingerprints(&text.replace("txt", "tekst")).await, before);
}

#[tokio::test]
async fn every_result_has_a_place_and_every_rule_its_words() {
    let spec = Spec::new("server: { name: shop }");
    let log = log(&spec, &["no such.yaml"]).await;
    let found = &results(&log)[0];
    assert_eq!((&found["ruleId"], &found["level"]), (&json!("unreadable"), &json!("error")));
    let at = &found["locations"][0]["physicalLocation"];
    assert_eq!(at, &json!({ "artifactLocation": { "uri": "no%20such.yaml" }, "region": { "startLine": 1 } }));
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        for key in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[key]["text"].as_str().is_some_and(|text| text.len() > 10), "{rule}");
        }
        assert!(rule["help"]["markdown"].is_string());
    }
}

/// The folder of npm packages, where there is one.
fn installed() -> Option<PathBuf> {
    optional::modules("MCP_SARIF", "SARIF's official schema")
}

#[tokio::test]
async fn all_that_is_found_fits_the_official_schema() {
    let Some(packages) = installed() else { return };
    let schema = packages.join("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
    // A bracket in its patterns for languages is a slip that stricter readers of regular expressions refuse.
    let text = fs::read_to_string(schema).unwrap().replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let spec = Spec::copy_of("tests/diagnostics", "many.yaml");
    let mut names: Vec<String> = fs::read_dir(spec.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".toml"))
        .collect();
    names.sort();
    let mut arguments: Vec<&str> = names.iter().map(String::as_str).collect();
    arguments.push("no-such-file.yaml");
    let log = log(&spec, &arguments).await;
    assert!(results(&log).len() > 500, "{}", results(&log).len());
    let faults: Vec<String> =
        schema.iter_errors(&log).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let broken = json!({ "version": "2.1.0", "runs": [{ "results": [] }] });
    assert!(!schema.is_valid(&broken), "a run without a tool is refused");
}
