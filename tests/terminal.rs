//! `call` and `list` as a person at a terminal sees them.

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
    assert!(shown.contains("\"rowCount\": 2"), "{shown}");
    let piped = spec.run("call", &["books"]).await;
    assert!(piped.out.contains("\"rowCount\": 2"), "{}", piped.out);
    let table = spec.run("call", &["books", "--format", "table"]).await;
    assert!(table.out.contains("Small rivers") && !table.out.contains(['{', '\x1b']), "{}", table.out);
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
    assert!(nobody.err.contains("elicitation"), "{}", nobody.err);
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
    assert!(shown.contains("\x1b[1mtools:\x1b[0m"), "{shown:?}");
    let piped = spec.run("list", &[]).await;
    assert!(piped.out.contains("\ntools:\n  books()"), "{}", piped.out);
}
