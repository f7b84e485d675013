//! Other MCP servers: the source of kind `mcp`, and the action that uses one.

use serde_json::Value;
use std::time::Duration;

use super::api::{Auth, Tls};
use super::{Around, Sandbox, Str};
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Bytes, Foreign, FromNode, Required, record, refuse};
use crate::spec::source::Spanned;
use crate::spec::text::Text;

record! {
    /// Another MCP server.
    pub struct McpSource as "source" {
        /// A command that speaks MCP over stdio, or the URL of one that speaks it over HTTP.
        /// Example: `https://mcp.example.com/mcp`
        "mcp" => server: Required<McpServer>,
        /// Sent with every HTTP request.
        /// Example: `{ X-Team: blue }`
        "headers" => headers: Foreign<Spanned<Text>>,
        /// How HTTP requests are authorized.
        /// Example: `{ bearer: '${MCP_TOKEN}' }`
        "auth" => auth: Option<Auth>,
        /// How TLS connections are made.
        /// Example: `{ ca: ./ca.pem }`
        "tls" => tls: Option<Tls>,
        /// How long the server may take to be ready, and a call that does not say otherwise.
        /// Example: `20s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Calls at the same time; the others wait.
        /// Example: `8`
        "concurrency" => concurrency: Option<Spanned<u64>>,
        /// The largest message of the server that is read.
        /// Example: `4MiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        /// Whether the spec is sound where the server can't be had.
        /// Example: `true`
        "optional" => optional: Option<Spanned<bool>>,
        /// Whether a server that can't be reached is an error, also when serving.
        /// Example: `true`
        "required" => required: Option<Spanned<bool>>,
    }
}

/// Where the server is.
#[derive(Debug, Clone)]
pub enum McpServer {
    /// A process of ours.
    Command(Box<McpCommand>),
    /// Somewhere else.
    Url(Spanned<Text>),
}

record! {
    /// A command that speaks MCP over stdio.
    pub struct McpCommand as "mcp server" {
        /// The argv; each element is one argument.
        /// Example: `[npx, '-y', '@modelcontextprotocol/server-memory']`
        "command" => command: Required<Vec<Str>>,
        /// Environment variables, beside those that every command sees.
        /// Example: `{ API_KEY: '${API_KEY}' }`
        "env" => env: Foreign<Spanned<Text>>,
        /// The working folder; the spec's without it.
        /// Example: `../bookshop`
        "cwd" => cwd: Option<Spanned<Text>>,
        /// What it can't do.
        /// Example: `{ network: false }`
        "sandbox" => sandbox: Option<Sandbox>,
    }
}

impl FromNode for McpServer {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::String(_) => Spanned::<Text>::from_node(node, at, sink).map(McpServer::Url),
            Kind::Map(_) => {
                let mut read = McpCommand::from_node(node, at, sink)?;
                // Without an element that is at fault it would be another command.
                if let Some(Kind::List(written)) = node.get("command").map(|entry| &entry.value.kind) {
                    read.command.0 = read.command.0.filter(|elements| elements.len() == written.len());
                }
                Some(McpServer::Command(Box::new(read)))
            }
            _ => {
                let label = "`mcp: https://host/mcp`, or `mcp: { command: [program, argument] }`";
                refuse(node, "a URL or a map with a `command`", sink, |found| found.label(label));
                None
            }
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Spanned::<Text>::schema(book), McpCommand::schema(book)])
    }
}

record! {
    /// A tool, resource or prompt of another MCP server: one of the three.
    pub struct McpAction as "mcp action" {
        /// The source of kind `mcp`.
        /// Example: `github`
        "source" => source: Required<Str>,
        /// The name of one of its tools.
        /// Example: `search_issues`
        "tool" => tool: Option<Str>,
        /// A URI template over the params.
        /// Example: `'shop://books/{id}'`
        "resource" => resource: Option<Str>,
        /// The name of one of its prompts.
        /// Example: `review`
        "prompt" => prompt: Option<Str>,
        /// In a completion: what of the prompt, or of the resource's template, is completed.
        /// Example: `taste`
        "argument" => argument: Option<Str>,
        /// The arguments of the tool or prompt: all that the action sees, without it. A string that is exactly
        /// `"{{name}}"` keeps the value's type.
        /// Example: `{ query: '{{words}}', limit: 5 }`
        "with" => with: Option<Node>,
        /// How long a call may take.
        /// Example: `10s`
        "timeout" => timeout: Option<Spanned<Duration>>,
        /// Bytes that an answer may have.
        /// Example: `64KiB`
        "maxBytes" => max_bytes: Option<Spanned<Bytes>>,
        ..around: Box<Around>,
    }
}
