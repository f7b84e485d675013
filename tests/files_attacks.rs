//! Folders that are hostile, full, huge or changed while they are served, and callers who ask for too much.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Client, Era, Process, Spec, everywhere};

/// Everything that can be done to the folder `docs`, with a secret beside it.
fn spec() -> Spec {
    let spec = Spec::new(
        r#"
        files: { docs: { root: ./docs, search: true, maxFiles: 100000 } }
        tools:
          ls:
            params: { path: { type: string, default: '' }, glob: { type: string, default: '' } }
            files: { root: docs, path: '{+path}', match: '{{glob}}', maxRows: 100000 }
          get: { params: { path: string }, file: { root: docs, path: '{+path}' } }
          put: { params: { path: string, text: string }, write: { root: docs, path: '{+path}', text: '{{text}}' } }
          over:
            params: { path: string, text: string }
            write: { root: docs, path: '{+path}', text: '{{text}}', mode: replace }
          more:
            params: { path: string, text: string }
            write: { root: docs, path: '{+path}', text: '{{text}}', mode: append }
          change:
            params: { path: string, old: string, new: string }
            edit: { root: docs, path: '{+path}', find: '{{old}}', replace: '{{new}}' }
        "#,
    );
    spec.file("docs/a.md", "alpha\n").file("secret.md", "secret needle\n")
}

async fn paths(client: &Client) -> Vec<String> {
    let answer = client.json("ls", json!({})).await;
    answer["rows"].as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect()
}

/// The names in `docs`, hidden ones too.
fn names(spec: &Spec) -> Vec<String> {
    let entries = std::fs::read_dir(spec.folder().join("docs")).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_name_is_a_name() {
    let names = [
        "new\nline",
        "100%",
        "%2e%2e",
        "a?b",
        "a#b",
        "{x}",
        "sp ace",
        "-rf",
        "'q\"",
        "back\\slash",
        "$HOME",
        "*",
        "ünï\u{1f600}",
        "\u{202e}gpj",
        "a+b&c=d;e,f",
        "C:",
        "~",
        "tab\t",
        "\u{7f}",
        "[a]",
    ];
    let spec = spec();
    for name in names {
        spec.put(&format!("docs/{name}"), format!("needle of {name:?}"));
    }
    use std::os::unix::ffi::OsStrExt;
    std::fs::write(spec.folder().join("docs").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "needle").unwrap();
    everywhere(&spec, async |client| {
        let listed = client.list("resources").await;
        assert_eq!(listed.len(), names.len() + 1, "what is no Unicode is left out");
        let uris: Vec<&str> = listed.iter().map(|resource| resource["uri"].as_str().unwrap()).collect();
        let mut read = Vec::new();
        for uri in uris {
            read.push(client.read(uri).await["text"].as_str().unwrap().to_owned());
        }
        for name in names {
            let text = format!("needle of {name:?}");
            assert!(read.contains(&text), "{name:?}");
            assert_eq!(client.text("get", json!({ "path": name })).await, text);
        }
        let found = client.json("search_docs", json!({ "query": "needle" })).await;
        assert_eq!(found["rowCount"], names.len());
    })
    .await;
}

#[tokio::test]
async fn nothing_that_is_no_file_holds_anybody_up() {
    let spec = spec();
    let at = |name: &str| spec.folder().join("docs").join(name);
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let _listener = UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/zero", at("zero")).unwrap();
    symlink("/proc/self/environ", at("proc")).unwrap();
    symlink("/proc/kmsg", at("kernel")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink(".", at("self")).unwrap();
    everywhere(&spec, async |client| {
        assert_eq!(paths(client).await, ["a.md"]);
        assert_eq!(client.list("resources").await.len(), 1);
        assert_eq!(client.json("search_docs", json!({ "query": "e", "regex": true })).await["rowCount"], 0);
        for name in ["pipe", "socket", "zero", "proc", "kernel", "loop", "self", "."] {
            let path = json!({ "path": name });
            let words = client.fails("get", path).await;
            assert!(!words.contains("/dev") && !words.contains("/proc"), "{words}");
            for tool in ["put", "over", "more"] {
                client.fails(tool, json!({ "path": name, "text": "x" })).await;
            }
            client.fails("change", json!({ "path": name, "old": "a", "new": "b" })).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_deep_and_wide_folder_is_listed_as_far_as_it_goes() {
    let spec = spec();
    let made = "cd docs; for i in $(seq 200); do mkdir deep && cd deep && echo x > f || exit 1; done";
    let made = std::process::Command::new("bash").args(["-c", made]).current_dir(spec.folder()).status().unwrap();
    assert!(made.success());
    for n in 0..2000 {
        spec.put(&format!("docs/wide/{n}"), "");
    }
    let client = spec.stdio(Era::Legacy).await;
    let all = paths(&client).await;
    assert_eq!(all.iter().filter(|path| path.starts_with("wide/")).count(), 2000);
    let deepest = all.iter().filter(|path| path.starts_with("deep/")).map(|path| path.split('/').count()).max();
    assert_eq!(deepest, Some(64), "64 folders are entered");
    let removed = std::process::Command::new("rm").arg("-rf").arg(spec.folder().join("docs")).status().unwrap();
    assert!(removed.success());
}

#[tokio::test]
async fn a_file_that_is_swapped_for_a_link_never_leads_out() {
    let spec = spec();
    let (docs, stop) = (spec.folder().join("docs"), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let swapping = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            symlink("../secret.md", docs.join(".l")).unwrap();
            std::fs::rename(docs.join(".l"), docs.join("a.md")).unwrap();
            std::fs::write(docs.join(".f"), "alpha\n").unwrap();
            std::fs::rename(docs.join(".f"), docs.join("a.md")).unwrap();
        }
    });
    let client = spec.stdio(Era::Legacy).await;
    for n in 0..150 {
        let (tool, arguments) = match n % 5 {
            0 => ("get", json!({ "path": "a.md" })),
            1 => ("search_docs", json!({ "query": "needle" })),
            2 => ("over", json!({ "path": "a.md", "text": "alpha" })),
            3 => ("more", json!({ "path": "a.md", "text": "alpha" })),
            _ => ("change", json!({ "path": "a.md", "old": "needle", "new": "gone" })),
        };
        let answer = client.call(tool, arguments).await.to_string();
        assert!(!answer.contains("secret"), "{tool}: {answer}");
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    assert_eq!(spec.get("secret.md"), "secret needle\n");
}

#[tokio::test]
async fn patterns_cost_no_more_than_they_may() {
    let spec = spec().file("docs/long.txt", "a".repeat(1_000_000));
    let client = spec.stdio(Era::Modern).await;
    let search = |query: &str| json!({ "query": query, "regex": true });
    for slow in ["(a*)*b", "(a|a|a)+$b", "a{50}{50}b", "(x+x+)+y"] {
        assert_eq!(client.json("search_docs", search(slow)).await["rowCount"], 0, "{slow}");
    }
    for (large, words) in [
        ("(a{1000}){1000}", "the regular expression is too large"),
        ("\\pL{900}{900}", "the regular expression is too large"),
        (&"(".repeat(5000), "not a regular expression"),
        ("(?=a)", "not a regular expression"),
        ("(a)\\1", "not a regular expression"),
    ] {
        let said = client.fails("search_docs", search(large)).await;
        assert!(said.contains(words) && said.len() < 500, "{said}");
    }
    for glob in ["{a,b}".repeat(2000), "**/".repeat(2000), "*a".repeat(2000), "{".repeat(2000), "[!a]".repeat(5000)] {
        let answer: Value = client.call("ls", json!({ "glob": glob })).await;
        let text = answer.to_string();
        assert!(text.len() < 20_000, "{} bytes", text.len());
    }
}

#[tokio::test]
async fn an_edit_that_could_be_meant_twice_is_none() {
    let spec = spec().file("docs/e.txt", "aaa");
    let client = spec.stdio(Era::Legacy).await;
    let twice = json!({ "path": "e.txt", "old": "aa", "new": "b" });
    assert!(client.fails("change", twice).await.contains("2 times"));
    spec.put("docs/e.txt", "a".repeat(100_000));
    let often = json!({ "path": "e.txt", "old": "a".repeat(50_000), "new": "b" });
    assert!(client.fails("change", often).await.contains("1000 times or more"));
}

#[tokio::test]
async fn what_is_written_is_whole_whoever_writes_and_reads() {
    let spec = spec().file("docs/shared", "0".repeat(10_000)).file("docs/lines", lines("old"));
    let private = spec.folder().join("docs/shared");
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).unwrap();
    let client = spec.stdio(Era::Legacy).await;
    let write = |n: u32| client.call("over", json!({ "path": "shared", "text": n.to_string().repeat(10_000) }));
    let (writes, reads) = (join_all((0..40).map(|n| write(n % 10))), join_all((0..40).map(|_| read(&client))));
    let (written, read) = tokio::join!(writes, reads);
    for answer in written {
        assert_eq!(answer["isError"], false, "{answer}");
    }
    for text in read {
        assert!(text.len() == 10_000 && text.bytes().all(|b| Some(b) == text.bytes().next()), "a mixture");
    }
    assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    let edit = |n: u32| {
        client.call("change", json!({ "path": "lines", "old": format!("old {n};"), "new": format!("new {n};") }))
    };
    for answer in join_all((0..30).map(edit)).await {
        assert_eq!(answer["isError"], false, "{answer}");
    }
    assert_eq!(spec.get("docs/lines"), lines("new"), "no edit was lost");
    assert_eq!(names(&spec), ["a.md", "lines", "shared"], "nothing is left beside them");
}

fn lines(word: &str) -> String {
    (0..30).map(|n| format!("{word} {n};\n")).collect()
}

async fn read(client: &Client) -> String {
    client.text("get", json!({ "path": "shared" })).await
}

#[tokio::test]
async fn writes_go_where_their_path_says_and_nowhere_else() {
    let spec = spec();
    let at = |name: &str| spec.folder().join("docs").join(name);
    symlink("target", at("dangling")).unwrap();
    symlink("../new-outside", at("leading")).unwrap();
    symlink("a.md", at("link")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    let long = "n".repeat(255);
    let client = spec.stdio(Era::Legacy).await;
    let write = |path: &str| json!({ "path": path, "text": "new" });
    for tool in ["put", "over", "more"] {
        for path in ["folder", "leading", "../up", "/etc/new", "a.md/x", "missing/x", "", "nul\0", &"n".repeat(256)] {
            let words = client.fails(tool, write(path)).await;
            assert!(!words.contains(spec.folder().to_str().unwrap()), "{words}");
        }
    }
    assert!(!spec.folder().join("new-outside").exists() && !spec.folder().join("up").exists());
    assert!(client.fails("put", write("link")).await.contains("is there already"));
    client.json("more", write("dangling")).await;
    assert_eq!(spec.get("docs/target"), "new");
    client.json("over", write("link")).await;
    assert_eq!((spec.get("docs/link"), spec.get("docs/a.md")), ("new".to_owned(), "alpha\n".to_owned()));
    for tool in ["put", "over", "more"] {
        client.json(tool, write(&long)).await;
    }
    assert_eq!(spec.get(&format!("docs/{long}")), "newnew");
}

/// The server with a folder `docs` of 64 KiB; `None` where no file system can be mounted for it.
#[cfg(target_os = "linux")]
fn on_a_small_disk(spec: &Spec) -> Option<Process> {
    let mount = "mount -t tmpfs -o size=64k none docs && printf alpha > docs/a.md && exec \"$@\"";
    let with = |program: &str| {
        let mut command = tokio::process::Command::new("unshare");
        command.args(["-Urm", "sh", "-c", mount, "sh", program]).current_dir(spec.folder()).kill_on_drop(true);
        command
    };
    let can = with("true").into_std().output();
    if !can.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut command = with(env!("CARGO_BIN_EXE_mcp-declare"));
    command.arg("serve").arg(spec.path());
    Some(Process::start(spec, command))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let spec = spec();
    let Some(server) = on_a_small_disk(&spec) else { return };
    let client = Client::over_stdio(server, Era::Legacy).await;
    let large = |path: &str| json!({ "path": path, "text": "x".repeat(100_000) });
    for (tool, path) in [("over", "a.md"), ("put", "new"), ("over", "other")] {
        let words = client.fails(tool, large(path)).await;
        assert_eq!(words, format!("`{path}` can't be opened: the disk is full"));
        assert_eq!(client.text("get", json!({ "path": "a.md" })).await, "alpha");
        assert_eq!(paths(&client).await, ["a.md"]);
    }
    client.json("over", json!({ "path": "a.md", "text": "y".repeat(30_000) })).await;
}
