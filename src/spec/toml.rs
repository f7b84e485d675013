//! TOML 1.0 text into the tree.

use serde_json::Number;
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue, Error};

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::number;
use super::source::{FileId, Files, Span, Spanned};
use super::text::Text;

/// Reads a file's text, reporting every mistake. `None` when it is not TOML.
pub fn parse(file: FileId, files: &Files, sink: &mut Diagnostics) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(files.text(file));
    let broken = errors.iter().any(|e| !is_duplicate(e));
    let mut reader = Reader { file, files, sink };
    for error in &errors {
        reader.error(error, &table);
    }
    (!broken).then(|| Node { span: reader.span(table.span()), kind: reader.table(table.get_ref()) })
}

fn is_duplicate(error: &Error) -> bool {
    error.message().contains("duplicate key")
}

struct Reader<'a, 's> {
    file: FileId,
    files: &'a Files,
    sink: &'s mut Diagnostics,
}

impl Reader<'_, '_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn error(&mut self, error: &Error, root: &TomlSpanned<DeTable<'_>>) {
        let range = error.span().unwrap_or(0..0);
        let place = self.span(range.clone());
        if is_duplicate(error) {
            let key = self.files.text(self.file).get(range).unwrap_or("").trim_matches(['"', '\'']);
            let key = Spanned::new(key.to_owned(), place);
            let found = match first(root.get_ref(), &key) {
                Some(first) => super::yaml::duplicate(&key, self.span(first)),
                None => Diagnostic::error(Code::DuplicateKey, place, format!("the key `{}` stands twice", key.value)),
            };
            self.sink.push(found);
        } else {
            self.sink.error(Code::Syntax, place, format!("not valid TOML: {}", error.message()));
        }
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
                Kind::Null
            }
        }
    }
}

/// Where a key of this name stands last before `again`: that is the one it repeats.
fn first(table: &DeTable<'_>, again: &Spanned<String>) -> Option<std::ops::Range<usize>> {
    let mut found = None;
    let mut tables = vec![table];
    while let Some(table) = tables.pop() {
        for (key, value) in table.iter() {
            let before = key.span().end <= again.span.start as usize;
            if before && key.get_ref().as_ref() == again.value {
                found = found.max(Some((key.span().start, key.span().end)));
            }
            if let DeValue::Table(inner) = value.get_ref() {
                tables.push(inner);
            }
        }
    }
    found.map(|(start, end)| start..end)
}
