//! Folders: what lists, searches and changes files below a root, as written.

use serde_json::Value;
use std::time::Duration;

use super::{Around, Str, Subscribe};
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, Choice, FromNode, Required, record};
use crate::spec::source::{Span, Spanned};
use crate::spec::text::Text;

record! {
    /// A file's content.
    pub struct FileAction as "file action" {
        /// Its path, a URI template over the params, below `root`.
        /// Example: `'manuals/{name}.md'`
        "path" => path: Required<Str>,
        /// The folder that it can't leave; the spec's own by default.
        /// Example: `./docs`
        "root" => root: Option<Spanned<Text>>,
        /// Globs of the files that may be read; all by default, hidden ones too.
        /// Example: `['**/*.md']`
        "include" => include: Option<Vec<Str>>,
        /// Globs of those that may not.
        /// Example: `['drafts/**']`
        "exclude" => exclude: Option<Vec<Str>>,
        /// The first byte; `"{{name}}"` for a param.
        /// Example: `'{{offset}}'`
        "offset" => offset: Option<Node>,
        /// How many bytes; `"{{name}}"` for a param.
        /// Example: `'{{length}}'`
        "length" => length: Option<Node>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        ..around: Box<Around>,
    }
}

impl FileAction {
    /// `file: ./terms.md` is short for `file: { path: ./terms.md }`.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => FileAction::from_node(node, at, sink),
            _ => Str::from_node(node, at, sink).map(|path| FileAction { at: at.span, ..FileAction::of(path) }),
        }
    }

    /// Both forms.
    pub(super) fn described(book: &mut Book) -> Value {
        any_of([Str::schema(book), FileAction::schema(book)])
    }

    /// The file at `path`, whole.
    pub fn of(path: Str) -> Self {
        FileAction {
            at: path.span,
            faulty: false,
            around: Box::new(Around::nothing(path.span)),
            path: Required(Some(path)),
            root: None,
            include: None,
            exclude: None,
            offset: None,
            length: None,
            max_bytes: None,
        }
    }
}

record! {
    /// The files below a folder, as rows.
    pub struct FilesAction as "files action" {
        /// The folder that nothing here can leave; the spec's own by default.
        /// Example: `./docs`
        "root" => root: Option<Spanned<Text>>,
        /// Where to begin, a URI template over the params, below `root`; a file is listed alone.
        /// Example: `'{folder}'`
        "path" => path: Option<Str>,
        /// Globs of the files that are listed; all but hidden ones by default.
        /// Example: `['**/*.md']`
        "include" => include: Option<Vec<Str>>,
        /// Globs of files that are not meant.
        /// Example: `['drafts/**']`
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: a glob that the paths have to fit besides.
        /// Example: `'{{pattern}}'`
        "match" => pattern: Option<Str>,
        /// Handlebars: how the paths have to begin, in any case of letters.
        /// Example: `'{{value}}'`
        "startsWith" => starts_with: Option<Str>,
        /// Whether folders are listed too.
        /// Example: `true`
        "folders" => folders: Option<Spanned<bool>>,
        /// Folders below folders that are entered: 1 for none.
        /// Example: `2`
        "depth" => depth: Option<Spanned<u64>>,
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Rows that an answer has at most; it says so when there were more.
        /// Example: `200`
        "maxRows" => max_rows: Option<Spanned<u64>>,
        ..around: Box<Around>,
    }
}

record! {
    /// The lines of the files below a folder that hold a text.
    pub struct SearchAction as "search action" {
        /// The folder that nothing here can leave; the spec's own by default.
        /// Example: `./docs`
        "root" => root: Option<Spanned<Text>>,
        /// Where to begin, a URI template over the params, below `root`.
        /// Example: `'{folder}'`
        "path" => path: Option<Str>,
        /// Globs of the files that are meant; all but hidden ones by default.
        /// Example: `['**/*.md']`
        "include" => include: Option<Vec<Str>>,
        /// Globs of files that are not meant.
        /// Example: `['drafts/**']`
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: what is searched for.
        /// Example: `'{{words}}'`
        "query" => query: Required<Str>,
        /// Whether `query` is a regular expression; `"{{name}}"` for a param.
        /// Example: `'{{regex}}'`
        "regex" => regex: Option<Node>,
        /// Whether `a` finds `A`; `"{{name}}"` for a param.
        /// Example: `true`
        "ignoreCase" => ignore_case: Option<Node>,
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Rows that an answer has at most; it says so when there were more.
        /// Example: `200`
        "maxRows" => max_rows: Option<Spanned<u64>>,
        /// Bytes of the largest file that is read.
        /// Example: `1MiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        ..around: Box<Around>,
    }
}

record! {
    /// A file that is written whole.
    pub struct WriteAction as "write action" {
        /// The folder that nothing here can leave; the spec's own by default.
        /// Example: `./docs`
        "root" => root: Option<Spanned<Text>>,
        /// Its path, a URI template over the params, below `root`.
        /// Example: `'notes/{name}.md'`
        "path" => path: Required<Str>,
        /// Globs of the files that are meant; all but hidden ones by default.
        /// Example: `['**/*.md']`
        "include" => include: Option<Vec<Str>>,
        /// Globs of files that are not meant.
        /// Example: `['drafts/**']`
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: its text.
        /// Example: `'{{text}}'`
        "text" => text: Required<Str>,
        /// What becomes of a file that is there.
        /// Example: `replace`
        "mode" => mode: Option<Spanned<WriteMode>>,
        /// Bytes that may be written at most.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        ..around: Box<Around>,
    }
}

record! {
    /// A text in a file that another takes the place of.
    pub struct EditAction as "edit action" {
        /// The folder that nothing here can leave; the spec's own by default.
        /// Example: `./docs`
        "root" => root: Option<Spanned<Text>>,
        /// Its path, a URI template over the params, below `root`.
        /// Example: `'notes/{name}.md'`
        "path" => path: Required<Str>,
        /// Globs of the files that are meant; all but hidden ones by default.
        /// Example: `['**/*.md']`
        "include" => include: Option<Vec<Str>>,
        /// Globs of files that are not meant.
        /// Example: `['drafts/**']`
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: the text that goes, which has to be there just once.
        /// Example: `'{{old}}'`
        "find" => find: Required<Str>,
        /// Handlebars: the text that comes.
        /// Example: `'{{new}}'`
        "replace" => replace: Required<Str>,
        /// Bytes of the largest file that is changed.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        ..around: Box<Around>,
    }
}

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// It is an error.
    Create,
    /// It is replaced, in one step.
    Replace,
    /// The text is added to it.
    Append,
}

impl Choice for WriteMode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("create", WriteMode::Create), ("replace", WriteMode::Replace), ("append", WriteMode::Append)];
}

record! {
    /// A folder that is served as resources.
    pub struct FileSet as "file set" {
        /// The folder.
        /// Example: `./manuals`
        "root" => root: Required<Spanned<Text>>,
        /// What its URIs begin with; `NAME:///` by default.
        /// Example: `'docs:///manuals/'`
        "uri" => uri: Option<Str>,
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// Globs of the files that are served; all but hidden ones by default.
        /// Example: `['**/*.md']`
        "include" => include: Option<Vec<Str>>,
        /// Globs of files that are not meant.
        /// Example: `['drafts/**']`
        "exclude" => exclude: Option<Vec<Str>>,
        /// Bytes of a file that one answer may have.
        /// Example: `1MiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// Files that `resources/list` may have.
        /// Example: `500`
        "maxFiles" => max_files: Option<Spanned<u64>>,
        /// A tool `search_NAME` over the files.
        /// Example: `true`
        "search" => search: Option<SetSearch>,
        /// How changes are noticed while a client is subscribed.
        /// Example: `{ poll: 5s }`
        "subscribe" => subscribe: Option<Subscribe>,
    }
}

/// `search: true`, or what the tool is called.
#[derive(Debug, Clone)]
pub struct SetSearch {
    /// The place of its key.
    pub at: Span,
    /// Whether there is a tool.
    pub wanted: bool,
    /// Its name.
    pub name: Option<Str>,
    /// Its description.
    pub description: Option<Str>,
}

record! {
    /// `search: { name: … }`
    pub struct SearchTool as "search" {
        /// The tool's name; `search_NAME` by default.
        /// Example: `search_manuals`
        "name" => name: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
    }
}

impl FromNode for SetSearch {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => SearchTool::from_node(node, at, sink).map(|tool| SetSearch {
                at: tool.at,
                wanted: true,
                name: tool.name,
                description: tool.description,
            }),
            _ => Spanned::<bool>::from_node(node, at, sink).map(|wanted| SetSearch {
                at: at.span,
                wanted: wanted.value,
                name: None,
                description: None,
            }),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Spanned::<bool>::schema(book), SearchTool::schema(book)])
    }
}
