//! Commands that do not behave: they say too much, stand still, or are changed while they are served.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Era, Process, Spec, request};

#[tokio::test]
async fn a_command_that_stands_still_is_ended() {
    let spec = Spec::tools(
        r#"
        still: { shell: { script: 'echo begun; kill -STOP $$; echo never', timeout: 300ms } }
        deaf: { shell: { script: 'trap "" TERM HUP INT; kill -STOP $$ & sleep 600', timeout: 300ms } }
        "#,
    );
    let client = spec.stdio(Era::Legacy).await;
    for tool in ["still", "deaf"] {
        let begun = Instant::now();
        assert!(client.fails(tool, json!({})).await.contains("did not finish within 300ms"), "{tool}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{tool}");
    }
}

#[tokio::test]
async fn a_command_may_say_as_much_as_it_likes() {
    let spec = Spec::tools(
        r#"
        lines: { shell: { script: 'yes "at 7%" | head -n 1000000 >&2; echo done', timeout: 50s, progress: '(a|a)*(\d+)%' } }
        endless: { shell: { script: 'head -c 100000000 /dev/zero | tr "\0" a >&2; echo done', timeout: 50s, progress: '^(a+)+$' } }
        failing: { shell: { script: 'head -c 1000000 /dev/zero | tr "\0" a >&2; exit 3' } }
        "#,
    );
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    server.ask(&request(1, "logging/setLevel", json!({ "level": "debug" }))).await;
    for (id, tool) in [(2, "lines"), (3, "endless")] {
        let params = json!({ "name": tool, "arguments": {}, "_meta": { "progressToken": id } });
        let answer = server.ask(&request(id, "tools/call", params)).await;
        assert_eq!(answer["result"]["content"][0]["text"], "done\n", "{tool}: {answer}");
    }
    let answer = server.ask(&request(4, "tools/call", json!({ "name": "failing", "arguments": {} }))).await;
    let words = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(words.contains("ended with status 3") && words.len() < 70_000, "{} bytes", words.len());
}

#[tokio::test]
async fn a_program_that_changes_after_the_load_is_the_one_of_its_path() {
    let spec = Spec::tools("own: { exec: { command: [./tool] } }").file("tool", "#!/bin/sh\necho one\n");
    let executable = |mode| {
        let tool = spec.folder().join("tool");
        std::fs::set_permissions(tool, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    executable(0o755);
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("own", json!({})).await, "one\n");
    executable(0o644);
    assert!(client.fails("own", json!({})).await.contains("could not be started: permission denied"));
    std::fs::remove_file(spec.folder().join("tool")).unwrap();
    assert!(client.fails("own", json!({})).await.contains("could not be started: its file does not exist"));
    std::fs::create_dir(spec.folder().join("tool")).unwrap();
    assert!(client.fails("own", json!({})).await.contains("could not be started: permission denied"));
}

/// Swaps what a name means for as long as this lives.
struct Swapping {
    stop: std::sync::Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Swapping {
    /// The link `name` leads to one target and the other in turn.
    fn link(folder: std::path::PathBuf, name: &'static str, targets: [&'static str; 2]) -> Swapping {
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let beside = folder.join("..next");
            for target in targets.into_iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                symlink(target, &beside).unwrap();
                std::fs::rename(&beside, folder.join(name)).unwrap();
                std::thread::yield_now();
            }
        });
        Swapping { stop, thread: Some(thread) }
    }
}

impl Drop for Swapping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

#[tokio::test]
async fn a_folder_that_is_swapped_meanwhile_is_never_one_outside() {
    let spec = Spec::tools("where: { params: { in: string }, exec: { command: [cat, marker], cwd: './work/{{in}}' } }");
    let spec = spec.file("work/real/marker", "inside").file("marker", "outside");
    symlink("real", spec.folder().join("work/a")).unwrap();
    let client = spec.stdio(Era::Legacy).await;
    let _swapping = Swapping::link(spec.folder().join("work"), "a", ["real", ".."]);
    for _ in 0..100 {
        let answer = client.call("where", json!({ "in": "a" })).await.to_string();
        assert!(answer.contains("inside") || answer.contains("there is no folder `a`"), "{answer}");
    }
}

#[tokio::test]
async fn strange_arguments_are_arguments() {
    let spec = Spec::tools(
        r#"
        show:
          params: { a: string, b: { type: string, optional: true }, c: { type: [string, integer], optional: true } }
          exec: { command: [printf, '<%s>', "{{a}}", "{{b}}{{a}}", "x{{c}}", "{{#if b}}--{{/if}}", "{{a}}"] }
        switched:
          params: { a: string, b: boolean }
          exec: { command: [printf, '<%s>', "{{#if b}}--{{/if}}", "{{a}}"] }
        bare: { params: { c: { type: [string, integer] } }, exec: { command: [printf, '%s', "{{c}}"] } }
        tail: { params: { a: string }, exec: { command: [printf, '<%s>', "{{#if a}}{{/if}}{{a}}"] } }
        "#,
    );
    let client = spec.stdio(Era::Modern).await;
    assert_eq!(client.text("show", json!({ "a": "" })).await, "<><>", "what was not given is left out");
    for dashed in ["-n", "--", "-", "--x=y"] {
        for (tool, name) in [("show", "a"), ("bare", "c"), ("tail", "a")] {
            let words = client.fails(tool, json!({ name: dashed })).await;
            assert!(words.contains("can't start with `-`"), "{tool} {dashed}: {words}");
        }
    }
    // A `--` that is only there with a value protects nothing that comes after it.
    assert!(client.fails("switched", json!({ "a": "-n", "b": true })).await.contains("can't start with `-`"));
}
