//! A spec's text, read into a [`model::Document`] with the place of everything in it. Knows nothing of
//! MCP, databases or processes.

pub mod describe;
pub mod diagnostic;
pub mod env;
pub mod fault;
pub mod load;
pub mod model;
mod nearest;
pub mod node;
mod number;
pub mod outside;
pub mod read;
pub mod render;
pub mod source;
pub mod text;
mod toml;
mod yaml;

pub use toml::{parse as read_toml, speak as speak_toml};
pub use yaml::parse as read_yaml;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use env::Environment;
pub use fault::Fault;
pub use nearest::nearest;
pub use node::{Kind, Node};
pub use read::{Bytes, Choice, Foreign, Named, Required};
pub use source::{FileId, Files, Place, Span, Spanned};
pub use text::Text;
