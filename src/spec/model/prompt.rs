//! `prompts`, as written.

use std::time::Duration;

use super::{Block, Complete, Icon, McpAction, Role, Shape, Str};
use crate::spec::node::Node;
use crate::spec::read::{Named, Required, Written, record};
use crate::spec::source::Spanned;

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
