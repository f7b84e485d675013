//! The other commands: what they print, where, and how they end.

use serde_json::{Value, json};

use crate::harness::{Output, Process, Spec, soon};

fn spec() -> Spec {
    Spec::new(
        r#"
        sources: { db: { sql: "sqlite:./db.sqlite", init: ./db.sql, readOnly: true } }
        tools:
          find:
            description: Finds words.
            params:
              ids: { type: array, items: { type: integer }, optional: true }
              like: { type: string, optional: true, secret: true }
              n: { type: integer, default: 10 }
            sql:
              source: db
              query: |
                SELECT id, word FROM words WHERE 1 = 1
                {{#if ids}} AND id IN (:ids) {{/if}} {{#if like}} AND word LIKE :like {{/if}}
                ORDER BY id LIMIT :n
          fails: { exec: { command: [sh, -c, "echo sorry >&2; exit 4"] } }
          touch: { params: { name: string }, exec: { command: [touch, --, "{{name}}"] } }
          script: { params: { title: string }, shell: { script: 'echo "$title"' } }
        resources:
          test://words/{id}: { sql: { source: db, query: "SELECT word FROM words WHERE id = :id", returns: row } }
          test://dot: { file: ./dot.png }
        prompts:
          say: { arguments: { what: { required: true } }, messages: [{ role: user, text: "Say {{what}}." }, { role: assistant, text: "No." }] }
        "#,
    )
    .file("db.sql", "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT); INSERT INTO words VALUES (1, 'sea'), (2, 'tea');")
    .file("dot.png", [0x89, 0xff])
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&output.out).unwrap_or_else(|_| panic!("{output:?}"))
}

fn assert_ends(output: &Output, code: i32, words: &str) {
    assert_eq!(output.code, code, "{output:?}");
    assert!(output.err.contains(words), "{words:?} is not in {output:?}");
    assert_eq!(output.out, "", "results go to stdout, and there is none");
}

#[tokio::test]
async fn call_converts_its_arguments() {
    let spec = spec();
    let all = json!([{ "id": 1, "word": "sea" }, { "id": 2, "word": "tea" }]);
    let output = spec.run("call", &["find"]).await;
    assert_eq!((output.code, &json_of(&output)["rows"], output.err.as_str()), (0, &all, ""));
    for arguments in [&["find", "ids=1,2"][..], &["find", "ids=1", "ids=2"], &["find", "--json", r#"{"ids": [2, 1]}"#]]
    {
        assert_eq!(json_of(&spec.run("call", arguments).await)["rows"], all, "{arguments:?}");
    }
    let one = spec.run("call", &["find", "n=1", "like=%ea"]).await;
    assert_eq!(json_of(&one)["rowCount"], 1);
    assert_eq!(spec.run("call", &["script", "title=a=b 'c' $(d)"]).await.out, "a=b 'c' $(d)\n");
}

#[tokio::test]
async fn call_ends_with_the_code_that_says_whose_fault_it_is() {
    let spec = spec();
    assert_ends(&spec.run("call", &["fails"]).await, 1, "error: `sh` ended with status 4: sorry\n");
    assert_ends(&spec.run("call", &["find", "n=many"]).await, 1, "`n` must be an integer, got \"many\"");
    assert_ends(&spec.run("call", &["fnid"]).await, 1, "there is no tool `fnid`; did you mean `find`?");
    assert_ends(&spec.run("call", &["find", "n"]).await, 2, "`n` is not NAME=VALUE, such as `words=dune`");
    assert_ends(&spec.run("call", &["find", "--json", "[]"]).await, 2, "--json takes an object");
    assert_ends(&spec.run("call", &["find", "--json", "{"]).await, 2, "--json is not JSON");
    assert_ends(&spec.run("call", &["find", "--jso", "{}"]).await, 2, "--jso");
    assert_ends(&spec.run("call", &[]).await, 2, "TOOL");
    let unreachable = Spec::new(
        "
        sources: { db: { sql: 'sqlite:./no-folder/db.sqlite', init: ./db.sql } }
        tools: { a: { sql: { source: db, query: SELECT 1 AS x } } }
        ",
    )
    .file("db.sql", "CREATE TABLE t (x);");
    assert_ends(&unreachable.run("call", &["a"]).await, 3, "error[unreachable]");
    assert_ends(&unreachable.run("serve", &[]).await, 3, "error[unreachable]");
}

#[tokio::test]
async fn explain_shows_and_runs_nothing() {
    let spec = spec();
    let sql = spec.run("call", &["find", "ids=1,2", "like=secret%", "--explain"]).await;
    assert_eq!(sql.code, 0, "{sql:?}");
    assert!(sql.out.contains("SELECT id, word FROM words") && sql.out.contains(":ids = [1,2]\n"), "{}", sql.out);
    assert!(sql.out.contains(":like = ***\n") && !sql.out.contains("secret%"), "{}", sql.out);
    assert!(!spec.folder().join("db.sqlite").exists(), "nothing is built");
    let exec = spec.run("call", &["touch", "name=a b", "--explain"]).await;
    assert!(exec.out.contains("argv[1] = \"--\"\nargv[2] = \"a b\"\n"), "{}", exec.out);
    assert!(!spec.folder().join("a b").exists());
    let shell = spec.run("call", &["script", "title=x", "--explain"]).await;
    assert!(shell.out.contains("title = \"x\"\n") && shell.out.contains("echo \"$title\""), "{}", shell.out);
    assert_ends(&spec.run("call", &["touch", "--explain"]).await, 1, "`name` is required");
}

#[tokio::test]
async fn explain_shows_a_commands_variables_but_no_secret() {
    let spec = Spec::tools(
        "
        run: { exec: { command: [env], env: { LEVEL: high, TOKEN: '${TOKEN}' } } }
        script: { shell: { script: env, env: { TOKEN: '${TOKEN}' } } }
        ",
    )
    .env("TOKEN", "from-outside");
    let run = spec.run("call", &["run", "--explain"]).await;
    assert!(run.out.ends_with("\nenv LEVEL = \"high\"\nenv TOKEN = \"***\"\n"), "{}", run.out);
    let script = spec.run("call", &["script", "--explain"]).await;
    assert!(script.out.ends_with("\nenv TOKEN = \"***\"\nenv\n"), "{}", script.out);
}

#[tokio::test]
async fn json_that_was_cut_stays_json() {
    let spec = Spec::new(
        "
        sources: { db: { sql: 'sqlite::memory:' } }
        tools:
          rows: { sql: { source: db, query: 'SELECT 1 AS x UNION SELECT 2', maxRows: 1 } }
          words: { exec: { command: [echo, many words], maxBytes: 4 } }
        ",
    );
    let rows = spec.run("call", &["rows"]).await;
    assert_eq!(json_of(&rows), json!({ "rows": [{ "x": 1 }], "rowCount": 1, "truncated": true }));
    assert_eq!(rows.err, "[cut after 1 rows (maxRows)]\n");
    let words = spec.run("call", &["words"]).await;
    assert_eq!((words.out.as_str(), words.err.as_str()), ("many\n[cut after 4 bytes (maxBytes)]\n", ""));
}

#[tokio::test]
async fn an_option_out_of_a_block_is_not_blamed_on_a_value() {
    let spec = Spec::tools(
        "
        run:
          params: { loud: { type: boolean, optional: true }, name: { type: string, optional: true } }
          exec: { command: [echo, '{{#if loud}}-{{name}}{{/if}}', '{{name}}'] }
        ",
    );
    let words = "error: the argument with `loud` can't start with `-`\n";
    assert_ends(&spec.run("call", &["run", "loud=true", "name=x"]).await, 1, words);
    assert_ends(&spec.run("call", &["run", "name=-n"]).await, 1, "error: `name` can't start with `-`\n");
}

#[tokio::test]
async fn a_spec_in_the_place_of_an_address_is_told_its_own() {
    let spec = spec();
    let serve = |last: &str| {
        let mut serve = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        serve.args(["serve", "--http", last]).current_dir(spec.folder());
        fed(serve, b"")
    };
    for last in ["spec.yaml", "no-such-file.toml", "."] {
        assert_ends(&serve(last).await, 2, &format!("this is the spec; write it first: serve {last} --http"));
    }
    assert_ends(&serve("127.0.0.1:0").await, 2, "<SPEC>");
}

#[tokio::test]
async fn commands_that_others_may_change_are_said_once() {
    use std::os::unix::fs::PermissionsExt;
    let spec = Spec::tools("a: { exec: { command: [echo] } }\nb: { shell: { script: echo } }");
    std::fs::set_permissions(spec.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
    let check = spec.run("check", &[]).await;
    assert_eq!((check.code, check.out.matches("error[unsafe-permissions]").count()), (1, 1), "{}", check.out);
}

#[tokio::test]
async fn read_prints_contents_as_they_are() {
    let spec = spec();
    let word = spec.run("read", &["test://words/2"]).await;
    assert_eq!((word.code, json_of(&word)), (0, json!({ "word": "tea" })));
    assert_ends(&spec.run("read", &["test://words/9"]).await, 1, "test://words/9: not found: there is no such row");
    assert_ends(&spec.run("read", &["test://other"]).await, 1, "test://other: there is no such resource");
    let near = spec.run("read", &["test://dots"]).await;
    assert_ends(&near, 1, "test://dots: there is no such resource; did you mean `test://dot`?");
    assert_ends(&spec.run("read", &[]).await, 2, "URI");
    let mut command = Process::command(&spec, "read");
    assert_eq!(command.arg("test://dot").output().await.unwrap().stdout, [0x89, 0xff]);
}

#[tokio::test]
async fn prompt_prints_its_messages() {
    let spec = spec();
    let said = spec.run("prompt", &["say", "what=yes"]).await;
    assert_eq!((said.code, said.out.as_str()), (0, "user:\nSay yes.\n\nassistant:\nNo.\n\n"));
    assert_ends(&spec.run("prompt", &["say"]).await, 1, "`what` is required");
    assert_ends(&spec.run("prompt", &["shout"]).await, 1, "there is no prompt `shout`");
    assert_ends(&spec.run("prompt", &["say", "what"]).await, 2, "`what` is not NAME=VALUE");
}

#[tokio::test]
async fn check_prints_to_stdout() {
    let spec =
        Spec::tools("greet: { description: Greets a person politely., params: { name: string }, text: '{{name}}' }");
    let well = spec.run("check", &[]).await;
    let verdict = format!("{}: ok, test 0.0.1 (1 tool, 0 resources, 0 prompts)\n", spec.path().display());
    assert_eq!((well.code, well.out.as_str(), well.err.as_str()), (0, verdict.as_str(), ""));
    spec.write("tools: { a: { text: '{{x}}' }, b: { nothing: 1 } }");
    let ill = spec.run("check", &[]).await;
    assert_eq!((ill.code, ill.err.as_str()), (1, ""));
    assert!(
        ill.out.contains("`x` is not defined in tool `a`") && ill.out.contains("unknown key `nothing`"),
        "{}",
        ill.out
    );
    let as_json = spec.run("check", &["--format", "json"]).await;
    let found = json_of(&as_json);
    assert_eq!((as_json.code, found.as_array().unwrap().len()), (1, 3), "{found}");
    assert!(found.as_array().unwrap().iter().all(|one| one["code"].is_string()), "{found}");
    let missing = spec.run("check", &["no-such-file.yaml"]).await;
    assert_eq!(missing.code, 1, "{missing:?}");
}

#[tokio::test]
async fn list_shows_what_clients_see() {
    let spec = spec();
    let shown = spec.run("list", &[]).await;
    assert!(shown.out.contains("find(ids?, like?, n?)  Finds words.\n"), "{}", shown.out);
    assert!(shown.out.contains("test://words/{id}\n") && shown.out.contains("say(what)\n"), "{}", shown.out);
    let as_json = json_of(&spec.run("list", &["--json"]).await);
    let client = spec.stdio(crate::harness::Era::Legacy).await;
    for list in ["tools", "resources", "resourceTemplates", "prompts"] {
        assert_eq!(as_json[list], json!(client.list(list).await), "{list}");
    }
}

#[tokio::test]
async fn variables_come_from_the_environment_or_a_file() {
    let text = "
        server: { name: test, version: '${VERSION}', title: '${TITLE:-untitled}' }
        tools: { a: { exec: { command: [env], env: { TOKEN: '${TOKEN}' } } } }
    ";
    let spec = Spec::new(text).file("vars.env", "TOKEN=from-the-file\nVERSION=0.0.9\n").env("VERSION", "1.2.3");
    let output = spec.run("list", &[]).await;
    assert_ends(&output, 1, "TOKEN");
    let file = spec.folder().join("vars.env");
    let output = spec.run("list", &["--env-file", file.to_str().unwrap()]).await;
    assert!(output.out.starts_with("test 1.2.3 (1 tool"), "the environment wins: {output:?}");
    let called = spec.run("call", &["a", "--env-file", file.to_str().unwrap()]).await;
    assert!(called.out.contains("TOKEN=***") && !called.out.contains("from-the-file"), "{called:?}");
    assert_ends(&spec.run("list", &["--env-file", "/no/such/file"]).await, 2, "can't read /no/such/file");
    std::fs::write(&file, "# two\nA=\"one\ntwo\"\nTOKEN\nB=my secret\n").unwrap();
    let faulty = spec.run("list", &["--env-file", file.to_str().unwrap()]).await;
    assert_ends(&faulty, 2, "vars.env, line 4: expected NAME=value");
    assert!(!faulty.err.contains("secret"), "{faulty:?}");
}

/// Runs a command with this on standard input.
async fn fed(mut command: tokio::process::Command, input: &[u8]) -> Output {
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that refuses early closes the pipe.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let output = soon("a command", child.wait_with_output()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn standard_input_brings_arguments_and_specs() {
    let spec = spec();
    let mut call = Process::command(&spec, "call");
    call.args(["script", "--json", "-"]);
    assert_eq!(fed(call, br#"{"title": "from a pipe"}"#).await.out, "from a pipe\n");
    let check = || {
        let mut check = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
        check.args(["check", "-"]).current_dir(spec.folder());
        check
    };
    let well = fed(
        check(),
        b"server: { name: piped }\ntools: { a: { description: Gives the SQL script., file: ./db.sql } }\n",
    )
    .await;
    assert_eq!((well.code, well.out.as_str()), (0, "<stdin>: ok, piped 0.0.0 (1 tool, 0 resources, 0 prompts)\n"));
    let ill = fed(check(), b"server: { nam: piped }\n").await;
    assert!(ill.code == 1 && ill.out.contains("<stdin>:1:11"), "{ill:?}");
    assert_eq!(fed(check(), &[0xff, 0xfe]).await.code, 2);
    assert_eq!(fed(check(), &vec![b'#'; 17 * 1024 * 1024]).await.code, 2);
}

#[tokio::test]
async fn yes_is_offered_only_where_it_would_help() {
    let spec = Spec::tools("drop: { params: { n: integer }, confirm: 'Drop {{n}}?', text: gone }");
    let unasked = spec.run("call", &["drop", "n=1"]).await;
    assert_ends(&unasked, 1, "help: with `--yes`");
    assert_ends(&unasked, 1, "this tool asks its user, and there is no terminal to ask at");
    let wrong = spec.run("call", &["drop", "n=x"]).await;
    assert!(wrong.code == 1 && !wrong.err.contains("--yes"), "{wrong:?}");
    assert_eq!(spec.run("call", &["drop", "n=1", "--yes"]).await.out, "gone\n");
}
