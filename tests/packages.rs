//! The scripts of `.ci/package` make what they say, and what they make runs. A script that starts the program stands in
//! for it, so that no package is large.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Client, Era, Process, Spec, optional};

const GREETER: &str = r"
    server: { name: test, version: 1.2.3 }
    tools: { greet: { description: Says hello to everybody., text: Hello } }
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a program is there that not every machine has; that its test is not run is said.
fn there(program: &str) -> bool {
    let found = optional::program(program).is_some();
    if !found {
        optional::not_run(&format!("what wants {program}, which is not there"));
    }
    found
}

/// What stands in for the program.
fn program(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("program");
    fs::write(&path, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_mcp-declare"))).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path
}

/// Runs a command to its end, which has to be a good one; gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.current_dir(root()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}:\n{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Packs the stand-in with one of the scripts.
fn pack(script: &str, folder: &TempDir) -> PathBuf {
    let made = folder.path().join("made");
    run(Command::new("bash").arg(format!(".ci/package/{script}")).arg(program(folder)).arg(&made));
    made
}

fn scripts() -> Vec<PathBuf> {
    let listed = fs::read_dir(root().join(".ci/package")).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<PathBuf> = listed.filter(|path| path.extension().is_some_and(|e| e == "sh")).collect();
    assert!(scripts.len() >= 4, "{scripts:?}");
    scripts.extend([root().join(".ci/run"), root().join("tests/clients/run.sh")]);
    scripts
}

#[test]
fn the_scripts_are_sound() {
    for script in scripts() {
        run(Command::new("bash").arg("-n").arg(&script));
        let text = fs::read_to_string(&script).unwrap();
        assert!(text.starts_with("#!/usr/bin/env bash\n"), "{script:?}");
        assert!(text.contains("\nset -euo pipefail\n"), "{script:?}");
    }
    if there("shellcheck") {
        run(Command::new("shellcheck").arg("--severity=warning").args(scripts()));
    }
}

/// npm's packages, installed as whoever has only the packed files does; none when there is no npm.
fn installed(folder: &TempDir) -> Option<PathBuf> {
    if !there("npm") {
        return None;
    }
    let made = pack("npm.sh", folder);
    let mut packages: Vec<PathBuf> = fs::read_dir(made).unwrap().map(|entry| entry.unwrap().path()).collect();
    packages.sort();
    assert_eq!(packages.len(), 2, "{packages:?}");
    let place = folder.path().join("installed");
    let mut npm = Command::new("npm");
    npm.args(["install", "--offline", "--no-audit", "--no-fund", "--prefix"]).arg(&place).args(packages);
    run(npm.env("npm_config_cache", folder.path().join("cache")));
    Some(place)
}

#[tokio::test]
async fn what_npm_installs_serves() {
    let folder = tempfile::tempdir().unwrap();
    let Some(place) = installed(&folder) else { return };
    let spec = Spec::new(GREETER);
    let mut npx = tokio::process::Command::new("npx");
    npx.args(["--offline", "mcp-declare", "serve"]).arg(spec.path()).current_dir(&place).kill_on_drop(true);
    let client = Client::over_stdio(Process::start(&spec, npx), Era::Legacy).await;
    assert_eq!(client.text("greet", json!({})).await, "Hello");
}

#[tokio::test]
async fn what_npm_installs_ends_as_the_program_does() {
    let folder = tempfile::tempdir().unwrap();
    let Some(place) = installed(&folder) else { return };
    let launcher = place.join("node_modules/.bin/mcp-declare");
    let spec = Spec::new(GREETER);
    let serve = |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(&launcher);
        command.arg("serve").arg(spec.path()).args(arguments).kill_on_drop(true);
        Process::start(&spec, command)
    };
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = serve(&["--http", "127.0.0.1:0"]);
        server.says("serving test").await;
        server.signal(signal);
        assert_eq!(server.exit().await, 0, "{signal:?}: {}", server.stderr());
    }
    assert_eq!(serve(&["--no-such-option"]).exit().await, 2);

    let mut server = serve(&["--http", "127.0.0.1:0", "--no-watch"]);
    server.says("serving test").await;
    spec.write(&GREETER.replace("1.2.3", "1.2.4"));
    server.signal(Signal::HUP);
    server.says("reloaded test 1.2.4").await;
    server.signal(Signal::TERM);
    assert_eq!(server.exit().await, 0);

    fs::remove_dir_all(launcher.parent().unwrap().join(format!("../{}", own_package(&place)))).unwrap();
    let mut nothing = serve(&[]);
    nothing.says("error: there is no mcp-declare for ").await;
    assert_eq!(nothing.exit().await, 3);
}

/// The package that has the program.
fn own_package(place: &Path) -> String {
    let names =
        fs::read_dir(place.join("node_modules")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let own: Vec<String> = names.filter(|name| name.starts_with("mcp-declare-")).collect();
    assert_eq!(own.len(), 1, "{own:?}");
    own[0].clone()
}

#[test]
fn a_deb_has_all_that_an_operator_looks_for() {
    if !there("cargo-deb") || !there("dpkg-deb") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = pack("deb.sh", &folder);
    let package = fs::read_dir(made).unwrap().next().unwrap().unwrap().path();
    let listed = run(Command::new("dpkg-deb").arg("--contents").arg(&package));
    let files: BTreeSet<&str> =
        listed.lines().filter_map(|line| line.split_once(" ./").map(|(_, path)| path)).collect();
    let expected = [
        "usr/bin/mcp-declare",
        "usr/lib/systemd/system/mcp-declare@.service",
        "usr/share/bash-completion/completions/mcp-declare",
        "usr/share/doc/mcp-declare/README.md",
        "usr/share/doc/mcp-declare/changelog.gz",
        "usr/share/doc/mcp-declare/copyright",
        "usr/share/fish/vendor_completions.d/mcp-declare.fish",
        "usr/share/man/man1/mcp-declare-serve.1.gz",
        "usr/share/man/man1/mcp-declare.1.gz",
        "usr/share/zsh/vendor-completions/_mcp-declare",
    ];
    for file in expected {
        assert!(files.contains(file), "there is no {file}:\n{listed}");
    }
    assert!(listed.lines().all(|line| line.contains(" root/root ") || line.contains(" 0/0 ")), "{listed}");
    let about = run(Command::new("dpkg-deb").arg("--info").arg(&package));
    assert!(about.contains(&format!("Version: {}", env!("CARGO_PKG_VERSION"))), "{about}");
    assert!(about.contains("Model Context Protocol"), "{about}");
}

#[test]
fn systemd_takes_the_unit() {
    if !there("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(root().join(".ci/package/mcp-declare@.service")).unwrap();
    // Neither program nor manual are installed where tests run.
    let unit = unit.replace("/usr/bin/mcp-declare", program(&folder).to_str().unwrap());
    let unit: String = unit.lines().filter(|l| !l.starts_with("Documentation=")).map(|l| format!("{l}\n")).collect();
    let path = folder.path().join("mcp-declare@shop.service");
    fs::write(&path, unit).unwrap();
    let output = Command::new("systemd-analyze").args(["--man=no", "verify"]).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("mcp-declare"), "{said}");
}

#[test]
fn the_crate_holds_what_it_is_built_of_and_no_tests() {
    let listed = run(Command::new(env!("CARGO")).args(["package", "--list", "--allow-dirty", "--offline"]));
    for file in ["Cargo.lock", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/main.rs"] {
        assert!(listed.lines().any(|line| line == file), "there is no {file}");
    }
    let parts = ["src/", "docs/", "examples/", "specs/", "Cargo.", "CHANGELOG", "LICENSE", "README", ".cargo_vcs_info"];
    let others: Vec<&str> = listed.lines().filter(|line| !parts.iter().any(|part| line.starts_with(part))).collect();
    assert!(others.is_empty(), "{others:?}");
    let sizes = listed.lines().filter_map(|line| fs::metadata(root().join(line)).ok());
    assert!(sizes.map(|file| file.len()).sum::<u64>() < 6_000_000);
}
