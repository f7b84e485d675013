//! A statement, read once: what it binds, what it does, and which of its columns are JSON.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use sqlx::Arguments as _;
use sqlx::mysql::{MySqlArguments, MySqlColumn};
use sqlx::{Column as _, ColumnOrigin};

use super::guard::{self, Class};
use crate::action::sql::lexer::{self, Dialect, Parsed, Rewritten, rewrite};
use crate::action::sql::types::{Bind, FaultKind, SqlFault};

/// Values that a list may have.
const MAX_LIST: usize = 16_384;

/// Stands for a list without values: IN is true for no row, NOT IN for every row.
const NOTHING: &str = "SELECT NULL FROM DUAL WHERE FALSE";

/// A column of a table, `schema.table` and its name.
pub type TableColumn = (String, String);

/// What is known of a statement.
#[derive(Debug)]
pub struct Plan {
    sql: Arc<str>,
    parsed: Parsed,
    /// Whether each parameter stands alone in `IN (…)`.
    lists: Vec<bool>,
    /// The statement with one `?` for each parameter.
    plain: Rewritten,
    /// What it does.
    pub class: Class,
    /// Whether it calls a function that somebody wrote, which may do anything that a transaction allows.
    pub calls_stored: bool,
    /// Whether it sets variables of its session.
    sets_variables: bool,
    /// The columns, of the tables that it reads, whose text is JSON.
    pub json: HashSet<TableColumn>,
    /// The names of its columns.
    pub columns: Arc<[String]>,
}

impl Plan {
    /// Reads a statement.
    ///
    /// # Errors
    /// If it is none that an action may run.
    pub fn new(sql: &str) -> Result<Plan, SqlFault> {
        let class = guard::judge(sql)?;
        let parsed = lexer::parse(sql, Dialect::Mysql);
        let plain = rewrite(sql, &parsed, |_, _| "?".into());
        let lists =
            parsed.params.iter().map(|param| lexer::stands_in_list(sql, &param.range, Dialect::Mysql)).collect();
        Ok(Plan {
            sql: sql.into(),
            parsed,
            lists,
            plain,
            class,
            calls_stored: false,
            sets_variables: guard::sets_variables(sql),
            json: HashSet::new(),
            columns: Arc::default(),
        })
    }

    /// Whether no other call may have the connection after it.
    pub fn leaves_traces(&self) -> bool {
        self.class.leaves_traces() || self.calls_stored || self.sets_variables
    }

    /// The statement as the server gets it, each list with one value.
    pub fn text(&self) -> &str {
        &self.plain.text
    }

    /// Where a byte of [`Plan::text`] stands in the statement as it is written.
    pub fn original(&self, offset: usize) -> usize {
        self.plain.original(offset)
    }

    /// The names of its parameters, each once.
    pub fn params(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for param in &self.parsed.params {
            if !names.contains(&param.name) {
                names.push(param.name.clone());
            }
        }
        names
    }

    /// Whether a column of its result is JSON, though its type says text.
    pub fn is_json(&self, column: &MySqlColumn) -> bool {
        !self.json.is_empty() && origin(column).is_some_and(|origin| self.json.contains(&origin))
    }

    /// The statement with its values.
    ///
    /// # Errors
    /// If a value is missing, or too many, or can't be bound.
    pub fn bind(&self, binds: &[(String, Bind)]) -> Result<(String, MySqlArguments), SqlFault> {
        self.check_names(binds)?;
        let value = |name: &str| binds.iter().find(|(given, _)| given == name).map(|(_, bind)| bind);
        let mut arguments = MySqlArguments::default();
        let mut counts = Vec::with_capacity(self.lists.len());
        for (param, in_list) in self.parsed.params.iter().zip(&self.lists) {
            let name = &param.name;
            let bind = value(name).ok_or_else(|| refused(format!("nothing is bound to the parameter :{name}")))?;
            counts.push(match bind {
                Bind::List(items) if *in_list => Some(add_list(&mut arguments, name, items)?),
                bind => {
                    add(&mut arguments, name, bind)?;
                    None
                }
            });
        }
        if counts.iter().all(Option::is_none) {
            return Ok((self.plain.text.clone(), arguments));
        }
        let text = rewrite(&self.sql, &self.parsed, |_, index| match counts.get(index).copied().flatten() {
            None => "?".into(),
            Some(0) => NOTHING.into(),
            Some(count) => vec!["?"; count].join(","),
        });
        Ok((text.text, arguments))
    }

    fn check_names(&self, binds: &[(String, Bind)]) -> Result<(), SqlFault> {
        for (index, (name, _)) in binds.iter().enumerate() {
            if !self.parsed.params.iter().any(|param| param.name == *name) {
                return Err(refused(format!("the statement has no parameter :{name}")));
            }
            if binds.iter().take(index).any(|(before, _)| before == name) {
                return Err(refused("a parameter is bound twice".into()));
            }
        }
        Ok(())
    }
}

/// The column of a table that a column of a result is; none for an expression.
pub fn origin(column: &MySqlColumn) -> Option<TableColumn> {
    match column.origin() {
        ColumnOrigin::Table(origin) => Some((origin.table.to_string(), origin.name.to_string())),
        ColumnOrigin::Expression | ColumnOrigin::Unknown => None,
    }
}

/// Binds the values of a list. Their number is rounded up to a power of two by repeating the last one, which changes
/// nothing in a list, so that a statement is prepared for a few lengths and not for every one.
fn add_list(arguments: &mut MySqlArguments, name: &str, items: &[Value]) -> Result<usize, SqlFault> {
    if items.len() > MAX_LIST {
        let count = items.len();
        return Err(refused(format!("the list :{name} has {count} values, at most {MAX_LIST} are allowed")));
    }
    let Some(last) = items.last() else { return Ok(0) };
    let count = items.len().next_power_of_two();
    for item in items.iter().chain(std::iter::repeat_n(last, count - items.len())) {
        add(arguments, name, &Bind::from_json(item))?;
    }
    Ok(count)
}

fn add(arguments: &mut MySqlArguments, name: &str, bind: &Bind) -> Result<(), SqlFault> {
    let added = match bind {
        Bind::Null => arguments.add(None::<&str>),
        Bind::Bool(truth) => arguments.add(*truth),
        Bind::Integer(integer) => arguments.add(*integer),
        Bind::Float(float) if !float.is_finite() => {
            return Err(refused(format!("the parameter :{name} is not a number")));
        }
        Bind::Float(float) => arguments.add(*float),
        Bind::Text(text) => arguments.add(text.as_str()),
        Bind::List(items) => arguments.add(serde_json::to_string(items).unwrap_or_default()),
    };
    added.map_err(|error| SqlFault::new(FaultKind::Other, format!("the parameter :{name} can't be bound: {error}")))
}

fn refused(message: String) -> SqlFault {
    SqlFault::new(FaultKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(sql: &str, binds: &[(&str, Value)]) -> Result<(String, usize), String> {
        let binds: Vec<_> = binds.iter().map(|(name, value)| ((*name).to_owned(), Bind::from_json(value))).collect();
        let bound = Plan::new(sql).unwrap().bind(&binds);
        bound.map(|(text, arguments)| (text, arguments.len())).map_err(|fault| fault.message)
    }

    #[test]
    fn names_become_question_marks() {
        let sql = "SELECT :a, ':a', `:a`, \"it\\\":a\", @x := :b, :a -- :a\n # :a\n /* :a */";
        let (text, count) = text(sql, &[("a", json!(1)), ("b", json!("x"))]).unwrap();
        assert_eq!(text, "SELECT ?, ':a', `:a`, \"it\\\":a\", @x := ?, ? -- :a\n # :a\n /* :a */");
        assert_eq!(count, 3);
        assert_eq!(Plan::new(sql).unwrap().params(), ["a", "b"]);
    }

    #[test]
    fn lists_grow_by_powers_of_two() {
        let sql = "SELECT 1 WHERE a NOT IN (:ids)";
        let given = |ids: Value| text(sql, &[("ids", ids)]).unwrap();
        assert_eq!(given(json!([])), (format!("SELECT 1 WHERE a NOT IN ({NOTHING})"), 0));
        assert_eq!(given(json!([1])), ("SELECT 1 WHERE a NOT IN (?)".into(), 1));
        assert_eq!(given(json!([1, "b", null])), ("SELECT 1 WHERE a NOT IN (?,?,?,?)".into(), 4));
        assert_eq!(given(json!("[1,2]")), ("SELECT 1 WHERE a NOT IN (?)".into(), 1));
        let many = vec![0; MAX_LIST + 1];
        let words = "the list :ids has 16385 values, at most 16384 are allowed";
        assert_eq!(text(sql, &[("ids", json!(many))]).unwrap_err(), words);
        // elsewhere it is JSON
        assert_eq!(text("SELECT JSON_LENGTH(:ids)", &[("ids", json!([1, 2]))]).unwrap().1, 1);
        assert_eq!(text("SELECT 1 IN (1, :ids)", &[("ids", json!([1, 2]))]).unwrap().1, 1);
    }

    #[test]
    fn what_can_not_be_bound_is_named() {
        assert_eq!(text("SELECT :a", &[]).unwrap_err(), "nothing is bound to the parameter :a");
        assert_eq!(text("SELECT 1", &[("a", json!(1))]).unwrap_err(), "the statement has no parameter :a");
        let twice = [("a", json!(1)), ("a", json!(2))];
        assert_eq!(text("SELECT :a", &twice).unwrap_err(), "a parameter is bound twice");
        let nan = [("a".to_owned(), Bind::Float(f64::NAN))];
        let fault = Plan::new("SELECT :a").unwrap().bind(&nan).unwrap_err();
        assert_eq!(fault.message, "the parameter :a is not a number");
    }
}
