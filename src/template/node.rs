//! A compiled template: what a text means once every name in it is resolved to a place.

use serde_json::Value;

use super::helper::Helper;

/// A piece of a template, rendered in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Literal text.
    Text(String),
    /// `{{x}}`
    Show(Expr),
    /// `{{#if x}}`, and `{{#unless x}}` with its parts exchanged.
    If { condition: Expr, zero_is_true: bool, then: Vec<Node>, otherwise: Vec<Node> },
    /// `{{#each x}}`: once for every item or entry.
    Each { over: Expr, body: Vec<Node>, otherwise: Vec<Node> },
    /// `{{#with x}}`
    With { this: Expr, body: Vec<Node>, otherwise: Vec<Node> },
    /// `{{> name this a=b}}`
    Partial { this: Option<Expr>, params: Vec<Expr>, body: Vec<Node> },
}

/// Something with a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// Written out.
    Literal(Value),
    /// A place in the data and the steps from there.
    Path { from: From, steps: Vec<String>, written: String },
    /// `@index` and its like, `up` frames outwards.
    Local { up: usize, local: Local },
    /// A helper and its arguments; as many as it takes.
    Call(Helper, Vec<Expr>),
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The data as a whole.
    Root,
    /// The item that the frame so many frames outwards is about.
    Item { up: usize },
    /// A block parameter or partial argument of that frame.
    Param { up: usize, slot: usize },
}

/// What a loop knows of its current turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Local {
    Index,
    Key,
    First,
    Last,
}

impl Node {
    /// Whether no value can come out of it.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Node::Text(_) => true,
            Node::If { then, otherwise, .. } => then.iter().chain(otherwise).all(Node::is_fixed),
            Node::Show(_) | Node::Each { .. } | Node::With { .. } | Node::Partial { .. } => false,
        }
    }
}

impl Expr {
    /// The path's steps, if this is a path from the root with at least one step.
    pub(super) fn root_path(&self) -> Option<&[String]> {
        match self {
            Expr::Path { from: From::Root, steps, .. } if !steps.is_empty() => Some(steps),
            _ => None,
        }
    }
}
