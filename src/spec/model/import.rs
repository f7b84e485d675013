//! `import`: tools, resources and prompts that somebody else's description, or another MCP server, stands for.

use super::Str;
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Field, Foreign, FromNode, Required, record};
use crate::spec::source::{Span, Spanned};
use serde_json::Value;

record! {
    /// One description, or one server.
    pub struct Import as "import" {
        /// The file or URL of an OpenAPI 3.0, 3.1 or Swagger 2.0 description.
        /// Example: `./openapi.json`
        "openapi" => openapi: Option<Required<Str>>,
        /// In place of `openapi`: the mcp source whose tools, resources and prompts become this server's.
        /// Example: `github`
        "mcp" => mcp: Option<Required<Str>>,
        /// The http source that the tools use; without, one is made of the description's servers and security schemes.
        /// Example: `api`
        "source" => source: Option<Str>,
        /// Which operations, or which of the server's names, are taken; all without it.
        /// Example: `{ tags: [books], methods: [GET] }`
        "include" => include: Option<Picks>,
        /// Which of them are not.
        /// Example: `[delete_*]`
        "exclude" => exclude: Option<Picks>,
        /// Begins the names of the tools, and of a server's prompts.
        /// Example: `shop_`
        "prefix" => prefix: Option<Str>,
        /// `operationId`, `METHOD /path` or the server's name → the name here.
        /// Example: `{ listBooks: find_books, 'GET /books/{id}': get_book }`
        "rename" => rename: Foreign<Str>,
        /// A tool's name → keys of the tool that are added or written over.
        /// Example: `{ find_books: { description: Find books by title. } }`
        "override" => overrides: Foreign<Node>,
        /// GETs that become resources.
        /// Example: `[getBook]`
        "asResource" => as_resource: Option<AsResource>,
        /// Whether the tools promise what the description says of answers; yes without it.
        /// Example: `false`
        "outputSchemas" => output_schemas: Option<Spanned<bool>>,
    }
}

/// What is taken, or left out.
#[derive(Debug, Clone)]
pub enum Picks {
    /// By kind.
    Kinds(Box<Selection>),
    /// Names of a server's tools and prompts and URIs of its resources, in the patterns of [`Selection`].
    Names {
        /// The place of the list.
        at: Span,
        /// The patterns.
        names: Vec<Str>,
    },
}

impl FromNode for Picks {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(_) => Some(Picks::Names { at: node.span, names: Vec::from_node(node, at, sink)? }),
            _ => Selection::from_node(node, at, sink).map(Box::new).map(Picks::Kinds),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Vec::<Str>::schema(book), Selection::schema(book)])
    }
}

record! {
    /// Operations by what they are, or a server's names by kind; `*` stands for any characters but `/`, `**` for any.
    pub struct Selection as "selection" {
        /// Tags of operations.
        /// Example: `[books]`
        "tags" => tags: Option<Vec<Str>>,
        /// Paths of operations.
        /// Example: `['/books/**']`
        "paths" => paths: Option<Vec<Str>>,
        /// Methods of HTTP.
        /// Example: `[GET, POST]`
        "methods" => methods: Option<Vec<Str>>,
        /// Of `operationId`s.
        /// Example: `['list*']`
        "operations" => operations: Option<Vec<Str>>,
        /// Names of a server's tools.
        /// Example: `['search_*']`
        "tools" => tools: Option<Vec<Str>>,
        /// URIs and URI templates of a server's resources.
        /// Example: `['shop://books/**']`
        "resources" => resources: Option<Vec<Str>>,
        /// Names of a server's prompts.
        /// Example: `[recommend]`
        "prompts" => prompts: Option<Vec<Str>>,
    }
}

/// Operations that become resources: a list of them, or each with its URI template.
#[derive(Debug, Clone)]
pub struct AsResource(pub Vec<(Str, Option<Str>)>);

impl FromNode for AsResource {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let names = Vec::<Str>::from_node(node, at, sink)?;
            return Some(AsResource(names.into_iter().map(|name| (name, None)).collect()));
        };
        let read = |entry: &crate::spec::node::Entry, sink: &mut Diagnostics| {
            Some((entry.key.clone(), Some(Str::from_node(&entry.value, At::key(entry), sink)?)))
        };
        Some(AsResource(entries.iter().filter_map(|entry| read(entry, sink)).collect()))
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Vec::<Str>::schema(book), <Foreign<Str> as Field>::schema(book)])
    }
}
