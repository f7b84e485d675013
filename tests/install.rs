//! `install`, into configurations as people have them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Output, Process, Spec};

const CLIENTS: [&str; 6] = ["claude-desktop", "claude-code", "cursor", "vscode", "windsurf", "zed"];

/// A spec, and a home folder beside it.
fn shop() -> Spec {
    let spec = Spec::new("server: { name: shop, version: 1.0.0 }\ntools: { hello: { text: Hello } }");
    fs::create_dir(spec.folder().join("home")).unwrap();
    spec
}

/// Where a client's configuration is, below the home folder.
fn place(client: &str) -> &'static str {
    let mac = cfg!(target_os = "macos");
    match client {
        "claude-desktop" if mac => "Library/Application Support/Claude/claude_desktop_config.json",
        "claude-desktop" => ".config/Claude/claude_desktop_config.json",
        "claude-code" => ".claude.json",
        "cursor" => ".cursor/mcp.json",
        "vscode" if mac => "Library/Application Support/Code/User/mcp.json",
        "vscode" => ".config/Code/User/mcp.json",
        "windsurf" => ".codeium/windsurf/mcp_config.json",
        _ => ".config/zed/settings.json",
    }
}

fn path(spec: &Spec, client: &str) -> PathBuf {
    spec.folder().join("home").join(place(client))
}

/// The configuration, with `text` in it first.
fn before(spec: &Spec, client: &str, text: &str) -> PathBuf {
    spec.put(&format!("home/{}", place(client)), text);
    path(spec, client)
}

async fn install(spec: &Spec, client: &str, arguments: &[&str]) -> Output {
    let mut child = Process::command(spec, "install");
    child.args(["--client", client]).args(arguments);
    child.env("HOME", spec.folder().join("home")).env_remove("XDG_CONFIG_HOME").stdin(std::process::Stdio::null());
    let output = child.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn every_client_gets_its_own_form_where_there_was_no_file() {
    let spec = shop().file("shop.env", "TOKEN=x\n");
    let env = spec.folder().join("shop.env").to_str().unwrap().to_owned();
    let args = json!(["serve", spec.path(), "--env-file", env]);
    let program = json!(env!("CARGO_BIN_EXE_mcp-declare"));
    for client in CLIENTS {
        let output = install(&spec, client, &["--env-file", &env]).await;
        assert_eq!(output.code, 0, "{client}: {}", output.err);
        let written: Value = serde_json::from_str(&read(&path(&spec, client))).unwrap();
        let expected = match client {
            "claude-desktop" | "windsurf" => {
                json!({ "mcpServers": { "shop": { "command": program, "args": args } } })
            }
            "vscode" => json!({ "servers": { "shop": { "type": "stdio", "command": program, "args": args } } }),
            "zed" => json!({ "context_servers": { "shop": { "source": "custom", "command": program, "args": args } } }),
            _ => json!({ "mcpServers": { "shop": { "type": "stdio", "command": program, "args": args } } }),
        };
        assert_eq!(written, expected, "{client}");
        assert!(!path(&spec, client).with_extension("json.bak").exists(), "there was nothing to keep");
        let again = install(&spec, client, &["--env-file", &env]).await;
        assert!(again.err.contains("has `shop` already"), "{client}: {}", again.err);
    }
}

#[tokio::test]
async fn a_server_that_runs_is_found_by_its_url() {
    let spec = shop();
    for client in CLIENTS {
        let output = install(&spec, client, &["--http", "http://127.0.0.1:8000/mcp", "--print"]).await;
        let url = "http://127.0.0.1:8000/mcp";
        let expected = match client {
            "claude-desktop" => {
                assert_eq!(output.code, 2);
                assert!(output.err.contains("takes only servers that it starts"), "{}", output.err);
                continue;
            }
            "windsurf" => json!({ "mcpServers": { "shop": { "serverUrl": url } } }),
            "vscode" => json!({ "servers": { "shop": { "type": "http", "url": url } } }),
            "zed" => json!({ "context_servers": { "shop": { "url": url } } }),
            "cursor" => json!({ "mcpServers": { "shop": { "url": url } } }),
            _ => json!({ "mcpServers": { "shop": { "type": "http", "url": url } } }),
        };
        assert_eq!(serde_json::from_str::<Value>(&output.out).unwrap(), expected, "{client}");
        assert!(!path(&spec, client).exists(), "what is printed is not written");
    }
    assert_eq!(install(&spec, "cursor", &["--http", "8000"]).await.code, 2);
}

#[tokio::test]
async fn comments_order_and_other_entries_stay_as_they_are() {
    let spec = shop();
    let text = "// Zed settings\r\n{\r\n  \"theme\": \"One Dark\", // at night\r\n  /* servers */\r\n  \
                \"context_servers\": {\r\n    \"zeta\": { \"command\": \"z\", \"args\": [], },\r\n    // the other one\r\n    \
                \"alpha\": { \"url\": \"http://a\" },\r\n  },\r\n  \"vim_mode\": true,\r\n}\r\n";
    let file = before(&spec, "zed", text);
    let output = install(&spec, "zed", &[]).await;
    assert_eq!(output.code, 0, "{}", output.err);
    let after = read(&file);
    let (head, tail) = text.split_once("\"url\": \"http://a\" },\r\n").unwrap();
    assert!(after.starts_with(head), "{after}");
    assert!(after.ends_with(tail), "{after}");
    assert!(after.contains("\"shop\": {"), "{after}");
    assert!(!after.replace("\r\n", "").contains('\n'), "the file's own line ends: {after:?}");
    assert_eq!(read(&file.with_extension("json.bak")), text);
    assert!(output.err.contains("settings.json.bak"), "{}", output.err);
}

#[tokio::test]
async fn an_entry_that_is_there_is_brought_up_to_date() {
    let spec = shop();
    let text = r#"{
    "numStartups": 17,
    "mcpServers": {
        "shop": {
            "type": "http",
            "url": "http://127.0.0.1:1/mcp",
            "env": { "TOKEN": "mine" } // filled in by hand
        },
        "other": {"command": "o"}
    },
    "projects": {"/tmp": {"mcpServers": {}}}
}"#;
    let file = before(&spec, "claude-code", text);
    assert_eq!(install(&spec, "claude-code", &[]).await.code, 0);
    let after = read(&file);
    assert!(after.contains("\"env\": { \"TOKEN\": \"mine\" }") && after.contains("// filled in by hand"), "{after}");
    assert!(!after.contains("127.0.0.1:1"), "{after}");
    assert!(after.contains("\"other\": {\"command\": \"o\"}\n    },\n    \"projects\": {\"/tmp\""), "{after}");
    assert!(after.find("\"shop\"").unwrap() < after.find("\"other\"").unwrap(), "{after}");
    let again = install(&spec, "claude-code", &[]).await;
    assert!(again.err.contains("already"), "{}", again.err);
    assert_eq!(read(&file), after);
    assert_eq!(install(&spec, "claude-code", &["--name", "shop 2"]).await.code, 0);
    assert!(read(&file).contains("\"shop 2\": {"));
}

#[tokio::test]
async fn an_empty_file_and_odd_forms_are_filled_in() {
    for text in ["", "  \n", "{}", "{\"mcpServers\":{}}", "\u{feff}{}\n", "// nothing yet\n{ }\n", "{\"a\":1}"] {
        let spec = shop();
        let file = before(&spec, "cursor", text);
        let output = install(&spec, "cursor", &[]).await;
        assert_eq!(output.code, 0, "{text:?}: {}", output.err);
        let after = read(&file);
        let plain = after.trim_start_matches('\u{feff}').replace("// nothing yet", "");
        let value: Value = serde_json::from_str(&plain).unwrap_or_else(|why| panic!("{text:?}: {why}: {after}"));
        assert_eq!(value["mcpServers"]["shop"]["type"], "stdio", "{after}");
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_not_touched() {
    let broken = [
        "{ \"mcpServers\": ",
        "[]",
        "{ \"mcpServers\": [] }",
        "{ \"mcpServers\": { \"shop\": 1 } }",
        "{ 'a': 1 }",
        "{} {}",
    ];
    for text in broken {
        let spec = shop();
        let file = before(&spec, "claude-desktop", text);
        let output = install(&spec, "claude-desktop", &[]).await;
        assert_eq!(output.code, 1, "{text}");
        assert!(output.err.contains("nothing was changed"), "{text}: {}", output.err);
        assert_eq!(read(&file), text);
        assert!(!file.with_extension("json.bak").exists());
    }
}

#[tokio::test]
async fn links_and_permissions_are_kept() {
    let spec = shop().file("dotfiles/mcp.json", "{}\n");
    let target = spec.folder().join("dotfiles/mcp.json");
    fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
    let file = path(&spec, "cursor");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    symlink("../../dotfiles/mcp.json", &file).unwrap();
    assert_eq!(install(&spec, "cursor", &[]).await.code, 0);
    assert!(file.symlink_metadata().unwrap().is_symlink());
    assert!(read(&target).contains("\"shop\""));
    for kept in [&target, &file.with_extension("json.bak")] {
        assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600, "{}", kept.display());
    }

    let file = before(&spec, "windsurf", "{}\n");
    fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    let output = install(&spec, "windsurf", &[]).await;
    assert_eq!(output.code, 1);
    assert!(output.err.contains("it is read-only"), "{}", output.err);
    assert_eq!(read(&file), "{}\n");
}

#[tokio::test]
async fn a_spec_with_a_mistake_is_not_installed() {
    let spec = shop().with("server: { name: shop }\ntools: { a: { txt: x } }");
    let output = install(&spec, "cursor", &[]).await;
    assert_eq!(output.code, 1);
    assert!(output.err.contains("unknown key `txt`"), "{}", output.err);
    assert!(!path(&spec, "cursor").exists());
}
