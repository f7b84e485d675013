//! `tests`, as written: what is done, and what has to come of it.

use serde_json::{Value, json};

use super::Str;
use crate::spec::describe::{Book, any_of};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, Choice, FromNode, Required, list_names, record};
use crate::spec::source::{Span, Spanned};

record! {
    /// A test: one of `call`, `read`, `prompt` and `complete`, and what has to come of it.
    pub struct TestCase as "test" {
        /// A tool that is called.
        /// Example: `find_books`
        "call" => call: Option<Str>,
        /// The URI of a resource that is read.
        /// Example: `shop://books/1`
        "read" => read: Option<Str>,
        /// A prompt that is got.
        /// Example: `recommend`
        "prompt" => prompt: Option<Str>,
        /// An argument or variable that is completed.
        /// Example: `{ prompt: recommend, argument: genre, value: cr }`
        "complete" => complete: Option<CompleteCase>,
        /// The arguments.
        /// Example: `{ words: Dune }`
        "with" => with: Option<Node>,
        /// What the client answers when it is asked, in order.
        /// Example: `[accept]`
        "answers" => answers: Option<Vec<TestAnswer>>,
        /// A part of the structured answer: an object may have more fields, a list more elements.
        /// Example: `{ rows: [{ title: Dune }] }`
        "expect" => expect: Option<Node>,
        /// The whole structured answer.
        /// Example: `{ profit: 55000 }`
        "exact" => exact: Option<Node>,
        /// A jq program over the structured answer, which has to give true.
        /// Example: `.rows | length > 1`
        "jq" => jq: Option<Str>,
        /// Texts that the words for the model have in them.
        /// Example: `Dune Messiah`
        "text" => text: Option<Texts>,
        /// A text that the words of the error have in them; without this key an error fails the test.
        /// Example: `must be at least 1`
        "error" => error: Option<Str>,
        /// Whether the answer is compared with the one that `mcp-declare test --update` kept.
        /// Example: `true`
        "snapshot" => snapshot: Option<Spanned<bool>>,
    }
}

record! {
    /// What is completed: an argument of a prompt, or a variable of a resource template.
    pub struct CompleteCase as "complete" {
        /// The prompt's name.
        /// Example: `recommend`
        "prompt" => prompt: Option<Str>,
        /// The URI template.
        /// Example: `'shop://books/{id}'`
        "resource" => resource: Option<Str>,
        /// The name of the argument or variable.
        /// Example: `genre`
        "argument" => argument: Required<Str>,
        /// What was typed; nothing by default.
        /// Example: `cr`
        "value" => value: Option<Str>,
    }
}

/// One text or several.
#[derive(Debug, Clone)]
pub struct Texts(pub Vec<Str>);

impl FromNode for Texts {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(_) => Vec::from_node(node, at, sink).map(Texts),
            _ => Str::from_node(node, at, sink).map(|text| Texts(vec![text])),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Str::schema(book), Vec::<Str>::schema(book)])
    }
}

/// What the client answers to one question.
#[derive(Debug, Clone)]
pub enum TestAnswer {
    /// `accept`, `decline`, `cancel`: what the user does with a form that wants nothing else.
    Does(Spanned<UserDoes>),
    /// What the user fills in, what the model says, or the roots.
    Gives(WrittenAnswer),
}

/// MCP's `ElicitResult.action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "MCP's words")]
pub enum UserDoes {
    Accept,
    Decline,
    Cancel,
}

impl Choice for UserDoes {
    const WORDS: &'static [(&'static str, Self)] =
        &[("accept", UserDoes::Accept), ("decline", UserDoes::Decline), ("cancel", UserDoes::Cancel)];
}

record! {
    /// An answer written out: exactly one of its keys.
    pub struct WrittenAnswer as "answer" {
        /// What the user fills into a form.
        /// Example: `{ size: large }`
        "accept" => accept: Option<Node>,
        /// What the language model says.
        /// Example: `A fine summary.`
        "says" => says: Option<Str>,
        /// The client's roots, by URI.
        /// Example: `['file:///home/me/project']`
        "roots" => roots: Option<Vec<Str>>,
    }
}

impl FromNode for TestAnswer {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => WrittenAnswer::from_node(node, at, sink).map(TestAnswer::Gives),
            _ => Spanned::from_node(node, at, sink).map(TestAnswer::Does),
        }
    }

    fn schema(book: &mut Book) -> Value {
        any_of([Spanned::<UserDoes>::schema(book), WrittenAnswer::schema(book)])
    }
}

impl TestCase {
    /// The keys that say what is done.
    pub const KINDS: [&'static str; 4] = ["call", "read", "prompt", "complete"];

    /// Which of them are there, and where.
    pub fn kinds(&self) -> Vec<(&'static str, Span)> {
        let spans = [
            self.call.as_ref().map(|call| call.span),
            self.read.as_ref().map(|read| read.span),
            self.prompt.as_ref().map(|prompt| prompt.span),
            self.complete.as_ref().map(|complete| complete.at),
        ];
        Self::KINDS.into_iter().zip(spans).filter_map(|(kind, span)| Some((kind, span?))).collect()
    }
}

impl TestAnswer {
    /// What is wrong with one that is written out: it has not exactly one of its keys.
    pub fn fault(&self) -> Option<Diagnostic> {
        let TestAnswer::Gives(answer) = self else { return None };
        let given = [answer.accept.is_some(), answer.says.is_some(), answer.roots.is_some()];
        let count = given.iter().filter(|given| **given).count();
        let words = match count {
            1 => return None,
            0 => "an answer says nothing",
            _ => "an answer says one thing, this one says several",
        };
        let found = Diagnostic::error(Code::BadValue, answer.at, words);
        Some(found.label(format!("give it one of {}", list_names(&["accept", "says", "roots"]))))
    }

    /// The result that a client would send, as far as the answer says: an `action` and `content`, a message, or roots.
    pub fn to_json(&self) -> Value {
        match self {
            TestAnswer::Does(does) => json!({ "action": does.value.name() }),
            TestAnswer::Gives(WrittenAnswer { accept: Some(content), .. }) => {
                json!({ "action": "accept", "content": content.to_json() })
            }
            TestAnswer::Gives(WrittenAnswer { says: Some(text), .. }) => json!({
                "role": "assistant",
                "content": { "type": "text", "text": text.value },
                "model": "test",
                "stopReason": "endTurn",
            }),
            TestAnswer::Gives(WrittenAnswer { roots, .. }) => {
                let roots = roots.iter().flatten().map(|uri| json!({ "uri": uri.value }));
                json!({ "roots": roots.collect::<Vec<_>>() })
            }
        }
    }
}
