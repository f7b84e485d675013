//! `import`: tools and resources that somebody else's description stands for.

use super::Str;
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Foreign, FromNode, Required, record};
use crate::spec::source::Spanned;

record! {
    /// One description.
    pub struct Import as "import" {
        /// The file or URL of an OpenAPI 3.0, 3.1 or Swagger 2.0 description.
        "openapi" => openapi: Required<Str>,
        /// The http source that the tools use; without, one is made of the description's servers and security schemes.
        "source" => source: Option<Str>,
        /// Which operations are taken; all without it.
        "include" => include: Option<Selection>,
        /// Which of them are not.
        "exclude" => exclude: Option<Selection>,
        /// Begins the names of the tools.
        "prefix" => prefix: Option<Str>,
        /// `operationId`, or `METHOD /path` → the tool's name.
        "rename" => rename: Foreign<Str>,
        /// A tool's name → keys of the tool that are added or written over.
        "override" => overrides: Foreign<Node>,
        /// GETs that become resources.
        "asResource" => as_resource: Option<AsResource>,
        /// Whether the tools promise what the description says of answers; yes without it.
        "outputSchemas" => output_schemas: Option<Spanned<bool>>,
    }
}

record! {
    /// Operations by what they are; `*` stands for any characters but `/`, `**` for any.
    pub struct Selection as "selection" {
        "tags" => tags: Option<Vec<Str>>,
        "paths" => paths: Option<Vec<Str>>,
        "methods" => methods: Option<Vec<Str>>,
        /// Of `operationId`s.
        "operations" => operations: Option<Vec<Str>>,
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
}
