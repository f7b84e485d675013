//! What compiling an action works with: the spec's texts and sources, and the sink for its mistakes.

use std::collections::HashSet;
use std::path::PathBuf;

use super::callee::Callees;
use super::source::Sources;
use super::{Limits, Scope};
use crate::spec::model::Sandbox;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Kind, Node, Span, Spanned};
use crate::template::{Partials, Template, ValueTemplate};
use crate::uri::UriTemplate;

/// What compiling works with, and where it puts what it finds.
#[derive(Debug)]
pub struct Builder<'a> {
    /// The spec's texts.
    pub files: &'a mut Files,
    /// The spec's sources, open.
    pub sources: &'a Sources,
    /// The spec's handlebars fragments.
    pub partials: &'a Partials,
    /// The spec's tools, as far as they are compiled.
    pub tools: &'a mut Callees,
    /// Tools whose schemas are known to compile: an import has looked at them.
    pub known: &'a HashSet<String>,
    /// Bounds for actions that name none.
    pub limits: Limits,
    /// The sandbox of commands that have none of their own.
    pub sandbox: Option<&'a Sandbox>,
    /// Whether commands of a spec that others may write are taken.
    pub trust: Trust,
    /// Where mistakes go.
    pub sink: &'a mut Diagnostics,
    /// Files that the catalog depends on beside the spec's own, for the watcher.
    pub inputs: &'a mut Vec<PathBuf>,
}

impl Builder<'_> {
    /// A relative path of the spec, as a path from where this process stands.
    pub fn resolve(&self, path: &str, stands_at: Span) -> PathBuf {
        self.files.folder(stands_at.file).join(path)
    }

    /// Reads a text file that the spec names; a mistake is reported at the name.
    pub fn read(&mut self, name: &Spanned<String>) -> Option<Spanned<String>> {
        read(self.files, name, name.span, self.sink, self.inputs)
    }

    /// Compiles a handlebars text and checks that its names are known; every mistake is reported at its place.
    pub fn template(&mut self, text: &Spanned<String>, scope: &Scope<'_>) -> Option<Template> {
        match Template::compile(text, self.partials) {
            Ok(template) => {
                let unknown = template.names().iter().filter(|n| scope.get(&n.name).is_none());
                let found: Vec<_> = unknown.map(|n| scope.unknown(&n.name, text.at(n.range.clone()))).collect();
                let known = found.is_empty();
                found.into_iter().for_each(|d| self.sink.push(d));
                known.then_some(template)
            }
            Err(faults) => {
                for fault in faults {
                    self.sink.push(Diagnostic::fault(Code::BadTemplate, text, fault));
                }
                None
            }
        }
    }

    /// Compiles JSON in whose strings templates may stand; every mistake is reported at its place.
    pub fn json(&mut self, node: &Node, scope: &Scope<'_>) -> Option<ValueTemplate> {
        match &node.kind {
            Kind::String(text) => {
                let text = Spanned::new(text.written().to_owned(), node.span);
                self.template(&text, scope).map(ValueTemplate::from)
            }
            Kind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.json(item, scope)).collect();
                items.into_iter().collect::<Option<_>>().map(ValueTemplate::List)
            }
            Kind::Map(entries) => {
                let fields: Vec<_> =
                    entries.iter().map(|e| Some((e.key.value.clone(), self.json(&e.value, scope)?))).collect();
                fields.into_iter().collect::<Option<_>>().map(ValueTemplate::Object)
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => Some(ValueTemplate::Literal(node.to_json())),
            Kind::Fault => None,
        }
    }

    /// Parses a URI template and checks that its variables are known.
    pub fn uri_template(&mut self, text: &Spanned<String>, scope: &Scope<'_>) -> Option<UriTemplate> {
        match UriTemplate::parse(text) {
            Ok(template) => {
                let unknown = template.variables().filter(|v| scope.get(v.name).is_none());
                let found: Vec<_> = unknown.map(|v| scope.unknown(v.name, text.at(v.range.clone()))).collect();
                let known = found.is_empty();
                found.into_iter().for_each(|d| self.sink.push(d));
                known.then_some(template)
            }
            Err(fault) => {
                self.sink.push(Diagnostic::fault(Code::BadUriTemplate, text, fault));
                None
            }
        }
    }

    /// The folder that `cwd` or `root` names, or the spec's own; reported if it is not there.
    pub fn folder(&mut self, named: Option<(&str, Span)>, at: Span) -> Option<PathBuf> {
        let (path, span) = match named {
            Some((path, span)) => (self.resolve(path, span), span),
            None => (self.files.folder(at.file).to_owned(), at),
        };
        let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
        if !path.is_dir() {
            let words = format!("there is no folder {}", path.display());
            self.sink.push_once(Diagnostic::error(Code::MissingFile, span, words));
            return None;
        }
        Some(path)
    }
}

/// Reads a text file that the spec names at `at`, where a mistake is reported.
pub(super) fn read(
    files: &mut Files,
    name: &str,
    at: Span,
    sink: &mut Diagnostics,
    inputs: &mut Vec<PathBuf>,
) -> Option<Spanned<String>> {
    let path = files.folder(at.file).join(name);
    inputs.push(path.clone());
    match files.read(name, path) {
        Ok(text) => Some(text),
        Err(why) => {
            sink.push(Diagnostic::error(Code::MissingFile, at, format!("can't read `{name}`")).label(why));
            None
        }
    }
}

/// What is thought of a spec that somebody else may write, and with it the commands that it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It is refused.
    Owner,
    /// It is taken.
    Anybody,
}

impl From<bool> for Trust {
    fn from(anybody: bool) -> Self {
        if anybody { Trust::Anybody } else { Trust::Owner }
    }
}
