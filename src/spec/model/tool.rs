//! `tools`, as written.

use super::{Icon, LongRunning, Property, Requires, Shape, Str};
use crate::spec::node::Node;
use crate::spec::read::{Named, record};
use crate::spec::source::Spanned;

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
