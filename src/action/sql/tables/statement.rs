//! Statements over a table, made of names that its catalog gave and of parameters.

use serde_json::Value;

use crate::action::sql::catalog::{Schema, TableColumn};
use crate::action::sql::lexer::Dialect;
use crate::action::sql::types::Bind;
use crate::action::sql::variants::quoted;
use crate::outcome::{ActionError, ErrorKind};

/// A statement and what it binds.
pub type Bound = (String, Vec<(String, Bind)>);

/// What a column has to be.
#[derive(Debug)]
pub struct Condition {
    column: String,
    value: Bind,
}

/// Rows of a table.
#[derive(Debug)]
pub struct Select<'s> {
    /// The table.
    pub schema: &'s Schema,
    /// What its rows have to be.
    pub conditions: Vec<Condition>,
    /// The columns that they are in the order of, and whether the greatest comes first.
    pub order: Vec<(String, bool)>,
    /// How many there are at most.
    pub limit: usize,
}

impl Select<'_> {
    /// The statement that gives the rows.
    pub fn rows(self, dialect: Dialect) -> Bound {
        let columns: Vec<String> = self.schema.columns.iter().map(|column| quoted(&column.name, dialect)).collect();
        let (mut statement, mut binds) = self.from(&columns.join(", "), dialect);
        let order = self.order.iter().map(|(column, down)| {
            let down = if *down { " DESC" } else { "" };
            format!("{}{down}", quoted(column, dialect))
        });
        let order: Vec<String> = order.collect();
        if !order.is_empty() {
            statement.push_str(&format!(" ORDER BY {}", order.join(", ")));
        }
        statement.push_str(" LIMIT :limit");
        binds.push(("limit".to_owned(), Bind::Integer(i64::try_from(self.limit).unwrap_or(i64::MAX))));
        (statement, binds)
    }

    /// The statement that counts them.
    pub fn count(self, dialect: Dialect) -> Bound {
        self.from("count(*)", dialect)
    }

    fn from(&self, what: &str, dialect: Dialect) -> Bound {
        let mut binds = Vec::new();
        let mut tests = Vec::new();
        for (index, condition) in self.conditions.iter().enumerate() {
            let column = quoted(&condition.column, dialect);
            if condition.value == Bind::Null {
                tests.push(format!("{column} IS NULL"));
                continue;
            }
            tests.push(format!("{column} = :value{index}"));
            binds.push((format!("value{index}"), condition.value.clone()));
        }
        let tests = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
        (format!("SELECT {what} FROM {}{tests}", self.schema.table.quoted(dialect)), binds)
    }
}

/// What the row of a key has to be: one value, or for a key of several columns a list, or their texts divided by commas.
///
/// # Errors
/// If the table has no primary key, or one of another number of columns.
pub fn key(schema: &Schema, given: &Value) -> Result<Vec<Condition>, ActionError> {
    let columns = &schema.primary_key;
    let name = &schema.table.name;
    if columns.is_empty() {
        let words = format!("`{name}` has no primary key by which a row could be found");
        return Err(ActionError::new(ErrorKind::NotFound, words));
    }
    let values: Vec<Value> = match given {
        Value::Array(values) => values.clone(),
        Value::String(text) if columns.len() > 1 => text.split(',').map(Value::from).collect(),
        one => vec![one.clone()],
    };
    if values.len() != columns.len() {
        let words = format!(
            "the primary key of `{name}` is {}: {} values, divided by commas",
            columns.join(", "),
            columns.len()
        );
        return Err(ActionError::new(ErrorKind::NotFound, words));
    }
    let pairs = columns.iter().zip(values).filter_map(|(name, value)| Some((schema.column(name)?, value)));
    pairs.map(|(column, value)| condition(column, &value)).collect::<Option<_>>().ok_or_else(no_row)
}

/// What rows have to be: an object of columns and their values.
///
/// # Errors
/// If it is none, or the table has no such column.
pub fn conditions(schema: &Schema, given: &Value) -> Result<Vec<Condition>, ActionError> {
    match given {
        Value::Null => Ok(Vec::new()),
        Value::Object(wanted) => wanted
            .iter()
            .map(|(name, value)| {
                let column = column(schema, name)?;
                let words =
                    || ActionError::invalid(format!("`{name}` is of type {}, and this is no such value", column.kind));
                condition(column, value).ok_or_else(words)
            })
            .collect(),
        _ => Err(ActionError::invalid("`where` has to be an object of columns and their values")),
    }
}

/// The order that a column's name says, `-` before it for the greatest first; without one that of the primary key.
///
/// # Errors
/// If the table has no such column.
pub fn order(schema: &Schema, given: &str) -> Result<Vec<(String, bool)>, ActionError> {
    if given.is_empty() {
        return Ok(schema.primary_key.iter().map(|name| (name.clone(), false)).collect());
    }
    let (name, down) = match given.strip_prefix('-') {
        Some(rest) if schema.column(given).is_none() => (rest, true),
        _ => (given, false),
    };
    Ok(vec![(column(schema, name)?.name.clone(), down)])
}

fn column<'s>(schema: &'s Schema, name: &str) -> Result<&'s TableColumn, ActionError> {
    schema.column(name).ok_or_else(|| {
        let known: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        let known = known.join(", ");
        ActionError::invalid(format!("`{}` has no column `{name}`; it has {known}", schema.table.name))
    })
}

/// What the databases call numbers.
const NUMBERS: &[&str] = &[
    "int",
    "integer",
    "smallint",
    "mediumint",
    "bigint",
    "tinyint",
    "decimal",
    "numeric",
    "year",
    "float",
    "double",
    "real",
];
/// What they call texts.
const TEXTS: &[&str] =
    &["char", "character", "varchar", "text", "tinytext", "mediumtext", "longtext", "enum", "set", "citext"];

/// `None` if no value of the column can be this one. Numbers are bound as numbers and texts as texts: MySQL takes
/// `7 apples` for 7, and any word for 0.
fn condition(column: &TableColumn, value: &Value) -> Option<Condition> {
    let kind = column.kind.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_lowercase();
    let value = match value {
        Value::String(text) if NUMBERS.contains(&kind.as_str()) => number(text)?,
        Value::Number(_) | Value::Bool(_) if TEXTS.contains(&kind.as_str()) => Bind::Text(value.to_string()),
        other => Bind::from_json(other),
    };
    Some(Condition { column: column.name.clone(), value })
}

fn number(text: &str) -> Option<Bind> {
    if let Ok(integer) = text.parse() {
        return Some(Bind::Integer(integer));
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    (plain && text.parse::<f64>().is_ok()).then(|| Bind::Text(text.to_owned()))
}

fn no_row() -> ActionError {
    ActionError::new(ErrorKind::NotFound, "not found: there is no such row")
}
