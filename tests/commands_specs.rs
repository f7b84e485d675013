//! The ready-made specs of commands, against real programs and, where a machine may not have one, against a stand-in that
//! says what it was given.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec};

fn ready_made(name: &str) -> Spec {
    Spec::copy_of("specs", name)
}

/// A repository of two branches: `main` with one commit, `topic` with one more, and an untracked file.
pub fn repository(spec: &Spec) -> String {
    let folder = spec.folder().join("repository");
    std::fs::create_dir(&folder).unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&folder).args(["-c", "user.name=Ada L", "-c", "user.email=ada@example.com"]).args(arguments);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    git(&["init", "--quiet", "--initial-branch=main"]);
    write("a.txt", "one\n");
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=First: add a"]);
    git(&["checkout", "--quiet", "-b", "topic"]);
    write("a.txt", "one\ntwo\n");
    git(&["commit", "--quiet", "--all", "--message=Second: more of a"]);
    write("new \"file\".txt", "x");
    folder.display().to_string()
}

async fn git() -> (Spec, Client) {
    let spec = ready_made("git.yaml");
    let repository = repository(&spec);
    let spec = spec.env("GIT_REPOSITORY", &repository);
    let client = spec.stdio(Era::Legacy).await;
    (spec, client)
}

#[tokio::test]
async fn git_reads_a_repository() {
    let (_spec, client) = git().await;
    let value = async |tool: &str, arguments: Value| client.json(tool, arguments).await;
    assert_eq!(value("status", json!({})).await, json!({ "changes": [{ "state": "??", "path": "new \"file\".txt" }] }));
    let subjects = async |arguments: Value| {
        let log = client.json("log", arguments).await;
        let commits = log["commits"].as_array().unwrap().iter();
        commits.map(|commit| commit["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(subjects(json!({})).await, ["Second: more of a", "First: add a"]);
    assert_eq!(subjects(json!({ "ref": "main" })).await, ["First: add a"]);
    assert_eq!(subjects(json!({ "words": "MORE", "author": "ada" })).await, ["Second: more of a"]);
    assert_eq!(subjects(json!({ "path": "a.txt", "limit": 1 })).await, ["Second: more of a"]);
    assert!(
        subjects(json!({ "path": "b.txt" })).await.is_empty() && subjects(json!({ "words": "(" })).await.is_empty()
    );
    let diff = client.text("diff", json!({ "from": "main", "to": "topic", "context": 0 })).await;
    assert!(diff.contains("@@ -1,0 +2 @@") && diff.contains("\n+two\n"), "{diff}");
    assert!(client.text("diff", json!({ "from": "main", "summary": true })).await.contains("a.txt | 1 +"));
    assert_eq!(client.text("diff", json!({ "staged": true })).await, "");
    assert!(client.text("show", json!({ "ref": "main" })).await.contains("First: add a"));
    assert_eq!(client.text("show_file", json!({ "ref": "main", "path": "a.txt" })).await, "one\n");
    let lines = value("blame", json!({ "path": "a.txt" })).await["lines"].clone();
    assert_eq!(
        (&lines[1]["line"], &lines[1]["author"], &lines[1]["text"]),
        (&json!(2), &json!("Ada L"), &json!("two"))
    );
    assert_eq!(value("blame", json!({ "path": "a.txt", "last": 1 })).await["lines"].as_array().unwrap().len(), 1);
    let branches = value("branches", json!({})).await["branches"].clone();
    let named = |name: &str| branches.as_array().unwrap().iter().find(|branch| branch["name"] == name).unwrap();
    assert_eq!((&named("topic")["current"], &named("main")["current"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn git_completes_branches_and_reviews_them() {
    let (_spec, client) = git().await;
    let completed = client.complete("git://log/{ref}", "ref", "to").await;
    assert!(completed.to_string().contains("topic") && !completed.to_string().contains("main"), "{completed}");
    let completed = client.complete("review_branch", "branch", "").await;
    assert!(completed.to_string().contains("topic") && completed.to_string().contains("main"), "{completed}");
    assert!(client.read("git://log/main").await["text"].as_str().unwrap().ends_with(" First: add a\n"));
    let review = client.prompt("review_branch", json!({ "branch": "topic" })).await.to_string();
    assert!(review.contains("Second: more of a") && review.contains("+two"), "{review}");
}

#[tokio::test]
async fn git_runs_nothing_of_a_hostile_repository_and_takes_no_options() {
    let (spec, client) = git().await;
    let folder = spec.folder().join("repository");
    let trap = folder.join("trap.sh");
    std::fs::write(&trap, "#!/bin/sh\ntouch \"$(dirname \"$0\")/sprung\" /tmp/mcp-declare-sprung\ncat\n").unwrap();
    std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
    let trap = trap.display();
    let config = format!(
        "[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n[diff]\n\texternal = {trap}\n[diff \"x\"]\n\ttextconv = {trap}\n[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {trap}\n"
    );
    let mut whole = std::fs::read_to_string(folder.join(".git/config")).unwrap();
    whole.push_str(&config);
    std::fs::write(folder.join(".git/config"), whole).unwrap();
    std::fs::write(folder.join(".gitattributes"), "*.txt diff=x\n").unwrap();
    for tool in ["status", "log", "diff", "show", "branches"] {
        client.call(tool, json!({})).await;
    }
    client.call("diff", json!({ "from": "main" })).await;
    assert!(!folder.join("sprung").exists() && !std::path::Path::new("/tmp/mcp-declare-sprung").exists());
    for (tool, arguments) in [
        ("log", json!({ "ref": "--output=x" })),
        ("diff", json!({ "from": "--output=x" })),
        ("show", json!({ "ref": "--output=x" })),
        ("blame", json!({ "path": "a.txt", "ref": "--contents=/etc/passwd" })),
        ("show_file", json!({ "ref": "--batch", "path": "x" })),
    ] {
        let words = client.fails(tool, arguments).await;
        assert!(words.contains("can't start with `-`"), "{tool}: {words}");
    }
    let unknown = client.fails("show", json!({ "ref": "no-such-branch" })).await;
    assert_eq!(unknown, "git does not know that ref or path, or the folder is no repository");
}

#[tokio::test]
async fn a_machine_says_how_it_is() {
    let client = ready_made("system.yaml").stdio(Era::Legacy).await;
    let disks = client.json("disks", json!({ "all": true })).await;
    assert!(
        disks["disks"].as_array().unwrap().iter().any(|disk| disk["mount"] == "/" && disk["size"].is_u64()),
        "{disks}"
    );
    let memory = client.json("memory", json!({})).await;
    assert!(memory["total"].as_u64() > memory["available"].as_u64() && memory["swapTotal"].is_u64(), "{memory}");
    let load = client.json("load", json!({})).await;
    assert!(load["load1"].is_number() && load["upSeconds"].as_f64() > Some(0.0), "{load}");
    let processes = client.json("processes", json!({ "limit": 3, "by": "cpu" })).await;
    assert_eq!(processes["processes"].as_array().unwrap().len(), 3);
    let named = client.json("processes", json!({ "name": "mcp-declare" })).await;
    assert!(named["processes"][0]["pid"].is_u64() && named["processes"][0]["name"] == "mcp-declare", "{named}");
    let nobody = client.json("processes", json!({ "name": "no-such-program" })).await;
    assert_eq!(nobody, json!({ "processes": [] }));
    assert!(client.read("system://os").await["text"].as_str().unwrap().starts_with("Linux "));
}

/// A spec whose programs are looked for in a folder of its own first, where these scripts are.
pub fn with_programs(name: &str, programs: &[(&str, &str)]) -> Spec {
    let spec = ready_made(name);
    for (program, script) in programs {
        spec.put(&format!("bin/{program}"), format!("#!/bin/sh\n{script}\n"));
        let path = spec.folder().join("bin").join(program);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", spec.folder().join("bin").display(), std::env::var("PATH").unwrap());
    spec.env("PATH", &path)
}

#[tokio::test]
async fn the_journal_is_asked_where_there_is_one() {
    let entry =
        r#"{"__REALTIME_TIMESTAMP":"1700000000123456","PRIORITY":"3","_SYSTEMD_UNIT":"a.service","MESSAGE":"ARGS"}"#;
    let script = format!("printf '%s\\n' '{entry}' | sed \"s|ARGS|$*|\"");
    let client = with_programs("system.yaml", &[("journalctl", &script)]).stdio(Era::Legacy).await;
    let entries = client.json("journal", json!({ "unit": "a.service", "limit": 5 })).await["entries"].clone();
    assert_eq!((&entries[0]["time"], &entries[0]["priority"]), (&json!("2023-11-14T22:13:20Z"), &json!(3)));
    let given = entries[0]["message"].as_str().unwrap();
    assert!(given.ends_with("--lines=5 --priority=info --unit=a.service"), "{given}");
}

#[tokio::test]
async fn a_project_is_tested_linted_and_formatted() {
    let say = "echo \"$(basename \"$0\") $*\"";
    let cargo = format!("{say}; echo '   Building 1/2' >&2; case $* in *fails*) echo the reason; exit 101;; esac");
    let ruff =
        r#"echo '[{"filename":"a.py","location":{"row":3,"column":1},"code":"F401","message":"unused"}]'; exit 1"#;
    let programs =
        [("cargo", cargo.as_str()), ("pytest", say), ("ruff", ruff), ("npm", say), ("go", say), ("gofmt", say)];
    let spec = with_programs("dev-tools.yaml", &programs).file("project/x", "");
    let project = spec.folder().join("project").display().to_string();
    let client = spec.env("PROJECT", &project).stdio(Era::Legacy).await;
    for (tool, arguments, said) in [
        ("rust_test", json!({}), "cargo test --no-fail-fast --\n"),
        ("rust_test", json!({ "filter": "a b" }), "cargo test --no-fail-fast -- a b\n"),
        ("rust_lint", json!({}), "cargo clippy --all-targets\n"),
        ("rust_format", json!({}), "cargo fmt --all --check\n"),
        ("rust_format", json!({ "check": false }), "cargo fmt --all\n"),
        ("python_test", json!({ "filter": "-x" }), "pytest --color=no -k=-x\n"),
        ("node_test", json!({}), "npm run --silent test\n"),
        ("node_lint", json!({}), "npm run --silent lint\n"),
        ("go_test", json!({ "filter": "T" }), "go test -run=T ./...\n"),
        ("go_format", json!({}), "gofmt -d .\n"),
        ("go_format", json!({ "check": false }), "gofmt -w .\n"),
    ] {
        let text = client.text(tool, arguments).await;
        assert!(text.starts_with(said), "{tool}: {text}");
    }
    let words = client.fails("rust_test", json!({ "filter": "fails" })).await;
    assert!(words.contains("ended with status 101") && words.contains("the reason"), "{words}");
    let finding = json!({ "file": "a.py", "line": 3, "code": "F401", "message": "unused" });
    assert_eq!(client.json("python_lint", json!({})).await, json!({ "findings": [finding] }));
}
