//! Values on their way in.

use serde_json::{Value, json};

use super::served;
use crate::harness::Database;

const ALL: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE t (
        small smallint, big bigint, num numeric, float float8, yes boolean, words text, fixed char(3), bytes bytea,
        day date, at timestamptz, span interval, id uuid, doc jsonb, feeling mood, both_ pair, span_ int4range,
        host inet, bits varbit, place point, ints int[], texts text[], nums numeric[][], feelings mood[], docs jsonb[]);
";

#[tokio::test]
async fn a_value_of_any_type_binds_from_json() {
    let Some(db) = Database::postgres(ALL).await else { return };
    let values = [
        ("small", json!(-5), json!(-5)),
        ("big", json!("9223372036854775807"), json!("9223372036854775807")),
        ("big", json!(9_007_199_254_740_991_u64), json!(9_007_199_254_740_991_u64)),
        ("num", json!("12345678901234567890.123456789"), json!("12345678901234567890.123456789")),
        ("num", json!(1.5), json!("1.5")),
        ("float", json!(1e300), json!(1e300)),
        ("float", json!("NaN"), json!("NaN")),
        ("yes", json!(false), json!(false)),
        ("words", json!("it's \\ \"x\" $1 :y"), json!("it's \\ \"x\" $1 :y")),
        ("words", json!(7), json!("7")),
        ("fixed", json!("abc"), json!("abc")),
        ("bytes", json!("AP8Q"), json!("AP8Q")),
        ("day", json!("2026-02-28"), json!("2026-02-28")),
        ("at", json!("2026-02-28T12:00:00+02:00"), json!("2026-02-28T10:00:00+00:00")),
        ("span", json!("P1DT2H"), json!("P1DT2H")),
        ("id", json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("doc", json!({ "a": [1, "x"] }), json!({ "a": [1, "x"] })),
        ("doc", json!([1, { "b": null }]), json!([1, { "b": null }])),
        ("feeling", json!("happy"), json!("happy")),
        ("both_", json!({ "a": 1, "b": "x" }), json!({ "a": 1, "b": "x" })),
        ("both_", json!("(2,y)"), json!({ "a": 2, "b": "y" })),
        ("span_", json!("[1,5)"), json!("[1,5)")),
        ("host", json!("10.0.0.1"), json!("10.0.0.1")),
        ("bits", json!("0101"), json!("0101")),
        ("place", json!("(1,2)"), json!("(1,2)")),
        ("ints", json!([1, null, 3.0]), json!([1, null, 3])),
        ("ints", json!([]), json!([])),
        ("texts", json!(["a,b", "{c}", "d\"\\e", "NULL", null, ""]), json!(["a,b", "{c}", "d\"\\e", "NULL", null, ""])),
        ("nums", json!([["1.10", 2], [3, 4]]), json!([["1.10", "2"], ["3", "4"]])),
        ("feelings", json!(["sad", "happy"]), json!(["sad", "happy"])),
        ("docs", json!([{ "a": 1 }, [2]]), json!([{ "a": 1 }, [2]])),
        ("words", Value::Null, Value::Null),
    ];
    let tool = |column: &str| {
        format!(
            "{column}: {{ params: {{ v: {{ description: x }} }}, sql: {{ source: db, query: \
             'INSERT INTO t ({column}) VALUES (:v) RETURNING {column} AS v', returns: row }} }}\n"
        )
    };
    let mut columns: Vec<&str> = values.iter().map(|(column, ..)| *column).collect();
    columns.dedup();
    columns.sort();
    columns.dedup();
    let client = served(&db, "", &columns.into_iter().map(tool).collect::<String>()).await;
    for (column, bound, wanted) in values {
        assert_eq!(client.json(column, json!({ "v": bound })).await["v"], wanted, "{column} {bound}");
    }
    for (column, wrong, words) in [
        ("small", json!(99_999), "out of range"),
        ("id", json!("x"), "invalid input syntax for type uuid"),
        ("feeling", json!("angry"), "invalid input value for enum"),
        ("bytes", json!("?"), "base64"),
        ("words", json!("a\u{0}b"), "NUL"),
        ("small", json!(1.5), "invalid input syntax"),
    ] {
        let said = client.fails(column, json!({ "v": wrong })).await;
        assert!(said.contains(words), "{column} {wrong}: {said}");
    }
    assert_eq!(client.json("small", json!({ "v": 1 })).await["v"], 1);
}

#[tokio::test]
async fn lists_stand_in_in_and_any() {
    let setup = "CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL);";
    let Some(db) = Database::postgres(setup).await else { return };
    let ids = "params: { ids: { type: array, items: { type: integer } } }";
    let tools = format!(
        "
        in_list: {{ {ids}, sql: {{ source: db, query: 'SELECT id FROM t WHERE id IN (:ids) ORDER BY id' }} }}
        not_in: {{ {ids}, sql: {{ source: db, query: 'SELECT id FROM t WHERE id NOT IN ( :ids ) ORDER BY id' }} }}
        any: {{ {ids}, sql: {{ source: db, query: 'SELECT id FROM t WHERE id = ANY(:ids) ORDER BY id' }} }}
        both: {{ {ids}, sql: {{ source: db, query: 'SELECT id FROM t WHERE id IN (:ids) AND cardinality(:ids::int[]) > 1 ORDER BY id' }} }}
        names: {{ params: {{ names: {{ type: array, items: {{ type: string }} }} }}, sql: {{ source: db, query: 'SELECT id FROM t WHERE name IN (:names) ORDER BY id' }} }}
        one: {{ params: {{ id: integer }}, sql: {{ source: db, query: 'SELECT id FROM t WHERE id IN (:id)' }} }}
        maybe: {{ params: {{ id: {{ type: integer, optional: true }} }}, sql: {{ source: db, query: 'SELECT id FROM t WHERE :id IS NULL OR id = :id ORDER BY id' }} }}
        untyped: {{ params: {{ x: string }}, sql: {{ source: db, query: 'SELECT :x AS x, :x IS NULL AS none', returns: row }} }}
        page: {{ params: {{ n: integer }}, sql: {{ source: db, query: 'SELECT id FROM t ORDER BY id LIMIT :n OFFSET :n' }} }}
        "
    );
    let client = served(&db, "", &tools).await;
    let found = async |tool: &str, arguments: Value| {
        let answer = client.json(tool, arguments).await;
        answer["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    for tool in ["in_list", "any"] {
        assert_eq!(found(tool, json!({ "ids": [3, 1] })).await, [1, 3], "{tool}");
        assert!(found(tool, json!({ "ids": [] })).await.is_empty(), "{tool}");
    }
    assert_eq!(found("not_in", json!({ "ids": [2] })).await, [1, 3]);
    assert_eq!(found("not_in", json!({ "ids": [] })).await, [1, 2, 3]);
    assert_eq!(found("both", json!({ "ids": [1, 2] })).await, [1, 2]);
    assert!(found("both", json!({ "ids": [1] })).await.is_empty());
    assert_eq!(found("names", json!({ "names": ["b", "x'); DROP TABLE t; --"] })).await, [2]);
    assert_eq!(found("one", json!({ "id": 2 })).await, [2]);
    assert_eq!(found("maybe", json!({})).await, [1, 2, 3]);
    assert_eq!(found("maybe", json!({ "id": 2 })).await, [2]);
    assert_eq!(client.json("untyped", json!({ "x": "y" })).await, json!({ "x": "y", "none": false }));
    assert_eq!(found("page", json!({ "n": 1 })).await, [2]);
}
