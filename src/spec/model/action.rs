//! What runs: the actions of tools, resources and prompt data, as written.

use std::time::Duration;

use super::{Block, Step, Str, choice};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, Bytes, Field, Foreign, FromNode, Required, record};
use crate::spec::source::{Span, Spanned};
use crate::spec::text::Text;

/// One action.
#[derive(Debug, Clone)]
pub enum Action {
    /// A statement on a database.
    Sql(SqlAction),
    /// A request to an HTTP API.
    Http(HttpAction),
    /// A program with arguments.
    Exec(ExecAction),
    /// A shell script.
    Shell(ShellAction),
    /// A file's content.
    File(FileAction),
    /// A handlebars text.
    Text(Str),
    /// MCP content blocks.
    Content(ContentAction),
    /// Several things, one after the other.
    Steps(Vec<Step>),
}

impl Action {
    /// The keys that name an action.
    pub const KEYS: [&'static str; 8] = ["sql", "http", "exec", "shell", "file", "text", "content", "steps"];
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
            "http" => HttpAction::from_node(node, at, sink).map(Action::Http),
            "exec" => ExecAction::read(node, at, sink).map(Action::Exec),
            "shell" => ShellAction::from_node(node, at, sink).map(Action::Shell),
            "file" => FileAction::read(node, at, sink).map(Action::File),
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
        "returns" => returns: Option<Spanned<Returns>>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxRows" => max_rows: Option<Spanned<u64>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

impl SqlAction {
    /// `None` also when the statement is there and at fault: nobody should then be told that it is missing.
    fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let read = SqlAction::from_node(node, at, sink)?;
        let lost = (read.query.is_none() && node.get("query").is_some())
            || (read.file.is_none() && node.get("file").is_some());
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
        /// A JSON body; a string that is exactly `"{{name}}"` keeps the value's type.
        "json" => json: Option<Node>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

record! {
    /// A program with arguments.
    pub struct ExecAction as "exec action" {
        /// The argv; each element is one argument.
        "command" => command: Required<Vec<Str>>,
        /// Handlebars; what the program reads.
        "stdin" => stdin: Option<Str>,
        "env" => env: Foreign<Spanned<Text>>,
        "cwd" => cwd: Option<Spanned<Text>>,
        /// A pattern for lines of stderr: its first group is how much is done, its second out of how much.
        "progress" => progress: Option<Str>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

impl ExecAction {
    /// A command of which an element is at fault is none: without that element it would be another one.
    fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let mut read = ExecAction::from_node(node, at, sink)?;
        if let Some(Kind::List(written)) = node.get("command").map(|e| &e.value.kind) {
            read.command.0 = read.command.0.filter(|elements| elements.len() == written.len());
        }
        Some(read)
    }
}

record! {
    /// A shell script; params are environment variables.
    pub struct ShellAction as "shell action" {
        "script" => script: Required<Str>,
        /// `sh` or `bash`.
        "shell" => shell: Option<Spanned<ShellName>>,
        "stdin" => stdin: Option<Str>,
        "env" => env: Foreign<Spanned<Text>>,
        "cwd" => cwd: Option<Spanned<Text>>,
        /// As in `exec`.
        "progress" => progress: Option<Str>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

/// Which shell runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellName {
    /// POSIX `sh`.
    Sh,
    /// GNU Bash.
    Bash,
}

impl FromNode for Spanned<ShellName> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("sh", ShellName::Sh), ("bash", ShellName::Bash)], sink)
    }
}

record! {
    /// A file's content.
    pub struct FileAction as "file action" {
        /// Its path, a URI template over the params, below `root`.
        "path" => path: Required<Str>,
        /// The folder that it can't leave; the spec's own by default.
        "root" => root: Option<Str>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

impl FileAction {
    /// `file: ./terms.md` is short for `file: { path: ./terms.md }`.
    fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => FileAction::from_node(node, at, sink),
            _ => Str::from_node(node, at, sink).map(|path| FileAction {
                at: at.span,
                path: Required(Some(path)),
                root: None,
                max_bytes: None,
            }),
        }
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
