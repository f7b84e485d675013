//! `init --from-db`: what it writes passes `check`, and its tools work.

use serde_json::{Value, json};

use crate::harness::{Database, Era, Spec};

const TABLES: &str = "
CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
CREATE TABLE books (
  id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL, title VARCHAR(80) NOT NULL, price DECIMAL(8, 2), printed DATE,
  fresh BOOLEAN, FOREIGN KEY (author_id) REFERENCES authors (id)
);
CREATE TABLE stock (place VARCHAR(20) NOT NULL, book_id INTEGER NOT NULL, n INTEGER, PRIMARY KEY (place, book_id));
CREATE VIEW cheap AS SELECT title FROM books WHERE price < 10;
INSERT INTO authors VALUES (1, 'Herbert');
INSERT INTO books VALUES (7, 1, 'Dune', 9.90, '1965-08-01', TRUE), (8, 1, 'Dune Messiah', NULL, NULL, FALSE);
INSERT INTO stock VALUES ('berlin', 7, 3);
";

/// Runs `init` in the spec's folder.
fn init(spec: &Spec, url: &str, more: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    let path = spec.path();
    command.args(["init", path.to_str().unwrap(), "--from-db", url]).args(more).current_dir(spec.folder());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

async fn begins(url: &str) {
    let on_a_server = !url.starts_with("sqlite:");
    let spec = Spec::named("begun.yaml", "");
    let spec = if on_a_server { spec.env("DATABASE_URL", url) } else { spec };
    let (code, _, err) = init(&spec, url, &[]);
    assert_eq!(code, 2, "a file that is there is not written over: {err}");
    assert!(err.contains("--force"), "{err}");
    let (code, out, err) = init(&spec, url, &["--force"]);
    assert_eq!(code, 0, "{out}{err}");
    let text = spec.get("begun.yaml");
    assert_eq!((text.contains("${DATABASE_URL}"), text.contains(url)), (on_a_server, !on_a_server), "{text}");
    let check = spec.run("check", &["--deny-warnings"]).await;
    assert_eq!(check.code, 0, "{}{}\n{text}", check.out, check.err);
    let client = spec.stdio(Era::Legacy).await;
    let tools = client.list("tools").await;
    let mut tools: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    tools.sort_unstable();
    let wanted = [
        "find_authors",
        "find_books",
        "find_cheap",
        "find_stock",
        "get_authors",
        "get_books",
        "get_stock",
        "list_authors",
        "list_books",
        "list_cheap",
        "list_stock",
    ];
    assert_eq!(tools, wanted);
    let titles = |answer: &Value| -> Vec<String> {
        answer["rows"].as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&client.json("find_books", json!({ "title": "mess" })).await), ["Dune Messiah"]);
    assert_eq!(titles(&client.json("find_books", json!({ "author_id": 1, "limit": 1 })).await), ["Dune"]);
    assert_eq!(titles(&client.json("find_books", json!({ "printed": "1965-08-01" })).await), ["Dune"]);
    assert_eq!(client.json("get_books", json!({ "id": 8 })).await["title"], "Dune Messiah");
    assert_eq!(client.json("get_stock", json!({ "place": "berlin", "book_id": 7 })).await["n"], 3);
    assert_eq!(titles(&client.json("list_books", json!({ "limit": 1, "offset": 1 })).await), ["Dune Messiah"]);
    assert_eq!(titles(&client.json("list_cheap", json!({})).await), ["Dune"]);
    assert_eq!(titles(&client.json("find_cheap", json!({ "title": "nothing" })).await), [""; 0]);
    let row = client.read("db://tables/stock/rows/berlin%2C7").await;
    assert!(row["text"].as_str().unwrap().contains("\"n\":3"), "{row}");
    assert_eq!(client.list("resources").await.len(), 5);
    let prompt = client.prompt("ask_database", json!({ "question": "What is cheap?" })).await;
    assert!(prompt.to_string().contains("- books (table)"), "{prompt}");
}

#[tokio::test]
async fn from_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(TABLES).unwrap();
    begins(&format!("sqlite:{}", path.display())).await;
}

/// The path of a file is enough; it is written down, from where the spec is.
#[tokio::test]
async fn from_a_file() {
    let spec = Spec::named("begun.yaml", "");
    let path = spec.folder().join("sales $2025.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(TABLES).unwrap();
    for named in ["sales $2025.db", "sqlite:sales $2025.db", "sqlite://sales $2025.db"] {
        let (code, _, err) = init(&spec, named, &["--force"]);
        assert_eq!(code, 0, "{err}");
        assert!(!err.contains("DATABASE_URL"), "{err}");
        let check = spec.run("check", &["--deny-warnings"]).await;
        assert_eq!(check.code, 0, "{}{}\n{}", check.out, check.err, spec.get("begun.yaml"));
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    command.args(["init", "begun.yaml", "--from-db", "sales $2025.db"]).current_dir(spec.folder());
    assert_eq!(command.output().unwrap().status.code(), Some(2), "the file is there");
    let output = command.arg("--force").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(spec.get("begun.yaml").contains("sql: \"sqlite:sales $$2025.db\"\n"), "{}", spec.get("begun.yaml"));
    let check = spec.run("check", &["--deny-warnings"]).await;
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
}

#[tokio::test]
async fn from_postgres() {
    let Some(db) = Database::postgres(TABLES).await else { return };
    begins(&db.url()).await;
}

#[tokio::test]
async fn from_mariadb() {
    let Some(db) = Database::mariadb(TABLES).await else { return };
    begins(&db.url()).await;
}

/// Types and names that need care, and tables that are chosen.
#[tokio::test]
async fn from_odd_tables() {
    let odd = "
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE \"Odd Table\" (\"the key\" uuid PRIMARY KEY, feels mood, at inet, tags text[], j jsonb, \"limit\" text);
        COMMENT ON TABLE \"Odd Table\" IS 'costs ${MONEY} \"and\" more\n# lines: [';
        CREATE TABLE \"{{no}}\" (a int);
        CREATE TABLE keyless (\"{{a}}\" int, b text);
    ";
    let Some(db) = Database::postgres(odd).await else { return };
    let spec = Spec::named("begun.yaml", "").env("DATABASE_URL", &db.url());
    let (code, out, err) = init(&spec, &db.url(), &["--force"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(err.contains("left out: table `{{no}}`") && err.contains("left out: column `{{a}}` of `keyless`"), "{err}");
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 0, "{}{}\n{}", check.out, check.err, spec.get("begun.yaml"));
    let (code, _, err) = init(&spec, &db.url(), &["--force", "--tables", "keyless"]);
    assert_eq!(code, 0, "{err}");
    assert!(!spec.get("begun.yaml").contains("Odd Table"));
    let (code, _, err) = init(&spec, &db.url(), &["--force", "--tables", "keyles"]);
    assert_eq!((code, err.contains("did you mean `keyless`?")), (1, true), "{err}");
}

#[test]
fn a_database_that_is_away_is_told_without_its_url() {
    let spec = Spec::named("begun.yaml", "");
    let (code, out, err) = init(&spec, "postgres://me:hunter2@127.0.0.1:9/shop", &["--force"]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(!err.contains("hunter2") && !out.contains("hunter2"), "{err}");
    let (code, _, err) = init(&spec, "sqlite:./missing.db", &["--force"]);
    assert_eq!((code, err.as_str()), (1, "error: there is no file ./missing.db\n"));
    let (code, _, err) = init(&spec, "oracle://me:hunter2@db/shop", &["--force"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("not the URL of a database: such as `sqlite:./shop.db`, `postgres://"), "{err}");
    assert!(!err.contains("hunter2"), "{err}");
}
