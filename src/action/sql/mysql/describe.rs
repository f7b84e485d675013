//! What the server tells of a statement that is not run.

use std::collections::HashSet;

use sqlx::mysql::{MySqlArguments, MySqlColumn};
use sqlx::{Arguments as _, Column as _, Row as _, TypeInfo as _};

use super::guard::{self, Class};
use super::plan::{self, Plan, TableColumn};
use super::returning;
use super::session::{Flavor, Session};
use super::value::Form;
use crate::action::sql::types::{Column, Described, FaultKind, SqlFault};

/// Prepares a statement, and finds out what its types don't tell.
pub async fn plan(session: &mut Session, sql: &str) -> Result<(Plan, Vec<MySqlColumn>), SqlFault> {
    let mut plan = Plan::new(sql)?;
    let mut columns = session.prepare(&plan).await?;
    if let (true, Some(select)) = (columns.is_empty(), returning::as_select(sql)) {
        columns = session.prepare(&Plan::new(&select)?).await?;
    }
    plan.columns = columns.iter().map(|column| column.name().to_owned()).collect();
    plan.calls_stored = calls_stored_functions(session, sql).await?;
    if session.flavor == Flavor::Mariadb {
        plan.json = json_columns(session, &columns).await?;
    }
    Ok((plan, columns))
}

/// What is known of a statement from its plan and columns. Where the server forbids writes, functions can do none.
pub fn describe(sql: &str, plan: &Plan, columns: &[MySqlColumn], read_only: bool) -> Described {
    let reads = plan.class == Class::Read && (read_only || !plan.calls_stored);
    // The rows that ROLLUP adds have NULL where the table allows none, and the server does not say so.
    let claims = !guard::has_word(sql, "rollup");
    let column = |column: &MySqlColumn| {
        let info = column.type_info();
        let form = if plan.is_json(column) { Form::Json } else { Form::of(info) };
        Column {
            name: column.name().to_owned(),
            declared_type: Some(info.name().to_owned()),
            kind: form.kind(),
            nullable: !(claims && is_not_null(column)),
        }
    };
    Described {
        columns: columns.iter().map(column).collect(),
        complete: plan.class != Class::Call,
        params: plan.params(),
        read_only: reads,
    }
}

/// Whether the server marks a column NOT NULL, as it does unless a join, a union or a function brings in NULL. sqlx
/// shows the mark in debug output alone; without it, a column counts as nullable.
fn is_not_null(column: &MySqlColumn) -> bool {
    format!("{:?}", column.type_info()).contains("NOT_NULL")
}

/// Whether a statement calls a function that somebody wrote: it may write.
async fn calls_stored_functions(session: &mut Session, sql: &str) -> Result<bool, SqlFault> {
    let names = guard::functions(sql);
    if names.is_empty() {
        return Ok(false);
    }
    let places = vec!["?"; names.len()].join(",");
    let sql = format!(
        "SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_NAME IN ({places})"
    );
    Ok(!session.ask(sql, bound(&names)?).await?.is_empty())
}

/// The columns that MariaDB checks by `json_valid`, which makes them `JSON`: their type is a text's.
/// <https://mariadb.com/kb/en/json/>
async fn json_columns(session: &mut Session, columns: &[MySqlColumn]) -> Result<HashSet<TableColumn>, SqlFault> {
    let texts = columns.iter().filter(|column| Form::of(column.type_info()) == Form::Text);
    let tables: HashSet<String> = texts.filter_map(plan::origin).map(|(table, _)| table).collect();
    let mut found = HashSet::new();
    for table in tables {
        let Some((schema, name)) = table.split_once('.') else { continue };
        let sql = "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
                   WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?";
        for row in session.ask(sql.into(), bound(&[schema, name])?).await? {
            let clause: String = row.try_get_unchecked(0).unwrap_or_default();
            let column = clause.strip_prefix("json_valid(`").and_then(|rest| rest.strip_suffix("`)"));
            found.extend(column.map(|column| (table.clone(), column.replace("``", "`"))));
        }
    }
    Ok(found)
}

fn bound<T: AsRef<str>>(values: &[T]) -> Result<MySqlArguments, SqlFault> {
    let mut arguments = MySqlArguments::default();
    for value in values {
        let added = arguments.add(value.as_ref());
        added.map_err(|error| SqlFault::new(FaultKind::Other, format!("a value can't be bound: {error}")))?;
    }
    Ok(arguments)
}
