//! Servers that misbehave, end, or hang: what is behind the gateway never takes it down.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::strange;
use crate::harness::{Client, Era, Process, Spec, request, soon, until};

/// A gateway to the strange server, with more keys of the source.
fn behind(habit: &str, more: &str) -> Spec {
    let source = format!("{{ mcp: {}{more} }}", strange::server(habit));
    Spec::new(&format!("server: {{ name: gate }}\nsources: {{ odd: {source} }}\nimport: [{{ mcp: odd }}]"))
}

fn notes(spec: &Spec, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(spec.folder().join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| !"ZX".contains(state))
}

async fn tools(client: &Client) -> Vec<String> {
    client.list("tools").await.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

async fn check(spec: &Spec) -> String {
    let check = spec.run("check", &[]).await;
    format!("{}{}", check.out, check.err)
}

#[tokio::test]
async fn a_server_that_can_not_start_is_told_of() {
    let spec = behind("crash", "");
    spec.write(&spec.get("spec.yaml").replace("HABIT: crash", "HABIT: crash, KEY: '${KEY}'"));
    let spec = spec.env("KEY", "hunter2-secret");
    let said = check(&spec).await;
    assert!(said.contains("can't reach the MCP server `odd`: it ended before it was ready (exit status 7)"), "{said}");
    assert!(said.contains("it said: I can't go on: ***") && !said.contains("hunter2"), "{said}");
    assert_eq!(spec.run("check", &[]).await.code, 3);
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    assert!(server.stderr().contains("what it offers appears as soon as it is there"), "{}", server.stderr());
    spec.write(&spec.get("spec.yaml").replace("sources: { odd: {", "sources: { odd: { required: true,"));
    let mut refused = Process::serve(&spec, &[]);
    assert_eq!(refused.exit().await, 3, "{}", refused.stderr());
    let spec = behind("crash", ", optional: true");
    let said = spec.run("check", &[]).await;
    assert_eq!(said.code, 0, "{}", said.out);
}

#[tokio::test]
async fn a_program_that_is_not_there_may_be_left_out() {
    let text = "sources: { none: { mcp: { command: [no-such-program-at-all] }, optional: true } }\nimport: [{ mcp: none }]\ntools: { own: { text: mine }, far: { mcp: { source: none, tool: x } } }";
    let spec = Spec::new(text);
    let said = check(&spec).await;
    assert!(said.contains("the MCP server `none` is left out: command not found: no-such-program-at-all"), "{said}");
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("own", json!({})).await, "mine");
    assert_eq!(client.fails("far", json!({})).await, "the server `none` can't be reached right now");
    spec.write(&text.replace(", optional: true", ""));
    assert!(check(&spec).await.contains("command not found: no-such-program-at-all"));
}

#[tokio::test]
async fn calls_in_flight_fail_when_it_dies_and_it_is_started_again() {
    let spec = behind("usual", "");
    let mut client = spec.stdio(Era::Legacy).await;
    let dead = "the server `odd` ended before it answered; it is being started again";
    let (hang, die) = tokio::join!(client.fails("hang", json!({})), async {
        until("the other call", async || !notes(&spec, "hangs").is_empty()).await;
        client.fails("die", json!({})).await
    });
    assert_eq!((hang.as_str(), die.as_str()), (dead, dead));
    assert!(tools(&client).await.contains(&"echo".to_owned()), "its tools stay listed");
    until("another process", async || notes(&spec, "pids").len() > 1).await;
    until("an answer", async || client.call("echo", json!({ "a": 1 })).await["isError"] != true).await;
    // By then `call` waits for nothing, and what is not there says so.
    let pids = notes(&spec, "pids");
    assert!(!runs(&pids[0]), "no zombie, no orphan");
    assert!(client.process().stderr().is_empty() || !client.process().stderr().contains("panicked"));
}

#[tokio::test]
async fn a_server_that_ends_at_an_unknown_message_gets_another_chance() {
    let client = behind("strict", "").stdio(Era::Modern).await;
    assert_eq!(client.text("echo", json!({ "a": [1] })).await, "{\"a\":[1]}");
}

#[tokio::test]
async fn a_mute_server_is_not_waited_for_without_end() {
    let said = check(&behind("mute", ", timeout: 1s")).await;
    assert!(said.contains("can't reach the MCP server `odd`: it was not ready within 1s"), "{said}");
}

#[tokio::test]
async fn lists_without_end_are_cut() {
    let said = check(&behind("many", ", timeout: 55s")).await;
    assert!(said.contains("tools: only the first 1000 are taken") && said.contains("(1000 tools"), "{said}");
    let said = check(&behind("endless", ", timeout: 55s")).await;
    assert!(said.contains("its pages have no end; what came until then is taken"), "{said}");
    assert!(said.contains("(200 tools"), "{said}");
    let said = check(&behind("huge", ", maxBytes: 1MiB")).await;
    assert!(said.contains("it sent a message of more than 1048576 bytes (maxBytes)"), "{said}");
}

#[tokio::test]
async fn what_can_not_be_a_tool_is_left_out_with_its_reason() {
    let spec = behind("odd", "");
    let said = check(&spec).await;
    for words in [
        "not all of the MCP server `odd` is taken over as it is",
        "`no/name` can't be a tool's name",
        "(bad_schema)",
        "deep: it is nested more than 64 levels deep",
        "large: it is larger than 262144 bytes",
        "tools: an entry has no `name`",
        "tools: an entry is no object",
        "hidden: 3 characters that nobody sees were taken out of its descriptions",
        "a resource's key is a URI (no-uri)",
    ] {
        assert!(said.contains(words), "no {words:?}: {said}");
    }
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(tools(&client).await, ["fine", "hidden"]);
    assert_eq!(client.list("tools").await[1]["description"], "Adds numbers");
}

#[tokio::test]
async fn noise_is_passed_over_and_too_much_of_it_is_not_mcp() {
    let client = behind("usual", "").stdio(Era::Legacy).await;
    assert_eq!(client.text("noise", json!({})).await, "heard");
    assert_eq!(client.text("echo", json!({})).await, "{}");
    let said = check(&behind("garbage", "")).await;
    assert!(said.contains("what it writes on its stdout is no MCP"), "{said}");
}

#[tokio::test]
async fn answers_are_bounded_and_stay_what_they_are() {
    let spec = behind("usual", "");
    let client = spec.stdio(Era::Modern).await;
    let blocks = client.call("blocks", json!({})).await;
    assert_eq!(
        blocks["content"],
        json!([
            { "type": "text", "text": "one", "annotations": { "priority": 0.5 } },
            { "type": "image", "data": "aGk=", "mimeType": "image/png" },
            { "type": "audio", "data": "aGk=", "mimeType": "audio/wav" },
            { "type": "resource_link", "uri": "strange://thing", "name": "thing" },
            { "type": "resource", "resource": { "uri": "strange://thing", "text": "in" } },
        ])
    );
    assert_eq!(blocks["structuredContent"], json!({ "a": 1 }));
    let wrong = client.call("wrong", json!({})).await;
    assert_eq!((&wrong["isError"], &wrong["structuredContent"]), (&json!(true), &json!({ "why": "so" })));
    let text =
        spec.get("spec.yaml").replace("{ mcp: odd }", "{ mcp: odd, override: { huge: { mcp: { maxBytes: 1KiB } } } }");
    let small = Spec::new(&text).stdio(Era::Legacy).await;
    let cut = small.call("huge", json!({})).await;
    assert!(cut["content"][0]["text"].as_str().unwrap().len() <= 1024, "{cut}");
    assert_eq!(cut["content"][1]["text"], "[cut after 1024 bytes (maxBytes)]");
}

#[tokio::test]
async fn it_sees_nothing_of_our_environment() {
    let spec = behind("usual", "").env("TOP_SECRET", "hunter2").env("LD_PRELOAD_X", "y");
    let client = spec.stdio(Era::Legacy).await;
    let seen = client.text("environment", json!({})).await;
    assert!(seen.contains("HABIT=usual") && seen.contains("PATH="), "{seen}");
    assert!(!seen.contains("hunter2") && !seen.contains("LD_PRELOAD_X") && !seen.contains("CARGO_"), "{seen}");
}

#[tokio::test]
async fn a_call_that_is_taken_back_or_late_is_taken_back_there() {
    let spec = behind("usual", "");
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    server.send(&request(7, "tools/call", json!({ "name": "hang", "arguments": {} }))).await;
    until("the call", async || !notes(&spec, "hangs").is_empty()).await;
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } })).await;
    until("the other end to hear of it", async || !notes(&spec, "cancelled").is_empty()).await;
    let spec = behind("usual", ", timeout: 5s");
    spec.write(
        &spec.get("spec.yaml").replace("{ mcp: odd }", "{ mcp: odd, override: { hang: { mcp: { timeout: 200ms } } } }"),
    );
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.fails("hang", json!({})).await, "the server `odd` did not answer within 200ms");
    until("the other end to hear of it", async || notes(&spec, "cancelled") == ["\"it took too long\""]).await;
    assert_eq!(client.text("echo", json!({})).await, "{}");
}

#[tokio::test]
async fn more_calls_than_it_may_have_wait_their_turn() {
    let spec = behind("usual", ", concurrency: 1");
    spec.write(
        &spec.get("spec.yaml").replace("{ mcp: odd }", "{ mcp: odd, override: { echo: { mcp: { timeout: 200ms } } } }"),
    );
    let client = spec.stdio(Era::Legacy).await;
    let busy = async {
        until("the first call", async || !notes(&spec, "hangs").is_empty()).await;
        client.fails("echo", json!({})).await
    };
    let words = tokio::select! {
        never = client.call("hang", json!({})) => panic!("{never}"),
        words = busy => words,
    };
    assert_eq!(words, "the server `odd` is busy: 1 calls are in flight; try again");
}

#[tokio::test]
async fn its_process_lives_as_long_as_the_spec_names_it_and_no_longer() {
    let spec = behind("usual", "");
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("echo", json!({})).await, "{}");
    let pids = notes(&spec, "pids");
    spec.write(
        &spec
            .get("spec.yaml")
            .replace("name: gate", "name: test, version: 0.0.2")
            .replace("[{ mcp: odd }]", "[{ mcp: odd, prefix: x_ }]"),
    );
    assert_eq!(client.hears().await, "tools");
    assert_eq!(client.text("x_echo", json!({})).await, "{}");
    assert_eq!(notes(&spec, "pids"), pids, "an unchanged source keeps its process");
    spec.write("server: { name: test }\ntools: { own: { text: mine } }");
    until("the end of the process", async || !runs(&pids[0])).await;
    assert_eq!(notes(&spec, "ends"), ["at the end of stdin"]);
    client.process().close_stdin();
}

#[tokio::test]
async fn it_ends_with_the_server_however_that_ends() {
    let spec = behind("usual", "");
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    server.close_stdin();
    assert_eq!(server.exit().await, 0);
    let first = notes(&spec, "pids")[0].clone();
    assert!(!runs(&first));
    assert_eq!(notes(&spec, "ends"), ["at the end of stdin"]);
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    let second = notes(&spec, "pids")[1].clone();
    assert!(runs(&second));
    server.signal(Signal::KILL);
    server.ended().await;
    until("the end of the process", async || !runs(&second)).await;
}

#[tokio::test]
async fn tools_that_come_and_go_are_told_of() {
    let spec = behind("usual", "");
    let mut client = spec.stdio(Era::Legacy).await;
    client.ask("resources/subscribe", json!({ "uri": "strange://thing" })).await.unwrap();
    assert_eq!(notes(&spec, "asked"), ["\"resources/subscribe\" \"strange://thing\""]);
    client.text("grow", json!({})).await;
    assert_eq!(client.hears().await, "tools");
    assert!(tools(&client).await.contains(&"new_0".to_owned()));
    client.text("shrink", json!({})).await;
    let mut heard = [client.hears().await, client.hears().await];
    heard.sort_unstable();
    assert_eq!(heard, ["tools", "updated"]);
    assert!(!tools(&client).await.contains(&"new_0".to_owned()));
    assert_eq!(
        client.read("strange://thing").await,
        json!({ "uri": "strange://thing", "mimeType": "text/x-thing", "text": "changed" })
    );
}

#[tokio::test]
async fn a_server_that_comes_late_appears() {
    let site = Spec::new(super::SHOP).http().await;
    let (url, port) = (site.url.clone(), site.url.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned());
    drop(site);
    let spec = Spec::new(&format!(
        "sources: {{ shop: {{ mcp: '{url}' }} }}\nimport: [{{ mcp: shop }}]\ntools: {{ own: {{ text: mine }}, far: {{ params: {{ a: integer }}, mcp: {{ source: shop, tool: add }} }} }}"
    ));
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(tools(&client).await, ["own", "far"]);
    assert_eq!(client.fails("far", json!({ "a": 1 })).await, "the server `shop` can't be reached right now");
    let shop = Spec::new(super::SHOP);
    let mut process = Process::serve(&shop, &["--http", &format!("127.0.0.1:{port}")]);
    process.says("/mcp\n").await;
    assert_eq!(client.hears().await, "tools");
    assert_eq!(tools(&client).await.len(), 6);
    assert_eq!(client.text("far", json!({ "a": 1 })).await, "1 1\n");
    process.signal(Signal::KILL);
    process.ended().await;
    let words = client.fails("add", json!({ "a": 1 })).await;
    assert!(words.starts_with("the server `shop` "), "{words}");
    assert_eq!(tools(&client).await.len(), 6, "its tools stay listed");
    let mut process = Process::serve(&shop, &["--http", &format!("127.0.0.1:{port}")]);
    process.says("/mcp\n").await;
    until("an answer", async || client.call("add", json!({ "a": 1 })).await["isError"] != true).await;
}

#[tokio::test]
async fn a_process_that_is_killed_from_outside_is_started_again_ever_more_slowly() {
    let spec = behind("usual", "");
    let client = spec.stdio(Era::Legacy).await;
    for round in 0..3 {
        until("an answer", async || client.call("echo", json!({})).await["isError"] != true).await;
        let pid: i32 = notes(&spec, "pids")[round].parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        until("another process", async || notes(&spec, "pids").len() > round + 1).await;
    }
    let answered = soon("an answer", async {
        loop {
            let answer: Value = client.call("echo", json!({})).await;
            if answer["isError"] != true {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(answered.await["content"][0]["text"], "{}");
}
