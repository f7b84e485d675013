//! One statement of a `sql` action, in every variant that its blocks and identifiers allow.

use std::sync::Arc;

use serde_json::Value;

use super::effects::{self, Effects};
use super::lexer::{self, Dialect};
use super::source::SqlSource;
use super::types::{Bind, Bound, Described, SqlFault};
use super::variants::{Choices, Query, Statement};
use crate::action::mask::MASK;
use crate::action::{Arguments, Builder, Scope};
use crate::outcome::ActionError;
use crate::spec::model::Returns;
use crate::spec::{Code, Diagnostic, Place, Spanned};

/// A compiled statement.
#[derive(Debug)]
pub struct Part {
    choices: Choices,
    variants: Vec<Variant>,
    effects: Effects,
}

/// One text that a call may choose.
#[derive(Debug)]
struct Variant {
    /// None where blocks leave nothing to run.
    text: Option<Arc<str>>,
    params: Vec<String>,
}

/// What a statement is there for.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// What is made of its result, if it is the answer.
    pub gives: Option<Returns>,
    /// Whether blocks may leave nothing of it.
    pub may_be_left_out: bool,
}

impl Part {
    /// Compiles it and has the database prepare every variant, and gives what it said of each: nothing where it was not
    /// asked.
    pub async fn compile(
        text: Text,
        role: Role,
        source: Option<&Arc<SqlSource>>,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<(Self, Vec<Described>)> {
        let dialect = source.map_or(Dialect::Sqlite, |s| s.driver.dialect());
        let Some(query) = Query::parse(&text.0, scope, builder.sink) else {
            // What the query binds is still to be read from its text.
            let written = lexer::parse(&text.0, dialect).params;
            text.check_names(written.iter().map(|p| p.name.as_str()), dialect, scope, builder);
            return None;
        };
        let statements = query.statements(scope, dialect);
        let names = statements.iter().flat_map(|s| s.params.iter().map(String::as_str));
        text.check_names(names, dialect, scope, builder).then_some(())?;
        let source = source?;
        let some = statements.iter().any(|s| s.is_there(dialect));
        let left_out = |s: &Statement| role.may_be_left_out && some && !s.is_there(dialect);
        let mut described = Vec::new();
        for statement in statements.iter().filter(|s| !left_out(s)) {
            match source.describe(&statement.text).await {
                Some(Ok(description)) => described.push(description),
                Some(Err(fault)) => {
                    text.refused(statement, &fault, builder);
                    return None;
                }
                None => {}
            }
        }
        if described.len() != statements.iter().filter(|s| !left_out(s)).count() {
            // The answer of some statement is not known: then that of none is.
            described.clear();
        }
        text.check_result(&described, role, source, builder).then_some(())?;
        if statements.iter().any(left_out) && matches!(role.gives, Some(Returns::Rows | Returns::Row | Returns::Value))
        {
            let words = "this statement gives the answer, and its blocks can leave nothing of it";
            let found = Diagnostic::error(Code::Sql, text.whole(), words);
            builder.sink.push(found.label("keep a part of it outside of the blocks, or say another one in `resultOf`"));
            return None;
        }
        let effects = statements
            .iter()
            .filter(|s| !left_out(s))
            .enumerate()
            .map(|(index, s)| effects::of(&s.text, dialect, described.get(index).map(|d| d.read_only)))
            .reduce(Effects::or);
        let variants =
            statements.into_iter().map(|s| Variant { text: (!left_out(&s)).then(|| s.text.into()), params: s.params });
        let part = Part { variants: variants.collect(), choices: query.choices, effects: effects.unwrap_or_default() };
        Some((part, described))
    }

    /// What running it does to the database.
    pub fn effects(&self) -> Effects {
        self.effects
    }

    /// The text that a call's arguments choose, and what it binds; `None` where nothing is left of it.
    ///
    /// # Errors
    /// If a value is none of the identifiers that may stand in the statement.
    pub fn bind(&self, arguments: &Arguments) -> Result<Option<Bound>, ActionError> {
        let variant = self.variant(arguments)?;
        let value = |name: &String| arguments.get(name).map_or(Bind::Null, Bind::from_json);
        let binds = || variant.params.iter().map(|name| (name.clone(), value(name))).collect();
        Ok(variant.text.as_ref().map(|text| (Arc::clone(text), binds())))
    }

    /// The statement that a call would run, and what it binds, line by line.
    ///
    /// # Errors
    /// Those of [`Part::bind`].
    pub fn explain(&self, arguments: &Arguments, secrets: &[String]) -> Result<Vec<String>, ActionError> {
        let variant = self.variant(arguments)?;
        let Some(text) = &variant.text else { return Ok(Vec::new()) };
        let mut lines = vec![text.trim_end().to_owned()];
        lines.extend(variant.params.iter().map(|name| match arguments.get(name).unwrap_or(&Value::Null) {
            value if value.is_null() || !secrets.contains(name) => format!(":{name} = {value}"),
            _ => format!(":{name} = {MASK}"),
        }));
        Ok(lines)
    }

    fn variant(&self, arguments: &Arguments) -> Result<&Variant, ActionError> {
        let chosen = self.choices.chosen(arguments)?;
        self.variants.get(chosen).ok_or_else(|| ActionError::failed("there is no such statement"))
    }
}

/// A statement's text, which stands in the spec or in a file that the spec names.
pub struct Text(pub Spanned<String>);

impl Text {
    /// Reports the names that nothing defines, each once.
    fn check_names<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        dialect: Dialect,
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

    fn whole(&self) -> Place {
        self.0.at(0..self.0.trim_end().len())
    }

    fn word_end(&self, start: usize) -> usize {
        let rest = self.0.get(start..).unwrap_or("");
        let word = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(rest.len());
        start + word.max(rest.chars().next().map_or(0, char::len_utf8))
    }

    /// Reports a result that can't be what the spec wants of it.
    fn check_result(&self, described: &[Described], role: Role, source: &SqlSource, builder: &mut Builder<'_>) -> bool {
        let mut sound = true;
        let mut refuse = |words: String, label: &str| {
            builder.sink.push(Diagnostic::error(Code::Sql, self.whole(), words).label(label));
            sound = false;
        };
        let Some(first) = described.first() else { return true };
        let given = role.gives.filter(|returns| *returns != Returns::Affected);
        if let Some(name) = given.and_then(|_| described.iter().find_map(Described::duplicate_column)) {
            refuse(format!("two columns of the result are named `{name}`"), "give one of them an alias with AS");
        }
        if source.read_only() && described.iter().any(|d| !d.read_only) {
            refuse("this statement writes, and its source is read-only".to_owned(), "use a source without `readOnly`");
        }
        if first.columns.is_empty() && first.complete && given.is_some() {
            refuse("this statement gives no rows".to_owned(), "say `returns: affected`, or add RETURNING");
        }
        sound
    }
}
