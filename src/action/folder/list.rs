//! `files`: the files below a folder, as rows.

use std::ops::ControlFlow;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{MAX_VALUE, Place, fault, place, render, rows, schema};
use crate::action::files::{Entry, Filter, MAX_DEPTH, Walk, glob, mime_type_of_name};
use crate::action::{Arguments, Builder, Call, Limits, Scope};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::FilesAction;
use crate::spec::{Code, Diagnostic};
use crate::template::Template;

/// A compiled list of files.
#[derive(Debug)]
pub struct List {
    place: Place,
    pattern: Option<Template>,
    starts_with: Option<Template>,
    folders: bool,
    depth: usize,
    limits: Limits,
}

/// What the paths have to be beside meant.
struct Wanted {
    pattern: Option<globset::GlobMatcher>,
    starts_with: String,
}

impl List {
    /// Compiles it.
    pub fn compile(written: &FilesAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let place = Place::compile(place!(written, written.path.as_ref()), scope, builder);
        let pattern = written.pattern.as_ref().map(|text| builder.template(text, scope));
        let starts_with = written.starts_with.as_ref().map(|text| builder.template(text, scope));
        let depth = written.depth.as_ref().map_or(MAX_DEPTH, |d| usize::try_from(d.value).unwrap_or(usize::MAX));
        if let Some(at) = written.depth.as_ref().filter(|_| !(1..=MAX_DEPTH).contains(&depth)) {
            let found = Diagnostic::error(Code::BadValue, at.span, format!("`depth` is 1 to {MAX_DEPTH}"));
            builder.sink.push(found.label("1 is the folder itself"));
            return None;
        }
        Some(List {
            place: place?,
            pattern: transpose(pattern)?,
            starts_with: transpose(starts_with)?,
            folders: written.folders.as_ref().is_some_and(|f| f.value),
            depth,
            limits: builder.limits.with(written.timeout.as_ref(), written.max_rows.as_ref(), None),
        })
    }

    /// Lists the files.
    ///
    /// # Errors
    /// If the folder can't be read, or what the paths should fit is no glob.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let from = self.place.relative(arguments)?;
        let wanted = self.wanted(arguments)?;
        let (filter, cancel) = (self.place.filter(), call.cancel.clone());
        let (folders, depth, max_rows) = (self.folders, self.depth, self.limits.max_rows);
        let until = Instant::now() + self.limits.timeout;
        let at = from.clone();
        let listed = self.place.root.blocking(&at, move |root| {
            let walk = Walk { from: &from, filter: &filter, folders, depth, until, cancel: &cancel };
            let mut found = Vec::new();
            let mut more = false;
            let ended = root.walk(&walk, |entry| match wanted.takes(&entry.path) {
                false => ControlFlow::Continue(()),
                true if found.len() == max_rows => {
                    more = true;
                    ControlFlow::Break(())
                }
                true => {
                    found.push(row(entry));
                    ControlFlow::Continue(())
                }
            });
            let cut = ended.map_err(|found| fault(&found))?.cut();
            let cut = if more { Some(format!("cut after {max_rows} rows (maxRows)")) } else { cut };
            Ok::<_, ActionError>(rows(found, cut))
        });
        let listed = listed.await?;
        call.go_on()?;
        Ok(listed)
    }

    /// The folder that a call would list.
    ///
    /// # Errors
    /// If a value can't stand in the path.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        Ok(format!("list the files of {}", self.place.folder.join(self.place.relative(arguments)?).display()))
    }

    /// The JSON Schema of its answer.
    pub fn schema() -> Value {
        let properties = json!({
            "path": { "type": "string" },
            "name": { "type": "string" },
            "kind": { "type": "string", "enum": ["file", "folder"] },
            "mimeType": { "type": ["string", "null"] },
            "size": { "type": "integer" },
            "modified": { "type": ["string", "null"] },
        });
        schema(&properties, &["path", "name", "kind"])
    }

    /// What a watcher has to look at so that no change of the list is missed, and a digest of the list. At most as
    /// many folders as rows.
    pub fn survey(&self) -> Option<(Vec<std::path::PathBuf>, u64)> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let path = self.place.literal().unwrap_or_default();
        let filter: &Filter = &self.place.filter();
        let (until, cancel) = (Instant::now() + self.limits.timeout, tokio_util::sync::CancellationToken::new());
        let walk = Walk { from: &path, filter, folders: true, depth: self.depth, until, cancel: &cancel };
        let mut folders = vec![self.place.folder.join(&path)];
        let mut hasher = DefaultHasher::new();
        let max = self.limits.max_rows;
        let ended = self.place.root.walk(&walk, |entry| {
            if entry.is_folder {
                folders.push(self.place.folder.join(&entry.path));
            } else {
                entry.path.hash(&mut hasher);
            }
            if folders.len() > max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        ended.ok().map(|_| (folders, hasher.finish()))
    }

    fn wanted(&self, arguments: &Arguments) -> Result<Wanted, ActionError> {
        let text = |template: &Option<Template>| match template {
            Some(template) => render(template, arguments, MAX_VALUE),
            None => Ok(String::new()),
        };
        let pattern = text(&self.pattern)?;
        let pattern = match pattern.is_empty() {
            true => None,
            false => {
                let pattern = glob(&pattern).map_err(|why| ActionError::invalid(format!("not a glob: {why}")))?;
                Some(pattern.compile_matcher())
            }
        };
        Ok(Wanted { pattern, starts_with: text(&self.starts_with)?.to_lowercase() })
    }
}

impl Wanted {
    fn takes(&self, path: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(path))
            && (self.starts_with.is_empty() || path.to_lowercase().starts_with(&self.starts_with))
    }
}

fn row(entry: Entry) -> Value {
    let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).to_owned();
    let mime_type = if entry.is_folder { None } else { mime_type_of_name(&name) };
    let modified = entry.modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
    let modified = modified.and_then(|time| time.round(jiff::Unit::Second).ok()).map(|time| time.to_string());
    let mut row = Map::new();
    row.insert("path".to_owned(), entry.path.into());
    row.insert("name".to_owned(), name.into());
    row.insert("kind".to_owned(), if entry.is_folder { "folder" } else { "file" }.into());
    row.insert("mimeType".to_owned(), mime_type.into());
    if !entry.is_folder {
        row.insert("size".to_owned(), entry.size.into());
    }
    row.insert("modified".to_owned(), modified.into());
    Value::Object(row)
}

fn transpose<T>(compiled: Option<Option<T>>) -> Option<Option<T>> {
    match compiled {
        Some(compiled) => compiled.map(Some),
        None => Some(None),
    }
}
