//! `requires`, as written: what a client has to be able to do.

use serde_json::{Value, json};

use crate::spec::describe::Book;
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, FromNode, record, refuse};

record! {
    /// Client capabilities that a tool can't do without, as in MCP's `ClientCapabilities`.
    pub struct Requires as "requires" {
        /// The client can ask the user.
        /// Example: `{}`
        "elicitation" => elicitation: Option<Declared>,
        /// The client can ask its language model.
        /// Example: `{}`
        "sampling" => sampling: Option<Declared>,
        /// The client tells its roots.
        /// Example: `{}`
        "roots" => roots: Option<Declared>,
        /// The extension `io.modelcontextprotocol/tasks`.
        /// Example: `{}`
        "tasks" => tasks: Option<Declared>,
    }
}

/// `{}`
#[derive(Debug, Clone)]
pub struct Declared;

impl FromNode for Declared {
    fn from_node(node: &Node, _: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        let nothing = matches!(&node.kind, Kind::Map(entries) if entries.iter().all(|e| e.key.value.starts_with("x-")));
        if !nothing {
            refuse(node, "`{}`", sink, |found| found.label("a capability is needed or it is not"));
        }
        nothing.then_some(Declared)
    }

    fn schema(_: &mut Book) -> Value {
        json!({ "type": "object", "maxProperties": 0 })
    }
}
