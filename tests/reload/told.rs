//! Who is told of what: nothing is missed between an answer and what follows it, resources whose definition changed
//! are told of, and a client that does not listen is nobody else's matter.

use std::time::{Duration, Instant};

use rmcp::model::ServerNotification;
use rmcp::service::Subscription;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use super::{RESOURCE, TOOL, all_lists, next, spec, text};
use crate::harness::{Era, Process, Site, Spec, initialize, modern, request, soon};

/// The notifications that the server sends before its answer to a ping.
async fn until_ping(server: &mut Process) -> Vec<Value> {
    server.send(&request("ping", "ping", json!({}))).await;
    let mut heard = Vec::new();
    loop {
        let message = server.next().await.unwrap();
        if message["id"] == "ping" {
            return heard;
        }
        heard.push(message);
    }
}

#[tokio::test]
async fn a_reload_between_the_answer_and_initialized_is_told() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.ask(&initialize("2025-11-25")).await;
    spec.write(&text("SELECT 1", TOOL, "", ""));
    server.reloaded(&spec).await;
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    assert_eq!(server.next().await.unwrap()["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_reload_before_the_first_message_is_no_news() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.says("serving test").await;
    spec.write(&text("SELECT 1", TOOL, "", ""));
    server.reloaded(&spec).await;
    server.initialize("2025-11-25").await;
    spec.write(&text("SELECT 1", TOOL, RESOURCE, ""));
    server.reloaded(&spec).await;
    assert_eq!(server.next().await.unwrap()["method"], "notifications/resources/list_changed");
}

/// Resources of several kinds of definition, each with its content.
fn resources(text: &str, command: &str, file: &str, template: &str, more: &str) -> String {
    format!(
        "
resources:
  test://text: {{ text: '{text}', subscribe: {{ poll: 1h }} }}
  test://command: {{ exec: {{ command: [{command}] }} }}
  test://file: {{ file: {file} }}
  test://of/{{x}}: {{ text: '{template} {{{{x}}}}' }}
  test://same: {{ text: same }}
{more}
"
    )
}

const SUBSCRIBED: [&str; 5] = ["test://text", "test://command", "test://file", "test://of/me", "test://same"];

/// Edits, and the resource whose content each changes; the last one changes a list only.
fn edits() -> Vec<(String, Option<&'static str>)> {
    let fails = "sh, -c, 'exit 3'";
    vec![
        (resources("two", "echo one", "./a.txt", "for", ""), Some("test://text")),
        (resources("two", "echo two", "./a.txt", "for", ""), Some("test://command")),
        (resources("two", "echo two", "./b.txt", "for", ""), Some("test://file")),
        (resources("two", "echo two", "./b.txt", "to", ""), Some("test://of/me")),
        (resources("two", fails, "./b.txt", "to", ""), Some("test://command")),
        (resources("two", fails, "./b.txt", "to", "  test://more: { text: x }"), None),
        (resources("two", "echo two", "./b.txt", "to", "  test://more: { text: x }"), Some("test://command")),
    ]
    .into_iter()
    .map(|(text, uri)| (text.replace("echo ", "echo, "), uri))
    .collect()
}

fn first() -> Spec {
    let text = resources("one", "echo one", "./a.txt", "for", "").replace("echo ", "echo, ");
    Spec::new(&text).file("a.txt", "a").file("b.txt", "b")
}

#[tokio::test]
async fn a_session_is_told_of_resources_whose_definition_changed() {
    let spec = first();
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    for (id, uri) in SUBSCRIBED.iter().enumerate() {
        let answer = server.ask(&request(id as i64, "resources/subscribe", json!({ "uri": uri }))).await;
        assert_eq!(answer["result"], json!({}), "{answer}");
    }
    for (edit, uri) in edits() {
        spec.write(&edit);
        server.reloaded(&spec).await;
        let heard = server.next().await.unwrap();
        match uri {
            Some(uri) => assert_eq!(heard["params"]["uri"], uri, "{heard}"),
            None => assert_eq!(heard["method"], "notifications/resources/list_changed", "{heard}"),
        }
    }
    assert_eq!(until_ping(&mut server).await, Vec::<Value>::new(), "each was told once");
}

#[tokio::test]
async fn a_subscription_is_told_of_resources_whose_definition_changed() {
    let spec = first();
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    let mut subscription =
        client.listen(json!({ "resourceSubscriptions": SUBSCRIBED, "resourcesListChanged": true })).await;
    for (edit, uri) in edits() {
        spec.write(&edit);
        site.process.reloaded(&spec).await;
        match soon("a notification", subscription.next()).await.unwrap().unwrap() {
            ServerNotification::ResourceUpdatedNotification(update) => assert_eq!(Some(&*update.params.uri), uri),
            ServerNotification::ResourceListChangedNotification(_) => assert_eq!(uri, None),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_change_right_after_the_answer_is_told() {
    let text = "
        resources: { 'test://{n}': { exec: { command: [cat, '{{n}}'] }, subscribe: { poll: 100ms } } }
    ";
    let spec = (0..20).fold(Spec::new(text), |spec, n| spec.file(&n.to_string(), "before"));
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    for n in 0..20 {
        let uri = format!("test://{n}");
        server.ask(&request(n, "resources/subscribe", json!({ "uri": uri }))).await;
        spec.put(&n.to_string(), "after");
        let told = server.next().await.unwrap();
        assert_eq!((&told["method"], &told["params"]["uri"]), (&json!("notifications/resources/updated"), &json!(uri)));
    }
}

/// Subscribes to lists right before an edit, again and again: whichever comes first, the edit is told of, or the
/// subscription came after it.
#[tokio::test]
async fn a_reload_right_after_an_acknowledgement_is_told() {
    let spec = spec();
    let mut site = spec.http().await;
    let client = site.client(Era::Modern).await;
    for round in 0..10 {
        let mut subscription = client.listen(all_lists()).await;
        spec.write(&text("SELECT 1", if round % 2 == 0 { TOOL } else { "" }, "", ""));
        site.process.signal(rustix::process::Signal::HUP);
        assert_eq!(next(&mut subscription).await, "tools");
        site.process.reloaded(&spec).await;
    }
}

/// As many resources as one may be subscribed to, with names so long that their updates soon fill what the system
/// keeps for a client that does not read.
fn long_names() -> Vec<String> {
    (0..250).map(|n| format!("test://many/{n}-{}", "x".repeat(800))).collect()
}

/// A client with a small buffer that has asked for `message` and reads nothing.
async fn silent(site: &Site, message: &Value, headers: &str) -> TcpStream {
    let address = site.url.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let body = message.to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\naccept: application/json, text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    // The first byte says that the request has arrived.
    soon("an answer", stream.read_exact(&mut [0])).await.unwrap();
    stream
}

#[tokio::test]
async fn slow_and_dead_clients_delay_nobody() {
    let text = |word: &str, tool: &str| {
        format!(
            "tools: {{ word: {{ text: {word} }}{tool} }}\nresources: {{ 'test://many/{{n}}': {{ text: {word}, subscribe: {{ poll: 1h }} }} }}\n"
        )
    };
    let spec = Spec::new(&text("w0", ""));
    let mut site = spec.http().await;
    let filter = json!({ "toolsListChanged": true, "resourceSubscriptions": long_names() });
    let listen = modern("silent", "subscriptions/listen", json!({ "notifications": filter }));
    let headers = "mcp-protocol-version: 2026-07-28\r\nmcp-method: subscriptions/listen\r\n";
    let mut silent_ones = Vec::new();
    for _ in 0..3 {
        silent_ones.push(silent(&site, &listen, headers).await);
    }
    drop(silent(&site, &listen, headers).await);
    // Sessions: one that never opens its stream, and one that opens it and does not read.
    site.session("2025-06-18").await;
    let session = site.session("2025-11-25").await;
    let unread = site.stream(&session).await;

    let (mut legacy, client) = (site.client(Era::Legacy).await, site.client(Era::Modern).await);
    let mut subscription: Subscription = client.listen(json!({ "toolsListChanged": true })).await;
    for edit in 1..=12 {
        spec.write(&text(&format!("w{edit}"), if edit % 2 == 1 { ", more: { text: x }" } else { "" }));
        site.process.reloaded(&spec).await;
        let swapped = Instant::now();
        assert_eq!(legacy.hears().await, "tools");
        assert_eq!(next(&mut subscription).await, "tools");
        assert_eq!(client.text("word", json!({})).await, format!("w{edit}"));
        // A client that does not take a notification is given up after ten seconds.
        assert!(swapped.elapsed() < Duration::from_secs(8), "edit {edit}: {:?}", swapped.elapsed());
    }
    drop((silent_ones, unread));
}

/// Whoever starts a server may never read what it says on stderr.
#[tokio::test]
async fn a_stderr_that_nobody_reads_stops_neither_calls_nor_reloads() {
    let tools = |edit: usize| {
        let many = |n: usize| format!("  tool{n}_{edit}_{}: {{ text: x }}\n", "x".repeat(48));
        format!("tools:\n  edit: {{ text: '{edit}' }}\n{}", (0..60).map(many).collect::<String>())
    };
    let spec = Spec::new(&tools(0));
    let mut command = Process::command(&spec, "serve");
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut server = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
    let mut messages = BufReader::new(stdout).lines();
    let mut ask = async |message: Value| -> String {
        stdin.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        loop {
            let line = soon("an answer", messages.next_line()).await.unwrap().unwrap();
            if serde_json::from_str::<Value>(&line).unwrap()["id"] == message["id"] {
                return line;
            }
        }
    };
    ask(initialize("2025-11-25")).await;
    // Each edit is told in some 6 KiB, and a pipe holds 64 KiB.
    for edit in 1..=30 {
        spec.rename_over(&tools(edit));
        let asked = Instant::now();
        while !ask(request(edit as i64, "tools/call", json!({ "name": "edit" }))).await.contains(&format!("\"{edit}\""))
        {
            assert!(asked.elapsed() < crate::harness::PATIENCE, "edit {edit} is not served");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
