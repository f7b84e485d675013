//! What the examples and the ready-made specs expect of themselves holds, offline, and nothing that they offer is left
//! out.

use std::fs;
use std::path::Path;

use crate::commands_specs::{repository, with_programs};
use crate::harness::{Database, Spec};

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
        // Not every machine has one.
        "system.yaml" => with_programs(name, &[("journalctl", "echo '{\"MESSAGE\": \"x\"}'")]),
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

/// Runs the tests of a spec: all of them pass, and everything that clients see has one.
async fn holds(spec: &Spec, name: &str) {
    let run = spec.run("test", &["--coverage"]).await;
    assert_eq!(run.code, 0, "{name}: {}{}", run.out, run.err);
    assert!(run.out.ends_with(" passed\n") && !run.out.contains("skip"), "{name}: {}", run.out);
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
    for name in &names {
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
        for name in specs(&folder) {
            // All of them are copied, as one stands on another: the gateway starts this program on the bookshop.
            let name = format!("{}/{name}", folder.file_name().unwrap().to_string_lossy());
            let spec = Spec::copy_of("examples", &name);
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mcp-declare"), spec.folder().join("mcp-declare")).unwrap();
            let path = format!("{}:/usr/local/bin:/usr/bin:/bin", spec.folder().display());
            holds(&spec.env("PATH", &path), &name).await;
        }
    }
}
