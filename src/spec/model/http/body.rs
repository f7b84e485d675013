//! What a request is sent with.

use serde_json::Value;

use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::model::{FileAction, Str};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{At, Field, Foreign, FromNode, record};
use crate::spec::source::Span;

/// Names and values where it matters whether the key is there at all.
#[derive(Debug, Clone)]
pub struct Pairs<T> {
    /// The place of the key.
    pub at: Span,
    /// What it holds.
    pub all: Foreign<T>,
}

impl<T: FromNode> Field for Option<Pairs<T>> {
    fn read(entry: &Entry, sink: &mut Diagnostics) -> Option<Self> {
        Some(Some(Pairs { at: entry.key.span, all: Field::read(entry, sink)? }))
    }
    fn absent() -> Self {
        None
    }
    fn schema(book: &mut Book) -> Value {
        Foreign::<T>::schema(book)
    }
}

/// A body that is not made of named values.
#[derive(Debug, Clone)]
pub enum RawBody {
    /// Handlebars.
    Text(Str),
    /// The content of a file, or bytes.
    Made(Box<MadeBody>),
}

record! {
    /// One of `{ file: … }` and `{ base64: … }`.
    pub struct MadeBody as "body" {
        /// The file whose content is sent.
        /// Example: `'./covers/{id}.png'`
        "file" => file: Option<FileRef>,
        /// Handlebars: bytes as base64 (RFC 4648 section 4), sent as what they stand for.
        /// Example: `'{{photo}}'`
        "base64" => base64: Option<Str>,
    }
}

impl FromNode for RawBody {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => MadeBody::from_node(node, at, sink).map(Box::new).map(RawBody::Made),
            _ => Str::from_node(node, at, sink).map(RawBody::Text),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), MadeBody::schema(book)])
    }
}

/// A part of `multipart`; a string is short for its `text`.
#[derive(Debug, Clone)]
pub struct Part(pub WrittenPart);

record! {
    /// A part written out: one of `text`, `file` and `base64`.
    pub struct WrittenPart as "part" {
        /// Handlebars.
        /// Example: `'{{title}}'`
        "text" => text: Option<Str>,
        /// The content of a file, sent while it is read.
        /// Example: `'./covers/{id}.png'`
        "file" => file: Option<FileRef>,
        /// Handlebars: bytes as base64 (RFC 4648 section 4), sent as what they stand for.
        /// Example: `'{{photo}}'`
        "base64" => base64: Option<Str>,
        /// The media type of the part.
        /// Example: `image/png`
        "contentType" => content_type: Option<Str>,
        /// Handlebars; the file's own name by default.
        /// Example: `cover.png`
        "filename" => filename: Option<Str>,
    }
}

impl FromNode for Part {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let part = match &node.kind {
            Kind::Map(_) => WrittenPart::from_node(node, at, sink)?,
            _ => {
                let text = Some(Str::from_node(node, at, sink)?);
                WrittenPart {
                    at: at.span,
                    faulty: false,
                    text,
                    file: None,
                    base64: None,
                    content_type: None,
                    filename: None,
                }
            }
        };
        Some(Part(part))
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), WrittenPart::schema(book)])
    }
}

/// A file as the action `file` names it.
#[derive(Debug, Clone)]
pub struct FileRef(pub FileAction);

impl FromNode for FileRef {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let file = FileAction::read(node, at, sink)?;
        if file.around.is_something() {
            let words = "this file is a part of a request, and has no `cache`, `rateLimit` or `concurrency` of its own";
            sink.push(Diagnostic::error(Code::BadValue, file.around.at, words).label("write them beside `request`"));
        }
        Some(FileRef(file))
    }

    fn schema(book: &mut Book) -> Value {
        FileAction::described(book)
    }
}
