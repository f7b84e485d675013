//! How a server ends, and that nothing of it is left behind.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, test_kill_process};
use serde_json::{Value, json};

use crate::harness::site::answer;
use crate::harness::{Client, Era, Process, Spec, modern, request, soon, until};

/// How long an end may take that has nothing to wait for, on a busy machine.
const PROMPT: Duration = Duration::from_secs(5);

/// A tool that answers once the file `go` is there, and two that never end; their processes' ids are written down.
fn spec() -> Spec {
    let text = "
        sources: { db: { sql: 'sqlite:./db.sqlite', init: ./db.sql, readOnly: true } }
        tools:
          wait: { shell: { script: 'echo $$ > wait.pid; until test -e go; do sleep 0.02; done; echo done' } }
          endless: { exec: { command: [sh, -c, 'sleep 600 & echo $! > child.pid; echo $$ > endless.pid; wait'] } }
          spin:
            sql:
              source: db
              query: WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT count(*) AS c FROM n
          hello: { text: hello }
    ";
    Spec::new(text).file("db.sql", "CREATE TABLE t (x);")
}

fn call(id: i64, tool: &str) -> Value {
    request(id, "tools/call", json!({ "name": tool }))
}

/// The process whose id a tool wrote into this file, as soon as it did.
async fn pid(spec: &Spec, file: &str) -> Pid {
    let read = || std::fs::read_to_string(spec.folder().join(file)).ok()?.trim().parse::<i32>().ok();
    until(file, async || read().is_some()).await;
    Pid::from_raw(read().unwrap()).unwrap()
}

async fn gone(pid: Pid) {
    let running = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        test_kill_process(pid).is_ok() && !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z')
    };
    until("the end of a child", async || !running()).await;
}

/// A session over stdio whose beginning is done.
async fn session(spec: &Spec) -> Process {
    let mut server = Process::serve(spec, &[]);
    server.initialize("2025-11-25").await;
    server
}

#[tokio::test]
async fn closed_stdin_ends_it() {
    let spec = spec();
    let mut server = session(&spec).await;
    let began = Instant::now();
    server.close_stdin();
    assert_eq!(server.exit().await, 0);
    assert!(began.elapsed() < PROMPT, "{:?}", began.elapsed());
}

#[tokio::test]
async fn closed_stdin_ends_it_before_anything_was_asked_and_with_a_subscription_open() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.close_stdin();
    assert_eq!(server.exit().await, 0);

    let mut server = Process::serve(&spec, &[]);
    server.send(&modern(1, "subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } }))).await;
    assert_eq!(server.next().await.unwrap()["method"], "notifications/subscriptions/acknowledged");
    let began = Instant::now();
    server.close_stdin();
    let end = server.next().await.unwrap();
    assert_eq!((&end["id"], &end["result"]["resultType"]), (&json!(1), &json!("complete")), "{end}");
    assert_eq!(server.exit().await, 0);
    assert!(began.elapsed() < PROMPT, "{:?}", began.elapsed());
}

#[tokio::test]
async fn signals_end_it_over_both_transports() {
    let spec = spec();
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = session(&spec).await;
        server.signal(signal);
        assert_eq!(server.exit().await, 0, "stdio");
        let mut site = spec.http().await;
        let client = site.client(Era::Legacy).await;
        let other = site.client(Era::Modern).await;
        let mut subscription = other.listen(json!({ "toolsListChanged": true })).await;
        let began = Instant::now();
        site.process.signal(signal);
        assert!(soon("the end of a subscription", subscription.next()).await.unwrap().is_none());
        assert_eq!(site.process.exit().await, 0, "HTTP");
        assert!(began.elapsed() < PROMPT, "{:?}", began.elapsed());
        drop(client);
    }
}

#[tokio::test]
async fn calls_in_flight_are_finished_over_stdio() {
    let spec = spec();
    for end in [Some(Signal::TERM), None] {
        let _ = std::fs::remove_file(spec.folder().join("go"));
        let _ = std::fs::remove_file(spec.folder().join("wait.pid"));
        let mut server = session(&spec).await;
        server.send(&call(1, "wait")).await;
        let child = pid(&spec, "wait.pid").await;
        match end {
            Some(signal) => server.signal(signal),
            None => server.close_stdin(),
        }
        spec.put("go", "");
        let answer = server.next().await.expect("an answer before the end");
        assert_eq!(answer["result"]["content"][0]["text"], "done\n", "{answer}");
        assert_eq!(server.exit().await, 0);
        gone(child).await;
    }
}

#[tokio::test]
async fn calls_in_flight_are_finished_over_http() {
    let spec = spec();
    let mut site = spec.http().await;
    let session = site.session("2025-06-18").await;
    let in_session = site.post(&call(1, "wait")).header("mcp-session-id", &session).send();
    let stateless = site.post(&modern(2, "tools/call", json!({ "name": "wait" }))).send();
    let child = async {
        let child = pid(&spec, "wait.pid").await;
        let site = &site.process;
        site.signal(Signal::TERM);
        spec.put("go", "");
        child
    };
    let (first, second, child) = tokio::join!(in_session, stateless, child);
    for response in [first.unwrap(), second.unwrap()] {
        let (status, answer) = answer(response).await;
        assert_eq!((status, &answer["result"]["content"][0]["text"]), (200, &json!("done\n")), "{answer}");
    }
    assert_eq!(site.process.exit().await, 0);
    gone(child).await;
}

#[tokio::test]
async fn calls_that_do_not_end_are_cut_off_with_all_their_processes() {
    let spec = spec();
    let mut server = session(&spec).await;
    server.send(&call(1, "endless")).await;
    server.send(&call(2, "spin")).await;
    let (parent, child) = (pid(&spec, "endless.pid").await, pid(&spec, "child.pid").await);
    server.close_stdin();
    assert_eq!(server.exit().await, 0);
    gone(parent).await;
    gone(child).await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let spec = spec();
    let mut site = spec.http().await;
    let asked = site.post(&modern(1, "tools/call", json!({ "name": "endless" }))).send();
    let ends = async {
        let children = [pid(&spec, "endless.pid").await, pid(&spec, "child.pid").await];
        let process = &mut site.process;
        let began = Instant::now();
        process.signal(Signal::INT);
        process.signal(Signal::TERM);
        let code = process.exit().await;
        (children, code, began.elapsed())
    };
    let (_, (children, code, took)) = tokio::join!(asked, ends);
    assert_eq!(code, 0);
    assert!(took < PROMPT, "{took:?}");
    for child in children {
        gone(child).await;
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_its_processes() {
    let spec = spec();
    let mut server = session(&spec).await;
    server.send(&call(1, "endless")).await;
    let (parent, child) = (pid(&spec, "endless.pid").await, pid(&spec, "child.pid").await);
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } })).await;
    gone(parent).await;
    gone(child).await;
    assert_eq!(server.ask(&call(2, "hello")).await["result"]["content"][0]["text"], "hello");
}

#[tokio::test]
async fn a_stateless_caller_that_goes_away_cancels_its_call() {
    let spec = spec();
    let site = spec.http().await;
    let asked = site.post(&modern(1, "tools/call", json!({ "name": "endless" }))).send();
    let children = tokio::select! {
        _ = asked => panic!("an endless call was answered"),
        children = async { [pid(&spec, "endless.pid").await, pid(&spec, "child.pid").await] } => children,
    };
    for child in children {
        gone(child).await;
    }
}

#[tokio::test]
async fn over_http_stdin_is_not_read() {
    let spec = spec();
    let mut site = spec.http().await;
    site.process.line("{}").await;
    site.process.close_stdin();
    for _ in 0..3 {
        assert_eq!(site.client(Era::Legacy).await.text("hello", json!({})).await, "hello");
    }
    let mut command = Process::command(&spec, "serve");
    command.args(["--http", "127.0.0.1:0"]).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut stderr = tokio::io::BufReader::new(child.stderr.take().unwrap());
    soon("the ready line", tokio::io::AsyncBufReadExt::read_line(&mut stderr, &mut line)).await.unwrap();
    let url = line.split_whitespace().last().unwrap();
    assert_eq!(Client::over_http(url, Era::Modern).await.text("hello", json!({})).await, "hello");
}

#[tokio::test]
async fn a_client_that_is_gone_leaves_nothing_over_stdio() {
    let spec = spec();
    let mut server = session(&spec).await;
    let (stdout, stdin) = server.ends();
    drop(stdout);
    drop(stdin);
    assert_eq!(server.exit().await, 0);
}

#[tokio::test]
async fn a_port_in_use_is_said_and_is_exit_3() {
    let spec = spec();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = spec.run("serve", &["--http", &address]).await;
    assert_eq!(output.code, 3, "{output:?}");
    assert_eq!(output.err, format!("error: port {} of 127.0.0.1 is in use\n", taken.local_addr().unwrap().port()));
    assert_eq!(output.out, "");
}

#[tokio::test]
async fn an_address_that_others_reach_has_to_be_wanted() {
    let spec = spec();
    let output = spec.run("serve", &["--http", "0.0.0.0:0"]).await;
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.err.contains("--allow-anonymous"), "{}", output.err);
    assert_eq!(spec.run("serve", &["--http", "nowhere"]).await.code, 2);
    assert_eq!(spec.run("serve", &["--path", "/x"]).await.code, 2);
}

#[tokio::test]
async fn a_spec_at_fault_is_not_served() {
    let spec = Spec::tools("a: { txt: a }");
    for transport in [&[][..], &["--http", "127.0.0.1:0"]] {
        let output = spec.run("serve", transport).await;
        assert_eq!((output.code, output.out.as_str()), (1, ""));
        assert!(output.err.contains("error[unknown-key]: unknown key `txt` in tool"), "{}", output.err);
    }
}
