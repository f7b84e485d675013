//! What another MCP server offers, as entries of the document.

use serde_json::{Map, Value, json};

use super::{Picks, clash, lay_over, patterns};
use crate::action::mcp::{McpSource, Offers, text_of};
use crate::action::source::Sources;
use crate::catalog::{resource, tool};
use crate::openapi::{self, Left, Pattern};
use crate::spec::model::import::Selection;
use crate::spec::model::{Document, Import, Prompt, Resource, Str, Tool};
use crate::spec::node::Node;
use crate::spec::read::{At, FromNode};
use crate::spec::{Code, Diagnostic, Diagnostics, Span, Spanned};

/// Characters of the longest description that is taken whole.
const MAX_DESCRIPTION: usize = 4_000;

/// Reports keys of an OpenAPI import that are for servers.
pub fn refuse_keys(import: &Import, sink: &mut Diagnostics) {
    for choice in [&import.include, &import.exclude].into_iter().flatten() {
        let Picks::Kinds(kinds) = choice else { continue };
        let wrong = [("tools", &kinds.tools), ("resources", &kinds.resources), ("prompts", &kinds.prompts)];
        refuse_lists(wrong, "a description has operations", "`operations`, `paths`, `methods`, `tags`", kinds.at, sink);
    }
}

/// Reports keys of a server's import that are for descriptions.
pub fn check_keys(import: &Import, sink: &mut Diagnostics) {
    let resources =
        import.as_resource.as_ref().and_then(|all| all.0.first()).map(|(name, _)| (name.span, "asResource"));
    let source = import.source.as_ref().map(|name| (name.span, "source"));
    let schemas = import.output_schemas.as_ref().map(|yes| (yes.span, "outputSchemas"));
    for (span, key) in [resources, source, schemas].into_iter().flatten() {
        let words = format!("`{key}` is for an import of `openapi`");
        sink.push(Diagnostic::error(Code::BadValue, span, words).label("take it out"));
    }
    for choice in [&import.include, &import.exclude].into_iter().flatten() {
        let Picks::Kinds(kinds) = choice else { continue };
        let wrong = [
            ("tags", &kinds.tags),
            ("paths", &kinds.paths),
            ("methods", &kinds.methods),
            ("operations", &kinds.operations),
        ];
        refuse_lists(
            wrong,
            "a server has names",
            "`tools`, `resources`, `prompts`, or a list of names",
            kinds.at,
            sink,
        );
    }
}

fn refuse_lists<const N: usize>(
    lists: [(&str, &Option<Vec<Str>>); N],
    has: &str,
    remedy: &str,
    at: Span,
    sink: &mut Diagnostics,
) {
    for (key, list) in lists {
        if let Some(list) = list {
            let place = list.first().map_or(at, |first| first.span);
            let words = format!("`{key}` says nothing here: {has}");
            sink.push(Diagnostic::error(Code::BadValue, place, words).label(format!("choose by {remedy}")));
        }
    }
}

/// The three kinds of what a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tool,
    Resource,
    Prompt,
}

/// What is taken of a server.
struct Wishes {
    include: [Option<Vec<Pattern>>; 3],
    exclude: [Option<Vec<Pattern>>; 3],
}

impl Wishes {
    /// `None` after a mistake.
    fn read(import: &Import, sink: &mut Diagnostics) -> Option<Wishes> {
        Some(Wishes { include: lists(import.include.as_ref(), sink)?, exclude: lists(import.exclude.as_ref(), sink)? })
    }

    fn takes(&self, kind: Kind, name: &str) -> bool {
        let of = |lists: &[Option<Vec<Pattern>>; 3]| {
            let list = lists.get(kind as usize).and_then(Option::as_ref);
            list.map(|patterns| patterns.iter().any(|pattern| pattern.fits(name)))
        };
        of(&self.include).unwrap_or(true) && !of(&self.exclude).unwrap_or(false)
    }
}

/// The patterns of each kind.
fn lists(choice: Option<&Picks>, sink: &mut Diagnostics) -> Option<[Option<Vec<Pattern>>; 3]> {
    match choice {
        None => Some([None, None, None]),
        Some(Picks::Kinds(kinds)) => {
            let Selection { tools, resources, prompts, .. } = kinds.as_ref();
            let mut of = |list: &Option<Vec<Str>>| patterns(list.as_deref(), sink);
            Some([of(tools)?, of(resources)?, of(prompts)?])
        }
        Some(Picks::Names { names, .. }) => {
            let mut all = || patterns(Some(names), sink);
            Some([all()?, all()?, all()?])
        }
    }
}

/// Adds what a server offers, and gives whether all of it is known: nothing is while it can't be asked.
pub fn take_over(
    document: &mut Document,
    import: &Import,
    name: &Str,
    sources: &Sources,
    sink: &mut Diagnostics,
) -> bool {
    let Some(source) = sources.mcp(name, sink) else { return false };
    let Some(wishes) = Wishes::read(import, sink) else { return false };
    let Some(offers) = source.offers() else {
        if source.is_offline() {
            let words = format!("the MCP server `{}` is not asked (--offline), so nothing of it is here", name.value);
            sink.push(Diagnostic::warning(Code::BadImport, name.span, words));
        }
        return false;
    };
    let left = offers.left.iter().map(|(name, why)| Left::part("", name.clone(), why.clone())).collect();
    let mut taking =
        Taking { document, import, name, source: &source, offers: &offers, wishes, left, made: Vec::new(), sink };
    taking.refuse_unknown();
    offers.tools.iter().for_each(|entry| taking.tool(entry));
    offers.resources.iter().for_each(|entry| taking.resource(entry, "uri"));
    offers.templates.iter().for_each(|entry| taking.resource(entry, "uriTemplate"));
    offers.prompts.iter().for_each(|entry| taking.prompt(entry));
    taking.finish();
    true
}

struct Taking<'t> {
    document: &'t mut Document,
    import: &'t Import,
    name: &'t Str,
    source: &'t McpSource,
    offers: &'t Offers,
    wishes: Wishes,
    left: Vec<Left>,
    /// The names and URIs of all that was made.
    made: Vec<String>,
    sink: &'t mut Diagnostics,
}

impl Taking<'_> {
    /// Reports names that are no patterns and that the server does not have.
    fn refuse_unknown(&mut self) {
        let (source, offers) = (self.source, self.offers);
        let known = || offers.tool_names().chain(offers.prompt_names()).chain(offers.uris());
        let mut named: Vec<&Spanned<String>> = self.import.rename.names().collect();
        for choice in [&self.import.include, &self.import.exclude].into_iter().flatten() {
            match choice {
                Picks::Names { names, .. } => named.extend(names),
                Picks::Kinds(kinds) => {
                    let lists = [&kinds.tools, &kinds.resources, &kinds.prompts];
                    named.extend(lists.into_iter().flatten().flatten());
                }
            }
        }
        for name in named.into_iter().filter(|name| !name.value.contains('*')) {
            if let Some(found) = source.unknown("tool, prompt or resource", name, known()) {
                self.sink.push(found);
            }
        }
    }

    fn tool(&mut self, entry: &Map<String, Value>) {
        let Some(own) = text_of(entry, "name").filter(|name| self.wishes.takes(Kind::Tool, name)) else { return };
        let (name, span) = self.renamed(own);
        let mut keys = self.shared(entry);
        for key in ["inputSchema", "outputSchema", "annotations"] {
            if let Some(value) = entry.get(key).filter(|value| !value.is_null()) {
                keys.insert(key.to_owned(), value.clone());
            }
        }
        keys.insert("mcp".to_owned(), json!({ "source": self.name.value, "tool": own }));
        let Some(written) = self.read::<Tool>(&name, keys, span) else { return };
        if let Some(why) = tool::refusal(&name, &written) {
            self.left.push(Left::operation(own, why));
            return;
        }
        let name = Spanned::new(name, span);
        if let Some(other) = self.document.tools.add(name.clone(), Some(written)) {
            self.clash(&name, own, other, "give it a `prefix`, `rename` it, or `exclude` it");
        }
    }

    fn resource(&mut self, entry: &Map<String, Value>, key: &str) {
        let Some(uri) = text_of(entry, key).filter(|uri| self.wishes.takes(Kind::Resource, uri)) else { return };
        let span = self.name.span;
        let place = Spanned::new(uri.to_owned(), span);
        if let Some(why) = resource::refusal(&place) {
            self.left.push(Left::operation(uri, why));
            return;
        }
        let mut keys = self.shared(entry);
        let prefix = self.prefix();
        if let Some(name) = text_of(entry, "name") {
            keys.insert("name".to_owned(), json!(format!("{prefix}{name}")));
        }
        for key in ["mimeType", "annotations"] {
            if let Some(value) = entry.get(key).filter(|value| !value.is_null()) {
                keys.insert(key.to_owned(), value.clone());
            }
        }
        if key == "uriTemplate" && self.offers.completions {
            let variables = crate::uri::UriTemplate::parse(uri);
            let names: Vec<String> =
                variables.iter().flat_map(|uri| uri.variables()).map(|variable| variable.name.to_owned()).collect();
            if !names.iter().any(|name| name == "value") {
                let complete = |name: String| {
                    let asks = json!({ "source": self.name.value, "resource": uri, "argument": name });
                    (name, json!({ "mcp": asks }))
                };
                keys.insert("complete".to_owned(), names.into_iter().map(complete).collect());
            }
        }
        keys.insert("mcp".to_owned(), json!({ "source": self.name.value, "resource": uri }));
        let Some(written) = self.read::<Resource>(uri, keys, span) else { return };
        if let Some(other) = self.document.resources.add(place.clone(), Some(written)) {
            self.clash(&place, uri, other, "leave one of them out: `exclude: { resources: […] }`");
        }
    }

    fn prompt(&mut self, entry: &Map<String, Value>) {
        let Some(own) = text_of(entry, "name").filter(|name| self.wishes.takes(Kind::Prompt, name)) else { return };
        let (name, span) = self.renamed(own);
        let mut keys = self.shared(entry);
        let arguments = entry.get("arguments").and_then(Value::as_array).into_iter().flatten();
        let arguments: Vec<&Map<String, Value>> = arguments.filter_map(Value::as_object).collect();
        let completes = self.offers.completions && !arguments.iter().any(|one| text_of(one, "name") == Some("value"));
        let argument = |one: &Map<String, Value>| {
            let argument = text_of(one, "name")?;
            let mut keys: Map<String, Value> = Map::new();
            for key in ["title", "description", "required"] {
                if let Some(value) = one.get(key).filter(|value| !value.is_null()) {
                    keys.insert(key.to_owned(), value.clone());
                }
            }
            if completes {
                let asks = json!({ "source": self.name.value, "prompt": own, "argument": argument });
                keys.insert("complete".to_owned(), json!({ "mcp": asks }));
            }
            Some((argument.to_owned(), Value::Object(keys)))
        };
        let arguments: Map<String, Value> = arguments.into_iter().filter_map(argument).collect();
        keys.insert("arguments".to_owned(), Value::Object(arguments));
        keys.insert("mcp".to_owned(), json!({ "source": self.name.value, "prompt": own }));
        let Some(written) = self.read::<Prompt>(&name, keys, span) else { return };
        let name = Spanned::new(name, span);
        if let Some(other) = self.document.prompts.add(name.clone(), Some(written)) {
            self.clash(&name, own, other, "give it a `prefix`, `rename` it, or `exclude` it");
        }
    }

    fn prefix(&self) -> String {
        self.import.prefix.as_ref().map(|prefix| prefix.value.clone()).unwrap_or_default()
    }

    /// The name here, and the place to point to.
    fn renamed(&self, own: &str) -> (String, Span) {
        let to = self.import.rename.iter().find(|(from, _)| from.value == own).map(|(_, to)| to);
        let (name, span) = to.map_or((own, self.name.span), |to| (to.value.as_str(), to.span));
        (format!("{}{name}", self.prefix()), span)
    }

    /// The keys that all three kinds have.
    fn shared(&self, entry: &Map<String, Value>) -> Map<String, Value> {
        let mut keys = Map::new();
        for key in ["title", "description"] {
            if let Some(words) = text_of(entry, key) {
                keys.insert(key.to_owned(), Value::String(cut(words)));
            }
        }
        for key in ["icons", "_meta"] {
            if let Some(value) = entry.get(key).filter(|value| !value.is_null()) {
                keys.insert(key.to_owned(), value.clone());
            }
        }
        keys
    }

    /// Reads what was made, with what the author lays over it. What is wrong with the server's part leaves it out; what
    /// is wrong with the author's is reported.
    fn read<T: FromNode>(&mut self, name: &str, keys: Map<String, Value>, span: Span) -> Option<T> {
        self.made.push(name.to_owned());
        let mut node = Node::made(&Value::Object(keys), span);
        let at = At { span, name: Some(name) };
        let mut scratch = Diagnostics::default();
        let read = T::from_node(&node, at, &mut scratch);
        if let Some(found) = scratch.first_error() {
            self.left.push(Left::operation(name, found.message.clone()));
            return None;
        }
        let Some((_, over)) = self.import.overrides.iter().find(|(other, _)| other.value == name) else { return read };
        lay_over(&mut node, over);
        T::from_node(&node, at, self.sink)
    }

    fn clash(&mut self, name: &Spanned<String>, own: &str, other: Span, remedy: &str) {
        let mut found = Diagnostics::default();
        clash(name, own, other, remedy, &mut found);
        if let Some(found) = found.first_error() {
            self.sink.push(self.source.blame(found.clone()));
        }
    }

    /// Reports overrides of nothing, and what was left out.
    fn finish(self) {
        for (name, _) in self.import.overrides.all() {
            let known = self.made.iter().map(String::as_str);
            if let Some(found) = self.source.unknown("imported tool, prompt or resource", name, known) {
                self.sink.push(found);
            }
        }
        if !self.left.is_empty() {
            let words = format!("not all of the MCP server `{}` is taken over as it is", self.name.value);
            let found = Diagnostic::warning(Code::BadImport, self.name.span, words);
            self.sink.push(openapi::by_reason(self.left.iter()).into_iter().fold(found, Diagnostic::help));
        }
    }
}

fn cut(words: &str) -> String {
    match words.char_indices().nth(MAX_DESCRIPTION) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}… (cut)", words.get(..end).unwrap_or_default()),
    }
}
