//! A compiled statement and what we have to know of it, found out once.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, PrepFlags, Statement, StatementStatus};

use super::guard::{Guard, Trust};
use super::{fault, value};
use crate::action::sql::lexer::{self, Dialect};
use crate::action::sql::types::{Bind, ColumnKind, FaultKind, SqlFault};

/// How long a statement may run on its caller's own thread, which others wait for.
pub const QUICK: Duration = Duration::from_micros(500);

/// How often in a row a statement must have been quick before its callers run it themselves.
const TRUSTED: u8 = 4;

/// What we know of a statement.
pub struct Plan {
    /// The name of each parameter, without the colon, in SQLite's order.
    pub params: Vec<String>,
    /// The names of the columns.
    pub columns: Arc<[String]>,
    /// What each column holds.
    pub kinds: Vec<ColumnKind>,
    /// Bytes of JSON text that the names cost in every row.
    pub row_overhead: usize,
    /// Whether it writes nothing.
    pub read_only: bool,
    /// Whether it inserts into a table whose rows have ids.
    pub inserts: bool,
    /// How often SQLite had compiled it anew when the columns were looked at.
    compiled_anew: i32,
    /// How often in a row it was quick, up to [`TRUSTED`].
    quick: u8,
}

/// Compiles the only statement of `sql`.
pub fn compile<'c>(connection: &'c Connection, guard: &Guard, sql: &str) -> Result<(Statement<'c>, Plan), SqlFault> {
    one_statement(sql)?;
    guard.forget();
    let statement = connection
        .prepare_with_flags(sql, PrepFlags::default())
        .map_err(|error| fault::compiling(&error, guard, sql))?;
    let table = guard.inserts_into();
    let inserts = table.is_some_and(|table| gives_ids(connection, guard, &table));
    let mut plan = Plan {
        params: params(&statement, sql)?,
        columns: Arc::default(),
        kinds: Vec::new(),
        row_overhead: 0,
        read_only: statement.readonly(),
        inserts,
        compiled_anew: 0,
        quick: 0,
    };
    plan.look_at_columns(&statement);
    Ok((statement, plan))
}

impl Plan {
    /// Binds every parameter; there must be a value for each and none to spare.
    pub fn bind(&self, statement: &mut Statement<'_>, binds: &[(String, Bind)]) -> Result<(), SqlFault> {
        for (index, name) in (1..).zip(&self.params) {
            let Some((_, bind)) = binds.iter().find(|(given, _)| given == name) else {
                return Err(refused(format!("nothing is bound to the parameter :{name}")));
            };
            if matches!(bind, Bind::Float(float) if float.is_nan()) {
                return Err(refused(format!("the parameter :{name} is not a number")));
            }
            let bound = statement.raw_bind_parameter(index, bind);
            bound.map_err(|error| {
                SqlFault::new(FaultKind::Other, format!("the parameter :{name} can't be bound: {error}"))
            })?;
        }
        if binds.len() == self.params.len() {
            return Ok(());
        }
        let spare = binds.iter().find(|(name, _)| !self.params.contains(name));
        Err(refused(match spare {
            Some((name, _)) => format!("the statement has no parameter :{name}"),
            None => "a parameter is bound twice".into(),
        }))
    }

    /// Whether a caller may run it on its own thread: it writes nothing, so that it can be run again elsewhere if
    /// it takes longer than expected, and it was quick the last times.
    pub fn is_quick(&self) -> bool {
        self.read_only && self.quick == TRUSTED
    }

    /// Learns how long a run took; `None` if it failed.
    pub fn took(&mut self, time: Option<Duration>) {
        self.quick = match time {
            Some(time) if time < QUICK => TRUSTED.min(self.quick + 1),
            _ => 0,
        };
    }

    /// Looks at the columns again if SQLite has compiled the statement anew, as it does when the schema changed.
    /// Only the first step of a run can do that.
    pub fn refresh(&mut self, statement: &Statement<'_>) {
        if statement.get_status(StatementStatus::RePrepare) != self.compiled_anew {
            self.look_at_columns(statement);
        }
    }

    fn look_at_columns(&mut self, statement: &Statement<'_>) {
        let columns = statement.columns();
        self.kinds = columns.iter().map(|column| value::kind(column.decl_type())).collect();
        self.columns = columns.iter().map(|column| column.name().to_owned()).collect();
        // Two quotes, a colon and a comma for each name, and the braces.
        self.row_overhead = self.columns.iter().map(|name| name.len() + 4).sum::<usize>() + 2;
        self.compiled_anew = statement.get_status(StatementStatus::RePrepare);
    }
}

impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Bind::Null => ValueRef::Null,
            Bind::Bool(truth) => ValueRef::Integer((*truth).into()),
            Bind::Integer(integer) => ValueRef::Integer(*integer),
            Bind::Float(float) => ValueRef::Real(*float),
            Bind::Text(text) => ValueRef::Text(text.as_bytes()),
            Bind::List(items) => {
                let text = serde_json::to_string(items)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                return Ok(ToSqlOutput::from(text));
            }
        }))
    }
}

fn refused(message: impl Into<String>) -> SqlFault {
    SqlFault::new(FaultKind::Refused, message)
}

/// SQLite would stop reading at a NUL, and compile the first statement of several.
fn one_statement(sql: &str) -> Result<(), SqlFault> {
    if let Some(offset) = sql.find('\0') {
        return Err(refused("the statement has a NUL character").at(Some(offset)));
    }
    let parsed = lexer::parse(sql, Dialect::Sqlite);
    match (parsed.statements, parsed.second_statement) {
        (0, _) => Err(refused("there is no statement").at(Some(0))),
        (_, Some(second)) => Err(refused("only one statement is allowed here").at(Some(second.start))),
        _ => Ok(()),
    }
}

/// The names of the parameters. SQLite also knows `?`, `?1`, `@x`, `$x` and odd names, which we don't bind.
fn params(statement: &Statement<'_>, sql: &str) -> Result<Vec<String>, SqlFault> {
    (1..=statement.parameter_count())
        .map(|index| {
            let written = statement.parameter_name(index).unwrap_or("?");
            let name = written.strip_prefix(':').filter(|name| is_name(name));
            name.map(str::to_owned).ok_or_else(|| {
                let message = format!("the parameter {written} is not understood: write it as :name");
                refused(message).at(sql.find(written))
            })
        })
        .collect()
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    starts && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// Whether rows of this table have ids that `last_insert_rowid` tells: not those of a view or a virtual table,
/// nor those of a table `WITHOUT ROWID`.
fn gives_ids(connection: &Connection, guard: &Guard, table: &str) -> bool {
    let sql =
        "SELECT NOT wr FROM pragma_table_list WHERE name = ?1 COLLATE NOCASE AND type = 'table' AND schema <> 'temp'";
    let answer = guard.trusting(Trust::Driver, || connection.query_row(sql, [table], |row| row.get(0)));
    answer.unwrap_or(false)
}
