//! `call`, `list`, `read` and `prompt` as a person at a terminal sees them, and as a pipe gets them.

use crate::harness::{Process, Spec, Terminal};

const SHOP: &str = r#"
    server: { name: shop, version: 1.0.0 }
    sources: { db: { sql: 'sqlite::memory:', readOnly: true } }
    tools:
      books:
        description: All books.
        sql: { source: db, query: "SELECT * FROM (VALUES ('Dune', 9.5), ('Small rivers', 12)) ORDER BY 1" }
      burn:
        description: Burns a book.
        params: { id: integer }
        confirm: Burn book {{id}}?
        text: burnt {{id}}
      thank:
        description: Thanks somebody.
        steps:
          - progress: { message: looking, progress: 1, total: 2 }
          - log: this may take a while
          - ask:
              message: Whom?
              schema: { type: object, properties: { name: { type: string, title: Name, minLength: 2 } }, required: [name] }
            as: who
        result: { text: "thanks, {{who.content.name}}" }
"#;

fn call(spec: &Spec, command: &str, arguments: &[&str]) -> Terminal {
    let mut run = Process::command(spec, command).as_std().get_args().map(ToOwned::to_owned).collect::<Vec<_>>();
    run.extend(arguments.iter().map(Into::into));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    command.args(run);
    Terminal::run(command)
}

#[tokio::test]
async fn rows_are_a_table_on_a_terminal_and_json_elsewhere() {
    let spec = Spec::new(SHOP);
    let (code, shown) = call(&spec, "call", &["books"]).ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\x1b[1m") && shown.contains("Dune              9.5\r\nSmall rivers       12"), "{shown:?}");
    assert!(!shown.contains('{'), "{shown}");
    let (_, shown) = call(&spec, "call", &["books", "--format", "json"]).ends().await;
    assert!(shown.contains("\"rowCount\"\x1b[0m: \x1b[36m2\x1b[0m"), "{shown:?}");
    let piped = spec.run("call", &["books"]).await;
    assert!(piped.out.contains("\"rowCount\": 2"), "{}", piped.out);
    let table = spec.run("call", &["books", "--format", "table"]).await;
    assert!(table.out.contains("Small rivers") && !table.out.contains(['{', '\x1b']), "{}", table.out);
}

#[tokio::test]
async fn numbers_are_whole_and_no_rows_are_a_count() {
    let spec = Spec::new(
        r#"
        server: { name: sizes, version: 1.0.0 }
        sources: { db: { sql: 'sqlite::memory:', readOnly: true } }
        tools:
          disks:
            description: Disks.
            params: { of: { type: integer } }
            sql:
              source: db
              query: |
                SELECT '/a/rather/long/path/of/a/device' AS device, '/and/where/it/is/to/be/found' AS mount,
                  270553174016 AS size, 170553174016 AS used, 100000000000 AS free WHERE 1 = :of
        "#,
    );
    let (code, shown) = call(&spec, "call", &["disks", "of=1"]).ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("…  270553174016  170553174016  100000000000\r\n"), "{shown:?}");
    let (code, shown) = call(&spec, "call", &["disks", "of=2"]).ends().await;
    assert_eq!((code, shown.as_str()), (0, "\x1b[2mrowCount: 0\x1b[0m\r\n"));
}

#[tokio::test]
async fn a_person_confirms() {
    let spec = Spec::new(SHOP);
    let mut terminal = call(&spec, "call", &["burn", "id=7"]);
    terminal.answers("Burn book 7?\r\n[y/N] ", "y").await;
    let (code, shown) = terminal.ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.ends_with("burnt 7\r\n"), "{shown}");

    let mut terminal = call(&spec, "call", &["burn", "id=7"]);
    terminal.answers("[y/N] ", "").await;
    let (code, shown) = terminal.ends().await;
    assert_eq!(code, 1, "{shown}");
    assert!(!shown.contains("burnt"), "{shown}");

    let nobody = spec.run("call", &["burn", "id=7"]).await;
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("there is no terminal to ask at"), "{}", nobody.err);
}

#[tokio::test]
async fn progress_words_and_questions_are_seen() {
    let spec = Spec::new(SHOP);
    let mut terminal = call(&spec, "call", &["thank"]);
    terminal.shows("this may take a while").await;
    terminal.answers("Whom?\r\nName: ", "x").await;
    terminal.answers("at least 2 characters", "Ada").await;
    let (code, shown) = terminal.ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.ends_with("thanks, Ada\r\n"), "{shown}");
}

#[tokio::test]
async fn a_list_is_set_out_for_the_terminal() {
    let spec = Spec::new(SHOP);
    let (code, shown) = call(&spec, "list", &[]).ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\x1b[1mtools:\x1b[0m") && shown.contains("  \x1b[36mburn\x1b[0m(id)"), "{shown:?}");
    let (_, shown) = call(&spec, "list", &["--json"]).ends().await;
    assert!(shown.contains("\x1b[34m\"tools\"\x1b[0m: ["), "{shown:?}");
    let piped = spec.run("list", &[]).await;
    assert!(piped.out.contains("\ntools:\n  books()"), "{}", piped.out);
}

/// Texts that would move the cursor, clear the screen or set the window's title.
const TEXTS: &str = r#"
    server: { name: texts, version: 1.0.0 }
    tools:
      plain: { description: Says a text., text: "{{#if loud}}!{{/if}}red", params: { loud: { type: boolean, optional: true } } }
      raw: { description: Says what a file has., file: { path: raw.txt } }
      point: { description: Gives an object., shell: { script: "printf '{\"x\": 1, \"y\": [true, \"a\"]}'" }, result: { as: json } }
    resources:
      "texts://raw": { description: A text., file: raw.txt }
      "texts://data": { description: Some data., mimeType: application/json, text: '{"b":[1,null],"a":"x"}' }
      "texts://image": { description: A picture., file: picture.png }
    prompts:
      greet:
        description: Greets somebody.
        messages: [{ role: user, text: "Hello\e[2J" }, { role: assistant, text: Hi }]
"#;

fn texts() -> Spec {
    Spec::new(TEXTS)
        .file("raw.txt", "a\u{1b}[31mred\u{1b}]0;title\u{7}\n")
        .file("picture.png", [0x89, b'P', b'N', b'G', 0xff])
}

#[tokio::test]
async fn a_resource_is_set_out_on_a_terminal_and_untouched_in_a_pipe() {
    let spec = texts();
    let (code, shown) = call(&spec, "read", &["texts://data"]).ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.starts_with("\x1b[2mtexts://data  application/json  22 bytes\r\n\x1b[0m{\r\n"), "{shown:?}");
    assert!(
        shown.contains("  \x1b[34m\"b\"\x1b[0m: [\r\n    \x1b[36m1\x1b[0m,\r\n    \x1b[35mnull\x1b[0m"),
        "{shown:?}"
    );
    assert_eq!(spec.run("read", &["texts://data"]).await.out, "{\"b\":[1,null],\"a\":\"x\"}\n");
    let always = spec.run("read", &["texts://data", "--color", "always"]).await;
    assert!(always.out.starts_with("{\n  \x1b[34m\"b\"\x1b[0m"), "{:?}", always.out);
    let (_, shown) = call(&spec, "read", &["texts://data", "--color", "never"]).ends().await;
    assert!(!shown.contains('\x1b') && shown.contains("{\r\n  \"b\": ["), "{shown:?}");

    let (_, shown) = call(&spec, "read", &["texts://raw"]).ends().await;
    assert!(shown.contains("a␛[31mred␛]0;title␇\r\n"), "{shown:?}");
    assert_eq!(spec.run("read", &["texts://raw"]).await.out, spec.get("raw.txt"));

    let (_, shown) = call(&spec, "read", &["texts://image"]).ends().await;
    assert!(shown.contains("texts://image  image/png  5 bytes") && shown.contains("no text"), "{shown:?}");
    assert!(!shown.contains("PNG"), "{shown:?}");
    let bytes = Process::command(&spec, "read").arg("texts://image").output().await.unwrap().stdout;
    assert_eq!(bytes, [0x89, b'P', b'N', b'G', 0xff]);
}

#[tokio::test]
async fn no_color_is_heeded() {
    let spec = texts();
    for arguments in [&["list"][..], &["read", "texts://data"], &["prompt", "greet"], &["call", "point"]] {
        let path = spec.path();
        let mut command = std::process::Command::new("env");
        command.args(["NO_COLOR=1", env!("CARGO_BIN_EXE_mcp-declare"), arguments[0]]).arg(path).args(&arguments[1..]);
        let (code, shown) = Terminal::run(command).ends().await;
        assert!(code == 0 && !shown.contains('\x1b'), "{arguments:?}: {shown:?}");
    }
}

#[tokio::test]
async fn the_roles_of_a_prompt_stand_out() {
    let spec = texts();
    let (code, shown) = call(&spec, "prompt", &["greet"]).ends().await;
    assert_eq!(code, 0, "{shown}");
    let wanted = "\x1b[2mGreets somebody.\x1b[0m\r\n\r\n\x1b[1muser:\x1b[0m\r\nHello␛[2J\r\n\r\n\
                  \x1b[1massistant:\x1b[0m\r\nHi\r\n\r\n";
    assert_eq!(shown, wanted);
    assert_eq!(spec.run("prompt", &["greet"]).await.out, "user:\nHello\x1b[2J\n\nassistant:\nHi\n\n");
}

#[tokio::test]
async fn an_answer_can_not_command_the_terminal() {
    let spec = texts();
    let (code, shown) = call(&spec, "call", &["raw"]).ends().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("a␛[31mred"), "{shown:?}");
    assert_eq!(spec.run("call", &["raw"]).await.out, spec.get("raw.txt"));
    let (_, shown) = call(&spec, "call", &["point"]).ends().await;
    assert!(shown.contains("\x1b[34m\"x\"\x1b[0m: \x1b[36m1\x1b[0m"), "{shown:?}");
    let piped = spec.run("call", &["point"]).await;
    assert!(piped.out.contains("\"x\": 1") && !piped.out.contains('\x1b'), "{}", piped.out);
}

#[tokio::test]
async fn a_percentage_is_a_bar_and_long_words_stay_in_their_row() {
    let long = "word ".repeat(40);
    let spec = Spec::new(&format!(
        r#"
        server: {{ name: slow, version: 1.0.0 }}
        tools:
          percent:
            description: Works until it is let go.
            shell: {{ script: 'echo 40% >&2; while [ ! -e go ]; do sleep 0.05; done; echo done', progress: '(\d+)%', timeout: 1m }}
          long:
            description: Has much to say.
            steps:
              - progress: {{ message: "{long}", progress: 1, total: 4 }}
              - exec: {{ command: [sh, -c, "while [ ! -e go ]; do sleep 0.05; done"], timeout: 1m }}
            result: {{ text: done }}
        "#
    ));
    let mut terminal = call(&spec, "call", &["percent"]);
    terminal.shows(" 40% ").await;
    spec.put("go", "");
    assert_eq!(terminal.ends().await.0, 0);

    std::fs::remove_file(spec.folder().join("go")).unwrap();
    let mut terminal = call(&spec, "call", &["long"]);
    terminal.shows(" 25% 0s word word").await;
    spec.put("go", "");
    let (code, shown) = terminal.ends().await;
    assert!(code == 0 && !shown.contains(&"word ".repeat(10)), "{shown:?}");
}

#[tokio::test]
async fn progress_is_a_bar_on_a_terminal_and_nothing_in_a_pipe() {
    let spec = Spec::new(
        r#"
        server: { name: slow, version: 1.0.0 }
        tools:
          work:
            description: Works until it is let go.
            steps:
              - progress: { message: "half of it", progress: 1, total: 2 }
              - exec: { command: [sh, -c, "while [ ! -e go ]; do sleep 0.05; done"], timeout: 1m }
            result: { text: done }
        "#,
    );
    let mut terminal = call(&spec, "call", &["work"]);
    let shown = terminal.shows("half of it").await;
    assert!(shown.contains("50%"), "{shown:?}");
    spec.put("go", "");
    let (code, shown) = terminal.ends().await;
    assert!(code == 0 && shown.ends_with("done\r\n"), "{shown:?}");
    let piped = spec.run("call", &["work"]).await;
    assert_eq!((piped.code, piped.out.as_str(), piped.err.as_str()), (0, "done\n", ""));
}
