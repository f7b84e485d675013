//! Steps side by side, for each item of a list, under conditions, with a time, and after errors: over stdio and HTTP,
//! in both eras.

mod asks;
mod bounds;

use std::path::Path;

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

use crate::harness::{Era, Spec, everywhere, request, until};
use crate::steps::talk::{Talk, able};

/// A line of shell that waits for a file.
fn wait_for(file: &str) -> String {
    format!("n=0; while [ ! -s {file} ] && [ $n -lt 1000 ]; do sleep 0.02; n=$((n+1)); done; ")
}

/// Waits until the processes whose ids stand in these files are gone.
async fn gone(folder: &Path, files: &[&str]) {
    for file in files {
        let path = folder.join(file);
        let read = || std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        until("a process id", async || read().is_some()).await;
        let pid = Pid::from_raw(read().unwrap()).unwrap();
        until("the end of a process", async || test_kill_process(pid).is_err()).await;
    }
}

#[tokio::test]
async fn a_step_is_done_for_each_item_of_a_list() {
    let spec = Spec::tools(
        r#"
        double: { params: { n: integer }, text: '{{n}}{{n}}' }
        tidy: { params: { word: string }, text: '{{upper word}}', result: { jq: '{word: .}' } }
        each:
          params:
            numbers: { type: array, items: { type: integer } }
            words: { type: array, items: { type: string }, optional: true }
          steps:
            - { forEach: numbers, as: doubled, call: double, with: { n: '{{item}}' } }
            - { forEach: doubled, as: lines, concurrency: 3, text: '{{index}}: {{item}}' }
            - { forEach: words, as: tidied, call: tidy, with: { word: '{{item}}' } }
            - { forEach: tidied, as: again, exec: { command: [printf, '%s', '{{item.word}}'] } }
            - forEach: numbers
              as: groups
              steps: [{ text: 'n{{item}}', as: a }, { text: '{{a}}!', as: b }]
            - { forEach: numbers, as: odd, when: '.item % 2 == 1', text: '{{item}}' }
            - { forEach: groups.0.a, as: never, when: words, text: x, onError: continue }
            - { forEach: numbers, log: 'number {{item}}' }
        pairs:
          params: { rows: { type: array, items: { type: object } } }
          steps:
            - { steps: [{ forEach: rows, as: names, text: '{{item.name}}' }], as: inner }
            - { forEach: inner.names, as: loud, text: '{{upper item}}!' }
            - { forEach: rows, as: both, parallel: [{ text: '{{item.name}}', as: a }, { text: '{{index}}', as: b }] }
        script:
          params: { list: { type: array, items: { type: string } } }
          steps: [{ forEach: list, as: said, concurrency: 4, shell: { script: 'printf "%s:%s" "$index" "$item"' } }]
        "#,
    );
    everywhere(&spec, async |client| {
        let given = json!({ "numbers": [1, 2, 3], "words": ["ab", "cd"] });
        let mut answer = client.json("each", given).await;
        assert_eq!(answer["never"].take(), Value::Null);
        assert_eq!(answer["errors"].take(), json!({ "never": "`forEach` takes a list, `groups.0.a` is a text" }));
        let expected = json!({
            "doubled": ["11", "22", "33"],
            "lines": ["0: 11", "1: 22", "2: 33"],
            "tidied": [{ "word": "AB" }, { "word": "CD" }],
            "again": ["AB", "CD"],
            "groups": [{ "a": "n1", "b": "n1!" }, { "a": "n2", "b": "n2!" }, { "a": "n3", "b": "n3!" }],
            "odd": ["1", null, "3"],
            "never": null,
            "errors": null,
        });
        assert_eq!(answer, expected);
        let nothing = client.json("each", json!({ "numbers": [] })).await;
        assert_eq!(
            (&nothing["doubled"], &nothing["tidied"]),
            (&json!([]), &json!([])),
            "what is left out has no items"
        );
        let pairs = client.json("pairs", json!({ "rows": [{ "name": "x" }, { "name": "y" }] })).await;
        assert_eq!(pairs["loud"], json!(["X!", "Y!"]));
        assert_eq!(pairs["both"], json!([{ "a": "x", "b": "0" }, { "a": "y", "b": "1" }]));
        let list: Vec<String> = (0..20).map(|n| format!("{n} $(date) '\"")).collect();
        let said: Vec<String> = list.iter().enumerate().map(|(at, item)| format!("{at}:{item}")).collect();
        assert_eq!(client.json("script", json!({ "list": list })).await["said"], json!(said));
    })
    .await;
}

#[tokio::test]
async fn items_run_at_the_same_time_as_many_as_allowed() {
    let meet = wait_for("here-$((3 - index))");
    let spec = Spec::tools(&format!(
        "
        meet:
          params: {{ list: {{ type: array }} }}
          steps: [{{ forEach: list, concurrency: 4, shell: {{ script: 'echo x > here-$index; {meet} rm -f here-$((3 - index))' }} }}]
        count:
          params: {{ list: {{ type: array }} }}
          steps:
            - forEach: list
              concurrency: 2
              shell: {{ script: 'echo x > run-$index; ls run-* | wc -l >> counts; rm run-$index' }}
        "
    ));
    let client = spec.stdio(Era::Legacy).await;
    client.json("meet", json!({ "list": [0, 1, 2, 3] })).await;
    client.json("count", json!({ "list": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })).await;
    let counts: Vec<u32> = spec.get("counts").lines().map(|line| line.trim().parse().unwrap()).collect();
    assert_eq!(counts.len(), 10);
    assert!(counts.iter().all(|count| (1..=2).contains(count)), "{counts:?}");
}

#[tokio::test]
async fn steps_side_by_side_share_their_names_afterwards() {
    let (one, two) = (wait_for("two-$who"), wait_for("one-$who"));
    let spec = Spec::tools(&format!(
        "
        both:
          params: {{ who: string, loud: {{ type: boolean, default: false }} }}
          steps:
            - parallel:
                - {{ shell: {{ script: 'echo x > one-$who; {one} printf first' }}, as: one }}
                - {{ shell: {{ script: 'echo x > two-$who; {two} printf second' }}, as: two }}
                - {{ when: loud, text: loud, as: how }}
                - {{ parallel: [{{ text: deep, as: deep }}] }}
            - {{ parallel: [{{ text: a, as: a }}, {{ text: b, as: b }}], as: pair, concurrency: 1 }}
            - {{ parallel: [{{ text: c, as: c }}], when: loud }}
            - {{ text: '{{{{one}}}} {{{{two}}}} {{{{deep}}}} {{{{pair.b}}}}', as: all }}
        "
    ));
    everywhere(&spec, async |client| {
        let who = format!("w{}", spec.version());
        let answer = client.json("both", json!({ "who": who })).await;
        let expected = json!({
            "one": "first", "two": "second", "how": null, "deep": "deep", "pair": { "a": "a", "b": "b" }, "c": null,
            "all": "first second deep b",
        });
        assert_eq!(answer, expected);
    })
    .await;
}

#[tokio::test]
async fn the_first_failure_ends_the_others() {
    let pid = wait_for("pid");
    let spec = Spec::tools(&format!(
        "
        side:
          steps:
            - {{ text: x, as: before }}
            - parallel:
                - {{ shell: {{ script: 'echo $$ > pid; exec sleep 600', timeout: 10m }}, as: slow }}
                - {{ text: x, as: quick }}
                - {{ steps: [{{ text: x, as: x }}, {{ sleep: 10m }}], as: inner }}
                - {{ shell: {{ script: '{pid} echo sorry >&2; exit 3' }}, as: bad }}
            - {{ shell: {{ script: 'echo x > after' }} }}
        items:
          steps:
            - {{ exec: {{ command: [printf, '[1, 2, 3]'] }}, as: text }}
            - call: bad_item
              with: {{ list: [0, 1, 2, 3] }}
              as: called
        bad_item:
          params: {{ list: {{ type: array }} }}
          steps:
            - forEach: list
              as: all
              shell: {{ script: 'test $item -lt 2 || {{ echo too many >&2; exit 4; }}' }}
        "
    ));
    let client = spec.stdio(Era::Legacy).await;
    let words = client.fails("side", json!({})).await;
    assert_eq!(
        words,
        "`step-2.bad`: `script` ended with status 3: sorry\ndone before it: `before`, `step-2.quick`, `step-2.inner.x`"
    );
    gone(spec.folder(), &["pid"]).await;
    assert!(!spec.folder().join("after").exists());
    let words = client.fails("items", json!({})).await;
    assert_eq!(
        words,
        "`called.all.2`: `script` ended with status 4: too many\ndone before it: `text`, `called.all.0`, `called.all.1`"
    );
}

#[tokio::test]
async fn conditions_are_names_or_predicates() {
    let spec = Spec::tools(
        r#"
        ask:
          params: { n: integer, tags: { type: array, optional: true } }
          steps:
            - { exec: { command: [printf, '{{n}}'] }, as: said }
            - { when: '.n > 2 and .said != ""', text: large, as: large }
            - { when: '(.tags // []) | any(. == "new")', text: new, as: new }
            - { when: tags, text: tagged, as: tagged }
            - { when: '.large == null', text: small, as: small }
            - { when: '.tags | length', text: never, as: never }
        "#,
    );
    everywhere(&spec, async |client| {
        let words = client.fails("ask", json!({ "n": 3, "tags": ["new"] })).await;
        assert_eq!(
            words,
            "`never`: `when` has to be true or false, `.tags | length` gave 1\n\
             done before it: `said`, `large`, `new`, `tagged`"
        );
        let words = client.fails("ask", json!({ "n": 1 })).await;
        assert!(words.ends_with("gave 0\ndone before it: `said`, `small`"), "{words}");
    })
    .await;
}

/// Tools that fail, and what follows.
fn failing() -> Spec {
    Spec::tools(
        r#"
        fail: { params: { why: { type: string, default: sorry } }, shell: { script: 'echo "$why" >&2; exit 3' } }
        note: { params: { text: string, n: { type: integer, optional: true } }, shell: { script: 'echo "$n:$text" >> notes' } }
        goes_on:
          steps:
            - { call: fail, as: answer, onError: continue }
            - { call: fail, onError: continue }
            - { text: fine, as: fine, onError: continue }
            - { when: '.answer == null', text: 'but {{errors.answer}}', as: but }
            - { forEach: fine_list, as: all, call: fail, with: { why: 'no {{item}}' }, onError: continue }
            - { parallel: [{ call: fail, as: left, onError: continue }, { text: ok, as: right }] }
          params: { fine_list: { type: array } }
        undoes:
          steps:
            - { text: x, as: begun }
            - steps: [{ text: y, as: made }, { call: fail, as: broken }]
              as: work
              onError: { call: note, with: { text: 'undo: {{error}}', n: 7 } }
            - { call: note, with: { text: never } }
        undoes_items:
          params: { list: { type: array } }
          steps:
            - forEach: list
              shell: { script: 'test "$item" != bad' }
              onError: { call: note, with: { text: '{{item}}', n: '{{index}}' } }
        fails_twice: { steps: [{ call: fail, onError: { call: fail, with: { why: 'also this' } } }] }
        out_of_print: { content: { type: text, text: gone }, isError: true }
        shows: { steps: [{ text: x, as: a }, { call: out_of_print }] }
        "#,
    )
}

#[tokio::test]
async fn steps_go_on_after_an_error_where_the_spec_says_so() {
    everywhere(&failing(), async |client| {
        let sorry = "`script` ended with status 3: sorry";
        let answer = client.json("goes_on", json!({ "fine_list": ["a", "b"] })).await;
        let expected = json!({
            "answer": null, "fine": "fine", "but": format!("but {sorry}"), "all": [null, null], "left": null, "right": "ok",
            "errors": {
                "answer": sorry, "step-2": sorry, "left": sorry,
                "all": { "0": sorry.replace("sorry", "no a"), "1": sorry.replace("sorry", "no b") },
            },
        });
        assert_eq!(answer, expected);
    })
    .await;
}

#[tokio::test]
async fn a_tool_undoes_what_was_done() {
    let spec = failing();
    everywhere(&spec, async |client| {
        let inner = "`broken`: `script` ended with status 3: sorry\ndone before it: `made`";
        let words = client.fails("undoes", json!({})).await;
        let expected = "`work.broken`: `script` ended with status 3: sorry\n\
                        done before it: `begun`, `work.made`\n`note` was called after it";
        assert_eq!(words, expected);
        assert_eq!(spec.get("notes"), format!("7:undo: {inner}\n"));
        std::fs::remove_file(spec.folder().join("notes")).unwrap();
        let words = client.fails("undoes_items", json!({ "list": ["ok", "bad", "ok"] })).await;
        assert_eq!(
            words,
            "`step-1.1`: `script` ended with status 1\ndone before it: `step-1.0`\n`note` was called after it"
        );
        assert_eq!(spec.get("notes"), "1:bad\n");
        std::fs::remove_file(spec.folder().join("notes")).unwrap();
        let words = client.fails("fails_twice", json!({})).await;
        let expected = "`step-1`: `script` ended with status 3: sorry\n\
                        `fail` was called after it and failed: `script` ended with status 3: also this";
        assert_eq!(words, expected);
        let answer = client.call("shows", json!({})).await;
        assert_eq!((&answer["isError"], &answer["content"][0]["text"]), (&json!(true), &json!("gone")));
        assert_eq!(answer["content"][1]["text"], "`step-2` failed\ndone before it: `a`", "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_taken_back_ends_all_its_branches() {
    let spec = Spec::tools(
        "
        slow:
          params: { list: { type: array } }
          steps:
            - parallel:
                - { forEach: list, concurrency: 2, shell: { script: 'echo $$ > pid-$index; exec sleep 600', timeout: 10m } }
                - { shell: { script: 'echo $$ > pid-2; exec sleep 600', timeout: 10m }, onError: { call: undo } }
                - { sleep: 10m, onError: continue }
            - { shell: { script: 'echo x > after' } }
        undo: { shell: { script: 'echo x > after' } }
        ",
    );
    let mut talk = Talk::stdio(&spec, Era::Legacy, able()).await;
    let process = talk.process();
    process.send(&request(50, "tools/call", json!({ "name": "slow", "arguments": { "list": [1, 2] } }))).await;
    for file in ["pid-0", "pid-1", "pid-2"] {
        until("a running step", async || {
            std::fs::read_to_string(spec.folder().join(file)).is_ok_and(|t| !t.is_empty())
        })
        .await;
    }
    let cancelled = json!({ "requestId": 50, "reason": "enough" });
    process.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled })).await;
    gone(spec.folder(), &["pid-0", "pid-1", "pid-2"]).await;
    process.close_stdin();
    assert_eq!(process.exit().await, 0);
    assert!(!spec.folder().join("after").exists());
}
