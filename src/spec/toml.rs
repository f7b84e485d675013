//! TOML text into the tree.

mod duplicate;
mod speak;

use std::ops::Range;

use serde_json::Number;
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue, Error};

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::number;
use super::source::{FileId, Files, Span, Spanned};
use super::text::Text;
use super::yaml::MAX_VALUES;
use duplicate::Duplicate;
pub use speak::speak;

/// Duplicates of which the first place is looked for; each takes a pass over the text.
const MAX_TRACED: usize = 20;

/// Reads a file's text, reporting every mistake. `None` when it is not TOML.
pub fn parse(file: FileId, files: &Files, sink: &mut Diagnostics) -> Option<Node> {
    let text = files.text(file);
    let values = text.bytes().filter(|b| matches!(b, b'=' | b',' | b'[' | b'{' | b'\n')).count();
    if values > MAX_VALUES {
        let words = format!("more than {MAX_VALUES} lines and values in one file");
        sink.error(Code::TooLarge, Span::new(file, 0..0), words);
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file, text, traced: 0, sink };
    for error in &errors {
        reader.error(error, table.get_ref());
        if is_yaml(text, error) {
            break;
        }
    }
    let sound = errors.iter().all(is_duplicate);
    sound.then(|| Node { span: reader.span(table.span()), kind: reader.table(table.get_ref()) })
}

fn is_duplicate(error: &Error) -> bool {
    error.message().contains("duplicate key")
}

/// Whether a `:` stands where TOML wants `=`: then all the rest is wrong in the same way.
fn is_yaml(text: &str, error: &Error) -> bool {
    error.span().and_then(|span| text.get(span.start..)).is_some_and(|rest| rest.starts_with(':'))
}

struct Reader<'a, 's> {
    file: FileId,
    text: &'a str,
    traced: usize,
    sink: &'s mut Diagnostics,
}

impl Reader<'_, '_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn error(&mut self, error: &Error, root: &DeTable<'_>) {
        let range = error.span().unwrap_or(0..0);
        if is_duplicate(error) {
            self.duplicate(&range, root);
        } else {
            self.syntax(error.message(), range);
        }
    }

    fn duplicate(&mut self, again: &Range<usize>, root: &DeTable<'_>) {
        self.traced += 1;
        let found = match self.traced <= MAX_TRACED {
            true => duplicate::find(self.text, root, again),
            false => Duplicate { name: self.text.get(again.clone()).unwrap_or("").to_owned(), first: None },
        };
        let key = Spanned::new(found.name, self.span(again.clone()));
        let first = found.first.map(|first| self.span(first));
        self.sink.push(super::yaml::duplicate(&key, first));
    }

    fn syntax(&mut self, info: &str, range: Range<usize>) {
        let written = self.text.get(range.clone()).unwrap_or("");
        let place = self.span(range.clone());
        let code = if info.contains("recurs") { Code::TooLarge } else { Code::Syntax };
        let unquoted = info.starts_with("invalid boolean") || info.starts_with("string values must be quoted");
        let found = Diagnostic::error(code, place, format!("not valid TOML: {info}"));
        self.sink.push(match written.to_lowercase().as_str() {
            word @ ("true" | "false") if unquoted => found.label(format!("write `{word}`")),
            _ if unquoted => Diagnostic::error(code, place, "not valid TOML: text without quotes").label("quote it"),
            _ if self.text.get(range.start..).is_some_and(|t| t.starts_with(':')) => {
                found.help("TOML writes `key = value`; if this is YAML, its file's name has to end in .yaml")
            }
            _ => found,
        });
    }

    fn table(&mut self, table: &DeTable<'_>) -> Kind {
        let entries = table.iter().map(|(key, value)| Entry {
            key: Spanned::new(key.get_ref().to_string(), self.span(key.span())),
            value: self.value(value),
        });
        Kind::Map(entries.collect())
    }

    fn value(&mut self, value: &TomlSpanned<DeValue<'_>>) -> Node {
        let span = self.span(value.span());
        let kind = match value.get_ref() {
            DeValue::String(text) => Kind::String(Text::new(text.as_ref())),
            DeValue::Boolean(b) => Kind::Bool(*b),
            DeValue::Integer(n) => self.number(number::integer(n.as_str(), n.radix(), &n.to_string()), span),
            DeValue::Float(n) => self.number(number::float(n.as_str()), span),
            DeValue::Datetime(when) => Kind::String(Text::new(when.to_string())),
            DeValue::Array(items) => Kind::List(items.iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { span, kind }
    }

    fn number(&mut self, number: Result<Number, String>, span: Span) -> Kind {
        match number {
            Ok(number) => Kind::Number(number),
            Err(why) => {
                self.sink.push(Diagnostic::error(Code::BadValue, span, why).label("quote it if text is meant"));
                Kind::Fault
            }
        }
    }
}
