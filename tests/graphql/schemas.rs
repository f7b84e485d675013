//! Where schemas come from, and what is done where they can't be had.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use apollo_compiler::Schema;
use serde_json::json;

use super::library;
use crate::harness::{Era, Process, Reply, Spec, Upstream};

const TOOLS: &str = "sources: { api: { graphql: URL MORE } }\ntools:\n  \
    book: { graphql: { source: api, query: 'query ($id: ID!, $first: Int) { book(id: $id) { title } books(first: $first) { id } }' } }\n";

fn spec(upstream: &Upstream, more: &str) -> Spec {
    Spec::new(&TOOLS.replace("URL", &upstream.url("/")).replace(" MORE", more)).file("schema.graphql", library::SDL)
}

/// The library, which answers only while the switch is on.
async fn switched() -> (Upstream, Arc<AtomicBool>) {
    let schema = Schema::parse_and_validate(library::SDL, "").unwrap();
    let on = Arc::new(AtomicBool::new(false));
    let switch = on.clone();
    let upstream = Upstream::start(move |asked| match on.load(Ordering::SeqCst) {
        true => library::answer(&schema, asked),
        false => Reply::new(503, "text/plain", "busy"),
    });
    (upstream.await, switch)
}

#[tokio::test]
async fn a_schema_in_a_file_needs_no_api() {
    let upstream = library::start().await;
    let output = spec(&upstream, ", schema: ./schema.graphql").run("check", &[]).await;
    assert_eq!((output.code, upstream.asked().len()), (0, 0), "{output:?}");
}

#[tokio::test]
async fn without_an_api_tools_are_served_and_checked_when_it_is_back() {
    let (upstream, switch) = switched().await;
    let spec = spec(&upstream, "");
    let mut client = spec.stdio(Era::Legacy).await;
    client.process().says("served without its schema for now").await;
    let listed = client.list("tools").await.remove(0);
    assert_eq!(listed["inputSchema"]["required"], json!(["id"]), "its variables are in the document: {listed}");
    assert!(listed.get("outputSchema").is_none(), "{listed}");
    assert!(client.fails("book", json!({ "id": "1" })).await.contains("503"));
    switch.store(true, Ordering::SeqCst);
    assert_eq!(client.hears().await, "tools", "its answer is known now");
    let listed = client.list("tools").await.remove(0);
    assert_eq!(listed["outputSchema"]["required"], json!(["book", "books"]));
    let book = client.json("book", json!({ "id": "1" })).await;
    assert_eq!(book["book"], json!({ "title": "Dune" }));
}

#[tokio::test]
async fn who_insists_on_the_schema_does_not_serve_without_it() {
    let (upstream, _switch) = switched().await;
    let mut process = Process::serve(&spec(&upstream, ", required: true"), &[]);
    assert_ne!(process.exit().await, 0);
    assert!(process.stderr().contains("answered 503"), "{}", process.stderr());
    let checked = spec(&upstream, "").run("check", &[]).await;
    assert_eq!(checked.code, 3, "{checked:?}");
}

#[tokio::test]
async fn offline_says_what_is_not_checked() {
    let upstream = library::start().await;
    let output = spec(&upstream, "").run("check", &["--offline"]).await;
    assert_eq!((output.code, upstream.asked().len()), (0, 0), "{output:?}");
    let said = format!("{}{}", output.out, output.err);
    assert!(said.contains("the API of `api` is not asked for its schema (--offline)"), "{said}");
}

#[tokio::test]
async fn a_reload_does_not_ask_for_the_schema_again() {
    let upstream = library::start().await;
    let spec = spec(&upstream, "");
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(upstream.asked().len(), 1);
    spec.write(&TOOLS.replace("URL", &upstream.url("/")).replace(" MORE", "").replace("title }", "title year }"));
    client.process().reloaded(&spec).await;
    let book = client.json("book", json!({ "id": "1" })).await;
    assert_eq!(book["book"], json!({ "title": "Dune", "year": 1965 }));
    assert_eq!(upstream.asked().len(), 2, "the schema, and the book");
}

#[tokio::test]
async fn a_changed_schema_file_is_read_anew() {
    let upstream = library::start().await;
    let spec = spec(&upstream, ", schema: ./schema.graphql");
    let mut client = spec.stdio(Era::Legacy).await;
    spec.put("schema.graphql", library::SDL.replace("  title: String!\n  year", "  title: String\n  year"));
    assert_eq!(client.hears().await, "tools");
    let listed = client.list("tools").await.remove(0);
    let title = &listed["outputSchema"]["properties"]["book"]["properties"]["title"];
    assert_eq!(*title, json!({ "type": ["string", "null"] }));
    spec.put("schema.graphql", library::SDL.replace("  title: String!\n  year", "  name: String\n  year"));
    client.process().says("type `Book` does not have a field `title`").await;
    assert_eq!(client.list("tools").await.len(), 1, "what was served goes on");
}

#[tokio::test]
async fn an_api_that_tells_no_schema_is_a_mistake_with_a_remedy() {
    let refusal = json!({ "errors": [{ "message": "introspection is disabled" }] });
    let upstream = Upstream::start(move |_| Reply::json(&refusal)).await;
    let output = spec(&upstream, "").run("check", &[]).await;
    assert_eq!(output.code, 1, "{output:?}");
    let said = format!("{}{}", output.out, output.err);
    assert!(said.contains("source `api`: the API tells no schema: introspection is disabled"), "{said}");
    assert!(said.contains("put the schema into a file: `schema: ./schema.graphql`"), "{said}");
}
