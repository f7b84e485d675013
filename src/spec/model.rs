//! The spec exactly as written: one record for each map of the language, one field for each key.

pub mod action;
pub mod api;
pub mod around;
pub mod case;
pub mod command;
mod complete;
pub mod content;
pub mod database;
pub mod files;
pub mod graphql;
pub mod http;
pub mod import;
pub mod limits;
pub mod lists;
pub mod mcp;
pub mod paginate;
pub mod partials;
mod prompt;
mod property;
mod requires;
mod resource;
mod sets;
mod shape;
pub mod source;
mod sql;
pub mod steps;
pub mod tables;
pub mod tasks;
mod tool;

pub use action::Action;
pub use api::{Auth, HttpSource};
pub use around::Around;
pub use case::TestCase;
pub use command::{ExecAction, Sandbox, ShellAction, Stdin};
pub use complete::Complete;
pub use content::{Block, BlockKind, ContentAction, ContentAnnotations, Icon, Role};
pub use database::{DatabaseTls, TlsMode};
pub use files::{EditAction, FileAction, FileSet, FilesAction, SearchAction, WriteAction, WriteMode};
pub use graphql::{GraphqlAction, GraphqlSource};
pub use http::HttpAction;
pub use import::Import;
pub use limits::Limits;
pub use lists::{CacheScope, ListHints, Lists, ToolMode};
pub use mcp::{McpAction, McpCommand, McpServer, McpSource};
pub use paginate::Paginate;
pub use partials::{Fragments, Partial, Paths};
pub use prompt::{Argument, Data, Message, Prompt};
pub use property::Property;
pub use requires::Requires;
pub use resource::{Members, Resource, Subscribe};
pub use shape::{Form, FormWord, Shape};
pub use source::{Source, SqlSource};
pub use sql::{Isolation, Layout, Returns, SqlAction};
pub use steps::Step;
pub use tables::{Expose, TablesAction, TablesReturns};
pub use tasks::LongRunning;
pub use tool::{Tool, ToolAnnotations};

use super::describe::Book;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Kind, Node};
use super::read::{At, FromNode, Named, Required, record, refuse};
use super::source::{Span, Spanned};
use super::text::Text;
use serde_json::{Value, json};

/// A string and its place.
pub type Str = Spanned<String>;

record! {
    /// A whole spec.
    pub struct Document as "spec" {
        /// Version of the language: 1.
        /// Example: `1`
        "mcpDeclare" => version: Option<Version>,
        /// Other files that belong to the spec, by path or glob.
        /// Example: `['tools/*.yaml']`
        "include" => include: Option<Node>,
        /// Markdown files with a prompt each, by path or glob; added to the prompts before the document is read.
        /// Example: `['prompts/*.md']`
        "promptFiles" => prompt_files: Option<Paths>,
        /// Who the server says it is.
        /// Example: `{ name: bookshop, version: 1.0.0 }`
        "server" => server: Required<Server>,
        /// Connections that actions use, by name: databases and APIs.
        /// Example: `{ shop: { sql: 'sqlite:./bookshop.db' } }`
        "sources" => sources: Named<Source>,
        /// Descriptions that tools and resources are made of.
        /// Example: `[{ openapi: ./api.json, prefix: api_ }]`
        "import" => import: Option<Vec<Import>>,
        /// What every action takes that does not say otherwise.
        /// Example: `{ timeout: 10s, maxRows: 500 }`
        "defaults" => defaults: Option<Defaults>,
        /// Handlebars fragments, by name or by their files: `{{> name}}`.
        /// Example: `{ greeting: 'Dear {{name}},' }`
        "partials" => partials: Fragments,
        /// What clients see of the tools: all of them, or three that find, describe and call them.
        /// Example: `search`
        "toolMode" => tool_mode: Option<Spanned<ToolMode>>,
        /// MCP tools, by name.
        /// Example: `{ find_books: { description: Find books., sql: { source: shop, query: 'SELECT * FROM books' } } }`
        "tools" => tools: Named<Tool>,
        /// MCP resources and resource templates; a key is a URI or a URI template.
        /// Example: `{ 'shop://terms': { name: terms, file: ./terms.md } }`
        "resources" => resources: Named<Resource>,
        /// Folders that are served as resources.
        /// Example: `{ manuals: { root: ./manuals, search: true } }`
        "files" => files: Named<FileSet>,
        /// MCP prompts, by name.
        /// Example: `{ recommend: { arguments: { taste: { required: true } }, template: 'Recommend a book on {{taste}}.' } }`
        "prompts" => prompts: Named<Prompt>,
        /// What the spec expects of itself, by name; run by `mcp-declare test`.
        /// Example: `{ finds_dune: { call: find_books, with: { words: Dune }, expect: { rows: [{ title: Dune }] } } }`
        "tests" => tests: Named<TestCase>,
    }
}

/// The version of the language that a spec is written in: 1 is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version;

impl FromNode for Version {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let version = Spanned::<u64>::from_node(node, at, sink)?;
        if version.value != 1 {
            let words = format!("version {} of the language is not known here", version.value);
            sink.push(Diagnostic::error(Code::BadValue, version.span, words).label("the latest is 1"));
        }
        Some(Version)
    }

    fn schema(_: &mut Book) -> Value {
        json!({ "type": "integer", "enum": [1] })
    }
}

record! {
    /// MCP's `Implementation` and `instructions`.
    pub struct Server as "server" {
        /// The server's name: the one key that every spec has.
        /// Example: `bookshop`
        "name" => name: Required<Spanned<Text>>,
        /// A name for people to read.
        /// Example: `The Bookshop`
        "title" => title: Option<Spanned<Text>>,
        /// The version of what is offered; `0.0.0` by default.
        /// Example: `1.0.0`
        "version" => version: Option<Spanned<Text>>,
        /// What the server is for.
        /// Example: `Books, orders and terms of a small shop.`
        "description" => description: Option<Spanned<Text>>,
        /// What a model should know before it uses anything here.
        /// Example: `Search before you order. Prices are in euro.`
        "instructions" => instructions: Option<Spanned<Text>>,
        /// Where people read more.
        /// Example: `https://example.com/shop`
        "websiteUrl" => website_url: Option<Spanned<Text>>,
        /// MCP's icons.
        /// Example: `[{ src: 'https://example.com/book.png', mimeType: image/png, sizes: [48x48] }]`
        "icons" => icons: Option<Vec<Icon>>,
        /// How the lists are given out.
        /// Example: `{ pageSize: 100, ttlMs: 60000 }`
        "lists" => lists: Option<Lists>,
    }
}

record! {
    /// Limits for actions that name none of their own.
    pub struct Defaults as "defaults" {
        ..limits: Limits,
        /// For commands that have none of their own.
        /// Example: `{ network: false }`
        "sandbox" => sandbox: Option<Sandbox>,
    }
}

impl Document {
    /// Reads a whole spec's tree. `None` if it is no map; all else is reported and left out.
    pub fn read(root: &Node, sink: &mut Diagnostics) -> Option<Document> {
        match root.kind {
            Kind::Map(_) => {
                let start = Span { end: root.span.start, ..root.span };
                let mut document = Document::from_node(root, At::place(start), sink)?;
                document.expand_sets(sink);
                Some(document)
            }
            Kind::Null => {
                let found = Diagnostic::error(Code::MissingKey, root.span, "the spec is empty");
                let least = "the least that a spec needs is `server: { name: … }` and a tool, resource or prompt";
                sink.push(found.help(least));
                None
            }
            _ => {
                refuse(root, "a map with the keys of a spec", sink, |found| found);
                None
            }
        }
    }
}
