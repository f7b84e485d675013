//! `sql`: a statement on a database. Values are bound, never put into its text.

pub mod lexer;
mod output;
pub mod source;
pub mod sqlite;
pub mod types;
mod variants;

use std::sync::Arc;

use serde_json::Value;

use super::mask::MASK;
use super::{Arguments, Builder, Call, Limits, Scope};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::{Returns, SqlAction};
use crate::spec::{Code, Diagnostic, Spanned};
pub use source::{Driver, SqlSource};
use types::{Bind, Described, FaultKind, SqlFault};
use variants::{Query, Statement};

/// A compiled statement, in every variant that its blocks and identifiers allow.
#[derive(Debug)]
pub struct Sql {
    source: Arc<SqlSource>,
    query: Query,
    variants: Vec<Variant>,
    returns: Returns,
    limits: Limits,
    /// What the database said of each variant; empty without a connection.
    described: Vec<Described>,
    /// Params whose values are not shown.
    secrets: Vec<String>,
}

/// A statement and what it binds, by name.
type Bound<'a> = (&'a Variant, Vec<(String, Bind)>);

/// One statement that a call may choose.
#[derive(Debug)]
struct Variant {
    text: Arc<str>,
    params: Vec<String>,
}

impl Sql {
    /// Compiles it and has the database prepare every variant.
    pub async fn compile(written: &SqlAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let source = written.source.get().and_then(|name| builder.sources.sql(name, builder.sink));
        let text = text(written, builder)?;
        let dialect = source.as_ref().map_or(lexer::Dialect::Sqlite, |s| s.driver.dialect());
        let Some(query) = Query::parse(&text.0, scope, builder.sink) else {
            // What the query binds is still to be read from its text.
            let written = lexer::parse(&text.0, dialect).params;
            text.check_names(written.iter().map(|p| p.name.as_str()), dialect, scope, builder);
            return None;
        };
        let statements = query.statements(scope, dialect);
        let names = statements.iter().flat_map(|s| s.params.iter().map(String::as_str));
        let known = text.check_names(names, dialect, scope, builder);
        let source = source?;
        known.then_some(())?;
        let mut described = Vec::new();
        for statement in &statements {
            match source.driver.describe(&statement.text).await {
                Some(Ok(description)) => described.push(description),
                Some(Err(fault)) => {
                    text.refused(statement, &fault, builder);
                    return None;
                }
                None => {}
            }
        }
        let returns = written.returns.as_ref().map_or(Returns::Rows, |r| r.value);
        text.check_result(&described, returns, &source, builder).then_some(())?;
        let mut limits = builder.limits;
        limits.timeout = source.timeout.unwrap_or(limits.timeout);
        Some(Sql {
            source,
            query,
            variants: statements.into_iter().map(|s| Variant { text: s.text.into(), params: s.params }).collect(),
            returns,
            limits: limits.with(written.timeout.as_ref(), written.max_rows.as_ref(), written.max_bytes.as_ref()),
            described,
            secrets: scope.secrets(),
        })
    }

    /// Runs the statement that the arguments choose.
    ///
    /// # Errors
    /// What the database says, in words that hold no SQL.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let (variant, binds) = self.bind(arguments)?;
        let rows = match &self.source.driver {
            Driver::Sqlite(sqlite) => sqlite.query(variant.text.clone(), binds, self.limits, &call.cancel).await,
            Driver::Offline => return Err(ActionError::failed("there is no connection to the database")),
        };
        output::outcome(rows.map_err(|fault| failed(&fault))?, self.returns)
    }

    /// The statement that a call would run, and what it binds.
    ///
    /// # Errors
    /// If a value is none of the identifiers that may stand in the statement.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let variant = self.variant(arguments)?;
        let mut lines = vec![variant.text.trim_end().to_owned()];
        lines.extend(variant.params.iter().map(|name| match arguments.get(name).unwrap_or(&Value::Null) {
            value if value.is_null() || !self.secrets.contains(name) => format!(":{name} = {value}"),
            _ => format!(":{name} = {MASK}"),
        }));
        Ok(lines.join("\n"))
    }

    fn variant(&self, arguments: &Arguments) -> Result<&Variant, ActionError> {
        let chosen = self.query.chosen(arguments)?;
        self.variants.get(chosen).ok_or_else(|| ActionError::failed("there is no such statement"))
    }

    fn bind(&self, arguments: &Arguments) -> Result<Bound<'_>, ActionError> {
        let variant = self.variant(arguments)?;
        let value = |name: &String| arguments.get(name).map_or(Bind::Null, Bind::from_json);
        Ok((variant, variant.params.iter().map(|name| (name.clone(), value(name))).collect()))
    }

    /// The JSON Schema of its answer, if the database was asked and the answer is an object.
    pub fn output_schema(&self) -> Option<Value> {
        if self.described.is_empty() { None } else { output::schema(&self.described, self.returns) }
    }

    /// Whether it changes nothing, as far as the database tells.
    pub fn read_only(&self) -> Option<bool> {
        match self.described.as_slice() {
            [] if self.source.read_only() => Some(true),
            [] => None,
            described => Some(described.iter().all(|d| d.read_only)),
        }
    }

    /// Whether its answer is `{rows, rowCount, truncated}`.
    pub fn gives_rows(&self) -> bool {
        self.returns == Returns::Rows
    }
}

/// The query's text, which stands in the spec or in a file that the spec names.
struct Text(Spanned<String>);

fn text(written: &SqlAction, builder: &mut Builder<'_>) -> Option<Text> {
    match (&written.query, &written.file) {
        (Some(query), None) => Some(Text(query.clone())),
        (None, Some(path)) => builder.read(path).map(Text),
        (Some(_), Some(path)) => {
            let words = "a sql action has a `query` or a `file`, this one has both";
            builder.sink.push(Diagnostic::error(Code::NameClash, path.span, words).label("keep one of them"));
            None
        }
        (None, None) => {
            let found = Diagnostic::error(Code::MissingKey, written.at, "this sql action has no statement");
            builder.sink.push(found.label("give it a `query` or a `file`"));
            None
        }
    }
}

impl Text {
    /// Reports the names that nothing defines, each once.
    fn check_names<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        dialect: lexer::Dialect,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> bool {
        let unknown: Vec<&str> = names.filter(|name| scope.get(name).is_none()).collect();
        for name in &unknown {
            let written = lexer::parse(&self.0, dialect);
            let range = written.params.iter().find(|p| p.name == *name).map_or(0..0, |p| p.range.clone());
            let found = scope.unknown(name, self.0.at(range));
            if !builder.sink.holds(&found) {
                builder.sink.push(found);
            }
        }
        unknown.is_empty()
    }

    /// Reports what the database says of a statement, where it says it.
    fn refused(&self, statement: &Statement, fault: &SqlFault, builder: &mut Builder<'_>) {
        let whole = 0..self.0.trim_end().len();
        let range = match fault.offset.and_then(|offset| statement.original(offset)) {
            Some(start) => start..self.word_end(start),
            None => whole,
        };
        let words = format!("the database refuses this statement: {}", fault.message);
        builder.sink.push(Diagnostic::error(Code::Sql, self.0.at(range), words));
    }

    fn word_end(&self, start: usize) -> usize {
        let rest = self.0.get(start..).unwrap_or("");
        let word = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(rest.len());
        start + word.max(rest.chars().next().map_or(0, char::len_utf8))
    }

    /// Reports a result that can't be what the spec wants of it.
    fn check_result(
        &self,
        described: &[Described],
        returns: Returns,
        source: &SqlSource,
        builder: &mut Builder<'_>,
    ) -> bool {
        let whole = || 0..self.0.trim_end().len();
        let mut sound = true;
        let mut refuse = |words: String, label: &str| {
            builder.sink.push(Diagnostic::error(Code::Sql, self.0.at(whole()), words).label(label));
            sound = false;
        };
        let Some(first) = described.first() else { return true };
        if let Some(name) = described.iter().find_map(Described::duplicate_column) {
            refuse(format!("two columns of the result are named `{name}`"), "give one of them an alias with AS");
        }
        if source.read_only() && described.iter().any(|d| !d.read_only) {
            refuse("this statement writes, and its source is read-only".to_owned(), "use a source without `readOnly`");
        }
        if first.columns.is_empty() && returns != Returns::Affected {
            refuse("this statement gives no rows".to_owned(), "say `returns: affected`, or add RETURNING");
        }
        sound
    }
}

/// A database's fault in words for the caller; its own words go to the log.
fn failed(fault: &SqlFault) -> ActionError {
    let (kind, words) = match fault.kind {
        FaultKind::TimedOut => (ErrorKind::TimedOut, "the database took too long".to_owned()),
        FaultKind::Cancelled => (ErrorKind::Cancelled, "the call was cancelled".to_owned()),
        FaultKind::Constraint => (ErrorKind::Invalid, format!("the database refuses these values: {}", fault.message)),
        FaultKind::Busy => (ErrorKind::Failed, "the database is locked by somebody else; try again".to_owned()),
        FaultKind::ReadOnly => (ErrorKind::Failed, "the database is read-only".to_owned()),
        FaultKind::Unavailable => (ErrorKind::Failed, "the database can't be reached".to_owned()),
        FaultKind::Refused | FaultKind::Other => {
            (ErrorKind::Failed, "the database could not run the statement".to_owned())
        }
    };
    ActionError::new(kind, words).detail(format!("sql: {}", fault.message))
}
