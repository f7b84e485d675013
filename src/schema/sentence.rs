//! What does not fit, in sentences that a language model can act on.

use super::ArgumentFault;
use super::keywords::near;
use super::phrases::{MAX_QUOTE, characters, described, items, listed, literal, plural, quote, types};
use super::values::cut;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::LocationSegment;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Forms of an `anyOf` whose mismatch is told.
const MAX_FORMS: usize = 5;

/// Says what validation found.
pub struct Sentences<'s> {
    pub schema: &'s Map<String, Value>,
    pub secrets: &'s HashSet<String>,
}

/// What a path is shown as.
#[derive(Clone, Default)]
struct Path {
    text: String,
    secret: bool,
}

impl Sentences<'_> {
    /// The faults that `error` stands for: one for each name that is not allowed, else one.
    pub fn of(&self, error: &ValidationError<'_>) -> Vec<ArgumentFault> {
        let at = self.path(error);
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().map(|name| self.unexpected(error, &at, name)).collect()
            }
            Kind::Required { property } => {
                let path = join(&at.text, property.as_str().unwrap_or_default());
                let message = format!("`{}` is required", shown(&path));
                vec![ArgumentFault { path, message }]
            }
            _ => {
                let message = format!("{} {}", subject(&at.text), self.predicate(error, at.secret));
                vec![ArgumentFault { path: at.text, message }]
            }
        }
    }

    fn path(&self, error: &ValidationError<'_>) -> Path {
        let mut path = Path::default();
        for segment in error.instance_path().segments() {
            match segment {
                LocationSegment::Property(name) => {
                    path.secret |= self.secrets.contains(name.as_ref());
                    path.text = join(&path.text, &name);
                }
                LocationSegment::Index(i) => path.text = format!("{}[{i}]", path.text),
            }
        }
        path
    }

    fn unexpected(&self, error: &ValidationError<'_>, at: &Path, name: &str) -> ArgumentFault {
        let path = join(&at.text, name);
        let (what, whats) = if at.text.is_empty() { ("parameter", "parameters") } else { ("property", "properties") };
        let known = self.siblings(error);
        let advice = match near(name, known.iter().map(String::as_str)) {
            Some(meant) => format!(": did you mean `{}`?", shown(&join(&at.text, meant))),
            None if known.is_empty() => String::new(),
            None => {
                let quoted = known.iter().map(|k| format!("`{}`", shown(k)));
                format!(": the {whats} are {}", listed(quoted))
            }
        };
        let message = format!("`{}` is not a {what}{advice}", shown(&path));
        ArgumentFault { path, message }
    }

    /// Names in the `properties` beside the keyword that failed.
    fn siblings(&self, error: &ValidationError<'_>) -> Vec<String> {
        let keyword = error.schema_path().as_str();
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        let mut steps = parent.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~"));
        let schema = match steps.next() {
            None => Some(self.schema),
            Some(first) => steps
                .try_fold(self.schema.get(&first), |at, step| {
                    let at = at?;
                    let index = || at.get(step.parse::<usize>().ok()?);
                    Some(at.get(&step).or_else(index))
                })
                .flatten()
                .and_then(Value::as_object),
        };
        let properties = schema.and_then(|s| s.get("properties")).and_then(Value::as_object);
        properties.into_iter().flat_map(|p| p.keys().cloned()).collect()
    }

    /// What the value must be, without its name: `must be at most 100, got 500`.
    pub fn predicate(&self, error: &ValidationError<'_>, secret: bool) -> String {
        let value = error.instance();
        let got = if secret { String::new() } else { format!(", got {}", quote(value)) };
        if let Some((bound, has)) = size(error.kind(), value) {
            return if secret { format!("must have {bound}") } else { format!("must have {bound}, got {has}") };
        }
        match error.kind() {
            Kind::Type { kind } => format!("must be {}{got}", types(kind)),
            Kind::Enum { options } => {
                let options = options.as_array().map_or(&[][..], Vec::as_slice);
                let one_of = if options.len() == 1 { "" } else { "one of " };
                format!("must be {one_of}{}{got}", listed(options.iter().map(literal)))
            }
            Kind::Constant { expected_value } => format!("must be {}{got}", literal(expected_value)),
            Kind::Minimum { limit } => format!("must be at least {limit}{got}"),
            Kind::Maximum { limit } => format!("must be at most {limit}{got}"),
            Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}{got}"),
            Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}{got}"),
            Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}{got}"),
            Kind::Pattern { pattern } => format!("must match the pattern `{}`{got}", cut(pattern, 2 * MAX_QUOTE)),
            Kind::Format { format } => format!("must be {}{got}", described(format)),
            Kind::UniqueItems => "must not have the same item twice".to_owned(),
            Kind::Contains => "has too few or too many items of the kind that it must contain".to_owned(),
            Kind::UnevaluatedItems { .. } => "has more items than it may".to_owned(),
            Kind::FalseSchema => "is not allowed".to_owned(),
            Kind::Not { .. } => format!("is of a form that is not allowed{got}"),
            Kind::OneOfMultipleValid { .. } => "fits several of its forms, but must fit exactly one".to_owned(),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.forms(error, context, secret, &got),
            Kind::PropertyNames { error } => {
                format!("has a name that is not allowed: it {}", self.predicate(error, secret))
            }
            _ => format!("does not satisfy `{}`", error.kind().keyword()),
        }
    }

    /// Why the value is none of several forms. Forms that differ in their types alone are told as one list.
    fn forms(
        &self,
        error: &ValidationError<'_>,
        forms: &[Vec<ValidationError<'static>>],
        secret: bool,
        got: &str,
    ) -> String {
        let here = error.instance_path().as_str();
        let mut names = Vec::new();
        for form in forms {
            match form.as_slice() {
                [one] if one.instance_path().as_str() == here => match one.kind() {
                    Kind::Type { kind } => names.push(types(kind)),
                    _ => break,
                },
                _ => break,
            }
        }
        if !names.is_empty() && names.len() == forms.len() {
            return format!("must be {}{got}", names.join(" or "));
        }
        let reasons = forms.iter().filter_map(|form| form.first()).take(MAX_FORMS).map(|first| {
            if first.instance_path().as_str() == here {
                return format!("it {}", self.predicate(first, secret));
            }
            let faults = self.of(first).into_iter().map(|f| f.message);
            faults.take(1).collect()
        });
        let reasons: Vec<String> = reasons.collect();
        format!("fits none of its forms: {}", reasons.join("; or "))
    }
}

/// The bound that the value's size breaks, and its size.
fn size(kind: &Kind, value: &Value) -> Option<(String, usize)> {
    Some(match kind {
        Kind::MinLength { limit } => (format!("at least {}", plural(*limit, "character")), characters(value)),
        Kind::MaxLength { limit } => (format!("at most {}", plural(*limit, "character")), characters(value)),
        Kind::MinItems { limit } => (format!("at least {}", plural(*limit, "item")), items(value)),
        Kind::MaxItems { limit } => (format!("at most {}", plural(*limit, "item")), items(value)),
        Kind::AdditionalItems { limit } => (format!("at most {}", plural(*limit, "item")), items(value)),
        Kind::MinProperties { limit } => (format!("at least {}", plural(*limit, "property")), items(value)),
        Kind::MaxProperties { limit } => (format!("at most {}", plural(*limit, "property")), items(value)),
        _ => return None,
    })
}

fn subject(path: &str) -> String {
    if path.is_empty() { "the value".to_owned() } else { format!("`{}`", shown(path)) }
}

fn shown(path: &str) -> String {
    cut(path, MAX_QUOTE)
}

fn join(path: &str, name: &str) -> String {
    let plain =
        !name.is_empty() && !name.contains(|c: char| ".[]`\"".contains(c) || c.is_control() || c.is_whitespace());
    match (plain, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", Value::from(name)),
    }
}
