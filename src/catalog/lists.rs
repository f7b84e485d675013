//! How lists are given out: in pages, with MCP's hints of how long they may be kept.

use std::hash::{DefaultHasher, Hasher};
use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::model::CacheScope;
use serde::Serialize;

use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

/// Entries of a page where the spec names no size: so many that clients which know no cursors are served whole.
const PAGE_SIZE: usize = 10_000;

/// How long an answer may be kept, and for whom: MCP's `ttlMs` and `cacheScope` (2026-07-28).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Milliseconds.
    pub ttl_ms: Option<u64>,
    /// Whether others may be given it.
    pub cache_scope: Option<CacheScope>,
}

impl Freshness {
    /// As the spec says it, and where it says nothing, as `otherwise` does.
    pub fn compile(
        ttl_ms: Option<&Spanned<u64>>,
        cache_scope: Option<&Spanned<model::CacheScope>>,
        otherwise: Freshness,
    ) -> Self {
        let scope = |scope: &Spanned<model::CacheScope>| match scope.value {
            model::CacheScope::Public => CacheScope::Public,
            model::CacheScope::Private => CacheScope::Private,
        };
        Freshness {
            ttl_ms: ttl_ms.map(|t| t.value).or(otherwise.ttl_ms),
            cache_scope: cache_scope.map(scope).or(otherwise.cache_scope),
        }
    }
}

/// MCP's four lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lists {
    /// `tools/list`
    pub tools: Paging,
    /// `resources/list`
    pub resources: Paging,
    /// `resources/templates/list`
    pub templates: Paging,
    /// `prompts/list`
    pub prompts: Paging,
}

impl Lists {
    /// Reads `server.lists`.
    pub fn compile(written: Option<&model::Lists>, sink: &mut Diagnostics) -> Self {
        let Some(written) = written else { return Lists::default() };
        let all = Paging {
            size: page_size(written.page_size.as_ref(), sink).unwrap_or(PAGE_SIZE),
            freshness: Freshness::compile(written.ttl_ms.as_ref(), written.cache_scope.as_ref(), Freshness::default()),
        };
        let mut one = |hints: &Option<model::ListHints>| match hints {
            None => all,
            Some(hints) => Paging {
                size: page_size(hints.page_size.as_ref(), sink).unwrap_or(all.size),
                freshness: Freshness::compile(hints.ttl_ms.as_ref(), hints.cache_scope.as_ref(), all.freshness),
            },
        };
        Lists {
            tools: one(&written.tools),
            resources: one(&written.resources),
            templates: one(&written.templates),
            prompts: one(&written.prompts),
        }
    }
}

fn page_size(written: Option<&Spanned<u64>>, sink: &mut Diagnostics) -> Option<usize> {
    let written = written?;
    if written.value == 0 {
        let found = Diagnostic::error(Code::BadValue, written.span, "a page has at least 1 entry");
        sink.push(found.label("leave `pageSize` out for pages that hold everything"));
    }
    usize::try_from(written.value).ok().filter(|size| *size > 0)
}

/// How one list is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Entries of a page.
    pub size: usize,
    /// How long a page may be kept.
    pub freshness: Freshness,
}

impl Default for Paging {
    fn default() -> Self {
        Paging { size: PAGE_SIZE, freshness: Freshness::default() }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<String>,
}

/// A cursor that this list never gave out, or gave out before it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCursor;

impl Paging {
    /// The page of `list` at `cursor`, or the first. A cursor is good as long as the list is the same, also across
    /// reloads and processes.
    ///
    /// # Errors
    /// If there is no such page.
    pub fn page<T: Serialize>(&self, mut list: Vec<T>, cursor: Option<&str>) -> Result<Page<T>, UnknownCursor> {
        if cursor.is_none() && list.len() <= self.size {
            return Ok(Page { entries: list, next: None });
        }
        let fingerprint = fingerprint(&list);
        let start = cursor.map_or(Ok(0), |cursor| position(cursor, fingerprint).ok_or(UnknownCursor))?;
        if start >= list.len() {
            return Err(UnknownCursor);
        }
        let mut entries = list.split_off(start);
        let more = entries.len() > self.size;
        entries.truncate(self.size);
        let next = more.then(|| cursor_of(start + self.size, fingerprint));
        Ok(Page { entries, next })
    }
}

/// What tells one list from another.
fn fingerprint<T: Serialize>(list: &[T]) -> u64 {
    let mut hash = Hash(DefaultHasher::new());
    // Writing to a hash can't fail, and what MCP lists is always JSON.
    let _ = serde_json::to_writer(&mut hash, list);
    hash.0.finish()
}

struct Hash(DefaultHasher);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The fingerprint of a list's contents and a position in it, as 22 letters that mean nothing to a client.
fn cursor_of(position: usize, fingerprint: u64) -> String {
    let position = u64::try_from(position).unwrap_or(u64::MAX);
    let mut bytes = fingerprint.to_le_bytes().to_vec();
    bytes.extend((position ^ fingerprint).to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn position(cursor: &str, fingerprint: u64) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (of, position) = bytes.split_at_checked(8)?;
    let of = u64::from_le_bytes(of.try_into().ok()?);
    let position = u64::from_le_bytes(position.try_into().ok()?) ^ fingerprint;
    if of != fingerprint || position == 0 {
        return None;
    }
    usize::try_from(position).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paging(size: usize) -> Paging {
        Paging { size, freshness: Freshness::default() }
    }

    fn walk(list: &[u32], size: usize) -> Vec<Vec<u32>> {
        let mut pages = Vec::new();
        let mut cursor = None;
        loop {
            let page = paging(size).page(list.to_vec(), cursor.as_deref()).unwrap();
            pages.push(page.entries);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_hold_everything_once_and_in_order() {
        assert_eq!(walk(&[], 2), [Vec::<u32>::new()]);
        assert_eq!(walk(&[1, 2], 2), [[1, 2]]);
        assert_eq!(walk(&[1, 2, 3, 4, 5], 2), [vec![1, 2], vec![3, 4], vec![5]]);
        let many: Vec<u32> = (0..5000).collect();
        assert_eq!(walk(&many, PAGE_SIZE), std::slice::from_ref(&many));
        assert_eq!(walk(&many, 7).concat(), many);
    }

    #[test]
    fn a_cursor_is_the_same_for_the_same_list_alone() {
        let list = vec![1, 2, 3];
        let next = paging(1).page(list.clone(), None).unwrap().next.unwrap();
        assert_eq!(paging(1).page(list.clone(), None).unwrap().next.as_ref(), Some(&next));
        assert_eq!(paging(1).page(list, Some(&next)).unwrap().entries, [2]);
        assert_eq!(paging(1).page(vec![1, 2, 4], Some(&next)), Err(UnknownCursor));
        assert_eq!(paging(1).page(vec![1], Some(&next)), Err(UnknownCursor));
        assert_eq!(paging(1).page(Vec::<u32>::new(), Some(&next)), Err(UnknownCursor));
        assert!(next.len() == 22 && next.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{next}");
    }

    proptest! {
        #[test]
        fn no_text_of_a_client_is_a_cursor(text in ".{0,40}") {
            prop_assert_eq!(paging(1).page(vec![1, 2, 3], Some(&text)), Err(UnknownCursor));
        }

        #[test]
        fn a_cursor_that_was_touched_is_none(at in 0..22_usize, with in "[A-Za-z0-9_-]") {
            let next = paging(1).page(vec![1, 2, 3], None).unwrap().next.unwrap();
            let mut touched = next.clone();
            touched.replace_range(at..=at, &with);
            let page = paging(1).page(vec![1, 2, 3], Some(&touched));
            // Flipping bits of the position can lead to the one other page there is.
            prop_assert!(page.is_err() || touched == next || page.unwrap().entries == [3]);
        }
    }
}
