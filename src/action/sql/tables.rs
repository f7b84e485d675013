//! `tables`: what a database's catalog tells of its tables, and their rows. The caller's texts choose among the names
//! of the catalog and are bound as values; no statement is made of them.

mod only;
mod statement;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::catalog::{self, Catalog, Schema};
use super::source::SqlSource;
use super::types::{FaultKind, SqlFault};
use super::{failed, output};
use crate::action::{Arguments, Builder, Call, Limits, Scope, render_fault};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::{Layout, Returns, TablesAction, TablesReturns};
use crate::spec::{Code, Diagnostic, Node, Span, Spanned};
use crate::template::{Template, ValueTemplate};
use only::Only;
use statement::{Condition, Select};

/// Bytes of a value that a template may make.
const MAX_VALUE: usize = 64 * 1024;

/// A compiled action over tables.
#[derive(Debug)]
pub struct Tables {
    source: Arc<SqlSource>,
    only: Only,
    returns: TablesReturns,
    starts_with: Option<Template>,
    table: Option<Template>,
    key: Option<ValueTemplate>,
    conditions: Option<ValueTemplate>,
    order_by: Option<Template>,
    limit: Option<ValueTemplate>,
    limits: Limits,
}

impl Tables {
    /// Compiles it; tables that are named and not there are reported, if the database can be asked.
    pub async fn compile(written: &TablesAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let source = written.source.get().and_then(|name| builder.sources.sql(name, builder.sink));
        let returns = written.returns.as_ref().map_or(TablesReturns::List, |returns| returns.value);
        let sound = fits(written, returns, builder);
        let mut text = |text: &Option<Spanned<String>>| match text {
            Some(text) => builder.template(text, scope).map(Some),
            None => Some(None),
        };
        let (starts_with, table, order_by) =
            (text(&written.starts_with), text(&written.table), text(&written.order_by));
        let mut value = |node: &Option<Node>| match node {
            Some(node) => builder.json(node, scope).map(Some),
            None => Some(None),
        };
        let (key, conditions, limit) = (value(&written.key), value(&written.conditions), value(&written.limit));
        let source = source?;
        check_names(written.only.as_deref().unwrap_or_default(), &source, builder).await.then_some(())?;
        let defaults = Limits { timeout: source.timeout.unwrap_or(builder.limits.timeout), ..builder.limits };
        let limits = defaults.with_all(&written.limits).at_most(source.statement_timeout);
        sound.then_some(Tables {
            source,
            only: Only::new(written.only.as_deref()),
            returns,
            starts_with: starts_with?,
            table: table?,
            key: key?,
            conditions: conditions?,
            order_by: order_by?,
            limit: limit?,
            limits,
        })
    }

    /// Asks the catalog, and then the table.
    ///
    /// # Errors
    /// If there is no such table, column or row, or the database can't tell.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let catalog = self.source.catalog(self.limits, &call.cancel);
        if self.returns == TablesReturns::List {
            return self.list(catalog, arguments).await;
        }
        let name = text(self.table.as_ref(), arguments)?;
        let known = match self.only.takes(&name) {
            true => catalog.schema(&name).await.map_err(|fault| failed(&fault))?,
            false => None,
        };
        let none = || ActionError::new(ErrorKind::NotFound, format!("there is no table `{name}`"));
        let schema = known.ok_or_else(none)?;
        match self.returns {
            TablesReturns::Row => self.row(&schema, arguments, call).await,
            TablesReturns::Rows => self.rows(&schema, arguments, call).await,
            TablesReturns::Count => self.count(&schema, arguments, call).await,
            TablesReturns::Schema | TablesReturns::List => Ok(Outcome::json(schema.json())),
        }
    }

    async fn list(&self, catalog: Catalog<'_>, arguments: &Arguments) -> Result<Outcome, ActionError> {
        let start = text(self.starts_with.as_ref(), arguments)?.to_lowercase();
        let all = catalog.tables().await.map_err(|fault| failed(&fault))?;
        let wanted =
            |table: &&catalog::Table| self.only.takes(&table.name) && table.name.to_lowercase().starts_with(&start);
        let all: Vec<&catalog::Table> = all.iter().filter(wanted).collect();
        let max = self.max_rows(arguments)?;
        let cut = (all.len() > max).then(|| format!("cut after {max} rows (maxRows)"));
        let rows: Vec<Value> = all.iter().take(max).map(|table| table.json()).collect();
        let answer = json!({ "rows": rows, "rowCount": rows.len(), "truncated": cut.is_some() });
        Ok(Outcome { truncated: cut, ..Outcome::json(answer) })
    }

    async fn row(&self, schema: &Schema, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let key = value(self.key.as_ref(), arguments)?;
        let conditions = statement::key(schema, &key)?;
        let select = Select { schema, conditions, order: Vec::new(), limit: 1 };
        match self.query(select.rows(self.source.driver.dialect()), 1, call).await {
            Ok(rows) => output::outcome(rows, Returns::Row, Layout::Json),
            // A value that the key's type can't hold is no key of any row.
            Err(fault) if fault.kind == FaultKind::Constraint => {
                Err(ActionError::new(ErrorKind::NotFound, "not found: there is no such row"))
            }
            Err(fault) => Err(failed(&fault)),
        }
    }

    async fn rows(&self, schema: &Schema, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let order = statement::order(schema, &text(self.order_by.as_ref(), arguments)?)?;
        let max = self.max_rows(arguments)?;
        let select =
            Select { schema, conditions: self.conditions(schema, arguments)?, order, limit: max.saturating_add(1) };
        let rows = self.query(select.rows(self.source.driver.dialect()), max, call).await;
        output::outcome(rows.map_err(|fault| failed(&fault))?, Returns::Rows, Layout::Json)
    }

    async fn count(&self, schema: &Schema, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let conditions = self.conditions(schema, arguments)?;
        let select = Select { schema, conditions, order: Vec::new(), limit: 1 };
        let rows = self.query(select.count(self.source.driver.dialect()), 1, call).await;
        let count = rows.map_err(|fault| failed(&fault))?.into_value();
        Ok(Outcome::json(json!({ "table": schema.table.name, "count": count })))
    }

    fn conditions(&self, schema: &Schema, arguments: &Arguments) -> Result<Vec<Condition>, ActionError> {
        match self.conditions {
            Some(_) => statement::conditions(schema, &value(self.conditions.as_ref(), arguments)?),
            None => Ok(Vec::new()),
        }
    }

    async fn query(
        &self,
        (statement, binds): statement::Bound,
        max_rows: usize,
        call: &Call,
    ) -> Result<super::types::Rows, SqlFault> {
        let limits = Limits { max_rows, ..self.limits };
        let rows = self.source.driver.query(statement.into(), binds, limits, &call.cancel).await;
        if rows.as_ref().is_err_and(|fault| matches!(fault.kind, FaultKind::Refused | FaultKind::Other)) {
            // The table is not any more what the catalog said a moment ago.
            self.source.forget_catalog();
        }
        rows
    }

    fn max_rows(&self, arguments: &Arguments) -> Result<usize, ActionError> {
        let wanted = match value(self.limit.as_ref(), arguments)? {
            Value::Null => None,
            Value::Number(number) if number.is_u64() => number.as_u64(),
            _ => return Err(ActionError::invalid("`limit` has to be a whole number, 0 or more")),
        };
        let wanted = wanted.map(|wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        Ok(self.limits.max_rows.min(wanted.unwrap_or(usize::MAX)))
    }

    /// What a call would ask for.
    ///
    /// # Errors
    /// If a template fails.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let table = text(self.table.as_ref(), arguments)?;
        Ok(match self.returns {
            TablesReturns::List => "list the tables that the database's catalog has".to_owned(),
            TablesReturns::Schema => format!("read the columns and keys of the table `{table}` in the catalog"),
            TablesReturns::Rows => format!("select rows of the table `{table}`, if the catalog has it"),
            TablesReturns::Row => format!("select a row of the table `{table}` by its primary key"),
            TablesReturns::Count => format!("count the rows of the table `{table}`, if the catalog has it"),
        })
    }

    /// The JSON Schema of its answer, as far as it is the same for all tables.
    pub fn output_schema(&self) -> Option<Value> {
        let row = match self.returns {
            TablesReturns::List => json!({
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "kind": { "type": "string", "enum": ["table", "view"] },
                    "comment": { "type": ["string", "null"] },
                },
                "required": ["name", "kind", "comment"],
            }),
            TablesReturns::Rows => json!({ "type": "object" }),
            TablesReturns::Row => return Some(json!({ "type": "object" })),
            TablesReturns::Schema => return Some(Schema::json_schema()),
            TablesReturns::Count => {
                return Some(json!({
                    "type": "object",
                    "properties": { "table": { "type": "string" }, "count": { "type": "integer" } },
                    "required": ["table", "count"],
                }));
            }
        };
        Some(json!({
            "type": "object",
            "properties": {
                "rows": { "type": "array", "items": row },
                "rowCount": { "type": "integer" },
                "truncated": { "type": "boolean" },
            },
            "required": ["rows", "rowCount", "truncated"],
        }))
    }

    /// Whether its answer is `{rows, rowCount, truncated}`.
    pub fn gives_rows(&self) -> bool {
        matches!(self.returns, TablesReturns::List | TablesReturns::Rows)
    }
}

/// Reports keys that mean nothing for this answer, and those that are missing.
fn fits(written: &TablesAction, returns: TablesReturns, builder: &mut Builder<'_>) -> bool {
    use TablesReturns::{Count, List, Row, Rows, Schema};
    let spans: [(&str, Option<Span>, &[TablesReturns], bool); 6] = [
        ("table", written.table.as_ref().map(|t| t.span), &[Schema, Rows, Row, Count], true),
        ("key", written.key.as_ref().map(|k| k.span), &[Row], true),
        ("startsWith", written.starts_with.as_ref().map(|s| s.span), &[List], false),
        ("where", written.conditions.as_ref().map(|c| c.span), &[Rows, Count], false),
        ("orderBy", written.order_by.as_ref().map(|o| o.span), &[Rows], false),
        ("limit", written.limit.as_ref().map(|l| l.span), &[List, Rows], false),
    ];
    let mut sound = true;
    for (key, span, means, needed) in spans {
        let found = match (span, means.contains(&returns)) {
            (Some(span), false) => {
                let words = format!("`{key}` means nothing where {} is returned", word(returns));
                Diagnostic::error(Code::BadValue, span, words).label("leave it out, or say another `returns`")
            }
            (None, true) if needed => {
                let words = format!("`{key}` is missing: {} is returned", word(returns));
                Diagnostic::error(Code::MissingKey, written.at, words)
            }
            _ => continue,
        };
        builder.sink.push(found);
        sound = false;
    }
    sound
}

fn word(returns: TablesReturns) -> &'static str {
    match returns {
        TablesReturns::List => "the list of tables",
        TablesReturns::Schema => "a table's schema",
        TablesReturns::Rows => "a list of rows",
        TablesReturns::Row => "one row",
        TablesReturns::Count => "a count",
    }
}

/// Reports tables that are named and not there, each once.
async fn check_names(only: &[Spanned<String>], source: &SqlSource, builder: &mut Builder<'_>) -> bool {
    let named = || only.iter().filter(|name| !name.value.contains('*'));
    let statement = catalog::tables_statement(source.driver.dialect());
    if named().next().is_none() || !matches!(source.describe(statement).await, Some(Ok(_))) {
        return true;
    }
    let cancel = CancellationToken::new();
    let Ok(tables) = source.catalog(builder.limits, &cancel).tables().await else { return true };
    let known = || tables.iter().map(|table| table.name.as_str());
    let mut sound = true;
    for name in named().filter(|name| known().all(|known| known != name.value)) {
        let words = format!("the database has no table `{}`", name.value);
        builder.sink.push_once(Diagnostic::error(Code::Sql, name.span, words).nearest(&name.value, known()));
        sound = false;
    }
    sound
}

/// A template's text; empty without one.
fn text(template: Option<&Template>, arguments: &Arguments) -> Result<String, ActionError> {
    match template {
        Some(template) => template.render(arguments, MAX_VALUE).map_err(|fault| render_fault(&fault)),
        None => Ok(String::new()),
    }
}

fn value(template: Option<&ValueTemplate>, arguments: &Arguments) -> Result<Value, ActionError> {
    let Some(template) = template else { return Ok(Value::Null) };
    let value = template.render(arguments, MAX_VALUE).map_err(|fault| render_fault(&fault))?;
    Ok(value.unwrap_or(Value::Null))
}
