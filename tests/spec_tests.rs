//! `mcp-declare test`: what a spec expects of itself.

use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::upstream::{Reply, Upstream, json as answer};
use crate::harness::{Process, Spec, soon};

const SHOP: &str = "
    CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
    INSERT INTO books VALUES (1, 'Dune'), (2, 'Emma');
";

/// A shop whose database is built by a script.
fn shop(rest: &str) -> Spec {
    let head = "
sources: { db: { sql: 'sqlite:./shop.db', init: ./shop.sql } }
tools:
  find:
    params: { words: { type: string, minLength: 2 } }
    sql: { source: db, query: \"SELECT id, title FROM books WHERE title LIKE '%' || :words || '%' ORDER BY id\" }
  add:
    params: { title: string }
    sql: { source: db, query: 'INSERT INTO books (title) VALUES (:title)', returns: affected }
  count: { sql: { source: db, query: 'SELECT count(*) FROM books', returns: value } }
  clear: { confirm: 'Really?', sql: { source: db, query: 'DELETE FROM books', returns: affected } }
  sum_up:
    params: { text: string }
    steps:
      - { sample: { prompt: '{{text}}', maxTokens: 9 }, as: said }
      - { ask: { message: Which size?, schema: { type: object, properties: { size: { type: string } } } }, as: size }
    result: { jq: '{said: .said, size: .size}' }
resources:
  shop://about: { text: A small shop }
  shop://books/{id}: { sql: { source: db, query: 'SELECT * FROM books WHERE id = :id', returns: row } }
prompts:
  recommend:
    arguments: { genre: { enum: [crime, sea stories] } }
    template: 'Recommend {{genre}}.'
";
    Spec::new(&format!("{head}tests:\n{rest}")).file("shop.sql", SHOP)
}

#[tokio::test]
async fn tests_that_hold_pass() {
    let spec = shop(
        "  part: { call: find, with: { words: un }, expect: { rows: [{ title: Dune }] } }
  whole: { call: count, exact: 2 }
  predicate: { call: find, with: { words: mm }, jq: '.rows[0].title == \"Emma\" and .rowCount == 1' }
  refused: { call: find, with: { words: x }, error: at least 2 characters }
  resource: { read: 'shop://about', text: [small, shop] }
  template: { read: 'shop://books/2', expect: { title: Emma } }
  absent: { read: 'shop://books/9', error: '' }
  prompt: { prompt: recommend, with: { genre: crime }, text: Recommend crime. }
  completed: { complete: { prompt: recommend, argument: genre, value: se }, exact: { values: [sea stories] } }
  yes: { call: clear, answers: [accept], expect: { affected: 2 } }
  no: { call: clear, answers: [decline], error: '' }
  asked: { call: sum_up, with: { text: x }, answers: [{ says: Fine. }, { accept: { size: big } }], jq: '.said == \"Fine.\" and .size.content.size == \"big\"' }
",
    );
    let run = spec.run("test", &[]).await;
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert!(run.out.ends_with("ok    asked\n12 tests passed\n"), "{}", run.out);
    // Nothing that anybody keeps was made or changed.
    assert!(!spec.folder().join("shop.db").exists());
}

#[tokio::test]
async fn each_test_finds_the_database_as_it_was() {
    let spec = shop(
        "  adds: { call: add, with: { title: Persuasion }, expect: { affected: 1 } }
  counts: { call: count, exact: 2 }
",
    );
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 0, "{}", run.out);
    let fixture = "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL);";
    let text = spec.get("spec.yaml").replace("init: ./shop.sql", "init: ./shop.sql, fixtures: ./empty.sql");
    let spec = spec.with(&text.replace("exact: 2", "exact: 0")).file("empty.sql", fixture);
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 0, "{}", run.out);
}

#[tokio::test]
async fn a_database_without_a_script_is_only_read() {
    let spec = shop("  adds: { call: add, with: { title: X }, expect: { affected: 1 } }\n");
    assert_eq!(spec.run("call", &["count"]).await.out, "2\n");
    spec.write(&spec.get("spec.yaml").replace(", init: ./shop.sql", ""));
    let run = spec.run("test", &[]).await;
    assert!(run.code == 1 && run.out.contains("it failed: ") && run.out.contains("it failed: "), "{run:?}");
    assert_eq!(spec.run("call", &["count"]).await.out, "2\n");
}

#[tokio::test]
async fn tests_that_do_not_hold_say_why_and_where() {
    let spec = shop(
        "  part: { call: find, with: { words: un }, expect: { rows: [{ title: Done }], rowCount: 2 } }
  whole: { call: count, exact: { n: 2 } }
  words: { read: 'shop://about', text: large }
  broken: { call: find, with: { words: x } }
  sound: { call: count, error: no }
  other: { call: find, with: { words: x }, error: too long }
  predicate: { call: count, jq: '. > 5' }
  unasked: { call: count, answers: [accept] }
  silent: { call: clear, error: '' }
",
    );
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 1);
    let expected = r#"FAIL  part
      spec.yaml:AT
      rows[0]: no element is {"title":"Done"}; the next one: title: expected "Done", got "Dune"
      rowCount: expected 2, got 1
FAIL  whole
      spec.yaml:AT
      expected {"n":2}, got 2
FAIL  words
      spec.yaml:AT
      expected the text to have `large` in it, got: A small shop
FAIL  broken
      spec.yaml:AT
      it failed: `words` must have at least 2 characters, got 1
FAIL  sound
      spec.yaml:AT
      an error was expected, got 2
FAIL  other
      spec.yaml:AT
      expected the error to have `too long` in it, got: `words` must have at least 2 characters, got 1
FAIL  predicate
      spec.yaml:AT
      expected the jq program to give true, it gives false for 2
FAIL  unasked
      spec.yaml:AT
      1 of its `answers` were not asked for
FAIL  silent
      spec.yaml:AT
      the test has no answer for the question "Really?"
9 tests failed, 0 passed
"#;
    let out: Vec<String> = run
        .out
        .lines()
        .map(|line| match line.split_once("spec.yaml:") {
            Some(_) => "      spec.yaml:AT".to_owned(),
            None => line.to_owned(),
        })
        .collect();
    assert_eq!(out.join("\n") + "\n", expected);
    assert!(run.out.contains("spec.yaml:26:3\n"), "{}", run.out);
}

#[tokio::test]
async fn snapshots_are_kept_compared_and_renewed() {
    let spec = shop("  all: { call: find, with: { words: un }, snapshot: true }\n");
    let run = spec.run("test", &[]).await;
    assert!(run.code == 1 && run.out.contains("no answer was kept yet: `--update` keeps this one"), "{}", run.out);
    assert_eq!(spec.run("test", &["--update"]).await.code, 0);
    let kept: Value = serde_json::from_str(&spec.get("spec.snapshots/all.json")).unwrap();
    assert_eq!(kept["rows"], json!([{ "id": 1, "title": "Dune" }]));
    assert_eq!(spec.run("test", &[]).await.code, 0);
    spec.put("shop.sql", SHOP.replace("Dune", "Sundial"));
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 1);
    assert!(
        run.out.contains("-      \"title\": \"Dune\"\n") && run.out.contains("+      \"title\": \"Sundial\"\n"),
        "{}",
        run.out
    );
}

#[tokio::test]
async fn apis_are_recorded_once_and_answer_from_the_recording() {
    let upstream = Upstream::start(|asked| {
        answer(format!(
            "{{\"path\":\"{}\",\"sent\":{:?},\"token\":\"{}\"}}",
            asked.path(),
            asked.text(),
            asked.header("authorization")
        ))
    })
    .await;
    let text = "
sources: { api: { http: '${API}', auth: { bearer: '${TOKEN}' }, query: { key: '${KEY}' } } }
tools:
  get: { params: { id: string }, http: { source: api, request: 'GET /things/{id}' } }
  put: { params: { name: string }, http: { source: api, request: POST /things, json: { name: '{{name}}' } } }
tests:
  gets: { call: get, with: { id: a b }, expect: { path: /v1/things/a%20b } }
  puts: { call: put, with: { name: x }, expect: { sent: '{\"name\":\"x\"}' } }
";
    let recorded =
        Spec::new(text).env("API", &upstream.url("/v1")).env("TOKEN", "s3cret-token").env("KEY", "s3cret-key");
    let run = recorded.run("test", &[]).await;
    let missing = "there is no recording of GET ${API}/things/a%20b?key=***: make one with `mcp-declare test --record`";
    assert!(run.code == 1 && run.out.contains(missing), "{}", run.out);
    assert!(upstream.asked().is_empty());

    let run = recorded.run("test", &["--record"]).await;
    assert_eq!((run.code, run.err.as_str()), (0, "recorded 2 answers\n"), "{}", run.out);
    assert_eq!(upstream.asked().len(), 2);
    let tape = recorded.get("spec.recordings.json");
    assert!(!tape.contains("s3cret") && !tape.contains(&upstream.port.to_string()), "{tape}");

    // Elsewhere, without the API and without its secrets.
    let elsewhere = Spec::new(text).file("spec.recordings.json", &tape);
    let elsewhere = elsewhere.env("API", "http://127.0.0.1:9/v1").env("TOKEN", "none").env("KEY", "none");
    let run = elsewhere.run("test", &[]).await;
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(upstream.asked().len(), 2);
    assert_eq!(recorded.run("test", &["--live"]).await.code, 0);
    assert_eq!(upstream.asked().len(), 4);
}

#[tokio::test]
async fn a_recording_keeps_the_order_the_links_and_what_other_tests_have() {
    let count = AtomicUsize::new(0);
    let upstream = Upstream::start(move |asked| match asked.path() {
        "/pages" => {
            let page: u64 = asked.param("page").map_or(1, |page| page.parse().unwrap());
            let link = format!("<http://{}/pages?page={}>; rel=\"next\"", asked.header("host"), page + 1);
            let reply = Reply::json(&json!([page]));
            if page < 3 { reply.header("link", link) } else { reply }
        }
        _ => Reply::json(&json!({ "n": count.fetch_add(1, Ordering::SeqCst), "said": asked.text() })),
    })
    .await;
    let text = "
sources: { api: { http: '${API:-https://api.invalid}', auth: { basic: { username: ada, password: '${PASSWORD}' } } } }
tools:
  count: { http: { source: api, request: GET /count } }
  twice: { steps: [{ call: count, as: one }, { call: count, as: two }], result: { jq: '[.one.n, .two.n]' } }
  pages: { http: { source: api, request: GET /pages, paginate: { link: true, maxPages: 5 } } }
  tell: { params: { words: string }, http: { source: api, request: POST /tell, json: { words: '{{words}}' } } }
tests:
  twice: { call: twice, jq: '.[1] == .[0] + 1' }
  pages: { call: pages, exact: [1, 2, 3] }
  tells: { call: tell, with: { words: my pa55-word and YWRhOnBhNTUtd29yZA== }, text: words }
";
    let spec = Spec::new(text).env("API", &upstream.url("")).env("PASSWORD", "pa55-word");
    let run = spec.run("test", &["--record"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let tape = spec.get("spec.recordings.json");
    for hidden in ["pa55-word", "YWRhOnBhNTUtd29yZA", &upstream.port.to_string()] {
        assert!(!tape.contains(hidden), "{hidden}: {tape}");
    }
    assert!(tape.contains("GET https://api.invalid/pages?page=2"), "{tape}");
    // One test recorded anew leaves those of the others.
    assert_eq!(spec.run("test", &["pages", "--record"]).await.code, 0);
    assert_eq!(spec.get("spec.recordings.json"), tape);
    let asked = upstream.asked().len();
    // Elsewhere, and at the address that the spec itself has.
    for elsewhere in [spec.env("API", "http://127.0.0.1:9"), Spec::new(text).file("spec.recordings.json", &tape)] {
        let run = elsewhere.env("PASSWORD", "pa55-word").run("test", &[]).await;
        assert_eq!(run.code, 0, "{run:?}");
    }
    assert_eq!(upstream.asked().len(), asked);
}

#[tokio::test]
async fn folders_toml_and_standard_input_have_tests_too() {
    let upstream = Upstream::start(|_| answer("{\"n\": 1}")).await;
    let yaml = "
server: { name: shop }
sources: { api: { http: '${API:-https://api.invalid}' } }
tools: { get: { http: { source: api, request: GET /n } } }
tests: { gets: { call: get, exact: { n: 1 }, snapshot: true } }
";
    let toml = "
server = { name = 'shop' }
sources.api.http = '${API:-https://api.invalid}'
tools.get.http = { source = 'api', request = 'GET /n' }
tests.gets = { call = 'get', exact = { n = 1 }, snapshot = true }
";
    for (name, content) in [("shop/spec.yaml", yaml), ("spec.toml", toml)] {
        let spec = Spec::named("shop", "").env("API", &upstream.url(""));
        std::fs::remove_file(spec.folder().join("shop")).unwrap();
        spec.put(name, content);
        let path = spec.folder().join(name.split('/').next().unwrap());
        let test = async |more: &[&str], api: &str| {
            let mut run = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
            let run = run.arg("test").arg(&path).args(more).env("API", api).output();
            soon("the tests", run).await.unwrap()
        };
        let recorded = test(&["--record", "--update"], &upstream.url("")).await;
        assert!(recorded.status.success(), "{recorded:?}");
        let replayed = test(&[], "http://127.0.0.1:9").await;
        assert!(replayed.status.success(), "{replayed:?}");
    }
    let mut run = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    let mut run = run.args(["test", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = "server: { name: x }\ntools: { a: { text: A }, b: { text: B } }\ntests: { a: { call: a, exact: A }, b: { call: b, exact: B } }\n";
    run.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = soon("the tests", run.wait_with_output()).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "ok    a\nok    b\n2 tests passed\n");
}

#[tokio::test]
async fn some_tests_can_be_chosen_and_told_to_machines() {
    let spec = shop("  one: { call: count, exact: 2 }\n  two: { call: count, exact: '<3' }\n");
    let run = spec.run("test", &["one"]).await;
    assert_eq!((run.code, run.out.as_str()), (0, "ok    one\n1 test passed\n"));
    let run = spec.run("test", &["tow"]).await;
    assert_eq!((run.code, run.err.as_str()), (1, "error: there is no test `tow`; did you mean `two`?\n"));
    let file = spec.folder().join("out.xml");
    let run = spec.run("test", &["--junit", file.to_str().unwrap()]).await;
    assert_eq!(run.code, 1);
    let xml = spec.get("out.xml");
    assert!(xml.contains("tests=\"2\" failures=\"1\"") && xml.contains("expected &quot;&lt;3&quot;, got 2"), "{xml}");
    let none = Spec::tools("hello: { text: x }").run("test", &[]).await;
    assert_eq!((none.code, none.err.as_str()), (1, "error: this spec has no `tests`\n"));
}

#[tokio::test]
async fn watching_runs_them_again_after_an_edit() {
    let spec = shop("  one: { call: count, exact: 3 }\n");
    let mut child = Process::command(&spec, "test");
    let mut child =
        child.arg("--watch").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = String::new();
    let mut hear = async |wanted: &str| {
        let heard = async {
            while !said.contains(wanted) {
                let mut bytes = [0; 512];
                let count = out.read(&mut bytes).await.unwrap();
                assert!(count > 0, "{said}");
                said.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        };
        soon(wanted, heard).await;
    };
    hear("1 test failed").await;
    spec.write(&spec.get("spec.yaml").replace("exact: 3", "exact: 2"));
    hear("1 test passed").await;
    let sound = spec.get("spec.yaml");
    spec.write("server: { name: [");
    spec.write(&sound.replace("exact: 2", "exact: two"));
    hear("expected \"two\", got 2").await;
    child.kill().await.unwrap();
}
