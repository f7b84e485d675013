//! Merge keys.

use std::collections::{HashMap, HashSet};

use super::Composer;
use crate::spec::diagnostic::Code;
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::source::Span;

impl Composer<'_, '_> {
    /// Adds what `<<` brings in; keys that are written out win, and of several merged maps the first.
    pub(super) fn merge(&mut self, entries: &mut Vec<Entry>, merged: Vec<Node>, written: &HashMap<String, Span>) {
        let maps = merged.into_iter().flat_map(|node| match node.kind {
            Kind::List(maps) => maps,
            _ => vec![node],
        });
        let mut known: HashSet<String> = HashSet::new();
        for map in maps {
            match map.kind {
                Kind::Map(more) => {
                    entries.extend(more.into_iter().filter(|entry| {
                        !written.contains_key(&entry.key.value) && known.insert(entry.key.value.clone())
                    }))
                }
                Kind::Fault => {}
                _ => {
                    let words = format!("`<<` takes in a map or a list of maps, found {}", map.what());
                    self.sink.error(Code::WrongType, map.span, words);
                }
            }
        }
    }
}
