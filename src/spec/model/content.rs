//! MCP's content blocks and what describes them, as written.

use super::Str;
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Choice, FromNode, Required, record};
use crate::spec::source::{Span, Spanned};

record! {
    /// MCP's `ContentBlock`. What it shows comes from `data` or from an action: `text: …` and `file: …` are the usual
    /// ones.
    pub struct Block as "content block" {
        /// MCP's kind of content.
        /// Example: `text`
        "type" => kind: Required<Spanned<BlockKind>>,
        /// Base64, templates allowed.
        /// Example: `'{{image}}'`
        "data" => data: Option<Str>,
        /// The media type (RFC 6838) of the contents.
        /// Example: `application/json`
        "mimeType" => mime_type: Option<Str>,
        /// The URI of the resource.
        /// Example: `shop://terms`
        "uri" => uri: Option<Str>,
        /// The resource's name.
        /// Example: `terms`
        "name" => name: Option<Str>,
        /// A name for people to read.
        /// Example: `Find books`
        "title" => title: Option<Str>,
        /// What it is for, in the words that the model or the user reads.
        /// Example: `Find books whose title contains the given words.`
        "description" => description: Option<Str>,
        /// The resource's size in bytes.
        /// Example: `1024`
        "size" => size: Option<Spanned<u64>>,
        /// MCP's icons.
        /// Example: `[{ src: 'https://example.com/book.png', mimeType: image/png, sizes: [48x48] }]`
        "icons" => icons: Option<Vec<Icon>>,
        /// For whom the block is, and how much it matters.
        /// Example: `{ audience: [user], priority: 0.8 }`
        "annotations" => annotations: Option<ContentAnnotations>,
        /// MCP's `_meta`, passed on as it is.
        /// Example: `{ 'example.com/team': shop }`
        "_meta" => meta: Option<Node>,
    }
    optional action => action
}

/// MCP's five kinds of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Words.
    Text,
    /// An image.
    Image,
    /// A sound.
    Audio,
    /// A resource with its contents.
    Resource,
    /// A resource that the client may read.
    ResourceLink,
}

impl Choice for BlockKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("text", BlockKind::Text),
        ("image", BlockKind::Image),
        ("audio", BlockKind::Audio),
        ("resource", BlockKind::Resource),
        ("resource_link", BlockKind::ResourceLink),
    ];
}

record! {
    /// MCP's `Annotations`.
    pub struct ContentAnnotations as "annotations" {
        /// For whom it is.
        /// Example: `[user, assistant]`
        "audience" => audience: Option<Vec<Spanned<Role>>>,
        /// How much it matters, from 0 to 1.
        /// Example: `0.8`
        "priority" => priority: Option<Node>,
        /// When it was last changed (ISO 8601).
        /// Example: `2026-01-31T12:00:00Z`
        "lastModified" => last_modified: Option<Str>,
    }
}

/// Who says or reads something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Choice for Role {
    const WORDS: &'static [(&'static str, Self)] = &[("user", Role::User), ("assistant", Role::Assistant)];
}

record! {
    /// MCP's `Icon`.
    pub struct Icon as "icon" {
        /// The URL of the icon, or a `data:` URL.
        /// Example: `https://example.com/book.png`
        "src" => src: Required<Str>,
        /// The media type of the icon.
        /// Example: `image/png`
        "mimeType" => mime_type: Option<Str>,
        /// The sizes that it is made for.
        /// Example: `[48x48, any]`
        "sizes" => sizes: Option<Vec<Str>>,
        /// The background that it is made for.
        /// Example: `light`
        "theme" => theme: Option<Spanned<Theme>>,
    }
}

/// The background that an icon is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// A light one.
    Light,
    /// A dark one.
    Dark,
}

impl Choice for Theme {
    const WORDS: &'static [(&'static str, Self)] = &[("light", Theme::Light), ("dark", Theme::Dark)];
}

/// MCP content blocks written out.
#[derive(Debug, Clone)]
pub struct ContentAction {
    /// The place of its key.
    pub at: Span,
    /// The blocks, in order.
    pub blocks: Vec<Block>,
    /// Whether they say what went wrong.
    pub is_error: Option<Spanned<bool>>,
}

impl ContentAction {
    /// A single block may stand without a list around it.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let blocks = match &node.kind {
            Kind::Map(_) => vec![Block::from_node(node, at, sink)?],
            _ => Vec::<Block>::from_node(node, at, sink)?,
        };
        Some(ContentAction { at: at.span, blocks, is_error: None })
    }
}
