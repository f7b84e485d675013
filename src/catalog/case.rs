//! `tests`: what a spec expects of itself, compiled, and run through the same path as a client's requests.

mod client;
mod compare;
mod coverage;
mod does;
mod expects;

use rmcp::model::{ContentBlock, ResourceContents};
use serde_json::{Map, Value, json};

use super::{Catalog, Contents};
use crate::action::Arguments;
use crate::spec::model::{Document, TestCase};
use crate::spec::{Diagnostics, Node, Span, Spanned};
pub use client::Script;
pub use compare::cut;
pub use coverage::untested;
use does::Does;
use expects::Expects;

/// A test, ready to be run.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Span,
    does: Does,
    arguments: Arguments,
    answers: Vec<Value>,
    expects: Expects,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Got {
    /// The structured answer; without one, the text.
    pub value: Value,
    /// The words for the model.
    pub text: String,
    /// Whether they say what went wrong.
    pub is_error: bool,
}

impl Case {
    /// Checks and compiles a test. What it names has to be written; whether that is sound has been told already.
    pub fn compile(
        name: &Spanned<String>,
        written: &TestCase,
        document: &Document,
        catalog: &Catalog,
        sink: &mut Diagnostics,
    ) -> Option<Case> {
        let arguments = match &written.with {
            None => Some(Map::new()),
            Some(with) => object(with, sink),
        };
        let expects = Expects::compile(written, sink);
        let does = Does::compile(name, written, document, catalog, sink);
        for answer in written.answers.iter().flatten() {
            answer.fault().into_iter().for_each(|found| sink.push(found));
        }
        let answers = written.answers.iter().flatten().map(|answer| answer.to_json()).collect();
        Some(Case {
            name: name.value.clone(),
            at: name.span,
            does: does?,
            arguments: arguments?,
            answers,
            expects: expects?,
        })
    }

    /// Whether its answer is compared with one that was kept.
    pub fn has_snapshot(&self) -> bool {
        self.expects.snapshot
    }

    /// Runs it. What the client was asked and the test has no answer for is told in the second part.
    pub async fn run(&self, catalog: &Catalog) -> (Got, Vec<String>) {
        let (call, script) = Script::start(self.answers.clone());
        let got = self.does.run(&self.arguments, catalog, &call).await;
        drop(call);
        (got.unwrap_or_else(|error| Got::error(error.message)), script.end().await)
    }

    /// Why it can't be run here: what it is about is left out of what is served. In words.
    pub fn left_out(&self) -> Option<&str> {
        match &self.does {
            Does::LeftOut(words) => Some(words),
            _ => None,
        }
    }

    /// What is not as it was expected, in words; nothing if the test passes.
    pub async fn judge(&self, got: &Got) -> Vec<String> {
        self.expects.judge(got).await
    }
}

fn object(with: &Node, sink: &mut Diagnostics) -> Option<Arguments> {
    match with.to_json() {
        Value::Object(arguments) => Some(arguments),
        _ => {
            crate::spec::read::refuse(with, "a map from names to values", sink, |found| found);
            None
        }
    }
}

impl Got {
    fn error(words: impl Into<String>) -> Got {
        let text = words.into();
        Got { value: Value::String(text.clone()), text, is_error: true }
    }

    fn contents(contents: Contents) -> Got {
        let text = contents.all.iter().map(|part| match part {
            ResourceContents::TextResourceContents { text, .. } => text.as_str(),
            ResourceContents::BlobResourceContents { blob, .. } => blob.as_str(),
            _ => "",
        });
        let text: Vec<&str> = text.collect();
        let value = match text.as_slice() {
            [only] => parsed(only),
            several => json!(several),
        };
        Got { value, text: text.join("\n"), is_error: false }
    }
}

/// A text as JSON if it is an object or a list, else as a string.
fn parsed(text: &str) -> Value {
    let structured = serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array());
    structured.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn texts<'c>(blocks: impl Iterator<Item = &'c ContentBlock>) -> String {
    let text = |block: &'c ContentBlock| match block {
        ContentBlock::Text(text) => text.text.clone(),
        other => json!(other).to_string(),
    };
    blocks.map(text).collect::<Vec<_>>().join("\n")
}
