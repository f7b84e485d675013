//! The spec exactly as written: one record for each map of the language, one field for each key.

pub mod action;
pub mod api;
pub mod around;
pub mod case;
pub mod command;
pub mod content;
pub mod database;
pub mod files;
pub mod graphql;
pub mod import;
pub mod lists;
pub mod mcp;
pub mod paginate;
pub mod partials;
mod property;
mod sets;
pub mod source;
pub mod steps;
pub mod tables;
pub mod tasks;

pub use action::{Action, ContentAction, HttpAction, Isolation, Layout, Returns, SqlAction};
pub use api::{Auth, HttpSource};
pub use around::Around;
pub use case::TestCase;
pub use command::{ExecAction, Sandbox, ShellAction, Stdin};
pub use content::{Block, BlockKind, ContentAnnotations, Icon, Role, Theme};
pub use database::{DatabaseTls, TlsMode};
pub use files::{EditAction, FileAction, FileSet, FilesAction, SearchAction, WriteAction, WriteMode};
pub use graphql::{GraphqlAction, GraphqlSource};
pub use import::Import;
pub use lists::{CacheScope, ListHints, Lists, ToolMode};
pub use mcp::{McpAction, McpCommand, McpServer, McpSource};
pub use paginate::Paginate;
pub use partials::{Fragments, Partial, Paths};
pub use property::Property;
pub use source::{Source, SqlSource};
pub use steps::{Requires, Step};
pub use tables::{Expose, TablesAction, TablesReturns};
pub use tasks::LongRunning;

use super::describe::{Book, any_of};
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Kind, Node};
use super::read::{At, Bytes, Choice, FromNode, Named, Required, Written, record, refuse};
use super::source::{Span, Spanned};
use super::text::Text;
use serde_json::{Value, json};
use std::time::Duration;

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
        /// How long a call may take: `250ms`, `5s`, `2m`.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Rows that an answer has at most; it says so when there were more.
        /// Example: `200`
        "maxRows" => max_rows: Option<Spanned<u64>>,
        /// Bytes that an answer has at most; it says so when there were more.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// For commands that have none of their own.
        /// Example: `{ network: false }`
        "sandbox" => sandbox: Option<Sandbox>,
    }
}

record! {
    /// An MCP tool.
    pub struct Tool as "tool" {
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// Name → JSON Schema, or a type's name.
        /// Example: `{ words: { type: string, minLength: 2 }, limit: { type: integer, default: 20 } }`
        "params" => params: Named<Property>,
        /// In place of `params`: the whole JSON Schema (2020-12) of the arguments.
        /// Example: `{ type: object, properties: { words: { type: string } }, required: [words] }`
        "inputSchema" => input_schema: Option<Node>,
        /// The JSON Schema (2020-12) that structured answers satisfy; inferred where it can be.
        /// Example: `{ type: object, properties: { rows: { type: array } } }`
        "outputSchema" => output_schema: Option<Node>,
        /// MCP's hints of what the tool does; inferred where they can be.
        /// Example: `{ readOnlyHint: true }`
        "annotations" => annotations: Option<ToolAnnotations>,
        /// MCP's icons.
        /// Example: `[{ src: 'https://example.com/book.png', mimeType: image/png, sizes: [48x48] }]`
        "icons" => icons: Option<Vec<Icon>>,
        /// MCP's `_meta`, passed on as it is.
        /// Example: `{ 'example.com/team': shop }`
        "_meta" => meta: Option<Node>,
        /// Client capabilities that it can't do without.
        /// Example: `{ sampling: {} }`
        "requires" => requires: Option<Requires>,
        /// Handlebars: what the user has to say yes to first.
        /// Example: `'Delete book {{id}}?'`
        "confirm" => confirm: Option<Str>,
        /// Whether its calls become tasks, for clients that know tasks.
        /// Example: `true`
        "longRunning" => long_running: Option<Spanned<LongRunning>>,
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// MCP's `ToolAnnotations`.
    pub struct ToolAnnotations as "annotations" {
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// Whether it changes nothing.
        /// Example: `true`
        "readOnlyHint" => read_only_hint: Option<Spanned<bool>>,
        /// Whether what it changes may be lost.
        /// Example: `false`
        "destructiveHint" => destructive_hint: Option<Spanned<bool>>,
        /// Whether calling it again with the same arguments changes nothing more.
        /// Example: `true`
        "idempotentHint" => idempotent_hint: Option<Spanned<bool>>,
        /// Whether it reaches beyond a closed set of things, as a search of the web does.
        /// Example: `false`
        "openWorldHint" => open_world_hint: Option<Spanned<bool>>,
    }
}

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

record! {
    /// An MCP resource or resource template.
    pub struct Resource as "resource" {
        /// Its name.
        /// Example: `book`
        "name" => name: Option<Str>,
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// The media type (RFC 6838) of the contents.
        /// Example: `application/json`
        "mimeType" => mime_type: Option<Str>,
        /// The variables of the URI template: name → JSON Schema, or a type's name.
        /// Example: `{ id: integer }`
        "params" => params: Named<Property>,
        /// Completions of the URI's variables, by name.
        /// Example: `{ author: { values: [Herbert, Le Guin] } }`
        "complete" => complete: Named<Complete>,
        /// The members of a template that `resources/list` has.
        /// Example: `{ sql: { source: shop, query: 'SELECT id, title AS name FROM books' } }`
        "list" => list: Option<Members>,
        /// How changes are noticed while a client is subscribed.
        /// Example: `{ poll: 30s }`
        "subscribe" => subscribe: Option<Subscribe>,
        /// How long a client may keep the contents, in milliseconds.
        /// Example: `60000`
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        /// Who may be given an answer that was kept: anybody, or only who asked.
        /// Example: `public`
        "cacheScope" => cache_scope: Option<Spanned<CacheScope>>,
        /// For whom it is, and how much it matters.
        /// Example: `{ audience: [assistant], priority: 0.5 }`
        "annotations" => annotations: Option<ContentAnnotations>,
        /// MCP's icons.
        /// Example: `[{ src: 'https://example.com/book.png', mimeType: image/png, sizes: [48x48] }]`
        "icons" => icons: Option<Vec<Icon>>,
        /// MCP's `_meta`, passed on as it is.
        /// Example: `{ 'example.com/team': shop }`
        "_meta" => meta: Option<Node>,
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// An action whose rows are the members of a resource template: the URI's variables, and MCP's `name`, `title`,
    /// `description`, `mimeType`, `size`.
    pub struct Members as "list" {
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// How changes of a resource are noticed.
    pub struct Subscribe as "subscribe" {
        /// How often it is read while somebody is subscribed.
        /// Example: `30s`
        "poll" => poll: Option<Spanned<Duration>>,
        /// A file whose change is one of the resource.
        /// Example: `./shop.db`
        "file" => file: Option<Str>,
    }
}

record! {
    /// Where completions of an argument or variable come from: written out, or an action that sees `value`, what was
    /// typed, and the other arguments.
    pub struct Complete as "complete" {
        /// Written out.
        /// Example: `[title, price]`
        "values" => values: Option<Required<Vec<Str>>>,
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    optional action => action
}

record! {
    /// An MCP prompt.
    pub struct Prompt as "prompt" {
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// MCP's icons.
        /// Example: `[{ src: 'https://example.com/book.png', mimeType: image/png, sizes: [48x48] }]`
        "icons" => icons: Option<Vec<Icon>>,
        /// MCP's `_meta`, passed on as it is.
        /// Example: `{ 'example.com/team': shop }`
        "_meta" => meta: Option<Node>,
        /// What the prompt takes, by name; MCP's `PromptArgument`.
        /// Example: `{ taste: { description: What the reader likes, required: true } }`
        "arguments" => arguments: Named<Argument>,
        /// Actions that run first; their outcomes have names in the messages.
        /// Example: `{ books: { sql: { source: shop, query: 'SELECT title FROM books' } } }`
        "data" => data: Named<Data>,
        /// How long all of `data` may take.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// MCP's messages, one after another.
        /// Example: `[{ role: user, text: 'Recommend a book on {{taste}}.' }]`
        "messages" => messages: Option<Written<Vec<Written<Message>>>>,
        /// In place of `messages`: the text of one message of the user.
        /// Example: `'Recommend a book on {{taste}}.'`
        "template" => template: Option<Written<Str>>,
        /// In place of `messages`: those of another MCP server's prompt.
        /// Example: `{ source: github, prompt: review }`
        "mcp" => mcp: Option<Required<McpAction>>,
    }
}

record! {
    /// MCP's `PromptArgument`.
    pub struct Argument as "argument" {
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// Whether it has to be given.
        /// Example: `true`
        "required" => required: Option<Spanned<bool>>,
        /// What it is where it was not given.
        /// Example: `fantasy`
        "default" => default: Option<Node>,
        /// JSON Schema's; the argument's text is converted to it.
        /// Example: `integer`
        "type" => kind: Option<Str>,
        /// JSON Schema's; completes itself.
        /// Example: `[fantasy, history]`
        "enum" => allowed: Option<Vec<Node>>,
        /// Where completions come from.
        /// Example: `{ values: [fantasy, history] }`
        "complete" => complete: Option<Complete>,
    }
}

record! {
    /// A named action of a prompt.
    pub struct Data as "data entry" {
        /// How the outcome becomes the answer.
        /// Example: `{ jq: '.items' }`
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// MCP's `PromptMessage`, with one of `text`, `resource`, `image`, `audio`, `file`, `content`.
    pub struct Message as "message" {
        /// Who says it.
        /// Example: `user`
        "role" => role: Required<Spanned<Role>>,
        /// What is said; handlebars.
        /// Example: `'Recommend a book on {{taste}}.'`
        "text" => text: Option<Str>,
        /// The URI of a resource of this server, handlebars allowed; embedded with its contents.
        /// Example: `'shop://books/{{id}}'`
        "resource" => resource: Option<Str>,
        /// An image file.
        /// Example: `./cover.png`
        "image" => image: Option<Str>,
        /// A file with a sound.
        /// Example: `./voice.wav`
        "audio" => audio: Option<Str>,
        /// A text file.
        /// Example: `./terms.md`
        "file" => file: Option<Str>,
        /// A content block written out.
        /// Example: `{ type: text, text: Hello }`
        "content" => content: Option<Block>,
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
