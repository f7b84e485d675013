//! The keys of `exec` and `shell`: what a command is given, and what its end means.

use serde_json::json;

use crate::harness::{Era, Process, Spec, request, until};

#[tokio::test]
async fn statuses_mean_what_the_spec_says() {
    let spec = Spec::tools(
        "
        status:
          params: { n: integer }
          shell:
            script: 'echo out; echo err >&2; exit \"$n\"'
            okExit: [0, 1]
            errors: { 2: 'there is no number {{n}}', 3: three }
        strict: { exec: { command: [sh, -c, exit 0], okExit: [7] } }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("status", json!({ "n": 0 })).await, "out\n");
    assert_eq!(client.text("status", json!({ "n": 1 })).await, "out\n");
    assert_eq!(client.fails("status", json!({ "n": 2 })).await, "there is no number 2");
    assert_eq!(client.fails("status", json!({ "n": 3 })).await, "three");
    assert_eq!(client.fails("status", json!({ "n": 4 })).await, "`script` ended with status 4: err");
    assert_eq!(client.fails("strict", json!({})).await, "`sh` ended with status 0");
}

#[tokio::test]
async fn stdin_is_a_text_a_param_or_all_arguments() {
    let spec = Spec::tools(
        r#"
        text: { params: { who: string }, exec: { command: [cat], stdin: "Dear {{who}},\n" } }
        param: { params: { body: string }, exec: { command: [cat], stdin: "{{body}}" } }
        all:
          params: { name: string, n: { type: integer, default: 3 }, tags: { type: array, items: { type: string }, optional: true } }
          exec: { command: [cat], stdin: { arguments: json } }
          result: { as: json }
        script: { params: { name: string }, shell: { script: cat, stdin: { arguments: json } } }
        none: { exec: { command: [cat] } }
        "#,
    );
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("text", json!({ "who": "$(id)" })).await, "Dear $(id),\n");
    assert_eq!(client.text("param", json!({ "body": "-n\n{{x}}" })).await, "-n\n{{x}}");
    let given = json!({ "name": "a \"b\"\n", "tags": ["x", "{{y}}"] });
    assert_eq!(client.json("all", given).await, json!({ "name": "a \"b\"\n", "tags": ["x", "{{y}}"], "n": 3 }));
    assert_eq!(client.text("script", json!({ "name": "x" })).await, r#"{"name":"x"}"#);
    assert_eq!(client.text("none", json!({})).await, "");
}

#[tokio::test]
async fn a_folder_by_value_stays_below_its_root() {
    let spec = Spec::tools(
        r#"
        where: { params: { project: string }, exec: { command: [cat, name], cwd: "./projects/{{project}}" } }
        below: { params: { project: string }, exec: { command: [pwd], cwd: "./projects/p-{{project}}/src" } }
        optional: { params: { project: { type: string, optional: true } }, exec: { command: [cat, name], cwd: "./projects/{{project}}" } }
        confined: { params: { project: string }, exec: { command: [cat, name], cwd: "./projects/{{project}}", sandbox: { read: [./projects] } } }
        "#,
    );
    let spec = spec
        .file("projects/one/name", "one\n")
        .file("projects/p-x/src/a", "")
        .file("name", "outside\n")
        .file("projects/name", "root\n");
    std::os::unix::fs::symlink("../..", spec.folder().join("projects/up")).unwrap();
    std::os::unix::fs::symlink("one", spec.folder().join("projects/same")).unwrap();
    let client = spec.stdio(Era::Legacy).await;
    for name in ["one", "same", "./one", "one/../one"] {
        assert_eq!(client.text("where", json!({ "project": name })).await, "one\n", "{name}");
        assert_eq!(client.text("confined", json!({ "project": name })).await, "one\n", "{name}");
    }
    for name in ["..", "../", "one/../..", "/", "/tmp", "up", "up/projects/one", "absent", "name"] {
        let words = client.fails("where", json!({ "project": name })).await;
        assert_eq!(words, format!("there is no folder `{name}`"));
    }
    assert!(client.text("below", json!({ "project": "x" })).await.ends_with("/projects/p-x/src\n"));
    assert_eq!(client.fails("below", json!({ "project": "x/../../" })).await, "there is no folder `p-x/../..//src`");
    assert_eq!(client.text("optional", json!({})).await, "root\n");
    let explained = spec.run("call", &["where", "project=one", "--explain"]).await;
    assert!(explained.out.contains("/projects/one\n"), "{explained:?}");
}

#[tokio::test]
async fn one_at_a_time_is_one_at_a_time() {
    let spec = Spec::tools(
        "
        slow: { shell: { script: 'mkdir lock; sleep 0.1; rmdir lock; echo done', concurrency: 1, timeout: 60s } }
        late: { shell: { script: 'trap \"\" TERM; exec sleep 600', concurrency: 1, timeout: 200ms } }
        ",
    );
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    let call = |id: u32, tool: &str| request(id, "tools/call", json!({ "name": tool, "arguments": {} }));
    for id in 0..8 {
        server.send(&call(id, "slow")).await;
    }
    for _ in 0..8 {
        let answer = server.next().await.unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], "done\n", "{answer}");
    }
    server.send(&call(8, "late")).await;
    server.send(&call(9, "late")).await;
    let mut words = [server.next().await.unwrap(), server.next().await.unwrap()];
    words.sort_by_key(|answer| answer["result"]["content"][0]["text"].to_string());
    let text = |at: usize| words[at]["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(text(1), "it was not started: other calls of it were running for 200ms");
    assert_eq!(text(0), "`script`: the program did not finish within 200ms");
}

#[tokio::test]
async fn turns_outlast_a_reload() {
    let text = "tools: { slow: { description: NAME, shell: { script: 'mkdir lock; touch begun; while [ ! -e go ]; do sleep 0.01; done; rmdir lock', concurrency: 1, timeout: 60s } } }";
    let spec = Spec::new(text);
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    let call = |id: u32| request(id, "tools/call", json!({ "name": "slow", "arguments": {} }));
    server.send(&call(1)).await;
    until("the first call", async || spec.folder().join("begun").exists()).await;
    spec.write(&text.replace("NAME", "another"));
    server.reloaded(&spec).await;
    server.send(&call(2)).await;
    spec.put("go", "");
    let mut answered = Vec::new();
    while answered.len() < 2 {
        let message = server.next().await.unwrap();
        if message["id"].is_number() {
            assert_eq!(message["result"]["isError"], false, "{message}");
            answered.push(message["id"].as_u64().unwrap());
        }
    }
    assert_eq!(answered, [1, 2]);
}

#[tokio::test]
async fn an_optional_program_hides_what_needs_it() {
    let spec = Spec::new(
        "
        tools:
          here: { description: Says that it is here., exec: { command: [echo, here] } }
          gone: { description: Asks a program., exec: { command: [kubectl-of-nobody, get], optional: true } }
          calls: { description: Calls what is gone., steps: [{ call: gone }] }
        resources:
          test://gone: { exec: { command: [./gone.sh], optional: true } }
        ",
    );
    let check = spec.run("check", &["--deny-warnings"]).await;
    assert_eq!(check.code, 0, "{check:?}");
    assert!(check.out.contains("note[command-not-found]: command not found: kubectl-of-nobody"), "{}", check.out);
    assert!(check.out.contains("tool `gone` is left out (`optional: true`)"), "{}", check.out);
    assert!(check.out.ends_with(": ok, test 0.0.1 (1 tool, 0 resources, 0 prompts)\n"), "{}", check.out);
    let mut client = spec.stdio(Era::Legacy).await;
    let names: Vec<_> = client.list("tools").await.into_iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["here"]);
    assert!(client.process().stderr().contains("command not found: kubectl-of-nobody"));
}

#[tokio::test]
async fn what_was_not_given_is_not_there() {
    let spec = Spec::tools(
        r#"
        run:
          params: { author: { type: string, optional: true }, word: { type: string, optional: true }, all: { type: boolean, default: false } }
          exec: { command: [printf, "<%s>", a, "--author={{author}}", "{{word}}", "{{#if word}}--w{{else}}-n{{/if}}", "{{#if all}}--all{{/if}}", z] }
        script:
          params: { author: { type: string, optional: true } }
          shell: { script: 'echo "${author-nobody}"; printf "<%s>" ${author:+"--author=$author"}' }
        strict:
          params: { author: { type: string, optional: true } }
          shell: { script: 'echo "$author"' }
        "#,
    );
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("run", json!({})).await, "<a><-n><z>");
    let given = json!({ "author": "", "word": "x y", "all": true });
    assert_eq!(client.text("run", given).await, "<a><--author=><x y><--w><--all><z>");
    assert_eq!(client.text("run", json!({ "author": "-x" })).await, "<a><--author=-x><-n><z>");
    assert_eq!(client.text("script", json!({})).await, "nobody\n<>");
    assert_eq!(client.text("script", json!({ "author": "a b" })).await, "a b\n<--author=a b>");
    assert!(client.fails("strict", json!({})).await.contains("author"), "an unset variable ends a script");
}

#[tokio::test]
async fn output_is_read_in_its_format() {
    let spec = Spec::tools(
        r#"
        csv: { exec: { command: [printf, 'a,b\n1,"x, y"\n'] }, result: { as: csv } }
        lines: { exec: { command: [printf, 'a\nb\n'] }, result: { as: lines } }
        ndjson: { exec: { command: [printf, '{"a":1}\n{"a":2}\n'] }, result: { as: ndjson } }
        table: { exec: { command: [printf, 'NAME  READY\nweb   1/1\n'] }, result: { as: table } }
        columns:
          exec: { command: [printf, 'x=1\nnot this\ny=2\n'] }
          result: { as: { columns: '^(?<name>\w)=(?<value>\d)$' } }
        image: { shell: { script: "printf '\\211PNG\\r\\n\\032\\n0000'" }, result: { as: image } }
        broken: { exec: { command: [echo, '{'] }, result: { as: json } }
        "#,
    );
    let client = spec.stdio(Era::Modern).await;
    let value = async |tool: &str| client.call(tool, json!({})).await["structuredContent"].clone();
    assert_eq!(value("csv").await, json!([{ "a": "1", "b": "x, y" }]));
    assert_eq!(value("lines").await, json!(["a", "b"]));
    assert_eq!(value("ndjson").await, json!([{ "a": 1 }, { "a": 2 }]));
    assert_eq!(value("table").await, json!([{ "NAME": "web", "READY": "1/1" }]));
    assert_eq!(value("columns").await, json!([{ "name": "x", "value": "1" }, { "name": "y", "value": "2" }]));
    assert_eq!(client.call("image", json!({})).await["content"][0]["mimeType"], "image/png");
    assert!(client.fails("broken", json!({})).await.contains("not JSON"));
}
