//! What runs: the actions of tools, resources and prompt data, as written.

use serde_json::Value;
use std::time::Duration;

use super::steps::StepsAction;
use super::{
    Around, Block, ContentAction, EditAction, ExecAction, FileAction, FilesAction, GraphqlAction, HttpAction,
    McpAction, SearchAction, ShellAction, SqlAction, Step, Str, TablesAction, WriteAction,
};
use crate::spec::describe::{Book, Record, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{self, At, Field, FromNode, Required};
use crate::spec::source::Spanned;

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
    const BESIDE: [&'static str; 2] = ["isError", "timeout"];

    /// All of these.
    pub(in crate::spec) fn names() -> impl Iterator<Item = &'static str> {
        Self::KEYS.into_iter().chain(Self::BESIDE)
    }

    /// The action among the entries of a record that can do without one.
    pub(in crate::spec) fn of_any(
        entries: &[Entry],
        known: &[&str],
        what: &str,
        at: At<'_>,
        sink: &mut Diagnostics,
    ) -> Option<Required<Action>> {
        let acts = entries.iter().any(|e| Self::KEYS.contains(&e.key.value.as_str()));
        acts.then(|| Required(Self::of(entries, known, what, at, sink)))
    }

    /// The one action among a record's entries, whose keys are the `known` ones; none and two are reported.
    pub(in crate::spec) fn of(
        entries: &[Entry],
        known: &[&str],
        what: &str,
        at: At<'_>,
        sink: &mut Diagnostics,
    ) -> Option<Action> {
        let mut actions = entries.iter().filter(|e| Self::KEYS.contains(&e.key.value.as_str()));
        let Some(first) = actions.next() else {
            if !read::misspelt(entries, known, what, &Self::KEYS) {
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
            sink.push(found.label(timeout_of(&action.key.value, &written.value)));
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

/// Where the timeout of an action stands.
fn timeout_of(action: &str, written: &Node) -> String {
    let time = match &written.kind {
        Kind::String(text) if text.written().chars().all(|c| c.is_ascii_alphanumeric()) => text.written(),
        _ => "5s",
    };
    match action {
        "http" | "graphql" | "exec" | "shell" | "files" | "search" | "mcp" => {
            format!("write it into the map of `{action}`: `{action}: {{ …, timeout: {time} }}`")
        }
        _ => format!("`{action}` takes none; that of all is `defaults: {{ timeout: {time} }}`"),
    }
}
