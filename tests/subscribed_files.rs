//! Subscriptions to files: told of by the operating system where it can, found by looking where it can't.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use rmcp::model::ServerNotification;
use serde_json::json;

use crate::harness::{Era, Process, Spec, request, soon};

/// How long a change is waited for before there is another.
const NEXT_CHANGE: Duration = Duration::from_secs(5);

/// A folder and a file that nobody looks at by the clock.
fn spec() -> Spec {
    let spec = Spec::new(
        "
        files: { docs: { root: ./docs, subscribe: { poll: 1h } } }
        resources: { 'test://one': { file: docs/one.md, subscribe: { poll: 1h } } }
        ",
    );
    spec.file("docs/one.md", "one").file("secret.md", "secret")
}

/// A session of a server that is subscribed to these.
async fn session(mut server: Process, uris: &[&str]) -> Process {
    server.initialize("2025-11-25").await;
    for (id, uri) in (1..).zip(uris) {
        let answer = server.ask(&request(id, "resources/subscribe", json!({ "uri": uri }))).await;
        assert_eq!(answer["result"], json!({}), "{uri}: {answer}");
    }
    server
}

/// The URI of the next resource that the server says has changed.
async fn updated(server: &mut Process) -> String {
    loop {
        let message = soon("an update", server.next()).await.unwrap_or_else(|| panic!("{}", server.stderr()));
        if message["method"] == "notifications/resources/updated" {
            return message["params"]["uri"].as_str().unwrap().to_owned();
        }
    }
}

/// Changes a file until that is told within a second: who looks every two seconds is late each time.
async fn told_at_once(spec: &Spec, uri: &str, mut heard: impl AsyncFnMut() -> String) {
    let told = async {
        for n in 0.. {
            let begun = Instant::now();
            spec.put("docs/one.md", format!("changed {n}"));
            // What the file held when the server first looked is not known: one change may be none.
            let Ok(told) = tokio::time::timeout(NEXT_CHANGE, heard()).await else { continue };
            assert_eq!(told, uri);
            if begun.elapsed() < Duration::from_secs(1) {
                return;
            }
        }
    };
    soon("a change that is told at once", told).await;
}

#[tokio::test]
async fn a_session_is_told_at_once() {
    for uri in ["docs:///one.md", "docs:///one.md?offset=2", "test://one"] {
        let spec = spec();
        let mut server = session(Process::serve(&spec, &[]), &[uri]).await;
        told_at_once(&spec, uri, async || updated(&mut server).await).await;
    }
}

#[tokio::test]
async fn a_subscription_is_told_at_once() {
    let spec = spec();
    let site = spec.http().await;
    for client in [spec.stdio(Era::Modern).await, site.client(Era::Modern).await] {
        let mut subscription = client.listen(json!({ "resourceSubscriptions": ["docs:///one.md"] })).await;
        let heard = async || loop {
            let next = soon("an update", subscription.next()).await.unwrap().expect("it goes on");
            if let ServerNotification::ResourceUpdatedNotification(update) = next {
                return update.params.uri;
            }
        };
        told_at_once(&spec, "docs:///one.md", heard).await;
    }
}

#[tokio::test]
async fn a_file_may_come_go_and_be_swapped() {
    let spec = spec();
    let at = |name: &str| spec.folder().join(name);
    for folder in ["docs/v1", "docs/v2"] {
        spec.put(&format!("{folder}/a.md"), folder);
    }
    symlink("v1", at("docs/now")).unwrap();
    symlink("now/a.md", at("docs/a.md")).unwrap();
    let uris = ["docs:///one.md", "docs:///a.md", "docs:///new/deep.md"];
    let mut server = session(Process::serve(&spec, &[]), &uris).await;
    spec.put("beside.md", "renamed");
    std::fs::rename(at("beside.md"), at("docs/one.md")).unwrap();
    assert_eq!(updated(&mut server).await, uris[0]);
    std::fs::remove_file(at("docs/one.md")).unwrap();
    assert_eq!(updated(&mut server).await, uris[0]);
    spec.put("beside.md", "again");
    std::fs::rename(at("beside.md"), at("docs/one.md")).unwrap();
    assert_eq!(updated(&mut server).await, uris[0]);
    // As Kubernetes changes a mounted map: a link to a folder is replaced.
    symlink("v2", at("docs/next")).unwrap();
    std::fs::rename(at("docs/next"), at("docs/now")).unwrap();
    assert_eq!(updated(&mut server).await, uris[1]);
    spec.put("beside/deep.md", "new");
    std::fs::rename(at("beside"), at("docs/new")).unwrap();
    assert_eq!(updated(&mut server).await, uris[2]);
}

#[tokio::test]
async fn what_is_outside_or_no_file_is_not_told_of_and_stops_nobody() {
    let spec = spec();
    let at = |name: &str| spec.folder().join(name);
    symlink("../secret.md", at("docs/out.md")).unwrap();
    symlink("/proc/kmsg", at("docs/kernel")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("docs/pipe")).status().unwrap().success());
    let strange = ["out.md", "kernel", "pipe", "..%2Fsecret.md", "%2Fproc%2Fkmsg", "deep%00", "v1"];
    let mut uris: Vec<String> = strange.iter().map(|name| format!("docs:///{name}")).collect();
    uris.push("docs:///one.md".to_owned());
    let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
    let mut server = session(Process::serve(&spec, &[]), &uris).await;
    spec.put("secret.md", "another secret");
    told_at_once(&spec, "docs:///one.md", async || updated(&mut server).await).await;
}

/// The server where the operating system gives out no watchers; `None` where that can't be had either.
fn without_watchers(spec: &Spec) -> Option<Process> {
    let none = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\"";
    let mut command = tokio::process::Command::new("unshare");
    let can = std::process::Command::new("unshare").args(["-Ur", "sh", "-c", none, "sh", "true"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        return None;
    }
    command.args(["-Ur", "sh", "-c", none, "sh", env!("CARGO_BIN_EXE_mcp-declare"), "serve"]).arg(spec.path());
    command.kill_on_drop(true);
    Some(Process::start(spec, command))
}

#[tokio::test]
async fn without_watchers_files_are_looked_at() {
    let spec = spec();
    let Some(server) = without_watchers(&spec) else { return };
    let mut server = session(server, &["docs:///one.md"]).await;
    server.says("cannot watch files").await;
    for n in 0..2 {
        spec.put("beside.md", format!("changed {n}"));
        std::fs::rename(spec.folder().join("beside.md"), spec.folder().join("docs/one.md")).unwrap();
        assert_eq!(updated(&mut server).await, "docs:///one.md");
    }
}
