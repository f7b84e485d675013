//! Handlebars fragments, and the files that parts of a spec stand in.

use std::ops::Deref;

use serde_json::{Value, json};

use super::Str;
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{At, Field, FromNode, Named, Required, record};

/// A handlebars fragment: its text, or the file that holds it.
#[derive(Debug, Clone)]
pub enum Partial {
    /// Written out.
    Text(Str),
    /// In a file.
    File(Str),
}

record! {
    /// `{ file: … }`
    pub struct PartialFile as "partial" {
        /// The file that holds the fragment.
        /// Example: `./partials/greeting.hbs`
        "file" => file: Required<Str>,
    }
}

impl FromNode for Partial {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => PartialFile::from_node(node, at, sink)?.file.0.map(Partial::File),
            _ => Str::from_node(node, at, sink).map(Partial::Text),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), PartialFile::schema(book)])
    }
}

/// Fragments by their names. Paths have become names before they are read.
#[derive(Debug, Clone, Default)]
pub struct Fragments(Named<Partial>);

impl Deref for Fragments {
    type Target = Named<Partial>;
    fn deref(&self) -> &Named<Partial> {
        &self.0
    }
}

impl Field for Fragments {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        Named::read(entry, sink).map(Fragments)
    }
    fn absent() -> Self {
        Fragments::default()
    }
    fn schema(book: &mut Book) -> Value {
        any_of([<Named<Partial> as Field>::schema(book), Paths::schema(book)])
    }
}

/// A path or a list of paths, which the loader reads and reports.
#[derive(Debug, Clone, Copy)]
pub struct Paths;

impl FromNode for Paths {
    fn from_node(_: &Node, _: At<'_>, _: &mut Diagnostics) -> Option<Self> {
        Some(Paths)
    }
    fn schema(_: &mut Book) -> Value {
        any_of([json!({ "type": "string" }), json!({ "type": "array", "items": { "type": "string" } })])
    }
}
