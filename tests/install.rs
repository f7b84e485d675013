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
    child
        .current_dir(spec.folder())
        .env("HOME", spec.folder().join("home"))
        .env_remove("XDG_CONFIG_HOME")
        .stdin(std::process::Stdio::null());
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

#[tokio::test]
async fn what_was_kept_stays_and_no_link_is_followed() {
    let spec = shop();
    let config = before(&spec, "cursor", "{}");
    assert!(install(&spec, "cursor", &["--name", "one"]).await.err.contains("mcp.json.bak\n"));
    let one = read(&config);
    assert!(install(&spec, "cursor", &["--name", "two"]).await.err.contains("mcp.json.bak2\n"));
    let kept = |number: &str| read(&config.with_file_name(format!("mcp.json.bak{number}")));
    assert_eq!((kept("").as_str(), kept("2")), ("{}", one.clone()));
    // The same text is not kept twice.
    fs::write(&config, &one).unwrap();
    assert!(install(&spec, "cursor", &["--name", "two"]).await.err.contains("mcp.json.bak2\n"));
    let elsewhere = spec.folder().join("elsewhere");
    symlink(&elsewhere, config.with_file_name("mcp.json.bak3")).unwrap();
    assert!(install(&spec, "cursor", &["--name", "three"]).await.err.contains("mcp.json.bak4\n"));
    assert!(!elsewhere.exists());
}

#[tokio::test]
async fn many_at_once_lose_no_entry() {
    let spec = shop();
    let config = before(&spec, "cursor", "{ \"mcpServers\": { \"mine\": { \"command\": \"x\" } } }");
    let names: Vec<String> = (0..8).map(|n| format!("server-{n}")).collect();
    let all = futures_util::future::join_all(names.iter().map(|name| {
        let spec = &spec;
        async move { install(spec, "cursor", &["--name", name]).await }
    }))
    .await;
    assert!(all.iter().all(|output| output.code == 0), "{all:?}");
    let written: Value = serde_json::from_str(&read(&config)).unwrap();
    let servers = written["mcpServers"].as_object().unwrap();
    assert_eq!(servers.len(), 9, "{written}");
}

#[tokio::test]
async fn odd_names_paths_and_texts_end_up_as_they_are() {
    let spec =
        Spec::named("my shop \"ä\".yaml", "server: { name: shop, version: 1.0.0 }\ntools: { hello: { text: x } }");
    fs::create_dir(spec.folder().join("home")).unwrap();
    let text = "\u{feff}{\r\n  // mine\r\n  \"mcpServers\": {\r\n    \"a\": { \"command\": \"C:\\\\x\\\\y.exe\", },\r\n  },\r\n}\r\n";
    let config = before(&spec, "cursor", text);
    for name in ["a\"b", "../../etc", "C:\\shop", "ö \u{1f600}", "//"] {
        let output = install(&spec, "cursor", &["--name", name]).await;
        assert_eq!(output.code, 0, "{}", output.err);
    }
    let written = read(&config);
    assert!(
        written.starts_with("\u{feff}{\r\n  // mine\r\n") && written.contains("\"C:\\\\x\\\\y.exe\", }"),
        "{written}"
    );
    assert_eq!(written.matches('\n').count(), written.matches("\r\n").count(), "{written:?}");
    let root = jsonc_parser::cst::CstRootNode::parse(
        written.trim_start_matches('\u{feff}'),
        &jsonc_parser::ParseOptions::default(),
    );
    let plain: Value = root.unwrap().to_serde_value().unwrap();
    for name in ["a\"b", "../../etc", "C:\\shop", "ö \u{1f600}", "//"] {
        let args = &plain["mcpServers"][name]["args"];
        assert_eq!(args[1].as_str().unwrap(), spec.path().to_str().unwrap(), "{name}");
    }
    for name in ["", " ", "a\nb", "a\u{1b}[31m"] {
        let output = install(&spec, "cursor", &["--name", name]).await;
        assert!(output.code == 2 && output.err.contains("give it another by --name"), "{}", output.err);
    }
    assert_eq!(read(&config), written);
}

#[tokio::test]
async fn entries_that_are_there_twice_are_nobodys_guess() {
    let spec = shop();
    for text in [
        "{ \"mcpServers\": { \"shop\": { \"command\": \"a\" }, \"shop\": { \"command\": \"b\" } } }",
        "{ \"mcpServers\": {}, \"mcp\\u0053ervers\": {} }",
    ] {
        let config = before(&spec, "cursor", text);
        let output = install(&spec, "cursor", &[]).await;
        assert!(output.code == 1 && output.err.contains("is there twice; nothing was changed"), "{}", output.err);
        assert_eq!(read(&config), text);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let config = before(&spec, "cursor", &deep);
    let output = install(&spec, "cursor", &[]).await;
    assert_eq!(output.code, 1, "{}", output.err);
    assert_eq!(read(&config), deep);
    let huge = format!("{{ \"history\": \"{}\" }}", "x".repeat(17 << 20));
    let config = before(&spec, "cursor", &huge);
    let output = install(&spec, "cursor", &[]).await;
    assert!(output.code == 0 || output.err.contains("larger than"), "{}", output.err);
    assert!(read(&config).len() >= huge.len());
}

/// Where a client's configuration is in a project, if it has one there.
fn project_file(client: &str) -> Option<&'static str> {
    match client {
        "claude-code" => Some(".mcp.json"),
        "cursor" => Some(".cursor/mcp.json"),
        "vscode" => Some(".vscode/mcp.json"),
        "zed" => Some(".zed/settings.json"),
        _ => None,
    }
}

#[tokio::test]
async fn a_project_has_a_file_of_its_own_that_others_can_use() {
    let spec = shop().file("conf/shop.env", "TOKEN=x\n");
    let file_name = spec.path().file_name().unwrap().to_str().unwrap().to_owned();
    for client in CLIENTS {
        let output = install(&spec, client, &["--project", "--env-file", "conf/shop.env"]).await;
        let Some(place) = project_file(client) else {
            assert_eq!(output.code, 2, "{client}");
            assert!(output.err.contains("has no configuration of a project"), "{client}: {}", output.err);
            continue;
        };
        assert_eq!(output.code, 0, "{client}: {}", output.err);
        let root = if matches!(client, "cursor" | "vscode") { "${workspaceFolder}" } else { "." };
        let args = json!(["serve", format!("{root}/{file_name}"), "--env-file", format!("{root}/conf/shop.env")]);
        let written: Value = serde_json::from_str(&read(&spec.folder().join(place))).unwrap();
        let section = match client {
            "vscode" => "servers",
            "zed" => "context_servers",
            _ => "mcpServers",
        };
        assert_eq!(written[section]["shop"]["args"], args, "{client}: {written}");
        assert_eq!(written.as_object().unwrap().len(), 1, "{written}");
        assert!(!path(&spec, client).exists(), "the user's own is not touched");
        let again = install(&spec, client, &["--project=.", "--env-file", "conf/shop.env"]).await;
        assert!(again.err.contains("has `shop` already"), "{client}: {}", again.err);
    }
}

#[tokio::test]
async fn a_project_names_this_program_as_path_does() {
    let spec = shop();
    let folder = spec.folder().join("bin");
    fs::create_dir(&folder).unwrap();
    let printed = async |search: &std::path::Path| {
        let mut child = Process::command(&spec, "install");
        child.args(["--client", "zed", "--project", "--print"]).current_dir(spec.folder()).env("PATH", search);
        let output = child.output().await.unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["context_servers"]["shop"]["command"].clone()
    };
    assert_eq!(printed(&folder).await, json!(env!("CARGO_BIN_EXE_mcp-declare")));
    symlink(env!("CARGO_BIN_EXE_mcp-declare"), folder.join("mcp-declare")).unwrap();
    assert_eq!(printed(&folder).await, json!("mcp-declare"));
    fs::remove_file(folder.join("mcp-declare")).unwrap();
    fs::write(folder.join("mcp-declare"), "another one").unwrap();
    assert_eq!(printed(&folder).await, json!(env!("CARGO_BIN_EXE_mcp-declare")));
}

#[tokio::test]
async fn the_files_of_a_project_stay_as_people_wrote_them() {
    let vscode = "{\n\t// what the team shares\n\t\"inputs\": [\n\t\t{ \"type\": \"promptString\", \"id\": \"key\", \"password\": true },\n\t],\n\t\
                  \"servers\": {\n\t\t\"github\": { \"type\": \"http\", \"url\": \"https://api.example.com/mcp/\" }, // hosted\n\t},\n}\n";
    let claude = "{\n  \"mcpServers\": {\n    \"db\": {\n      \"command\": \"npx\",\n      \"args\": [\"-y\", \"db-server\"],\n      \
                  \"env\": { \"DB_URL\": \"${DB_URL:-postgres://localhost/dev}\" }\n    }\n  }\n}\n";
    let cursor = "{\"mcpServers\":{\"a\":{\"url\":\"http://localhost:3000/mcp\",\"headers\":{\"X\":\"${env:KEY}\"}}}}";
    let zed = "// Folder-specific settings\n{\n  \"tab_size\": 2,\n  \"languages\": { \"YAML\": { \"format_on_save\": \"on\" } }, // ours\n}\n";
    for (client, text) in [("vscode", vscode), ("claude-code", claude), ("cursor", cursor), ("zed", zed)] {
        let place = project_file(client).unwrap();
        let spec = shop().file(place, text);
        let file = spec.folder().join(place);
        assert_eq!(install(&spec, client, &["--project"]).await.code, 0, "{client}");
        let after = read(&file);
        assert!(after.contains("\"shop\": {"), "{client}: {after}");
        // Every line that was there is there, in its order; a comma may have come behind the last entry.
        let mut lines = after.lines();
        for line in text.lines().filter(|line| text.lines().count() > 1 && !line.trim().is_empty()) {
            let kept = lines.any(|now| now == line || now.strip_suffix(',') == Some(line));
            assert!(kept, "{client}: {line:?} is gone from {after}");
        }
        assert_eq!(read(&file.with_extension("json.bak")), text, "{client}");
    }
}

#[tokio::test]
async fn a_spec_elsewhere_is_named_in_full_and_a_folder_has_to_be_there() {
    let spec = shop();
    fs::create_dir(spec.folder().join("app")).unwrap();
    let output = install(&spec, "cursor", &["--project=app", "--print"]).await;
    let printed: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(printed["mcpServers"]["shop"]["args"], json!(["serve", spec.path()]));
    let around = install(&spec, "cursor", &["--project=app/../app", "--print"]).await;
    assert_eq!(around.out, output.out);
    let output = install(&spec, "cursor", &["--project=nowhere"]).await;
    assert_eq!((output.code, output.err.as_str()), (2, "error: --project: there is no folder nowhere\n"));
    let output = install(&spec, "vscode", &["--project=app", "--http", "http://127.0.0.1:8000/mcp"]).await;
    assert_eq!(output.code, 0, "{}", output.err);
    let written: Value = serde_json::from_str(&read(&spec.folder().join("app/.vscode/mcp.json"))).unwrap();
    assert_eq!(written, json!({ "servers": { "shop": { "type": "http", "url": "http://127.0.0.1:8000/mcp" } } }));
}

/// A client has an environment of its own, in which what is set in this shell is missing.
#[tokio::test]
async fn variables_that_the_client_will_miss_are_told() {
    let spec = Spec::new(
        "server: { name: shop }\nsources: { api: { http: 'https://a.example', auth: { bearer: '${TOKEN}' }, \
         headers: { x: '${MORE:-none}', y: '${HOME}' } } }\ntools: { hello: { text: Hello } }",
    );
    let spec = spec.env("TOKEN", "t").file("shop.env", "TOKEN=x\n").file("other.env", "OTHER=x\n");
    fs::create_dir(spec.folder().join("home")).unwrap();
    let told = "warning: Cursor may not have the environment of this shell, which sets `TOKEN`: put NAME=value lines \
                into a file, and name it with --env-file\n";
    let env = |file: &str| spec.folder().join(file).to_str().unwrap().to_owned();
    for (arguments, warns) in [
        (vec!["--print"], true),
        (vec![], true),
        (vec!["--env-file", &env("other.env")], true),
        (vec!["--env-file", &env("shop.env")], false),
        (vec!["--http", "http://127.0.0.1:8000/mcp"], false),
    ] {
        let output = install(&spec, "cursor", &arguments).await;
        assert_eq!(output.code, 0, "{}", output.err);
        assert_eq!(output.err.contains(told), warns, "{arguments:?}: {}", output.err);
        assert_eq!(output.err.contains("warning"), warns, "{arguments:?}: {}", output.err);
    }
}
