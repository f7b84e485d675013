//! A spec's text, read into a [`model::Document`] with the place of everything in it. Knows nothing of
//! MCP, databases or processes.

pub mod fault;
pub mod source;

pub use fault::Fault;
pub use source::{FileId, Files, Place, Span, Spanned};
