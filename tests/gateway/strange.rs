//! An MCP server that does all that a server should not: this test binary, started again as a process of its own.

use std::io::{BufRead, Write};

use serde_json::{Value, json};

use super::tricks::{self, Questions};

/// The `mcp:` of a source that is this server, in YAML.
pub fn server(habit: &str) -> String {
    let binary = std::env::current_exe().unwrap();
    format!(
        "{{ command: [{}, 'gateway::strange::process', '--exact', '--nocapture'], env: {{ HABIT: {habit} }} }}",
        json!(binary.display().to_string())
    )
}

/// What it notes in the folder that it was started in.
pub fn note(file: &str, line: &str) {
    let mut notes = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
    writeln!(notes, "{line}").unwrap();
}

pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
    out.flush().unwrap();
}

pub fn say(message: &Value) {
    line(&message.to_string());
}

pub fn answer(id: &Value, result: Value) {
    say(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
}

pub fn refuse(id: &Value, code: i64, message: &str) {
    say(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }));
}

pub fn text(id: &Value, words: &str) {
    answer(id, json!({ "content": [{ "type": "text", "text": words }] }));
}

pub fn tool(name: &str) -> Value {
    json!({ "name": name, "description": format!("Does {name}"), "inputSchema": { "type": "object" } })
}

/// Not a test unless it is asked to be a server.
#[test]
fn process() {
    if let Ok(habit) = std::env::var("HABIT") {
        // The test harness has begun a line.
        line("");
        note("pids", &std::process::id().to_string());
        Strange { habit, tools: 0, questions: Questions::default() }.serve();
        std::process::exit(0);
    }
}

struct Strange {
    habit: String,
    /// Tools that were added.
    tools: usize,
    questions: Questions,
}

impl Strange {
    fn serve(&mut self) {
        if self.habit == "crash" {
            eprintln!("I can't go on: hunter2-secret");
            std::process::exit(7);
        }
        if self.habit == "garbage" {
            let mut out = std::io::stdout().lock();
            for _ in 0..2000 {
                writeln!(out, "this is no JSON at all").unwrap();
            }
        }
        for line in std::io::stdin().lock().lines() {
            let Ok(message) = serde_json::from_str::<Value>(&line.unwrap_or_default()) else { continue };
            self.take(&message);
        }
        note("ends", "at the end of stdin");
    }

    fn take(&mut self, message: &Value) {
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str().unwrap_or_default() {
            _ if self.habit == "mute" => {}
            method if tricks::plays(&self.habit, method, id, params) => {}
            "server/discover" if self.habit == "strict" => std::process::exit(1),
            "server/discover" => refuse(id, -32601, "Method not found"),
            "initialize" => {
                let more = json!({ "listChanged": true });
                let resources = json!({ "listChanged": true, "subscribe": true });
                let all =
                    json!({ "tools": more, "resources": resources, "prompts": more, "completions": {}, "logging": {} });
                let info = json!({ "name": "strange", "version": "1" });
                let version = if self.habit == "liar" { "2025-11-25" } else { "2025-06-18" };
                answer(id, json!({ "protocolVersion": version, "capabilities": all, "serverInfo": info }));
            }
            "tools/list" => self.list(id, params),
            "tools/call" => self.call(id, params),
            "resources/list" => {
                let one = json!({ "uri": "strange://thing", "name": "thing" });
                let bad = json!({ "uri": "no-uri", "name": "bad" });
                answer(id, json!({ "resources": [one, bad] }));
            }
            "resources/templates/list" => refuse(id, -32601, "Method not found"),
            "resources/read" => {
                let uri = &params["uri"];
                let text = std::fs::read_to_string("thing").unwrap_or_default();
                answer(id, json!({ "contents": [{ "uri": uri, "text": text, "mimeType": "text/x-thing" }] }));
            }
            "resources/subscribe" | "resources/unsubscribe" => {
                note("asked", &format!("{} {}", message["method"], params["uri"]));
                answer(id, json!({}));
            }
            "prompts/list" => {
                let argument = json!({ "name": "who", "required": true });
                answer(id, json!({ "prompts": [{ "name": "greet", "arguments": [argument] }] }));
            }
            "prompts/get" => {
                let words = format!("Hello {}", params["arguments"]["who"].as_str().unwrap_or("nobody"));
                let content = json!({ "type": "text", "text": words });
                answer(id, json!({ "messages": [{ "role": "user", "content": content }] }));
            }
            "completion/complete" => {
                let typed = params["argument"]["value"].as_str().unwrap_or_default();
                answer(
                    id,
                    json!({ "completion": { "values": [format!("{typed}1"), format!("{typed}2")], "hasMore": false } }),
                );
            }
            "notifications/cancelled" => note("cancelled", &params["reason"].to_string()),
            "logging/setLevel" | "ping" => answer(id, json!({})),
            "" if !message["result"].is_null() || !message["error"].is_null() => self.questions.replied(message),
            _ => {}
        }
    }

    fn list(&mut self, id: &Value, params: &Value) {
        match self.habit.as_str() {
            "many" => {
                let all: Vec<Value> = (0..100_000)
                    .map(|n| json!({ "name": format!("tool_{n}"), "inputSchema": { "type": "object" } }))
                    .collect();
                answer(id, json!({ "tools": all }));
            }
            "endless" => {
                let next = params["cursor"].as_str().map_or(0, |cursor| cursor.parse::<u64>().unwrap() + 1);
                answer(id, json!({ "tools": [tool(&format!("tool_{next}"))], "nextCursor": next.to_string() }));
            }
            "huge" => {
                let mut huge = tool("huge");
                huge["description"] = json!("x".repeat(3_000_000));
                answer(id, json!({ "tools": [huge] }));
            }
            "odd" => {
                let mut deep = json!(1);
                (0..70).for_each(|_| deep = json!([deep]));
                let hidden = json!({ "name": "hidden", "description": "Adds\u{200b}\u{202e} numbers\u{e0041}", "inputSchema": { "type": "object" } });
                answer(
                    id,
                    json!({ "tools": [
                        tool("fine"),
                        tool("no/name"),
                        { "name": "bad_schema", "inputSchema": { "type": "object", "properties": { "a": { "type": "nonsense" } } } },
                        { "name": "deep", "inputSchema": { "type": "object", "x": deep } },
                        { "name": "large", "inputSchema": { "type": "object", "description": "x".repeat(300_000) } },
                        { "description": "without a name" },
                        "no object",
                        hidden,
                    ] }),
                );
            }
            _ => {
                let names = [
                    "echo",
                    "die",
                    "hang",
                    "blocks",
                    "wrong",
                    "environment",
                    "talk",
                    "grow",
                    "shrink",
                    "huge",
                    "noise",
                ];
                let names = names.iter().chain(tricks::QUESTIONS);
                let mut all: Vec<Value> = names.map(|name| tool(name)).collect();
                all.extend((0..self.tools).map(|n| tool(&format!("new_{n}"))));
                answer(id, json!({ "tools": all }));
            }
        }
    }

    fn call(&mut self, id: &Value, params: &Value) {
        match params["name"].as_str().unwrap_or_default() {
            "die" => std::process::exit(3),
            "hang" => note("hangs", "here"),
            "blocks" => answer(
                id,
                json!({ "content": [
                    { "type": "text", "text": "one", "annotations": { "priority": 0.5 } },
                    { "type": "image", "data": "aGk=", "mimeType": "image/png" },
                    { "type": "audio", "data": "aGk=", "mimeType": "audio/wav" },
                    { "type": "resource_link", "uri": "strange://thing", "name": "thing" },
                    { "type": "resource", "resource": { "uri": "strange://thing", "text": "in" } },
                ], "structuredContent": { "a": 1 } }),
            ),
            "wrong" => answer(
                id,
                json!({ "content": [{ "type": "text", "text": "no\u{7} way: s3cr3t-token" }], "isError": true, "structuredContent": { "why": "so" } }),
            ),
            "environment" => {
                let names: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                text(id, &names.join("\n"));
            }
            "talk" => {
                let token = &params["_meta"]["progressToken"];
                for n in 1..=3 {
                    say(&json!({ "jsonrpc": "2.0", "method": "notifications/progress",
                        "params": { "progressToken": token, "progress": n, "total": 3, "message": format!("step {n}") } }));
                }
                say(&json!({ "jsonrpc": "2.0", "method": "notifications/message",
                    "params": { "level": "warning", "logger": "strange", "data": "look" } }));
                text(id, "told");
            }
            "grow" => {
                self.tools += 1;
                say(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }));
                text(id, "grown");
            }
            "shrink" => {
                self.tools = 0;
                say(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }));
                std::fs::write("thing", "changed").unwrap();
                say(
                    &json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": { "uri": "strange://thing" } }),
                );
                text(id, "shrunk");
            }
            "huge" => text(id, &"x".repeat(3_000_000)),
            "noise" => {
                for line in [
                    "{",
                    "null",
                    "[]",
                    "{\"jsonrpc\":\"2.0\"}",
                    "\u{0}\u{1}",
                    "{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{}}",
                ] {
                    self::line(line);
                }
                text(id, "heard");
            }
            name if self.questions.ask(name, id, params) => {}
            _ => text(id, &params["arguments"].to_string()),
        }
    }
}
