//! A spec made ready: immutable, shared by all requests that came in while it was the current one.

pub mod case;
pub mod changes;
pub mod completion;
pub mod content;
mod draft;
mod headers;
pub mod import;
mod kept;
pub mod lint;
pub mod lists;
pub mod lock;
mod members;
mod order;
mod overlap;
pub mod params;
pub mod prompt;
mod request_log;
pub mod resource;
mod search;
mod shape;
pub mod tool;
mod visible;
mod watch;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use indexmap::IndexMap;
use rmcp::model::{ContentBlock, Implementation, MetaObject};

use crate::action::callee::Callees;
use crate::action::source::{Ground, Mode, Sources};
use crate::action::{Arguments, Builder, Call, Limits, Trust};
use crate::outcome::{ActionError, ErrorKind, Whole};
use crate::spec::load::{self, Input};
use crate::spec::model::{Document, Partial, ToolMode};
use crate::spec::outside::Outside;
use crate::spec::{Code, Diagnostic, Diagnostics, Environment, Files, Node, Spanned};
use crate::template::Partials;
pub use case::Case;
pub use changes::Changes;
use draft::Draft;
use kept::Kept;
use lint::allow::Allows;
use lint::secrets::{self, Secret};
pub use lists::Lists;
pub use lock::Lock;
pub use prompt::Prompt;
pub use request_log::RequestLog;
pub use resource::{Contents, Listed, Resource};
pub use search::{Resolved, Search};
pub use tool::{Answer, Tool};
pub use visible::{ChangedLists, Visible};

/// Everything that a server offers, ready to run.
#[derive(Debug)]
pub struct Catalog {
    /// Who the server is.
    pub server: Implementation,
    /// The same as MCP's `_meta` of a result.
    pub meta: MetaObject,
    /// What clients should know of it.
    pub instructions: Option<String>,
    /// 1 for the first catalog of a process, one more for each reload.
    pub generation: u64,
    /// Tells what was written from what was written otherwise: the same for two loads of the same texts in the same
    /// environment, in one process.
    pub edition: u64,
    /// How its lists are given out.
    pub lists: Lists,
    /// What clients see of it.
    pub visible: Visible,
    tools: IndexMap<String, Arc<Tool>>,
    /// What clients see in place of the tools, with `toolMode: search`.
    search: Option<Search>,
    /// Resources first, then templates, the most literal first.
    resources: Vec<Resource>,
    /// Positions in `resources` in the order in which URIs are matched.
    matching: Vec<usize>,
    prompts: IndexMap<String, Prompt>,
    cases: Vec<Case>,
    sources: Sources,
    kept: Kept,
}

/// What loading gave.
#[derive(Debug)]
pub struct Loaded {
    /// The catalog; `None` if there is an error among the diagnostics.
    pub catalog: Option<Arc<Catalog>>,
    /// What was found, warnings included.
    pub diagnostics: Diagnostics,
    /// The texts that the diagnostics point into.
    pub files: Files,
    /// Every file and folder that the result depends on.
    pub inputs: Vec<PathBuf>,
    /// What the spec takes from outside.
    pub outside: Outside,
    /// The tree as written.
    root: Option<Node>,
    /// What imports brought.
    made: Vec<lint::made::Made>,
    /// The warnings that the spec allows.
    allows: Allows,
    /// The secrets written out in it, which are covered in `files`.
    secrets: Vec<Secret>,
    /// For tests: what more catalogs are compiled from.
    draft: Option<Draft>,
}

impl Catalog {
    /// Reads, checks, compiles and connects a spec: for `check`, start-up and reload alike. Connections of
    /// `previous` whose configuration is the same are carried over.
    pub async fn load(
        input: &Input,
        env: &Environment,
        mode: Mode,
        trust: Trust,
        previous: Option<&Catalog>,
    ) -> Loaded {
        let load::Loaded { mut files, mut inputs, mut outside, root, document, mut diagnostics } =
            load::load(input, env);
        let mut draft = None;
        let mut made = Vec::new();
        let catalog = match document {
            Some(document) => {
                let sink = &mut diagnostics;
                let (inputs, outside) = (&mut inputs, &mut outside);
                let mut context = import::Context { env, files: &mut files, mode, sink, inputs, outside };
                let mut expanded = import::expand(document, &mut context).await;
                inputs.extend(outside.files.iter().cloned());
                draft = (mode == Mode::Test).then(|| Draft::of(&expanded, trust));
                let catalog =
                    Self::compile(&mut expanded, &mut files, mode, trust, previous, &mut diagnostics, inputs).await;
                made.extend(root.iter().flat_map(|root| lint::made::find(&expanded.document, root)));
                catalog
            }
            None => None,
        };
        diagnostics.retain_first();
        crate::spec::speak_toml(&mut diagnostics, &files);
        let catalog = catalog.filter(|_| !diagnostics.has_errors());
        let catalog = catalog.map(|catalog| Arc::new(Catalog { edition: edition(&files, env), ..catalog }));
        if let Some(catalog) = &catalog {
            catalog.sources.settle(catalog.edition);
        }
        inputs.sort();
        inputs.dedup();
        let mut allows = Allows::read(&files, &mut diagnostics);
        allows.apply(&mut diagnostics, &files);
        let secrets = root.as_ref().map(|root| secrets::find(root, &files)).unwrap_or_default();
        secrets::cover(&secrets, &mut files);
        Loaded { catalog, diagnostics, files, inputs, outside, root, made, allows, secrets, draft }
    }

    async fn compile(
        import::Expanded { document, known, whole }: &mut import::Expanded,
        files: &mut Files,
        mode: Mode,
        trust: Trust,
        previous: Option<&Catalog>,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<Catalog> {
        let sandbox = document.defaults.as_ref().and_then(|defaults| defaults.sandbox.as_ref());
        let mut ground = Ground { files, mode, trust, sandbox, sink, inputs };
        let sources = Sources::open(&document.sources, &mut ground, previous.map(|p| &p.sources)).await;
        let whole = import::take_over(document, &sources, sink) && *whole;
        let document = &*document;
        let limits = Limits::default().or(document.defaults.as_ref());
        let (empty, mut callees) = (Partials::default(), Callees { partial: !whole, ..Callees::default() });
        let sandbox = document.defaults.as_ref().and_then(|defaults| defaults.sandbox.as_ref());
        let mut builder = Builder {
            files,
            sources: &sources,
            partials: &empty,
            tools: &mut callees,
            known,
            limits,
            sandbox,
            trust,
            sink,
            inputs,
        };
        let partials = partials(document, &mut builder);
        let mut builder = Builder { partials: &partials, ..builder };
        let tools = tools(document, &mut builder).await;
        overlap::refuse(document.resources.names(), builder.sink);
        let mut resources = Vec::new();
        for (uri, written) in document.resources.iter() {
            resources.extend(Resource::compile(uri, written, &mut builder).await);
        }
        let mut prompts = IndexMap::new();
        for (name, written) in document.prompts.iter() {
            if let Some(prompt) = Prompt::compile(name, written, &mut builder).await {
                prompts.insert(name.value.clone(), prompt);
            }
        }
        let mut matching: Vec<usize> = (0..resources.len()).collect();
        matching.sort_by_cached_key(|at| resources.get(*at).map(Resource::precedence));
        // One without a name was reported; what follows is checked all the same.
        let (server, instructions) = server(document).unwrap_or_default();
        let meta = meta(&server);
        let lists = Lists::compile(document.server.get().and_then(|s| s.lists.as_ref()), sink);
        let generation = previous.map_or(1, |p| p.generation + 1);
        let search = search(document, &tools, sink);
        let seen: Vec<_> = match &search {
            Some(search) => search.listed().collect(),
            None => tools.values().map(|tool| &tool.listed).collect(),
        };
        let visible = Visible::of(seen.into_iter(), resources.iter(), prompts.values());
        let kept = previous.map(|p| p.kept.clone()).unwrap_or_default();
        let mut catalog = Catalog {
            server,
            meta,
            instructions,
            generation,
            edition: 0,
            lists,
            visible,
            tools,
            search,
            resources,
            matching,
            prompts,
            cases: Vec::new(),
            sources,
            kept,
        };
        let told = sink.len();
        let cases =
            document.tests.iter().filter_map(|(name, written)| Case::compile(name, written, document, &catalog, sink));
        catalog.cases = cases.collect();
        if !whole {
            // What they name may be of a server that was not asked.
            sink.retain_of(told, |found| found.code != Code::UnknownName);
        }
        Some(catalog)
    }

    /// The tools, in the order of the spec.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.values().map(Arc::as_ref)
    }

    /// What stands before the tools, with `toolMode: search`.
    pub fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// The tool of this name.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.get(name).map(Arc::as_ref)
    }

    /// The prompts, in the order of the spec.
    pub fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        self.prompts.values()
    }

    /// What the spec expects of itself, in the order of the spec.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The prompt of this name.
    pub fn prompt(&self, name: &str) -> Option<&Prompt> {
        self.prompts.get(name)
    }

    /// The resources and resource templates, in the order of the spec.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter()
    }

    /// The resource that a URI means, and the URI's variables: of several the most literal one.
    pub fn resource(&self, uri: &str) -> Option<(&Resource, Arguments)> {
        let mut candidates = self.matching.iter().filter_map(|at| self.resources.get(*at));
        candidates.find_map(|resource| Some((resource, resource.matches(uri)?)))
    }

    /// Everything in `resources/list`, what templates list among it, in the order of the spec.
    pub async fn listed_resources(&self, call: &Call) -> Vec<rmcp::model::Resource> {
        join_all(self.resources.iter().map(|resource| resource.members(call))).await.concat()
    }

    /// Waits until something has come back that could not be reached when this catalog was loaded: loading it again
    /// tells more then.
    pub async fn recovered(&self) {
        self.sources.recovered().await;
    }

    /// Closes the connections to databases and other MCP servers, and waits a little until those have ended.
    pub async fn close(&self) {
        self.sources.close().await;
    }

    /// Whether changes of some resource are noticed while the catalog stays the same.
    pub fn has_subscriptions(&self) -> bool {
        self.resources.iter().any(Resource::is_followed)
    }

    /// Whether calls of some tool become tasks.
    pub fn has_tasks(&self) -> bool {
        self.tools().any(|tool| tool.task.is_some())
    }

    /// Keeps the whole of an answer of the tool `name` for a while, and gives the link to it.
    pub fn keep(&self, whole: Whole, name: &str) -> Option<ContentBlock> {
        self.kept.keep(whole, name)
    }

    /// Reads the resource that a URI means.
    ///
    /// # Errors
    /// If there is none, or its action fails.
    pub async fn read(&self, uri: &str, call: &Call) -> Result<Contents, ActionError> {
        if let Some(contents) = self.kept.read(uri) {
            return Ok(Contents::kept(contents));
        }
        let none = || ActionError::new(ErrorKind::NotFound, "there is no such resource");
        let (resource, variables) = self.resource(uri).ok_or_else(none)?;
        resource.read(uri, variables, call).await
    }
}

/// A digest of all that was read.
fn edition(files: &Files, env: &Environment) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    env.hash(&mut hasher);
    hasher.finish()
}

/// The tools in the order of the spec, those that others call compiled before these.
async fn tools(document: &Document, builder: &mut Builder<'_>) -> IndexMap<String, Arc<Tool>> {
    let mut tools: IndexMap<String, Option<Arc<Tool>>> =
        document.tools.names().map(|name| (name.value.clone(), None)).collect();
    builder.tools.known.extend(tools.keys().map(|name| (name.clone(), None)));
    for (name, written) in order::by_calls(document, builder.sink) {
        if let Some(tool) = Tool::compile(name, written, builder).await.map(Arc::new) {
            builder.tools.known.insert(name.value.clone(), Some(tool.callee()));
            tools.insert(name.value.clone(), Some(tool));
        }
    }
    tools.into_iter().filter_map(|(name, tool)| Some((name, tool?))).collect()
}

/// What stands before the tools, if the spec wants it.
fn search(document: &Document, tools: &IndexMap<String, Arc<Tool>>, sink: &mut Diagnostics) -> Option<Search> {
    document.tool_mode.as_ref().filter(|mode| mode.value == ToolMode::Search)?;
    Search::new(document.tools.names(), tools.values().map(Arc::as_ref), sink)
}

/// The handlebars fragments; mistakes in them are reported where they are written.
fn partials(document: &Document, builder: &mut Builder<'_>) -> Partials {
    let mut partials = Partials::default();
    let mut texts: IndexMap<&str, Spanned<String>> = IndexMap::new();
    for (name, written) in document.partials.iter() {
        let text = match written {
            Partial::Text(text) => Some(text.clone()),
            Partial::File(path) => builder.read(path),
        };
        let Some(text) = text else { continue };
        if let Err(fault) = partials.add(name, &text) {
            builder.sink.push(Diagnostic::fault(Code::BadTemplate, &text, fault));
        }
        texts.insert(name, text);
    }
    for (name, fault) in partials.check() {
        if let Some(text) = texts.get(name) {
            builder.sink.push(Diagnostic::fault(Code::BadTemplate, text, fault));
        }
    }
    partials
}

/// Who the server is, as the `_meta` of results has it.
fn meta(server: &Implementation) -> MetaObject {
    MetaObject([("io.modelcontextprotocol/serverInfo".to_owned(), serde_json::json!(server))].into_iter().collect())
}

/// Who the server is, and its instructions; `None` if it has no name.
fn server(document: &Document) -> Option<(Implementation, Option<String>)> {
    let written = document.server.get()?;
    let text = |text: &Option<Spanned<crate::spec::Text>>| text.as_ref().map(|t| t.expose().trim_end().to_owned());
    let name = written.name.get()?.expose().to_owned();
    let mut server = Implementation::new(name, text(&written.version).unwrap_or_else(|| "0.0.0".to_owned()));
    server.title = text(&written.title);
    server.description = text(&written.description);
    server.website_url = text(&written.website_url);
    server.icons = content::icons(written.icons.as_deref());
    Some((server, text(&written.instructions)))
}
