//! MCP completions of prompt arguments and resource variables.

use serde_json::Value;

use crate::action::{Param, Scope};
use crate::spec::model::Complete;
use crate::spec::{Diagnostics, Named};

/// Values that one answer may have (MCP, `completion/complete`).
pub const MAX_VALUES: usize = 100;

/// What a name completes to.
#[derive(Debug)]
pub struct Completion {
    /// The argument or variable.
    pub name: String,
    values: Vec<String>,
}

/// A completion's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// At most [`MAX_VALUES`].
    pub values: Vec<String>,
    /// How many there are in all.
    pub total: usize,
}

impl Completion {
    /// The completions of a resource's variables: those written out, and enums, which complete themselves.
    pub fn compile_all(written: &Named<Complete>, scope: &Scope<'_>, sink: &mut Diagnostics) -> Vec<Self> {
        let unknown = written.names().filter(|name| scope.get(name).is_none());
        unknown.for_each(|name| sink.push(scope.unknown(name, name.span)));
        let of = |param: &Param| {
            let complete = written.iter().find(|(name, _)| name.value == param.name.value).map(|(_, c)| c);
            Self::of(param, complete)
        };
        scope.params.iter().filter_map(of).collect()
    }

    /// The completion of one argument.
    pub fn of(param: &Param, written: Option<&Complete>) -> Option<Self> {
        let values = match written.and_then(|complete| complete.values.get()) {
            Some(values) => values.iter().map(|v| v.value.clone()).collect(),
            None => param.schema.get("enum")?.as_array()?.iter().map(text).collect(),
        };
        Some(Completion { name: param.name.value.clone(), values })
    }

    /// The values that begin with what was typed, whatever its case.
    pub fn complete(&self, typed: &str) -> Completed {
        let typed = typed.to_lowercase();
        let matching = self.values.iter().filter(|v| v.to_lowercase().starts_with(&typed));
        let total = matching.clone().count();
        Completed { values: matching.take(MAX_VALUES).cloned().collect(), total }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
