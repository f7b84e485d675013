//! What editors make of the schema: the language server of YAML and the linter of TOML, over good and bad specs.
//!
//! `MCP_EDITORS` names a `node_modules` folder with `yaml-language-server` and `@taplo/cli`, as `.ci/run` installs it.
//! Without it these tests do not run and say so; in CI that is a failure where there is an npm to install it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::printed;
use crate::harness::{optional, soon};

const GOOD: &str = "server:\n  name: shop\ntools:\n  hello:\n    description: Greet.\n    text: Hello\n";
const BAD: &str = "server:\n  nam: shop\ntools:\n  hello:\n    description: 5\n    text: Hello\n\
                   sources:\n  api:\n    http: https://example.com\n    timeout: soon\n";

fn installed() -> Option<PathBuf> {
    optional::modules("MCP_EDITORS", "the editors' language servers")
}

/// A folder with the schema, and a file of its own for each text.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mcp-declare.schema.json"), printed()).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A language server over stdio (Language Server Protocol 3.17, base protocol).
struct Server {
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    folder: PathBuf,
    requests: u64,
}

impl Server {
    async fn start(modules: &Path, folder: &Path) -> Server {
        let mut command = Command::new("node");
        command.arg(modules.join("yaml-language-server/bin/yaml-language-server")).arg("--stdio");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Server { _child: child, stdin, stdout, folder: folder.to_owned(), requests: 0 };
        server.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} })).await;
        server.send(json!({ "method": "initialized", "params": {} })).await;
        let settings = json!({ "yaml": { "validate": true, "completion": true, "schemaStore": { "enable": false } } });
        let changed = json!({ "method": "workspace/didChangeConfiguration", "params": { "settings": settings } });
        server.send(changed).await;
        server
    }

    async fn send(&mut self, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        let body = message.to_string();
        let text = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.stdin.write_all(text.as_bytes()).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stdout.read_line(&mut line).await.unwrap();
            match line.trim().split_once(": ") {
                Some(("Content-Length", count)) => length = count.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stdout.read_exact(&mut body).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// The first message that fits; what the server asks meanwhile is answered with nothing.
    async fn wait(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let message = self.receive().await;
                if message.get("method").is_some() && message.get("id").is_some() {
                    self.send(json!({ "id": message["id"], "result": [null] })).await;
                } else if fits(&message) {
                    return message;
                }
            }
        };
        soon("the language server", found).await
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(json!({ "id": id, "method": method, "params": params })).await;
        self.wait(|message| message["id"] == id).await["result"].take()
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.folder.join(name).display())
    }

    /// What it finds wrong in a spec, as line (from 0) and words.
    async fn open(&mut self, name: &str, spec: &str) -> Vec<(u64, String)> {
        let uri = self.uri(name);
        let text = format!("# yaml-language-server: $schema={}\n{spec}", self.uri("mcp-declare.schema.json"));
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.send(json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } })).await;
        let published = |m: &Value| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri;
        let message = self.wait(published).await;
        let found = message["params"]["diagnostics"].as_array().unwrap();
        let place = |one: &Value| one["range"]["start"]["line"].as_u64().unwrap();
        found.iter().map(|one| (place(one), one["message"].as_str().unwrap().to_owned())).collect()
    }
}

#[tokio::test]
async fn yaml_is_checked_and_completed_while_typing() {
    let Some(modules) = installed() else { return };
    let folder = folder(&[]);
    let mut server = Server::start(&modules, folder.path()).await;
    assert_eq!(server.open("good.yaml", GOOD).await, []);

    let mut found = server.open("bad.yaml", BAD).await;
    found.sort();
    let lines: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 5, 10], "{found:?}");
    assert!(found[1].1.contains("nam is not allowed"), "{found:?}");
    assert!(found[3].1.contains("expected a duration such as `250ms`"), "{found:?}");

    let typing = "server:\n  name: shop\ntools:\n  hello:\n    text: Hello\n    \n";
    server.open("typing.yaml", typing).await;
    let here = |line| json!({ "textDocument": { "uri": format!("file://{}", folder.path().join("typing.yaml").display()) }, "position": { "line": line, "character": 4 } });
    let offered = server.ask("textDocument/completion", here(6)).await;
    let labels: Vec<&str> = offered["items"].as_array().unwrap().iter().filter_map(|i| i["label"].as_str()).collect();
    for wanted in ["description", "params", "confirm", "result"] {
        assert!(labels.contains(&wanted), "{labels:?}");
    }
    assert!(!labels.contains(&"text") && !labels.contains(&"sources"), "{labels:?}");
    let told = server.ask("textDocument/hover", here(5)).await;
    assert!(told["contents"]["value"].as_str().unwrap().contains("Gives a handlebars text."), "{told}");
}

#[tokio::test]
async fn toml_is_checked() {
    let Some(modules) = installed() else { return };
    let good = "[server]\nname = 'shop'\n[tools.hello]\ndescription = 'Greet.'\ntext = 'Hello'\n";
    let bad = "[server]\nname = 'shop'\n[tools.hello]\ndescriptoin = 'Greet.'\ntext = 5\n";
    let folder = folder(&[("good.toml", good), ("bad.toml", bad)]);
    for (name, faults) in [("good.toml", &[][..]), ("bad.toml", &["'descriptoin' was unexpected", "5 is not of type"])]
    {
        let mut taplo = Command::new("node");
        taplo.arg(modules.join("@taplo/cli/dist/cli.js")).args(["lint", "--colors", "never", "--schema"]);
        taplo.arg(format!("file://{}", folder.path().join("mcp-declare.schema.json").display()));
        taplo.arg(name).current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        let run = soon("the linter", taplo.output()).await.unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.success(), faults.is_empty(), "{said}");
        for fault in faults {
            assert!(said.contains(fault), "{said}");
        }
    }
}
