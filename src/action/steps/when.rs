//! `when`: whether a step is to be done.

use std::fmt;

use serde_json::Value;

use super::names::is_path;
use crate::action::call::cancelled;
use crate::action::{Arguments, Builder, Call, Scope, render_fault};
use crate::outcome::ActionError;
use crate::outcome::jq::{self, Jq, JqLimits};
use crate::spec::model::Str;
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;

/// Bytes that the answer of a predicate may have.
const MAX_ANSWER: usize = 1024;

/// A compiled `when`.
#[derive(Debug)]
pub(super) struct When {
    text: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// Gives a text where the name is true, as `{{#if}}` has it.
    Name(Template),
    /// A program over an object of all names.
    Predicate(Jq, JqLimits),
}

impl When {
    /// Checks and compiles it: a name or a path below one, or else a jq program.
    pub(super) fn compile(written: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let test = match is_path(&written.value, true) {
            true => name(written, scope, builder).map(Test::Name),
            false => predicate(written, scope, builder)
                .map(|jq| Test::Predicate(jq, JqLimits { time: builder.limits.timeout, max_bytes: MAX_ANSWER })),
        };
        Some(When { text: written.value.clone(), test: test? })
    }

    /// Whether it holds for these names.
    pub(super) async fn holds(&self, names: &Arguments, call: &Call) -> Result<bool, ActionError> {
        let (jq, limits) = match &self.test {
            Test::Name(template) => {
                let text = template.render(names, 1).map_err(|fault| render_fault(&fault))?;
                return Ok(!text.is_empty());
            }
            Test::Predicate(jq, limits) => (jq, *limits),
        };
        let run = jq.run(Value::Object(names.clone()), Vec::new(), limits);
        match call.cancel.run_until_cancelled(run).await {
            None => Err(cancelled()),
            Some(Ok(Value::Bool(holds))) => Ok(holds),
            Some(Ok(Value::Null)) => Ok(false),
            Some(Ok(other)) => {
                let words = format!("`when` has to be true or false, `{}` gave {other}", self.text);
                Err(ActionError::failed(words))
            }
            Some(Err(fault)) => Err(ActionError::failed(format!("`when`: {fault}"))),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.text)
    }
}

fn name(written: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Template> {
    let root = written.value.split('.').next().unwrap_or_default();
    if scope.get(root).is_none() {
        builder.sink.push(scope.unknown(root, written.at(0..root.len())));
        return None;
    }
    builder.template(&Spanned::new(format!("{{{{#if {}}}}}+{{{{/if}}}}", written.value), written.span), scope)
}

fn predicate(written: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Jq> {
    let jq = match Jq::compile(&written.value, &[]) {
        Ok(jq) => jq,
        Err(faults) => {
            for mut fault in faults {
                let said = written.value.get(fault.range.clone()).unwrap_or_default();
                if scope.get(said.split('.').next().unwrap_or_default()).is_some() {
                    fault.help = Some(format!("in a jq predicate a name has a dot before it: `.{said}`"));
                }
                builder.sink.push(Diagnostic::fault(Code::BadJq, written, fault));
            }
            return None;
        }
    };
    let unknown: Vec<_> =
        jq::fields(&written.value).into_iter().filter(|(name, _)| scope.get(name).is_none()).collect();
    let known = unknown.is_empty();
    for (name, range) in unknown {
        builder.sink.push(scope.unknown(&name, written.at(range)));
    }
    known.then_some(jq)
}
