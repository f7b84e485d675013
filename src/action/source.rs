//! `sources`: connections, opened once and carried over from one catalog to the next.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use indexmap::IndexMap;

use super::http::HttpSource;
use super::sql::SqlSource;
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Named, Spanned};

/// What loading is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To serve: databases are opened, and built where they are not there yet.
    Serve,
    /// To check: databases are opened, and nothing is created on disk.
    Check,
    /// To check without any connection: statements are not prepared.
    Offline,
}

/// An open connection.
#[derive(Debug, Clone)]
pub enum Source {
    /// A database.
    Sql(Arc<SqlSource>),
    /// An HTTP API.
    Http(Arc<HttpSource>),
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
    pub async fn open(
        written: &Named<model::Source>,
        files: &mut Files,
        mode: Mode,
        previous: Option<&Sources>,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Self {
        let mut all = IndexMap::new();
        for (name, source) in written.all() {
            let before = previous.and_then(|p| p.0.get(&name.value)).and_then(|entry| entry.open.as_ref());
            let open = match source {
                None => None,
                Some(model::Source::Sql(source)) => {
                    let before = before.and_then(|b| if let Source::Sql(sql) = b { Some(sql) } else { None });
                    SqlSource::open(name, source, files, mode, before, sink, inputs).await.map(Source::Sql)
                }
                Some(model::Source::Http(source)) => {
                    let before = before.and_then(|b| if let Source::Http(http) = b { Some(http) } else { None });
                    HttpSource::open(name, source, files, before, sink, inputs).map(Source::Http)
                }
            };
            all.insert(name.value.clone(), Entry { kind: source.map(model::Source::kind), open });
        }
        Sources(all)
    }

    /// Waits until a database answers that could not be reached when it was opened.
    pub async fn recovered(&self) {
        let databases = self.0.values().filter_map(|entry| match &entry.open {
            Some(Source::Sql(source)) => Some(source),
            _ => None,
        });
        let waiting: FuturesUnordered<_> = databases.map(|source| source.recovered()).collect();
        if waiting.into_future().await.0.is_none() {
            std::future::pending().await
        }
    }

    /// The database of this name. An unknown name, and one of another kind, are reported.
    pub fn sql(&self, name: &Spanned<String>, sink: &mut Diagnostics) -> Option<Arc<SqlSource>> {
        match self.get(name, "sql", sink)? {
            Source::Sql(source) => Some(source.clone()),
            Source::Http(_) => None,
        }
    }

    /// The HTTP API of this name. An unknown name, and one of another kind, are reported.
    pub fn http(&self, name: &Spanned<String>, sink: &mut Diagnostics) -> Option<Arc<HttpSource>> {
        match self.get(name, "http", sink)? {
            Source::Http(source) => Some(source.clone()),
            Source::Sql(_) => None,
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
