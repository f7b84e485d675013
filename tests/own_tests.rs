//! What the examples and the ready-made specs expect of themselves holds, offline.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::commands_specs::{repository, with_programs};
use crate::harness::{Database, Spec};

/// Specs without tests, and why.
const EXCEPTED: &[(&str, &str)] = &[
    ("conformance.yaml", "the conformance suite is its test, and asks over HTTP"),
    ("gateway.yaml", "it is made of other servers, which are not on every machine; tests/gateway.rs has stand-ins"),
    ("gateway.toml", "the same"),
];

/// Tools without a test, and why.
const UNTRIED: &[(&str, &str, &str)] =
    &[("system.yaml", "journal", "not every machine has one; tests/commands_specs.rs has a stand-in")];

/// A copy of a ready-made spec, with what it needs around it; `None` if this machine has no such database.
async fn ready_made(name: &str) -> Option<Spec> {
    let spec = match name {
        "dev-tools.yaml" => {
            let say = "echo \"$(basename \"$0\") $*\"";
            let found = r#"[{"filename":"a.py","location":{"row":3,"column":1},"code":"F401","message":"unused"}]"#;
            let ruff = format!("case $1 in check) echo '{found}'; exit 1;; *) echo a.py;; esac");
            let names = ["cargo", "pytest", "npm", "go", "gofmt"].map(|name| (name, say));
            with_programs(name, &[&names[..], &[("ruff", ruff.as_str())]].concat())
        }
        _ => Spec::copy_of("specs", name),
    };
    let notes = spec.folder().join("fixtures/notes").display().to_string();
    Some(match name {
        "github.yaml" => spec.env("GITHUB_TOKEN", "another token than that of the recording"),
        "filesystem.yaml" => spec.env("FOLDER", &notes),
        "knowledge-base.yaml" => spec.env("NOTES", &notes),
        "dev-tools.yaml" => spec.env("PROJECT", &notes),
        "git.yaml" => {
            let repository = repository(&spec);
            spec.env("GIT_REPOSITORY", &repository)
        }
        "sqlite-explorer.yaml" => spec.env("DATABASE_URL", "sqlite::memory:"),
        "postgres-explorer.yaml" => spec.env("DATABASE_URL", &Database::postgres("").await?.url()),
        "mysql-explorer.yaml" => spec.env("DATABASE_URL", &Database::mariadb("SELECT 1").await?.url()),
        _ => spec,
    })
}

/// Runs the tests of a spec: they pass, there are some, and no tool is left out.
async fn holds(spec: &Spec, name: &str) {
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 0, "{name}: {}{}", run.out, run.err);
    assert!(run.out.ends_with(" passed\n") && run.out.starts_with("ok "), "{name}: {}", run.out);
    let listed: Value = serde_json::from_str(&spec.run("list", &["--json"]).await.out).unwrap();
    let text = spec.get(name);
    for tool in listed["tools"].as_array().unwrap() {
        let tool = tool["name"].as_str().unwrap();
        let called = [format!("call: {tool}"), format!("call = \"{tool}\"")];
        let tried = text.split_once("tests").is_some_and(|_| called.iter().any(|call| text.contains(call)));
        let excused = UNTRIED.iter().any(|(spec, untried, _)| (*spec, *untried) == (name, tool));
        assert!(tried || excused, "{name} does not test `{tool}`");
    }
}

/// The names of the specs in a folder of this repository.
fn specs(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let specs = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "toml"));
    specs.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn ready_made_specs_pass_their_tests() {
    let names = specs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("specs"));
    assert!(names.len() > 10);
    for name in names.iter().filter(|name| !EXCEPTED.iter().any(|(excepted, _)| excepted == name)) {
        if let Some(spec) = ready_made(name).await {
            holds(&spec, name).await;
        }
    }
}

#[tokio::test]
async fn examples_pass_their_tests() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for example in fs::read_dir(examples).unwrap() {
        let folder = example.unwrap().path();
        let copied = format!("examples/{}", folder.file_name().unwrap().to_string_lossy());
        for name in specs(&folder).iter().filter(|name| !EXCEPTED.iter().any(|(excepted, _)| excepted == name)) {
            holds(&Spec::copy_of(&copied, name), name).await;
        }
    }
}
