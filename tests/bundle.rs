//! `bundle`: what is in it serves, and none of it is a secret.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Client, Era, Output, Process, Spec};

const SHOP: &str = r#"
    server: { name: my shop, title: My shop, version: 1.2.0 }
    include: [parts/more.yaml]
    sources:
      api: { http: "${API_URL:-http://127.0.0.1:9}", auth: { bearer: "${API_TOKEN:?the token of the shop's API}" } }
      db: { sql: 'sqlite:./shop.db', init: ./shop.sql, readOnly: true }
    tools:
      books: { description: All books., sql: { source: db, file: ./books.sql } }
      ask: { description: Asks the API., http: { source: api, request: GET / } }
"#;

/// A spec of several files, and a program in place of ours that is not as large.
fn shop() -> Spec {
    let program = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_mcp-declare"));
    let spec = Spec::new(SHOP)
        .file("parts/more.yaml", "tools: { hello: { description: Says hello., text: Hello } }\n")
        .file("shop.sql", "CREATE TABLE books (title); INSERT INTO books VALUES ('Dune');")
        .file("books.sql", "SELECT title FROM books")
        .file("notes/a.txt", "a note")
        .file("not-named.txt", "not of the spec")
        .file("secret.env", "API_TOKEN=hunter2\n")
        .file("program", program);
    fs::set_permissions(spec.folder().join("program"), Permissions::from_mode(0o755)).unwrap();
    spec
}

async fn bundle(spec: &Spec, arguments: &[&str]) -> Output {
    let mut command = Process::command(spec, "bundle");
    command.args(["--binary", "program", "--env-file", "secret.env"]).args(arguments).current_dir(spec.folder());
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn what_is_unpacked_serves() {
    let spec = shop();
    let output = bundle(&spec, &["--include", "notes", "--author", "Ada"]).await;
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(output.err.contains("wrote my-shop.mcpb (7 files)"), "{}", output.err);
    assert!(output.err.contains("asked for `API_URL`, `API_TOKEN`"), "{}", output.err);

    let folder = tempfile::tempdir().unwrap();
    let file = File::open(spec.folder().join("my-shop.mcpb")).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    let expected = [
        "manifest.json",
        "server/mcp-declare",
        "spec/books.sql",
        "spec/notes/a.txt",
        "spec/parts/more.yaml",
        "spec/shop.sql",
        "spec/spec.yaml",
    ];
    assert_eq!(names, expected);
    archive.extract(folder.path()).unwrap();
    for name in &names {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{name}");
    }

    let manifest: Value = serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["manifest_version"], "0.3");
    assert_eq!((&manifest["name"], &manifest["display_name"]), (&json!("my shop"), &json!("My shop")));
    assert_eq!((&manifest["version"], &manifest["author"]), (&json!("1.2.0"), &json!({ "name": "Ada" })));
    assert_eq!(manifest["server"]["type"], "binary");
    assert_eq!(manifest["tools"][2], json!({ "name": "hello", "description": "Says hello." }));
    let asked = &manifest["user_config"];
    assert_eq!(asked["API_TOKEN"]["description"], "the token of the shop's API");
    assert_eq!((&asked["API_TOKEN"]["required"], &asked["API_TOKEN"]["sensitive"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&asked["API_URL"]["required"], &asked["API_URL"]["default"]),
        (&json!(false), &json!("http://127.0.0.1:9"))
    );
    let server = &manifest["server"]["mcp_config"];
    assert_eq!(server["env"]["API_TOKEN"], "${user_config.API_TOKEN}");

    // As a client starts it.
    let place = |text: &Value| text.as_str().unwrap().replace("${__dirname}", folder.path().to_str().unwrap());
    let mut command = tokio::process::Command::new(place(&server["command"]));
    command.args(server["args"].as_array().unwrap().iter().map(place)).env("API_TOKEN", "t").kill_on_drop(true);
    let client = Client::over_stdio(Process::start(&spec, command), Era::Legacy).await;
    assert_eq!(client.json("books", json!({})).await["rows"], json!([{ "title": "Dune" }]));
    assert_eq!(client.text("hello", json!({})).await, "Hello");
}

#[tokio::test]
async fn the_same_spec_gives_the_same_bundle() {
    let spec = shop();
    for name in ["one.mcpb", "two.mcpb"] {
        assert_eq!(bundle(&spec, &["-o", name]).await.code, 0);
    }
    let read = |name| fs::read(spec.folder().join(name)).unwrap();
    assert!(read("one.mcpb") == read("two.mcpb"));
}

#[tokio::test]
async fn what_can_not_go_along_is_named() {
    let spec = shop();
    let outside = bundle(&spec, &["--include", "/etc/hostname"]).await;
    assert_eq!(outside.code, 1);
    assert!(outside.err.contains("/etc/hostname is not below the spec's folder"), "{}", outside.err);
    let missing = bundle(&spec, &["--include", "no-such"]).await;
    assert!(missing.err.contains("no-such: there is no such file"), "{}", missing.err);
    let spec = spec.with(&SHOP.replace("${API_TOKEN:?the token of the shop's API}", "${file:./secret.env}"));
    let secret = bundle(&spec, &[]).await;
    assert_eq!(secret.code, 1);
    assert!(secret.err.contains("secret.env is a secret of this machine"), "{}", secret.err);
    assert!(!spec.folder().join("my-shop.mcpb").exists());
}
