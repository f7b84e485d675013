//! What a short form stands for: `files`, a folder that is served, for a resource template and a tool that searches;
//! `expose` for the resources that tables are.

mod expose;

use serde_json::{Value, json};

use super::files::FileSet;
use super::{Document, Resource, Str, Tool};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::{At, FromNode};
use crate::spec::source::{Span, Spanned};
use crate::spec::text::Text;

/// Files that `resources/list` has, unless the set says otherwise.
const MAX_FILES: u64 = 1000;
/// Lines that a search gives.
const MAX_LINES: u64 = 100;
/// Values that a completion may have (MCP, `completion/complete`), and one by which it is known that there are more.
const MAX_COMPLETED: u64 = 101;
/// What is said of a name that is taken.
const MADE_BY: &str = "this set of files makes it";

impl Document {
    /// Adds the resources and tools that sets of files and exposed tables stand for.
    pub(super) fn expand_sets(&mut self, sink: &mut Diagnostics) {
        self.expand_exposed(sink);
        let sets: Vec<(Str, FileSet)> = self.files.iter().map(|(name, set)| (name.clone(), set.clone())).collect();
        for (name, set) in sets {
            let Some(root) = set.root.get() else { continue };
            self.add_resource(&name, &set, root, sink);
            if set.search.as_ref().is_some_and(|search| search.wanted) {
                self.add_search(&name, &set, root, sink);
            }
        }
    }

    fn add_resource(&mut self, name: &Str, set: &FileSet, root: &Spanned<Text>, sink: &mut Diagnostics) {
        let Some(base) = base(name, set, sink) else { return };
        let uri = Spanned::new(format!("{}{{+path}}{{?offset,length}}", base.value), base.span);
        let written = json!({
            "name": name.value,
            "params": {
                "path": { "type": "string", "description": "The file's path below the folder" },
                "offset": { "type": "integer", "minimum": 0, "description": "The first byte" },
                "length": { "type": "integer", "minimum": 0, "description": "How many bytes" },
            },
            "file": { "path": "{+path}", "offset": "{{offset}}", "length": "{{length}}" },
            "list": { "files": { "maxRows": set.max_files.as_ref().map_or(MAX_FILES, |max| max.value) } },
            "complete": { "path": { "files": { "startsWith": "{{value}}", "maxRows": MAX_COMPLETED } } },
        });
        let mut node = Node::made(&written, set.at);
        for actions in [&["file"][..], &["list", "files"], &["complete", "path", "files"]] {
            node.enter(actions, |action| set.narrow(action, root));
        }
        node.enter(&["file"], |file| {
            if let Some(max) = &set.max_bytes {
                file.set("maxBytes", Node::made(&json!(max.value.0), max.span));
            }
        });
        let mut read = Resource::from_node(&node, At { span: name.span, name: Some(&name.value) }, sink);
        if let Some(resource) = &mut read {
            resource.title.clone_from(&set.title);
            resource.description.clone_from(&set.description);
            resource.subscribe.clone_from(&set.subscribe);
        }
        if let Some(other) = self.resources.add(uri.clone(), read) {
            clash(&uri, other, MADE_BY, sink);
        }
    }

    fn add_search(&mut self, name: &Str, set: &FileSet, root: &Spanned<Text>, sink: &mut Diagnostics) {
        let search = set.search.as_ref();
        let tool_name = search.and_then(|s| s.name.clone());
        let tool_name = tool_name.unwrap_or_else(|| Spanned::new(format!("search_{}", name.value), name.span));
        let what = set.description.as_ref().map_or(String::new(), |d| format!(" ({})", d.value.trim_end()));
        let described = search.and_then(|s| s.description.as_ref()).map(|d| d.value.clone());
        let described = described.unwrap_or_else(|| {
            format!("Find lines in the files of `{}`{what} that hold a text or fit a regular expression.", name.value)
        });
        let written = json!({
            "description": described,
            "params": {
                "query": { "type": "string", "minLength": 1, "description": "What to search for" },
                "regex": { "type": "boolean", "default": false, "description": "Whether `query` is a regular expression" },
                "ignoreCase": { "type": "boolean", "default": true, "description": "Whether `a` finds `A`" },
            },
            "search": {
                "query": "{{query}}",
                "regex": "{{regex}}",
                "ignoreCase": "{{ignoreCase}}",
                "maxRows": MAX_LINES,
            },
        });
        let mut node = Node::made(&written, set.at);
        node.enter(&["search"], |action| set.narrow(action, root));
        let read = Tool::from_node(&node, At { span: name.span, name: Some(&tool_name.value) }, sink);
        if let Some(other) = self.tools.add(tool_name.clone(), read) {
            clash(&tool_name, other, MADE_BY, sink);
        }
    }
}

impl FileSet {
    /// Gives an action the set's folder and files.
    fn narrow(&self, action: &mut Node, root: &Spanned<Text>) {
        let texts = |list: &[Str]| {
            let items = list.iter().map(|item| Node::made(&Value::String(item.value.clone()), item.span));
            Kind::List(items.collect())
        };
        action.set("root", Node { span: root.span, kind: Kind::String(root.value.clone()) });
        // Without a word on what is meant, hidden files are not: a set is served whole.
        let all = [Spanned::new("**".to_owned(), self.at)];
        let include = self.include.as_deref().unwrap_or(&all);
        action.set("include", Node { span: self.at, kind: texts(include) });
        if let Some(exclude) = &self.exclude {
            action.set("exclude", Node { span: self.at, kind: texts(exclude) });
        }
    }
}

/// What the URIs of a set begin with.
fn base(name: &Str, set: &FileSet, sink: &mut Diagnostics) -> Option<Str> {
    let Some(uri) = &set.uri else {
        return Some(Spanned::new(format!("{}:///", name.value), name.span));
    };
    if uri.value.contains(['{', '}', '?', '#']) || !uri.value.ends_with('/') {
        let found = Diagnostic::error(Code::BadUriTemplate, uri.span, "this is not what URIs of files begin with");
        sink.push(found.label("such as `docs:///manuals/`; the file's path comes after it"));
        return None;
    }
    Some(uri.clone())
}

fn clash(name: &Str, other: Span, made_by: &str, sink: &mut Diagnostics) {
    let found = Diagnostic::error(Code::NameClash, name.span, format!("`{}` is defined twice", name.value));
    sink.push(found.label(made_by).related(other, "first defined here"));
}

impl Node {
    /// A node that nobody wrote: `value`, all of it at `span`.
    pub fn made(value: &Value, span: Span) -> Node {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(truth) => Kind::Bool(*truth),
            Value::Number(number) => Kind::Number(number.clone()),
            Value::String(text) => Kind::String(Text::new(text)),
            Value::Array(items) => Kind::List(items.iter().map(|item| Node::made(item, span)).collect()),
            Value::Object(fields) => {
                Kind::Map(fields.iter().map(|(key, value)| entry(key, Node::made(value, span))).collect())
            }
        };
        Node { span, kind }
    }

    /// Changes the node that these keys lead to, if there is one.
    fn enter(&mut self, keys: &[&str], change: impl FnOnce(&mut Node)) {
        match keys.split_first() {
            None => change(self),
            Some((key, rest)) => {
                let Kind::Map(entries) = &mut self.kind else { return };
                if let Some(entry) = entries.iter_mut().find(|entry| entry.key.value == *key) {
                    entry.value.enter(rest, change);
                }
            }
        }
    }

    /// Adds an entry to a map.
    fn set(&mut self, key: &str, value: Node) {
        if let Kind::Map(entries) = &mut self.kind {
            entries.push(entry(key, value));
        }
    }
}

fn entry(key: &str, value: Node) -> Entry {
    Entry { key: Spanned::new(key.to_owned(), value.span), value }
}
