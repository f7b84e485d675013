//! `init` without anything to begin from: templates, and the interview on a terminal.

use std::process::{Command, Stdio};

use axum::Json;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Terminal, Upstream};

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
    command
}

/// The exit code, stdout and stderr.
async fn run(folder: &TempDir, arguments: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = tokio::process::Command::from(command(folder, arguments));
    let output = command.envs(env.iter().copied()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn every_template_passes_check_and_its_own_tests() {
    for template in ["sql", "http", "exec", "gateway"] {
        let folder = tempfile::tempdir().unwrap();
        let (code, out, err) =
            run(&folder, &["init", "shop.yaml", "--template", template, "--name", "my: shop"], &[]).await;
        assert_eq!((code, out.as_str()), (0, ""), "{template}: {err}");
        assert!(err.contains("wrote shop.yaml") && err.contains("next: mcp-declare serve shop.yaml"), "{err}");
        let (code, _, err) = run(&folder, &["init", "nodir/shop.yaml", "--template", template], &[]).await;
        assert!(code == 1 && err.contains("there is no folder nodir"), "{err}");
        for offline in [&["--offline"][..], &[]] {
            let arguments = [&["check", "shop.yaml"], offline].concat();
            let (code, out, err) = run(&folder, &arguments, &[]).await;
            assert_eq!(code, 0, "{template}: {out}{err}");
        }
        let (code, out, err) = run(&folder, &["check", "shop.yaml", "--deny-warnings"], &[]).await;
        assert_eq!(code, 0, "{template}: {out}{err}");
        assert!(out.starts_with("shop.yaml: ok, my: shop 0.1.0"), "{out}");
        if template != "http" {
            let (code, out, err) = run(&folder, &["test", "shop.yaml"], &[]).await;
            assert_eq!(code, 0, "{template}: {out}{err}");
        }
        let (code, _, err) = run(&folder, &["init", "shop.yaml", "--template", template], &[]).await;
        assert_eq!(code, 2, "a file that is there is not written over: {err}");
        assert_eq!(run(&folder, &["init", "shop.yaml", "--template", template, "--force"], &[]).await.0, 0);
    }
}

#[tokio::test]
async fn the_tool_of_the_http_template_asks_the_api() {
    let api = Upstream::start(|asked| {
        assert_eq!(asked.path(), "/repos/rust-lang/rust");
        Json(json!({ "full_name": "rust-lang/rust", "description": "A language", "stargazers_count": 7, "id": 1 }))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&folder, &["init", "--template", "http"], &[]).await.0, 0);
    let arguments = ["call", "mcp-declare.yaml", "repository", "owner=rust-lang", "name=rust"];
    let (code, out, err) = run(&folder, &arguments, &[("API_URL", api.url("").trim_end_matches('/'))]).await;
    assert_eq!(code, 0, "{err}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer, json!({ "name": "rust-lang/rust", "description": "A language", "stars": 7 }));
}

#[tokio::test]
async fn the_tools_of_the_exec_template_run() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&folder, &["init", "--template", "exec"], &[]).await.0, 0);
    let (code, out, err) = run(&folder, &["call", "mcp-declare.yaml", "list_files"], &[]).await;
    assert_eq!((code, out.trim()), (0, "mcp-declare.yaml"), "{err}");
}

#[tokio::test]
async fn the_gateway_template_narrows_and_renames_another_server() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = run(&folder, &["init", "gate.yaml", "--template", "gateway", "--name", "front $5"], &[]).await;
    assert_eq!(code, 0, "{err}");
    assert!(err.starts_with("wrote gate-upstream.yaml\nwrote gate.yaml (3 tools)\n"), "{err}");
    let (code, out, err) = run(&folder, &["check", "gate-upstream.yaml", "--deny-warnings"], &[]).await;
    assert!(code == 0 && out.contains("ok, front $5 upstream 0.1.0 (3 tools,"), "{out}{err}");
    let (_, out, err) = run(&folder, &["list", "gate.yaml"], &[]).await;
    let names: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("  ")?.split('(').next()).collect();
    assert_eq!(names, ["first_price", "shop_find_books", "shop_book_details"], "{out}{err}");
    assert!(out.contains("Find books by words of their title."), "what is said here counts: {out}");
    let (code, out, err) = run(&folder, &["call", "gate.yaml", "shop_book_details", "id=3"], &[]).await;
    assert_eq!(code, 0, "{err}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer, json!({ "title": "By the sea", "year": 1931, "price": 7.5 }));

    let (code, out, err) = run(&folder, &["init", "-", "--template", "gateway"], &[]).await;
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("the gateway is two files"), "{err}");
    std::fs::remove_file(folder.path().join("gate.yaml")).unwrap();
    let (code, _, err) = run(&folder, &["init", "gate.yaml", "--template", "gateway"], &[]).await;
    assert!(code == 2 && err.contains("gate-upstream.yaml is there already"), "{err}");
    assert!(!folder.path().join("gate.yaml").exists());
}

#[tokio::test]
async fn without_a_terminal_nothing_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = run(&folder, &["init"], &[]).await;
    assert_eq!(code, 2);
    assert!(err.contains("--template, --from-openapi, --from-curl or --from-db"), "{err}");
    let (code, out, _) = run(&folder, &["init", "-", "--template", "sql"], &[]).await;
    assert_eq!(code, 0);
    assert!(out.starts_with("# Tools over a database.") && !out.contains("{{"), "{out}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn on_a_terminal_it_asks() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mcp-declare.yaml"), "old").unwrap();
    let mut terminal = Terminal::run(command(&folder, &["init"]));
    terminal.answers("4  what another MCP server does\r\n1, 2, 3 or 4: ", "7").await;
    terminal.answers("7\r\n1, 2, 3 or 4: ", "3").await;
    terminal.answers("The server's name [", "toolbox").await;
    terminal.answers("The file to write [mcp-declare.yaml]: ", "").await;
    terminal.answers("--force writes over it\r\nThe file to write [mcp-declare.yaml]: ", "tools.yaml").await;
    let (code, shown) = terminal.ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("wrote tools.yaml (2 tools)"), "{shown}");
    let (code, out, err) = run(&folder, &["check", "tools.yaml"], &[]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("ok, toolbox 0.1.0"), "{out}");
}

#[tokio::test]
async fn the_interview_leads_to_a_database_and_a_curl_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(command(&folder, &["init"]));
    terminal.answers("1, 2, 3 or 4: ", "2").await;
    terminal.answers("empty for an example: ", "curl 'https://api.example.com/items?page=1'").await;
    terminal.answers("The file to write [", "items.yaml").await;
    let (code, shown) = terminal.ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("wrote items.yaml (1 tool)"), "{shown}");
    assert!(shown.contains("next: mcp-declare serve items.yaml"), "{shown}");
    let (code, out, err) = run(&folder, &["init", "-", "--template", "sql"], &[]).await;
    assert!(code == 0 && out.contains("server:") && err.is_empty(), "{err}");

    let mut terminal = Terminal::run(command(&folder, &["init"]));
    terminal.answers("1, 2, 3 or 4: ", "1").await;
    terminal.answers("empty for an example: ", "").await;
    terminal.answers("The server's name [", "").await;
    terminal.answers("The file to write [", "db.yaml").await;
    assert_eq!(terminal.ends().await.0, 0);
    assert_eq!(run(&folder, &["test", "db.yaml"], &[]).await.0, 0);

    let mut terminal = Terminal::run(command(&folder, &["init"]));
    terminal.answers("1, 2, 3 or 4: ", "4").await;
    terminal.answers("The server's name [", "").await;
    terminal.answers("The file to write [", "gateway.yaml").await;
    assert_eq!(terminal.ends().await.0, 0);
    assert_eq!(run(&folder, &["test", "gateway.yaml"], &[]).await.0, 0);
}
