//! What a workflow tells the client while it runs.

use crate::spec::diagnostic::Diagnostics;
use crate::spec::model::Str;
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Choice, FromNode, Required, record};
use crate::spec::source::Spanned;

record! {
    /// MCP's `notifications/message`, with one of `message`, `data`.
    pub struct LogStep as "log" {
        /// How severe it is (RFC 5424, section 6.2.1); `info` by default.
        /// Example: `warning`
        "level" => level: Option<Spanned<LogLevel>>,
        /// Who says it.
        /// Example: `import`
        "logger" => logger: Option<Str>,
        /// What is said; handlebars.
        /// Example: `'Found {{len found}} books'`
        "message" => message: Option<Str>,
        /// Any JSON; a string that is exactly `"{{name}}"` keeps the value's type.
        /// Example: `{ found: '{{found}}' }`
        "data" => data: Option<Node>,
    }
}

impl LogStep {
    /// `log: words` is short for `log: { message: words }`.
    pub(super) fn read(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => LogStep::from_node(node, at, sink),
            _ => Str::from_node(node, at, sink).map(|message| LogStep {
                at: at.span,
                faulty: false,
                level: None,
                logger: None,
                message: Some(message),
                data: None,
            }),
        }
    }
}

/// MCP's `LoggingLevel`, from RFC 5424, section 6.2.1: the least severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "MCP's words")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    /// All of them, the least severe first.
    pub const ALL: [LogLevel; 8] = [
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Notice,
        LogLevel::Warning,
        LogLevel::Error,
        LogLevel::Critical,
        LogLevel::Alert,
        LogLevel::Emergency,
    ];
}

impl Choice for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("debug", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("notice", LogLevel::Notice),
        ("warning", LogLevel::Warning),
        ("error", LogLevel::Error),
        ("critical", LogLevel::Critical),
        ("alert", LogLevel::Alert),
        ("emergency", LogLevel::Emergency),
    ];
}

record! {
    /// MCP's `notifications/progress`.
    pub struct ProgressStep as "progress" {
        /// How much is done: a number, or a string that is exactly `"{{name}}"`.
        /// Example: `1`
        "progress" => progress: Required<Node>,
        /// Out of how much; as `progress`.
        /// Example: `3`
        "total" => total: Option<Node>,
        /// What is being done; handlebars.
        /// Example: `Reading`
        "message" => message: Option<Str>,
    }
}
