//! A statement made ready: what is sent for it, what its values are bound to, and how its rows are read.

use std::sync::Arc;

use sqlx::postgres::{PgColumn, PgConnection, PgStatement, PgTypeInfo};
use sqlx::{AssertSqlSafe, Column as _, Either, Executor, Row, SqlSafeStr, Statement as _};

use super::bind::Param;
use super::statement::{Statement, Verb};
use super::types::{self, Type};
use super::value::{self, Reading};
use super::{effects, fault};
use crate::action::sql::lexer::Rewritten;
use crate::action::sql::types::{Column, Described, FaultKind, SqlFault};

/// The type of text, which a parameter has where nothing tells another one.
const TEXT: u32 = 25;

/// A statement that is ready to run.
#[derive(Debug)]
pub struct Plan {
    text: String,
    /// What its values are bound to, `$1` first.
    pub params: Vec<Param>,
    /// The names of its columns.
    pub columns: Arc<[String]>,
    /// How each column is read.
    pub readings: Vec<Reading>,
    /// Whether it changes data or takes locks, by its own words.
    pub writes: bool,
    /// Whether it, or a function in it, may do something to its session.
    pub has_effects: bool,
    /// Whether its last parameter is how many characters of a cell are wanted.
    pub cuts_cells: bool,
    /// Whether the server's count of rows is that of rows changed.
    pub changes: bool,
    /// Whether a limit may be put behind it.
    limited: bool,
    /// What is told of it at load.
    pub described: Described,
}

impl Plan {
    /// Has the server describe a statement, whose text has `:name` where values stand.
    ///
    /// # Errors
    /// What the server says, at its place in `sql`.
    pub async fn make(connection: &mut PgConnection, sql: &str, read_only: bool) -> Result<Plan, SqlFault> {
        let mut statement = Statement::parse(sql)?;
        if read_only {
            effects::refuse_lasting(&statement.calls)?;
        }
        let described = describe(connection, &mut statement).await?;
        let around = |error: sqlx::Error| fault::statement(&error, "");
        let ids = ids(&described);
        let found = types::look_up(connection, &ids).await.map_err(around)?;
        let kind = |id: Option<u32>| id.and_then(|id| found.get(&id)).cloned().unwrap_or_default();
        let kinds = parameters(&described).map(|info| kind(oid(info)));
        let slots = statement.slots.iter().zip(kinds);
        let params: Vec<Param> =
            slots.map(|(slot, kind)| Param { name: slot.name.clone(), list: slot.list, kind }).collect();
        let columns = described.columns();
        let column_types: Vec<Type> = columns.iter().map(|column| kind(oid(column.type_info()))).collect();
        let calls = effects::may_have_effects(connection, &statement.calls).await.map_err(around)?;
        let has_effects = calls || statement.makes_tables || statement.verb == Verb::Other;
        let not_null =
            if statement.widens { Vec::new() } else { not_null(connection, columns).await.map_err(around)? };
        let Sent { text, readings, cuts_cells } = text(&statement, &params, &column_types)?;
        let writes = statement.writes || !matches!(statement.verb, Verb::Query | Verb::Tell);
        let plan = Plan {
            text,
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            readings,
            writes,
            has_effects,
            cuts_cells,
            changes: statement.verb == Verb::Change,
            limited: statement.verb == Verb::Query && !columns.is_empty() && !writes && (read_only || !has_effects),
            described: Described {
                complete: true,
                columns: described_columns(columns, &column_types, &not_null),
                params: names(&params),
                // A server that is to refuse writes refuses those of functions as well.
                read_only: !writes && (read_only || !has_effects),
            },
            params,
        };
        // What is put around it may not be to the server's liking.
        connection.prepare(AssertSqlSafe(plan.text(1)).into_sql_str()).await.map_err(|error| {
            let said = fault::statement(&error, "");
            SqlFault::new(said.kind, format!("its rows can't be read: {}", said.message))
        })?;
        Ok(plan)
    }

    /// What is sent, for that many rows; the server stops there, unless the statement is one that has to end.
    pub fn text(&self, max_rows: usize) -> String {
        match self.limited {
            true => format!("{} LIMIT {}", self.text, max_rows.saturating_add(1).min(i64::MAX as usize)),
            false => self.text.clone(),
        }
    }
}

/// Prepares the statement as it is written, only with `$1` for the first of its slots, and so on. A slot whose type
/// nothing tells is text, and one that two types are told for becomes two.
async fn describe(connection: &mut PgConnection, statement: &mut Statement<'_>) -> Result<PgStatement, SqlFault> {
    loop {
        let rewritten = statement.rewrite(|at, slot| match slot.text {
            true => format!("(${}::text)", at + 1),
            false => format!("${}", at + 1),
        });
        let prepared = connection.prepare(AssertSqlSafe(rewritten.text.as_str()).into_sql_str()).await;
        match prepared {
            Ok(prepared) => return Ok(prepared),
            Err(error) => {
                let loosened = untyped(&error).is_some_and(|number| statement.loosen(number.saturating_sub(1)));
                if !loosened {
                    return Err(placed(&error, &rewritten));
                }
            }
        }
    }
}

fn placed(error: &sqlx::Error, rewritten: &Rewritten) -> SqlFault {
    let found = fault::statement(error, &rewritten.text);
    let offset = found.offset.map(|offset| rewritten.original(offset));
    found.at(offset)
}

/// Which parameter has a type that could not be determined.
fn untyped(error: &sqlx::Error) -> Option<usize> {
    let sqlx::Error::Database(said) = error else { return None };
    // indeterminate_datatype, ambiguous_parameter
    let code = said.code().unwrap_or_default();
    let number = said.message().split_once('$').filter(|_| code == "42P18" || code == "42P08")?.1;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn parameters(prepared: &PgStatement) -> impl Iterator<Item = &PgTypeInfo> {
    match prepared.parameters() {
        Some(Either::Left(types)) => types.iter(),
        _ => [].iter(),
    }
}

fn oid(info: &PgTypeInfo) -> Option<u32> {
    info.oid().map(|oid| oid.0)
}

fn ids(prepared: &PgStatement) -> Vec<u32> {
    let columns = prepared.columns().iter().map(sqlx::Column::type_info);
    let mut ids: Vec<u32> = parameters(prepared).chain(columns).filter_map(oid).chain([TEXT]).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What is sent for a statement.
struct Sent {
    text: String,
    readings: Vec<Reading>,
    cuts_cells: bool,
}

/// The statement with a cast at each of its values, and with its rows as text.
fn text(statement: &Statement<'_>, params: &[Param], columns: &[Type]) -> Result<Sent, SqlFault> {
    let rewritten =
        statement.rewrite(|at, _| params.get(at).map_or_else(String::new, |param| param.expression(at + 1)));
    let (with, main) = statement.split(&rewritten);
    let part = |range| rewritten.text.get(range).unwrap_or_default();
    if columns.is_empty() {
        return Ok(Sent { text: part(0..main.end).to_owned(), readings: Vec::new(), cuts_cells: false });
    }
    if !matches!(statement.verb, Verb::Query | Verb::Change) {
        let readings: Option<Vec<Reading>> = columns.iter().map(|column| value::plain(column.oid)).collect();
        let words = "the results of such a statement can be read only where they are text: use a SELECT";
        let readings = readings.ok_or_else(|| SqlFault::new(FaultKind::Refused, words))?;
        return Ok(Sent { text: part(0..main.end).to_owned(), readings, cuts_cells: false });
    }
    let names: Vec<String> = (1..=columns.len()).map(|number| format!("c{number}")).collect();
    let cuts_cells = columns.iter().any(|column| value::may_be_long(column.oid));
    let rendered = names.iter().zip(columns).map(|(name, column)| {
        let (expression, reading) = value::rendering(name, column.oid);
        match value::may_be_long(column.oid) {
            // A cell that is longer than all that is wanted stays on the server.
            true => (format!("left({expression}, ${})", params.len() + 1), reading),
            false => (expression, reading),
        }
    });
    let (expressions, readings): (Vec<String>, Vec<Reading>) = rendered.unzip();
    let (names, expressions) = (names.join(", "), expressions.join(", "));
    // A comment at the end of the main part ends with its line.
    let (with, main) = (part(with), part(main));
    let text = match (statement.verb, with.trim().is_empty()) {
        (Verb::Query, true) => format!("SELECT {expressions} FROM (\n{main}\n) AS mcp_rows({names})"),
        (_, true) => format!("WITH mcp_rows({names}) AS (\n{main}\n) SELECT {expressions} FROM mcp_rows"),
        (_, false) => format!("{with}\n, mcp_rows({names}) AS (\n{main}\n) SELECT {expressions} FROM mcp_rows"),
    };
    Ok(Sent { text, readings, cuts_cells })
}

fn names(params: &[Param]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for param in params {
        if !names.contains(&param.name) {
            names.push(param.name.clone());
        }
    }
    names
}

fn described_columns(columns: &[PgColumn], types: &[Type], not_null: &[(u32, i16)]) -> Vec<Column> {
    let one = |(column, found): (&PgColumn, &Type)| {
        let origin = column.relation_id().zip(column.relation_attribute_no());
        Column {
            name: column.name().to_owned(),
            declared_type: Some(found.title.clone()),
            kind: value::kind(found),
            nullable: !origin.is_some_and(|(table, number)| not_null.contains(&(table.0, number))),
        }
    };
    columns.iter().zip(types).map(one).collect()
}

/// Those columns of tables that are NOT NULL, by table and number.
async fn not_null(connection: &mut PgConnection, columns: &[PgColumn]) -> sqlx::Result<Vec<(u32, i16)>> {
    let mut tables: Vec<String> =
        columns.iter().filter_map(PgColumn::relation_id).map(|table| table.0.to_string()).collect();
    tables.sort();
    tables.dedup();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT attrelid::int8, attnum FROM pg_catalog.pg_attribute \
               WHERE attnotnull AND attrelid = ANY ($1::text::oid[])";
    let rows = connection.fetch_all(sqlx::query(sql).bind(format!("{{{}}}", tables.join(",")))).await?;
    rows.iter().map(|row| Ok((u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default(), row.try_get(1)?))).collect()
}
