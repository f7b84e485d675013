//! What is wrong in a GraphQL text, at its place, in our words, with the name that was most likely meant.

use std::ops::Range;

use apollo_compiler::Schema;
use apollo_compiler::parser::LineColumn;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::DiagnosticList;

use crate::spec::{Fault, nearest};

/// Mistakes that are told of one text.
const MAX_FAULTS: usize = 20;

/// The mistakes that were found in `text`.
pub fn faults(text: &str, found: &DiagnosticList, names: Names<'_>) -> Vec<Fault> {
    let whole = 0..text.trim_end().len();
    let fault = |(range, words): (Option<Range<LineColumn>>, String)| {
        let range = range.and_then(|range| bytes(text, &range));
        let range = match range {
            // the end is shown where something stands
            Some(range) if range.start >= whole.end => last(text)..whole.end,
            Some(range) => range,
            None => whole.clone(),
        };
        let fault = Fault::new(range, plain(&words));
        match names.meant(&words) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None if words.contains("must have a subselection") => fault.help("say which of its fields: `{ … }`"),
            None => fault,
        }
    };
    let found = found.iter().take(MAX_FAULTS).map(|d| (d.line_column_range(), d.error.to_string()));
    let mut found: Vec<_> = found.collect();
    if found.first().is_some_and(|(_, words)| words.starts_with("syntax error")) {
        // the others are of what was read after it, which most often is not what was meant
        found.truncate(1);
    }
    let follows = |words: &str| {
        let causes = FOLLOWS.iter().filter(|(_, follows)| words.contains(follows)).map(|(cause, _)| cause);
        causes.into_iter().any(|cause| found.iter().any(|(_, other)| other.contains(cause)))
    };
    let mut all: Vec<Fault> = found.iter().filter(|(_, words)| !follows(words)).cloned().map(fault).collect();
    all.dedup();
    all
}

/// Mistakes that most often come to two, and what the second one's words hold.
const FOLLOWS: [(&str, &str); 3] = [
    ("cannot find type", "cannot be used for argument"),
    ("cannot find fragment", "must be used in an operation"),
    ("is not defined", "unused variable"),
];

/// The parser's names for signs.
const SIGNS: [(&str, &str); 15] = [
    ("L_CURLY", "`{`"),
    ("R_CURLY", "`}`"),
    ("L_PAREN", "`(`"),
    ("R_PAREN", "`)`"),
    ("L_BRACK", "`[`"),
    ("R_BRACK", "`]`"),
    ("SPREAD", "`...`"),
    ("DOLLAR", "`$`"),
    ("COLON", "`:`"),
    ("BANG", "`!`"),
    ("PIPE", "`|`"),
    ("AMP", "`&`"),
    ("EQ", "`=`"),
    ("AT", "`@`"),
    ("EOF", "the end"),
];

/// The parser's words in ours.
fn plain(words: &str) -> String {
    let words = words.replace(" in this document", "").replace("must have a subselection set", "can't be a value");
    let line = words.lines().next().unwrap_or("").trim_end_matches('.').to_owned();
    match line.strip_prefix("syntax error: ") {
        Some(what) => {
            let signs = |text: String, (sign, shown): &(&str, &str)| text.replace(sign, shown);
            format!("syntax error: {}", SIGNS.iter().fold(what.to_owned(), signs))
        }
        None => line,
    }
}

/// Where the last character of a text begins that is no space.
fn last(text: &str) -> usize {
    text.trim_end().char_indices().next_back().map_or(0, |(at, _)| at)
}

/// A range of lines and columns, both from 1 and in characters, as bytes of the text.
fn bytes(text: &str, range: &Range<LineColumn>) -> Option<Range<usize>> {
    let start = offset(text, range.start)?;
    let end = offset(text, range.end)?;
    (start <= end).then_some(start..end)
}

fn offset(text: &str, at: LineColumn) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n').take(at.line.checked_sub(1)?) {
        start += line.len();
    }
    let line = text.get(start..)?;
    let within = line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(at.column.checked_sub(1)?)?;
    Some(start + within)
}

/// The names that could have been meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'n> {
    /// Those of the schema.
    pub schema: Option<&'n Schema>,
    /// The variables of the document.
    pub variables: &'n [String],
    /// Its fragments.
    pub fragments: &'n [String],
}

impl<'n> Names<'n> {
    /// The name that was most likely meant by the one that the words say is none.
    fn meant(&self, words: &str) -> Option<&'n str> {
        let mut quoted = words.split('`').skip(1).step_by(2);
        let (first, second) = (quoted.next()?, quoted.next());
        if words.starts_with("variable `$") && words.ends_with("is not defined") {
            return nearest(first.trim_start_matches('$'), self.variables.iter().map(String::as_str));
        }
        if words.starts_with("cannot find fragment") {
            return nearest(first, self.fragments.iter().map(String::as_str));
        }
        let schema = self.schema?;
        if words.starts_with("cannot find type") || words.starts_with("type condition") {
            return nearest(first, schema.types.keys().map(|name| name.as_str()));
        }
        if words.contains("does not have a field") {
            return nearest(second?, fields(schema.types.get(first)?));
        }
        if words.contains("does not exist on") {
            return nearest(first, fields(schema.types.get(second?)?));
        }
        if words.contains("is not supported by") {
            let (of, rest) = second?.split_once('.')?;
            let field = rest.split('(').next()?;
            let arguments = match schema.types.get(of)? {
                ExtendedType::Object(object) => &object.fields.get(field)?.arguments,
                ExtendedType::Interface(interface) => &interface.fields.get(field)?.arguments,
                _ => return None,
            };
            return nearest(first, arguments.iter().map(|argument| argument.name.as_str()));
        }
        None
    }
}

/// The names of what a type is made of.
fn fields(of: &ExtendedType) -> Vec<&str> {
    match of {
        ExtendedType::Object(object) => object.fields.keys().map(|name| name.as_str()).collect(),
        ExtendedType::Interface(interface) => interface.fields.keys().map(|name| name.as_str()).collect(),
        ExtendedType::InputObject(input) => input.fields.keys().map(|name| name.as_str()).collect(),
        ExtendedType::Enum(one) => one.values.keys().map(|name| name.as_str()).collect(),
        ExtendedType::Scalar(_) | ExtendedType::Union(_) => Vec::new(),
    }
}
