//! How lists are given out: in pages, and how long clients may keep them.

use crate::spec::read::{Choice, record};
use crate::spec::source::Spanned;

/// What clients see of the tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolMode {
    /// All of them.
    List,
    /// Three that find, describe and call them.
    Search,
}

impl Choice for ToolMode {
    const WORDS: &'static [(&'static str, Self)] = &[("list", ToolMode::List), ("search", ToolMode::Search)];
}

record! {
    /// What holds for all lists, and for some of them alone.
    pub struct Lists as "lists" {
        /// Entries of a page, 1 or more.
        /// Example: `50`
        "pageSize" => page_size: Option<Spanned<u64>>,
        /// How long a client may keep a list, in milliseconds.
        /// Example: `60000`
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        /// Who may be given an answer that was kept: anybody, or only who asked.
        /// Example: `public`
        "cacheScope" => cache_scope: Option<Spanned<CacheScope>>,
        /// What holds for `tools/list` alone.
        /// Example: `{ pageSize: 20 }`
        "tools" => tools: Option<ListHints>,
        /// What holds for `resources/list` alone.
        /// Example: `{ pageSize: 20 }`
        "resources" => resources: Option<ListHints>,
        /// What holds for `resources/templates/list` alone.
        /// Example: `{ pageSize: 20 }`
        "resourceTemplates" => templates: Option<ListHints>,
        /// What holds for `prompts/list` alone.
        /// Example: `{ ttlMs: 5000 }`
        "prompts" => prompts: Option<ListHints>,
    }
}

record! {
    /// What holds for one list.
    pub struct ListHints as "list's hints" {
        /// Entries of a page, 1 or more.
        /// Example: `50`
        "pageSize" => page_size: Option<Spanned<u64>>,
        /// How long a client may keep the answer, in milliseconds: MCP's `ttlMs`.
        /// Example: `60000`
        "ttlMs" => ttl_ms: Option<Spanned<u64>>,
        /// Who may be given an answer that was kept: anybody, or only who asked.
        /// Example: `public`
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

impl Choice for CacheScope {
    const WORDS: &'static [(&'static str, Self)] = &[("public", CacheScope::Public), ("private", CacheScope::Private)];
}
