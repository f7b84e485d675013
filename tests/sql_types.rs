//! Every row of SQLite's table in docs/sql-types.md.

use serde_json::{Value, json};

use crate::harness::{Era, Spec};

/// A declared type, what is stored, and what it gives.
fn examples() -> Vec<(String, String, Value)> {
    let page = include_str!("../docs/sql-types.md");
    let table = page.split("\n## SQLite").nth(1).unwrap();
    let lines = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let code = |cell: &str| cell.split('`').nth(1).unwrap_or("").replace("\\|", "|");
    let mut declared = String::new();
    let mut row = |line: &str| {
        let line = line.replace("| | |", "|  |  |");
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "{line}");
        if !code(cells[0]).is_empty() {
            declared = code(cells[0]);
        }
        (declared.clone(), code(cells[2]), serde_json::from_str(&code(cells[3])).unwrap())
    };
    lines.skip(2).map(&mut row).collect()
}

/// What JSON Schema calls a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[tokio::test]
async fn every_type_comes_without_loss_and_as_its_schema_says() {
    let examples = examples();
    assert!(examples.len() >= 30, "{}", examples.len());
    let (mut script, mut tools) = (String::new(), String::new());
    for (index, (declared, stored, _)) in examples.iter().enumerate() {
        script.push_str(&format!("CREATE TABLE t{index}(c {declared}); INSERT INTO t{index} VALUES ({stored});\n"));
        tools
            .push_str(&format!("t{index}: {{ sql: {{ source: db, query: SELECT c FROM t{index}, returns: row }} }}\n"));
    }
    let sources = "sources: { db: { sql: 'sqlite:./t.db', init: ./t.sql, readOnly: true } }\n";
    let text = format!("{sources}{}", crate::harness::spec::tools(&tools));
    let client = Spec::new("").file("t.sql", script).with(&text).stdio(Era::Legacy).await;
    let listed = client.list("tools").await;
    for (index, (declared, stored, wanted)) in examples.iter().enumerate() {
        let row = client.json(&format!("t{index}"), json!({})).await;
        assert_eq!(row["c"], *wanted, "{declared}: {stored}");
        let allowed = match &listed[index]["outputSchema"]["properties"]["c"]["type"] {
            Value::Null => true,
            Value::Array(types) => types.contains(&json!(kind(wanted))),
            one => *one == json!(kind(wanted)),
        };
        assert!(allowed, "{declared}: {stored}: {}", listed[index]["outputSchema"]);
    }
}
