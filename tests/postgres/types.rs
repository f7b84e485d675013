//! Every row of the table in docs/sql-types.md.

use serde_json::{Value, json};

use super::served;
use crate::harness::Database;

const TYPES: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TYPE pair AS (a int, b text);
";

/// The examples and what they give.
fn examples() -> Vec<(String, Value)> {
    let page = include_str!("../../docs/sql-types.md");
    let table = page.split("\n## PostgreSQL").nth(1).unwrap();
    let table = table
        .lines()
        .map(|line| line.replace("| | |", "|  |  |"))
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let code = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let row = |line: String| {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert_eq!(cells.len(), 4, "{line}");
        (
            code(cells[2]),
            serde_json::from_str(&code(cells[3].trim_end_matches(" |"))).unwrap_or_else(|why| panic!("{why}: {line}")),
        )
    };
    table.skip(2).map(row).collect()
}

#[tokio::test]
async fn every_type_comes_without_loss_and_as_its_schema_says() {
    let Some(db) = Database::postgres(TYPES).await else { return };
    let examples = examples();
    assert!(examples.len() > 40);
    let tool = |(index, (query, _)): (usize, &(String, Value))| {
        format!("t{index}: {{ sql: {{ source: db, query: {}, returns: row }} }}\n", json!(query))
    };
    let client = served(&db, "", &examples.iter().enumerate().map(tool).collect::<String>()).await;
    let listed = client.list("tools").await;
    for (index, (query, wanted)) in examples.iter().enumerate() {
        let row = client.json(&format!("t{index}"), json!({})).await;
        let (name, value) = row.as_object().unwrap().iter().next().unwrap();
        assert_eq!(value, wanted, "{query}");
        let schema = &listed[index]["outputSchema"];
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let allowed = match &schema["properties"][name.as_str()]["type"] {
            Value::Null => true,
            Value::Array(types) => types.contains(&json!(kind)),
            one => one == kind,
        };
        assert!(allowed, "{query} gives {value}, and its schema is {schema}");
    }
}
