//! What an import brings: texts that somebody else wrote and that clients get under this server's name.

use serde_json::{Value, json};

use super::{Subject, entries, hidden, suspicious};
use crate::catalog::{Catalog, Listed};
use crate::spec::model::{Document, Str};
use crate::spec::{Code, Diagnostic, Diagnostics, Node, Span};

/// Something that clients see and the spec does not write out, with the place of what brings it.
#[derive(Debug)]
pub struct Made {
    kind: Kind,
    name: Str,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tool,
    Resource,
    Prompt,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Tool => "tool",
            Kind::Resource => "resource",
            Kind::Prompt => "prompt",
        }
    }
}

/// All of a document that its text does not have.
pub fn find(document: &Document, root: &Node) -> Vec<Made> {
    let missing = |section: &str, kind: Kind, name: &Str| {
        let written = entries(root, section).1.iter().any(|entry| entry.key.value == name.value);
        (!written).then(|| Made { kind, name: name.clone() })
    };
    let tools = document.tools.names().filter_map(|name| missing("tools", Kind::Tool, name));
    let resources = document.resources.names().filter_map(|name| missing("resources", Kind::Resource, name));
    let prompts = document.prompts.names().filter_map(|name| missing("prompts", Kind::Prompt, name));
    tools.chain(resources).chain(prompts).collect()
}

pub(super) fn lint(subject: &Subject<'_>, sink: &mut Diagnostics) {
    undescribed(subject, sink);
    for made in subject.made {
        let Some(listed) = made.listed(subject.catalog) else { continue };
        let mut texts = Vec::new();
        collect(&listed, "", &mut texts);
        for (key, text) in texts {
            let of = format!("{key} in {} `{}`, which is brought in here,", made.kind.noun(), made.name.value);
            if let Some(why) = suspicious::reason(text) {
                let found = Diagnostic::warning(Code::SuspiciousText, made.name.span, format!("a {of} {why}"));
                sink.push_once(found.label("leave it out, or give it a text of your own in `override`"));
            }
            if let Some(c) = hidden::in_text(text) {
                let found = Diagnostic::warning(Code::HiddenCharacters, made.name.span, format!("a {of} has {c}"));
                sink.push_once(found.label("give it a text of your own in `override`"));
            }
        }
    }
}

/// Reports the tools without a word of what they are for, those of one import together.
fn undescribed(subject: &Subject<'_>, sink: &mut Diagnostics) {
    let blank = |made: &&Made| {
        let tool = subject.catalog.tool(&made.name.value).filter(|_| matches!(made.kind, Kind::Tool));
        tool.is_some_and(|tool| tool.listed.description.as_deref().is_none_or(|text| text.trim().is_empty()))
    };
    let mut by_place: Vec<(Span, Vec<&str>)> = Vec::new();
    for made in subject.made.iter().filter(blank) {
        let name = made.name.value.as_str();
        match by_place.iter_mut().find(|(place, _)| *place == made.name.span) {
            Some((_, names)) => names.push(name),
            None => by_place.push((made.name.span, vec![name])),
        }
    }
    for (place, names) in by_place {
        let words = match names.as_slice() {
            [one] => format!("tool `{one}`, which is brought in here, has no description"),
            [first, rest @ ..] => {
                format!("tool `{first}` and {} more, brought in here, have no description", rest.len())
            }
            [] => continue,
        };
        let found = Diagnostic::warning(Code::MissingDescription, place, words);
        sink.push(found.label("give it one in `override`").help("a model chooses a tool by its description"));
    }
}

impl Made {
    /// What clients see of it.
    fn listed(&self, catalog: &Catalog) -> Option<Value> {
        let name = self.name.value.as_str();
        match self.kind {
            Kind::Tool => catalog.tool(name).map(|tool| json!(tool.listed)),
            Kind::Prompt => catalog.prompt(name).map(|prompt| json!(prompt.listed)),
            Kind::Resource => {
                let found = catalog.resources().find(|resource| resource.uri() == name)?;
                Some(match &found.listed {
                    Listed::Resource(resource) => json!(resource),
                    Listed::Template(template) => json!(template),
                })
            }
        }
    }
}

/// The texts of a value that a client shows or a model reads.
fn collect<'v>(value: &'v Value, key: &'v str, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::String(text) if suspicious::READ.contains(&key) => found.push((key, text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| collect(value, key, found)),
        _ => {}
    }
}
