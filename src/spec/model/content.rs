//! MCP's content blocks and what describes them, as written.

use super::{Str, choice};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{At, FromNode, Required, record};
use crate::spec::source::Spanned;

record! {
    /// MCP's `ContentBlock`. What it shows comes from `data` or from an action: `text: …` and `file: …` are the usual
    /// ones.
    pub struct Block as "content block" {
        "type" => kind: Required<Spanned<BlockKind>>,
        /// Base64, templates allowed.
        "data" => data: Option<Str>,
        "mimeType" => mime_type: Option<Str>,
        "uri" => uri: Option<Str>,
        "name" => name: Option<Str>,
        "title" => title: Option<Str>,
        "description" => description: Option<Str>,
        "size" => size: Option<Spanned<u64>>,
        "icons" => icons: Option<Vec<Icon>>,
        "annotations" => annotations: Option<ContentAnnotations>,
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

impl BlockKind {
    const NAMES: [(&'static str, BlockKind); 5] = [
        ("text", BlockKind::Text),
        ("image", BlockKind::Image),
        ("audio", BlockKind::Audio),
        ("resource", BlockKind::Resource),
        ("resource_link", BlockKind::ResourceLink),
    ];

    /// MCP's word.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl FromNode for Spanned<BlockKind> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &BlockKind::NAMES, sink)
    }
}

record! {
    /// MCP's `Annotations`.
    pub struct ContentAnnotations as "annotations" {
        "audience" => audience: Option<Vec<Spanned<Role>>>,
        "priority" => priority: Option<Node>,
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

impl Role {
    const NAMES: [(&'static str, Role); 2] = [("user", Role::User), ("assistant", Role::Assistant)];

    /// MCP's word.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

impl FromNode for Spanned<Role> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &Role::NAMES, sink)
    }
}

record! {
    /// MCP's `Icon`.
    pub struct Icon as "icon" {
        "src" => src: Required<Str>,
        "mimeType" => mime_type: Option<Str>,
        "sizes" => sizes: Option<Vec<Str>>,
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

impl Theme {
    const NAMES: [(&'static str, Theme); 2] = [("light", Theme::Light), ("dark", Theme::Dark)];

    /// MCP's word.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, theme)| *theme == self).map_or("", |(name, _)| name)
    }
}

impl FromNode for Spanned<Theme> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &Theme::NAMES, sink)
    }
}
