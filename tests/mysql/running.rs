//! What statements give, and what is said of them before they run.

use mcp_declare::action::Limits;
use mcp_declare::action::sql::mysql::{self, Mysql};
use mcp_declare::action::sql::types::{ColumnKind, FaultKind, Transaction, Truncation};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{BOOKS, LIMITS, Shop, config, transaction};
use crate::harness::{PATIENCE, database};

#[tokio::test]
async fn a_description_tells_columns_params_and_writes() {
    let Some(shop) = Shop::new(BOOKS).await else { return };
    let sql = "SELECT id, title AS t, price, extra, 1 + 1 AS two FROM books WHERE id = :id OR :x = :id";
    let described = shop.mysql.describe(sql).await.unwrap();
    assert_eq!(described.params, ["id", "x"]);
    assert!(described.read_only);
    let columns: Vec<_> =
        described.columns.iter().map(|column| (column.name.as_str(), column.kind, column.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("id", ColumnKind::Integer, false),
            ("t", ColumnKind::Text, false),
            ("price", ColumnKind::Decimal, true),
            ("extra", ColumnKind::Json, true),
            ("two", ColumnKind::Integer, false),
        ]
    );
    for (sql, columns) in [
        ("DELETE FROM books", 0),
        ("DELETE FROM books RETURNING id", 1),
        ("INSERT INTO books (title) VALUES ('x') RETURNING id, title", 2),
        ("CREATE TABLE x (a INT)", 0),
        ("WITH a AS (SELECT 1 AS id) SELECT * FROM a", 1),
    ] {
        let described = shop.mysql.describe(sql).await.unwrap();
        assert_eq!((described.columns.len(), described.read_only), (columns, sql.starts_with("WITH")), "{sql}");
    }
    assert_eq!(shop.value("SELECT COUNT(*) FROM books").await, json!(2));
}

#[tokio::test]
async fn a_column_is_not_null_only_if_no_row_can_have_null() {
    let setup = "CREATE TABLE a (id INT PRIMARY KEY, x INT NOT NULL, y INT); INSERT INTO a VALUES (1, 2, 3);
                 CREATE TABLE b (id INT PRIMARY KEY, z INT NOT NULL);
                 CREATE VIEW v AS SELECT id, y FROM a; CREATE VIEW w AS SELECT b.id, z FROM a LEFT JOIN b USING (id)";
    let Some(shop) = Shop::new(setup).await else { return };
    for (sql, not_null) in [
        ("SELECT * FROM a", &["id", "x"][..]),
        ("SELECT * FROM a, b", &["id", "x", "id", "z"]),
        ("SELECT a.id, b.z FROM a LEFT JOIN b USING (id)", &["id"]),
        ("SELECT a.id, b.z FROM a RIGHT JOIN b USING (id)", &["z"]),
        ("SELECT id FROM a UNION SELECT NULL", &[]),
        ("SELECT id FROM a UNION ALL SELECT id FROM b", &["id"]),
        ("SELECT id, COUNT(*) AS n FROM b", &["n"]),
        ("SELECT MAX(id) AS m, SUM(x) AS s FROM a", &[]),
        ("SELECT x, COUNT(*) AS n FROM a GROUP BY x", &["x", "n"]),
        ("SELECT x, COUNT(*) AS n FROM a GROUP BY x WITH ROLLUP", &[]),
        ("SELECT (SELECT id FROM b) AS s", &[]),
        ("SELECT * FROM v", &["id"]),
        ("SELECT * FROM w", &[]),
        ("SELECT * FROM (SELECT x, y FROM a) s", &["x"]),
        ("SELECT NULLIF(x, x) AS n, COALESCE(y, 1) AS c, 1/0 AS d FROM a", &["c"]),
        ("SELECT :p AS p", &[]),
    ] {
        let described = shop.mysql.describe(sql).await.unwrap();
        let claimed: Vec<_> = described.columns.iter().filter(|c| !c.nullable).map(|c| c.name.as_str()).collect();
        assert_eq!(claimed, not_null, "{sql}");
        // and nothing contradicts it
        let binds = if sql.contains(":p") { json!({ "p": null }) } else { Value::Null };
        for row in shop.rows(sql, binds).await.unwrap().into_objects() {
            assert!(described.columns.iter().all(|c| c.nullable || !row[&c.name].is_null()), "{sql}: {row:?}");
        }
    }
}

#[tokio::test]
async fn faults_have_the_servers_words_and_a_place() {
    let Some(shop) = Shop::new(BOOKS).await else { return };
    for (sql, message, at) in [
        ("SELECT titel FROM books", "Unknown column 'titel' in 'SELECT'", "titel"),
        ("SELECT id FROM books WHERE b.x = :y", "Unknown column 'b.x' in 'WHERE'", "x"),
        ("\n  SELECT id\n FROM `boks`", "Table 'boks' doesn't exist", "`boks`"),
        ("SELECT soundz(:a, 1)", "FUNCTION soundz does not exist", "soundz"),
        ("SELECT 1; SELECT 2", "only one statement is allowed here", "SELECT 2"),
    ] {
        let fault = shop.mysql.describe(sql).await.unwrap_err();
        let said = fault.message.replace("'field list'", "'SELECT'");
        assert_eq!((said.replace("'where clause'", "'WHERE'").as_str(), fault.kind), (message, FaultKind::Refused));
        assert_eq!(fault.offset, sql.rfind(at), "{sql}");
    }
    for (sql, at) in [
        ("SELECT id FORM books", "books"),
        ("SELECT id,\n  :a :b\nFROM books", ":b"),
        ("SELECT 'it''s' AS a,\n FROM books WHERE 'x' = 'FROM'", "FROM books"),
        ("SELECT id FROM books WHERE", ""),
    ] {
        let fault = shop.mysql.describe(sql).await.unwrap_err();
        assert!(fault.message.starts_with("You have an error in your SQL syntax"), "{}", fault.message);
        assert_eq!(fault.offset, sql.rfind(at), "{sql}: {}", fault.message);
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_a_fault_of_the_caller() {
    let setup = "CREATE TABLE a (id INT PRIMARY KEY, n TINYINT NOT NULL, s VARCHAR(3) CHARACTER SET latin1, CHECK (n < 100));
                 CREATE TABLE b (a INT REFERENCES a (id), j JSON, d DATE, e ENUM('x')); INSERT INTO a VALUES (1, 1, 'x')";
    let Some(shop) = Shop::new(setup).await else { return };
    for sql in [
        "INSERT INTO a VALUES (1, 1, 'x')",
        "INSERT INTO a VALUES (2, NULL, 'x')",
        "INSERT INTO a VALUES (2, 1000, 'x')",
        "INSERT INTO a VALUES (2, 1, 'long')",
        "INSERT INTO a VALUES (2, 100, 'x')",
        "INSERT INTO a (id) VALUES (2)",
        "INSERT INTO b (a) VALUES (7)",
        "INSERT INTO b (j) VALUES ('{')",
        "INSERT INTO b (d) VALUES ('2026-13-01')",
        "INSERT INTO b (e) VALUES ('y')",
        "SELECT 1 FROM a WHERE s = '🦀'",
    ] {
        assert_eq!(shop.rows(sql, Value::Null).await.unwrap_err().kind, FaultKind::Constraint, "{sql}");
    }
    assert_eq!(shop.value("SELECT COUNT(*) FROM a").await, json!(1));
}

#[tokio::test]
async fn rights_are_told_without_the_users_name() {
    let Some(shop) = Shop::new(BOOKS).await else { return };
    let name = shop.db.name();
    let user = format!("u_{name}");
    shop.db
        .run(&format!("CREATE USER {user}@'%' IDENTIFIED BY 'pw'; GRANT SELECT (id) ON {name}.books TO {user}@'%'"))
        .await;
    let address = shop.db.url().rsplit_once('@').unwrap().1.to_owned();
    let poor = mysql::open(config(&format!("mysql://{user}:pw@{address}"))).await.unwrap();
    for sql in ["SELECT title FROM books", "DELETE FROM books", "CREATE TABLE x (a INT)", "SELECT * FROM mysql.user"] {
        let token = CancellationToken::new();
        let fault = poor.query(sql.into(), vec![], LIMITS, &token).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused, "{fault:?}");
        assert!(fault.message.contains("command denied to this user for "), "{fault:?}");
        assert!(!fault.message.contains("u_") && !fault.message.contains(name), "{fault:?}");
    }
}

#[tokio::test]
async fn writes_say_how_many_rows_and_which_id() {
    let Some(shop) = Shop::new(BOOKS).await else { return };
    let run = async |sql: &str| {
        let rows = shop.rows(sql, Value::Null).await.unwrap();
        (rows.affected, rows.last_insert_id)
    };
    assert_eq!(run("INSERT INTO books (title) VALUES ('a')").await, (1, Some(3)));
    // of several rows, the first one's
    assert_eq!(run("INSERT INTO books (title) VALUES ('b'), ('c')").await, (2, Some(4)));
    // rows that were found, also where nothing changed
    assert_eq!(run("UPDATE books SET title = 'x' WHERE id > 2").await, (3, None));
    assert_eq!(run("UPDATE books SET title = 'x' WHERE id > 2").await, (3, None));
    assert_eq!(run("DELETE FROM books WHERE id > 3").await, (2, None));
    assert_eq!(run("SELECT 1").await, (0, None));
    let back =
        shop.rows("INSERT INTO books (title) VALUES ('d'), ('e') RETURNING id, title", Value::Null).await.unwrap();
    assert_eq!(back.affected, 2);
    assert_eq!(
        back.into_objects().map(Value::Object).collect::<Value>(),
        json!([{ "id": 6, "title": "d" }, { "id": 7, "title": "e" }])
    );
    let cut = Limits { max_rows: 1, ..LIMITS };
    let gone = shop.within("DELETE FROM books RETURNING id", Value::Null, cut).await.unwrap();
    assert_eq!((gone.len(), gone.affected, gone.truncated), (1, 5, Some(Truncation::MaxRows(1))));
    assert_eq!(shop.value("SELECT COUNT(*) FROM books").await, json!(0));
}

#[tokio::test]
async fn lists_bind_in_any_length() {
    let setup = "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_german1_ci);
                 INSERT INTO t SELECT seq, CONCAT('s', seq) FROM seq_1_to_1000; INSERT INTO t VALUES (0, NULL)";
    let Some(shop) = Shop::new(setup).await else { return };
    let count =
        async |sql: &str, ids: Value| shop.rows(sql, json!({ "ids": ids })).await.unwrap().into_value().unwrap();
    let within = "SELECT COUNT(*) FROM t WHERE id IN (:ids)";
    let without = "SELECT COUNT(*) FROM t WHERE id NOT IN (:ids)";
    for given in [0, 1, 2, 3, 4, 5, 7, 900, 1000] {
        let ids: Vec<usize> = (1..=given).collect();
        assert_eq!(count(within, json!(ids)).await, json!(given));
        assert_eq!(count(without, json!(ids)).await, json!(1001 - given));
    }
    assert_eq!(count("SELECT COUNT(*) FROM t WHERE s IN (:ids)", json!(["s1", "s2", "ü"])).await, json!(2));
    assert_eq!(count("SELECT COUNT(*) FROM t WHERE s NOT IN (:ids)", json!([])).await, json!(1001));
    assert_eq!(count(within, json!([1, null])).await, json!(1));
    assert_eq!(count(within, json!("1")).await, json!(1));
    let two = "SELECT COUNT(*) FROM t WHERE id IN (:ids) OR id IN ( :ids ) OR s = :s";
    let rows = shop.rows(two, json!({ "ids": [1, 2, 3], "s": "s9" })).await.unwrap();
    assert_eq!(rows.into_value(), Some(json!(4)));
    shop.mysql.describe(two).await.unwrap();
}

fn work(statements: &[(&str, Value)]) -> Transaction {
    Transaction { statements: transaction(statements), isolation: None }
}

#[tokio::test]
async fn a_transaction_takes_effect_as_a_whole_or_not_at_all() {
    let Some(shop) = Shop::new(BOOKS).await else { return };
    let run = async |statements: &[(&str, Value)]| {
        shop.mysql.transaction(work(statements), LIMITS, &CancellationToken::new()).await
    };
    let insert = "INSERT INTO books (title) VALUES (:t)";
    let statements = [
        (insert, json!({ "t": "a" })),
        ("SELECT COUNT(*) AS n FROM books", json!({})),
        ("UPDATE books SET price = 1 WHERE id = LAST_INSERT_ID()", json!({})),
    ];
    let good = run(&statements).await.unwrap();
    assert_eq!((good[0].last_insert_id, good[1].values.clone(), good[2].affected), (Some(3), vec![json!(3)], 1));
    let bad = run(&[(insert, json!({ "t": "b" })), (insert, json!({ "t": null }))]).await.unwrap_err();
    assert_eq!(bad.kind, FaultKind::Constraint);
    for end in ["CREATE TABLE z (a INT)", "TRUNCATE books", "CALL p()", "COMMIT", "ROLLBACK"] {
        let bad = run(&[(insert, json!({ "t": "c" })), (end, json!({}))]).await.unwrap_err();
        assert_eq!(bad.kind, FaultKind::Refused, "{end}");
    }
    assert_eq!(shop.db.text("SELECT CAST(COUNT(*) AS CHAR) FROM books").await, "3");
    let cut = Limits { max_rows: 1, ..LIMITS };
    let work = work(&[(insert, json!({ "t": "d" })), ("SELECT * FROM books", json!({}))]);
    let rows = shop.mysql.transaction(work, cut, &CancellationToken::new()).await.unwrap();
    assert_eq!(rows[1].truncated, Some(Truncation::MaxRows(1)));
    assert_eq!(shop.db.text("SELECT CAST(COUNT(*) AS CHAR) FROM books").await, "4");
}

#[tokio::test]
async fn procedures_give_their_first_result() {
    let setup = "CREATE PROCEDURE two(IN n INT) BEGIN SELECT n AS a; SELECT 2 AS b; SET @left_behind = n; END";
    let Some(shop) = Shop::with(setup, |config| config.max_connections = 1).await else { return };
    assert_eq!(shop.ask("CALL two(:n)", json!({ "n": 7 })).await, json!([{ "a": 7 }]));
    assert_eq!(shop.value("SELECT @left_behind").await, json!(null));
}

#[tokio::test]
async fn connections_are_what_every_statement_relies_on() {
    let odd = [
        "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'",
        "SET time_zone = '+05:00'",
        "SET NAMES latin1",
        "SET autocommit = 0",
        "SET @mine = 'kept'",
        "SET sql_select_limit = 1",
    ];
    let Some(shop) = Shop::with(BOOKS, |config| config.on_connect = odd.map(str::to_owned).to_vec()).await else {
        return;
    };
    assert_eq!(shop.value("SELECT \"it\\\"s\"").await, json!("it\"s"));
    assert_eq!(shop.value("SELECT @@SESSION.time_zone").await, json!("+00:00"));
    assert_eq!(shop.value("SELECT 'ä🦀'").await, json!("ä🦀"));
    assert_eq!(shop.value("SELECT @mine").await, json!("kept"));
    assert_eq!(shop.value("SELECT @@SESSION.autocommit").await, json!(1));
    let mode = shop.value("SELECT @@SESSION.sql_mode").await;
    assert!(mode.as_str().unwrap().contains("STRICT_ALL_TABLES") && !mode.as_str().unwrap().contains("ANSI"), "{mode}");
    assert_eq!(shop.ask("SELECT id FROM books ORDER BY id", Value::Null).await, json!([{ "id": 1 }, { "id": 2 }]));
}

#[tokio::test]
async fn what_can_not_be_opened_is_told_without_the_url() {
    let Some(shop) = Shop::new("").await else { return };
    let url = shop.db.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let wrong_password = format!("mysql://tester:wr0ng@{}/{name}", server.rsplit_once('@').unwrap().1);
    for (url, words) in [
        (wrong_password, "the server refuses this user or password"),
        (format!("{server}/nowhere"), "the server has no such database"),
        (format!("{url}?ssl_mode=REQUIRED"), "the URL has an option that is not known; known are ssl-mode, ssl-ca, "),
        (format!("{url}?ssl-mode=MAYBE"), "not the URL of a database: such as mysql://user@host/database"),
        ("mysql://tester:wr0ng@127.0.0.1:1/x".into(), "the server can't be reached: connection refused"),
        ("mysql://tester:wr0ng@nowhere.invalid/x".into(), "the server can't be reached: "),
        ("mysql://tester:wr0ng@127.0.0.1:port/x".into(), "not the URL of a database: "),
    ] {
        let fault = mysql::open(config(&url)).await.unwrap_err().to_string();
        assert!(fault.starts_with(words), "{fault}");
        assert!(!fault.contains("wr0ng") && !fault.contains(name) && !fault.contains("nowhere"), "{fault}");
    }
    let mut broken = config(&url);
    broken.on_connect = vec!["SET @a = 1".into(), "SELECT boom".into()];
    let fault = mysql::open(broken.clone()).await.unwrap_err().to_string();
    assert!(fault.starts_with("a statement of `onConnect` failed: Unknown column 'boom'"), "{fault}");
    broken.on_connect = vec!["SET @a = 1; DROP TABLE x".into()];
    let fault = mysql::open(broken).await.unwrap_err().to_string();
    assert_eq!(fault, "a statement of `onConnect` failed: only one statement is allowed here");
}

#[tokio::test]
async fn it_goes_on_when_the_server_comes_back() {
    let Some(mut server) = database::server(database::Kind::Mariadb).await else { return };
    let db = database::Database::on(&server, "CREATE TABLE t (a INT); INSERT INTO t VALUES (7)").await;
    let mut config = config(&db.url());
    config.max_connections = 3;
    let mysql = Mysql::new(&config).unwrap();
    let ask = async || {
        let token = CancellationToken::new();
        mysql.query("SELECT a FROM t".into(), vec![], LIMITS, &token).await.map(|rows| rows.into_value())
    };
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    server.stop();
    let before = std::time::Instant::now();
    let fault = ask().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault:?}");
    assert!(before.elapsed() < PATIENCE, "a server that is not there is told at once");
    server.go_on().await;
    for _ in 0..4 {
        assert_eq!(ask().await, Ok(Some(json!(7))));
    }
}

#[tokio::test]
async fn there_are_only_so_many_connections_and_unused_ones_are_closed() {
    let Some(shop) = Shop::with("", |config| {
        config.max_connections = 2;
        config.acquire_timeout = std::time::Duration::from_secs(20);
    })
    .await
    else {
        return;
    };
    let slow = async || shop.rows("SELECT SLEEP(0.05), CONNECTION_ID() AS id", Value::Null).await.unwrap();
    let all = futures_util::future::join_all((0..8).map(|_| slow())).await;
    let ids: std::collections::HashSet<String> = all.into_iter().map(|rows| rows.values[1].to_string()).collect();
    assert_eq!(ids.len(), 2);
    let mut config = config(&shop.db.url());
    config.idle_timeout = std::time::Duration::from_millis(50);
    config.acquire_timeout = std::time::Duration::from_secs(3);
    config.max_connections = 1;
    shop.mysql.close().await;
    assert_eq!(
        shop.rows("SELECT 1", Value::Null).await.unwrap_err().message,
        "the connections to the database are closed"
    );
    let brief = mysql::open(config).await.unwrap();
    let none = async || shop.processes().await.is_empty();
    crate::harness::until("the unused connection to be closed", none).await;
    let token = CancellationToken::new();
    let sleep = brief.query("SELECT SLEEP(60)".into(), vec![], LIMITS, &token);
    let wait = async {
        crate::harness::until("a statement to run", async || shop.processes().await.contains("SLEEP(60)")).await;
        let fault = brief.query("SELECT 1".into(), vec![], LIMITS, &token).await.unwrap_err();
        token.cancel();
        fault.message
    };
    let (slept, message) = tokio::join!(sleep, wait);
    assert_eq!(message, "all 1 connections to the database are in use");
    assert_eq!(slept.unwrap_err().kind, FaultKind::Cancelled);
}
