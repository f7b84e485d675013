//! Handlebars templates: compiled once, with all faults found then; rendered with a cap on what comes out.
//!
//! The `handlebars` crate reads the text; what its tree means is settled at load (`lower`) and rendered by a small
//! interpreter (`render`) that reads the caller's data in place. Nothing in a template can read a file, the
//! environment or the network, and a value is never read as a template.
//!
//! | file | what |
//! |---|---|
//! | `tags` | where the `{{…}}` stand, which blocks match |
//! | `parse` | text → handlebars' tree and the places of its tags |
//! | `lower`, `scope` | tree → pieces, with every name's place and every fault |
//! | `node` | the compiled pieces |
//! | `render`, `helper`, `date` | pieces and data → text |
//! | `value` | JSON with templates in its strings |
//! | `blocks` | the part of the language that an SQL text may use |

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::spec::Fault;
use node::Node;
use scope::Scopes;

pub mod blocks;
mod date;
mod helper;
mod lower;
mod node;
mod parse;
mod partials;
mod render;
mod scope;
mod tags;
#[cfg(test)]
mod tests;
pub mod value;

pub use blocks::{Piece, blocks};
pub(crate) use helper::kind;
pub use partials::Partials;
pub use value::ValueTemplate;

/// A root name that a template reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name, without what follows a dot.
    pub name: String,
    /// Its bytes in the text; those of `{{> partial}}` for a name that a partial reads.
    pub range: Range<usize>,
}

/// Why nothing was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderFault {
    /// The output would have more than `max` bytes.
    TooLong {
        /// The most bytes that were allowed.
        max: usize,
    },
    /// The data doesn't fit the template; in plain words, without any of the data.
    Failed(String),
}

impl RenderFault {
    /// The same fault, said of the path `written`.
    fn about(self, written: &str) -> Self {
        match self {
            RenderFault::Failed(why) => RenderFault::Failed(format!("`{written}`: {why}")),
            other @ RenderFault::TooLong { .. } => other,
        }
    }
}

impl fmt::Display for RenderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenderFault::TooLong { max } => write!(f, "the text would be longer than {max} bytes"),
            RenderFault::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for RenderFault {}

/// A compiled template. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Template(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    nodes: Vec<Node>,
    names: Vec<Name>,
    /// About how many bytes come out, so that the usual text is built without growing.
    expected: usize,
}

impl Template {
    /// Compiles `text`, which may put in any of `partials`.
    ///
    /// # Errors
    /// All faults of the text: what can't be read, blocks that don't match, unknown helpers and partials, wrong numbers
    /// of arguments, paths that lead nowhere, what is not supported.
    pub fn compile(text: &str, partials: &Partials) -> Result<Template, Vec<Fault>> {
        let lowered = lower::lower(&parse::parse(text)?, partials, Scopes::root())?;
        let expected = lowered.nodes.iter().map(|node| if let Node::Text(text) = node { text.len() } else { 24 }).sum();
        Ok(Template(Arc::new(Compiled { nodes: lowered.nodes, names: lowered.names, expected })))
    }

    /// The root names that are read, once for every place, in the order of the text. `this`, `@index` and its like,
    /// block parameters, and fields of an item (`title` inside `{{#each books}}`) are not among them.
    pub fn names(&self) -> &[Name] {
        &self.0.names
    }

    /// The text, if there is nothing but text (`\{{` counts as text).
    pub fn is_literal(&self) -> Option<&str> {
        match self.0.nodes.as_slice() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The name, if the template is `{{name}}` and nothing else.
    pub fn exact(&self) -> Option<&str> {
        match self.path()? {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The steps, if the template is nothing but a path from the root: `{{name}}`, `{{step.rows.0.id}}`.
    pub fn path(&self) -> Option<&[String]> {
        match self.0.nodes.as_slice() {
            [Node::Show(expr)] => expr.root_path(),
            _ => None,
        }
    }

    /// The text before the first expression.
    pub fn literal_prefix(&self) -> &str {
        match self.0.nodes.first() {
            Some(Node::Text(text)) => text,
            _ => "",
        }
    }

    /// The root names whose values stand in the text in any case: `{{name}}` outside of every block.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        let exprs = self.0.nodes.iter().filter_map(|node| if let Node::Show(expr) = node { Some(expr) } else { None });
        exprs.filter_map(|expr| expr.root_path()?.first()).map(String::as_str)
    }

    /// Whether nothing but the template's own text can come out of it: text, and `{{#if}}` and `{{#unless}}` around text.
    pub fn is_fixed(&self) -> bool {
        self.0.nodes.iter().all(Node::is_fixed)
    }

    /// Renders over `data`; a name that is absent or null is nothing, false, and an empty list.
    ///
    /// # Errors
    /// [`RenderFault::TooLong`] when more than `max_bytes` would come out, [`RenderFault::Failed`] when a helper can't
    /// take a value, a list is asked for a field, or loops take too many turns.
    pub fn render(&self, data: &Map<String, Value>, max_bytes: usize) -> Result<String, RenderFault> {
        render::render(&self.0.nodes, data, max_bytes, self.0.expected)
    }
}
