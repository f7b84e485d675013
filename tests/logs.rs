//! What an operator reads of the requests that clients make.

use serde_json::{Value, json};

use crate::harness::{Process, Spec, until};

const SPEC: &str = "
server: { name: logs }
tools:
  hello: { description: Says hello., params: { name: { type: string, minLength: 2 } }, text: 'hello {{name}}' }
  fails: { description: Fails always., shell: { script: 'exit 3' } }
resources:
  note://{id}: { name: note, params: { id: integer }, text: 'note {{id}}' }
prompts:
  greet: { arguments: { name: { required: true } }, template: 'greet {{name}}' }
";

#[tokio::test]
async fn each_request_that_runs_something_is_a_line_at_info() {
    let spec = Spec::new(SPEC);
    let mut server = Process::serve(&spec, &["--log", "info", "--log-format", "json"]);
    server.initialize("2025-11-25").await;
    let requests = [
        ("tools/call", json!({ "name": "hello", "arguments": { "name": "hushed" } })),
        ("tools/call", json!({ "name": "hello", "arguments": { "name": "h" } })),
        ("tools/call", json!({ "name": "fails", "arguments": {} })),
        ("resources/read", json!({ "uri": "note://7" })),
        ("resources/read", json!({ "uri": "note://hushed" })),
        ("prompts/get", json!({ "name": "greet", "arguments": { "name": "hushed" } })),
    ];
    for (id, (method, params)) in requests.into_iter().enumerate() {
        server.ask(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
    }
    let heard = server.heard();
    let lines = || -> Vec<[Value; 3]> {
        let entries = heard.borrow().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
        let requests = entries.iter().map(|entry| &entry["fields"]).filter(|fields| fields["ms"].is_u64());
        requests.map(|fields| ["method", "name", "message"].map(|key| fields[key].clone())).collect()
    };
    until("six lines", async || lines().len() == 6).await;
    let told = [
        ["tools/call", "hello", "answered"],
        ["tools/call", "hello", "refused what was given"],
        ["tools/call", "fails", "failed"],
        ["resources/read", "note://{id}", "answered"],
        ["resources/read", "note://{id}", "not found"],
        ["prompts/get", "greet", "answered"],
    ];
    assert_eq!(json!(lines()), json!(told));
    assert!(!heard.borrow().contains("hushed"), "{}", &*heard.borrow());
}
