//! `diff`, and a reload that says the same.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::harness::{Era, Output, Process, Spec, soon, until};

const OLD: &str = "
    server: { name: shop, version: 1.0.0, instructions: Be kind. }
    sources: { db: { sql: 'sqlite:./db.sqlite', init: ./db.sql, readOnly: true } }
    tools:
      find:
        description: Finds
        params: { words: string, limit: { type: integer, maximum: 10 } }
        sql: { source: db, query: 'SELECT x FROM t WHERE x = :words LIMIT :limit' }
      count: { sql: { source: db, query: 'SELECT count(*) FROM t', returns: value } }
      gone: { text: x }
    prompts:
      advise: { arguments: { taste: {} }, template: '{{taste}}' }
    resources:
      shop://about: { text: about }
      shop://books/{id}: { text: '{{id}}' }
";
const NEW: &str = "
    server: { name: shop, version: 1.1.0, instructions: Be brief. }
    sources: { db: { sql: 'sqlite:./db.sqlite', init: ./db.sql, readOnly: true } }
    tools:
      find:
        description: Finds books
        params: { words: string, limit: { type: integer, maximum: 20 } }
        sql: { source: db, query: 'SELECT x FROM t WHERE x = :words LIMIT :limit' }
      count: { sql: { source: db, query: 'SELECT count(*) + 1 FROM t', returns: value } }
      more: { text: x }
    prompts:
      advise: { arguments: { taste: {}, genre: {} }, template: '{{taste}} {{genre}}' }
    resources:
      shop://about: { text: other, title: About }
      shop://all/{id}: { text: '{{id}}' }
";
const LINES: &str = "\
~ server: version, instructions
~ tool find: description, inputSchema.properties.limit.maximum
+ tool more
- tool gone
~ prompt advise: arguments.genre added
~ resource shop://about: title added
+ template shop://all/{id}
- template shop://books/{id}
";

fn old() -> Spec {
    Spec::new(OLD).file("db.sql", "CREATE TABLE t (x);")
}

/// `mcp-declare diff SPEC NEW`, the new text beside the old one.
async fn diff(spec: &Spec, new: &str, arguments: &[&str]) -> Output {
    spec.put("new.yaml", new);
    let path = spec.folder().join("new.yaml");
    spec.run("diff", &[&[path.to_str().unwrap()], arguments].concat()).await
}

#[tokio::test]
async fn what_clients_would_see_change_is_printed() {
    let spec = old();
    for offline in [&["--offline"][..], &[]] {
        let said = diff(&spec, NEW, offline).await;
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, LINES, ""));
        let said = diff(&spec, &OLD.replace("count(*)", "sum(x)"), offline).await;
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""), "only what runs differs");
    }
    assert!(!spec.folder().join("db.sqlite").exists(), "nothing is created");
}

#[tokio::test]
async fn mistakes_are_told_at_their_place_in_either_file() {
    let spec = old();
    let faulty = NEW.replace("title: About", "titel: About");
    let said = diff(&spec, &faulty, &[]).await;
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("new.yaml:14:36") && said.err.contains("unknown key `titel`"), "{}", said.err);
    let spec = spec.with(&OLD.replace("gone: { text", "gone: { txt"));
    let said = diff(&spec, &faulty, &[]).await;
    assert_eq!(said.code, 2);
    assert!(said.err.contains("spec.yaml:") && said.err.contains("unknown key `txt`"), "{}", said.err);
    assert!(said.err.contains("new.yaml:") && said.err.contains("unknown key `titel`"), "both: {}", said.err);
    let said = spec.run("diff", &["absent.yaml"]).await;
    assert!(said.code == 2 && said.err.contains("absent.yaml"), "{}", said.err);
    let said = spec.run("diff", &[]).await;
    assert!(said.code == 2 && said.err.contains("NEW"), "{}", said.err);
}

#[tokio::test]
async fn a_database_that_is_not_here_is_no_matter_offline() {
    let spec = Spec::new(&OLD.replace(", init: ./db.sql", ""));
    let new = NEW.replace(", init: ./db.sql", "");
    assert_eq!(diff(&spec, &new, &[]).await.code, 2);
    assert_eq!(diff(&spec, &new, &["--offline"]).await.out, LINES);
}

#[tokio::test]
async fn either_spec_may_come_from_standard_input() {
    let spec = Spec::tools("a: { text: a }");
    let fed = async |first: &str, second: &str, text: &str| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        command.args(["diff", first, second]).current_dir(spec.folder()).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Who refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes()).await;
        let output = soon("diff", child.wait_with_output()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let other = "server: { name: test, version: 0.0.1 }\ntools: { b: { text: b } }\n";
    let (code, out, err) = fed("-", "spec.yaml", other).await;
    assert_eq!((code, out.as_str(), err.as_str()), (1, "+ tool a\n- tool b\n", ""));
    let (code, out, _) = fed("spec.yaml", "-", other).await;
    assert_eq!((code, out.as_str()), (1, "+ tool b\n- tool a\n"));
    let (code, out, err) = fed("-", "spec.yaml", "tools: {").await;
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("<stdin>:1:"), "{err}");
    let (code, _, err) = fed("-", "-", other).await;
    assert_eq!((code, err.as_str()), (2, "error: only one of the two can be standard input\n"));
}

#[tokio::test]
async fn a_reload_says_the_same_lines() {
    let spec = old();
    let said = diff(&spec, NEW, &[]).await.out;
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    let mut logging = Process::serve(&spec, &["--log-format", "json", "--log", "info"]);
    logging.initialize("2025-11-25").await;
    spec.write(NEW);
    let last = said.lines().last().unwrap();
    let heard = server.says(&format!("{last}\n")).await;
    let summary = "mcp-declare: reloaded shop 1.1.0 (3 tools, 2 resources, 1 prompt), generation ";
    let after = &heard[heard.find(summary).unwrap_or_else(|| panic!("{heard}"))..];
    let (first, rest) = after.split_once('\n').unwrap();
    assert!(first.ends_with(", changed: tools, resources, prompts"), "{first}");
    assert_eq!(rest, said);

    let log = logging.heard();
    let messages = || -> Vec<String> {
        let entries: Vec<Value> = log.borrow().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        entries.iter().map(|entry| entry["fields"]["message"].as_str().unwrap().to_owned()).collect()
    };
    until("the last line", async || messages().last().is_some_and(|words| words == last)).await;
    let first = messages().iter().position(|words| words.starts_with(summary)).unwrap();
    assert_eq!(messages()[first + 1..].join("\n") + "\n", said);
    let heard = logging.stderr();
    assert!(!heard.contains("\n~ "), "as JSON alone: {heard}");
}

#[tokio::test]
async fn a_long_list_of_changes_is_cut_in_the_log() {
    let tools = |count: usize| (0..count).map(|n| format!("t{n}: {{ text: x }}\n")).collect::<String>();
    let spec = Spec::tools("a: { text: a }");
    let mut client = spec.stdio(Era::Legacy).await;
    spec.write(&crate::harness::spec::tools(&tools(150)));
    let heard = client.process().says("more\n").await;
    // 150 came, one went, and the version is another.
    assert!(heard.ends_with("+ tool t98\nand 52 more\n"), "{heard}");
    assert_eq!(client.text("t149", json!({})).await, "x");
}
