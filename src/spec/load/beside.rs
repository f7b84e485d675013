//! Files that stand for a part of a spec by themselves: a prompt in Markdown, a Handlebars fragment.

mod sections;

use std::path::Path;

use super::{Loader, merge};
use crate::spec::diagnostic::{Code, Diagnostic};
use crate::spec::env;
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::refuse;
use crate::spec::source::{FileId, Span, Spanned};
use crate::spec::text::Text;
use sections::Section;

/// Keys of a prompt that say what the text of its file says too.
const SAYINGS: [&str; 3] = ["messages", "template", "mcp"];

impl Loader<'_> {
    /// Gives the fragments that `partials` of a spec file has by their paths the names of their files.
    pub(super) fn partial_files(&mut self, node: &mut Node, file: FileId) {
        let Some(entry) = node.get("partials").filter(|e| matches!(e.value.kind, Kind::String(_) | Kind::List(_)))
        else {
            return;
        };
        let (entry, at) = (entry.clone(), entry.value.span);
        let mut named = Node { span: at, kind: Kind::Map(Vec::new()) };
        let folder = self.files.folder(file).to_owned();
        for pattern in self.paths(&entry) {
            for path in self.matching(file, &pattern, &["hbs", "handlebars"]) {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let below = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
                let below = Node { span: pattern.span, kind: Kind::String(Text::new(below)) };
                let fragment = map(pattern.span, vec![made("file", below)]);
                let one = map(pattern.span, vec![made(name, fragment)]);
                self.merge_into(&mut named, "partials", one);
            }
        }
        if let Kind::Map(sections) = &mut node.kind
            && let Some(section) = sections.iter_mut().find(|e| e.key.value == "partials")
        {
            section.value = named;
        }
    }

    /// Adds the prompts that `promptFiles` of a spec file means to those that the file itself has.
    pub(super) fn prompt_files(&mut self, node: &mut Node, file: FileId) {
        let patterns = node.get("promptFiles").map(|e| self.paths(&e.clone())).unwrap_or_default();
        for pattern in patterns {
            for path in self.matching(file, &pattern, &["md"]) {
                if let Some(prompt) = self.prompt_file(&path, pattern.span) {
                    merge(node, map(prompt.span, vec![made("prompts", prompt)]), &mut self.sink);
                }
            }
        }
    }

    /// Adds the names of `part` to those of `whole`; one that is there already is reported.
    fn merge_into(&mut self, whole: &mut Node, section: &str, part: Node) {
        let mut both = map(whole.span, vec![made(section, whole.clone())]);
        merge(&mut both, map(part.span, vec![made(section, part)]), &mut self.sink);
        if let Some(entry) = both.get(section) {
            *whole = entry.value.clone();
        }
    }

    /// The prompt of a file, as a map from its name; `None` if the file is read already, or can't be read.
    fn prompt_file(&mut self, path: &Path, named_at: Span) -> Option<Node> {
        self.inputs.push(path.to_owned());
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let text = self.unread(path, &canonical, Some(named_at))?;
        let file = self.files.add(path.display().to_string(), path, text.clone());
        let start = Span::new(file, 0..0);
        let (head, body) = sections::split(&text)
            .map_err(|fault| {
                let found = Diagnostic::error(Code::Syntax, Span::new(file, fault.range), fault.message);
                self.sink.push(found.label("a line `---` ends it"));
            })
            .ok()?;
        let mut head = match text.get(..head) {
            Some(front) if !front.is_empty() => super::super::yaml::parse_to(file, front, &mut self.sink)?,
            _ => Node { span: start, kind: Kind::Null },
        };
        env::interpolate_part(&mut head, self.env, &self.files, &mut self.sink, &mut self.outside);
        let mut keys = match head.kind {
            Kind::Map(keys) => keys,
            Kind::Null => Vec::new(),
            _ => {
                refuse(&head, "a map with the keys of a prompt", &mut self.sink, |found| found);
                return None;
            }
        };
        let name = self.name_of(path, &mut keys, start);
        let sections = sections::of(text.get(body..).unwrap_or_default(), body);
        self.say(&mut keys, &sections, &text, &name);
        let span = name.span;
        Some(map(span, vec![Entry { key: name, value: map(span, keys) }]))
    }

    /// What the file says its name is, or the name of the file without its endings.
    fn name_of(&mut self, path: &Path, keys: &mut Vec<Entry>, start: Span) -> Spanned<String> {
        let written = keys.iter().position(|e| e.key.value == "name").map(|at| keys.remove(at).value);
        match written {
            Some(Node { span, kind: Kind::String(name) }) if !name.written().is_empty() => {
                Spanned::new(name.written().to_owned(), span)
            }
            other => {
                if let Some(node) = other {
                    refuse(&node, "the name of a prompt", &mut self.sink, |found| found);
                }
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                Spanned::new(stem.strip_suffix(".prompt").unwrap_or(&stem).to_owned(), start)
            }
        }
    }

    /// Adds what the text of the file says to the keys of its prompt: a template, or messages.
    fn say(&mut self, keys: &mut Vec<Entry>, sections: &[Section], text: &str, name: &Spanned<String>) {
        let part = |range: &std::ops::Range<usize>| Node {
            span: Span::new(name.span.file, range.clone()),
            kind: Kind::String(Text::new(text.get(range.clone()).unwrap_or_default())),
        };
        let elsewhere = keys.iter().find(|e| SAYINGS.contains(&e.key.value.as_str())).map(|e| &e.key);
        match (elsewhere, sections) {
            (Some(_), []) => {}
            (Some(key), [first, ..]) => {
                let words = format!("this prompt has `{}` and a text below its front matter", key.value);
                let place = Span::new(name.span.file, first.text.clone());
                let found = Diagnostic::error(Code::NameClash, key.span, words).label("keep one of them");
                self.sink.push(found.related(place, "the text"));
                keys.retain(|e| !SAYINGS.contains(&e.key.value.as_str()));
                keys.push(made("template", part(&first.text)));
            }
            (None, []) => {
                let end = text.len();
                let place = Span::new(name.span.file, end.saturating_sub(1)..end);
                let found = Diagnostic::error(Code::MissingKey, place, format!("prompt `{}` says nothing", name.value));
                self.sink.push(found.label("write its text below the front matter"));
                keys.push(made("template", part(&(end..end))));
            }
            (None, [Section { role: None, text }]) => keys.push(made("template", part(text))),
            (None, sections) => {
                let messages = sections.iter().map(|section| {
                    let text = part(&section.text);
                    let role = section.role.as_ref().map_or_else(|| Node::made(&"user".into(), text.span), part);
                    map(role.span, vec![made("role", role), made("text", text)])
                });
                let list = Node { span: name.span, kind: Kind::List(messages.collect()) };
                keys.push(made("messages", list));
            }
        }
    }
}

fn map(span: Span, entries: Vec<Entry>) -> Node {
    Node { span, kind: Kind::Map(entries) }
}

/// An entry that nobody wrote, at the place of its value.
fn made(key: impl Into<String>, value: Node) -> Entry {
    Entry { key: Spanned::new(key.into(), value.span), value }
}
