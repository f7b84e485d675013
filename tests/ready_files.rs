//! The ready-made specs over folders do what they say.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec};

/// A ready-made spec over a folder of three notes.
async fn started(name: &str, variable: &str) -> (Spec, Client) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name)).unwrap();
    let spec = Spec::named(name, "").file("notes/ideas.md", "# Ideas\nA boat of paper.\n");
    let spec = spec.file("notes/2026/trip.md", "# Trip\nBy boat.\n").file("notes/photo.png", [0x89, 0, 1]);
    let spec = spec.file("notes/.secret.md", "boat\n");
    spec.write(&text);
    let folder = spec.folder().join("notes").display().to_string();
    let spec = spec.env(variable, &folder);
    let client = spec.stdio(Era::Legacy).await;
    (spec, client)
}

fn paths(answer: &Value) -> Vec<&str> {
    answer["rows"].as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn filesystem() {
    let (spec, client) = started("filesystem.yaml", "FOLDER").await;
    let top = client.json("list_directory", json!({})).await;
    assert_eq!(paths(&top), ["2026", "ideas.md", "photo.png"]);
    let tree = client.json("directory_tree", json!({})).await;
    assert_eq!(paths(&tree), ["2026", "2026/trip.md", "ideas.md", "photo.png"]);
    assert_eq!(
        paths(&client.json("search_files", json!({ "pattern": "**/*.md" })).await),
        ["2026/trip.md", "ideas.md"]
    );
    let found = client.json("search_text", json!({ "query": "BOAT", "path": "2026" })).await;
    assert_eq!(found["rows"], json!([{ "path": "2026/trip.md", "line": 2, "text": "By boat." }]));
    assert_eq!(client.json("get_file_info", json!({ "path": "photo.png" })).await["rows"][0]["size"], 3);
    assert_eq!(client.text("read_file", json!({ "path": "ideas.md", "offset": 2, "length": 5 })).await, "Ideas");
    assert_eq!(client.fails("read_file", json!({ "path": ".secret.md" })).await, "there is no file `.secret.md`");
    assert_eq!(client.read("file:///2026/trip.md").await["text"], "# Trip\nBy boat.\n");
    // This client can't be asked, so nothing is written.
    for (tool, arguments) in [
        ("write_file", json!({ "path": "new.md", "text": "x" })),
        ("edit_file", json!({ "path": "ideas.md", "find": "paper", "replace": "wood" })),
    ] {
        client.fails(tool, arguments).await;
    }
    assert!(!spec.folder().join("notes/new.md").exists());
    assert_eq!(spec.get("notes/ideas.md"), "# Ideas\nA boat of paper.\n");
}

#[tokio::test]
async fn knowledge_base() {
    let (_spec, client) = started("knowledge-base.yaml", "NOTES").await;
    let listed = client.list("resources").await;
    let uris: Vec<&str> = listed.iter().map(|r| r["uri"].as_str().unwrap()).collect();
    assert_eq!(uris, ["notes:///2026/trip.md", "notes:///ideas.md"]);
    assert_eq!(paths(&client.json("list_notes", json!({ "pattern": "2026/**" })).await), ["2026/trip.md"]);
    assert_eq!(paths(&client.json("search_notes", json!({ "query": "boat" })).await), ["2026/trip.md", "ideas.md"]);
    assert_eq!(client.text("read_note", json!({ "path": "ideas.md" })).await, "# Ideas\nA boat of paper.\n");
    client.fails("read_note", json!({ "path": "photo.png" })).await;
    let asked = client.prompt("answer_from_notes", json!({ "question": "Which boat?" })).await;
    assert!(asked[0]["content"]["text"].as_str().unwrap_or_else(|| panic!("{asked}")).contains("alone: Which boat?"));
    let summed = client.prompt("summarize_note", json!({ "note": "2026/trip.md" })).await;
    assert!(summed[0]["content"]["text"].as_str().unwrap().contains("By boat."));
    assert_eq!(client.complete("summarize_note", "note", "2026").await["values"], json!(["2026/trip.md"]));
}
