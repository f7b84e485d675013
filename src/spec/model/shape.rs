//! `result`, as written: how an action's outcome becomes the answer.

use serde_json::Value;

use super::Str;
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Choice, FromNode, Required, record};
use crate::spec::source::Spanned;

record! {
    /// How an action's outcome becomes the answer.
    pub struct Shape as "result" {
        /// A jq program over the JSON.
        /// Example: `'{title, pages: .number_of_pages}'`
        "jq" => jq: Option<Str>,
        /// Handlebars over the shaped JSON: the words that the model reads.
        /// Example: `'{{len rows}} books found'`
        "text" => text: Option<Str>,
        /// What the answer's bytes are.
        /// Example: `csv`
        "as" => form: Option<Form>,
    }
}

/// What the bytes of an API, a command or a file are read as.
#[derive(Debug, Clone)]
pub enum Form {
    /// A format with a name.
    Word(FormWord),
    /// `{ columns: … }`: rows, one for each line that the pattern matches; its named groups are the columns.
    Columns(Str),
}

/// A format with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormWord {
    /// JSON.
    Json,
    /// A JSON value a line.
    Ndjson,
    /// Text (the default for commands and files).
    Text,
    /// A list of lines.
    Lines,
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// Columns aligned with spaces, with a header.
    Table,
    /// XML.
    Xml,
    /// HTML, turned into Markdown.
    Markdown,
    /// An image.
    Image,
    /// A sound.
    Audio,
}

impl Choice for FormWord {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("json", FormWord::Json),
        ("ndjson", FormWord::Ndjson),
        ("text", FormWord::Text),
        ("lines", FormWord::Lines),
        ("csv", FormWord::Csv),
        ("tsv", FormWord::Tsv),
        ("table", FormWord::Table),
        ("xml", FormWord::Xml),
        ("markdown", FormWord::Markdown),
        ("image", FormWord::Image),
        ("audio", FormWord::Audio),
    ];
}

record! {
    /// `{ columns: … }`
    pub struct ColumnsForm as "result form" {
        /// A regular expression with named groups.
        /// Example: `'(?P<pid>\d+)\s+(?P<name>.+)'`
        "columns" => columns: Required<Str>,
    }
}

impl FromNode for Form {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => ColumnsForm::from_node(node, at, sink)?.columns.0.map(Form::Columns),
            _ => Spanned::<FormWord>::from_node(node, at, sink).map(|word| Form::Word(word.value)),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Spanned::<FormWord>::schema(book), ColumnsForm::schema(book)])
    }
}
