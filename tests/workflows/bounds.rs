//! Times, numbers and depths; what the lists say of workflows; what `--explain` shows.

use serde_json::{Value, json};

use super::gone;
use crate::harness::{Era, Spec, everywhere};

#[tokio::test]
async fn a_time_holds_over_all_that_is_in_it() {
    let spec = Spec::tools(
        "
        step:
          steps:
            - { text: x, as: before }
            - steps:
                - { text: y, as: made }
                - { shell: { script: 'echo $$ > pid-a; exec sleep 600', timeout: 10m } }
              timeout: 300ms
              as: slow
        tool:
          timeout: 300ms
          steps:
            - { text: x, as: before }
            - parallel:
                - { shell: { script: 'echo $$ > pid-b; exec sleep 600', timeout: 10m } }
                - { sleep: 10m }
        late:
          steps:
            - { sleep: 10m, timeout: 10ms, onError: continue }
            - { text: done, as: done }
        outer: { timeout: 300ms, steps: [{ call: inner, onError: continue }] }
        inner: { timeout: 10m, steps: [{ sleep: 10m }] }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    let words = client.fails("step", json!({})).await;
    assert_eq!(words, "`slow`: took longer than 300ms\ndone before it: `before`, `slow.made`");
    let words = client.fails("tool", json!({})).await;
    assert_eq!(words, "took longer than 300ms\ndone before it: `before`");
    // A machine may be too busy to have begun with them.
    let began = |file: &&&str| std::fs::read_to_string(spec.folder().join(file)).is_ok_and(|text| !text.is_empty());
    for file in ["pid-a", "pid-b"].iter().filter(began) {
        gone(spec.folder(), &[file]).await;
    }
    let late = client.json("late", json!({})).await;
    assert_eq!(late, json!({ "done": "done", "errors": { "step-1": "took longer than 10ms" } }));
    assert_eq!(client.fails("outer", json!({})).await, "took longer than 300ms", "no step goes on after that");
}

#[tokio::test]
async fn too_much_is_an_error_and_nothing_is_left_out() {
    let spec = Spec::tools(
        "
        few:
          params: { list: { type: array } }
          steps: [{ forEach: list, maxItems: 3, shell: { script: 'echo x >> ran' } }]
        many:
          params: { list: { type: array } }
          steps: [{ forEach: list, text: '{{item}}' }]
        squared:
          params: { list: { type: array } }
          steps: [{ forEach: list, call: many, with: { list: '{{list}}' }, onError: continue }, { text: end }]
        large:
          params: { list: { type: array } }
          steps: [{ forEach: list, as: all, exec: { command: [head, -c, '4000000', /dev/zero] } }]
        no_list: { params: { a: { type: object } }, steps: [{ forEach: a.b, text: x }] }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    let list = |count: usize| json!({ "list": vec![1; count] });
    let words = client.fails("few", list(4)).await;
    assert_eq!(words, "`step-1`: `list` has 4 items, at most 3 are taken (maxItems)");
    assert!(!spec.folder().join("ran").exists(), "not even some of them");
    let words = client.fails("many", list(1001)).await;
    assert_eq!(words, "`step-1`: `list` has 1001 items, at most 1000 are taken (maxItems)");
    client.call("many", list(1000)).await;
    let words = client.fails("squared", list(200)).await;
    assert!(words.contains("one call does at most 10000 steps"), "{words}");
    let words = client.fails("large", list(4)).await;
    assert!(words.starts_with("`all.0`: ") || words.contains("the outcomes are together longer than"), "{words}");
    let words = client.fails("no_list", json!({ "a": { "b": 5 } })).await;
    assert_eq!(words, "`step-1`: `forEach` takes a list, `a.b` is a number");
    assert_eq!(client.call("no_list", json!({ "a": {} })).await["isError"], false);
}

#[tokio::test]
async fn annotations_promise_what_every_step_keeps() {
    let spec = Spec::new(
        "
        sources: { shop: { sql: 'sqlite::memory:' } }
        tools:
          look: { text: x }
          act: { shell: { script: ':' } }
          web: { http: { request: 'GET http://127.0.0.1:9/' } }
          put: { write: { path: ./a.txt, text: x } }
          looks: { steps: [{ parallel: [{ call: look }, { text: y }] }, { forEach: list, log: z }], params: { list: { type: array } } }
          asks: { steps: [{ ask: { message: Sure?, schema: { type: object, properties: {} } } }] }
          samples: { steps: [{ sample: { prompt: Hi } }] }
          acts: { steps: [{ parallel: [{ call: look }, { steps: [{ call: act }] }] }] }
          undoes: { steps: [{ call: look, onError: { call: act } }] }
          fetches: { steps: [{ call: look }, { forEach: list, call: web }], params: { list: { type: array } } }
          clears: { annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false }, shell: { script: ':' } }
          cleared: { steps: [{ call: clears }] }
          clears_all: { steps: [{ forEach: list, call: clears }], params: { list: { type: array } } }
          looks_and_clears: { steps: [{ call: look, as: a }, { call: clears }] }
        "
        .replace("          put: { write: { path: ./a.txt, text: x } }\n", "")
        .replace("        sources: { shop: { sql: 'sqlite::memory:' } }\n", "")
        .as_str(),
    );
    let client = spec.stdio(Era::Legacy).await;
    let tools = client.list("tools").await;
    let of = |name: &str| -> Value {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        tool.get("annotations").cloned().unwrap_or_default()
    };
    let inside = json!({ "readOnlyHint": true, "openWorldHint": false });
    assert_eq!((of("looks"), of("asks")), (inside.clone(), inside));
    assert_eq!(of("samples"), json!({ "readOnlyHint": true }));
    assert_eq!((of("acts"), of("undoes")), (Value::Null, Value::Null));
    assert_eq!(of("fetches"), json!({ "readOnlyHint": true, "openWorldHint": true }));
    let clears =
        json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false });
    assert_eq!((of("clears"), of("cleared")), (clears.clone(), clears));
    let cautious = json!({ "readOnlyHint": false, "destructiveHint": true, "openWorldHint": false });
    assert_eq!((of("clears_all"), of("looks_and_clears")), (cautious.clone(), cautious));
}

#[tokio::test]
async fn explain_shows_the_whole_flow() {
    let spec = Spec::tools(
        "
        undo: { text: x }
        flow:
          timeout: 2m
          params: { list: { type: array, items: { type: string } }, loud: boolean }
          steps:
            - { forEach: list, concurrency: 2, maxItems: 9, as: all, call: undo }
            - when: '.loud and (.list | length > 1)'
              timeout: 5s
              onError: { call: undo }
              parallel: [{ text: 'Hello', as: a, onError: continue }, { steps: [{ sleep: 1s }] }]
            - { when: loud, log: x }
        ",
    );
    let explained = spec.run("call", &["flow", "list=a,b", "loud=true", "--explain"]).await;
    let expected = "for at most 120s:\n\
        all (for each of `list`, at most 9, 2 at a time): calls the tool undo\n\
        step-2 (only if `.loud and (.list | length > 1)`; for at most 5s; after an error calls the tool undo and ends): \
        side by side, at most 8 at a time:\n  \
        a (after an error goes on): text of 5 bytes\n  \
        step-2: in order:\n    \
        step-1: waits 1s\n\
        step-3 (only if `loud`): sends a log message\n";
    assert_eq!(explained.out, expected, "{explained:?}");
}

#[tokio::test]
async fn toml_says_the_same() {
    let text = r#"
        [server]
        name = "test"

        [tools.double]
        params = { n = "integer" }
        text = "{{n}}{{n}}"

        [tools.all]
        params = { numbers = { type = "array", items = { type = "integer" } } }
        timeout = "1m"

        [[tools.all.steps]]
        forEach = "numbers"
        concurrency = 2
        as = "doubled"
        call = "double"
        with = { n = "{{item}}" }

        [[tools.all.steps]]
        parallel = [{ text = "a", as = "a" }, { text = "b", as = "b", when = ".numbers | length > 5" }]
        onError = "continue"
    "#;
    let spec = Spec::named("spec.toml", text);
    everywhere(&spec, async |client| {
        let answer = client.json("all", json!({ "numbers": [4, 5] })).await;
        assert_eq!(answer, json!({ "doubled": ["44", "55"], "a": "a", "b": null, "errors": {} }));
    })
    .await;
}
