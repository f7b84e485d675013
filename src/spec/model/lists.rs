//! How lists are given out: in pages, and how long clients may keep them.

use super::choice;
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{At, FromNode, record};
use crate::spec::source::Spanned;

record! {
    /// What holds for all lists, and for some of them alone.
    pub struct Lists as "lists" {
        /// Entries of a page, 1 or more.
        "pageSize" => page_size: Option<Spanned<u64>>,
        /// How long a client may keep a list, in milliseconds.
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        "cacheScope" => cache_scope: Option<Spanned<CacheScope>>,
        "tools" => tools: Option<ListHints>,
        "resources" => resources: Option<ListHints>,
        "resourceTemplates" => templates: Option<ListHints>,
        "prompts" => prompts: Option<ListHints>,
    }
}

record! {
    /// What holds for one list.
    pub struct ListHints as "list's hints" {
        "pageSize" => page_size: Option<Spanned<u64>>,
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        "cacheScope" => cache_scope: Option<Spanned<CacheScope>>,
    }
}

/// Who may be given an answer that was kept: MCP's `cacheScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// Anybody.
    Public,
    /// Only whoever asked.
    Private,
}

impl FromNode for Spanned<CacheScope> {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        choice(node, at, &[("public", CacheScope::Public), ("private", CacheScope::Private)], sink)
    }
}
