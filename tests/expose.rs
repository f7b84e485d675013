//! `expose`: the tables of a database as resources, on all three databases.

use serde_json::{Value, json};

use crate::harness::{Client, Database, Era, Spec};

/// What all three databases take.
const TABLES: &str = "
CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
CREATE TABLE books (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL,
  title VARCHAR(80) NOT NULL,
  price DECIMAL(8, 2),
  FOREIGN KEY (author_id) REFERENCES authors (id)
);
CREATE TABLE stock (book_id INTEGER NOT NULL, place VARCHAR(20) NOT NULL, n INTEGER, PRIMARY KEY (place, book_id));
CREATE TABLE secrets (id INTEGER PRIMARY KEY, word VARCHAR(20));
CREATE VIEW cheap AS SELECT id, title FROM books WHERE price < 10;
INSERT INTO authors VALUES (1, 'Herbert');
INSERT INTO books VALUES (7, 1, 'Dune', 9.90), (8, 1, 'Dune Messiah', NULL);
INSERT INTO stock VALUES (7, 'berlin', 3), (7, 'a,b', 4);
INSERT INTO secrets VALUES (1, 'xyzzy');
";

const EXPOSED: &str = "
sources:
  shop:
    sql: ${DATABASE_URL}
    readOnly: true
    expose: { schema: true, tables: [authors, books, stock, 'ch*'] }
";

fn sqlite(text: &str) -> Spec {
    let spec = Spec::new("").file("shop.sql", TABLES).with(text).env("DATABASE_URL", "sqlite:./shop.db");
    let folder = spec.folder().join("shop.db");
    rusqlite::Connection::open(folder).unwrap().execute_batch(TABLES).unwrap();
    spec
}

async fn serve(spec: &Spec) -> Client {
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    spec.stdio(Era::Legacy).await
}

fn body(contents: &Value) -> Value {
    serde_json::from_str(contents["text"].as_str().unwrap()).unwrap()
}

async fn tables_are_resources(client: &Client) {
    let listed = client.list("resources").await;
    let uris: Vec<&str> = listed.iter().map(|r| r["uri"].as_str().unwrap()).collect();
    let schema = |name: &str| format!("shop://tables/{name}/schema");
    assert_eq!(uris, ["shop://tables", &schema("authors"), &schema("books"), &schema("cheap"), &schema("stock")]);
    let templates = client.list("resourceTemplates").await;
    let templates: Vec<&str> = templates.iter().map(|r| r["uriTemplate"].as_str().unwrap()).collect();
    assert_eq!(templates, ["shop://tables/{table}/schema", "shop://tables/{table}/rows/{id}"]);
    let tables = body(&client.read("shop://tables").await);
    assert_eq!((&tables["rowCount"], &tables["truncated"]), (&json!(4), &json!(false)));
    assert_eq!((&tables["rows"][2]["name"], &tables["rows"][2]["kind"]), (&json!("cheap"), &json!("view")));
    let completed = client.complete("shop://tables/{table}/rows/{id}", "table", "B").await;
    assert_eq!(completed["values"], json!(["books"]));
    let books = body(&client.read("shop://tables/books/schema").await);
    assert_eq!((&books["kind"], &books["primaryKey"]), (&json!("table"), &json!(["id"])));
    let key = json!([{ "columns": ["author_id"], "table": "authors", "references": ["id"] }]);
    assert_eq!(books["foreignKeys"], key);
    let columns = books["columns"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["id", "author_id", "title", "price"]);
    let nullable: Vec<bool> = columns.iter().map(|c| c["nullable"].as_bool().unwrap()).collect();
    assert_eq!(nullable, [false, false, false, true]);
    assert!(columns[0]["type"].as_str().unwrap().to_lowercase().starts_with("int"), "{columns:?}");
    let stock = body(&client.read("shop://tables/stock/schema").await);
    assert_eq!(stock["primaryKey"], json!(["place", "book_id"]));
}

async fn rows_are_found_by_their_keys(client: &Client) {
    let row = body(&client.read("shop://tables/books/rows/7").await);
    assert_eq!((&row["id"], &row["title"]), (&json!(7), &json!("Dune")));
    assert_eq!(body(&client.read("shop://tables/books/rows/8").await)["price"], Value::Null);
    assert_eq!(body(&client.read("shop://tables/stock/rows/berlin%2C7").await)["n"], 3);
    for uri in [
        "books/rows/9",
        "books/rows/7%20apples",
        "books/rows/seven",
        "books/rows/7%20OR%201%3D1",
        "books/rows/7%2C8",
        "stock/rows/berlin",
        "stock/rows/a%2Cb%2C7",
        "cheap/rows/7",
        "secrets/rows/1",
        "secrets/schema",
        "nothing/rows/1",
        "nothing/schema",
        "books%22%3B%20DROP%20TABLE%20books%3B--/schema",
        "Books/schema",
        "sqlite_schema/schema",
        "information_schema.tables/schema",
        "pg_catalog.pg_class/schema",
    ] {
        let uri = format!("shop://tables/{uri}");
        let (code, words) = client.refused("resources/read", json!({ "uri": uri })).await;
        assert_eq!(code, -32002, "{uri}: {words}");
    }
    assert_eq!(body(&client.read("shop://tables/books/rows/7").await)["title"], "Dune");
}

#[tokio::test]
async fn sqlite_tables() {
    let client = serve(&sqlite(EXPOSED)).await;
    tables_are_resources(&client).await;
    rows_are_found_by_their_keys(&client).await;
}

#[tokio::test]
async fn postgres_tables() {
    let comments = "COMMENT ON TABLE books IS 'What is sold'; COMMENT ON COLUMN books.price IS 'in euros';
                    CREATE SCHEMA other; CREATE TABLE other.chairs (id uuid PRIMARY KEY DEFAULT gen_random_uuid());";
    let Some(db) = Database::postgres(&format!("{TABLES}{comments}")).await else { return };
    let client = serve(&Spec::new(EXPOSED).env("DATABASE_URL", &db.url())).await;
    tables_are_resources(&client).await;
    rows_are_found_by_their_keys(&client).await;
    comments_are_told(&client).await;
    let all = EXPOSED.replace("[authors, books, stock, 'ch*']", "['other.*']");
    let spec = Spec::new(&all).env("DATABASE_URL", &db.url());
    let client = serve(&spec).await;
    let chairs = body(&client.read("shop://tables/other.chairs/schema").await);
    assert_eq!(
        (&chairs["columns"][0]["type"], &chairs["columns"][0]["default"]),
        (&json!("uuid"), &json!("gen_random_uuid()"))
    );
    let id = db.text("INSERT INTO other.chairs DEFAULT VALUES RETURNING id::text").await;
    assert_eq!(body(&client.read(&format!("shop://tables/other.chairs/rows/{id}")).await)["id"], json!(id));
}

#[tokio::test]
async fn mariadb_tables() {
    let comments = "ALTER TABLE books COMMENT 'What is sold';
                    ALTER TABLE books MODIFY price DECIMAL(8, 2) COMMENT 'in euros';";
    let Some(db) = Database::mariadb(&format!("{TABLES}{comments}")).await else { return };
    let client = serve(&Spec::new(EXPOSED).env("DATABASE_URL", &db.url())).await;
    tables_are_resources(&client).await;
    rows_are_found_by_their_keys(&client).await;
    comments_are_told(&client).await;
}

async fn comments_are_told(client: &Client) {
    let listed = client.list("resources").await;
    assert_eq!(listed[2]["description"], "What is sold");
    let books = body(&client.read("shop://tables/books/schema").await);
    assert_eq!((&books["comment"], &books["columns"][3]["comment"]), (&json!("What is sold"), &json!("in euros")));
}

/// Without `tables`, what there is may be known and no row read; a table that comes later is there.
#[tokio::test]
async fn the_schema_alone_gives_no_rows() {
    let spec = sqlite(&EXPOSED.replace(", tables: [authors, books, stock, 'ch*']", ", uri: 'db://shop/'"));
    let client = serve(&spec).await;
    let templates = client.list("resourceTemplates").await;
    let templates: Vec<&str> = templates.iter().map(|r| r["uriTemplate"].as_str().unwrap()).collect();
    assert_eq!(templates, ["db://shop/tables/{table}/schema"]);
    let database = rusqlite::Connection::open(spec.folder().join("shop.db")).unwrap();
    database.execute_batch("CREATE TABLE \"odd \"\"name\" (a TEXT PRIMARY KEY, b AS (a || 'x'))").unwrap();
    let odd = body(&client.read("db://shop/tables/odd%20%22name/schema").await);
    assert_eq!((&odd["columns"][1]["name"], &odd["columns"][1]["generated"]), (&json!("b"), &json!(true)));
    assert_eq!(body(&client.read("db://shop/tables").await)["rowCount"], 6);
}

/// Names are not asked for anew at each key; a table that is asked for by its name is there at once.
#[tokio::test]
async fn what_the_catalog_told_is_kept_for_a_moment() {
    let spec = sqlite(&EXPOSED.replace("[authors, books, stock, 'ch*']", "['*']"));
    let client = serve(&spec).await;
    let database = rusqlite::Connection::open(spec.folder().join("shop.db")).unwrap();
    let complete = async || client.complete("shop://tables/{table}/schema", "table", "b").await["values"].clone();
    let begun = std::time::Instant::now();
    assert_eq!(complete().await, json!(["books"]));
    database.execute_batch("CREATE TABLE bills (id INTEGER PRIMARY KEY)").unwrap();
    let again = complete().await;
    if begun.elapsed() < std::time::Duration::from_secs(5) {
        assert_eq!(again, json!(["books"]));
    }
    let bills = body(&client.read("shop://tables/bills/schema").await);
    assert_eq!(bills["primaryKey"], json!(["id"]));
    assert_eq!(complete().await, json!(["bills", "books"]));
    // A column that went away is missed once.
    assert_eq!(body(&client.read("shop://tables/books/rows/7").await)["title"], "Dune");
    database.execute_batch("ALTER TABLE books RENAME COLUMN title TO name").unwrap();
    let _ = client.ask("resources/read", json!({ "uri": "shop://tables/books/rows/7" })).await;
    assert_eq!(body(&client.read("shop://tables/books/rows/7").await)["name"], "Dune");
}

#[tokio::test]
async fn a_table_that_is_not_there_is_told_at_its_place() {
    let spec = sqlite(&EXPOSED.replace("books", "boks"));
    let check = spec.run("check", &[]).await;
    assert_eq!(check.code, 1);
    assert_eq!(check.out.matches("the database has no table `boks`").count(), 1, "{}", check.out);
    assert!(check.out.contains("did you mean `books`?"), "{}", check.out);
    let offline = spec.run("check", &["--offline"]).await;
    assert_eq!(offline.code, 0, "{}", offline.out);
}
