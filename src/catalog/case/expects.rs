//! What has to come of a test.

use std::time::Duration;

use serde_json::Value;

use super::{Got, compare};
use crate::outcome::jq::{Jq, JqLimits};
use crate::spec::model::TestCase;
use crate::spec::{Code, Diagnostic, Diagnostics, Node};

/// What a jq predicate may take.
const PREDICATE: JqLimits = JqLimits { time: Duration::from_secs(10), max_bytes: 1 << 20 };

/// What has to come of it.
#[derive(Debug)]
pub struct Expects {
    subset: Option<Value>,
    exact: Option<Value>,
    jq: Option<Jq>,
    texts: Vec<String>,
    error: Option<String>,
    /// Whether its answer is compared with one that was kept.
    pub snapshot: bool,
}

impl Expects {
    /// Checks and compiles what is written; what holds for every answer is refused.
    pub fn compile(written: &TestCase, sink: &mut Diagnostics) -> Option<Expects> {
        refuse_empty(written, sink);
        let snapshot = written.snapshot.as_ref().is_some_and(|snapshot| snapshot.value);
        let answer = written.expect.as_ref().or(written.exact.as_ref());
        if let (Some(error), Some(answer)) = (&written.error, answer) {
            let found = Diagnostic::error(Code::BadValue, answer.span, "an error has no structured answer");
            let found = found.label("use `text` for more of its words");
            sink.push(found.related(error.span, "an error is expected here"));
            return None;
        }
        let jq = match &written.jq {
            None => None,
            Some(program) => match Jq::compile(&program.value, &[]) {
                Ok(jq) => Some(jq),
                Err(faults) => {
                    for fault in faults {
                        sink.push(Diagnostic::fault(Code::BadJq, program, fault));
                    }
                    return None;
                }
            },
        };
        Some(Expects {
            subset: written.expect.as_ref().map(Node::to_json),
            exact: written.exact.as_ref().map(Node::to_json),
            jq,
            texts: written.text.iter().flat_map(|texts| &texts.0).map(|text| text.value.clone()).collect(),
            error: written.error.as_ref().map(|error| error.value.clone()),
            snapshot,
        })
    }

    /// What is not as it was expected, in words; nothing if the test passes.
    pub async fn judge(&self, got: &Got) -> Vec<String> {
        let mut faults = Vec::new();
        match (&self.error, got.is_error) {
            (None, true) => return vec![format!("it failed: {}", compare::cut(&got.text))],
            (Some(_), false) => return vec![format!("an error was expected, got {}", compare::short(&got.value))],
            (Some(wanted), true) if !got.text.contains(wanted.as_str()) => {
                faults.push(format!("expected the error to have `{wanted}` in it, got: {}", compare::cut(&got.text)));
            }
            _ => {}
        }
        if let Some(wanted) = &self.subset {
            faults.extend(compare::subset(wanted, &got.value));
        }
        if let Some(wanted) = &self.exact {
            faults.extend(compare::exact(wanted, &got.value));
        }
        faults.extend(
            self.texts
                .iter()
                .filter(|wanted| !got.text.contains(wanted.as_str()))
                .map(|wanted| format!("expected the text to have `{wanted}` in it, got: {}", compare::cut(&got.text))),
        );
        if let Some(jq) = &self.jq {
            faults.extend(refuted(jq, &got.value).await);
        }
        faults
    }
}

/// An expectation that every answer meets says nothing.
fn refuse_empty(written: &TestCase, sink: &mut Diagnostics) {
    let is_empty = |node: &&Node| {
        matches!(&node.to_json(), Value::Object(all) if all.is_empty())
            || matches!(&node.to_json(), Value::Array(all) if all.is_empty())
    };
    if let Some(empty) = written.expect.as_ref().filter(is_empty) {
        let found = Diagnostic::error(Code::BadValue, empty.span, "an empty `expect` is a part of every answer");
        sink.push(found.label("say what the answer has in it, or use `exact` if it is empty"));
    }
    let Some(texts) = &written.text else { return };
    for empty in texts.0.iter().filter(|text| text.value.is_empty()) {
        let found = Diagnostic::error(Code::BadValue, empty.span, "an empty text is in every answer");
        sink.push(found.label("say what the words have in them"));
    }
    if texts.0.is_empty() {
        let found = Diagnostic::error(Code::BadValue, written.at, "a test with `text: []` expects no text at all");
        sink.push(found.label("say what the words have in them"));
    }
}

/// Why a jq predicate does not hold.
async fn refuted(jq: &Jq, value: &Value) -> Option<String> {
    match jq.run(value.clone(), Vec::new(), PREDICATE).await {
        Ok(Value::Bool(true)) => None,
        Ok(other) => {
            let (said, of) = (compare::short(&other), compare::short(value));
            Some(format!("expected the jq program to give true, it gives {said} for {of}"))
        }
        Err(fault) => Some(fault.to_string()),
    }
}
