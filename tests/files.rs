//! Files below a folder: sets of resources, lists, searches, writes and edits, and nothing outside.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere};

/// A folder `docs` with notes, a hidden file and a link that leads out, beside a file that nobody may see.
fn spec() -> Spec {
    let spec = Spec::new(
        r#"
        files:
          docs: { root: ./docs, title: Manuals, description: How things work, search: true }
          notes:
            root: docs
            uri: notes://all/
            include: ['**/*.md']
            exclude: ['drafts/**']
            maxBytes: 8
            search: { name: find_notes, description: Find in notes. }
        tools:
          ls:
            params: { path: { type: string, default: '' }, glob: { type: string, default: '' } }
            files: { root: docs, path: '{+path}', match: '{{glob}}', folders: true, depth: 2, maxRows: 5 }
          put:
            params: { path: string, text: string }
            write: { root: docs, path: '{+path}', text: '{{text}}', maxBytes: 1KiB }
          over:
            params: { path: string, text: string }
            write: { root: docs, path: '{+path}', include: ['**/*.md'], text: '{{text}}', mode: replace }
          more:
            params: { path: string, text: string }
            write: { root: docs, path: '{+path}', text: '{{text}}', mode: append }
          change:
            params: { path: string, old: string, new: string }
            edit: { root: docs, path: '{+path}', find: '{{old}}', replace: '{{new}}' }
        "#,
    )
    .file("docs/a.md", "# Alpha\nbeta\n")
    .file("docs/deep/er/b.md", "beta and gamma\n")
    .file("docs/drafts/c.md", "Beta draft\n")
    .file("docs/dot.png", [0x89, 0xff, 0])
    .file("docs/.env", "SECRET=beta\n")
    .file("docs/.git/config", "beta\n")
    .file("secret.md", "beta secret\n");
    symlink("../secret.md", spec.folder().join("docs/out.md")).unwrap();
    symlink("..", spec.folder().join("docs/up")).unwrap();
    symlink("deep/er/b.md", spec.folder().join("docs/in.md")).unwrap();
    spec
}

fn column<'a>(answer: &'a Value, name: &str) -> Vec<&'a Value> {
    answer["rows"].as_array().unwrap().iter().map(|row| &row[name]).collect()
}

async fn uris(client: &Client) -> Vec<String> {
    client.list("resources").await.iter().map(|r| r["uri"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_folder_is_a_template_with_members() {
    everywhere(&spec(), async |client| {
        let templates = client.list("resourceTemplates").await;
        let docs = json!({
            "uriTemplate": "docs:///{+path}{?offset,length}", "name": "docs", "title": "Manuals",
            "description": "How things work",
        });
        assert_eq!(templates[0], docs);
        let listed = client.list("resources").await;
        assert_eq!(listed[0]["uri"], "docs:///a.md");
        assert_eq!(listed[0]["mimeType"], "text/markdown");
        assert_eq!(listed[0]["size"], 13);
        let expected = [
            "docs:///a.md",
            "docs:///deep/er/b.md",
            "docs:///dot.png",
            "docs:///drafts/c.md",
            "docs:///in.md",
            "notes://all/a.md",
            "notes://all/deep/er/b.md",
            "notes://all/in.md",
        ];
        assert_eq!(uris(client).await, expected);
        let text = client.read("docs:///a.md").await;
        assert_eq!(text, json!({ "uri": "docs:///a.md", "mimeType": "text/markdown", "text": "# Alpha\nbeta\n" }));
        let part = client.read("docs:///a.md?offset=8&length=4").await;
        assert_eq!(part["text"], "beta");
        assert_eq!(client.read("docs:///a.md?offset=99").await["text"], "");
        assert_eq!(client.read("docs:///in.md").await["text"], "beta and gamma\n");
        assert_eq!(client.read("docs:///dot.png").await["blob"], "if8A");
        let completed = client.complete("docs:///{+path}{?offset,length}", "path", "DE").await;
        assert_eq!(completed["values"], json!(["deep/er/b.md"]));
    })
    .await;
}

#[tokio::test]
async fn nothing_outside_is_read_whatever_the_path() {
    let client = spec().stdio(Era::Legacy).await;
    for uri in [
        "docs:///.env",
        "docs:///.git/config",
        "docs:///out.md",
        "docs:///up/secret.md",
        "docs:///../secret.md",
        "docs:///%2e%2e/secret.md",
        "docs:///deep/../../secret.md",
        "docs:///deep/../a.md",
        "docs:////etc/passwd",
        "docs:///%2Fetc%2Fpasswd",
        "docs:///a.md%00.png",
        "docs:///deep",
        "docs:///",
        "docs:///./.env",
        "notes://all/drafts/c.md",
        "notes://all/dot.png",
        "notes://all/./drafts/c.md",
        "docs:///a.md?offset=-1",
        "docs:///a.md?offset=x",
    ] {
        let (code, words) = client.refused("resources/read", json!({ "uri": uri })).await;
        assert!([-32002, -32602, -32603].contains(&code), "{uri}: {code} {words}");
        assert!(!words.contains("secret\n") && !words.contains("root:"), "{uri}: {words}");
    }
}

#[tokio::test]
async fn lists_have_bounds_and_say_so() {
    let client = spec().stdio(Era::Legacy).await;
    let top = client.json("ls", json!({})).await;
    assert_eq!(column(&top, "path"), ["a.md", "deep", "deep/er", "dot.png", "drafts"]);
    assert_eq!(top["truncated"], true);
    assert_eq!(column(&top, "kind"), ["file", "folder", "folder", "file", "folder"]);
    let below = client.json("ls", json!({ "path": "deep" })).await;
    assert_eq!(column(&below, "path"), ["deep/er", "deep/er/b.md"]);
    assert_eq!(below["truncated"], false);
    assert_eq!(column(&client.json("ls", json!({ "path": "a.md" })).await, "size"), [13]);
    assert_eq!(column(&client.json("ls", json!({ "glob": "*.png" })).await, "path"), ["dot.png"]);
    assert_eq!(
        column(&client.json("ls", json!({ "glob": "**/*.md" })).await, "path"),
        ["a.md", "drafts/c.md", "in.md"]
    );
    for (path, words) in [
        ("nowhere", "there is no file `nowhere`"),
        ("..", "`..` leads outside of the folder"),
        ("up", "`up` leads outside of the folder"),
        (".git", "there is no file `.git`"),
        ("/etc", "`/etc` leads outside of the folder"),
    ] {
        assert_eq!(client.fails("ls", json!({ "path": path })).await, words);
    }
    assert!(client.fails("ls", json!({ "glob": "[" })).await.starts_with("not a glob: "));
}

#[tokio::test]
async fn searches_find_lines_in_what_is_served_alone() {
    let client = spec().stdio(Era::Legacy).await;
    let found = client.json("search_docs", json!({ "query": "BETA" })).await;
    let expected = json!([
        { "path": "a.md", "line": 2, "text": "beta" },
        { "path": "deep/er/b.md", "line": 1, "text": "beta and gamma" },
        { "path": "drafts/c.md", "line": 1, "text": "Beta draft" },
        { "path": "in.md", "line": 1, "text": "beta and gamma" },
    ]);
    assert_eq!(found["rows"], expected);
    let exact = client.json("search_docs", json!({ "query": "Beta", "ignoreCase": false })).await;
    assert_eq!(column(&exact, "path"), ["drafts/c.md"]);
    assert_eq!(client.json("search_docs", json!({ "query": "b.ta" })).await["rowCount"], 0);
    let fits = client.json("search_docs", json!({ "query": "^b.ta$", "regex": true })).await;
    assert_eq!(fits["rows"], json!([{ "path": "a.md", "line": 2, "text": "beta" }]));
    // What one answer may hold of a file (`maxBytes`) is no bound of what is searched.
    let notes = client.json("find_notes", json!({ "query": "beta" })).await;
    assert_eq!(column(&notes, "path"), ["a.md", "deep/er/b.md", "in.md"]);
    assert_eq!(
        client.fails("search_docs", json!({ "query": "(", "regex": true })).await,
        "not a regular expression: unclosed group"
    );
    assert!(client.fails("search_docs", json!({ "query": "" })).await.contains("query"));
    let bomb = "(a{1000}){1000}";
    assert_eq!(
        client.fails("search_docs", json!({ "query": bomb, "regex": true })).await,
        "the regular expression is too large"
    );
}

#[tokio::test]
async fn files_are_written_whole_and_only_below() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    let text = "{{path}} $(id) <b>&amp;\n";
    let written = client.json("put", json!({ "path": "deep/new.md", "text": text })).await;
    assert_eq!(written, json!({ "path": "deep/new.md", "bytes": text.len(), "created": true }));
    assert_eq!(spec.get("docs/deep/new.md"), text);
    for (tool, path, words) in [
        ("put", "deep/new.md", "`deep/new.md` is there already"),
        ("put", "no/folder.md", "there is no file `no/folder.md`"),
        ("put", "../x.md", "`../x.md` leads outside of the folder"),
        ("put", "up/x.md", "`up/x.md` leads outside of the folder"),
        ("put", "/tmp/x.md", "`/tmp/x.md` leads outside of the folder"),
        ("put", "deep", "`deep` is not a regular file"),
        ("put", "out.md", "`out.md` leads outside of the folder"),
        ("over", "a.txt", "there is no file `a.txt`"),
        ("over", ".git/x.md", "there is no file `.git/x.md`"),
        ("more", "out.md", "`out.md` leads outside of the folder"),
    ] {
        assert_eq!(client.fails(tool, json!({ "path": path, "text": "x" })).await, words, "{tool} {path}");
    }
    assert_eq!(
        client.fails("put", json!({ "path": "big.md", "text": "x".repeat(2000) })).await,
        "the rendered text is longer than 1024 bytes"
    );
    assert_eq!(client.json("over", json!({ "path": "a.md", "text": "new" })).await["created"], false);
    assert_eq!(client.json("more", json!({ "path": "a.md", "text": "er" })).await["bytes"], 2);
    assert_eq!(spec.get("docs/a.md"), "newer");
    let names: Vec<_> =
        std::fs::read_dir(spec.folder().join("docs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 9, "nothing is left behind: {names:?}");
    assert_eq!(spec.get("secret.md"), "beta secret\n");
}

#[tokio::test]
async fn an_edit_needs_a_text_that_is_there_once() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    let edit = |old: &str, new: &str| json!({ "path": "a.md", "old": old, "new": new });
    assert_eq!(client.json("change", edit("beta", "$1 \\0")).await, json!({ "path": "a.md", "line": 2 }));
    assert_eq!(spec.get("docs/a.md"), "# Alpha\n$1 \\0\n");
    assert_eq!(client.fails("change", edit("beta", "x")).await, "`a.md` does not hold the text that is to be replaced");
    assert_eq!(
        client.fails("change", edit("\n", "x")).await,
        "`a.md` holds the text that is to be replaced 2 times: give more of what is around it"
    );
    assert_eq!(client.fails("change", edit("", "x")).await, "there is nothing to replace: `find` is empty");
    let binary = json!({ "path": "dot.png", "old": "a", "new": "b" });
    assert_eq!(client.fails("change", binary).await, "`dot.png` is not text in UTF-8");
}

#[tokio::test]
async fn a_file_that_comes_or_goes_changes_the_list() {
    let spec = spec();
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(uris(&client).await.len(), 8);
    spec.put("docs/deep/er/new.md", "new");
    assert_eq!(client.hears().await, "resources");
    assert!(uris(&client).await.contains(&"docs:///deep/er/new.md".to_owned()));
    std::fs::remove_file(spec.folder().join("docs/deep/er/new.md")).unwrap();
    assert_eq!(client.hears().await, "resources");
    assert_eq!(uris(&client).await.len(), 8);
}
