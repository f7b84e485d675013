//! How commands end: with their call, with the server, and with a server that could do nothing about it.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{Era, Process, Spec, request, until};

/// As many commands as run at the same time in one server.
const AT_ONCE: usize = 64;

/// A tool whose command starts one that would outlive it, and notes both.
fn sleepers() -> Spec {
    Spec::tools(
        "doze: { shell: { script: 'sleep 600 & echo $! >> pids; echo $$ >> pids; exec sleep 600', timeout: 10m } }",
    )
}

fn pids(spec: &Spec) -> Vec<u32> {
    let noted = std::fs::read_to_string(spec.folder().join("pids")).unwrap_or_default();
    noted.lines().filter_map(|line| line.parse().ok()).collect()
}

/// A process's state and parent; `None` if it is gone.
fn state(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether it runs; a zombie does not.
fn runs(pid: u32) -> bool {
    state(pid).is_some_and(|(state, _)| !"ZX".contains(state))
}

fn processes() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn children(parent: u32) -> Vec<(u32, char)> {
    processes()
        .filter_map(|pid| Some((pid, state(pid)?)))
        .filter(|(_, (_, p))| *p == parent)
        .map(|(pid, (s, _))| (pid, s))
        .collect()
}

/// The processes that run in a folder.
fn running_in(folder: &Path) -> Vec<u32> {
    let here = |pid: &u32| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
    processes().filter(here).filter(|pid| runs(*pid)).collect()
}

fn watchdog(server: u32) -> Option<u32> {
    let is =
        |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"__watchdog\0"));
    children(server).into_iter().map(|(pid, _)| pid).find(is)
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

fn call(id: usize, tool: &str) -> Value {
    request(id.to_string(), "tools/call", json!({ "name": tool, "arguments": {} }))
}

async fn serving(spec: &Spec) -> Process {
    let mut server = Process::serve(spec, &[]);
    server.initialize("2025-11-25").await;
    server
}

#[tokio::test]
async fn nothing_survives_a_server_that_was_killed() {
    let spec = sleepers();
    let mut server = serving(&spec).await;
    for id in 0..200 {
        server.send(&call(id, "doze")).await;
    }
    until("64 commands and their children", async || pids(&spec).len() == 2 * AT_ONCE).await;
    let noted = pids(&spec);
    assert!(noted.iter().all(|pid| runs(*pid)));
    server.signal(Signal::KILL);
    server.ended().await;
    until("the end of every command", async || !noted.iter().any(|pid| runs(*pid))).await;
    until("the end of all in the folder", async || running_in(spec.folder()).is_empty()).await;
}

#[tokio::test]
async fn there_is_no_moment_in_which_a_command_is_forgotten() {
    let spec = Spec::tools(
        "short: { shell: { script: 'sleep 600 & exec sleep 0.01', timeout: 10m } }\nlong: { shell: { script: sleep 600 } }",
    );
    for round in 1..=8 {
        let mut server = serving(&spec).await;
        for id in 0..40 {
            server.send(&call(id, if id % 2 == 0 { "short" } else { "long" })).await;
        }
        // In the middle of starting and ending: after the first few answers.
        for _ in 0..round {
            server.next().await.unwrap();
        }
        server.signal(Signal::KILL);
        server.ended().await;
        until("the end of all commands", async || running_in(spec.folder()).is_empty()).await;
    }
}

#[tokio::test]
async fn what_left_its_group_and_still_holds_the_output_goes_too() {
    let spec =
        Spec::tools("doze: { shell: { script: 'setsid sleep 600 & echo $! >> pids; exec sleep 600', timeout: 10m } }");
    let mut server = serving(&spec).await;
    server.send(&call(1, "doze")).await;
    until("the command", async || pids(&spec).len() == 1).await;
    server.signal(Signal::KILL);
    server.ended().await;
    until("the end of all in the folder", async || running_in(spec.folder()).is_empty()).await;
}

#[tokio::test]
async fn a_watchdog_that_dies_has_a_successor() {
    let spec = sleepers();
    let mut server = serving(&spec).await;
    server.send(&call(1, "doze")).await;
    until("the first command", async || pids(&spec).len() == 2).await;
    let first = watchdog(server.pid()).unwrap();
    signal(first, Signal::KILL);
    until("the watchdog's end", async || !runs(first)).await;
    server.send(&call(2, "doze")).await;
    until("the second command", async || pids(&spec).len() == 4).await;
    assert!(watchdog(server.pid()).is_some_and(|second| second != first));
    server.signal(Signal::KILL);
    server.ended().await;
    until("the end of all in the folder", async || running_in(spec.folder()).is_empty()).await;
}

#[tokio::test]
async fn the_watchdog_ends_with_the_server_and_not_before() {
    let spec = Spec::tools("quick: { exec: { command: [echo] } }");
    let mut server = serving(&spec).await;
    assert_eq!(watchdog(server.pid()), None, "there is nothing to watch yet");
    server.ask(&call(1, "quick")).await;
    let watchdog = watchdog(server.pid()).unwrap();
    server.ask(&call(2, "quick")).await;
    assert!(runs(watchdog));
    server.close_stdin();
    assert_eq!(server.exit().await, 0);
    until("the watchdog's end", async || !runs(watchdog)).await;
}

#[tokio::test]
async fn two_hundred_commands_leave_no_zombie() {
    let spec = Spec::tools("quick: { shell: { script: 'sleep 0.05 & echo done' } }");
    let mut server = serving(&spec).await;
    for id in 0..200 {
        server.send(&call(id, "quick")).await;
    }
    for _ in 0..200 {
        let answer = server.next().await.unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], "done\n", "{answer}");
    }
    until("no child but the watchdog", async || {
        let children = children(server.pid());
        children.len() == 1 && children[0].1 != 'Z'
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_cut_or_late_takes_its_children_along() {
    let spec = Spec::tools(
        "
        late: { shell: { script: 'echo $$ >> pids; sleep 600 & echo $! >> pids; sleep 600', timeout: 300ms } }
        loud: { shell: { script: 'echo $$ >> pids; sleep 600 & echo $! >> pids; exec yes', maxBytes: 1KiB } }
        stubborn: { shell: { script: 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 1; done', timeout: 300ms } }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    let late = client.fails("late", json!({})).await;
    assert_eq!(late, "`script`: the program did not finish within 300ms");
    let loud = client.call("loud", json!({})).await;
    assert!(loud.to_string().contains("cut after 1024 bytes (maxBytes)"), "{loud}");
    client.fails("stubborn", json!({})).await;
    assert_eq!(pids(&spec).len(), 5);
    until("the end of all of them", async || !pids(&spec).iter().any(|pid| runs(*pid))).await;
}
