//! Hot reload: what an edit changes, and what clients are told of it.

mod handles;
mod told;

use rmcp::model::ServerNotification;
use rmcp::service::Subscription;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::site::answer;
use crate::harness::{Client, Era, Process, Site, Spec, request, soon, until};

/// A spec of one tool, resource and prompt, and what an edit adds.
fn text(sql: &str, tools: &str, resources: &str, prompts: &str) -> String {
    format!(
        "
sources: {{ db: {{ sql: 'sqlite:./db.sqlite', init: ./db.sql, readOnly: true }} }}
tools:
  value: {{ sql: {{ source: db, query: {sql}, returns: value }} }}
{tools}
resources:
  test://one: {{ text: one }}
{resources}
prompts:
  one: {{ template: one }}
{prompts}
"
    )
}

const TOOL: &str = "  more: { text: more }";
const RESOURCE: &str = "  test://more/{x}: { text: '{{x}}' }";
const PROMPT: &str = "  more: { template: more }";

fn plain(sql: &str) -> String {
    text(sql, "", "", "")
}

fn spec() -> Spec {
    Spec::new(&plain("SELECT 1")).file("db.sql", "CREATE TABLE t (x);")
}

/// Edits, and the list that each changes for clients.
fn edits() -> [(String, Option<&'static str>); 6] {
    [
        (plain("SELECT 2"), None),
        (text("SELECT 2", TOOL, "", ""), Some("tools")),
        (text("SELECT 3", TOOL, "", ""), None),
        (text("SELECT 3", TOOL, "", PROMPT), Some("prompts")),
        (text("SELECT 3", TOOL, RESOURCE, PROMPT), Some("resources")),
        (text("SELECT 4", "", RESOURCE, PROMPT), Some("tools")),
    ]
}

/// The list that a notification of a subscription is about.
async fn next(subscription: &mut Subscription) -> &'static str {
    match soon("a notification", subscription.next()).await.unwrap().expect("an open subscription") {
        ServerNotification::ToolListChangedNotification(_) => "tools",
        ServerNotification::ResourceListChangedNotification(_) => "resources",
        ServerNotification::PromptListChangedNotification(_) => "prompts",
        other => panic!("{other:?}"),
    }
}

fn all_lists() -> Value {
    json!({ "toolsListChanged": true, "resourcesListChanged": true, "promptsListChanged": true })
}

#[tokio::test]
async fn only_the_lists_that_changed_are_told_over_stdio() {
    let spec = spec();
    let mut client = spec.stdio(Era::Legacy).await;
    // One too many would come before the next right one: each client is told in order.
    for (edit, changes) in edits() {
        spec.write(&edit);
        client.process().reloaded(&spec).await;
        if let Some(list) = changes {
            assert_eq!(client.hears().await, list);
        }
    }
    assert_eq!(client.text("value", json!({})).await, "4");
    assert_eq!(client.list("tools").await.len(), 1);
    assert_eq!(client.list("resourceTemplates").await.len(), 1);
    assert_eq!(client.list("prompts").await.len(), 2);
}

#[tokio::test]
async fn only_the_lists_that_changed_are_told_over_http() {
    let spec = spec();
    let mut site = spec.http().await;
    let (mut first, mut second) = (site.client(Era::Legacy).await, site.client(Era::Legacy).await);
    let third = site.client(Era::Modern).await;
    let (mut all, mut prompts) =
        (third.listen(all_lists()).await, third.listen(json!({ "promptsListChanged": true })).await);
    for (edit, changes) in edits() {
        spec.write(&edit);
        site.process.reloaded(&spec).await;
        let Some(list) = changes else { continue };
        assert_eq!(first.hears().await, list);
        assert_eq!(second.hears().await, list);
        assert_eq!(next(&mut all).await, list);
        if list == "prompts" {
            assert_eq!(next(&mut prompts).await, list);
        }
    }
    assert_eq!(third.text("value", json!({})).await, "4");
}

#[tokio::test]
async fn a_subscription_over_stdio_hears_of_changes() {
    let spec = spec();
    let mut client = spec.stdio(Era::Modern).await;
    let mut subscription = client.listen(all_lists()).await;
    for (edit, changes) in edits() {
        spec.write(&edit);
        client.process().reloaded(&spec).await;
        if let Some(list) = changes {
            assert_eq!(next(&mut subscription).await, list);
        }
    }
}

#[tokio::test]
async fn a_client_that_says_again_that_it_is_initialized_is_told_once() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    for _ in 0..50 {
        server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    }
    server.ask(&request(1, "ping", json!({}))).await;
    let methods = async |server: &mut Process, count: usize| {
        let mut methods = Vec::new();
        for _ in 0..count {
            methods.push(server.next().await.unwrap()["method"].clone());
        }
        methods
    };
    spec.write(&text("SELECT 1", TOOL, "", ""));
    server.reloaded(&spec).await;
    assert_eq!(methods(&mut server, 1).await, ["notifications/tools/list_changed"]);
    spec.write(&text("SELECT 1", TOOL, RESOURCE, PROMPT));
    server.reloaded(&spec).await;
    let both = ["notifications/resources/list_changed", "notifications/prompts/list_changed"];
    assert_eq!(methods(&mut server, 2).await, both);
}

/// The words without the time of an edit, which must be one of the last minute.
fn without_time(words: &str) -> String {
    let start = words.find("edit of ").unwrap_or_else(|| panic!("no time: {words}")) + "edit of ".len();
    let (time, rest) = words[start..].split_once(' ').unwrap();
    let digits: Vec<u64> = time.trim_end_matches('Z').split(':').map(|part| part.parse().unwrap()).collect();
    let [hours, minutes, seconds] = digits[..] else { panic!("{time}") };
    assert_eq!(time, format!("{hours:02}:{minutes:02}:{seconds:02}Z"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() % 86_400;
    let ago = (86_400 + now - (hours * 3600 + minutes * 60 + seconds)) % 86_400;
    assert!(ago < 60, "{time} is {ago} s ago");
    format!("{}TIME {rest}", &words[..start])
}

#[tokio::test]
async fn a_bad_edit_is_reported_and_changes_nothing() {
    let spec = spec();
    let mut site = spec.http().await;
    let mut client = site.client(Era::Legacy).await;
    let healthy = site.health().await;
    let who = json!({ "status": "serving", "server": "test", "version": "0.0.1", "generation": healthy["generation"] });
    assert_eq!(healthy, who);

    spec.write(&text("SELECT absent", "  more: { txt: more }", "", ""));
    let said = site.process.says("refused").await;
    assert!(said.contains("spec.yaml:"), "{said}");
    assert!(said.contains("error[unknown-key]: unknown key `txt` in tool"), "{said}");
    assert!(said.contains("the database refuses this statement: no such column: absent"), "{said}");
    let message = site.health().await["message"].as_str().unwrap().to_owned();
    assert_eq!(
        without_time(&message),
        format!("serving generation {}, edit of TIME refused: 2 errors", healthy["generation"])
    );
    assert!(said.ends_with(&format!("mcp-declare: {message}\n")), "{said}");
    assert_eq!(client.text("value", json!({})).await, "1");

    spec.write(&text("SELECT 5", TOOL, "", ""));
    site.process.reloaded(&spec).await;
    assert_eq!(client.hears().await, "tools");
    assert_eq!(client.text("value", json!({})).await, "5");
    let health = site.health().await;
    assert_eq!((&health["version"], health.get("message")), (&json!("0.0.3"), None));
    assert!(health["generation"].as_u64() > healthy["generation"].as_u64());
}

#[tokio::test]
async fn the_log_says_of_a_bad_edit_what_health_says() {
    let spec = spec();
    let site = Site::new(Process::serve(&spec, &["--http", "127.0.0.1:0", "--log-format", "json"])).await;
    spec.write(&text("SELECT absent", "  more: { txt: more }", "", ""));
    let heard = site.process.heard();
    let entries =
        || -> Vec<Value> { heard.borrow().lines().filter_map(|line| serde_json::from_str(line).ok()).collect() };
    until("the refusal", async || entries().len() >= 3).await;
    let entries = entries();
    let [absent, unknown, refused] = &entries[..] else { panic!("{entries:?}") };
    for (diagnostic, words) in [(unknown, "error[unknown-key]"), (absent, "no such column: absent")] {
        assert_eq!(diagnostic["level"], "ERROR");
        assert!(diagnostic["fields"]["message"].as_str().unwrap().contains(words), "{diagnostic}");
    }
    let health = site.health().await;
    assert_eq!(refused["level"], "WARN");
    assert_eq!(refused["fields"]["message"], format!("mcp-declare: {}", health["message"].as_str().unwrap()));
    assert!(without_time(health["message"].as_str().unwrap()).ends_with(", edit of TIME refused: 2 errors"));
}

#[tokio::test]
async fn an_environment_that_is_gone_is_a_refused_edit_too() {
    let spec = Spec::new("server: { name: test, version: 0.0.1, title: '${TITLE}' }\ntools: { a: { text: a } }")
        .file("vars.env", "TITLE=one\n");
    let file = spec.folder().join("vars.env");
    let mut site =
        Site::new(Process::serve(&spec, &["--http", "127.0.0.1:0", "--env-file", file.to_str().unwrap()])).await;
    std::fs::remove_file(&file).unwrap();
    let said = site.process.says("refused: 1 error\n").await;
    assert!(said.contains("error: can't read ") && said.contains("vars.env"), "{said}");
    let message = site.health().await["message"].as_str().unwrap().to_owned();
    assert!(said.ends_with(&format!("mcp-declare: {message}\n")), "{said}");
    assert_eq!(site.client(Era::Modern).await.text("a", json!({})).await, "a");
    spec.put("vars.env", "TITLE=two\n");
    until("the edit", async || site.health().await.get("message").is_none()).await;
}

#[tokio::test]
async fn an_empty_broken_or_missing_file_keeps_the_old_spec() {
    let spec = spec();
    let mut client = spec.stdio(Era::Legacy).await;
    let refused = async |client: &mut Client, times: usize| {
        let heard = client.process().heard();
        until("a refused edit", async || heard.borrow().matches("refused: ").count() >= times).await;
        assert_eq!(client.text("value", json!({})).await, "1");
    };
    spec.put("spec.yaml", "");
    refused(&mut client, 1).await;
    spec.put("spec.yaml", [0, 159, 146, 150]);
    refused(&mut client, 2).await;
    spec.put("spec.yaml", "server: { name: test\ntools:");
    refused(&mut client, 3).await;
    std::fs::remove_file(spec.path()).unwrap();
    refused(&mut client, 4).await;
    spec.write(&plain("SELECT 6"));
    client.process().reloaded(&spec).await;
    assert_eq!(client.text("value", json!({})).await, "6");
}

#[tokio::test]
async fn edits_by_renaming_and_in_side_files_are_noticed() {
    let spec = Spec::new(
        "
        include: ./parts/*.yaml
        tools: { fixed: { file: ./fixed.txt } }
        ",
    )
    .file("parts/a.yaml", "tools: { a: { text: first } }\n")
    .file("fixed.txt", "x");
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("a", json!({})).await, "first");
    spec.put("parts/a.yaml", "tools: { a: { text: second } }\n");
    until("the edit of a part", async || client.text("a", json!({})).await == "second").await;
    spec.put("parts/b.yaml", "tools: { b: { text: new } }\n");
    assert_eq!(client.hears().await, "tools");
    assert_eq!(client.text("b", json!({})).await, "new");
    for word in ["third", "fourth"] {
        spec.rename_over(&format!("tools: {{ a: {{ text: {word} }} }}"));
        client.process().reloaded(&spec).await;
        assert_eq!(client.text("a", json!({})).await, word);
    }
}

#[tokio::test]
async fn edits_of_a_query_a_partial_and_the_environment_are_noticed() {
    let text = "
        server: { name: test, instructions: 'for ${WHOM}' }
        sources: { db: { sql: 'sqlite::memory:' } }
        partials: { end: { file: ./end.hbs } }
        tools:
          query: { sql: { source: db, file: ./query.sql, returns: value } }
          partial: { text: 'the {{> end}}' }
    ";
    let spec = Spec::new(text).file("query.sql", "SELECT 1").file("end.hbs", "end").file("vars.env", "WHOM=you\n");
    let site = Site::new(Process::serve(
        &spec,
        &["--http", "127.0.0.1:0", "--env-file", spec.folder().join("vars.env").to_str().unwrap()],
    ))
    .await;
    let client = site.client(Era::Modern).await;
    let says = async |tool: &str, word: &str| client.text(tool, json!({})).await == word;
    assert!(says("query", "1").await && says("partial", "the end").await);
    spec.put("query.sql", "SELECT 2");
    until("the edit of a query", async || says("query", "2").await).await;
    spec.put("end.hbs", "start");
    until("the edit of a partial", async || says("partial", "the start").await).await;
    spec.put("vars.env", "WHOM=them\n");
    let told = async || site.client(Era::Legacy).await.server()["instructions"] == "for them";
    until("the edit of the environment", told).await;
}

#[tokio::test]
async fn without_watching_only_a_signal_reloads() {
    let spec = Spec::tools("a: { text: first }");
    let mut server = Process::serve(&spec, &["--no-watch"]);
    server.initialize("2025-11-25").await;
    spec.write("tools: { a: { text: second } }");
    let call = |id: i64| request(id, "tools/call", json!({ "name": "a" }));
    assert_eq!(server.ask(&call(1)).await["result"]["content"][0]["text"], "first");
    server.signal(Signal::HUP);
    server.reloaded(&spec).await;
    assert_eq!(server.ask(&call(2)).await["result"]["content"][0]["text"], "second");
}

/// A tool that waits for the file `go` and then says a word.
fn waiting(word: &str) -> String {
    format!(
        "
tools:
  wait: {{ shell: {{ script: 'touch started; until test -e go; do sleep 0.02; done; echo {word}' }} }}
  word: {{ text: {word} }}
"
    )
}

#[tokio::test]
async fn calls_in_flight_finish_on_the_catalog_that_they_began_with() {
    let spec = Spec::new(&waiting("old"));
    let mut site = spec.http().await;
    let client = site.client(Era::Legacy).await;
    let later = async {
        let started = spec.folder().join("started");
        until("the call to begin", async || started.exists()).await;
        spec.write(&waiting("new"));
        site.process.reloaded(&spec).await;
        assert_eq!(client.text("word", json!({})).await, "new");
        spec.put("go", "");
    };
    let (old, ()) = tokio::join!(client.text("wait", json!({})), later);
    assert_eq!(old, "old\n");
    assert_eq!(client.text("wait", json!({})).await, "new\n");
}

#[tokio::test]
async fn a_session_that_opens_its_stream_later_is_told_then() {
    let spec = spec();
    let mut site = spec.http().await;
    let session = site.session("2025-06-18").await;
    spec.write(&text("SELECT 1", TOOL, "", ""));
    site.process.reloaded(&spec).await;
    let listed = site.post(&request(1, "tools/list", json!({}))).header("mcp-session-id", &session);
    let (_, listed) = answer(listed.send().await.unwrap()).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 2);
    let mut stream = site.stream(&session).await;
    let mut told = String::new();
    while !told.contains("notifications/tools/list_changed") {
        let chunk = soon("an event", stream.chunk()).await.unwrap().expect("an open stream");
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
}
