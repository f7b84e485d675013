//! Broken specs and the exact words that they get: each `tests/diagnostics/NAME.yaml` (or .toml) has a `NAME.txt`
//! with all that `mcp-declare check` prints. After a change of words, `UPDATE_EXPECTED=1 cargo test` writes the
//! .txt files anew, to be read before they are committed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The fixtures in a folder of their own, which nobody else may write: that would be one more mistake.
struct Fixtures(tempfile::TempDir);

impl Fixtures {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&sources(), folder.path());
        Fixtures(folder)
    }

    /// Runs `mcp-declare check` beside the fixtures, with an environment that has nothing but a `PATH`.
    fn check(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-declare"))
            .arg("check")
            .args(arguments)
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
            std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755)).unwrap();
        } else {
            std::fs::write(&to, std::fs::read(entry.path()).unwrap()).unwrap();
            std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
}

/// The names of the broken specs, sorted.
fn broken_specs() -> Vec<String> {
    let entries = std::fs::read_dir(sources()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut specs: Vec<String> = names.filter(|name| name.ends_with(".yaml") || name.ends_with(".toml")).collect();
    specs.sort();
    specs
}

/// Compares with the file `expected` beside the fixtures; `None` if it is the same, or was written anew.
fn difference(expected: &str, found: &str) -> Option<String> {
    let file = sources().join(expected);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        assert!(std::env::var_os("CI").is_none(), "UPDATE_EXPECTED=1 would make every test of diagnostics pass");
        std::fs::write(&file, found).unwrap();
        return None;
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_default();
    (wanted != found).then(|| format!("=== {expected}, wanted:\n{wanted}\n=== {expected}, found:\n{found}\n"))
}

fn stem(spec: &str) -> &str {
    spec.rsplit_once('.').unwrap().0
}

#[test]
fn every_broken_spec_gets_these_words() {
    let fixtures = Fixtures::new();
    let specs = broken_specs();
    assert!(specs.len() >= 150, "{specs:?}");
    let mut differences = String::new();
    for spec in &specs {
        let output = fixtures.check(&[spec, "--deny-warnings"], "");
        let stdout = String::from_utf8(output.stdout).unwrap();
        differences.extend(difference(&format!("{}.txt", stem(spec)), &stdout));
        if output.status.code() != Some(1) || !output.stderr.is_empty() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            differences.push_str(&format!("=== {spec}: {:?}, and on stderr: {stderr}\n", output.status));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn the_same_as_json() {
    let output = Fixtures::new().check(&["many.yaml", "--format", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let text = std::fs::read_to_string(sources().join("many.txt")).unwrap();
    let errors = text.lines().filter(|line| line.starts_with("error[")).count();
    assert_eq!(found.as_array().unwrap().len(), errors);
    let difference = difference("many.json", &stdout).unwrap_or_default();
    assert!(difference.is_empty(), "{difference}");
}

#[test]
fn the_same_from_standard_input() {
    let fixtures = Fixtures::new();
    let text = std::fs::read_to_string(sources().join("sql.yaml")).unwrap();
    let output = fixtures.check(&["-"], &text);
    assert_eq!(output.status.code(), Some(1));
    let wanted = std::fs::read_to_string(sources().join("sql.txt")).unwrap().replace("sql.yaml:", "<stdin>:");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
}

#[test]
fn several_specs_in_one_run() {
    let fixtures = Fixtures::new();
    let output = fixtures.check(&["empty.yaml", "no-sources.yaml"], "");
    assert_eq!(output.status.code(), Some(1));
    let wanted = ["empty.txt", "no-sources.txt"].map(|name| std::fs::read_to_string(sources().join(name)).unwrap());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted.concat());
}

#[test]
fn checking_creates_nothing() {
    let fixtures = Fixtures::new();
    fixtures.check(&["sql.yaml"], "");
    let left = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(left(fixtures.0.path()), left(&sources()));
    assert_eq!(left(&fixtures.0.path().join("files")), left(&sources().join("files")));
}

#[test]
fn continuous_integration_never_writes_expectations() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "diagnostics::the_same_as_json"])
        .envs([("UPDATE_EXPECTED", "1"), ("CI", "true")])
        .output()
        .unwrap();
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stdout).contains("would make every test of diagnostics pass"));
}

#[test]
fn every_expectation_has_a_spec_and_no_two_share_one() {
    let specs = broken_specs();
    let mut stems: Vec<&str> = specs.iter().map(|spec| stem(spec)).collect();
    stems.sort_unstable();
    let count = stems.len();
    stems.dedup();
    assert_eq!(stems.len(), count, "two specs of one name");
    for entry in std::fs::read_dir(sources()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(".txt") {
            assert!(stems.contains(&stem), "{name} belongs to no spec");
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_known_by_its_neighbours() {
    let fixtures = Fixtures::new();
    let said = |name: &str| String::from_utf8(fixtures.check(&[name], "").stdout).unwrap();
    for (name, near) in [
        ("crlf.yml", "crlf.yaml"),
        ("crlf", "crlf.yaml"),
        ("toml-sql.yaml", "toml-sql.toml"),
        ("clrf.yaml", "crlf.yaml"),
        ("./near/tols.yaml", "./near/tools.yaml"),
    ] {
        assert!(said(name).contains(&format!("help: did you mean `{near}`?")), "{name}: {}", said(name));
    }
    for name in ["no-such-file.yaml", "no-such-folder/crlf.yaml"] {
        assert!(!said(name).contains("did you mean"), "{}", said(name));
    }
}

/// The exits that `docs/errors.md` promises to scripts.
#[test]
fn exits_say_what_is_wrong() {
    let fixtures = Fixtures::new();
    let exit = |arguments: &[&str], stdin: &str| fixtures.check(arguments, stdin).status.code();
    let sound = "server: { name: shop }\n";
    let warned = "server: { name: shop }\ntools: { greet: { text: Hello } }\n";
    let unreachable = "server: { name: shop }\nsources: { db: { sql: 'postgres://shop@127.0.0.1:9/shop' } }\n";
    assert_eq!(exit(&["-"], sound), Some(0));
    assert_eq!(exit(&["-", "--deny-warnings"], sound), Some(0));
    assert_eq!(exit(&["-"], warned), Some(0));
    assert_eq!(exit(&["-", "--deny-warnings"], warned), Some(1));
    assert_eq!(exit(&["-"], "server: {}\n"), Some(1));
    assert_eq!(exit(&["no-such-file.yaml"], ""), Some(1));
    assert_eq!(exit(&["-", "--fromat", "json"], sound), Some(2));
    assert_eq!(exit(&["-", "--env-file", "no-such-file"], sound), Some(2));
    assert_eq!(exit(&["-"], unreachable), Some(3));
    assert_eq!(exit(&["-", "empty.yaml"], unreachable), Some(1));
}

/// What a host of code reads: rules, and results that point to lines below the folder of the run.
#[test]
fn the_same_as_sarif() {
    let fixtures = Fixtures::new();
    let output = fixtures.check(&["duplicate-included.yaml", "lint-unused.yaml", "--format", "sarif"], "");
    assert_eq!(output.status.code(), Some(1));
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(rules.len() > 30 && results.len() > 6);
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        let at = &result["locations"][0]["physicalLocation"];
        let uri = at["artifactLocation"]["uri"].as_str().unwrap();
        assert!(fixtures.0.path().join(uri).is_file(), "{uri}");
        let region = |key: &str| at["region"][key].as_u64().unwrap();
        assert!(region("startLine") >= 1 && region("endColumn") >= region("startColumn"));
    }
    let twice = results.iter().find(|result| result["ruleId"] == "duplicate-key").unwrap();
    assert_eq!(twice["relatedLocations"][0]["message"]["text"], "first defined here");
}

/// A secret that stands in a spec is in nothing that `check` prints, whatever else is wrong with its line.
#[test]
fn secrets_are_covered_in_every_format() {
    let fixtures = Fixtures::new();
    let spec = std::fs::read_to_string(sources().join("lint-secrets.yaml")).unwrap();
    let broken = spec.replace("X-Client: bookshop", "X-Client: 5");
    for text in [&spec, &broken] {
        for format in ["text", "json", "sarif"] {
            let output = fixtures.check(&["-", "--format", format], text);
            let stdout = String::from_utf8(output.stdout).unwrap();
            assert!(stdout.contains("plain-secret") || text == &broken, "{stdout}");
            for secret in ["not-a-real", "NotARealToken", "bm90OnJlYWw"] {
                assert!(!stdout.contains(secret), "{stdout}");
            }
        }
    }
}

/// `serve` and the other commands don't repeat what lints say.
#[test]
fn lints_are_told_by_check_alone() {
    let fixtures = Fixtures::new();
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-declare"))
        .args(["list", "lint-unused.yaml"])
        .current_dir(&fixtures.0)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
