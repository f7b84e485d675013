//! Calls that become tasks (the extension of 2026-07-28), over both transports.

use std::path::Path;

use rustix::process::{Pid, Signal, test_kill_process};
use serde_json::{Value, json};

use crate::harness::{Era, Spec, soon, until};
use crate::steps::talk::{Talk, accept, retry};

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A client that knows tasks and can be asked.
fn able() -> Value {
    json!({ "elicitation": {}, "extensions": { TASKS: {} } })
}

/// Such a client over each transport.
async fn everywhere(spec: &Spec, check: impl AsyncFn(Talk)) {
    eprintln!("stdio");
    check(Talk::stdio(spec, Era::Modern, able()).await).await;
    eprintln!("HTTP");
    check(Talk::http(spec, Era::Modern, able()).await).await;
}

/// Tools that take their time: `$PWD/pid` is that of the command, which never ends by itself.
fn slow() -> Spec {
    Spec::tools(
        r#"
        quick: { params: { name: string }, longRunning: true, text: 'Hello {{name}}' }
        plain: { text: at once }
        endless:
          longRunning: true
          shell: { script: 'echo $$ > pid; exec sleep 600', timeout: 10m }
        fleeting:
          longRunning: 2s
          shell: { script: 'echo $$ > pid; exec sleep 600', timeout: 10m }
        idle: { longRunning: true, steps: [{ sleep: 10m }] }
        gated: { longRunning: true, shell: { script: 'touch began; while ! test -e gate; do sleep 0.02; done; echo first', timeout: 10m } }
        failing: { longRunning: true, shell: { script: 'echo nothing found >&2; exit 1' } }
        told:
          longRunning: true
          steps:
            - progress: { progress: 3, total: 10 }
            - sleep: 1ms
            - progress: { progress: 4, total: 10, message: nearly }
            - sleep: 10m
        branches:
          longRunning: true
          timeout: 10m
          steps:
            - parallel:
                - { shell: { script: 'echo $$ > pid; exec sleep 600', timeout: 10m } }
                - { sleep: 10m }
        picky: { longRunning: true, requires: { tasks: {} }, text: done }
        "#,
    )
}

async fn call(talk: &mut Talk, tool: &str, arguments: Value) -> Value {
    talk.once("tools/call", json!({ "name": tool, "arguments": arguments })).await
}

/// Begins a task and gives its id.
async fn begin(talk: &mut Talk, tool: &str, arguments: Value) -> String {
    let answer = call(talk, tool, arguments).await;
    assert_eq!(answer["result"]["resultType"], "task", "{answer}");
    answer["result"]["taskId"].as_str().unwrap().to_owned()
}

async fn get(talk: &mut Talk, id: &str) -> Value {
    talk.once("tasks/get", json!({ "taskId": id })).await["result"].take()
}

/// The task as soon as it has another status than these.
async fn leaves(talk: &mut Talk, id: &str, statuses: &[&str]) -> Value {
    for _ in 0..6000 {
        let task = get(talk, id).await;
        if !statuses.contains(&task["status"].as_str().unwrap_or_else(|| panic!("{task}"))) {
            return task;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{id} stays as it is");
}

async fn cancel(talk: &mut Talk, id: &str) {
    let ack = talk.once("tasks/cancel", json!({ "taskId": id })).await;
    assert_eq!(ack["result"]["resultType"], "complete", "{ack}");
}

/// The process that a tool wrote down, once it has.
async fn process_of(spec: &Spec) -> Pid {
    let path = spec.folder().join("pid");
    until("the pid of a command", async || read_pid(&path).is_some()).await;
    read_pid(&path).unwrap()
}

fn read_pid(path: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(path).ok()?;
    Pid::from_raw(text.strip_suffix('\n')?.parse().ok()?)
}

async fn is_gone(pid: Pid) {
    until("the end of a command", async || test_kill_process(pid).is_err()).await;
}

#[tokio::test]
async fn a_call_becomes_a_task_whose_result_can_be_fetched() {
    everywhere(&slow(), async |mut talk| {
        let answer = call(&mut talk, "quick", json!({ "name": "you" })).await;
        let begun = &answer["result"];
        assert_eq!((&begun["resultType"], &begun["status"]), (&json!("task"), &json!("working")), "{answer}");
        assert_eq!((&begun["ttlMs"], &begun["pollIntervalMs"]), (&json!(3_600_000), &json!(1000)));
        assert_eq!(begun["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "test");
        let id = begun["taskId"].as_str().unwrap();
        assert!(id.len() >= 32, "{id} can be guessed");
        let done = leaves(&mut talk, id, &["working"]).await;
        assert_eq!((&done["status"], &done["resultType"]), (&json!("completed"), &json!("complete")), "{done}");
        assert_eq!(done["result"]["content"][0]["text"], "Hello you");
        assert_eq!(done["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "test");
        cancel(&mut talk, id).await;
        assert_eq!(get(&mut talk, id).await["status"], "completed");
        let other = begin(&mut talk, "failing", json!({})).await;
        assert_ne!(id, other);
        let failed = leaves(&mut talk, &other, &["working"]).await;
        assert_eq!((&failed["status"], &failed["result"]["isError"]), (&json!("completed"), &json!(true)));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_before_anything_runs_is_told_at_once() {
    everywhere(&slow(), async |mut talk| {
        let answer = call(&mut talk, "quick", json!({})).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let plain = call(&mut talk, "plain", json!({})).await;
        assert_eq!((&plain["result"]["resultType"], &plain["result"]["isError"]), (&json!("complete"), &json!(false)));
        for method in ["tasks/get", "tasks/cancel"] {
            assert_eq!(talk.once(method, json!({ "taskId": "x" })).await["error"]["code"], -32602);
        }
        let update = json!({ "taskId": "x", "inputResponses": {} });
        assert_eq!(talk.once("tasks/update", update).await["error"]["code"], -32602);
        assert_eq!(talk.once("tasks/list", json!({})).await["error"]["code"], -32601);
        assert_eq!(talk.once("tasks/result", json!({ "taskId": "x" })).await["error"]["code"], -32601);
    })
    .await;
}

#[tokio::test]
async fn who_does_not_know_tasks_sees_none() {
    let spec = slow();
    let without = json!({ "elicitation": {} });
    let clients = [
        Talk::stdio(&spec, Era::Modern, without.clone()).await,
        Talk::http(&spec, Era::Modern, without).await,
        // Versions with sessions have no tasks, whatever the client says.
        Talk::stdio(&spec, Era::Legacy, able()).await,
        Talk::http(&spec, Era::Legacy, able()).await,
    ];
    for mut talk in clients {
        let answer = call(&mut talk, "quick", json!({ "name": "you" })).await;
        assert_eq!(answer["result"]["content"][0]["text"], "Hello you", "{answer}");
        assert_eq!(answer["result"].get("taskId"), None);
        let refused = talk.once("tasks/get", json!({ "taskId": "x" })).await;
        let picky = call(&mut talk, "picky", json!({})).await;
        match talk.era {
            Era::Modern => {
                for error in [&refused["error"], &picky["error"]] {
                    assert_eq!(error["code"], -32021);
                    assert_eq!(error["data"]["requiredCapabilities"]["extensions"][TASKS], json!({}));
                }
            }
            Era::Legacy => {
                assert_eq!(refused["error"]["code"], -32601, "{refused}");
                let words = picky["result"]["content"][0]["text"].as_str().unwrap();
                assert_eq!(words, "this needs a client that has declared the capability `tasks`");
            }
        }
    }
}

#[tokio::test]
async fn tasks_are_declared_where_there_are_any_and_never_to_sessions() {
    let without = Spec::tools("plain: { text: at once }");
    for (spec, declared) in [(slow(), json!({ TASKS: {} })), (without, Value::Null)] {
        let mut talk = Talk::stdio(&spec, Era::Modern, able()).await;
        let discovered = talk.once("server/discover", json!({})).await;
        assert_eq!(discovered["result"]["capabilities"]["extensions"], declared, "{discovered}");
        let began = talk.process().initialize("2025-11-25").await;
        assert_eq!(began["result"]["capabilities"].get("extensions"), None, "{began}");
        let known = talk.once("tasks/get", json!({ "taskId": "x" })).await["error"]["code"].clone();
        assert_eq!(known, if declared.is_null() { -32601 } else { -32602 });
    }
}

#[tokio::test]
async fn cancelling_a_task_stops_its_work() {
    let spec = slow();
    everywhere(&spec, async |mut talk| {
        for tool in ["endless", "branches"] {
            let _ = std::fs::remove_file(spec.folder().join("pid"));
            let id = begin(&mut talk, tool, json!({})).await;
            let pid = process_of(&spec).await;
            cancel(&mut talk, &id).await;
            let task = leaves(&mut talk, &id, &["working"]).await;
            assert_eq!(task["status"], "cancelled", "{task}");
            assert_eq!((task.get("result"), task.get("error")), (None, None));
            is_gone(pid).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_task_ends_with_its_time() {
    let spec = slow();
    everywhere(&spec, async |mut talk| {
        let _ = std::fs::remove_file(spec.folder().join("pid"));
        let id = begin(&mut talk, "fleeting", json!({})).await;
        let task = leaves(&mut talk, &id, &["working"]).await;
        assert_eq!((&task["status"], &task["ttlMs"]), (&json!("failed"), &json!(2000)), "{task}");
        assert_eq!(task["error"]["message"], "the task ran longer than the 2 seconds that it may");
        // A machine may be too busy to have begun with it.
        if let Some(pid) = read_pid(&spec.folder().join("pid")) {
            is_gone(pid).await;
        }
    })
    .await;
}

#[tokio::test]
async fn tasks_end_with_the_server() {
    let spec = slow();
    for signal in [None, Some(Signal::TERM)] {
        let _ = std::fs::remove_file(spec.folder().join("pid"));
        let mut talk = match signal {
            None => Talk::stdio(&spec, Era::Modern, able()).await,
            Some(_) => Talk::http(&spec, Era::Modern, able()).await,
        };
        begin(&mut talk, "endless", json!({})).await;
        let pid = process_of(&spec).await;
        match signal {
            None => talk.process().close_stdin(),
            Some(signal) => talk.process().signal(signal),
        }
        talk.process().ended().await;
        is_gone(pid).await;
    }
}

#[tokio::test]
async fn a_reload_leaves_running_tasks_alone() {
    let spec = slow();
    let mut talk = Talk::http(&spec, Era::Modern, able()).await;
    let id = begin(&mut talk, "gated", json!({})).await;
    let began = spec.folder().join("began");
    until("the command's begin", async || began.exists()).await;
    spec.write("tools: { other: { text: second } }");
    talk.process().reloaded(&spec).await;
    assert_eq!(call(&mut talk, "gated", json!({})).await["error"]["code"], -32602);
    assert_eq!(get(&mut talk, &id).await["status"], "working");
    std::fs::write(spec.folder().join("gate"), "").unwrap();
    let task = leaves(&mut talk, &id, &["working"]).await;
    assert_eq!(task["result"]["content"][0]["text"].as_str().map(str::trim), Some("first"), "{task}");
}

#[tokio::test]
async fn a_task_tells_how_far_it_is() {
    everywhere(&slow(), async |mut talk| {
        let id = begin(&mut talk, "told", json!({})).await;
        let told = async {
            loop {
                let task = get(&mut talk, &id).await;
                match task["statusMessage"].as_str() {
                    Some("nearly") => return,
                    None | Some("3 of 10") => {}
                    Some(_) => panic!("{task}"),
                }
            }
        };
        soon("the words of the second step", told).await;
        cancel(&mut talk, &id).await;
    })
    .await;
}

#[tokio::test]
async fn so_many_tasks_run_at_a_time_and_no_more() {
    let mut talk = Talk::stdio(&slow(), Era::Modern, able()).await;
    let mut ids = Vec::new();
    for _ in 0..64 {
        ids.push(begin(&mut talk, "idle", json!({})).await);
    }
    let answer = call(&mut talk, "idle", json!({})).await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let words = "this server runs at most 64 tasks at a time: try again later";
    assert_eq!(answer["result"]["content"][0]["text"], words);
    cancel(&mut talk, &ids[5]).await;
    leaves(&mut talk, &ids[5], &["working"]).await;
    begin(&mut talk, "quick", json!({ "name": "you" })).await;
}

/// Tools that ask: before they do anything, and after.
fn asking() -> Spec {
    Spec::tools(
        r#"
        first:
          longRunning: true
          steps:
            - ask: &name { message: Who?, schema: { type: object, properties: { name: { type: string } }, required: [name] } }
              as: who
            - { exec: { command: [echo, '{{who.content.name}}'] }, as: said }
          result: { text: 'Hello {{said}}' }
        later:
          longRunning: true
          steps:
            - sleep: 1ms
            - ask: { inputs: { one: *name, two: *name } }
              as: all
          result: { text: '{{all.one.content.name}} and {{all.two.content.name}}' }
        sure: { longRunning: true, confirm: 'Really?', text: done }
        lacking: { params: { ask: { type: boolean, default: true } }, longRunning: true, steps: [{ sleep: 1ms }, { when: ask, roots: {} }] }
        "#,
    )
}

#[tokio::test]
async fn what_is_asked_first_is_asked_before_there_is_a_task() {
    everywhere(&asking(), async |mut talk| {
        let params = json!({ "name": "first", "arguments": {} });
        let asked = talk.once("tools/call", params.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        let again = retry(&params, &asked, &mut |_, _| accept(json!({ "name": "Ann" })));
        let begun = talk.once("tools/call", again).await;
        assert_eq!(begun["result"]["resultType"], "task", "{begun}");
        assert_eq!(begun["result"].get("requestState"), None);
        let task = leaves(&mut talk, begun["result"]["taskId"].as_str().unwrap(), &["working"]).await;
        assert_eq!(task["result"]["content"][0]["text"].as_str().map(str::trim), Some("Hello Ann"), "{task}");

        let params = json!({ "name": "sure", "arguments": {} });
        let asked = talk.once("tools/call", params.clone()).await;
        let no = retry(&params, &asked, &mut |_, _| Some(json!({ "action": "decline" })));
        let declined = talk.once("tools/call", no).await;
        assert_eq!(
            (&declined["result"]["resultType"], &declined["result"]["isError"]),
            (&json!("complete"), &json!(true))
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_later_is_part_of_the_task() {
    everywhere(&asking(), async |mut talk| {
        let id = begin(&mut talk, "later", json!({})).await;
        let task = leaves(&mut talk, &id, &["working"]).await;
        assert_eq!(task["status"], "input_required", "{task}");
        let keys: Vec<String> = task["inputRequests"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 2, "{task}");
        assert_eq!(task["inputRequests"][&keys[0]]["method"], "elicitation/create");
        let mut answer = async |key: &str, content: Value| {
            let responses = json!({ key: { "action": "accept", "content": content }, "unknown": 5 });
            let ack = talk.once("tasks/update", json!({ "taskId": id, "inputResponses": responses })).await;
            assert_eq!(ack["result"]["resultType"], "complete", "{ack}");
            get(&mut talk, &id).await
        };
        let task = answer(&keys[0], json!({ "name": "Ann" })).await;
        assert_eq!((&task["status"], task["inputRequests"].get(&keys[0])), (&json!("input_required"), None), "{task}");
        answer(&keys[1], json!({ "name": 5 })).await;
        // What does not fit is asked again, under a key of its own.
        let task = leaves(&mut talk, &id, &["working"]).await;
        let again = task["inputRequests"].as_object().unwrap_or_else(|| panic!("{task}")).keys().next().unwrap();
        assert!(!keys.contains(again), "{task}");
        let responses = json!({ again: { "action": "accept", "content": { "name": "Bob" } } });
        talk.once("tasks/update", json!({ "taskId": id, "inputResponses": responses })).await;
        let task = leaves(&mut talk, &id, &["working"]).await;
        assert_eq!(task["result"]["content"][0]["text"], "Ann and Bob", "{task}");
    })
    .await;
}

#[tokio::test]
async fn a_question_ends_with_its_task() {
    everywhere(&asking(), async |mut talk| {
        let id = begin(&mut talk, "later", json!({})).await;
        leaves(&mut talk, &id, &["working"]).await;
        cancel(&mut talk, &id).await;
        let task = leaves(&mut talk, &id, &["working", "input_required"]).await;
        assert_eq!(task["status"], "cancelled", "{task}");
        let id = begin(&mut talk, "lacking", json!({})).await;
        let task = leaves(&mut talk, &id, &["working"]).await;
        assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!(-32021)), "{task}");
        assert_eq!(task["error"]["data"]["requiredCapabilities"]["roots"], json!({}));
    })
    .await;
}
