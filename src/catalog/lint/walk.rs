//! Every string of a tree, with the keys that lead to it.

use crate::spec::node::Kind;
use crate::spec::{Node, Spanned, Text};

/// A string and where it stands in the tree.
pub struct Found<'n> {
    /// The keys that lead to it, the outermost first; items of lists have none.
    pub keys: Vec<&'n str>,
    /// The string.
    pub text: &'n Text,
    /// Its node.
    pub node: &'n Node,
}

impl Found<'_> {
    /// The last key.
    pub fn key(&self) -> &str {
        self.keys.last().copied().unwrap_or("")
    }

    /// Whether one of the keys is this one.
    pub fn below(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    /// The string as it stands in the spec, and its place.
    pub fn written(&self) -> Spanned<String> {
        Spanned::new(self.text.written().to_owned(), self.node.span)
    }
}

/// The strings of a tree in the order written, without those below keys that the language ignores.
pub fn strings(root: &Node) -> Vec<Found<'_>> {
    let (mut found, mut keys) = (Vec::new(), Vec::new());
    collect(root, &mut keys, &mut found);
    found
}

fn collect<'n>(node: &'n Node, keys: &mut Vec<&'n str>, found: &mut Vec<Found<'n>>) {
    match &node.kind {
        Kind::String(text) => found.push(Found { keys: keys.clone(), text, node }),
        Kind::List(items) => items.iter().for_each(|item| collect(item, keys, found)),
        Kind::Map(entries) => {
            for entry in entries {
                // At the top `x-…` is what the spec keeps for its own aliases.
                if keys.is_empty() && entry.key.value.starts_with("x-") {
                    continue;
                }
                keys.push(&entry.key.value);
                collect(&entry.value, keys, found);
                keys.pop();
            }
        }
        _ => {}
    }
}
