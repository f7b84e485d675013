//! The names of steps: which are taken, and who sees which.

use std::sync::Arc;

use serde_json::{Value, json};

use super::step::Step;
use crate::action::{Arguments, Builder, Param};
use crate::spec::model::steps::{self as written, OnError};
use crate::spec::model::{self, Str};
use crate::spec::{Code, Diagnostic, Span, Spanned};

/// What no step can be called, as the steps themselves give these names.
const RESERVED: [&str; 5] = ["caller", "item", "index", "error", "errors"];
/// The failures that the steps went on after.
pub(super) const ERRORS: &str = "errors";

/// A name that the steps make.
pub(super) fn made(name: &str, span: Span, schema: Arc<Value>, optional: bool) -> Param {
    Param { name: Spanned::new(name.to_owned(), span), schema, optional, secret: false }
}

/// Adds the names that a step makes to those that are known behind it.
pub(super) fn add(
    written: &model::Step,
    compiled: Option<&Step>,
    known: &mut Vec<Param>,
    owner: &str,
    builder: &mut Builder<'_>,
) {
    for name in of(written) {
        if is_new(name, known, owner, builder) {
            let sure = written.flow.for_each.is_some();
            let optional = !sure && (may_be_nothing(written, name) || compiled.is_some_and(Step::is_optional));
            known.push(made(&name.value, name.span, Arc::new(json!({})), optional));
        }
    }
    let Some(span) = goes_on(written) else { return };
    let errors = json!({ "type": "object", "additionalProperties": { "type": ["string", "object"] } });
    match known.iter().find(|p| p.name.value == ERRORS) {
        None => known.push(made(ERRORS, span, Arc::new(errors), false)),
        // Those of the steps around these.
        Some(known) if *known.schema == errors => {}
        Some(clash) => {
            taken(ERRORS, span, clash, owner, "`onError: continue` keeps what failed under this name", builder);
        }
    }
}

/// The names that a step makes: its own, or those of the steps in a `parallel` without one.
pub(super) fn of(step: &model::Step) -> Vec<&Str> {
    match (&step.name, &step.does) {
        (Some(name), _) => vec![name],
        (None, Some(written::Does::Parallel(steps))) if step.flow.for_each.is_none() => {
            steps.iter().flat_map(of).collect()
        }
        (None, _) => Vec::new(),
    }
}

fn may_be_nothing(step: &model::Step, name: &Str) -> bool {
    let inner = match &step.does {
        Some(written::Does::Parallel(steps)) if step.name.is_none() => steps.as_slice(),
        _ => &[],
    };
    step.flow.when.is_some()
        || matches!(step.flow.on_error, Some(OnError::Continue(_)))
        || inner.iter().any(|s| of(s).iter().any(|n| n.span == name.span) && may_be_nothing(s, name))
}

/// Where it is said that the steps go on after this one failed.
fn goes_on(step: &model::Step) -> Option<Span> {
    if let Some(OnError::Continue(at)) = &step.flow.on_error {
        return Some(at.span);
    }
    match &step.does {
        Some(written::Does::Parallel(steps)) if step.name.is_none() => steps.iter().find_map(goes_on),
        _ => None,
    }
}

/// Whether a step's name is not taken; reports one that is, or that no template could say.
pub(super) fn is_new(name: &Str, known: &[Param], owner: &str, builder: &mut Builder<'_>) -> bool {
    if RESERVED.contains(&name.value.as_str()) {
        let words = format!("the name `{}` is reserved", name.value);
        builder.sink.push_once(Diagnostic::error(Code::NameClash, name.span, words));
        return false;
    }
    if let Some(clash) = known.iter().find(|p| p.name.value == name.value) {
        taken(&name.value, name.span, clash, owner, "give one of them another name", builder);
        return false;
    }
    if !is_path(&name.value, false) {
        let found = Diagnostic::error(Code::BadValue, name.span, format!("`{}` can't be a step's name", name.value));
        builder.sink.push_once(found.label("letters, digits and `_`, not a digit first"));
    }
    true
}

/// Reports a name that stands for two things.
pub(super) fn taken(name: &str, at: Span, clash: &Param, owner: &str, remedy: &str, builder: &mut Builder<'_>) {
    let words = format!("`{name}` stands for two things in {owner}");
    let found = Diagnostic::error(Code::NameClash, at, words).label(remedy);
    builder.sink.push_once(found.related(clash.name.span, "first defined here"));
}

/// Whether a step sees a name. A script sees only those steps and items that it says: all that it sees become
/// variables, which have a bound.
pub(super) fn sees(step: &model::Step, name: &Param) -> bool {
    match &step.does {
        Some(written::Does::Run(model::Action::Shell(shell))) if *name.schema == json!({}) => {
            shell.says(&name.name.value)
        }
        _ => true,
    }
}

/// A name, or with `dots` a path of fields and positions below one.
pub(super) fn is_path(text: &str, dots: bool) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (dots && c == '.'))
        && !text.contains("..")
        && !text.ends_with('.')
}

/// What a path leads to, if it leads to something.
pub(super) fn follow<'n>(path: &str, names: &'n Arguments) -> Option<&'n Value> {
    let mut parts = path.split('.');
    let root = names.get(parts.next()?)?;
    parts.try_fold(root, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}
