//! `call`: a step that calls another tool of the spec.

use serde_json::{Map, Value};

use crate::action::callee::Callee;
use crate::action::hints::Hints;
use crate::action::{Arguments, Builder, Call, Capabilities, Param, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::steps::CallStep;
use crate::spec::read::list_names;
use crate::spec::{Code, Diagnostic, Kind, Node};
use crate::template::ValueTemplate;

/// A compiled `call` step.
#[derive(Debug)]
pub(super) struct CallTool {
    name: String,
    callee: Callee,
    with: ValueTemplate,
    max_bytes: usize,
}

impl CallTool {
    pub(super) fn compile(written: &CallStep, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let with = match &written.with {
            Some(node) => builder.json(node, scope),
            None => Some(ValueTemplate::Object(Vec::new())),
        };
        let tools = &*builder.tools;
        let Some(callee) = tools.known.get(&written.tool.value) else {
            if tools.partial {
                return None;
            }
            let words = format!("there is no tool `{}`", written.tool.value);
            let found = Diagnostic::error(Code::UnknownName, written.tool.span, words);
            builder.sink.push(found.nearest(&written.tool.value, tools.known.keys().map(String::as_str)));
            return None;
        };
        let callee = callee.clone()?;
        let sound = check(written, &callee.params, builder);
        let with = with.filter(|_| sound)?;
        Some(CallTool { name: written.tool.value.clone(), callee, with, max_bytes: builder.limits.max_bytes })
    }

    pub(super) async fn run(&self, names: &Arguments, call: &Call) -> Result<Value, ActionError> {
        let with = self.with.render(names, self.max_bytes).map_err(|fault| render_fault(&fault))?;
        let arguments = match with {
            Some(Value::Object(arguments)) => arguments,
            _ => Map::new(),
        };
        (self.callee.run)(arguments, call.clone()).await
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn hints(&self) -> Hints {
        self.callee.hints
    }

    pub(super) fn depth(&self) -> usize {
        self.callee.depth
    }

    pub(super) fn requires(&self) -> Capabilities {
        self.callee.requires
    }
}

/// Reports arguments that the tool does not take, and those that it misses.
fn check(written: &CallStep, params: &[Param], builder: &mut Builder<'_>) -> bool {
    let before = builder.sink.errors();
    let entries = match written.with.as_ref().map(|node| (&node.kind, node)) {
        None => &[],
        Some((Kind::Map(entries), _)) => entries.as_slice(),
        Some((_, node)) => {
            crate::spec::read::refuse(node, "a map from params to values", builder.sink, |found| found);
            return false;
        }
    };
    for entry in entries {
        let name = &entry.key;
        if !params.iter().any(|p| p.name.value == name.value) {
            let words = format!("tool `{}` has no param `{}`", written.tool.value, name.value);
            let known: Vec<&str> = params.iter().map(|p| p.name.value.as_str()).collect();
            let found = Diagnostic::error(Code::UnknownName, name.span, words);
            let found = found.nearest(&name.value, known.iter().copied());
            builder.sink.push(match found.label.is_empty() {
                true if known.is_empty() => found.label("it takes nothing"),
                true => found.label(format!("it takes {}", list_names(&known))),
                false => found,
            });
        }
    }
    let given = |name: &str| entries.iter().any(|e| e.key.value == name);
    let needed = params.iter().filter(|p| !p.optional && p.schema.get("default").is_none());
    for param in needed.filter(|p| !given(&p.name.value)) {
        let words = format!("tool `{}` needs `{}`", written.tool.value, param.name.value);
        let at = written.with.as_ref().map_or(written.tool.span, |node: &Node| node.span);
        let found = Diagnostic::error(Code::MissingKey, at, words).label("give it in `with`");
        builder.sink.push(found.related(param.name.span, "defined here"));
    }
    builder.sink.errors() == before
}
