//! Hostile arguments against every kind of action: a value arrives as it is, or is refused by name. It never
//! becomes code, an option, a path or a template.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Process, Spec, everywhere, modern, request};

/// What attackers send. None of them is special to a program that treats values as data.
const VALUES: [&str; 24] = [
    "'",
    "\"",
    "'; DROP TABLE items; --",
    "' OR '1'='1",
    "x'); DELETE FROM items; --",
    ":id",
    "?1",
    "%",
    "\\",
    "; touch canary",
    "$(touch canary)",
    "`touch canary`",
    "| touch canary",
    "&& touch canary",
    "\ntouch canary\n",
    "${IFS}touch${IFS}canary",
    "{{x}}",
    "{{{x}}}",
    "{{#each this}}",
    "${HOME}",
    "../../etc/passwd",
    "/etc/passwd",
    "*",
    "\u{202e}\u{feff}é\u{1f600}",
];

/// A tool of every kind that gives its argument `x` back.
fn spec() -> Spec {
    Spec::new(
        r#"
        sources: { db: { sql: "sqlite:./db.sqlite", init: ./db.sql } }
        tools:
          sql: { params: { x: string }, sql: { source: db, query: "SELECT :x AS x", returns: value } }
          like: { params: { x: string }, sql: { source: db, query: "SELECT id FROM items WHERE name = :x" } }
          among: { params: { x: { type: array, items: { type: string } } }, sql: { source: db, query: "SELECT id FROM items WHERE name IN (:x)" } }
          sorted: { params: { x: { type: string, enum: [id, name] } }, sql: { source: db, query: "SELECT id FROM items ORDER BY {{ident x}}" } }
          store: { params: { x: string }, sql: { source: db, query: "INSERT INTO items (name) VALUES (:x) RETURNING name" } }
          exec: { params: { x: string }, exec: { command: [printf, "%s", "{{x}}"] } }
          dashed: { params: { x: string }, exec: { command: [printf, "%s", --, "{{x}}"] } }
          prefixed: { params: { x: string }, exec: { command: [printf, "%s", "x={{x}}"] } }
          stdin: { params: { x: string }, exec: { command: [cat], stdin: "{{x}}" } }
          shell: { params: { x: string }, shell: { script: 'printf %s "$x"' } }
          text: { params: { x: string }, text: "{{x}}" }
          file: { params: { x: string }, file: { path: "{x}", root: ./files } }
          files: { params: { x: string }, file: { path: "{+x}", root: ./files } }
          shaped: { params: { x: string }, exec: { command: [cat], stdin: "{{json x}}" }, result: { as: json, jq: "{x: .}", text: "{{x}}" } }
          deep: { params: { x: {} }, text: "{{json x}}" }
        resources:
          test://echo/{x}: { text: "{{x}}" }
        prompts:
          echo: { arguments: { x: {} }, data: { y: { shell: { script: 'printf %s "$x"' } } }, template: "{{x}}{{y}}" }
        "#,
    )
    .file("db.sql", "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO items (name) VALUES ('kept');")
    .file("files/inside.txt", "inside")
    .file("secret.txt", "secret")
}

fn x(value: impl Into<Value>) -> Value {
    json!({ "x": value.into() })
}

/// Nothing that an attack would have made is there, and nothing that was there is gone.
async fn unharmed(spec: &Spec, client: &Client) {
    let found = |folder: &str| {
        let entries = std::fs::read_dir(spec.folder().join(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with("db.sqlite-"));
        names.sort();
        names
    };
    assert_eq!(found("."), ["db.sql", "db.sqlite", "files", "secret.txt", "spec.yaml"]);
    assert_eq!(found("files"), ["inside.txt"]);
    assert_eq!(client.json("like", x("kept")).await["rows"], json!([{ "id": 1 }]));
}

/// The value as the tool's text, for a value that JSON writes as a string.
async fn echoed(client: &Client, tool: &str, value: &str) -> String {
    let text = client.text(tool, x(value)).await;
    if tool == "sql" { serde_json::from_str(&text).unwrap() } else { text }
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let spec = spec();
    everywhere(&spec, async |client| {
        for value in VALUES {
            for tool in ["sql", "exec", "dashed", "prefixed", "stdin", "shell", "text", "shaped"] {
                let expected = match tool {
                    "dashed" => format!("--{value}"),
                    "prefixed" => format!("x={value}"),
                    _ => value.to_owned(),
                };
                assert_eq!(echoed(client, tool, value).await, expected, "{tool}");
            }
            assert_eq!(client.json("like", x(value)).await["rowCount"], 0, "{value:?}");
            assert_eq!(client.json("among", x([value, "kept"].as_slice())).await["rowCount"], 1, "{value:?}");
            let said = client.prompt("echo", x(value)).await;
            assert_eq!(said[0]["content"]["text"], format!("{value}{value}"));
        }
        unharmed(&spec, client).await;
    })
    .await;
}

#[tokio::test]
async fn stored_values_are_stored_as_they_are() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    for value in VALUES {
        assert_eq!(client.json("store", x(value)).await["rows"], json!([{ "name": value }]));
        assert_eq!(client.json("like", x(value)).await["rowCount"], 1, "{value:?}");
    }
    unharmed(&spec, &client).await;
}

#[tokio::test]
async fn values_come_back_from_uris_as_they_went_in() {
    let spec = spec();
    everywhere(&spec, async |client| {
        for value in VALUES {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            assert_eq!(client.read(&format!("test://echo/{encoded}")).await["text"], value);
        }
    })
    .await;
}

#[tokio::test]
async fn an_identifier_is_one_of_its_enum() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.json("sorted", x("name")).await["rowCount"], 1);
    for value in VALUES.iter().chain(&["rowid", "name DESC", "\"name\"", "NAME", ""]) {
        let told = client.fails("sorted", x(*value)).await;
        assert!(told.starts_with("`x` must be one of \"id\", \"name\", got "), "{told}");
    }
}

#[tokio::test]
async fn no_value_becomes_an_option() {
    let spec = spec();
    everywhere(&spec, async |client| {
        for value in ["-rf", "--upload-pack=touch canary", "-", "--"] {
            assert_eq!(client.fails("exec", x(value)).await, "`x` can't start with `-`");
            assert_eq!(client.text("dashed", x(value)).await, format!("--{value}"));
            assert_eq!(client.text("prefixed", x(value)).await, format!("x={value}"));
            assert_eq!(client.text("shell", x(value)).await, value);
        }
        unharmed(&spec, client).await;
    })
    .await;
}

#[tokio::test]
async fn nul_bytes_are_refused_by_name_where_nothing_can_hold_them() {
    let spec = spec();
    everywhere(&spec, async |client| {
        for tool in ["exec", "dashed", "prefixed", "shell"] {
            assert_eq!(client.fails(tool, x("a\0b")).await, "`x` can't hold a NUL byte", "{tool}");
        }
        for tool in ["sql", "stdin", "text", "shaped"] {
            assert_eq!(echoed(client, tool, "a\0b").await, "a\0b", "{tool}");
        }
        let told = client.fails("file", x("inside.txt\0.md")).await;
        assert!(!told.contains("inside\n") && !told.is_empty(), "{told}");
    })
    .await;
}

#[tokio::test]
async fn no_path_leads_out_of_its_folder() {
    let spec = spec();
    std::os::unix::fs::symlink("../secret.txt", spec.folder().join("files/link")).unwrap();
    std::os::unix::fs::symlink("..", spec.folder().join("files/up")).unwrap();
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("file", x("inside.txt")).await, "inside");
    assert_eq!(client.text("files", x("./inside.txt")).await, "inside");
    for path in [
        "../secret.txt",
        "./../secret.txt",
        "../files/../secret.txt",
        "link",
        "up/secret.txt",
        "/etc/passwd",
        "..",
        ".",
        "",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "..\\secret.txt",
        "inside.txt/../../secret.txt",
        "up/up/../secret.txt",
        "//etc/passwd",
        "file:///etc/passwd",
        "~/.profile",
        "/proc/self/environ",
    ] {
        for tool in ["file", "files"] {
            let told = client.fails(tool, x(path)).await;
            assert!(!told.contains("root:") && told != "secret", "{tool} {path}: {told}");
        }
    }
}

#[tokio::test]
async fn very_long_values_are_handed_on_or_refused_by_name() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    let long = "é'{{x}}$(id)".repeat(700_000);
    assert!(long.len() > 9_000_000);
    for tool in ["sql", "stdin", "text"] {
        let back = echoed(&client, tool, &long).await;
        assert!(back == long, "{tool}: {} bytes of {}", back.len(), long.len());
    }
    for tool in ["exec", "dashed", "prefixed"] {
        let told = client.fails(tool, x(long.as_str())).await;
        assert!(told.starts_with("`x` is too long for an argument (") && told.len() < 200, "{tool}: {told}");
    }
    let told = client.fails("shell", x(long.as_str())).await;
    assert!(told.starts_with("`x` is too long for a variable (") && told.len() < 200, "{told}");
    for tool in ["sorted", "file"] {
        let told = client.fails(tool, x(long.as_str())).await;
        assert!(told.len() < 2000, "{tool}: {} bytes", told.len());
    }
    assert_eq!(client.json("like", x(long.as_str())).await["rowCount"], 0);
    unharmed(&spec, &client).await;
}

#[tokio::test]
async fn a_value_that_is_one_byte_too_long_is_refused_and_one_shorter_is_not() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    let longest = "a".repeat(128 * 1024 - 1);
    assert_eq!(client.text("exec", x(longest.as_str())).await, longest);
    assert!(client.fails("exec", x(format!("{longest}a"))).await.starts_with("`x` is too long for an argument"));
}

#[tokio::test]
async fn deep_json_is_handed_on_or_refused_and_the_server_lives() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    let nested = |depth: usize| {
        let call = request(7, "tools/call", json!({ "name": "deep", "arguments": { "x": "HERE" } })).to_string();
        call.replace("\"HERE\"", &format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
    };
    server.line(&nested(60)).await;
    let answer = server.next().await.unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], format!("{}{}", "[".repeat(60), "]".repeat(60)), "{answer}");
    for depth in [130, 10_000, 1_000_000] {
        server.line(&nested(depth)).await;
        let answer = server.next().await.unwrap();
        assert!(answer["error"]["code"].is_i64() || answer["result"]["isError"] == true, "{answer}");
    }
    let hello = request(8, "tools/call", json!({ "name": "text", "arguments": { "x": "hello" } }));
    assert_eq!(server.ask(&hello).await["result"]["content"][0]["text"], "hello");

    let site = spec.http().await;
    let deep = modern(9, "tools/call", json!({ "name": "deep", "arguments": { "x": "HERE" } })).to_string();
    let deep = deep.replace("\"HERE\"", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let post = site.post(&modern(9, "tools/call", json!({ "name": "deep" }))).body(deep);
    assert_eq!(post.send().await.unwrap().status(), 400);
    let hello = modern(10, "tools/call", json!({ "name": "text", "arguments": { "x": "hello" } }));
    assert_eq!(site.ask(&hello).await.1["result"]["content"][0]["text"], "hello");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_over_http() {
    let spec = spec();
    let site = spec.http().await;
    let long = modern(1, "tools/call", json!({ "name": "text", "arguments": { "x": "a".repeat(5_000_000) } }));
    let (status, answer) = site.ask(&long).await;
    assert_eq!((status, answer["error"]["code"].is_i64()), (413, true), "{answer}");
}

#[tokio::test]
async fn names_from_outside_are_never_looked_up_as_code() {
    let spec = spec();
    let client = spec.stdio(Era::Legacy).await;
    for name in VALUES.iter().chain(&["", "toString", "../text"]) {
        assert_eq!(client.refused("tools/call", json!({ "name": name, "arguments": {} })).await.0, -32602, "{name:?}");
        assert_eq!(client.refused("prompts/get", json!({ "name": name })).await.0, -32602, "{name:?}");
        assert_eq!(client.refused("resources/read", json!({ "uri": name })).await.0, -32002, "{name:?}");
        let told = client.fails("text", json!({ *name: "x", "x": "y" })).await;
        assert!(told.contains("is not a parameter"), "{told}");
    }
}
