//! Results that can't be written are no success.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::process::Stdio;

use crate::harness::{Process, Spec, soon};

const SPEC: &str = r#"
    server: { name: full, version: 1.0.0 }
    tools: { hello: { description: Says hello., text: hello } }
    resources: { "full://a": { description: A text., text: a } }
    prompts: { greet: { description: Greets., messages: [{ role: user, text: Hello }] } }
    tests: { says: { call: hello, text: hello } }
"#;

/// The exit code of a command, and what it says on stderr.
async fn ended(mut command: tokio::process::Command, out: Stdio) -> (i32, String) {
    let output = soon(
        "its end",
        command
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output(),
    )
    .await
    .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A device that is always full.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

fn bare(arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    command.args(arguments);
    command
}

#[tokio::test]
async fn a_result_that_is_lost_is_told() {
    let spec = Spec::new(SPEC);
    spec.put("new.yaml", SPEC.replace("Says hello.", "Greets."));
    let new = spec.folder().join("new.yaml");
    let of_spec: [(&str, &[&str]); 7] = [
        ("list", &[]),
        ("call", &["hello"]),
        ("read", &["full://a"]),
        ("prompt", &["greet"]),
        ("check", &[]),
        ("test", &[]),
        ("diff", &[new.to_str().unwrap()]),
    ];
    let mut commands: Vec<_> = of_spec
        .into_iter()
        .map(|(command, arguments)| {
            let mut run = Process::command(&spec, command);
            run.args(arguments);
            run
        })
        .collect();
    commands.extend([bare(&["schema"]), bare(&["completions", "bash"]), bare(&["init", "-", "--template", "sql"])]);
    for command in commands {
        let told = format!("{command:?}");
        let (code, said) = ended(command, full()).await;
        let last = said.lines().last();
        assert_eq!((code, last), (3, Some("error: can't write to stdout: no space left on device")), "{told}: {said}");
    }
}

#[tokio::test]
async fn a_reader_that_is_gone_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(ended(bare(&["schema"]), writer.into()).await, (0, String::new()));
}
