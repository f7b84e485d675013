//! `sources`: connections, opened once and carried over from one catalog to the next.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use indexmap::IndexMap;

use super::Trust;
use super::http::{GraphqlSource, HttpSource};
use super::mcp::McpSource;
use super::sql::SqlSource;
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Named, Spanned};

/// What loading is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To serve: databases are opened, and built where they are not there yet.
    Serve,
    /// To run the spec's tests: SQLite databases are built anew in memory, and what has no fixture of its own is only
    /// read.
    Test,
    /// To check: databases are opened, and nothing is created on disk.
    Check,
    /// To check without any connection: statements are not prepared.
    Offline,
}

/// What opening a source works with, and where it puts what it finds.
pub struct Ground<'g> {
    /// The spec's texts.
    pub files: &'g mut Files,
    /// What it is for.
    pub mode: Mode,
    /// Whether commands of a spec that others may write are taken.
    pub trust: Trust,
    /// The sandbox of commands that have none of their own.
    pub sandbox: Option<&'g model::Sandbox>,
    /// Where mistakes go.
    pub sink: &'g mut Diagnostics,
    /// Files that the sources depend on.
    pub inputs: &'g mut Vec<PathBuf>,
}

/// An open connection.
#[derive(Debug, Clone)]
pub enum Source {
    /// A database.
    Sql(Arc<SqlSource>),
    /// An HTTP API.
    Http(Arc<HttpSource>),
    /// A GraphQL API.
    Graphql(Arc<GraphqlSource>),
    /// Another MCP server.
    Mcp(Arc<McpSource>),
}

impl Source {
    /// Waits until it can tell more than when the spec was loaded; nothing for what always tells the same.
    fn recovered(&self) -> Option<BoxFuture<'_, ()>> {
        match self {
            Source::Sql(source) => Some(source.recovered().boxed()),
            Source::Http(_) => None,
            Source::Graphql(source) => Some(source.recovered().boxed()),
            Source::Mcp(source) => Some(source.changed().boxed()),
        }
    }

    /// Closes the connections that no call has.
    async fn close(&self) {
        match self {
            Source::Sql(source) => source.driver.close().await,
            Source::Http(_) | Source::Graphql(_) => {}
            Source::Mcp(source) => source.close().await,
        }
    }
}

/// The sources of a spec by name.
#[derive(Debug, Default)]
pub struct Sources(IndexMap<String, Entry>);

/// A source as far as it is known: both are `None` after mistakes, which have been reported.
#[derive(Debug)]
struct Entry {
    kind: Option<&'static str>,
    open: Option<Source>,
}

impl Sources {
    /// Opens every source, or takes it from `previous` if it is configured the same there.
    pub async fn open(written: &Named<model::Source>, ground: &mut Ground<'_>, previous: Option<&Sources>) -> Self {
        let mut all = IndexMap::new();
        for (name, source) in written.all() {
            let before = previous.and_then(|p| p.0.get(&name.value)).and_then(|entry| entry.open.as_ref());
            let open = match source {
                None => None,
                Some(model::Source::Sql(source)) => {
                    let before = before.and_then(|b| if let Source::Sql(sql) = b { Some(sql) } else { None });
                    let Ground { files, mode, sink, inputs, .. } = &mut *ground;
                    SqlSource::open(name, source, files, *mode, before, sink, inputs).await.map(Source::Sql)
                }
                Some(model::Source::Http(source)) => {
                    let before = before.and_then(|b| if let Source::Http(http) = b { Some(http) } else { None });
                    HttpSource::open(name, source, ground.files, before, ground.sink, ground.inputs).map(Source::Http)
                }
                Some(model::Source::Mcp(source)) => {
                    let before = before.and_then(|b| if let Source::Mcp(mcp) = b { Some(mcp) } else { None });
                    McpSource::open(name, source, ground, before).map(Source::Mcp)
                }
                Some(model::Source::Graphql(source)) => {
                    let before = before.and_then(|b| if let Source::Graphql(api) = b { Some(api) } else { None });
                    let Ground { files, mode, sink, inputs, .. } = &mut *ground;
                    let opening = GraphqlSource::open(name, source, files, *mode, before, sink, inputs);
                    Box::pin(opening).await.map(Source::Graphql)
                }
            };
            all.insert(name.value.clone(), Entry { kind: source.map(model::Source::kind), open });
        }
        let sources = Sources(all);
        // All of them begin side by side.
        for (name, written) in written.iter() {
            if let (model::Source::Mcp(written), Some(Source::Mcp(source))) = (written, sources.find(&name.value)) {
                source.ready(name, written, ground).await;
            }
        }
        sources
    }

    fn find(&self, name: &str) -> Option<&Source> {
        self.0.get(name).and_then(|entry| entry.open.as_ref())
    }

    fn all(&self) -> impl Iterator<Item = &Source> {
        self.0.values().filter_map(|entry| entry.open.as_ref())
    }

    fn servers(&self) -> impl Iterator<Item = &Arc<McpSource>> {
        self.all().filter_map(|source| if let Source::Mcp(mcp) = source { Some(mcp) } else { None })
    }

    /// Waits until loading the spec again would tell more: a database answers that could not be reached when it was
    /// opened, or an MCP server offers something else.
    pub async fn recovered(&self) {
        let waiting: FuturesUnordered<_> = self.all().filter_map(Source::recovered).collect();
        if waiting.into_future().await.0.is_none() {
            std::future::pending().await
        }
    }

    /// A spec that uses them is served, read from what `edition` is a digest of: what an MCP server then takes away is
    /// no mistake of the spec's author.
    pub fn settle(&self, edition: u64) {
        self.servers().for_each(|server| server.settle(edition));
    }

    /// Closes the connections to databases and MCP servers, and waits a little until those have ended.
    pub async fn close(&self) {
        let closing: FuturesUnordered<_> = self.all().map(Source::close).collect();
        closing.collect::<()>().await;
    }

    /// The database of this name. An unknown name, and one of another kind, are reported.
    pub fn sql(&self, name: &Spanned<String>, sink: &mut Diagnostics) -> Option<Arc<SqlSource>> {
        match self.get(name, "sql", sink)? {
            Source::Sql(source) => Some(source.clone()),
            _ => None,
        }
    }

    /// The HTTP API of this name. An unknown name, and one of another kind, are reported.
    pub fn http(&self, name: &Spanned<String>, sink: &mut Diagnostics) -> Option<Arc<HttpSource>> {
        match self.get(name, "http", sink)? {
            Source::Http(source) => Some(source.clone()),
            _ => None,
        }
    }

    /// The GraphQL API of this name. An unknown name, and one of another kind, are reported.
    pub fn graphql(&self, name: &Spanned<String>, sink: &mut Diagnostics) -> Option<Arc<GraphqlSource>> {
        match self.get(name, "graphql", sink)? {
            Source::Graphql(source) => Some(source.clone()),
            _ => None,
        }
    }

    /// The MCP server of this name. An unknown name, and one of another kind, are reported.
    pub fn mcp(&self, name: &Spanned<String>, sink: &mut Diagnostics) -> Option<Arc<McpSource>> {
        match self.get(name, "mcp", sink)? {
            Source::Mcp(source) => Some(source.clone()),
            _ => None,
        }
    }

    fn get(&self, name: &Spanned<String>, kind: &str, sink: &mut Diagnostics) -> Option<&Source> {
        match self.0.get(&name.value) {
            Some(Entry { kind: Some(other), .. }) if *other != kind => {
                let words = format!("`{}` is a source of kind {other}, not {kind}", name.value);
                sink.error(Code::UnknownSource, name.span, words);
                None
            }
            Some(entry) => entry.open.as_ref(),
            None => {
                let words = format!("there is no source `{}`", name.value);
                let known = self.0.keys().map(String::as_str);
                let found = Diagnostic::error(Code::UnknownSource, name.span, words).nearest(&name.value, known);
                let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
                sink.push(match (found.label.is_empty(), names.is_empty()) {
                    (false, _) => found,
                    (true, true) => found.label("this spec has no `sources`"),
                    (true, false) => found.label(format!("known: {}", crate::spec::read::list_names(&names))),
                });
                None
            }
        }
    }
}
