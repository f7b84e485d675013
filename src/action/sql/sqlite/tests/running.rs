use super::*;
use crate::action::sql::types::{ColumnKind, Truncation};

#[tokio::test]
async fn parameters_bind_by_name() {
    let db = memory("").await;
    let sql = "SELECT :b AS b, :a AS a, :b AS again, typeof(:t) AS t, typeof(:f) AS f";
    let given = [("a", json!("x\0y")), ("b", json!(2)), ("t", json!(true)), ("f", json!(1.0))];
    let answer = run(&db, sql, &given).await.unwrap();
    assert_eq!(objects(answer), json!([{"b": 2, "a": "x\0y", "again": 2, "t": "integer", "f": "real"}]));
}

#[tokio::test]
async fn a_bind_that_is_missing_or_spare_is_named() {
    let db = memory("").await;
    let fault = run(&db, "SELECT :a, :b", &[("a", json!(1))]).await.unwrap_err();
    assert_eq!((fault.message.as_str(), fault.kind), ("nothing is bound to the parameter :b", FaultKind::Refused));
    let fault = run(&db, "SELECT :a", &[("a", json!(1)), ("c", json!(1))]).await.unwrap_err();
    assert_eq!(fault.message, "the statement has no parameter :c");
    let fault = run(&db, "SELECT :a", &[("a", json!(1)), ("a", json!(2))]).await.unwrap_err();
    assert_eq!(fault.message, "a parameter is bound twice");
    let nan = vec![("a".to_owned(), Bind::Float(f64::NAN))];
    let fault = db.query("SELECT :a".into(), nan, LIMITS, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(fault.message, "the parameter :a is not a number");
    // What was bound in a call that failed is not there in the next.
    assert!(run(&db, "SELECT :a, :b", &[("b", json!(1))]).await.is_err());
}

#[tokio::test]
async fn only_named_parameters_are_understood() {
    let db = memory("").await;
    for sql in ["SELECT ?", "SELECT ?1", "SELECT @x", "SELECT $x", "SELECT :1", "SELECT :a, ?7", "SELECT :naïve"] {
        let fault = db.describe(sql).await.unwrap_err();
        assert!(fault.message.ends_with("write it as :name"), "{sql}: {}", fault.message);
    }
}

#[tokio::test]
async fn a_description_tells_columns_parameters_and_writes() {
    let db = memory(SHOP).await;
    let described = db
        .describe("SELECT id, title AS t, price, sold, extra, at, 1+1 FROM books WHERE id = :id OR :x = :id")
        .await
        .unwrap();
    assert_eq!(described.params, ["id", "x"]);
    assert!(described.read_only);
    let columns: Vec<_> = described.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(
        columns,
        [
            ("id", ColumnKind::Integer),
            ("t", ColumnKind::Text),
            ("price", ColumnKind::Decimal),
            ("sold", ColumnKind::Boolean),
            ("extra", ColumnKind::Json),
            ("at", ColumnKind::Timestamp),
            ("1+1", ColumnKind::Unknown)
        ]
    );
    assert_eq!(described.columns[2].declared_type.as_deref(), Some("DECIMAL(6,2)"));
    for (sql, columns) in [("DELETE FROM books", 0), ("DELETE FROM books RETURNING id", 1), ("CREATE TABLE x(a)", 0)] {
        let described = db.describe(sql).await.unwrap();
        assert_eq!((described.read_only, described.columns.len()), (false, columns), "{sql}");
    }
    assert_eq!(count(&db).await, json!(2));
    let twice = db.describe("SELECT id, title, id FROM books").await.unwrap();
    assert_eq!(twice.duplicate_column(), Some("id"));
}

#[tokio::test]
async fn only_plain_statements_claim_to_give_no_null() {
    let schema = "
        CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT);
        CREATE TABLE k(c TEXT PRIMARY KEY, d INT);
        CREATE TABLE i(e INTEGER PRIMARY KEY DESC, f TEXT NOT NULL);
        CREATE TABLE w(g TEXT, h INT, PRIMARY KEY (g, h)) WITHOUT ROWID;
        CREATE VIEW v AS SELECT * FROM t;";
    let db = memory(schema).await;
    for (sql, not_null) in [
        ("SELECT * FROM t", &["id", "a"][..]),
        ("select ALL_.a as x, b, ALL_.id from T as ALL_ where b in (1, :p) order by b limit 3;", &["x", "id"]),
        ("SELECT DISTINCT \"a\" FROM [t] u", &["a"]),
        ("SELECT * FROM w", &["g", "h"]),
        ("SELECT * FROM k", &[]),
        ("SELECT * FROM i", &["f"]),
        ("SELECT * FROM v", &[]),
        ("SELECT t.a FROM t LEFT JOIN k", &[]),
        ("SELECT y.a FROM t x LEFT JOIN t y ON 0", &[]),
        ("SELECT a FROM t, k", &[]),
        ("SELECT a, count(*) FROM t", &[]),
        ("SELECT a FROM t UNION VALUES (NULL)", &[]),
        ("SELECT a FROM t UNION ALL SELECT NULL", &[]),
        ("WITH t AS (SELECT NULL AS a) SELECT a FROM t", &[]),
        ("SELECT nullif(a, a) AS a FROM t", &[]),
        ("SELECT a FROM (SELECT NULL AS a)", &[]),
        ("SELECT b AS a FROM t", &[]),
    ] {
        let described = db.describe(sql).await.unwrap();
        let claimed: Vec<_> =
            described.columns.iter().filter(|column| !column.nullable).map(|column| column.name.as_str()).collect();
        assert_eq!(claimed, not_null, "{sql}");
    }
}

#[tokio::test]
async fn faults_have_the_databases_words_and_a_place() {
    let db = memory(SHOP).await;
    for (sql, message, at) in [
        ("SELECT titel FROM books", "no such column: titel", Some("titel")),
        ("\n  SELECT id FROM boks", "no such table: boks", Some("boks")),
        ("SELECT id FROM main.boks", "no such table: main.boks", Some("boks")),
        ("SELECT id FORM books", "near \"books\": syntax error", Some("books")),
        ("SELECT soundz(1)", "no such function: soundz", Some("soundz")),
        (
            "SELECT \"Dune\"",
            "no such column: \"Dune\" - should this be a string literal in single-quotes?",
            Some("\"Dune\""),
        ),
        ("", "there is no statement", Some("")),
        (" -- nothing", "there is no statement", Some("")),
        ("SELECT 1; SELECT 2", "only one statement is allowed here", Some("SELECT 2")),
    ] {
        let fault = db.describe(sql).await.unwrap_err();
        assert_eq!((fault.message.as_str(), fault.kind), (message, FaultKind::Refused), "{sql}");
        assert_eq!(fault.offset, at.and_then(|at| sql.find(at)), "{sql}");
        assert_eq!(run(&db, sql, &[]).await.unwrap_err(), fault);
    }
    let fault = run(&db, "INSERT INTO books(title) VALUES (NULL)", &[]).await.unwrap_err();
    assert_eq!(
        (fault.message.as_str(), fault.kind),
        ("NOT NULL constraint failed: books.title", FaultKind::Constraint)
    );
    let fault = run(&db, "SELECT json('{')", &[]).await.unwrap_err();
    assert_eq!((fault.message.as_str(), fault.kind), ("malformed JSON", FaultKind::Other));
}

#[tokio::test]
async fn rows_are_cut_at_either_limit() {
    let db = memory("").await;
    let sql: Arc<str> =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'abcdefgh' AS t FROM n".into();
    let token = CancellationToken::new();
    let by_rows = db.query(Arc::clone(&sql), vec![], Limits { max_rows: 3, ..LIMITS }, &token).await.unwrap();
    assert_eq!((by_rows.len(), by_rows.truncated), (3, Some(Truncation::MaxRows(3))));
    let by_bytes =
        db.query(sql, vec![], Limits { max_bytes: 100, max_rows: usize::MAX, ..LIMITS }, &token).await.unwrap();
    assert_eq!(by_bytes.truncated, Some(Truncation::MaxBytes(100)));
    assert!(by_bytes.len() >= 2 && objects(by_bytes).to_string().len() <= 110);
    let whole =
        db.query("SELECT 1 UNION SELECT 2".into(), vec![], Limits { max_rows: 2, ..LIMITS }, &token).await.unwrap();
    assert_eq!((whole.len(), whole.truncated), (2, None));
    let huge = db
        .query("SELECT zeroblob(1000000)".into(), vec![], Limits { max_bytes: 1000, ..LIMITS }, &token)
        .await
        .unwrap();
    assert_eq!((huge.len(), huge.truncated), (0, Some(Truncation::MaxBytes(1000))));
    let none = db.query("SELECT 1".into(), vec![], Limits { max_rows: 0, ..LIMITS }, &token).await.unwrap();
    assert_eq!((none.len(), none.truncated), (0, Some(Truncation::MaxRows(0))));
}

#[tokio::test]
async fn a_write_is_whole_even_if_its_rows_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), false).await;
    let limits = Limits { max_rows: 1, ..LIMITS };
    let sql = "UPDATE books SET title = title || '!' RETURNING title";
    let cut = db.query(sql.into(), vec![], limits, &CancellationToken::new()).await.unwrap();
    assert_eq!((cut.len(), cut.affected, cut.truncated), (1, 2, Some(Truncation::MaxRows(1))));
    let other = shop(folder.path(), true).await;
    assert_eq!(rows(&other, "SELECT title FROM books").await, json!([{"title": "Dune!"}, {"title": "Emma!"}]));
}

#[tokio::test]
async fn writes_are_counted_and_ids_told() {
    let db = memory(&format!("{SHOP}; CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID; CREATE TABLE log(x);")).await;
    let told = async |sql: &str| {
        let rows = run(&db, sql, &[]).await.unwrap();
        (rows.affected, rows.last_insert_id)
    };
    assert_eq!(told("INSERT INTO books(id, title) VALUES (7, 'x'), (9, 'y')").await, (2, Some(9)));
    assert_eq!(told("SELECT 1").await, (0, None));
    assert_eq!(told("UPDATE books SET sold = 1 WHERE id > 5").await, (2, None));
    assert_eq!(told("INSERT OR IGNORE INTO books(id, title) VALUES (7, 'x')").await, (0, None));
    assert_eq!(told("INSERT INTO w VALUES (1)").await, (1, None));
    assert_eq!(told("CREATE TABLE other(a)").await, (0, None));
    assert_eq!(told("INSERT INTO other VALUES (5) RETURNING a").await, (1, Some(1)));
    assert_eq!(told("DELETE FROM books WHERE id = 7").await, (1, None));
    assert_eq!(told("DELETE FROM books WHERE id = 7").await, (0, None));
}

#[tokio::test]
async fn a_changed_schema_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let db = shop(folder.path(), false).await;
    let sql = "SELECT * FROM books WHERE id = 1";
    assert_eq!(rows(&db, sql).await[0].as_object().unwrap().len(), 6);
    let outside = rusqlite::Connection::open(&path).unwrap();
    outside.execute_batch("ALTER TABLE books ADD COLUMN lent BOOLEAN DEFAULT 1").unwrap();
    assert_eq!(rows(&db, sql).await[0]["lent"], json!(true));
    outside.execute_batch("ALTER TABLE books DROP COLUMN lent").unwrap();
    assert_eq!(run(&db, "SELECT * FROM books WHERE id = 99", &[]).await.unwrap().columns.len(), 6);
    assert_eq!(rows(&db, sql).await[0].as_object().unwrap().len(), 6);
    outside.execute_batch("DROP TABLE books").unwrap();
    assert_eq!(run(&db, sql, &[]).await.unwrap_err().message, "no such table: books");
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), false).await;
    let token = CancellationToken::new();
    let insert =
        |id: i64| -> Bound { ("INSERT INTO books(id, title) VALUES (:id, 'n')".into(), binds(&[("id", json!(id))])) };
    let done = db.transaction(
        together(vec![insert(10), insert(11), ("SELECT count(*) AS n FROM books".into(), vec![])]),
        LIMITS,
        &token,
    );
    let done = done.await.unwrap();
    assert_eq!(done.iter().map(|rows| rows.last_insert_id).collect::<Vec<_>>(), [Some(10), Some(11), None]);
    assert_eq!(objects(done[2].clone()), json!([{"n": 4}]));
    for bad in [
        insert(10),
        ("COMMIT".into(), vec![]),
        ("INSERT OR ROLLBACK INTO books(id, title) VALUES (1, 'n')".into(), vec![]),
    ] {
        assert!(db.transaction(together(vec![insert(20), bad, insert(21)]), LIMITS, &token).await.is_err());
        assert_eq!(count(&db).await, json!(4));
    }
    assert!(db.transaction(together(vec![]), LIMITS, &token).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_transaction_fails_whole_at_its_end() {
    let schema = "CREATE TABLE p(id INTEGER PRIMARY KEY);
        CREATE TABLE c(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);";
    let db = memory(schema).await;
    let token = CancellationToken::new();
    let orphan: Bound = ("INSERT INTO c VALUES (5)".into(), vec![]);
    let fault = db.transaction(together(vec![orphan.clone()]), LIMITS, &token).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Constraint);
    assert_eq!(rows(&db, "SELECT count(*) AS n FROM c").await, json!([{"n": 0}]));
    let parent: Bound = ("INSERT INTO p VALUES (5)".into(), vec![]);
    assert!(db.transaction(together(vec![orphan, parent]), LIMITS, &token).await.is_ok());
}

#[tokio::test]
async fn the_limit_of_bytes_is_one_for_a_transaction() {
    let db = memory("").await;
    let select: Bound = ("SELECT 'abcdefghij' AS a".into(), vec![]);
    let limits = Limits { max_bytes: 30, ..LIMITS };
    let done = db.transaction(together(vec![select.clone(), select]), limits, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.iter().map(Rows::len).collect::<Vec<_>>(), [1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let db = shop(folder.path(), false).await;
    let mut calls = tokio::task::JoinSet::new();
    for id in 100..300_i64 {
        let db = db.clone();
        calls.spawn(async move {
            let write = [("id", json!(id))];
            run(&db, "INSERT INTO books(id, title) VALUES (:id, 't')", &write).await.unwrap();
            let row = run(&db, "SELECT id FROM books WHERE id = :id", &write).await.unwrap();
            assert_eq!(row.into_value(), Some(json!(id)));
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_eq!(count(&db).await, json!(202));
}

#[tokio::test]
async fn more_statements_than_are_kept() {
    let db = memory("").await;
    for round in 0..2 {
        for number in 0..300 {
            let value = run(&db, &format!("SELECT {number} + {round}"), &[]).await.unwrap().into_value();
            assert_eq!(value, Some(json!(number + round)));
        }
    }
}

#[tokio::test]
async fn a_panic_leaves_the_connection_usable() {
    let db = memory("CREATE TABLE t(a); INSERT INTO t VALUES (1)").await;
    let deadline = Instant::now() + Duration::from_secs(5);
    let fault = db.pool.run::<()>(deadline, &CancellationToken::new(), |_| panic!("on purpose")).await.unwrap_err();
    assert_eq!(
        (fault.message.as_str(), fault.kind),
        ("the database driver failed on this statement", FaultKind::Other)
    );
    assert_eq!(rows(&db, "SELECT a FROM t").await, json!([{"a": 1}]));
    assert!(run(&db, "PRAGMA query_only = 1", &[]).await.is_err());
}
