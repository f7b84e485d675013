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
    assert_eq!(
        (none.code, none.err.as_str()),
        (
            1,
            "error: this spec has no `tests`: write `tests: { finds_tea: { call: find_notes, with: { words: tea }, expect: { … } } }`\n"
        )
    );
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

#[tokio::test]
async fn what_has_no_test_is_named() {
    let spec = shop(
        "  counts: { call: count, exact: 2 }
  reads: { read: 'shop://about', text: small }
  reads_a_book: { read: 'shop://books/1', text: Dune }
  recommends: { prompt: recommend, with: { genre: crime }, text: crime }
",
    );
    assert_eq!(spec.run("test", &[]).await.code, 0);
    let run = spec.run("test", &["--coverage"]).await;
    assert_eq!(run.code, 1);
    let named: Vec<&str> = run.out.lines().filter_map(|line| line.strip_prefix("no test of ")).collect();
    let completion = "completion of genre of prompt recommend";
    assert_eq!(named, ["tool find", "tool add", "tool clear", "tool sum_up", completion]);
}

#[tokio::test]
async fn what_is_left_out_on_this_machine_is_skipped() {
    let spec = Spec::new(
        "
tools:
  here: { text: hello }
  gone: { exec: { command: [no-such-program-on-any-machine], optional: true } }
tests:
  runs: { call: here, exact: hello }
  waits: { call: gone, exact: x }
",
    );
    let run = spec.run("test", &["--junit", spec.folder().join("out.xml").to_str().unwrap()]).await;
    assert_eq!(run.code, 0, "{}", run.err);
    let said = "ok    runs\nskip  waits: the tool `gone` is left out on this machine\n1 test passed, 1 skipped\n";
    assert_eq!(run.out, said);
    assert!(spec.get("out.xml").contains("skipped=\"1\"") && spec.get("out.xml").contains("<skipped message="));
    // Another machine has the program, and made a recording.
    let track = json!({ "request": "GET https://api.invalid/", "status": 200, "headers": [], "text": "x" });
    let recording = json!({ "waits": [track] });
    let spec = spec.file("spec.recordings.json", recording.to_string());
    let run = spec.run("test", &["--record"]).await;
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(serde_json::from_str::<Value>(&spec.get("spec.recordings.json")).unwrap(), recording);
}

#[tokio::test]
async fn tests_that_can_not_fail_or_contradict_themselves_are_refused() {
    for (test, words) in [
        ("{ call: find, with: { words: un }, expect: {} }", "an empty `expect` is a part of every answer"),
        ("{ call: find, with: { words: un }, expect: [] }", "an empty `expect` is a part of every answer"),
        ("{ call: find, with: { words: un }, text: '' }", "an empty text is in every answer"),
        ("{ call: find, with: { words: un }, text: [] }", "expects no text at all"),
        ("{ complete: { prompt: recommend, argument: genre } }", "a completion always has an answer"),
        ("{ read: 'shop://about', with: { id: 1 }, text: shop }", "a resource is read without arguments"),
        ("{ call: clear, answers: [{}] }", "an answer says nothing"),
        ("{ call: clear, answers: [{ says: x, roots: [] }] }", "an answer says one thing, this one says several"),
        ("{ call: find, expct: { rows: [] } }", "did you mean `expect`?"),
        ("{ call: fnd, exact: 1 }", "did you mean `find`?"),
        ("{ call: count, error: x, exact: 1 }", "an error has no structured answer"),
    ] {
        let run = shop(&format!("  one: {test}\n")).run("test", &[]).await;
        assert!(run.code == 1 && run.err.contains(words), "{test}: {}", run.err);
    }
    let slip = shop("  one: { call: find, with: { words: un }, expect: { rowz: [] } }\n").run("test", &[]).await;
    assert!(slip.out.contains("rowz: expected [], there is none; did you mean `rows`?"), "{}", slip.out);
}

#[tokio::test]
async fn snapshots_are_written_only_where_they_change_and_only_of_what_is_right() {
    let spec = shop(
        "  all: { call: find, with: { words: un }, snapshot: true }
  count: { call: count, snapshot: true }
  wrong: { call: count, exact: 7, snapshot: true }
",
    )
    .file("spec.snapshots/forgotten.json", "1\n");
    let first = spec.run("test", &["--update"]).await;
    assert_eq!(first.code, 1);
    let words = |folder: &std::path::Path| format!("no test has the snapshot `forgotten.json` in {}", folder.display());
    assert_eq!(first.err, format!("kept 2 answers\n{}\n", words(&spec.folder().join("spec.snapshots"))));
    assert!(!spec.folder().join("spec.snapshots/wrong.json").exists());
    let time =
        |name: &str| std::fs::metadata(spec.folder().join("spec.snapshots").join(name)).unwrap().modified().unwrap();
    let before = ["all.json", "count.json"].map(time);
    spec.put("shop.sql", SHOP.replace("Dune", "Sundial"));
    let again = spec.run("test", &["--update"]).await;
    assert!(again.err.starts_with("kept 1 answer\n"), "{}", again.err);
    assert!(time("all.json") > before[0] && time("count.json") == before[1]);
}

#[tokio::test]
async fn the_spec_is_read_once_for_all_its_tests() {
    let tests: String = (0..300).map(|n| format!("  t{n}: {{ call: count, exact: 2 }}\n")).collect();
    let spec = shop(&format!("  empties: {{ call: empty }}\n{tests}"));
    let text = spec.get("spec.yaml");
    spec.put("spec.yaml", text.replace("tools:\n", "tools:\n  empty: { shell: { script: ': > spec.yaml' } }\n"));
    let run = spec.run("test", &[]).await;
    assert!(run.code == 0 && run.out.ends_with("301 tests passed\n"), "{}", run.out);
    assert_eq!(spec.get("spec.yaml"), "", "what becomes of the file meanwhile is another run's business");
}

#[tokio::test]
async fn junit_is_what_its_schema_asks_for() {
    let spec = Spec::new(
        "
tools: { odd: { shell: { script: 'printf \"]]>\\001 & \\033[31m <b>\\357\\277\\276\"' } }, long: { shell: { script: 'yes x | head -c 300000' } } }
tests:
  '<\"one\"> &': { call: odd, exact: '' }
  two: { call: odd, text: x }
  three: { call: long, exact: '' }
  four: { call: long }
",
    );
    let run = spec.run("test", &["--junit", spec.folder().join("out.xml").to_str().unwrap()]).await;
    assert_eq!(run.code, 1, "{}", run.err);
    let xml = spec.get("out.xml");
    assert!(xml.len() < 10_000 && xml.chars().all(|c| c == '\n' || (c >= ' ' && c != '\u{fffe}')), "{xml}");
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut order = Vec::new();
    loop {
        let event = reader.read_event().unwrap();
        let element = match &event {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(element) | quick_xml::events::Event::Empty(element) => element,
            _ => continue,
        };
        let names: Vec<String> = element.attributes().map(|pair| pair.unwrap().key.as_ref().to_owned()).collect();
        let name = element.name().as_ref().to_owned();
        let wanted: &[&str] = match name.as_str() {
            "testsuite" => &["name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"],
            "testcase" => &["classname", "name", "time"],
            "failure" => &["type", "message"],
            "properties" | "system-out" | "system-err" => &[],
            other => panic!("{other}: {xml}"),
        };
        assert_eq!(names, wanted, "{xml}");
        order.push(name);
    }
    assert_eq!(
        (&order[..2], &order[order.len() - 2..]),
        (&["testsuite", "properties"].map(str::to_owned)[..], &["system-out", "system-err"].map(str::to_owned)[..])
    );
    assert_eq!(order.iter().filter(|name| *name == "failure").count(), 3);
}

#[tokio::test]
async fn a_recording_holds_no_secret_however_it_comes_back() {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let upstream = Upstream::start(|asked| match asked.path() {
        "/token" => Reply::json(&json!({ "access_token": "tok3n-that-was-issued", "expires_in": 3600 })),
        "/binary" => {
            Reply::new(200, "application/octet-stream", [b"\xff\xfe key=".as_slice(), b"s3cret-key!", b"\xff"].concat())
        }
        "/escaped" => {
            let key = asked.param("key").unwrap_or_default();
            let escaped: String = key.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
            Reply::new(200, "application/json", format!("{{\"said\": \"my {escaped}\"}}"))
        }
        _ => {
            let key = asked.param("key").unwrap_or_default();
            Reply::json(&json!({
                "token": asked.header("authorization"),
                "plain": key,
                "whole": STANDARD.encode(&key),
                "inside": STANDARD.encode(format!("user={key}&more")),
                "shifted": URL_SAFE_NO_PAD.encode(format!("ab:{key}?")),
                "url": asked.target,
            }))
            .header("set-cookie", "session=never-kept")
            .header("x-echo", asked.header("authorization"))
        }
    })
    .await;
    let text = "
sources:
  api:
    http: '${API}'
    query: { key: '${KEY}' }
    auth: { oauth2: { tokenUrl: '${API}/token', clientId: me, clientSecret: '${SECRET}' } }
tools:
  echo: { http: { source: api, request: GET /echo } }
  binary: { http: { source: api, request: GET /binary } }
  escaped: { http: { source: api, request: GET /escaped } }
tests:
  echoes: { call: echo }
  is_escaped: { call: escaped, exact: { said: 'my ***' } }
  is_binary: { call: binary }
";
    let spec = Spec::new(text).env("API", &upstream.url("")).env("KEY", "s3cret-key!").env("SECRET", "cl1ent-secret");
    let run = spec.run("test", &["--record"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let tape = spec.get("spec.recordings.json");
    let encoded = STANDARD.encode("s3cret-key!");
    for hidden in ["s3cret", "tok3n-that", "cl1ent", "never-kept", "s3cret-key%21", encoded.trim_end_matches('=')] {
        assert!(!tape.contains(hidden), "{hidden}: {tape}");
    }
    let all: Value = serde_json::from_str(&tape).unwrap();
    let told: Value = serde_json::from_str(all["echoes"][0]["text"].as_str().unwrap()).unwrap();
    for field in ["whole", "inside", "shifted"] {
        assert!(told[field].as_str().unwrap().contains("***"), "{told}");
    }
    let bytes = STANDARD.decode(all["is_binary"][0]["base64"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, b"\xff\xfe key=***\xff");
}

#[tokio::test]
async fn a_replay_says_how_a_request_differs_and_an_api_that_is_away_takes_no_recording() {
    let upstream = Upstream::start(|_| answer("{\"n\": 1}")).await;
    let text = |path: &str, body: &str| {
        format!(
            "
sources: {{ api: {{ http: '${{API}}' }} }}
tools: {{ put: {{ http: {{ source: api, request: POST {path}, json: {{ a: {body} }} }} }} }}
tests: {{ puts: {{ call: put, exact: {{ n: 1 }} }} }}
"
        )
    };
    let spec = Spec::new(&text("/a", "one")).env("API", &upstream.url(""));
    assert_eq!(spec.run("test", &["--record"]).await.code, 0);
    let tape = spec.get("spec.recordings.json");
    let spec = spec.with(&text("/a", "two"));
    let run = spec.run("test", &[]).await;
    assert!(run.code == 1 && run.out.contains("the one that there is was sent with another body"), "{}", run.out);
    let spec = spec.with(&text("/b", "one"));
    let run = spec.run("test", &[]).await;
    assert!(run.out.contains("no recording of POST ${API}/b: make one"), "{}", run.out);
    assert!(run.out.contains("this test has `POST ${API}/a`"), "{}", run.out);
    let away = spec.env("API", "http://127.0.0.1:9");
    assert_eq!(away.run("test", &["--record"]).await.code, 1);
    assert_eq!(away.get("spec.recordings.json"), tape);
    assert_eq!(upstream.asked().len(), 1);
}

#[tokio::test]
async fn watching_sees_snapshots_and_recordings_and_ends_cleanly() {
    let spec = shop("  one: { call: count, snapshot: true }\n");
    assert_eq!(spec.run("test", &["--update"]).await.code, 0);
    let mut child = Process::command(&spec, "test");
    let mut child = child.arg("--watch").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = String::new();
    let mut hear = async |wanted: &str| {
        let heard = async {
            let mut buffer = [0; 1024];
            while !said.contains(wanted) {
                let read = out.read(&mut buffer).await.unwrap();
                assert!(read > 0, "{said}");
                said.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        };
        soon(wanted, heard).await;
    };
    hear("1 test passed\n").await;
    spec.put("spec.snapshots/one.json", "7\n");
    hear("1 test failed, 0 passed\n").await;
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(soon("the end", child.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn tests_ask_no_mcp_server_over_the_network() {
    let upstream = Upstream::ok().await;
    let text = "
sources: { other: { mcp: '${UPSTREAM}' } }
tools:
  here: { text: hello }
  there: { mcp: { source: other, tool: write } }
tests: { here: { call: here, exact: hello } }
";
    let spec = Spec::new(text).env("UPSTREAM", &upstream.url("/mcp"));
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("tests ask no MCP server over the network (`--live` does)"), "{}", run.err);
    assert!(upstream.asked().is_empty());
}

#[tokio::test]
async fn a_description_that_is_imported_by_url_is_recorded_too() {
    let description = json!({
        "openapi": "3.1.0",
        "info": { "title": "Shop", "version": "1" },
        "servers": [{ "url": "/v1" }],
        "paths": { "/books": { "get": { "operationId": "books", "summary": "All books", "responses": { "200": {
            "description": "Books", "content": { "application/json": { "schema": { "type": "array", "items": {} } } }
        } } } } }
    });
    let upstream = Upstream::start(move |asked| match asked.path() {
        "/api.json" => answer(description.to_string()),
        _ => answer("[\"Dune\"]"),
    })
    .await;
    let url = upstream.url("/api.json");
    let tests = "{ one: { call: books, text: Dune }, two: { call: books, text: Dune } }";
    let spec = Spec::new(&format!("import: [{{ openapi: '{url}' }}]\ntests: {tests}\n"));
    let missing = spec.run("test", &[]).await;
    assert!(missing.code != 0 && missing.err.contains("there is no recording of it"), "{}", missing.err);
    assert!(upstream.asked().is_empty());
    let run = spec.run("test", &["--record"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(upstream.asked().len(), 3, "the description once, its operation for each test");
    let run = spec.run("test", &[]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(upstream.asked().len(), 3);
}
