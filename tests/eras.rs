//! Both eras of MCP on one process: sessions of four versions, and the stateless 2026-07-28 beside them.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::harness::site::answer;
use crate::harness::{Client, Era, Process, Spec, initialize, modern, request};

const SESSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// Tools whose answers are an object, an array, a number and a text; a resource; a prompt.
fn spec() -> Spec {
    Spec::new(
        r#"
        tools:
          object: { exec: { command: [echo, '{"a": 1}'] }, result: { as: json } }
          array: { exec: { command: [echo, '[1, 2]'] }, result: { as: json } }
          number: { exec: { command: [echo, '5'] }, result: { as: json } }
          text: { params: { x: string }, text: "{{x}}" }
        resources: { "test://one": { text: one } }
        prompts: { one: { template: one } }
        "#,
    )
}

fn call(id: i64, tool: &str) -> Value {
    request(id, "tools/call", json!({ "name": tool, "arguments": {} }))
}

fn modern_call(id: i64, tool: &str, arguments: Value) -> Value {
    modern(id, "tools/call", json!({ "name": tool, "arguments": arguments }))
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}"))
}

#[tokio::test]
async fn every_session_version_is_negotiated_over_stdio() {
    let spec = spec();
    for version in SESSIONS {
        let mut server = Process::serve(&spec, &[]);
        let beginning = server.initialize(version).await;
        assert_eq!(beginning["result"]["protocolVersion"], version);
        assert_eq!(beginning["result"]["serverInfo"]["name"], "test");
        let listed = server.ask(&request(1, "tools/list", json!({}))).await;
        assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 4);
        assert_eq!(listed["result"].get("resultType"), None, "a word of the later era");
        assert_eq!(server.ask(&request("p", "ping", json!({}))).await["result"], json!({}));
    }
}

#[tokio::test]
async fn every_session_version_is_negotiated_over_http() {
    let site = spec().http().await;
    for version in SESSIONS {
        let session = site.session(version).await;
        let listed = site.post(&request(1, "tools/list", json!({}))).header("mcp-session-id", &session);
        let (status, listed) = answer(listed.header("mcp-protocol-version", version).send().await.unwrap()).await;
        assert_eq!((status, listed["result"]["tools"].as_array().unwrap().len()), (200, 4));
    }
}

#[tokio::test]
async fn an_unknown_version_is_answered_with_the_latest_of_sessions() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    assert_eq!(server.initialize("1999-01-01").await["result"]["protocolVersion"], "2025-11-25");
    let (status, beginning) = spec.http().await.ask(&initialize("1999-01-01")).await;
    assert_eq!((status, &beginning["result"]["protocolVersion"]), (200, &json!("2025-11-25")));
}

#[tokio::test]
async fn rmcps_own_child_process_gets_along() {
    use rmcp::ServiceExt;
    let spec = spec();
    let child = rmcp::transport::TokioChildProcess::new(Process::command(&spec, "serve")).unwrap();
    let client = ().serve(child).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), 4);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn stateless_requests_and_a_session_share_one_stdio() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    let early = server.ask(&modern_call(1, "text", json!({ "x": "before" }))).await;
    assert_eq!(early["result"]["content"][0]["text"], "before");
    let discovered = server.ask(&modern(2, "server/discover", json!({}))).await;
    let versions = discovered["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{discovered}");
    // `initialize` begins a session, whatever came before, and takes nothing away.
    let early = server.ask(&request(3, "tools/list", json!({}))).await;
    assert_eq!(code(&early), -32602, "{early}");
    assert_eq!(server.initialize("2025-06-18").await["result"]["protocolVersion"], "2025-06-18");
    let in_session = server.ask(&call(4, "array")).await;
    assert_eq!(in_session["result"]["content"][0]["text"], "[1,2]", "{in_session}");
    assert_eq!(in_session["result"].get("structuredContent"), None);
    let stateless = server.ask(&modern_call(5, "array", json!({}))).await;
    assert_eq!(stateless["result"]["structuredContent"], json!([1, 2]));
    assert_eq!(server.ask(&request(6, "ping", json!({}))).await["result"], json!({}));
}

#[tokio::test]
async fn stateless_requests_and_sessions_share_one_endpoint() {
    let site = spec().http().await;
    let session = site.session("2025-06-18").await;
    for id in 1..4 {
        let (status, stateless) = site.ask(&modern_call(id, "array", json!({}))).await;
        assert_eq!((status, &stateless["result"]["structuredContent"]), (200, &json!([1, 2])));
        let in_session = site.post(&call(id, "array")).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(answer(in_session).await.1["result"].get("structuredContent"), None);
    }
}

#[tokio::test]
async fn only_the_later_era_gets_structured_arrays_and_scalars() {
    let spec = spec();
    let site = spec.http().await;
    let clients = [
        (Era::Legacy, spec.stdio(Era::Legacy).await),
        (Era::Modern, spec.stdio(Era::Modern).await),
        (Era::Legacy, site.client(Era::Legacy).await),
        (Era::Modern, site.client(Era::Modern).await),
    ];
    for (era, client) in clients {
        let given = async |tool: &str| -> (Value, Value) {
            let answer = client.call(tool, json!({})).await;
            (answer["structuredContent"].clone(), answer["content"][0]["text"].clone())
        };
        let only_modern = |value: Value| if era == Era::Modern { value } else { Value::Null };
        assert_eq!(given("object").await, (json!({ "a": 1 }), json!(r#"{"a":1}"#)));
        assert_eq!(given("array").await, (only_modern(json!([1, 2])), json!("[1,2]")));
        assert_eq!(given("number").await, (only_modern(json!(5)), json!("5")));
    }
}

#[tokio::test]
async fn later_results_say_what_they_are_how_long_they_hold_and_whose() {
    let site = spec().http().await;
    let complete = json!({ "ref": { "type": "ref/prompt", "name": "one" }, "argument": { "name": "x", "value": "" } });
    let requests = [
        ("tools/list", json!({}), true),
        ("prompts/list", json!({}), true),
        ("resources/list", json!({}), true),
        ("resources/templates/list", json!({}), true),
        ("resources/read", json!({ "uri": "test://one" }), true),
        ("tools/call", json!({ "name": "object" }), false),
        ("prompts/get", json!({ "name": "one" }), false),
        ("completion/complete", complete, false),
        ("server/discover", json!({}), true),
    ];
    for (method, params, cached) in requests {
        let (status, answer) = site.ask(&modern(1, method, params)).await;
        let result = &answer["result"];
        assert_eq!((status, &result["resultType"]), (200, &json!("complete")), "{method}: {answer}");
        assert_eq!(result["ttlMs"].is_u64() && result["cacheScope"].is_string(), cached, "{method}: {answer}");
        let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(server["name"], "test", "{method}: {answer}");
    }
}

/// A plain call over HTTP is answered without rmcp, unless anything about it is unusual, such as a name in Base64.
#[tokio::test]
async fn plain_calls_over_http_are_answered_as_all_others() {
    let site = spec().http().await;
    for (tool, arguments) in [
        ("text", json!({ "x": "é \" \u{1}" })),
        ("text", json!({ "x": 5 })),
        ("text", json!({})),
        ("object", json!({})),
        ("array", json!({})),
        ("number", json!({})),
        ("none", json!({})),
    ] {
        let message = modern_call(7, tool, arguments);
        let encoded = format!("=?base64?{}?=", STANDARD.encode(tool));
        let encoded = HeaderMap::from_iter([("mcp-name".parse().unwrap(), encoded.parse().unwrap())]);
        let plain = site.ask(&message).await;
        let unusual = answer(site.post(&message).headers(encoded).send().await.unwrap()).await;
        assert_eq!(plain, unusual, "{message}");
    }
}

#[tokio::test]
async fn headers_that_do_not_fit_a_plain_call_are_refused() {
    let site = spec().http().await;
    let message = modern_call(7, "text", json!({ "x": "y" }));
    for (name, value) in
        [("mcp-name", "object"), ("mcp-method", "tools/list"), ("mcp-protocol-version", "2025-11-25"), ("mcp-name", "")]
    {
        let other = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let (status, refused) = answer(site.post(&message).headers(other).send().await.unwrap()).await;
        assert_eq!((status, code(&refused)), (400, -32020), "{name}: {value}");
    }
    let twice = answer(site.post(&message).header("mcp-name", "text").send().await.unwrap()).await;
    assert_eq!((twice.0, code(&twice.1)), (400, -32020));
    let mut incomplete = message;
    incomplete["params"]["_meta"].as_object_mut().unwrap().remove("io.modelcontextprotocol/clientCapabilities");
    let (status, refused) = site.ask(&incomplete).await;
    assert_eq!((status, code(&refused)), (400, -32602));
}

#[tokio::test]
async fn errors_have_the_codes_of_their_era() {
    let spec = spec();
    let site = spec.http().await;
    let clients = [
        (-32002, spec.stdio(Era::Legacy).await),
        (-32602, spec.stdio(Era::Modern).await),
        (-32002, site.client(Era::Legacy).await),
        (-32602, site.client(Era::Modern).await),
    ];
    for (missing, client) in clients {
        let refused = async |method: &str, params: Value| client.refused(method, params).await;
        let unknown = refused("tools/call", json!({ "name": "nothing" })).await;
        assert_eq!(unknown, (-32602, "there is no tool `nothing`".to_owned()));
        let unknown = refused("prompts/get", json!({ "name": "nothing" })).await;
        assert_eq!(unknown, (-32602, "there is no prompt `nothing`".to_owned()));
        let unknown = refused("resources/read", json!({ "uri": "test://two" })).await;
        assert_eq!(unknown, (missing, "there is no such resource".to_owned()));
        for list in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            let unknown = "unknown cursor: the list has changed, or never had it";
            assert_eq!(refused(list, json!({ "cursor": "x" })).await, (-32602, unknown.to_owned()));
        }
    }
}

#[tokio::test]
async fn malformed_params_and_unknown_methods_in_a_session() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-06-18").await;
    let malformed = [
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({ "name": "text", "arguments": [1] })),
        ("prompts/get", json!({})),
        ("prompts/get", json!({ "name": "one", "arguments": "x" })),
        ("resources/read", json!({ "url": "test://one" })),
        ("completion/complete", json!({ "ref": { "type": "ref/tool", "name": "x" }, "argument": 1 })),
    ];
    for (id, (method, params)) in malformed.into_iter().enumerate() {
        assert_eq!(code(&server.ask(&request(id, method, params.clone())).await), -32602, "{method} {params}");
    }
    for (id, method) in ["tools/cal", "resources/subscribe", "x"].into_iter().enumerate() {
        let params = json!({ "level": "info", "uri": "test://one" });
        assert_eq!(code(&server.ask(&request(100 + id, method, params)).await), -32601, "{method}");
    }
    assert_eq!(server.ask(&request(200, "ping", json!({}))).await["result"], json!({}), "it serves on");
}

#[tokio::test]
async fn malformed_params_and_unknown_methods_without_a_session() {
    let site = spec().http().await;
    assert_eq!(code(&site.ask(&modern(1, "tools/call", json!({ "arguments": {} }))).await.1), -32602);
    assert_eq!(code(&site.ask(&modern(1, "resources/read", json!({ "uri": 5 }))).await.1), -32602);
    let (status, unknown) = site.ask(&modern(1, "tools/cal", json!({}))).await;
    assert_eq!((status, code(&unknown)), (404, -32601));
    let mut other = modern(1, "tools/list", json!({}));
    other["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    let post = site.post(&other).header("mcp-protocol-version", "2031-01-01");
    assert_eq!(answer(post.send().await.unwrap()).await.0, 400);
    let mut bare = modern(1, "tools/list", json!({}));
    bare["params"]["_meta"].as_object_mut().unwrap().remove("io.modelcontextprotocol/clientCapabilities");
    let (status, refused) = site.ask(&bare).await;
    assert_eq!((status, code(&refused)), (400, -32602));
}

#[tokio::test]
async fn lines_that_are_no_messages_do_not_end_the_server() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    for line in ["", "{", "null", "[]", "\u{feff}", r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#] {
        server.line(line).await;
    }
    assert_eq!(server.initialize("2025-11-25").await["result"]["protocolVersion"], "2025-11-25");
    server.line("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":").await;
    assert_eq!(server.ask(&call(8, "object")).await["result"]["structuredContent"], json!({ "a": 1 }));
}

#[tokio::test]
async fn arguments_may_be_left_out_where_none_is_needed() {
    let spec = spec();
    let check = async |client: Client| {
        let answer = client.ask("tools/call", json!({ "name": "object" })).await.unwrap();
        assert_eq!(answer["structuredContent"], json!({ "a": 1 }));
    };
    check(spec.stdio(Era::Legacy).await).await;
    check(spec.stdio(Era::Modern).await).await;
}
