//! A server that lies, floods and breaks off, over stdio: what it says stays its own, and the gateway goes on.

use serde_json::json;

use super::strange;
use crate::harness::{Era, Spec, everywhere, until};

fn behind(habit: &str, more: &str, rest: &str) -> Spec {
    let source = format!("{{ mcp: {}{more} }}", strange::server(habit));
    Spec::new(&format!("server: {{ name: gate }}\nsources: {{ odd: {source} }}\nimport: [{{ mcp: odd }}]\n{rest}"))
}

fn notes(spec: &Spec, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(spec.folder().join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_line_of_a_gigabyte_is_read_to_its_bound_alone() {
    let spec = behind("gigabyte", ", maxBytes: 4MiB, timeout: 50s", "");
    let check = spec.run("check", &[]).await;
    assert!(
        check.out.contains("it sent a message of more than 4194304 bytes (maxBytes)"),
        "{}{}",
        check.out,
        check.err
    );
    let written: usize = notes(&spec, "written").first().map_or(0, |count| count.parse().unwrap());
    assert!(written < 64, "{written} MiB were taken");
}

#[tokio::test]
async fn pages_that_go_in_a_circle_are_cut() {
    let check = behind("repeats", "", "").run("check", &[]).await;
    assert!(check.out.contains("its pages have no end; what came until then is taken"), "{}", check.out);
    assert!(check.out.contains("(2 tools"), "{}", check.out);
}

#[tokio::test]
async fn a_server_that_breaks_off_in_the_middle_of_its_answer_is_started_again() {
    let spec = behind("half", "", "");
    let client = spec.stdio(Era::Modern).await;
    let dead = "the server `odd` ended before it answered; it is being started again";
    assert_eq!(client.fails("echo", json!({})).await, dead);
    until("another process", async || notes(&spec, "pids").len() > 1).await;
}

#[tokio::test]
async fn answers_find_their_call_whatever_is_said_beside() {
    let spec = behind("liar", "", "tools: { own: { text: mine } }");
    everywhere(&spec, async |client| {
        for _ in 0..3 {
            assert_eq!(client.text("wrong_id", json!({})).await, "yours");
            assert_eq!(client.text("twice", json!({})).await, "first");
            assert_eq!(client.text("uninvited", json!({})).await, "done");
            assert_eq!(client.text("fine", json!({})).await, "fine");
        }
    })
    .await;
}

#[tokio::test]
async fn what_breaks_its_own_schema_is_no_answer() {
    let spec = behind("liar", "", "");
    everywhere(&spec, async |client| {
        for tool in ["breaks", "lacks"] {
            let words = client.fails(tool, json!({})).await;
            assert!(words.contains("output schema"), "{tool}: {words}");
        }
    })
    .await;
}

#[tokio::test]
async fn its_uris_lead_to_it_alone() {
    let spec = behind("liar", "", "");
    let client = spec.stdio(Era::Modern).await;
    for uri in ["file:///etc/passwd", "strange://a/../b", "javascript:alert(1)"] {
        let read = client.read(uri).await;
        assert_eq!((&read["uri"], &read["text"]), (&json!(uri), &json!(format!("of \"{uri}\""))));
    }
    for uri in ["file:///etc/hostname", "strange://b", "file:///etc/../etc/passwd"] {
        client.refused("resources/read", json!({ "uri": uri })).await;
    }
    let own = behind("liar", "", "resources: { 'gate://own': { text: mine } }").run("check", &[]).await;
    assert!(
        own.out.contains("`gate://own`, which `gate://own` of the import becomes, is defined twice"),
        "{}",
        own.out
    );
}

#[tokio::test]
async fn its_prompts_speak_for_the_user_and_the_assistant_alone() {
    let client = behind("liar", "", "").stdio(Era::Legacy).await;
    let (code, words) = client.refused("prompts/get", json!({ "name": "greet", "arguments": { "who": "Ann" } })).await;
    assert_eq!(code, -32603, "{words}");
    assert_eq!(words, "message 2 of the other server's prompt is none that MCP knows");
}

#[tokio::test]
async fn a_flood_of_words_is_waded_through() {
    let spec = behind("flood", "", "");
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("flood", json!({})).await, "flooded");
    assert_eq!(client.text("flood", json!({})).await, "flooded");
    let lists = notes(&spec, "lists").len();
    assert!(lists < 100, "its lists were read {lists} times");
}

#[tokio::test]
async fn it_may_come_back_with_another_version() {
    let spec = behind("turncoat", "", "");
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("echo", json!({ "a": 1 })).await, "{\"a\":1}");
    client.fails("die", json!({})).await;
    until("an answer", async || client.call("echo", json!({})).await["isError"] != true).await;
}

#[tokio::test]
async fn questions_of_no_call_are_refused() {
    let spec = behind("asks_early", "", "");
    let client = spec.stdio(Era::Modern).await;
    until("an answer", async || client.call("echo", json!({})).await["isError"] != true).await;
    until("all refusals", async || notes(&spec, "replies").len() == 300).await;
    assert!(notes(&spec, "replies").iter().all(|code| code.starts_with('-')), "{:?}", notes(&spec, "replies"));
}

#[tokio::test]
async fn a_tool_that_wants_to_be_a_task_of_2025_11_25_says_so() {
    let client = behind("liar", "", "").stdio(Era::Legacy).await;
    let words = client.fails("as_task", json!({})).await;
    let why = "the server `odd` refused: Method not found (a tool that can be called as a task of 2025-11-25 alone can't be called here)";
    assert_eq!(words, why);
}
