//! Lines to the real binary and lines back, in both eras, of clients that do as they please.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::harness::{Process, Spec, initialize, modern, request, soon};

/// What a client can say of itself.
#[derive(Clone, Copy)]
enum Speaks {
    /// A session of this version.
    Session(&'static str),
    /// 2026-07-28, which has none.
    Stateless,
}

use Speaks::{Session, Stateless};

const ALL: [Speaks; 5] =
    [Session("2024-11-05"), Session("2025-03-26"), Session("2025-06-18"), Session("2025-11-25"), Stateless];

impl Speaks {
    async fn start(self, spec: &Spec) -> Process {
        let mut server = Process::serve(spec, &[]);
        if let Session(version) = self {
            server.initialize(version).await;
        }
        server
    }

    fn request(self, id: impl Into<Value>, method: &str, params: Value) -> Value {
        match self {
            Session(_) => request(id, method, params),
            Stateless => modern(id, method, params),
        }
    }

    fn call(self, id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
        self.request(id, "tools/call", json!({ "name": tool, "arguments": arguments }))
    }
}

/// Tools that give a text back, measure one, and take their time.
fn spec() -> Spec {
    Spec::tools(
        "
        echo: { params: { x: string }, text: '{{x}}' }
        measure: { params: { x: string }, exec: { command: [wc, -c], stdin: '{{x}}' } }
        wait: { params: { s: string }, exec: { command: [sh, -c, 'sleep $0; echo done', '{{s}}'] } }
        ",
    )
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}"))
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

#[tokio::test]
async fn what_is_no_message_is_named_so_and_the_server_goes_on() {
    let spec = spec();
    for speaks in ALL {
        let mut server = speaks.start(&spec).await;
        for (line, expected, id) in [
            ("{", -32700, Value::Null),
            ("hello", -32700, Value::Null),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}"#, -32700, Value::Null),
            ("5", -32600, Value::Null),
            ("{}", -32600, Value::Null),
            (r#"{"jsonrpc":"1.0","id":2,"method":"ping"}"#, -32600, json!(2)),
            (r#"{"jsonrpc":"2.0","id":3}"#, -32600, json!(3)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, Value::Null),
            (r#"{"jsonrpc":"2.0","id":4,"method":7}"#, -32600, json!(4)),
            (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":[1]}"#, -32602, json!(5)),
            ("[]", -32600, Value::Null),
        ] {
            server.line(line).await;
            let answer = server.next().await.unwrap();
            assert_eq!((code(&answer), &answer["id"]), (expected, &id), "{line}");
        }
        // Nobody waits for an answer to these.
        for line in
            ["", "\r", r#"{"jsonrpc":"2.0","method":"notifications/none"}"#, r#"{"jsonrpc":"2.0","id":9,"result":{}}"#]
        {
            server.line(line).await;
        }
        let answer = server.ask(&speaks.call(10, "echo", json!({ "x": "still here" }))).await;
        assert_eq!(text(&answer), "still here");
    }
}

#[tokio::test]
async fn unknown_methods_are_unknown_in_every_version() {
    let spec = spec();
    for speaks in ALL {
        let mut server = speaks.start(&spec).await;
        for (id, method) in ["tools/cal", "Tools/list", "notifications/x", ""].into_iter().enumerate() {
            let answer = server.ask(&speaks.request(id, method, json!({}))).await;
            assert_eq!(code(&answer), -32601, "{method}: {answer}");
        }
    }
}

#[tokio::test]
async fn wrong_versions_are_answered_with_those_there_are() {
    let spec = spec();
    for version in ["1999-01-01", "2026-07-28", "nonsense", ""] {
        let mut server = Process::serve(&spec, &[]);
        assert_eq!(server.initialize(version).await["result"]["protocolVersion"], "2025-11-25", "{version:?}");
    }
    let mut server = Process::serve(&spec, &[]);
    let mut unknown = modern(1, "tools/list", json!({}));
    unknown["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    let refused = server.ask(&unknown).await;
    assert_eq!((code(&refused), &refused["error"]["data"]["requested"]), (-32022, &json!("2031-01-01")));
    assert!(refused["error"]["data"]["supported"].as_array().unwrap().contains(&json!("2026-07-28")));
    assert!(server.ask(&modern(2, "tools/list", json!({}))).await["result"]["tools"].is_array());
}

#[tokio::test]
async fn what_comes_before_initialize_is_refused_and_initialize_still_works() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.line(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    for (id, method) in ["tools/list", "tools/call", "resources/read", "no/such"].into_iter().enumerate() {
        let answer = server.ask(&request(id, method, json!({ "name": "echo", "uri": "x:y" }))).await;
        assert!(answer["error"].is_object(), "{answer}");
    }
    assert_eq!(server.ask(&request("p", "ping", json!({}))).await["result"], json!({}));
    assert_eq!(server.initialize("2025-06-18").await["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(text(&server.ask(&Stateless.call(8, "echo", json!({ "x": "both" }))).await), "both");
    assert_eq!(
        text(&server.ask(&request(9, "tools/call", json!({ "name": "echo", "arguments": { "x": "a" } }))).await),
        "a"
    );
    let again = server.ask(&initialize("2025-11-25")).await;
    assert!(again["error"].is_object() || again["result"].is_object(), "{again}");
    assert_eq!(server.ask(&request(10, "ping", json!({}))).await["result"], json!({}));
}

#[tokio::test]
async fn an_id_in_use_is_refused_and_free_again_after() {
    let spec = spec();
    for speaks in [Session("2025-11-25"), Stateless] {
        let mut server = speaks.start(&spec).await;
        for id in [json!(7), json!("seven")] {
            server.send(&speaks.call(id.clone(), "wait", json!({ "s": "0.5" }))).await;
            server.send(&speaks.call(id.clone(), "echo", json!({ "x": "twice" }))).await;
            assert_eq!(code(&server.next().await.unwrap()), -32600);
            assert_eq!(text(&server.next().await.unwrap()), "done\n");
            assert_eq!(text(&server.ask(&speaks.call(id, "echo", json!({ "x": "again" }))).await), "again");
        }
        // A number is not its text.
        server.send(&speaks.call(1, "wait", json!({ "s": "0.3" }))).await;
        assert_eq!(text(&server.ask(&speaks.call("1", "echo", json!({ "x": "other" }))).await), "other");
    }
}

#[tokio::test]
async fn batches_are_taken_where_the_version_has_them() {
    let spec = spec();
    let batch = |speaks: Speaks| {
        json!([
            speaks.call(1, "wait", json!({ "s": "0.3" })),
            { "jsonrpc": "2.0", "method": "notifications/none" },
            speaks.request("l", "tools/list", json!({})),
            speaks.request(2, "no/such", json!({})),
        ])
    };
    let mut server = Session("2025-03-26").start(&spec).await;
    server.send(&batch(Session("2025-03-26"))).await;
    let answers = server.next().await.unwrap();
    let answer = |id: Value| answers.as_array().unwrap().iter().find(|answer| answer["id"] == id).unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 3, "{answers}");
    assert_eq!(text(answer(json!(1))), "done\n");
    assert_eq!(answer(json!("l"))["result"]["tools"].as_array().unwrap().len(), 3);
    assert_eq!(code(answer(json!(2))), -32601);
    for speaks in [Session("2024-11-05"), Session("2025-06-18"), Session("2025-11-25"), Stateless] {
        let mut server = speaks.start(&spec).await;
        server.send(&batch(speaks)).await;
        assert_eq!(code(&server.next().await.unwrap()), -32600);
        assert_eq!(text(&server.ask(&speaks.call(3, "echo", json!({ "x": "on" }))).await), "on");
    }
}

#[tokio::test]
async fn lines_of_megabytes_arrive_whole_and_those_beyond_the_limit_are_refused() {
    let spec = spec();
    for speaks in [Session("2025-11-25"), Stateless] {
        let mut server = speaks.start(&spec).await;
        let long = "x".repeat(5 * 1024 * 1024);
        let answer = server.ask(&speaks.call(1, "measure", json!({ "x": long }))).await;
        assert_eq!(text(&answer).trim(), "5242880");
        // Written in pieces: the line is refused before it ends.
        for _ in 0..17 {
            let stdin = server.stdin();
            soon("a megabyte to be taken", stdin.write_all("y".repeat(1 << 20).as_bytes())).await.unwrap();
        }
        server.line("").await;
        let refused = server.next().await.unwrap();
        assert_eq!((code(&refused), &refused["id"]), (-32600, &Value::Null));
        assert_eq!(text(&server.ask(&speaks.call(2, "echo", json!({ "x": "short" }))).await), "short");
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_is_waited_for_with_little_memory() {
    let spec = spec();
    for speaks in [Session("2025-11-25"), Stateless] {
        let mut server = speaks.start(&spec).await;
        let pid = server.pid();
        let (stdout, mut stdin) = server.ends();
        let filler = "z".repeat(20_000);
        let mut sent = 0_usize;
        let mut rest = Vec::new();
        while sent < 20_000 {
            let line = format!("{}\n", speaks.call(sent, "echo", json!({ "x": filler })));
            let mut left = line.as_bytes();
            let written = timeout(Duration::from_secs(1), stdin.write_all_buf(&mut left)).await;
            sent += 1;
            if written.is_err() {
                rest = left.to_vec();
                break;
            }
        }
        assert!(sent < 20_000, "the server takes whatever it is given");
        let memory = resident(pid);
        assert!(memory < 200 * 1024 * 1024, "{memory} bytes for {sent} calls");
        let mut lines = BufReader::new(stdout).lines();
        let writing = tokio::spawn(async move {
            stdin.write_all(&rest).await.unwrap();
            stdin
        });
        for _ in 0..sent {
            let line = soon("an answer", lines.next_line()).await.unwrap().unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(text(&answer).len(), filler.len());
        }
        drop(writing.await.unwrap());
        assert_eq!(server.exit().await, 0);
    }
}

/// The memory of a process, in bytes.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
