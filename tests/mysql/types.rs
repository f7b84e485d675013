//! Every type that a column can have, there and back.

use mcp_declare::action::sql::types::ColumnKind;
use serde_json::{Value, json};

use super::Shop;
use crate::harness::Era;

/// An example of the table in `docs/sql-types.md`: the type of a column, a value, and what it gives.
struct Example {
    declared: String,
    literal: String,
    gives: Value,
}

fn examples() -> Vec<Example> {
    let page = include_str!("../../docs/sql-types.md");
    let table = page.split("\n## MySQL and MariaDB").nth(1).unwrap();
    let table = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let code = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_suffix('|').unwrap_or(line).split(" | ").collect();
        let [.., value, gives] = cells.as_slice() else { panic!("{line}") };
        let (declared, literal) = value.split_once("`: `").unwrap_or_else(|| panic!("{line}"));
        let gives = serde_json::from_str(&code(gives)).unwrap_or_else(|why| panic!("{why}: {line}"));
        Example { declared: code(declared), literal: code(literal), gives }
    };
    table.skip(2).map(row).collect()
}

/// What a column is taken for.
fn kind(declared: &str) -> ColumnKind {
    let name = declared.split(['(', ' ']).next().unwrap();
    match name {
        "BOOLEAN" => ColumnKind::Boolean,
        "FLOAT" | "DOUBLE" => ColumnKind::Number,
        "DECIMAL" => ColumnKind::Decimal,
        "DATE" => ColumnKind::Date,
        "DATETIME" | "TIMESTAMP" => ColumnKind::Timestamp,
        "TIME" => ColumnKind::Time,
        "JSON" => ColumnKind::Json,
        "BIT" | "YEAR" => ColumnKind::Integer,
        _ if name.ends_with("INT") && name != "POINT" && name != "MULTIPOINT" => ColumnKind::Integer,
        _ if name.ends_with("BLOB") || name.ends_with("BINARY") => ColumnKind::Blob,
        _ => ColumnKind::Text,
    }
}

#[tokio::test]
async fn no_type_loses_anything() {
    let lenient = "SET SESSION sql_mode = ''";
    let Some(shop) = Shop::with("", |config| config.on_connect = vec![lenient.into()]).await else { return };
    let examples = examples();
    assert!(examples.len() > 60);
    for (index, Example { declared, literal, gives }) in examples.iter().enumerate() {
        let table = format!("CREATE TABLE t{index} (n INT AUTO_INCREMENT PRIMARY KEY, v {declared} NULL)");
        shop.db.run(&format!("{lenient}; {table}; INSERT INTO t{index} (v) VALUES (NULL), ({literal})")).await;
        let sql = format!("SELECT v FROM t{index} ORDER BY n");
        let described = shop.mysql.describe(&sql).await.unwrap();
        assert_eq!(described.columns[0].kind, kind(declared), "{declared}");
        assert!(described.columns[0].nullable, "{declared}");
        let given = shop.rows(&sql, Value::Null).await.unwrap().values;
        assert_eq!(given, [Value::Null, gives.clone()], "{declared}: {literal}");
    }
}

#[tokio::test]
async fn what_a_column_gives_is_what_its_schema_says() {
    let Some(shop) = Shop::new("").await else { return };
    let examples = examples();
    let mut written = String::new();
    for (index, Example { declared, literal, .. }) in examples.iter().enumerate() {
        let table = format!("CREATE TABLE t{index} (v {declared} NULL); INSERT INTO t{index} VALUES ({literal})");
        shop.db.run(&format!("SET SESSION sql_mode = ''; {table}")).await;
        written += &format!("t{index}: {{ sql: {{ source: db, query: SELECT v FROM t{index}, returns: row }} }}\n");
    }
    let client = super::door::spec(&shop.db, "", &written).stdio(Era::Legacy).await;
    let listed = client.list("tools").await;
    for (index, example) in examples.iter().enumerate() {
        let row = client.json(&format!("t{index}"), json!({})).await;
        assert_eq!(row["v"], example.gives, "{}", example.declared);
        let kind = match &row["v"] {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let allowed = match &listed[index]["outputSchema"]["properties"]["v"]["type"] {
            Value::Null => true,
            Value::Array(types) => types.contains(&json!(kind)),
            one => one == kind,
        };
        assert!(
            allowed,
            "{} gives {}, and its schema is {}",
            example.declared, row["v"], listed[index]["outputSchema"]
        );
    }
}

#[tokio::test]
async fn expressions_have_types_too() {
    let Some(shop) = Shop::new("").await else { return };
    for (sql, wanted) in [
        ("NULL", json!(null)),
        ("1 + 1", json!(2)),
        ("1 = 1", json!(1)),
        ("1.50", json!("1.50")),
        ("1e3", json!(1000.0)),
        ("18446744073709551615", json!("18446744073709551615")),
        ("'ä'", json!("ä")),
        ("_binary 'a'", json!("YQ==")),
        ("X'61'", json!("YQ==")),
        ("CONCAT(1, 'x')", json!("1x")),
        ("DATE '2026-01-02'", json!("2026-01-02")),
        ("TIMESTAMP '2026-01-02 03:04:05'", json!("2026-01-02T03:04:05")),
        ("TIMEDIFF('10:00:00', '40:30:00')", json!("-30:30:00")),
        ("CAST('2026-01-02 03:04:05.678' AS DATETIME(3))", json!("2026-01-02T03:04:05.678")),
        ("FROM_UNIXTIME(0)", json!("1970-01-01T00:00:00")),
        ("@@SESSION.time_zone", json!("+00:00")),
        ("@@SESSION.character_set_client", json!("utf8mb4")),
        ("MD5('a')", json!("0cc175b9c0f1b6a831c399e269772661")),
        ("COUNT(*)", json!(1)),
        ("SUM(2)", json!("2")),
        ("AVG(2)", json!("2.0000")),
        ("(SELECT NULL FROM DUAL WHERE FALSE)", json!(null)),
    ] {
        assert_eq!(shop.value(&format!("SELECT {sql}")).await, wanted, "{sql}");
    }
}

#[tokio::test]
async fn json_columns_are_known_by_their_check() {
    let setup = "
        CREATE TABLE a (id INT, doc JSON, `odd``name` JSON, plain LONGTEXT COLLATE utf8mb4_bin);
        INSERT INTO a VALUES (1, '{\"x\": 1}', '[1]', '{\"x\": 1}');
        CREATE TABLE b (doc LONGTEXT, id INT); INSERT INTO b VALUES ('[2]', 1)";
    let Some(shop) = Shop::new(setup).await else { return };
    let row = shop.ask("SELECT a.*, b.doc AS other, a.doc AS again FROM a JOIN b USING (id)", Value::Null).await;
    let wanted = json!([{
        "id": 1, "doc": { "x": 1 }, "odd`name": [1], "plain": "{\"x\": 1}", "other": "[2]", "again": { "x": 1 }
    }]);
    assert_eq!(row, wanted);
    // what a function gives has the type of a text
    assert_eq!(shop.value("SELECT JSON_EXTRACT(doc, '$.x') FROM a").await, json!("1"));
}

#[tokio::test]
async fn values_bind_as_what_they_are() {
    let setup =
        "CREATE TABLE t (i BIGINT, u BIGINT UNSIGNED, d DECIMAL(40,20), f DOUBLE, s VARCHAR(20), b BLOB, j JSON,
                 yes BOOLEAN, at DATETIME(3), day DATE, span TIME)";
    let Some(shop) = Shop::new(setup).await else { return };
    let values = json!({
        "i": i64::MIN, "u": u64::MAX, "d": "12345678901234567890.12345678901234567891", "f": 0.1, "s": "ä'\\\"; -- 🦀",
        "b": "ab", "j": [1, { "a": null }], "yes": true, "at": "2026-01-02T03:04:05.678", "day": "2026-01-02",
        "span": "-100:00:00",
    });
    let insert = "INSERT INTO t VALUES (:i, :u, :d, :f, :s, :b, :j, :yes, :at, :day, :span)";
    assert_eq!(shop.rows(insert, values.clone()).await.unwrap().affected, 1);
    let wanted = json!([{
        "i": i64::MIN.to_string(), "u": u64::MAX.to_string(), "d": "12345678901234567890.12345678901234567891", "f": 0.1,
        "s": "ä'\\\"; -- 🦀", "b": "YWI=", "j": [1, { "a": null }], "yes": true, "at": "2026-01-02T03:04:05.678",
        "day": "2026-01-02", "span": "-100:00:00",
    }]);
    assert_eq!(shop.ask("SELECT * FROM t", Value::Null).await, wanted);
    for (name, value) in values.as_object().unwrap() {
        if name == "j" {
            continue;
        }
        let found = shop.ask(&format!("SELECT 1 FROM t WHERE {name} = :{name}"), json!({ name: value })).await;
        assert_eq!(found, json!([{ "1": 1 }]), "{name}");
    }
    // a LIMIT takes the digits of an integer too
    for n in [json!(1), json!("1")] {
        assert_eq!(shop.ask("SELECT 1 FROM t LIMIT :n", json!({ "n": n })).await, json!([{ "1": 1 }]));
    }
    let near = shop.ask("SELECT 1 FROM t WHERE u = :u", json!({ "u": u64::MAX - 1 })).await;
    assert_eq!(near, json!([]), "no integer is rounded on its way");
}
