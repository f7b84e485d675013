//! Folders: what lists, searches and changes files below a root, as written.

use std::time::Duration;

use super::{Str, Subscribe};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, FromNode, Required, record};
use crate::spec::source::{Span, Spanned};
use crate::spec::text::Text;

record! {
    /// A file's content.
    pub struct FileAction as "file action" {
        /// Its path, a URI template over the params, below `root`.
        "path" => path: Required<Str>,
        /// The folder that it can't leave; the spec's own by default.
        "root" => root: Option<Spanned<Text>>,
        /// Globs of the files that may be read; all by default, hidden ones too.
        "include" => include: Option<Vec<Str>>,
        /// Globs of those that may not.
        "exclude" => exclude: Option<Vec<Str>>,
        /// The first byte; `"{{name}}"` for a param.
        "offset" => offset: Option<Node>,
        /// How many bytes; `"{{name}}"` for a param.
        "length" => length: Option<Node>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
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

    /// The file at `path`, whole.
    pub fn of(path: Str) -> Self {
        FileAction {
            at: path.span,
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
        "root" => root: Option<Spanned<Text>>,
        /// Where to begin, a URI template over the params, below `root`; a file is listed alone.
        "path" => path: Option<Str>,
        /// Globs of the files that are listed; all but hidden ones by default.
        "include" => include: Option<Vec<Str>>,
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: a glob that the paths have to fit besides.
        "match" => pattern: Option<Str>,
        /// Handlebars: how the paths have to begin, in any case of letters.
        "startsWith" => starts_with: Option<Str>,
        /// Whether folders are listed too.
        "folders" => folders: Option<Spanned<bool>>,
        /// Folders below folders that are entered: 1 for none.
        "depth" => depth: Option<Spanned<u64>>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxRows" => max_rows: Option<Spanned<u64>>,
    }
}

record! {
    /// The lines of the files below a folder that hold a text.
    pub struct SearchAction as "search action" {
        "root" => root: Option<Spanned<Text>>,
        /// As in `files`.
        "path" => path: Option<Str>,
        "include" => include: Option<Vec<Str>>,
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: what is searched for.
        "query" => query: Required<Str>,
        /// Whether `query` is a regular expression; `"{{name}}"` for a param.
        "regex" => regex: Option<Node>,
        /// Whether `a` finds `A`; `"{{name}}"` for a param.
        "ignoreCase" => ignore_case: Option<Node>,
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxRows" => max_rows: Option<Spanned<u64>>,
        /// Bytes of the largest file that is read.
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

record! {
    /// A file that is written whole.
    pub struct WriteAction as "write action" {
        "root" => root: Option<Spanned<Text>>,
        /// Its path, a URI template over the params, below `root`.
        "path" => path: Required<Str>,
        "include" => include: Option<Vec<Str>>,
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: its text.
        "text" => text: Required<Str>,
        "mode" => mode: Option<Spanned<WriteMode>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
    }
}

record! {
    /// A text in a file that another takes the place of.
    pub struct EditAction as "edit action" {
        "root" => root: Option<Spanned<Text>>,
        /// As in `write`.
        "path" => path: Required<Str>,
        "include" => include: Option<Vec<Str>>,
        "exclude" => exclude: Option<Vec<Str>>,
        /// Handlebars: the text that goes, which has to be there just once.
        "find" => find: Required<Str>,
        /// Handlebars: the text that comes.
        "replace" => replace: Required<Str>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
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

impl FromNode for Spanned<WriteMode> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let words = [("create", WriteMode::Create), ("replace", WriteMode::Replace), ("append", WriteMode::Append)];
        super::choice(node, at, &words, sink)
    }
}

record! {
    /// A folder that is served as resources.
    pub struct FileSet as "file set" {
        "root" => root: Required<Spanned<Text>>,
        /// What its URIs begin with; `NAME:///` by default.
        "uri" => uri: Option<Str>,
        "title" => title: Option<Str>,
        "description" => description: Option<Str>,
        /// Globs of the files that are served; all but hidden ones by default.
        "include" => include: Option<Vec<Str>>,
        "exclude" => exclude: Option<Vec<Str>>,
        /// Bytes of a file that one answer may have.
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// Files that `resources/list` may have.
        "maxFiles" => max_files: Option<Spanned<u64>>,
        /// A tool `search_NAME` over the files.
        "search" => search: Option<SetSearch>,
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
        "name" => name: Option<Str>,
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
}
