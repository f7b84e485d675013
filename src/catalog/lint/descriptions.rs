//! Descriptions that are missing or too short: a model chooses by them and by nothing else.

use super::{Subject, entries};
use crate::spec::node::{Entry, Kind};
use crate::spec::{Code, Diagnostic, Diagnostics, Node, Span};

/// Words that a description has at least.
const MIN_WORDS: usize = 3;
/// Letters of a param's name that may say what it is.
const MIN_NAME: usize = 3;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 12] =
    ["arg", "args", "data", "foo", "input", "opt", "options", "param", "params", "payload", "val", "value"];

pub fn lint(subject: &Subject<'_>, sink: &mut Diagnostics) {
    for (section, what, takes, reader) in [
        ("tools", "tool", "params", "a model chooses a tool by its description"),
        ("prompts", "prompt", "arguments", "people choose a prompt by its description"),
    ] {
        for entry in subject.section(section) {
            described(entry, what, reader, sink);
            for param in entries(&entry.value, takes).1 {
                named(param, &entry.key.value, what, sink);
            }
        }
    }
}

/// Reports a tool or prompt that doesn't say what it is for.
fn described(entry: &Entry, what: &str, reader: &str, sink: &mut Diagnostics) {
    let name = &entry.key.value;
    let (code, place, words) = match text(&entry.value, "description") {
        None => (Code::MissingDescription, entry.key.span, format!("{what} `{name}` has no description")),
        Some((text, place)) if is_short(text) => {
            (Code::ShortDescription, place, format!("the description of {what} `{name}` says too little"))
        }
        Some(_) => return,
    };
    let label = match code {
        Code::MissingDescription => "add a `description`".to_owned(),
        _ => format!("write {MIN_WORDS} words or more"),
    };
    sink.push(Diagnostic::warning(code, place, words).label(label).help(reader));
}

fn is_short(text: &str) -> bool {
    // A writing system without spaces has no words to count.
    text.is_ascii() && text.split_whitespace().count() < MIN_WORDS
}

/// Reports a param without description whose name doesn't say what it is.
fn named(param: &Entry, owner: &str, what: &str, sink: &mut Diagnostics) {
    let name = param.key.value.as_str();
    let says = name.chars().count() >= MIN_NAME && !EMPTY_NAMES.contains(&name.to_lowercase().as_str());
    let explained = ["description", "enum", "const", "$ref"].iter().any(|key| param.value.get(key).is_some());
    if !says && name != "id" && !explained {
        let words = format!("`{name}` of {what} `{owner}` has no description, and its name does not say what it is");
        let found = Diagnostic::warning(Code::MissingDescription, param.key.span, words);
        sink.push(found.label("add a `description`, or choose a longer name"));
    }
}

/// A string by its key, unless it is blank, and its place.
fn text<'n>(node: &'n Node, key: &str) -> Option<(&'n str, Span)> {
    let value = &node.get(key)?.value;
    let Kind::String(text) = &value.kind else { return None };
    let text = text.expose().trim();
    (!text.is_empty()).then_some((text, value.span))
}
