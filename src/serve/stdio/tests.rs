use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{StdioFault, serve_on};
use crate::serve::echo::{Echo, TOOLS, call, initialize, listen, request, text_of};

/// Only a fault takes longer, on however busy a machine.
const SOON: Duration = Duration::from_secs(60);

/// A client that writes lines and reads answers.
struct Client {
    input: Option<WriteHalf<DuplexStream>>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
    server: JoinHandle<Result<(), StdioFault>>,
    closing: CancellationToken,
    echo: Echo,
}

impl Client {
    fn new() -> Client {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (reader, writer) = tokio::io::split(theirs);
        let closing = CancellationToken::new();
        let echo = Echo::new(&closing);
        let server = tokio::spawn(serve_on(echo.clone(), reader, writer, closing.clone()));
        let (output, input) = tokio::io::split(ours);
        Client { input: Some(input), output: BufReader::new(output).lines(), server, closing, echo }
    }

    async fn legacy(version: &str) -> Client {
        let mut client = Client::new();
        client.send(&initialize(0, version)).await;
        assert_eq!(client.answer().await["result"]["protocolVersion"], version);
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    async fn write(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).await.unwrap();
    }

    async fn send(&mut self, message: &Value) {
        self.write(&format!("{message}\n")).await;
    }

    async fn answer(&mut self) -> Value {
        let line = timeout(SOON, self.output.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.expect("the server closed its output")).unwrap()
    }

    async fn echoes(&mut self, text: &str, modern: bool) {
        self.send(&call(text, "echo", json!({"text": text}), modern)).await;
        let answer = self.answer().await;
        assert_eq!((&answer["id"], text_of(&answer)), (&json!(text), text));
    }

    /// Ends the input and gives back what was still answered, and how long the end took.
    async fn finish(mut self) -> (Vec<Value>, Duration) {
        let began = Instant::now();
        // A half of a split duplex does not close with the half alone.
        self.input.take().unwrap().shutdown().await.unwrap();
        let outcome = timeout(SOON, self.server).await.unwrap().unwrap();
        let took = began.elapsed();
        outcome.unwrap();
        let mut answers = Vec::new();
        while let Some(line) = self.output.next_line().await.unwrap() {
            answers.push(serde_json::from_str(&line).unwrap());
        }
        assert!(self.closing.is_cancelled());
        (answers, took)
    }
}

fn code_of(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

/// Less than the grace, as nothing is waited for.
const PROMPT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn serves_every_legacy_version() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::legacy(version).await;
        client.echoes("hello", false).await;
        client.echo.until(|seen| seen.initialized == 1).await;
        let (rest, took) = client.finish().await;
        assert!(rest.is_empty() && took < PROMPT, "{rest:?} {took:?}");
    }
}

#[tokio::test]
async fn serves_the_stateless_version() {
    let mut client = Client::new();
    client.send(&request("d", "server/discover", json!({}), true)).await;
    let discovered = client.answer().await;
    assert!(discovered["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
    client.echoes("hello", true).await;
    client.send(&request(2, "tools/list", json!({}), true)).await;
    assert_eq!(client.answer().await["result"]["tools"].as_array().unwrap().len(), TOOLS.len());
    assert!(client.finish().await.1 < PROMPT);
}

#[tokio::test]
async fn refuses_what_is_no_message_and_goes_on() {
    let mut client = Client::legacy("2025-11-25").await;
    for (line, code, id) in [
        ("{broken", -32700, Value::Null),
        ("5", -32600, Value::Null),
        ("[]", -32600, Value::Null),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":9}"#, -32600, json!(9)),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":"p","method":"tools/call","params":[1]}"#, -32602, json!("p")),
        (r#"{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{}}"#, -32602, json!("q")),
        (r#"{"jsonrpc":"2.0","id":"r","method":"no/such"}"#, -32601, json!("r")),
    ] {
        client.write(&format!("{line}\n")).await;
        let answer = client.answer().await;
        assert_eq!((code_of(&answer), &answer["id"]), (code, &id), "{line}: {answer}");
        assert!(answer.as_object().unwrap().contains_key("id"), "{answer}");
    }
    client.echoes("still here", false).await;
}

#[tokio::test]
async fn ignores_what_nobody_waits_for() {
    let mut client = Client::legacy("2025-11-25").await;
    client.write("\n  \r\n").await;
    client.write("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unheard\",\"params\":[]}\n").await;
    client.write("{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":7}\n").await;
    client.write("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"echoed back\"}}\n").await;
    client.echoes("next", false).await;
}

#[tokio::test]
async fn the_first_message_may_be_anything() {
    let mut client = Client::new();
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    client.send(&json!({"jsonrpc": "2.0", "id": 4, "result": {}})).await;
    client.write("{oops\n").await;
    assert_eq!(code_of(&client.answer().await), -32700);
    client.send(&request(1, "tools/list", json!({}), false)).await;
    assert_eq!(code_of(&client.answer().await), -32602, "a request before initialize");
    client.send(&request(2, "initialize", json!({"protocolVersion": 5}), false)).await;
    let refused = client.answer().await;
    assert_eq!((code_of(&refused), &refused["id"]), (-32602, &json!(2)));
    assert!(refused["error"]["message"].as_str().unwrap().contains("the params of initialize"), "{refused}");
    client.send(&request(3, "ping", json!({}), false)).await;
    assert_eq!(client.answer().await["result"], json!({}));
    client.send(&initialize(0, "2025-06-18")).await;
    assert_eq!(client.answer().await["result"]["serverInfo"]["name"], "echo");
    client.echoes("at last", false).await;
}

#[tokio::test]
async fn an_end_before_initialize_is_no_fault() {
    let (rest, took) = Client::new().finish().await;
    assert!(rest.is_empty() && took < PROMPT, "{took:?}");
}

#[tokio::test]
async fn the_last_line_needs_no_end() {
    let mut client = Client::new();
    client.send(&initialize(0, "2025-11-25")).await;
    client.write(&call("last", "echo", json!({"text": "bye"}), false).to_string()).await;
    let (answers, took) = client.finish().await;
    let last = answers.iter().find(|answer| answer["id"] == "last").unwrap();
    assert_eq!(text_of(last), "bye");
    assert_eq!(answers.len(), 2);
    assert!(took < PROMPT, "{took:?}");
}

#[tokio::test]
async fn listen_hears_changes_and_ends_with_the_input() {
    let mut client = Client::new();
    client.send(&listen("sub")).await;
    assert_eq!(client.answer().await["method"], "notifications/subscriptions/acknowledged");
    client.send(&call(2, "notify", json!({}), true)).await;
    let (one, two) = (client.answer().await, client.answer().await);
    let heard = [&one, &two].into_iter().find(|message| message["method"] == "notifications/tools/list_changed");
    assert_eq!(heard.unwrap()["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "sub");
    let (rest, took) = client.finish().await;
    assert_eq!((rest.len(), &rest[0]["id"]), (1, &json!("sub")), "{rest:?}");
    assert!(rest[0]["result"].is_object());
    assert!(took < PROMPT, "{took:?}");
}

#[tokio::test]
async fn closing_ends_the_service_with_the_input_open() {
    let mut client = Client::new();
    client.send(&listen(1)).await;
    client.answer().await;
    client.send(&call(2, "slow", json!({"ms": 300}), true)).await;
    client.echo.until(|seen| seen.started == 1).await;
    client.closing.cancel();
    let (one, two) = (client.answer().await, client.answer().await);
    assert_eq!((&one["id"], &two["id"]), (&json!(1), &json!(2)));
    assert_eq!(text_of(&two), "slept");
    timeout(PROMPT, client.server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn calls_in_flight_at_the_end_are_answered() {
    let mut client = Client::legacy("2025-11-25").await;
    for id in 0..10 {
        client.send(&call(id, "slow", json!({"ms": 400}), false)).await;
    }
    let (answers, took) = client.finish().await;
    assert_eq!(answers.len(), 10, "{answers:?}");
    assert!(answers.iter().all(|answer| text_of(answer) == "slept"));
    assert!(took < PROMPT, "{took:?}");
}

#[tokio::test]
async fn endless_calls_are_cancelled_after_the_grace() {
    let mut client = Client::legacy("2025-11-25").await;
    client.send(&call("endless", "slow", json!({"ms": 3_600_000}), false)).await;
    client.echo.until(|seen| seen.started == 1).await;
    let echo = client.echo.clone();
    let (answers, took) = client.finish().await;
    assert!((4..60).contains(&took.as_secs()), "{took:?}");
    echo.until(|seen| seen.cancelled == 1).await;
    assert_eq!(answers.len(), 1);
    assert_eq!(text_of(&answers[0]), "cancelled");
}

#[tokio::test]
async fn a_cancelled_call_does_not_delay_the_end() {
    let mut client = Client::legacy("2025-11-25").await;
    client.send(&call(1, "slow", json!({"ms": 60_000}), false)).await;
    client.echo.until(|seen| seen.started == 1).await;
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    client.echo.until(|seen| seen.cancelled == 1).await;
    client.echoes("after", false).await;
    let (rest, took) = client.finish().await;
    assert!(rest.is_empty() && took < PROMPT, "{rest:?} {took:?}");
}

#[tokio::test]
async fn an_id_in_flight_can_not_be_used_again() {
    let mut client = Client::legacy("2025-11-25").await;
    client.send(&call(1, "slow", json!({"ms": 300}), false)).await;
    client.send(&call(1, "echo", json!({"text": "twice"}), false)).await;
    assert_eq!(code_of(&client.answer().await), -32600);
    assert_eq!(text_of(&client.answer().await), "slept");
    client.send(&call(1, "echo", json!({"text": "again"}), false)).await;
    assert_eq!(text_of(&client.answer().await), "again");
}

#[tokio::test]
async fn a_long_line_is_refused_and_skipped() {
    let mut client = Client::legacy("2025-11-25").await;
    let chunk = "x".repeat(1 << 20);
    for _ in 0..17 {
        client.write(&chunk).await;
    }
    client.write("\n").await;
    let answer = client.answer().await;
    assert_eq!((code_of(&answer), &answer["id"]), (-32600, &Value::Null));
    client.echoes("short", false).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_from() {
    let long = |id: i64| format!("{}\n", call(id, "echo", json!({"text": "x".repeat(1000)}), false));
    for (line, numbered) in [(long(1), true), (long(1), false), ("{broken\n".to_owned(), false)] {
        let mut client = Client::legacy("2025-11-25").await;
        let mut written = 0;
        // The server must stop taking input well before this much.
        while written < 64 * 1024 * 1024 {
            let line = if numbered { long(written) } else { line.clone() };
            match timeout(Duration::from_millis(500), client.write(&line)).await {
                Ok(()) => written += i64::try_from(line.len()).unwrap(),
                Err(_) => break,
            }
        }
        assert!(written < 4 * 1024 * 1024, "{written} bytes were taken");
        client.server.abort();
    }
}

#[tokio::test]
async fn a_client_that_vanishes_ends_the_service() {
    let mut client = Client::legacy("2025-11-25").await;
    client.send(&call(1, "slow", json!({"ms": 100}), false)).await;
    let Client { input, output, server, closing, .. } = client;
    drop((input, output));
    timeout(SOON, server).await.unwrap().unwrap().unwrap();
    assert!(closing.is_cancelled());
}

#[tokio::test]
async fn batches_of_2025_03_26_are_answered_in_one_line() {
    let mut client = Client::legacy("2025-03-26").await;
    let batch = json!([
        call(1, "slow", json!({"ms": 200}), false),
        {"jsonrpc": "2.0", "method": "notifications/x"},
        call(2, "echo", json!({"text": "two"}), false),
        call(2, "echo", json!({"text": "again"}), false),
        initialize(3, "2025-03-26"),
        request(4, "no/such", json!({}), false),
        7,
    ]);
    client.send(&batch).await;
    client.echoes("meanwhile", false).await;
    let answers = client.answer().await;
    let mut seen: Vec<_> =
        answers.as_array().unwrap().iter().map(|a| (a["id"].to_string(), a["error"]["code"].as_i64())).collect();
    seen.sort();
    let expected = [
        ("1", None),
        ("2", Some(-32600)),
        ("2", None),
        ("3", Some(-32600)),
        ("4", Some(-32601)),
        ("null", Some(-32600)),
    ];
    let mut expected: Vec<_> = expected.into_iter().map(|(id, code)| (id.to_owned(), code)).collect();
    expected.sort();
    assert_eq!(seen, expected);
    client.send(&json!([{"jsonrpc": "2.0", "method": "notifications/x"}])).await;
    client.send(&json!([])).await;
    assert_eq!(code_of(&client.answer().await), -32600);
    client.echoes("after", false).await;
}

#[tokio::test]
async fn a_cancelled_request_of_a_batch_is_not_waited_for() {
    let mut client = Client::legacy("2025-03-26").await;
    client
        .send(&json!([call(1, "slow", json!({"ms": 60_000}), false), call(2, "echo", json!({"text": "x"}), false)]))
        .await;
    client.echo.until(|seen| seen.started == 1).await;
    client.send(&json!([{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}])).await;
    let answers = client.answer().await;
    assert_eq!((answers.as_array().unwrap().len(), &answers[0]["id"]), (1, &json!(2)));
    let (rest, took) = client.finish().await;
    assert!(rest.is_empty() && took < PROMPT, "{rest:?} {took:?}");
}

#[tokio::test]
async fn batches_of_other_versions_are_refused() {
    for version in ["2024-11-05", "2025-06-18"] {
        let mut client = Client::legacy(version).await;
        client.send(&json!([request(1, "ping", json!({}), false)])).await;
        assert_eq!(code_of(&client.answer().await), -32600);
    }
}
