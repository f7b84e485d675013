//! The spec exactly as written: one record for each map of the language, one field for each key.

pub mod action;
pub mod api;
pub mod command;
pub mod content;
pub mod database;
pub mod files;
pub mod import;
pub mod lists;
pub mod paginate;
mod sets;
pub mod source;
pub mod steps;
pub mod tables;
pub mod tasks;

pub use action::{Action, ContentAction, HttpAction, Isolation, Layout, Returns, SqlAction};
pub use api::{Auth, HttpSource};
pub use command::{ExecAction, Sandbox, ShellAction, Stdin};
pub use content::{Block, BlockKind, ContentAnnotations, Icon, Role, Theme};
pub use database::{DatabaseTls, TlsMode};
pub use files::{EditAction, FileAction, FileSet, FilesAction, SearchAction, WriteAction, WriteMode};
pub use import::Import;
pub use lists::{CacheScope, ListHints, Lists};
pub use paginate::Paginate;
pub use source::{Source, SqlSource};
pub use steps::{Requires, Step};
pub use tables::{Expose, TablesAction, TablesReturns};
pub use tasks::LongRunning;

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Kind, Node};
use super::read::{At, Bytes, FromNode, Named, Required, Written, record, refuse};
use super::source::{Span, Spanned};
use super::text::Text;
use std::time::Duration;

/// A string and its place.
pub type Str = Spanned<String>;

record! {
    /// A whole spec.
    pub struct Document as "spec" {
        /// Version of the language: 1.
        "mcpDeclare" => version: Option<Version>,
        /// Other files that belong to the spec; resolved before the document is read.
        "include" => include: Option<Node>,
        /// Who the server says it is.
        "server" => server: Required<Server>,
        /// Connections that actions use.
        "sources" => sources: Named<Source>,
        /// Descriptions of APIs that tools and resources are made of.
        "import" => import: Option<Vec<Import>>,
        /// What every action takes that does not say otherwise.
        "defaults" => defaults: Option<Defaults>,
        /// Handlebars fragments.
        "partials" => partials: Named<Partial>,
        /// MCP tools.
        "tools" => tools: Named<Tool>,
        /// MCP resources and resource templates; a key is a URI or a URI template.
        "resources" => resources: Named<Resource>,
        /// Folders that are served as resources.
        "files" => files: Named<FileSet>,
        /// MCP prompts.
        "prompts" => prompts: Named<Prompt>,
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
}

record! {
    /// MCP's `Implementation` and `instructions`.
    pub struct Server as "server" {
        "name" => name: Required<Spanned<Text>>,
        "title" => title: Option<Spanned<Text>>,
        "version" => version: Option<Spanned<Text>>,
        "description" => description: Option<Spanned<Text>>,
        "instructions" => instructions: Option<Spanned<Text>>,
        "websiteUrl" => website_url: Option<Spanned<Text>>,
        "icons" => icons: Option<Vec<Icon>>,
        /// How the lists are given out.
        "lists" => lists: Option<Lists>,
    }
}

record! {
    /// Limits for actions that name none of their own.
    pub struct Defaults as "defaults" {
        "timeout" => timeout: Option<Spanned<Duration>>,
        "maxRows" => max_rows: Option<Spanned<u64>>,
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// For commands that have none of their own.
        "sandbox" => sandbox: Option<Sandbox>,
    }
}

/// A handlebars fragment: its text, or the file that holds it.
#[derive(Debug, Clone)]
pub enum Partial {
    /// Written out.
    Text(Str),
    /// In a file.
    File(Str),
}

record! {
    /// `{ file: … }`
    pub struct PartialFile as "partial" {
        "file" => file: Required<Str>,
    }
}

impl FromNode for Partial {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => PartialFile::from_node(node, at, sink)?.file.0.map(Partial::File),
            _ => Str::from_node(node, at, sink).map(Partial::Text),
        }
    }
}

record! {
    /// An MCP tool.
    pub struct Tool as "tool" {
        "title" => title: Option<Str>,
        "description" => description: Option<Str>,
        /// Name → JSON Schema, or a type's name.
        "params" => params: Named<Node>,
        /// In place of `params`.
        "inputSchema" => input_schema: Option<Node>,
        "outputSchema" => output_schema: Option<Node>,
        "annotations" => annotations: Option<ToolAnnotations>,
        "icons" => icons: Option<Vec<Icon>>,
        "_meta" => meta: Option<Node>,
        /// Client capabilities that it can't do without.
        "requires" => requires: Option<Requires>,
        /// Handlebars: what the user has to say yes to first.
        "confirm" => confirm: Option<Str>,
        /// Whether its calls become tasks, for clients that know tasks.
        "longRunning" => long_running: Option<Spanned<LongRunning>>,
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// MCP's `ToolAnnotations`.
    pub struct ToolAnnotations as "annotations" {
        "title" => title: Option<Str>,
        "readOnlyHint" => read_only_hint: Option<Spanned<bool>>,
        "destructiveHint" => destructive_hint: Option<Spanned<bool>>,
        "idempotentHint" => idempotent_hint: Option<Spanned<bool>>,
        "openWorldHint" => open_world_hint: Option<Spanned<bool>>,
    }
}

record! {
    /// How an action's outcome becomes the answer.
    pub struct Shape as "result" {
        /// A jq program over the JSON.
        "jq" => jq: Option<Str>,
        /// Handlebars over the shaped JSON: the words that the model reads.
        "text" => text: Option<Str>,
        /// What the answer's bytes are.
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

impl FormWord {
    const NAMES: [(&'static str, FormWord); 11] = [
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
        "columns" => columns: Required<Str>,
    }
}

impl FromNode for Form {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => ColumnsForm::from_node(node, at, sink)?.columns.0.map(Form::Columns),
            _ => choice(node, at, &FormWord::NAMES, sink).map(|word| Form::Word(word.value)),
        }
    }
}

/// Reads a word that is one of a few.
pub fn choice<T: Copy>(node: &Node, at: At<'_>, words: &[(&str, T)], sink: &mut Diagnostics) -> Option<Spanned<T>> {
    let word = Str::from_node(node, at, sink)?;
    let found = words.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let message = format!("`{}` is not one of {}", word.value, super::read::list_names(&names));
        sink.push(Diagnostic::error(Code::BadValue, word.span, message).nearest(&word.value, names));
    }
    found.map(|(_, value)| Spanned::new(*value, word.span))
}

record! {
    /// An MCP resource or resource template.
    pub struct Resource as "resource" {
        "name" => name: Option<Str>,
        "title" => title: Option<Str>,
        "description" => description: Option<Str>,
        "mimeType" => mime_type: Option<Str>,
        /// The variables of the URI template: name → JSON Schema, or a type's name.
        "params" => params: Named<Node>,
        "complete" => complete: Named<Complete>,
        /// The members of a template that `resources/list` has.
        "list" => list: Option<Members>,
        /// How changes are noticed while a client is subscribed.
        "subscribe" => subscribe: Option<Subscribe>,
        /// How long a client may keep the contents, in milliseconds.
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        "cacheScope" => cache_scope: Option<Spanned<CacheScope>>,
        "annotations" => annotations: Option<ContentAnnotations>,
        "icons" => icons: Option<Vec<Icon>>,
        "_meta" => meta: Option<Node>,
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// An action whose rows are the members of a resource template: the URI's variables, and MCP's `name`, `title`,
    /// `description`, `mimeType`, `size`.
    pub struct Members as "list" {
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// How changes of a resource are noticed.
    pub struct Subscribe as "subscribe" {
        /// How often it is read while somebody is subscribed.
        "poll" => poll: Required<Spanned<Duration>>,
    }
}

record! {
    /// Where completions of an argument or variable come from: written out, or an action that sees `value`, what was
    /// typed, and the other arguments.
    pub struct Complete as "complete" {
        /// Written out.
        "values" => values: Option<Required<Vec<Str>>>,
        "result" => result: Option<Shape>,
    }
    optional action => action
}

record! {
    /// An MCP prompt.
    pub struct Prompt as "prompt" {
        "title" => title: Option<Str>,
        "description" => description: Option<Str>,
        "icons" => icons: Option<Vec<Icon>>,
        "_meta" => meta: Option<Node>,
        "arguments" => arguments: Named<Argument>,
        /// Actions that run first; their outcomes have names in the messages.
        "data" => data: Named<Data>,
        "messages" => messages: Option<Written<Vec<Written<Message>>>>,
        /// In place of `messages`: the text of one message of the user.
        "template" => template: Option<Written<Str>>,
    }
}

record! {
    /// MCP's `PromptArgument`.
    pub struct Argument as "argument" {
        "title" => title: Option<Str>,
        "description" => description: Option<Str>,
        "required" => required: Option<Spanned<bool>>,
        "default" => default: Option<Node>,
        /// JSON Schema's; the argument's text is converted to it.
        "type" => kind: Option<Str>,
        /// JSON Schema's; completes itself.
        "enum" => allowed: Option<Vec<Node>>,
        "complete" => complete: Option<Complete>,
    }
}

record! {
    /// A named action of a prompt.
    pub struct Data as "data entry" {
        "result" => result: Option<Shape>,
    }
    action => action
}

record! {
    /// MCP's `PromptMessage`, with one of `text`, `resource`, `image`, `file`, `content`.
    pub struct Message as "message" {
        "role" => role: Required<Spanned<Role>>,
        /// Handlebars.
        "text" => text: Option<Str>,
        /// The URI of a resource of this server, handlebars allowed; embedded with its contents.
        "resource" => resource: Option<Str>,
        /// An image file.
        "image" => image: Option<Str>,
        /// A text file.
        "file" => file: Option<Str>,
        /// A content block written out.
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
