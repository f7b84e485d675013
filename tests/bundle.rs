//! `bundle`: what is in it serves, and none of it is a secret.
//!
//! `MCP_BUNDLES` names a `node_modules` folder with `@anthropic-ai/mcpb`, the tool of those who define the format.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Client, Era, Output, Process, Spec, optional};

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

/// A program that stays behind, or a folder to start it in.
#[tokio::test]
async fn what_would_not_serve_is_not_written() {
    let spec = shop().with(
        "server: { name: shop }\ntools: { count: { description: Counts notes., exec: { command: [ls], cwd: ./notes } } }",
    );
    let refused = bundle(&spec, &[]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("the spec needs what is not in the bundle; `--include` takes"), "{}", refused.err);
    assert!(refused.err.contains("--> spec/spec.yaml:2:"), "{}", refused.err);
    assert!(refused.err.contains("there is no folder spec/./notes"), "{}", refused.err);
    assert!(!spec.folder().join("shop.mcpb").exists());
    let taken = bundle(&spec, &["--include", "notes"]).await;
    assert_eq!(taken.code, 0, "{}", taken.err);
    // An empty folder goes along, too.
    fs::remove_dir_all(spec.folder().join("notes")).unwrap();
    fs::create_dir_all(spec.folder().join("notes/deep")).unwrap();
    let empty = bundle(&spec, &["--include", "notes"]).await;
    assert_eq!(empty.code, 0, "{}", empty.err);
    let mut archive = zip::ZipArchive::new(File::open(spec.folder().join("shop.mcpb")).unwrap()).unwrap();
    assert!(archive.by_name("spec/notes/deep/").unwrap().is_dir());
}

/// The published tool; its test is not run without it, and says so.
fn tool() -> Option<PathBuf> {
    optional::modules("MCP_BUNDLES", "MCPB's own tool").map(|modules| modules.join(".bin/mcpb"))
}

#[tokio::test]
async fn the_published_tool_takes_it() {
    let Some(tool) = tool() else { return };
    let spec = shop();
    assert_eq!(bundle(&spec, &["-o", "shop.mcpb"]).await.code, 0);
    let run = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(&tool);
        command.args(arguments).current_dir(spec.folder()).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    };
    assert!(run(&["info", "shop.mcpb"]).await.contains("File: shop.mcpb"));
    run(&["unpack", "shop.mcpb", "unpacked"]).await;
    let said = run(&["validate", "unpacked/manifest.json"]).await;
    assert!(said.contains("validation passes"), "{said}");
    let program = spec.folder().join("unpacked/server/mcp-declare");
    assert_ne!(fs::metadata(program).unwrap().permissions().mode() & 0o111, 0);
}

#[tokio::test]
async fn a_folder_goes_along_without_what_is_hidden_secret_or_elsewhere() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("passwords"), "hunter2").unwrap();
    let spec = shop()
        .file("notes/.env", "A=hunter2")
        .file("notes/.git/config", "hunter2")
        .file("notes/env.production", "A=hunter2")
        .file("notes/putty.ppk", "hunter2")
        .file("notes/age.txt", "# me\nAGE-SECRET-KEY-1hunter2\n")
        .file("notes/deep/prod.env", "A=hunter2")
        .file("notes/deep/server.pem", "x\n-----BEGIN EC PRIVATE KEY-----\nhunter2\n")
        .file("notes/deep/ca.pem", "-----BEGIN CERTIFICATE-----\n");
    std::os::unix::fs::symlink(outside.path(), spec.folder().join("notes/link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("passwords"), spec.folder().join("notes/deep/file")).unwrap();
    let output = bundle(&spec, &["--include", "notes", "--include", "."]).await;
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(output.err.contains("left out of folders: "), "{}", output.err);
    let again = bundle(&spec, &["--include", "notes", "--include", ".", "-o", "again.mcpb"]).await;
    assert_eq!(again.code, 0, "{}", again.err);
    let mut archive = zip::ZipArchive::new(File::open(spec.folder().join("my-shop.mcpb")).unwrap()).unwrap();
    let mut names = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let name = entry.name().unwrap().into_owned();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{name}");
        let time = entry.last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day()), (1980, 1, 1), "{name}");
        names.push(name);
    }
    assert!(names.contains(&"spec/notes/deep/ca.pem".to_owned()) && names.contains(&"spec/not-named.txt".to_owned()));
    for secret in [
        "notes/.env",
        "notes/deep/prod.env",
        "secret.env",
        "notes/deep/server.pem",
        "notes/deep/file",
        "notes/.git",
        "notes/age.txt",
    ] {
        let named = bundle(&spec, &["--include", secret]).await;
        assert!(named.code == 1 && named.err.contains("so a bundle can't have it"), "{secret}: {}", named.err);
    }
}

#[tokio::test]
async fn a_spec_whose_files_are_secrets_or_links_elsewhere_makes_no_bundle() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("more.yaml"), "tools: { a: { text: a } }").unwrap();
    let spec = shop();
    fs::remove_file(spec.folder().join("parts/more.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("more.yaml"), spec.folder().join("parts/more.yaml")).unwrap();
    let link = bundle(&spec, &[]).await;
    assert!(link.code == 1 && link.err.contains("is not below the spec's folder"), "{}", link.err);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let spec = Spec::new(
        "
        server: { name: my shop, version: 1.0.0 }
        sources: { api: { http: 'https://a.example', tls: { cert: ./me.pem, key: ./me.key } } }
        tools: { ask: { http: { source: api, request: GET / } } }
        ",
    )
    .file("me.pem", cert.pem())
    .file("me.key", key.serialize_pem())
    .file("secret.env", "A=b\n")
    .file("program", "#!/bin/sh\n");
    let output = bundle(&spec, &[]).await;
    assert!(output.code == 1 && output.err.contains("me.key holds a private key"), "{}", output.err);
    assert!(!spec.folder().join("my-shop.mcpb").exists());
}
