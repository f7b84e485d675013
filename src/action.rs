//! What runs: the list of backends. A new one is a file below this one and a line in each match here.

mod around;
pub mod call;
pub mod command;
pub mod content;
pub mod exec;
pub mod file;
pub mod files;
pub mod folder;
mod gate;
pub mod http;
mod mask;
pub mod mcp;
pub mod process;
pub mod shell;
pub mod source;
pub mod sql;
pub mod steps;
mod store;
pub mod text;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

pub use call::{Call, Capabilities};

use crate::outcome::shape::{ShapeLimits, Wants};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::{self, Defaults};
use crate::spec::{Bytes, Code, Diagnostic, Diagnostics, Files, Kind, Node, Span, Spanned};
use crate::template::{Partials, RenderFault, Template, ValueTemplate};
use crate::uri::UriTemplate;
use around::Around;
pub use around::refuse_cache;
use source::Sources;

/// Arguments by name, validated, with their defaults.
pub type Arguments = Map<String, Value>;

/// An action that is ready to run.
#[derive(Debug)]
pub enum Action {
    /// A statement on a database.
    Sql(sql::Sql),
    /// What a database's catalog tells of its tables, and their rows.
    Tables(Box<sql::Tables>),
    /// A request to an HTTP API.
    Http(Box<http::Http>),
    /// An operation of a GraphQL API.
    Graphql(Box<http::Graphql>),
    /// A program with arguments.
    Exec(exec::Exec),
    /// A shell script.
    Shell(shell::Shell),
    /// A file's content.
    File(file::FileRead),
    /// The files of a folder.
    Files(folder::List),
    /// Lines of the files of a folder.
    Search(folder::Search),
    /// A file that is written.
    Write(folder::Write),
    /// A file that is changed.
    Edit(folder::Edit),
    /// A handlebars text.
    Text(text::Text),
    /// MCP content blocks.
    Content(content::Blocks),
    /// What another MCP server does.
    Mcp(Box<mcp::Mcp>),
    /// Several things, one after the other.
    Steps(steps::Steps),
    /// Any of these with bounds of its own, or whose answers are kept.
    Around(Box<Around>),
}

impl Action {
    /// Checks and compiles an action; `None` after mistakes, all of which are in the builder's sink.
    pub async fn compile(written: &model::Action, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Action> {
        let around = written.around().map(|around| (around.at, around::Settings::read(around, builder)));
        let action = Self::compile_bare(written, scope, builder).await?;
        match around {
            Some((at, settings)) => settings?.put_around(action, at, scope, builder),
            None => Some(action),
        }
    }

    async fn compile_bare(written: &model::Action, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Action> {
        match written {
            model::Action::Sql(sql) => sql::Sql::compile(sql, scope, builder).await.map(Action::Sql),
            model::Action::Tables(tables) => {
                sql::Tables::compile(tables, scope, builder).await.map(|tables| Action::Tables(Box::new(tables)))
            }
            model::Action::Http(http) => {
                http::Http::compile(http, scope, builder).map(|http| Action::Http(Box::new(http)))
            }
            model::Action::Graphql(graphql) => {
                http::Graphql::compile(graphql, scope, builder).map(|graphql| Action::Graphql(Box::new(graphql)))
            }
            model::Action::Exec(exec) => exec::Exec::compile(exec, scope, builder).map(Action::Exec),
            model::Action::Shell(shell) => shell::Shell::compile(shell, scope, builder).map(Action::Shell),
            model::Action::File(file) => file::FileRead::compile(file, scope, builder).map(Action::File),
            model::Action::Files(list) => folder::List::compile(list, scope, builder).map(Action::Files),
            model::Action::Search(search) => folder::Search::compile(search, scope, builder).map(Action::Search),
            model::Action::Write(write) => folder::Write::compile(write, scope, builder).map(Action::Write),
            model::Action::Edit(edit) => folder::Edit::compile(edit, scope, builder).map(Action::Edit),
            model::Action::Text(text) => text::Text::compile(text, scope, builder).map(Action::Text),
            model::Action::Content(blocks) => {
                content::Blocks::compile(blocks, scope, builder).await.map(Action::Content)
            }
            model::Action::Mcp(mcp) => mcp::Mcp::compile(mcp, scope, builder).map(Box::new).map(Action::Mcp),
            model::Action::Steps(steps) => steps::Steps::compile(steps, scope, builder).await.map(Action::Steps),
        }
    }

    /// It without what stands around it.
    pub fn bare(&self) -> &Action {
        match self {
            Action::Around(around) => &around.action,
            bare => bare,
        }
    }

    /// Whether answers of it are kept, whatever they say themselves.
    pub fn keeps_answers(&self) -> bool {
        matches!(self, Action::Around(around) if around.keeps())
    }

    /// The params that a tool of this action has where the spec names none, if the action tells them.
    pub fn params(written: &model::Action, builder: &mut Builder<'_>) -> Option<Vec<Param>> {
        match written {
            model::Action::Graphql(graphql) => http::Graphql::params(graphql, builder),
            _ => None,
        }
    }

    /// The same, where a shape wants something else than what bytes mean by their media type.
    pub fn wanted(mut self, wants: Wants) -> Self {
        if let Action::Http(http) = &mut self {
            http.wanted(wants);
        }
        self
    }

    /// Runs it.
    ///
    /// # Errors
    /// Whatever kept it from an answer, in words for the caller.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        // Steps may ask something first, and what is around an action may give an answer without it.
        if !matches!(self, Action::Steps(_) | Action::Around(_)) {
            call.client.begins().await;
        }
        match self {
            Action::Sql(sql) => sql.run(arguments, call).await,
            Action::Tables(tables) => Box::pin(tables.run(arguments, call)).await,
            // What these keep while they run is large, and a call that is none of them would carry it around.
            Action::Http(http) => Box::pin(http.run(arguments, call)).await,
            Action::Graphql(graphql) => Box::pin(graphql.run(arguments, call)).await,
            Action::Exec(exec) => Box::pin(exec.run(arguments, call)).await,
            Action::Shell(shell) => Box::pin(shell.run(arguments, call)).await,
            Action::File(file) => file.run(arguments).await,
            Action::Files(list) => list.run(arguments, call).await,
            Action::Search(search) => search.run(arguments, call).await,
            Action::Write(write) => write.run(arguments).await,
            Action::Edit(edit) => edit.run(arguments).await,
            Action::Text(text) => text.run(arguments),
            Action::Content(blocks) => blocks.run(arguments, call).await,
            Action::Mcp(mcp) => Box::pin(mcp.run(arguments, call)).await,
            Action::Steps(steps) => steps.run(arguments, call).await,
            Action::Around(around) => around.run(arguments, call).await,
        }
    }

    /// Runs it for the resource that is read as `uri`, of which `own` is the URI or template in the spec.
    ///
    /// # Errors
    /// Those of [`Action::run`].
    pub async fn read(&self, own: &str, uri: &str, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        match self {
            // Another server's resource is asked for by the very URI that the client named.
            Action::Mcp(mcp) if mcp.is_resource(own) => Box::pin(mcp.read(uri, call)).await,
            _ => self.run(arguments, call).await,
        }
    }

    /// What a call would do, secrets masked, as lines of text; nothing is run.
    ///
    /// # Errors
    /// As in [`Action::run`], for what shows before anything runs.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        match self {
            Action::Sql(sql) => sql.explain(arguments),
            Action::Tables(tables) => tables.explain(arguments),
            Action::Http(http) => http.explain(arguments),
            Action::Graphql(graphql) => graphql.explain(arguments),
            Action::Exec(exec) => exec.explain(arguments),
            Action::Shell(shell) => shell.explain(arguments),
            Action::File(file) => file.explain(arguments),
            Action::Files(list) => list.explain(arguments),
            Action::Search(search) => search.explain(arguments),
            Action::Write(write) => write.explain(arguments),
            Action::Edit(edit) => edit.explain(arguments),
            Action::Text(text) => text.explain(arguments),
            Action::Content(blocks) => blocks.explain(arguments),
            Action::Mcp(mcp) => mcp.explain(arguments),
            Action::Steps(steps) => steps.explain(arguments),
            Action::Around(around) => around.action.explain(arguments),
        }
    }

    /// The JSON Schema of its answer, where it is known before a call.
    pub fn output_schema(&self) -> Option<Value> {
        match self {
            Action::Sql(sql) => sql.output_schema(),
            Action::Tables(tables) => tables.output_schema(),
            Action::Graphql(graphql) => graphql.output_schema(),
            Action::Files(_) => Some(folder::List::schema()),
            Action::Search(_) => Some(folder::Search::schema()),
            Action::Write(_) => Some(folder::Write::schema()),
            Action::Edit(_) => Some(folder::Edit::schema()),
            Action::Around(around) => around.action.output_schema(),
            _ => None,
        }
    }

    /// Whether it changes nothing, where that is known: MCP's `readOnlyHint`.
    pub fn read_only(&self) -> Option<bool> {
        match self {
            Action::Sql(sql) => sql.effects().read_only,
            Action::Http(http) => Some(http.read_only()),
            Action::Graphql(graphql) => Some(graphql.read_only()),
            Action::Tables(_) | Action::File(_) | Action::Files(_) | Action::Search(_) | Action::Text(_) => Some(true),
            Action::Write(_) | Action::Edit(_) => Some(false),
            Action::Content(blocks) => blocks.read_only(),
            Action::Exec(_) | Action::Shell(_) => None,
            Action::Mcp(mcp) => mcp.read_only(),
            Action::Steps(steps) => steps.hints().read_only,
            Action::Around(around) => around.action.read_only(),
        }
    }

    /// Whether it may destroy something, and whether doing it again changes nothing more, where that is known: MCP's
    /// `destructiveHint` and `idempotentHint`.
    pub fn effects(&self) -> (Option<bool>, Option<bool>) {
        match self {
            Action::Sql(sql) => (sql.effects().destructive, sql.effects().idempotent),
            Action::Around(around) => around.action.effects(),
            Action::Steps(steps) => (steps.hints().destructive, steps.hints().idempotent),
            Action::Graphql(graphql) => ((!graphql.read_only()).then_some(true), None),
            _ => (None, None),
        }
    }

    /// Whether it reaches what is outside of the spec's own world, where that is known: MCP's `openWorldHint`.
    pub fn open_world(&self) -> Option<bool> {
        match self {
            Action::Http(_) | Action::Graphql(_) => Some(true),
            Action::Sql(_) | Action::Text(_) => Some(false),
            Action::File(_) | Action::Files(_) | Action::Search(_) | Action::Write(_) | Action::Edit(_) => Some(false),
            Action::Content(blocks) => blocks.is_closed().then_some(false),
            Action::Steps(steps) => steps.hints().open_world,
            Action::Around(around) => around.action.open_world(),
            _ => None,
        }
    }

    /// Whether it never says anything to the client while it runs, nor asks it anything.
    pub fn is_silent(&self) -> bool {
        match self {
            Action::Sql(_) | Action::Tables(_) | Action::Text(_) | Action::Graphql(_) => true,
            Action::File(_) | Action::Files(_) | Action::Search(_) | Action::Write(_) | Action::Edit(_) => true,
            Action::Http(http) => !http.has_pages(),
            Action::Around(around) => around.action.is_silent(),
            Action::Exec(_) | Action::Shell(_) | Action::Content(_) | Action::Mcp(_) | Action::Steps(_) => false,
        }
    }

    /// What the client has to be able to do for it, whatever the arguments.
    pub fn requires(&self) -> Capabilities {
        match self {
            Action::Steps(steps) => steps.requires(),
            Action::Content(blocks) => blocks.requires(),
            Action::Around(around) => around.action.requires(),
            _ => Capabilities::default(),
        }
    }

    /// Whether its answer is a list of rows with their count.
    pub fn gives_rows(&self) -> bool {
        match self {
            Action::Sql(sql) => sql.gives_rows(),
            Action::Tables(tables) => tables.gives_rows(),
            Action::Around(around) => around.action.gives_rows(),
            Action::Files(_) | Action::Search(_) => true,
            _ => false,
        }
    }

    /// The bounds that it has of its own, where it can be told them.
    pub fn limits(&self) -> Option<Limits> {
        match self {
            Action::Sql(sql) => Some(sql.limits),
            Action::Http(http) => Some(http.limits),
            Action::Graphql(graphql) => Some(graphql.limits),
            Action::Exec(exec) => Some(exec.limits()),
            Action::Shell(shell) => Some(shell.limits()),
            Action::Around(around) => around.action.limits(),
            Action::Mcp(mcp) => Some(mcp.limits()),
            Action::Tables(_)
            | Action::File(_)
            | Action::Files(_)
            | Action::Search(_)
            | Action::Write(_)
            | Action::Edit(_)
            | Action::Text(_)
            | Action::Content(_)
            | Action::Steps(_) => None,
        }
    }

    /// The media type of its answer, where it is known before a call.
    pub fn mime_type(&self) -> Option<String> {
        match self {
            Action::Sql(sql) => Some(sql.mime_type().to_owned()),
            Action::Tables(_)
            | Action::Graphql(_)
            | Action::Files(_)
            | Action::Search(_)
            | Action::Write(_)
            | Action::Edit(_) => Some("application/json".to_owned()),
            Action::File(file) => file.mime_type(),
            Action::Text(_) => Some("text/plain".to_owned()),
            Action::Content(blocks) => blocks.mime_type(),
            Action::Around(around) => around.action.mime_type(),
            _ => None,
        }
    }
}

/// A name that an action may use.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Spanned<String>,
    /// Its JSON Schema.
    pub schema: Arc<Value>,
    /// Whether a call may leave it out and it has no default.
    pub optional: bool,
    /// Whether its values are kept out of logs.
    pub secret: bool,
}

impl Param {
    /// JSON Schema's `type`, if it is one word.
    pub fn kind(&self) -> Option<&str> {
        self.schema.get("type").and_then(Value::as_str)
    }

    /// The words that an `enum` of strings allows; `None` without such an `enum`.
    pub fn words(&self) -> Option<Vec<&str>> {
        self.schema.get("enum")?.as_array()?.iter().map(Value::as_str).collect()
    }
}

/// The names that are known where an action stands.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// What holds the action, for messages: "tool `find_books`".
    pub owner: &'a str,
    /// The names.
    pub params: &'a [Param],
    /// Where a name that is missing is added, for messages: "add it to `params`".
    pub remedy: &'static str,
}

impl<'a> Scope<'a> {
    /// The param of this name.
    pub fn get(&self, name: &str) -> Option<&'a Param> {
        self.params.iter().find(|p| p.name.value == name)
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.params.iter().map(|p| p.name.value.as_str())
    }

    /// The names whose values are not shown.
    pub fn secrets(&self) -> Vec<String> {
        self.params.iter().filter(|p| p.secret).map(|p| p.name.value.clone()).collect()
    }

    /// The diagnostic for a name that nothing here defines.
    pub fn unknown(&self, name: &str, place: impl Into<crate::spec::Place>) -> Diagnostic {
        let words = format!("`{name}` is not defined in {}", self.owner);
        let found = Diagnostic::error(Code::UnknownName, place, words).nearest(name, self.names());
        match self.params.is_empty() {
            _ if !found.label.is_empty() => found,
            true => found.label(format!("nothing is: {}", self.remedy)),
            false => {
                let names: Vec<&str> = self.names().collect();
                found.label(format!("known here: {}", crate::spec::read::list_names(&names)))
            }
        }
    }
}

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
    pub tools: &'a mut steps::Callees,
    /// Tools whose schemas are known to compile: an import has looked at them.
    pub known: &'a HashSet<String>,
    /// Bounds for actions that name none.
    pub limits: Limits,
    /// The sandbox of commands that have none of their own.
    pub sandbox: Option<&'a model::Sandbox>,
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
}

/// Reads a text file that the spec names at `at`, where a mistake is reported.
fn read(
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

/// The bounds of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a call may take.
    pub timeout: Duration,
    /// Rows that an answer may have.
    pub max_rows: usize,
    /// Bytes that an answer may have.
    pub max_bytes: usize,
}

impl From<Limits> for ShapeLimits {
    fn from(limits: Limits) -> Self {
        ShapeLimits { time: limits.timeout, max_bytes: limits.max_bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { timeout: Duration::from_secs(30), max_rows: 1000, max_bytes: 10 * 1024 * 1024 }
    }
}

impl Limits {
    /// These limits, where the spec's `defaults` say nothing else.
    pub fn or(self, defaults: Option<&Defaults>) -> Self {
        match defaults {
            Some(d) => self.with(d.timeout.as_ref(), d.max_rows.as_ref(), d.max_bytes.as_ref()),
            None => self,
        }
    }

    /// These limits, where an action says nothing else.
    pub fn with(
        mut self,
        timeout: Option<&Spanned<Duration>>,
        max_rows: Option<&Spanned<u64>>,
        max_bytes: Option<&Spanned<Bytes>>,
    ) -> Self {
        if let Some(timeout) = timeout {
            self.timeout = timeout.value;
        }
        if let Some(rows) = max_rows {
            self.max_rows = usize::try_from(rows.value).unwrap_or(usize::MAX);
        }
        if let Some(bytes) = max_bytes {
            self.max_bytes = bytes.value.0;
        }
        self
    }
}

impl Limits {
    /// These limits, with a shorter timeout if they have a longer one.
    pub fn at_most(self, longest: Option<Duration>) -> Self {
        Limits { timeout: longest.map_or(self.timeout, |longest| longest.min(self.timeout)), ..self }
    }
}

impl Builder<'_> {
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

/// A template's fault at a call, in words for the caller.
pub fn render_fault(fault: &RenderFault) -> ActionError {
    match fault {
        RenderFault::TooLong { max } => ActionError::invalid(format!("the rendered text is longer than {max} bytes")),
        RenderFault::Failed(why) => ActionError::invalid(why.clone()),
    }
}
