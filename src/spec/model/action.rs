//! What runs: the actions of tools, resources and prompt data, as written.

use std::time::Duration;

use super::api::{ActionCache, RateLimit};
use super::command::{ExecAction, ShellAction};
use super::files::{EditAction, FileAction, FilesAction, SearchAction, WriteAction};
use super::{Block, Paginate, Step, Str, TablesAction, choice};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, Bytes, Field, Foreign, FromNode, Required, record};
use crate::spec::source::{Span, Spanned};

/// One action.
#[derive(Debug, Clone)]
pub enum Action {
    /// A statement on a database.
    Sql(SqlAction),
    /// What a database's catalog tells of its tables, and their rows.
    Tables(Box<TablesAction>),
    /// A request to an HTTP API.
    Http(Box<HttpAction>),
    /// A program with arguments.
    Exec(Box<ExecAction>),
    /// A shell script.
    Shell(Box<ShellAction>),
    /// A file's content.
    File(FileAction),
    /// The files of a folder.
    Files(FilesAction),
    /// Lines of the files of a folder.
    Search(SearchAction),
    /// A file that is written.
    Write(WriteAction),
    /// A file that is changed.
    Edit(EditAction),
    /// A handlebars text.
    Text(Str),
    /// MCP content blocks.
    Content(ContentAction),
    /// Several things, one after the other.
    Steps(Vec<Step>),
}

impl Action {
    /// The keys that name an action.
    pub const KEYS: [&'static str; 13] = [
        "sql", "tables", "http", "exec", "shell", "file", "files", "search", "write", "edit", "text", "content",
        "steps",
    ];
    /// The keys that may stand beside one.
    pub const BESIDE: [&'static str; 1] = ["isError"];

    /// The one action among a record's entries, whose keys are the `known` ones; none and two are reported.
    pub fn of(entries: &[Entry], known: &[&str], what: &str, at: At<'_>, sink: &mut Diagnostics) -> Option<Action> {
        let mut actions = entries.iter().filter(|e| Self::KEYS.contains(&e.key.value.as_str()));
        let Some(first) = actions.next() else {
            if !read::misspelt(entries, known, &Self::KEYS) {
                let found = Diagnostic::error(Code::NoAction, at.span, format!("this {what} does nothing"));
                sink.push(found.label(format!("give it one of {}", read::list_names(&Self::KEYS))));
            }
            return None;
        };
        let read = Self::read(first, sink);
        let read = Self::with_error(read, entries, sink);
        for second in actions {
            let words = format!("a {what} has one action, this one has a second");
            let found = Diagnostic::error(Code::TwoActions, second.key.span, words).label("second action");
            sink.push(found.related(first.key.span, "first defined here"));
            Self::read(second, sink);
        }
        read
    }

    /// Reads `isError`, which stands beside `content`, as in MCP's result.
    pub(super) fn with_error(read: Option<Action>, entries: &[Entry], sink: &mut Diagnostics) -> Option<Action> {
        let Some(written) = entries.iter().find(|e| e.key.value == "isError") else { return read };
        match read {
            Some(Action::Content(content)) => {
                let is_error = Field::read(written, sink).unwrap_or_default();
                Some(Action::Content(ContentAction { is_error, ..content }))
            }
            Some(other) => {
                let found = Diagnostic::error(Code::BadValue, written.key.span, "`isError` goes with `content`");
                sink.push(found.label("write the answer as content blocks"));
                Some(other)
            }
            None => None,
        }
    }

    /// Reads an action by its key.
    pub(super) fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Action> {
        let (node, at) = (&entry.value, At::key(entry));
        match entry.key.value.as_str() {
            "sql" => SqlAction::read(node, at, sink).map(Action::Sql),
            "tables" => TablesAction::from_node(node, at, sink).map(Box::new).map(Action::Tables),
            "http" => HttpAction::from_node(node, at, sink).map(Box::new).map(Action::Http),
            "exec" => ExecAction::read(node, at, sink).map(Box::new).map(Action::Exec),
            "shell" => ShellAction::from_node(node, at, sink).map(Box::new).map(Action::Shell),
            "file" => FileAction::read(node, at, sink).map(Action::File),
            "files" => FilesAction::from_node(node, at, sink).map(Action::Files),
            "search" => SearchAction::from_node(node, at, sink).map(Action::Search),
            "write" => WriteAction::from_node(node, at, sink).map(Action::Write),
            "edit" => EditAction::from_node(node, at, sink).map(Action::Edit),
            "content" => ContentAction::read(node, at, sink).map(Action::Content),
            "steps" => Vec::<Step>::from_node(node, at, sink).map(Action::Steps),
            _ => Str::from_node(node, at, sink).map(Action::Text),
        }
    }
}

record! {
    /// A statement on a database.
    pub struct SqlAction as "sql action" {
        "source" => source: Required<Str>,
        /// The statement, `:name` for a param.
        "query" => query: Option<Str>,
        /// In place of `query`: the file that holds it.
        "file" => file: Option<Str>,
        /// In place of `query`: several, in one transaction.
        "statements" => statements: Option<Vec<Str>>,
        /// Which of `statements` gives the answer, counted from 1; the last one otherwise.
        "resultOf" => result_of: Option<Spanned<u64>>,
        /// What the transaction of `statements` sees of others.
        "isolation" => isolation: Option<Spanned<Isolation>>,
        "returns" => returns: Option<Spanned<Returns>>,
        /// What rows are written as.
        "as" => layout: Option<Spanned<Layout>>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxRows" => max_rows: Option<Spanned<u64>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

impl SqlAction {
    /// `None` also when the statement is there and at fault: nobody should then be told that it is missing.
    fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let read = SqlAction::from_node(node, at, sink)?;
        let lost = |is_read: bool, key: &str| !is_read && node.get(key).is_some();
        let lost = lost(read.query.is_some(), "query")
            || lost(read.file.is_some(), "file")
            || lost(read.statements.is_some(), "statements");
        (!lost).then_some(read)
    }
}

/// What a statement's result is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// `{rows, rowCount, truncated}`
    Rows,
    /// One object, or not found.
    Row,
    /// One scalar.
    Value,
    /// `{affected, lastId}`
    Affected,
}

impl FromNode for Spanned<Returns> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [
            ("rows", Returns::Rows),
            ("row", Returns::Row),
            ("value", Returns::Value),
            ("affected", Returns::Affected),
        ];
        choice(node, at, &words, sink)
    }
}

/// What rows are written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// JSON, also as structured content.
    #[default]
    Json,
    /// A Markdown table.
    Table,
    /// CSV (RFC 4180), with a header.
    Csv,
}

impl FromNode for Spanned<Layout> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("json", Layout::Json), ("table", Layout::Table), ("csv", Layout::Csv)], sink)
    }
}

/// What a transaction sees of others: the levels of ISO/IEC 9075-2, section 4.41.4. A database that has no such
/// level takes the next stricter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// What others have committed before each statement.
    ReadCommitted,
    /// What others have committed before the first statement.
    RepeatableRead,
    /// As if the transactions ran one after the other.
    Serializable,
}

impl Isolation {
    /// SQL's words for it.
    pub fn sql(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        }
    }
}

impl FromNode for Spanned<Isolation> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [
            ("readCommitted", Isolation::ReadCommitted),
            ("repeatableRead", Isolation::RepeatableRead),
            ("serializable", Isolation::Serializable),
        ];
        choice(node, at, &words, sink)
    }
}

record! {
    /// A request to an HTTP API.
    pub struct HttpAction as "http action" {
        "source" => source: Option<Str>,
        /// `METHOD target`, where the target is a URI template over the params.
        "request" => request: Required<Str>,
        /// Handlebars values.
        "headers" => headers: Foreign<Str>,
        /// Added to the query; handlebars values.
        "query" => query: Foreign<Str>,
        /// Sent in the one `Cookie` header (RFC 6265); handlebars values.
        "cookies" => cookies: Foreign<Str>,
        /// A JSON body; a string that is exactly `"{{name}}"` keeps the value's type.
        "json" => json: Option<Node>,
        /// A body as web forms send it: `application/x-www-form-urlencoded`; handlebars values.
        "form" => form: Option<Pairs<Str>>,
        /// A body of parts, `multipart/form-data` (RFC 7578).
        "multipart" => multipart: Option<Pairs<Part>>,
        /// Any other body.
        "body" => body: Option<RawBody>,
        /// The media type of `body`.
        "contentType" => content_type: Option<Str>,
        /// What the caller is told where the status is not 2xx: by status (`404`), class (`4xx`) or `default`.
        "errors" => errors: Foreign<Str>,
        /// How the pages of an answer follow each other.
        "paginate" => paginate: Option<Paginate>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        "rateLimit" => rate_limit: Option<RateLimit>,
        /// Requests at the same time.
        "concurrency" => concurrency: Option<Spanned<u64>>,
        "cache" => cache: Option<ActionCache>,
    }
}

/// Names and values where it matters whether the key is there at all.
#[derive(Debug, Clone)]
pub struct Pairs<T> {
    /// The place of the key.
    pub at: Span,
    /// What it holds.
    pub all: Foreign<T>,
}

impl<T: FromNode> Field for Option<Pairs<T>> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        Some(Some(Pairs { at: entry.key.span, all: Field::read(entry, sink)? }))
    }
    fn absent() -> Self {
        None
    }
}

/// A body that is not made of named values.
#[derive(Debug, Clone)]
pub enum RawBody {
    /// Handlebars.
    Text(Str),
    /// The content of a file, sent while it is read.
    File(Box<FileBody>),
}

record! {
    /// `{ file: … }`
    pub struct FileBody as "body" {
        "file" => file: Required<FileRef>,
    }
}

impl FromNode for RawBody {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => FileBody::from_node(node, at, sink).map(Box::new).map(RawBody::File),
            _ => Str::from_node(node, at, sink).map(RawBody::Text),
        }
    }
}

/// A part of `multipart`; a string is short for its `text`.
#[derive(Debug, Clone)]
pub struct Part(pub WrittenPart);

record! {
    /// A part written out: one of `text` and `file`.
    pub struct WrittenPart as "part" {
        /// Handlebars.
        "text" => text: Option<Str>,
        /// The content of a file, sent while it is read.
        "file" => file: Option<FileRef>,
        "contentType" => content_type: Option<Str>,
        /// Handlebars; the file's own name by default.
        "filename" => filename: Option<Str>,
    }
}

impl FromNode for Part {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let part = match &node.kind {
            Kind::Map(_) => WrittenPart::from_node(node, at, sink)?,
            _ => {
                let text = Some(Str::from_node(node, at, sink)?);
                WrittenPart { at: at.span, text, file: None, content_type: None, filename: None }
            }
        };
        Some(Part(part))
    }
}

/// A file as the action `file` names it.
#[derive(Debug, Clone)]
pub struct FileRef(pub FileAction);

impl FromNode for FileRef {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        FileAction::read(node, at, sink).map(FileRef)
    }
}

/// MCP content blocks written out.
#[derive(Debug, Clone)]
pub struct ContentAction {
    /// The place of its key.
    pub at: Span,
    /// The blocks, in order.
    pub blocks: Vec<Block>,
    /// Whether they say what went wrong.
    pub is_error: Option<Spanned<bool>>,
}

impl ContentAction {
    /// A single block may stand without a list around it.
    fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let blocks = match &node.kind {
            Kind::Map(_) => vec![Block::from_node(node, at, sink)?],
            _ => Vec::<Block>::from_node(node, at, sink)?,
        };
        Some(ContentAction { at: at.span, blocks, is_error: None })
    }
}
