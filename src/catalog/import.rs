//! `import`: what a description or another MCP server stands for becomes tools, resources, prompts and sources of the
//! document, as if somebody had written them.

mod fetch;
mod server;

use std::collections::HashSet;

use serde_json::Value;

use crate::action::source::{Mode, Sources};
use crate::openapi::{self, Imported, Left, Made, Pattern, Selection, Wanted};
use crate::spec::model::import::Picks;
use crate::spec::model::{self, Document, Import, Resource, Source, Tool};
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::outside::Outside;
use crate::spec::read::{At, FromNode, Required};
use crate::spec::{Code, Diagnostic, Diagnostics, Environment, Files, Severity, Span, Spanned, env};
use fetch::Fetch;

/// Imports that one spec may have.
const MAX_IMPORTS: usize = 50;

/// What an expansion reads and reports to.
pub struct Context<'c> {
    /// Where `${…}` of credentials comes from.
    pub env: &'c Environment,
    /// The texts.
    pub files: &'c mut Files,
    /// Whether URLs are asked.
    pub mode: Mode,
    /// Takes what is found.
    pub sink: &'c mut Diagnostics,
    /// Takes the paths of what was read.
    pub inputs: &'c mut Vec<std::path::PathBuf>,
    /// Takes what is read from outside.
    pub outside: &'c mut Outside,
}

/// A document with all that its imports stand for.
#[derive(Debug, Clone)]
pub struct Expanded {
    /// The whole.
    pub document: Document,
    /// Its tools whose schemas are known to compile.
    pub known: HashSet<String>,
    /// Whether all that its descriptions of APIs stand for is there.
    pub whole: bool,
}

/// Adds to a document what its imports stand for.
pub async fn expand(mut document: Document, context: &mut Context<'_>) -> Expanded {
    let (mut known, mut whole) = (HashSet::new(), true);
    let imports = document.import.clone().unwrap_or_default();
    if let Some(import) = imports.get(MAX_IMPORTS) {
        context.sink.error(Code::TooLarge, import.at, format!("a spec has at most {MAX_IMPORTS} imports"));
    }
    for import in imports.iter().take(MAX_IMPORTS) {
        match (&import.openapi, &import.mcp) {
            (Some(location), None) => {
                server::refuse_keys(import, context.sink);
                if let Some(location) = location.get() {
                    whole &= one(&mut document, import, location, &mut known, context).await.is_some();
                }
            }
            (None, Some(_)) => server::check_keys(import, context.sink),
            (None, None) => {
                let found = Diagnostic::error(Code::MissingKey, import.at, "this import is of nothing");
                context.sink.push(found.label("give it one of `openapi`, `mcp`"));
            }
            (Some(_), Some(other)) => {
                let place = other.get().map_or(import.at, |name| name.span);
                let words = "an import is of one thing, this one of two";
                context.sink.push(Diagnostic::error(Code::TwoActions, place, words).label("make two imports of it"));
            }
        }
    }
    Expanded { document, known, whole }
}

/// Adds to a document what the MCP servers offer that its imports name, and gives whether all of that is known.
pub fn take_over(document: &mut Document, sources: &Sources, sink: &mut Diagnostics) -> bool {
    let imports = document.import.clone().unwrap_or_default();
    let mut whole = true;
    for import in imports.iter().take(MAX_IMPORTS) {
        if let (None, Some(name)) = (&import.openapi, import.mcp.as_ref().and_then(Required::get)) {
            whole &= server::take_over(document, import, name, sources, sink);
        }
    }
    whole
}

/// Adds what one description stands for; `None` if it can't be had.
async fn one(
    document: &mut Document,
    import: &Import,
    location: &model::Str,
    known: &mut HashSet<String>,
    context: &mut Context<'_>,
) -> Option<()> {
    let errors = context.sink.errors();
    let wanted = wanted(document, import, context.sink);
    let fetch = Fetch { mode: context.mode, files: context.files, sink: context.sink, inputs: context.inputs };
    let (root, read_from) = fetch.description(location).await?;
    let wanted = wanted.filter(|_| context.sink.errors() == errors)?;
    let imported = match openapi::import(&root, &Wanted { read_from, ..wanted }) {
        Ok(imported) => imported,
        Err(why) => {
            let words = format!("can't import `{}`: {why}", location.value);
            context.sink.push(Diagnostic::error(Code::BadImport, location.span, words));
            return None;
        }
    };
    refuse_unknown(import, &imported, context.sink);
    report(location, &imported, context.sink);
    let Imported { source, tools, resources, .. } = imported;
    add_source(document, location.span, source, context);
    known.extend(add_tools(document, import, location, tools, context.sink));
    for (uri, Made { operation, value }) in resources {
        let uri = Spanned::new(uri, location.span);
        let at = At { span: location.span, name: Some(&uri.value) };
        let resource = Resource::from_node(&Node::made(&value, location.span), at, context.sink);
        if let Some(other) = document.resources.add(uri.clone(), resource) {
            clash(
                &uri,
                &operation,
                other,
                "leave it out with `exclude`, or give it a URI in `asResource`",
                context.sink,
            );
        }
    }
    Some(())
}

/// The wishes of an import; `None` after a mistake in them.
fn wanted(document: &Document, import: &Import, sink: &mut Diagnostics) -> Option<Wanted> {
    let source = import.source.as_ref();
    if let Some(name) = source {
        let found = document.sources.all().find(|(other, _)| other.value == name.value);
        match found {
            Some((_, Some(Source::Http(_)) | None)) => {}
            Some((_, Some(other))) => {
                let words =
                    format!("`{}` is {} source, an import needs an http one", name.value, article(other.kind()));
                sink.error(Code::UnknownSource, name.span, words);
                return None;
            }
            None => {
                let words = format!("there is no source `{}`", name.value);
                let known = document.sources.names().map(|n| n.value.as_str());
                sink.push(Diagnostic::error(Code::UnknownSource, name.span, words).nearest(&name.value, known));
                return None;
            }
        }
    }
    let include = selection(import.include.as_ref(), sink);
    let exclude = selection(import.exclude.as_ref(), sink);
    let text = |text: &model::Str| text.value.clone();
    Some(Wanted {
        source: source.map(text),
        read_from: None,
        include: include?,
        exclude: exclude?,
        prefix: import.prefix.as_ref().map(text).unwrap_or_default(),
        rename: import.rename.iter().map(|(from, to)| (from.value.clone(), to.value.clone())).collect(),
        resources: import
            .as_resource
            .iter()
            .flat_map(|all| &all.0)
            .map(|(name, uri)| (name.value.clone(), uri.as_ref().map(text)))
            .collect(),
        output_schemas: import.output_schemas.as_ref().is_none_or(|yes| yes.value),
    })
}

fn article(kind: &str) -> String {
    format!("{} {kind}", if kind == "sql" { "an" } else { "a" })
}

/// Compiles a list of patterns.
fn patterns(list: Option<&[model::Str]>, sink: &mut Diagnostics) -> Option<Option<Vec<Pattern>>> {
    let Some(list) = list else { return Some(None) };
    let compiled = list.iter().map(|text| {
        let pattern = Pattern::new(&text.value);
        if pattern.is_none() {
            sink.error(Code::BadValue, text.span, "this pattern is too large");
        }
        pattern
    });
    compiled.collect::<Option<Vec<_>>>().map(Some)
}

fn selection(written: Option<&Picks>, sink: &mut Diagnostics) -> Option<Selection> {
    let written = match written {
        None => return Some(Selection::default()),
        Some(Picks::Kinds(written)) => written,
        Some(Picks::Names { at, .. }) => {
            let found = Diagnostic::error(Code::WrongType, *at, "operations are not named by a list");
            sink.push(found.label("say which: `operations: […]`, `tags: […]`, `paths: […]`"));
            return None;
        }
    };
    let mut patterns = |list: &Option<Vec<model::Str>>| patterns(list.as_deref(), sink);
    Some(Selection {
        tags: patterns(&written.tags)?,
        paths: patterns(&written.paths)?,
        methods: patterns(&written.methods)?,
        operations: patterns(&written.operations)?,
    })
}

/// Reports names that no operation has.
fn refuse_unknown(import: &Import, imported: &Imported, sink: &mut Diagnostics) {
    let renamed = import.rename.names();
    let resources = import.as_resource.iter().flat_map(|all| all.0.iter().map(|(name, _)| name));
    for name in renamed.chain(resources).filter(|name| imported.unknown.contains(&name.value)) {
        let words = format!("the description has no operation `{}`", name.value);
        let known = imported.operations.iter().map(String::as_str);
        sink.push(Diagnostic::error(Code::UnknownName, name.span, words).nearest(&name.value, known));
    }
}

/// Says what is not in the tools: a warning for operations, a note for parts of them.
fn report(location: &model::Str, imported: &Imported, sink: &mut Diagnostics) {
    let (whole, parts): (Vec<&Left>, Vec<&Left>) = imported.left.iter().partition(|left| left.part.is_none());
    if imported.tools.is_empty() && imported.resources.is_empty() {
        let words = format!("nothing of `{}` is imported", location.value);
        let found = Diagnostic::warning(Code::BadImport, location.span, words);
        sink.push(found.label("no operation is left by `include` and `exclude`, or none can be mapped"));
    }
    let plural = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    if !whole.is_empty() {
        let words = format!("{} of `{}` can't be a tool", plural(whole.len(), "operation"), location.value);
        let found = Diagnostic::warning(Code::BadImport, location.span, words);
        let found = found.label("take it out with `exclude` where that is right");
        sink.push(openapi::by_reason(whole.into_iter()).into_iter().fold(found, Diagnostic::help));
    }
    if !parts.is_empty() {
        let words = format!("{} of operations of `{}` are not mapped", plural(parts.len(), "part"), location.value);
        let found = Diagnostic::note(Code::BadImport, location.span, words);
        sink.push(openapi::by_reason(parts.into_iter()).into_iter().fold(found, Diagnostic::help));
    }
}

/// Adds the source that was made. Its credentials come from the environment, as they would if it were written.
fn add_source(document: &mut Document, span: Span, source: (String, Option<Value>), context: &mut Context<'_>) {
    let (name, Some(keys)) = source else { return };
    let mut whole = Node::made(&serde_json::json!({ "sources": { &name: keys } }), span);
    env::interpolate(&mut whole, context.env, context.files, context.sink, context.outside);
    let written = whole.get("sources").and_then(|sources| sources.value.get(&name));
    let Some(written) = written.map(|entry| entry.value.clone()) else { return };
    let name = Spanned::new(name, span);
    let read = Source::from_node(&written, At { span, name: Some(&name.value) }, context.sink);
    if let Some(other) = document.sources.add(name.clone(), read) {
        let words = format!("the import makes a source `{}`, and there is one of that name", name.value);
        let found = Diagnostic::error(Code::NameClash, span, words).related(other, "first defined here");
        context.sink.push(found.label(format!("say `source: {}` to use it", name.value)));
    }
}

fn add_tools(
    document: &mut Document,
    import: &Import,
    location: &model::Str,
    tools: indexmap::IndexMap<String, Made>,
    sink: &mut Diagnostics,
) -> Vec<String> {
    let mut as_made = Vec::new();
    for (name, _) in import.overrides.all().filter(|(name, _)| !tools.contains_key(&name.value)) {
        let words = format!("the import makes no tool `{}`", name.value);
        let known = tools.keys().map(String::as_str);
        sink.push(Diagnostic::error(Code::UnknownName, name.span, words).nearest(&name.value, known));
    }
    for (name, Made { operation, value }) in tools {
        let over = import.overrides.iter().find(|(other, _)| other.value == name);
        let renamed = import.rename.iter().find(|(_, to)| name.ends_with(&to.value)).map(|(_, to)| to.span);
        let name = Spanned::new(name, renamed.unwrap_or(location.span));
        let mut node = Node::made(&value, location.span);
        match over {
            Some((_, over)) => lay_over(&mut node, over),
            None => as_made.push(name.value.clone()),
        }
        let tool = Tool::from_node(&node, At { span: name.span, name: Some(&name.value) }, sink);
        if let Some(other) = document.tools.add(name.clone(), tool) {
            clash(&name, &operation, other, "give it a `prefix`, `rename` it, or `exclude` it", sink);
        }
    }
    as_made
}

fn clash(name: &Spanned<String>, operation: &str, other: Span, remedy: &str, sink: &mut Diagnostics) {
    let words = format!("`{}`, which `{operation}` of the import becomes, is defined twice", name.value);
    let found = Diagnostic::error(Code::NameClash, name.span, words).related(other, "first defined here");
    sink.push(found.label(remedy));
}

/// Lays what the author wrote over what was made: maps key by key, anything else whole. Null takes a key away. A param
/// of a tool that has an `inputSchema` goes there.
fn lay_over(made: &mut Node, over: &Node) {
    let (Kind::Map(entries), Kind::Map(more)) = (&mut made.kind, &over.kind) else {
        made.clone_from(over);
        return;
    };
    for entry in more {
        let schema = entries.iter_mut().find(|e| e.key.value == "inputSchema");
        if let ("params", Some(schema)) = (entry.key.value.as_str(), schema) {
            let properties = Entry { key: Spanned::new("properties".to_owned(), entry.key.span), ..entry.clone() };
            lay_over(&mut schema.value, &Node { span: over.span, kind: Kind::Map(vec![properties]) });
            continue;
        }
        if matches!(entry.value.kind, Kind::Null) {
            entries.retain(|e| e.key.value != entry.key.value);
            continue;
        }
        match entries.iter_mut().find(|e| e.key.value == entry.key.value) {
            Some(there) => {
                there.key.span = entry.key.span;
                lay_over(&mut there.value, &entry.value);
            }
            None => entries.push(entry.clone()),
        }
    }
}

/// What a description comes to, for who makes a spec of it.
///
/// # Errors
/// Whether it could be reached, and words why nothing came of it.
pub async fn describe(location: &str, wanted: Wanted) -> Result<Imported, (bool, String)> {
    let (mut files, mut sink, mut inputs) = (Files::default(), Diagnostics::default(), Vec::new());
    let location = Spanned::new(location.to_owned(), Span::new(files.add(location, "", String::new()), 0..0));
    let fetch = Fetch { mode: Mode::Serve, files: &mut files, sink: &mut sink, inputs: &mut inputs };
    let Some((root, read_from)) = fetch.description(&location).await else {
        let first = sink.sorted(&files).into_iter().find(|found| found.severity == Severity::Error);
        let words = first.map_or_else(|| "it can't be read".to_owned(), |found| found.message.clone());
        return Err((!sink.only_unreachable(), words));
    };
    openapi::import(&root, &Wanted { read_from, ..wanted }).map_err(|why| (true, why))
}

/// Lines for all that is not in the tools.
pub fn unmapped(imported: &Imported) -> Vec<String> {
    openapi::by_reason(imported.left.iter())
}
