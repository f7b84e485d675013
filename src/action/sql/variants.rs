//! The statements that a query with blocks and identifiers can become: all of them are known at load.

use std::ops::Range;

use serde_json::Value;

use super::lexer::{self, Dialect, Rewritten};
use crate::action::{Arguments, Param, Scope};
use crate::outcome::ActionError;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};
use crate::template::Piece;

/// Statements that one query may become.
const MAX_VARIANTS: usize = 256;

/// A query's text, split where it can differ, and what decides.
#[derive(Debug)]
pub struct Query {
    pieces: Vec<Piece>,
    /// What a call decides.
    pub choices: Choices,
}

/// What a call decides of a query.
#[derive(Debug, Default)]
pub struct Choices(Vec<Choice>);

/// What a call decides.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// Whether a block is on: whether the param was given, or what it says if it is a boolean.
    Block { name: String, boolean: bool },
    /// Which identifier stands for a param.
    Identifier { name: String, words: Vec<String> },
}

/// One statement, with the way back to the query's text.
#[derive(Debug)]
pub struct Statement {
    /// What the database gets.
    pub text: String,
    /// The params that it binds, each once.
    pub params: Vec<String>,
    rewritten: Rewritten,
    /// Parts of the text before rewriting and where they stand in the query.
    origins: Vec<(Range<usize>, Range<usize>)>,
}

impl Query {
    /// Splits a query; every mistake is reported at its place.
    pub fn parse(text: &Spanned<String>, scope: &Scope<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let pieces = match crate::template::blocks(text) {
            Ok(pieces) => pieces,
            Err(faults) => {
                faults.into_iter().for_each(|fault| sink.push(Diagnostic::fault(Code::BadTemplate, text, fault)));
                return None;
            }
        };
        let mut query = Query { pieces: Vec::new(), choices: Choices::default() };
        let sound = query.collect(&pieces, text, scope, sink);
        query.pieces = pieces;
        let count = query.choices.0.iter().fold(1usize, |n, choice| n.saturating_mul(choice.count()));
        if count > MAX_VARIANTS {
            let words = format!("this query can become {count} statements, at most {MAX_VARIANTS} are allowed");
            let found = Diagnostic::error(Code::BadTemplate, text.span, words);
            sink.push(found.help("each `{{#if}}` doubles them, and `{{ident}}` multiplies them by its words"));
            return None;
        }
        sound.then_some(query)
    }

    fn collect(&mut self, pieces: &[Piece], text: &Spanned<String>, scope: &Scope<'_>, sink: &mut Diagnostics) -> bool {
        let mut sound = true;
        for piece in pieces {
            match piece {
                Piece::Text { .. } => {}
                Piece::Ident { name, range } => match identifier(name, range, text, scope) {
                    Ok(words) => self.add(Choice::Identifier { name: name.clone(), words }),
                    Err(found) => {
                        sink.push(*found);
                        sound = false;
                    }
                },
                Piece::If { name, range, then, otherwise, .. } => {
                    match scope.get(name) {
                        Some(param) => {
                            let boolean = param.kind() == Some("boolean");
                            self.add(Choice::Block { name: name.clone(), boolean });
                        }
                        None => {
                            sink.push(scope.unknown(name, text.at(range.clone())));
                            sound = false;
                        }
                    }
                    sound &= self.collect(then, text, scope, sink);
                    sound &= self.collect(otherwise, text, scope, sink);
                }
            }
        }
        sound
    }

    fn add(&mut self, choice: Choice) {
        if !self.choices.0.contains(&choice) {
            self.choices.0.push(choice);
        }
    }

    /// Every statement that the query can become, in the order of [`Choices::chosen`].
    pub fn statements(&self, scope: &Scope<'_>, dialect: Dialect) -> Vec<Statement> {
        let count = self.choices.0.iter().map(Choice::count).product();
        (0..count).map(|number| self.statement(number, scope, dialect)).collect()
    }

    fn statement(&self, mut number: usize, scope: &Scope<'_>, dialect: Dialect) -> Statement {
        let mut picks = vec![0; self.choices.0.len()];
        for (pick, choice) in picks.iter_mut().zip(&self.choices.0).rev() {
            *pick = number % choice.count();
            number /= choice.count();
        }
        let mut text = String::new();
        let mut origins = Vec::new();
        self.write(&self.pieces, &picks, dialect, &mut text, &mut origins);
        bind_lists(&text, origins, scope, dialect)
    }

    fn write(
        &self,
        pieces: &[Piece],
        picks: &[usize],
        dialect: Dialect,
        text: &mut String,
        origins: &mut Vec<(Range<usize>, Range<usize>)>,
    ) {
        let picked = |wanted: &str, block: bool| {
            let of = |(choice, _): &(&Choice, &usize)| {
                choice.name() == wanted && matches!(choice, Choice::Block { .. }) == block
            };
            self.choices.0.iter().zip(picks).find(of)
        };
        for piece in pieces {
            let start = text.len();
            match piece {
                Piece::Text { text: part, range } => {
                    text.push_str(part);
                    origins.push((start..text.len(), range.clone()));
                }
                Piece::Ident { name, range } => {
                    if let Some((Choice::Identifier { words, .. }, pick)) = picked(name, false) {
                        text.push_str(&quoted(words.get(*pick).map_or("", String::as_str), dialect));
                    }
                    origins.push((start..text.len(), range.clone()));
                }
                Piece::If { name, negated, then, otherwise, .. } => {
                    let on = picked(name, true).is_some_and(|(_, pick)| *pick == 1);
                    let branch = if on != *negated { then } else { otherwise };
                    self.write(branch, picks, dialect, text, origins);
                }
            }
        }
    }
}

impl Choices {
    /// Which statement a call's arguments choose, as a position in [`Query::statements`].
    ///
    /// # Errors
    /// If a value is none of the identifiers that stand in the spec.
    pub fn chosen(&self, arguments: &Arguments) -> Result<usize, ActionError> {
        self.0.iter().try_fold(0, |number, choice| Ok(number * choice.count() + choice.pick(arguments)?))
    }
}

impl Choice {
    fn name(&self) -> &str {
        match self {
            Choice::Block { name, .. } | Choice::Identifier { name, .. } => name,
        }
    }

    fn count(&self) -> usize {
        match self {
            Choice::Block { .. } => 2,
            Choice::Identifier { words, .. } => words.len(),
        }
    }

    fn pick(&self, arguments: &Arguments) -> Result<usize, ActionError> {
        let given = |name: &String| arguments.get(name).filter(|value| !value.is_null());
        match self {
            Choice::Block { name, boolean } => Ok(match given(name) {
                Some(Value::Bool(on)) if *boolean => usize::from(*on),
                Some(_) => 1,
                None => 0,
            }),
            Choice::Identifier { name, words } => {
                let value = given(name).and_then(Value::as_str);
                let at = value.and_then(|value| words.iter().position(|word| word == value));
                at.ok_or_else(|| ActionError::invalid(format!("`{name}` has to be one of {}", words.join(", "))))
            }
        }
    }
}

impl Statement {
    /// Whether there is something to run.
    pub fn is_there(&self, dialect: Dialect) -> bool {
        lexer::parse(&self.text, dialect).statements > 0
    }

    /// Where a byte of the statement stands in the query's text.
    pub fn original(&self, offset: usize) -> Option<usize> {
        let offset = self.rewritten.original(offset);
        let (now, then) = self.origins.iter().rev().find(|(now, _)| now.start <= offset)?;
        Some((then.start + (offset - now.start)).min(then.end))
    }
}

/// The words that may stand for an identifier: those of the param's `enum`.
fn identifier(
    name: &str,
    range: &Range<usize>,
    text: &Spanned<String>,
    scope: &Scope<'_>,
) -> Result<Vec<String>, Box<Diagnostic>> {
    let place = text.at(range.clone());
    let param = scope.get(name).ok_or_else(|| Box::new(scope.unknown(name, place.clone())))?;
    let refused = |label: &str| {
        let words = format!("`{name}` can't choose an identifier");
        Box::new(Diagnostic::error(Code::BadTemplate, place.clone(), words).label(label))
    };
    let words = param.words().filter(|w| !w.is_empty()).ok_or_else(|| refused("give the param an `enum` of names"))?;
    if param.optional {
        return Err(refused("give the param a `default`: without a value there is no name"));
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

/// A name as the database quotes it.
pub fn quoted(name: &str, dialect: Dialect) -> String {
    let quote = if dialect == Dialect::Mysql { '`' } else { '"' };
    let doubled = name.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

/// Finds the params, and lets a list that stands alone in `IN (…)` be read from one bound JSON array: an
/// empty one then holds no value, so `IN` is true for no row and `NOT IN` for every row.
fn bind_lists(
    text: &str,
    origins: Vec<(Range<usize>, Range<usize>)>,
    scope: &Scope<'_>,
    dialect: Dialect,
) -> Statement {
    let parsed = lexer::parse(text, dialect);
    let mut params: Vec<String> = Vec::new();
    for param in &parsed.params {
        if !params.contains(&param.name) {
            params.push(param.name.clone());
        }
    }
    // The drivers of servers write lists themselves.
    let list = |name: &str| dialect == Dialect::Sqlite && scope.get(name).is_some_and(is_list);
    let rewritten = lexer::rewrite(text, &parsed, |name, index| {
        let range = parsed.params.get(index).map(|p| &p.range);
        if list(name) && range.is_some_and(|range| lexer::stands_in_list(text, range, dialect)) {
            format!("SELECT value FROM json_each(:{name})")
        } else {
            format!(":{name}")
        }
    });
    Statement { text: rewritten.text.clone(), params, rewritten, origins }
}

fn is_list(param: &Param) -> bool {
    param.kind() == Some("array")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, json};

    use super::*;
    use crate::spec::{FileId, Span};

    fn spanned(text: &str) -> Spanned<String> {
        Spanned::new(text.to_owned(), Span::new(FileId::default(), 0..text.len()))
    }

    fn param(name: &str, schema: Value, optional: bool) -> Param {
        Param { name: spanned(name), schema: Arc::new(schema), optional, secret: false }
    }

    fn params() -> Vec<Param> {
        vec![
            param("words", json!({ "type": "string" }), false),
            param("max", json!({ "type": "number" }), true),
            param("all", json!({ "type": "boolean" }), true),
            param("ids", json!({ "type": "array" }), true),
            param("sort", json!({ "type": "string", "enum": ["title", "a\"b"], "default": "title" }), false),
        ]
    }

    fn parsed(text: &str) -> Result<Query, Vec<String>> {
        let params = params();
        let mut sink = Diagnostics::default();
        let query =
            Query::parse(&spanned(text), &Scope { owner: "tool `t`", params: &params, remedy: "add it" }, &mut sink);
        let files = crate::spec::Files::default();
        query.ok_or_else(|| sink.sorted(&files).iter().map(|d| d.message.clone()).collect())
    }

    fn statements(text: &str) -> Vec<String> {
        let params = params();
        let scope = Scope { owner: "tool `t`", params: &params, remedy: "add it" };
        parsed(text).unwrap().statements(&scope, Dialect::Sqlite).into_iter().map(|s| s.text).collect()
    }

    fn chosen(text: &str, arguments: Value) -> String {
        let arguments: Map<String, Value> = serde_json::from_value(arguments).unwrap();
        statements(text)[parsed(text).unwrap().choices.chosen(&arguments).unwrap()].clone()
    }

    #[test]
    fn blocks_ask_whether_a_value_was_given_and_booleans_what_it_is() {
        let text = "SELECT 1{{#if max}} A{{else}} B{{/if}}{{#unless all}} C{{/unless}}";
        assert_eq!(statements(text).len(), 4);
        assert_eq!(chosen(text, json!({})), "SELECT 1 B C");
        assert_eq!(chosen(text, json!({ "max": 0 })), "SELECT 1 A C");
        assert_eq!(chosen(text, json!({ "max": null, "all": true })), "SELECT 1 B");
        assert_eq!(chosen(text, json!({ "max": 1, "all": false })), "SELECT 1 A C");
    }

    #[test]
    fn identifiers_come_from_the_enum_alone_and_are_quoted() {
        let text = "SELECT * FROM t ORDER BY {{ident sort}}";
        assert_eq!(chosen(text, json!({ "sort": "title" })), "SELECT * FROM t ORDER BY \"title\"");
        assert_eq!(chosen(text, json!({ "sort": "a\"b" })), "SELECT * FROM t ORDER BY \"a\"\"b\"");
        let arguments = Map::from_iter([("sort".to_owned(), json!("1; DROP TABLE t"))]);
        assert!(parsed(text).unwrap().choices.chosen(&arguments).is_err());
        assert_eq!(parsed("{{ident words}}").unwrap_err(), ["`words` can't choose an identifier"]);
        assert_eq!(parsed("{{ident nope}}").unwrap_err(), ["`nope` is not defined in tool `t`"]);
    }

    #[test]
    fn a_list_alone_in_parentheses_is_read_from_one_array() {
        let list = "SELECT value FROM json_each(:ids)";
        for (text, wanted) in [
            ("SELECT 1 WHERE a IN (:ids)", format!("SELECT 1 WHERE a IN ({list})")),
            ("SELECT 1 WHERE a NOT IN ( :ids )", format!("SELECT 1 WHERE a NOT IN ( {list} )")),
            (
                "SELECT 1 WHERE a in /* x */ (:ids) AND b = ':ids'",
                format!("SELECT 1 WHERE a in /* x */ ({list}) AND b = ':ids'"),
            ),
            ("SELECT 1 WHERE a IN (1, :ids)", "SELECT 1 WHERE a IN (1, :ids)".to_owned()),
            ("SELECT 1 WHERE a IN (:words)", "SELECT 1 WHERE a IN (:words)".to_owned()),
            ("SELECT json_array_length(:ids)", "SELECT json_array_length(:ids)".to_owned()),
        ] {
            assert_eq!(statements(text), [wanted], "{text}");
        }
    }

    #[test]
    fn an_offset_leads_back_to_the_query() {
        let params = params();
        let text = "SELECT 1 {{#if max}}AND x{{/if}} WHERE a IN (:ids) AND oops = :words";
        let scope = Scope { owner: "tool `t`", params: &params, remedy: "add it" };
        for statement in parsed(text).unwrap().statements(&scope, Dialect::Sqlite) {
            let there = statement.text.find("oops").unwrap();
            assert_eq!(statement.original(there), text.find("oops"), "{}", statement.text);
            assert_eq!(statement.params, ["ids", "words"]);
        }
    }

    #[test]
    fn there_are_not_too_many() {
        let text: String = (0..9).map(|i| format!("{{{{#if p{i}}}}}x{{{{/if}}}}")).collect();
        let params: Vec<Param> = (0..9).map(|i| param(&format!("p{i}"), json!({}), true)).collect();
        let mut sink = Diagnostics::default();
        assert!(
            Query::parse(&spanned(&text), &Scope { owner: "t", params: &params, remedy: "add it" }, &mut sink)
                .is_none()
        );
        assert_eq!(sink.errors(), 1);
    }
}
