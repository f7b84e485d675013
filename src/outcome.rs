//! What an action gives, and how it is shaped.

pub mod formats;
pub mod jq;
pub mod media;
pub mod shape;
mod trail;

use serde_json::Value;

pub use trail::Trail;

/// What an action gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The answer itself.
    pub content: Content,
    /// Its media type, where the action knows it.
    pub mime_type: Option<String>,
    /// The bound that cut it, in words for the reader; `None` if it is whole.
    pub truncated: Option<String>,
    /// What was cut, before that; `None` if it is not to be had.
    pub whole: Option<Whole>,
}

/// An answer as it came, before a bound cut it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Its text or bytes.
    pub data: Data,
    /// Its media type.
    pub mime_type: Option<String>,
}

/// Text or bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Text.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Data {
    /// Bytes that it takes.
    pub fn len(&self) -> usize {
        match self {
            Data::Text(text) => text.len(),
            Data::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// JSON.
    Json(Value),
    /// Text.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
    /// MCP content blocks, each as MCP's JSON.
    Blocks(Vec<Value>),
    /// The same, and JSON that goes with them: MCP's `structuredContent`.
    Structured {
        /// The blocks.
        blocks: Vec<Value>,
        /// The JSON.
        value: Value,
    },
}

impl Outcome {
    /// An answer that nothing cut.
    pub fn new(content: Content, mime_type: Option<String>) -> Self {
        Outcome { content, mime_type, truncated: None, whole: None }
    }

    /// A whole JSON answer.
    pub fn json(value: Value) -> Self {
        Outcome::new(Content::Json(value), Some("application/json".to_owned()))
    }

    /// A whole text.
    pub fn text(text: impl Into<String>) -> Self {
        Outcome::new(Content::Text(text.into()), None)
    }

    /// The answer as JSON, for jq and templates: text is a string, bytes are base64 text, content blocks are a list
    /// or the JSON that goes with them.
    pub fn into_value(self) -> Value {
        match self.content {
            Content::Json(value) => value,
            Content::Text(text) => Value::String(text),
            Content::Bytes(bytes) => Value::String(base64(&bytes)),
            Content::Blocks(blocks) => Value::Array(blocks),
            Content::Structured { value, .. } => value,
        }
    }
}

/// Bytes as base64 (RFC 4648 section 4).
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// For the caller: plain, and without secrets, SQL or paths.
    pub message: String,
    /// For the log, secrets masked.
    pub detail: Option<String>,
    /// MCP content blocks that say it in place of the message, each as MCP's JSON; none where the message does.
    pub blocks: Vec<Value>,
    /// Where in steps it was; the message says it too.
    pub trail: Option<Box<Trail>>,
    /// JSON that goes with the blocks: MCP's `structuredContent`.
    pub structured: Option<Box<Value>>,
}

/// What kind of failure a call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A value that the caller gave can't be used.
    Invalid,
    /// What was asked for is not there.
    NotFound,
    /// It ran longer than it may.
    TimedOut,
    /// The caller took the call back, or the server is closing.
    Cancelled,
    /// The database, API or program said no, or could not be reached.
    Failed,
    /// The client can't do something that the call can't do without.
    Lacking,
    /// The client is asked first, by the answer to this call, and calls again with what it was asked for.
    Unanswered,
}

impl ActionError {
    /// A failure in words for the caller.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        ActionError { kind, message: message.into(), detail: None, blocks: Vec::new(), trail: None, structured: None }
    }

    /// A value of the caller's that can't be used.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// A failure of what the action works with.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Adds words for the log.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
