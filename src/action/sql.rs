//! `sql`: statements on a database. Values are bound, never put into their text.

pub mod catalog;
mod effects;
pub mod lexer;
pub mod mysql;
mod output;
mod part;
pub mod postgres;
pub mod scratch;
pub mod server;
pub mod source;
pub mod sqlite;
mod tables;
pub mod types;
mod variants;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Arguments, Builder, Call, Limits, Scope};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::schema;
use crate::spec::model::{Isolation, Layout, Returns, SqlAction};
use crate::spec::{Code, Diagnostic, Spanned};
pub use effects::Effects;
use part::{Part, Role, Text};
pub use source::SqlSource;
pub use tables::Tables;
use types::{FaultKind, Rows, SqlFault, Transaction};
pub use variants::quoted;

/// Statements that a `statements` may have.
const MAX_STATEMENTS: usize = 32;

/// One compiled statement, or several that take effect together.
#[derive(Debug)]
pub struct Sql {
    source: Arc<SqlSource>,
    parts: Vec<Part>,
    /// What `statements` run in; none for a single statement.
    together: Option<Together>,
    returns: Returns,
    layout: Layout,
    /// The JSON Schema of its answer.
    answer: Option<Arc<Map<String, Value>>>,
    pub(super) limits: Limits,
    /// Params whose values are not shown.
    secrets: Vec<String>,
}

/// How several statements are run, and what of them is the answer.
#[derive(Debug, Clone, Copy)]
struct Together {
    isolation: Option<Isolation>,
    /// The statement whose result is given; none where the counts of all are.
    result: Option<usize>,
}

impl Sql {
    /// Compiles it and has the database prepare every variant.
    pub async fn compile(written: &SqlAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let source = written.source.get().and_then(|name| builder.sources.sql(name, builder.sink));
        let texts = texts(written, builder)?;
        let returns = written.returns.as_ref().map_or(Returns::Rows, |r| r.value);
        let layout = layout(written, returns, builder);
        let together = together(written, texts.len(), returns, builder);
        let result = match together {
            Some(Some(Together { result, .. })) => result,
            Some(None) | None => Some(0),
        };
        let mut parts = Vec::with_capacity(texts.len());
        for (index, text) in texts.into_iter().enumerate() {
            let gives = (result == Some(index)).then_some(returns);
            let role = Role { gives, may_be_left_out: written.statements.is_some() };
            parts.push(Part::compile(text, role, source.as_ref(), scope, builder).await);
        }
        let (parts, described): (Vec<Part>, Vec<_>) = parts.into_iter().collect::<Option<_>>()?;
        let (source, together, layout) = (source?, together?, layout?);
        let limits = limits(written, returns, &source, builder.limits);
        let described = described.get(result.unwrap_or(0)).filter(|all| layout == Layout::Json && !all.is_empty());
        let answer = described.and_then(|all| output::schema(all, returns)).and_then(schema::object);
        Some(Sql { source, parts, together, returns, layout, answer, limits, secrets: scope.secrets() })
    }

    /// Runs the statements that the arguments choose.
    ///
    /// # Errors
    /// What the database says, in words that hold no SQL.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let rows = match (self.together, self.parts.as_slice()) {
            (Some(together), _) => self.transaction(together, arguments, call).await?,
            (None, [single]) => {
                let Some((text, binds)) = single.bind(arguments)? else { return Err(nothing()) };
                let rows = self.source.driver.query(text, binds, self.limits, &call.cancel).await;
                rows.map_err(|fault| failed(&fault))?
            }
            (None, _) => return Err(nothing()),
        };
        output::outcome(rows, self.returns, self.layout)
    }

    async fn transaction(&self, how: Together, arguments: &Arguments, call: &Call) -> Result<Rows, ActionError> {
        let mut statements = Vec::with_capacity(self.parts.len());
        let mut result = None;
        for (index, part) in self.parts.iter().enumerate() {
            let Some(bound) = part.bind(arguments)? else { continue };
            if how.result == Some(index) {
                result = Some(statements.len());
            }
            statements.push(bound);
        }
        let work = Transaction { statements, isolation: how.isolation };
        let done = self.source.driver.transaction(work, self.limits, &call.cancel).await;
        let done = done.map_err(|fault| failed(&fault))?;
        Ok(match (how.result, result) {
            (None, _) => Rows::sum(done),
            (Some(_), given) => given.and_then(|at| done.into_iter().nth(at)).unwrap_or_default(),
        })
    }

    /// The statements that a call would run, and what they bind.
    ///
    /// # Errors
    /// If a value is none of the identifiers that may stand in a statement.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let mut lines = Vec::new();
        for part in &self.parts {
            lines.extend(part.explain(arguments, &self.secrets)?);
        }
        Ok(lines.join("\n"))
    }

    /// The JSON Schema of its answer, if the database was asked and the answer is an object.
    pub fn output_schema(&self) -> Option<Arc<Map<String, Value>>> {
        self.answer.clone()
    }

    /// What running it does to the database, as far as the database and the statements tell.
    pub fn effects(&self) -> Effects {
        if self.source.read_only() {
            return Effects::none();
        }
        self.parts.iter().map(Part::effects).reduce(Effects::and).unwrap_or_default()
    }

    /// Whether its answer is `{rows, rowCount, truncated}`.
    pub fn gives_rows(&self) -> bool {
        self.returns == Returns::Rows && self.layout == Layout::Json
    }

    /// The media type of its answer.
    pub fn mime_type(&self) -> &'static str {
        output::mime_type(self.layout)
    }
}

/// The statements' texts, each of which stands in the spec or in a file that the spec names.
fn texts(written: &SqlAction, builder: &mut Builder<'_>) -> Option<Vec<Text>> {
    let at = |text: &Spanned<String>| text.span;
    let statements = written.statements.as_ref();
    let keys = [
        written.query.as_ref().map(at),
        written.file.as_ref().map(at),
        statements.map(|all| all.first().map_or(written.at, at)),
    ];
    let mut given = keys.into_iter().flatten();
    if given.next().is_none() || statements.is_some_and(Vec::is_empty) {
        let found = Diagnostic::error(Code::MissingKey, written.at, "this sql action has no statement");
        builder.sink.push(found.label("give it a `query`, a `file` or `statements`"));
        return None;
    }
    if let Some(second) = given.next() {
        let words = match statements {
            None => "a sql action has a `query` or a `file`, this one has both",
            Some(_) => "a sql action has one of `query`, `file` and `statements`, this one has more",
        };
        builder.sink.push(Diagnostic::error(Code::NameClash, second, words).label("keep one of them"));
        return None;
    }
    match (&written.query, &written.file, statements) {
        (_, _, Some(all)) if all.len() > MAX_STATEMENTS => {
            let words = format!("there are {} statements, at most {MAX_STATEMENTS} are allowed", all.len());
            builder.sink.error(Code::BadValue, all.first().map_or(written.at, at), words);
            None
        }
        (_, _, Some(all)) => Some(all.iter().cloned().map(Text).collect()),
        (Some(query), _, _) => Some(vec![Text(query.clone())]),
        (_, Some(path), _) => Some(vec![builder.read(path).map(Text)?]),
        (None, None, None) => None,
    }
}

/// How `statements` are run; `Some(None)` for a single statement, `None` after a mistake.
fn together(
    written: &SqlAction,
    count: usize,
    returns: Returns,
    builder: &mut Builder<'_>,
) -> Option<Option<Together>> {
    if written.statements.is_none() {
        let alone = [
            ("resultOf", written.result_of.as_ref().map(|n| n.span)),
            ("isolation", written.isolation.as_ref().map(|i| i.span)),
        ];
        let mut sound = true;
        for (key, at) in alone.into_iter().filter_map(|(key, at)| Some((key, at?))) {
            let found = Diagnostic::error(Code::BadValue, at, format!("`{key}` goes with `statements`"));
            builder.sink.push(found.label("this sql action has a single statement"));
            sound = false;
        }
        return sound.then_some(None);
    }
    let result = match &written.result_of {
        None if returns == Returns::Affected => None,
        None => Some(count.saturating_sub(1)),
        Some(number) => match usize::try_from(number.value).ok().filter(|n| (1..=count).contains(n)) {
            Some(number) => Some(number - 1),
            None => {
                let words = format!("there is no statement {}, `resultOf` is 1 to {count}", number.value);
                builder.sink.error(Code::BadValue, number.span, words);
                return None;
            }
        },
    };
    Some(Some(Together { isolation: written.isolation.as_ref().map(|i| i.value), result }))
}

/// What rows are written as; only rows can be a table.
fn layout(written: &SqlAction, returns: Returns, builder: &mut Builder<'_>) -> Option<Layout> {
    let Some(layout) = &written.layout else { return Some(Layout::Json) };
    if layout.value != Layout::Json && !matches!(returns, Returns::Rows | Returns::Row) {
        let found = Diagnostic::error(Code::BadValue, layout.span, "only rows can be written as a table");
        builder.sink.push(found.label("leave `as` out, or say `returns: rows`"));
        return None;
    }
    Some(layout.value)
}

/// The bounds of a call. No more rows are read than the answer has.
fn limits(written: &SqlAction, returns: Returns, source: &SqlSource, defaults: Limits) -> Limits {
    let defaults = Limits { timeout: source.timeout.unwrap_or(defaults.timeout), ..defaults };
    let limits = defaults.with_all(&written.limits).at_most(source.statement_timeout);
    match returns {
        Returns::Rows => limits,
        Returns::Row | Returns::Value | Returns::Affected => Limits { max_rows: limits.max_rows.min(1), ..limits },
    }
}

fn nothing() -> ActionError {
    ActionError::failed("there is no such statement")
}

/// A database's fault in words for the caller; its own words go to the log.
fn failed(fault: &SqlFault) -> ActionError {
    let (kind, words) = match fault.kind {
        FaultKind::TimedOut => (ErrorKind::TimedOut, "the database took too long".to_owned()),
        FaultKind::Cancelled => (ErrorKind::Cancelled, "the call was cancelled".to_owned()),
        FaultKind::Constraint => (ErrorKind::Invalid, format!("the database refuses these values: {}", fault.message)),
        FaultKind::Busy => (ErrorKind::Failed, "the database is locked by somebody else; try again".to_owned()),
        FaultKind::ReadOnly => (ErrorKind::Failed, "the database is read-only".to_owned()),
        FaultKind::Unavailable => (ErrorKind::Failed, "the database can't be reached now; try again later".to_owned()),
        FaultKind::Refused | FaultKind::Other => {
            (ErrorKind::Failed, "the database could not run the statement".to_owned())
        }
    };
    ActionError::new(kind, words).detail(format!("sql: {}", fault.message))
}
