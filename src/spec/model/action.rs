//! What runs: the actions of tools, resources and prompt data, as written.

use serde_json::Value;
use std::time::Duration;

use super::api::{ActionCache, RateLimit};
use super::command::{ExecAction, ShellAction};
use super::files::{EditAction, FileAction, FilesAction, SearchAction, WriteAction};
use super::steps::StepsAction;
use super::{Around, Block, GraphqlAction, McpAction, Paginate, Step, Str, TablesAction};
use crate::spec::describe::{Book, Record, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, Bytes, Choice, Field, Foreign, FromNode, Required, record};
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
    /// An operation of a GraphQL API.
    Graphql(Box<GraphqlAction>),
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
    /// What another MCP server does.
    Mcp(Box<McpAction>),
    /// Several things, one after the other.
    Steps(StepsAction),
}

impl Action {
    /// The keys that name an action.
    pub const KEYS: [&'static str; 15] = [
        "sql", "tables", "http", "graphql", "exec", "shell", "file", "files", "search", "write", "edit", "text",
        "content", "mcp", "steps",
    ];
    /// The keys that may stand beside one.
    pub const BESIDE: [&'static str; 2] = ["isError", "timeout"];

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
        let read = Self::with_timeout(read, first, entries, sink);
        for second in actions {
            let words = format!("a {what} has one action, this one has a second");
            let found = Diagnostic::error(Code::TwoActions, second.key.span, words).label("second action");
            sink.push(found.related(first.key.span, "first defined here"));
            Self::read(second, sink);
        }
        read
    }

    /// What is written around it; `None` for an action that has it in parts of its own, or is no map.
    pub fn around(&self) -> Option<&Around> {
        let around: &Around = match self {
            Action::Sql(sql) => &sql.around,
            Action::Tables(tables) => &tables.around,
            Action::Graphql(graphql) => &graphql.around,
            Action::Mcp(mcp) => &mcp.around,
            Action::Exec(exec) => &exec.around,
            Action::Shell(shell) => &shell.around,
            Action::File(file) => &file.around,
            Action::Files(list) => &list.around,
            Action::Search(search) => &search.around,
            Action::Write(write) => &write.around,
            Action::Edit(edit) => &edit.around,
            Action::Http(_) | Action::Text(_) | Action::Content(_) | Action::Steps(_) => return None,
        };
        around.is_something().then_some(around)
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

    /// Reads `timeout`, which stands beside `steps`, as these are a list.
    fn with_timeout(read: Option<Action>, action: &Entry, entries: &[Entry], sink: &mut Diagnostics) -> Option<Action> {
        let Some(written) = entries.iter().find(|e| e.key.value == "timeout") else { return read };
        if action.key.value != "steps" {
            let found = Diagnostic::error(Code::UnknownKey, written.key.span, "`timeout` stands beside `steps` only");
            sink.push(found.label(format!("write it into the map of `{}`, if that takes one", action.key.value)));
            return read;
        }
        let timeout = Field::read(written, sink).unwrap_or_default();
        match read {
            Some(Action::Steps(steps)) => Some(Action::Steps(StepsAction { timeout, ..steps })),
            other => other,
        }
    }

    /// Adds what may stand in a record that has an action.
    pub(in crate::spec) fn describe(record: &mut Record, book: &mut Book) {
        for key in Self::KEYS {
            let (comment, schema) = Self::described(key, book);
            record.property(key, comment, schema);
        }
        let is_error = "Beside `content`: whether the blocks say what went wrong. Example: `true`";
        record.property("isError", is_error, Spanned::<bool>::schema(book));
        let timeout = "Beside `steps`: how long all of them may take together. Example: `2m`";
        record.property("timeout", timeout, Spanned::<Duration>::schema(book));
    }

    /// What an action's key means, and what its value is.
    fn described(key: &str, book: &mut Book) -> (&'static str, Value) {
        match key {
            "sql" => (
                "Runs a statement on a database. Example: `{ source: shop, query: 'SELECT 1' }`",
                SqlAction::schema(book),
            ),
            "tables" => {
                ("Tells of a database's tables and their rows. Example: `{ source: shop }`", TablesAction::schema(book))
            }
            "http" => (
                "Sends a request to an HTTP API. Example: `{ source: api, request: GET /books }`",
                HttpAction::schema(book),
            ),
            "graphql" => (
                "Asks a GraphQL API. Example: `{ source: github, query: 'query ($login: String!) { user(login: $login) { name } }' }`",
                GraphqlAction::schema(book),
            ),
            "exec" => ("Runs a program with arguments. Example: `{ command: [date] }`", ExecAction::schema(book)),
            "shell" => ("Runs a shell script. Example: `{ script: date }`", ShellAction::schema(book)),
            "file" => ("Gives a file's content. Example: `./terms.md`", FileAction::described(book)),
            "files" => ("Lists the files of a folder. Example: `{ root: ./docs }`", FilesAction::schema(book)),
            "search" => (
                "Searches the files of a folder. Example: `{ root: ./docs, query: '{{words}}' }`",
                SearchAction::schema(book),
            ),
            "write" => {
                ("Writes a file whole. Example: `{ path: notes.md, text: '{{text}}' }`", WriteAction::schema(book))
            }
            "edit" => (
                "Puts a text in the place of another. Example: `{ path: notes.md, find: '{{old}}', replace: '{{new}}' }`",
                EditAction::schema(book),
            ),
            "content" => (
                "Gives MCP content blocks. Example: `[{ type: text, text: Hello }]`",
                any_of([Block::schema(book), Vec::<Block>::schema(book)]),
            ),
            "mcp" => (
                "Uses a tool, resource or prompt of another MCP server. Example: `{ source: github, tool: search_issues }`",
                McpAction::schema(book),
            ),
            "steps" => (
                "Does several things. Example: `[{ call: find_books, with: { words: Dune }, as: found }]`",
                Vec::<Step>::schema(book),
            ),
            _ => ("Gives a handlebars text. Example: `Hello {{name}}`", Str::schema(book)),
        }
    }

    /// Reads an action by its key.
    pub(super) fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Action> {
        let (node, at) = (&entry.value, At::key(entry));
        match entry.key.value.as_str() {
            "sql" => SqlAction::read(node, at, sink).map(Action::Sql),
            "tables" => TablesAction::from_node(node, at, sink).map(Box::new).map(Action::Tables),
            "http" => HttpAction::from_node(node, at, sink).map(Box::new).map(Action::Http),
            "graphql" => GraphqlAction::read(node, at, sink).map(Box::new).map(Action::Graphql),
            "exec" => ExecAction::read(node, at, sink).map(Box::new).map(Action::Exec),
            "shell" => ShellAction::from_node(node, at, sink).map(Box::new).map(Action::Shell),
            "file" => FileAction::read(node, at, sink).map(Action::File),
            "files" => FilesAction::from_node(node, at, sink).map(Action::Files),
            "search" => SearchAction::from_node(node, at, sink).map(Action::Search),
            "write" => WriteAction::from_node(node, at, sink).map(Action::Write),
            "edit" => EditAction::from_node(node, at, sink).map(Action::Edit),
            "content" => ContentAction::read(node, at, sink).map(Action::Content),
            "mcp" => McpAction::from_node(node, at, sink).map(Box::new).map(Action::Mcp),
            "steps" => {
                let steps = Vec::<Step>::from_node(node, at, sink)?;
                Some(Action::Steps(StepsAction { steps, timeout: None }))
            }
            _ => Str::from_node(node, at, sink).map(Action::Text),
        }
    }
}

record! {
    /// A statement on a database.
    pub struct SqlAction as "sql action" {
        /// The name of a source.
        /// Example: `shop`
        "source" => source: Required<Str>,
        /// The statement, `:name` for a param.
        /// Example: `'SELECT * FROM books WHERE id = :id'`
        "query" => query: Option<Str>,
        /// In place of `query`: the file that holds it.
        /// Example: `./find.sql`
        "file" => file: Option<Str>,
        /// In place of `query`: several, in one transaction.
        /// Example: `['UPDATE stock SET left = left - 1 WHERE id = :id', 'INSERT INTO orders (book) VALUES (:id)']`
        "statements" => statements: Option<Vec<Str>>,
        /// Which of `statements` gives the answer, counted from 1; the last one otherwise.
        /// Example: `1`
        "resultOf" => result_of: Option<Spanned<u64>>,
        /// What the transaction of `statements` sees of others.
        /// Example: `serializable`
        "isolation" => isolation: Option<Spanned<Isolation>>,
        /// What the answer is: all rows, one row, one value, or how many rows were changed.
        /// Example: `row`
        "returns" => returns: Option<Spanned<Returns>>,
        /// What rows are written as.
        /// Example: `table`
        "as" => layout: Option<Spanned<Layout>>,
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Rows that an answer has at most; it says so when there were more.
        /// Example: `200`
        "maxRows" => max_rows: Option<Spanned<u64>>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
    around => around
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

impl Choice for Returns {
    const WORDS: &'static [(&'static str, Self)] =
        &[("rows", Returns::Rows), ("row", Returns::Row), ("value", Returns::Value), ("affected", Returns::Affected)];
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

impl Choice for Layout {
    const WORDS: &'static [(&'static str, Self)] =
        &[("json", Layout::Json), ("table", Layout::Table), ("csv", Layout::Csv)];
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

impl Choice for Isolation {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("readCommitted", Isolation::ReadCommitted),
        ("repeatableRead", Isolation::RepeatableRead),
        ("serializable", Isolation::Serializable),
    ];
}

record! {
    /// A request to an HTTP API.
    pub struct HttpAction as "http action" {
        /// The name of a source.
        /// Example: `shop`
        "source" => source: Option<Str>,
        /// `METHOD target`, where the target is a URI template over the params.
        /// Example: `'GET /search{?q,page}'`
        "request" => request: Required<Str>,
        /// More headers; handlebars values.
        /// Example: `{ X-Trace: '{{trace}}' }`
        "headers" => headers: Foreign<Str>,
        /// Added to the query; handlebars values.
        /// Example: `{ q: '{{words}}' }`
        "query" => query: Foreign<Str>,
        /// Sent in the one `Cookie` header (RFC 6265); handlebars values.
        /// Example: `{ lang: '{{lang}}' }`
        "cookies" => cookies: Foreign<Str>,
        /// A JSON body; a string that is exactly `"{{name}}"` keeps the value's type.
        /// Example: `{ title: '{{title}}', price: '{{price}}' }`
        "json" => json: Option<Node>,
        /// A body as web forms send it: `application/x-www-form-urlencoded`; handlebars values.
        /// Example: `{ title: '{{title}}' }`
        "form" => form: Option<Pairs<Str>>,
        /// A body of parts, `multipart/form-data` (RFC 7578).
        /// Example: `{ title: '{{title}}', cover: { file: './covers/{id}.png' } }`
        "multipart" => multipart: Option<Pairs<Part>>,
        /// Any other body: handlebars, or a file.
        /// Example: `'{{note}}'`
        "body" => body: Option<RawBody>,
        /// The media type of `body`.
        /// Example: `text/plain`
        "contentType" => content_type: Option<Str>,
        /// What the caller is told where the status is not 2xx: by status (`404`), class (`4xx`) or `default`.
        /// Example: `{ '404': 'There is no book {{id}}.', 5xx: The shop is closed. }`
        "errors" => errors: Foreign<Str>,
        /// How the pages of an answer follow each other.
        /// Example: `{ link: true, maxPages: 5 }`
        "paginate" => paginate: Option<Paginate>,
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// How many may be sent in a stretch of time; more of them wait.
        /// Example: `{ requests: 10, per: 1s }`
        "rateLimit" => rate_limit: Option<RateLimit>,
        /// Requests at the same time.
        /// Example: `4`
        "concurrency" => concurrency: Option<Spanned<u64>>,
        /// How long answers to GET are kept.
        /// Example: `{ ttl: 60s }`
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
    fn schema(book: &mut Book) -> Value {
        Foreign::<T>::schema(book)
    }
}

/// A body that is not made of named values.
#[derive(Debug, Clone)]
pub enum RawBody {
    /// Handlebars.
    Text(Str),
    /// The content of a file, or bytes.
    Made(Box<MadeBody>),
}

record! {
    /// One of `{ file: … }` and `{ base64: … }`.
    pub struct MadeBody as "body" {
        /// The file whose content is sent.
        /// Example: `'./covers/{id}.png'`
        "file" => file: Option<FileRef>,
        /// Handlebars: bytes as base64 (RFC 4648 section 4), sent as what they stand for.
        /// Example: `'{{photo}}'`
        "base64" => base64: Option<Str>,
    }
}

impl FromNode for RawBody {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => MadeBody::from_node(node, at, sink).map(Box::new).map(RawBody::Made),
            _ => Str::from_node(node, at, sink).map(RawBody::Text),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), MadeBody::schema(book)])
    }
}

/// A part of `multipart`; a string is short for its `text`.
#[derive(Debug, Clone)]
pub struct Part(pub WrittenPart);

record! {
    /// A part written out: one of `text`, `file` and `base64`.
    pub struct WrittenPart as "part" {
        /// Handlebars.
        /// Example: `'{{title}}'`
        "text" => text: Option<Str>,
        /// The content of a file, sent while it is read.
        /// Example: `'./covers/{id}.png'`
        "file" => file: Option<FileRef>,
        /// Handlebars: bytes as base64 (RFC 4648 section 4), sent as what they stand for.
        /// Example: `'{{photo}}'`
        "base64" => base64: Option<Str>,
        /// The media type of the part.
        /// Example: `image/png`
        "contentType" => content_type: Option<Str>,
        /// Handlebars; the file's own name by default.
        /// Example: `cover.png`
        "filename" => filename: Option<Str>,
    }
}

impl FromNode for Part {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let part = match &node.kind {
            Kind::Map(_) => WrittenPart::from_node(node, at, sink)?,
            _ => {
                let text = Some(Str::from_node(node, at, sink)?);
                WrittenPart { at: at.span, text, file: None, base64: None, content_type: None, filename: None }
            }
        };
        Some(Part(part))
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), WrittenPart::schema(book)])
    }
}

/// A file as the action `file` names it.
#[derive(Debug, Clone)]
pub struct FileRef(pub FileAction);

impl FromNode for FileRef {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let file = FileAction::read(node, at, sink)?;
        if file.around.is_something() {
            let words = "this file is a part of a request, and has no `cache`, `rateLimit` or `concurrency` of its own";
            sink.push(Diagnostic::error(Code::BadValue, file.around.at, words).label("write them beside `request`"));
        }
        Some(FileRef(file))
    }

    fn schema(book: &mut Book) -> Value {
        FileAction::described(book)
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
