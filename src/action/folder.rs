//! What works on the files below a folder: where they are, and what lists, searches and changes them.

mod change;
mod list;
mod search;

use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use change::{Edit, Write};
pub use list::List;
pub use search::Search;

use super::files::{FileFault, Filter, Root};
use super::{Arguments, Builder, Scope, render_fault};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::spec::model::FileAction;
use crate::spec::{Code, Diagnostic, Span, Spanned, Text};
use crate::template::{Template, ValueTemplate};
use crate::uri::UriTemplate;

/// Bytes of a value that a template may make.
const MAX_VALUE: usize = 64 * 1024;

/// A folder held open, a path below it that a call chooses, and the files that are meant.
#[derive(Debug)]
pub struct Place {
    /// The folder.
    pub root: Root,
    /// Where it is.
    pub folder: std::path::PathBuf,
    path: Option<UriTemplate>,
    filter: Option<Arc<Filter>>,
}

/// The keys of a place, as written.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The place of the action.
    pub at: Span,
    /// The folder; the spec's own by default.
    pub root: Option<&'a Spanned<Text>>,
    /// The path below it.
    pub path: Option<&'a Spanned<String>>,
    /// Globs of the files that are meant.
    pub include: Option<&'a Vec<Spanned<String>>>,
    /// Globs of those that are not.
    pub exclude: Option<&'a Vec<Spanned<String>>>,
}

/// Takes the keys of a place out of an action.
macro_rules! place {
    ($written:expr, $path:expr) => {
        $crate::action::folder::Written {
            at: $written.at,
            root: $written.root.as_ref(),
            path: $path,
            include: $written.include.as_ref(),
            exclude: $written.exclude.as_ref(),
        }
    };
}
pub(super) use place;

impl Place {
    /// Opens the folder and compiles what says which files are meant; every mistake is reported at its place.
    pub fn compile(written: Written<'_>, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let folder = builder.folder(written.root.map(|r| (r.expose(), r.span)), written.at);
        let path = written.path.map(|path| builder.uri_template(path, scope));
        let filter = filter(written, builder);
        let (folder, filter) = (folder?, filter?);
        let path = match path {
            Some(path) => Some(path?),
            None => None,
        };
        match Root::open(&folder) {
            Ok(root) => Some(Place { root, folder, path, filter }),
            Err(why) => {
                let at = written.path.map_or(written.at, |path| path.span);
                builder.sink.error(Code::MissingFile, at, why);
                None
            }
        }
    }

    /// The place of an action `file`. A path without variables has to be there already.
    pub fn of_file(written: &FileAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let place = Self::compile(place!(written, written.path.get()), scope, builder);
        let at = written.path.get()?;
        let place = place?;
        if let Some(path) = place.literal() {
            builder.inputs.push(place.folder.join(&path));
            if let Err(why) = place.root.read(&path, 1) {
                builder.sink.error(Code::MissingFile, at.span, why.to_string());
                return None;
            }
        }
        Some(place)
    }

    /// The params in the path.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.path.iter().flat_map(|path| path.variables().map(|variable| variable.name))
    }

    /// The path as written, if it is the same for every call.
    pub fn literal(&self) -> Option<String> {
        let path = self.path.as_ref().filter(|path| path.is_literal())?;
        crate::uri::decode(path.as_str())
    }

    /// The path's template as it was written; empty without one.
    pub fn written(&self) -> &str {
        self.path.as_ref().map_or("", UriTemplate::as_str)
    }

    /// Which files are meant where nothing was said: all but hidden ones.
    pub fn filter(&self) -> Arc<Filter> {
        self.filter.clone().unwrap_or_default()
    }

    /// The path of a call below the folder; its values are taken as they are: a URI's percent-encoding is undone
    /// again. Without a path, the folder itself.
    ///
    /// # Errors
    /// If a value can't stand in it.
    pub fn relative(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let Some(path) = &self.path else { return Ok(String::new()) };
        for variable in path.variables() {
            let slash = |value: &Value| value.as_str().is_some_and(|text| text.contains('/'));
            let held = match arguments.get(variable.name) {
                Some(Value::Array(items)) => items.iter().any(slash),
                Some(value) => slash(value),
                None => false,
            };
            if held && !variable.operator.allows_reserved() {
                return Err(ActionError::invalid(format!("`{}` can't hold a `/`", variable.name)));
            }
        }
        crate::uri::decode(&path.expand_plain(arguments))
            .ok_or_else(|| ActionError::invalid("the path is not valid percent-encoded UTF-8"))
    }

    /// The path of a call to one of the files that are meant.
    ///
    /// # Errors
    /// As [`Place::relative`]; a file that is not meant is not found.
    pub fn file(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let path = self.relative(arguments)?;
        match &self.filter {
            Some(filter) if !filter.takes(&path) => Err(fault(&FileFault::not_found(&path))),
            _ => Ok(path),
        }
    }
}

/// Why a file was not had, for the caller.
pub fn fault(fault: &FileFault) -> ActionError {
    let kind = match fault {
        FileFault::NotFound(_) => ErrorKind::NotFound,
        FileFault::Outside(_) | FileFault::NotAFile(_) | FileFault::Exists(_) => ErrorKind::Invalid,
        _ => ErrorKind::Failed,
    };
    ActionError::new(kind, fault.to_string())
}

impl From<FileFault> for ActionError {
    fn from(found: FileFault) -> Self {
        fault(&found)
    }
}

/// `None` after a mistake, `Some(None)` where nothing is said of which files are meant.
fn filter(written: Written<'_>, builder: &mut Builder<'_>) -> Option<Option<Arc<Filter>>> {
    if written.include.is_none() && written.exclude.is_none() {
        return Some(None);
    }
    let texts = |list: Option<&'_ Vec<Spanned<String>>>| -> Vec<Spanned<String>> { list.cloned().unwrap_or_default() };
    let (include, exclude) = (texts(written.include), texts(written.exclude));
    let mut sound = true;
    for pattern in include.iter().chain(&exclude) {
        if let Err(why) = super::files::glob(pattern) {
            let found = Diagnostic::error(Code::BadValue, pattern.span, "this is not a glob");
            builder.sink.push_once(found.label(why));
            sound = false;
        }
    }
    sound.then_some(())?;
    let (include, exclude) = (include.iter().map(|p| p.value.as_str()), exclude.iter().map(|p| p.value.as_str()));
    match Filter::new(include, exclude) {
        Ok(filter) => Some(Some(Arc::new(filter))),
        Err((_, why)) => {
            builder.sink.error(Code::BadValue, written.at, why);
            None
        }
    }
}

/// The text that a template makes of the arguments.
fn render(template: &Template, arguments: &Arguments, max_bytes: usize) -> Result<String, ActionError> {
    template.render(arguments, max_bytes).map_err(|fault| render_fault(&fault))
}

/// Whether a template's value is `true`; nothing is `false`.
fn truth(template: Option<&ValueTemplate>, key: &str, arguments: &Arguments) -> Result<bool, ActionError> {
    match value(template, arguments)? {
        Value::Null => Ok(false),
        Value::Bool(truth) => Ok(truth),
        _ => Err(ActionError::invalid(format!("`{key}` has to be true or false"))),
    }
}

/// A template's value as a count; `None` if there is none.
pub fn count(template: Option<&ValueTemplate>, key: &str, arguments: &Arguments) -> Result<Option<u64>, ActionError> {
    match value(template, arguments)? {
        Value::Null => Ok(None),
        Value::Number(number) if number.is_u64() => Ok(number.as_u64()),
        _ => Err(ActionError::invalid(format!("`{key}` has to be a whole number, 0 or more"))),
    }
}

fn value(template: Option<&ValueTemplate>, arguments: &Arguments) -> Result<Value, ActionError> {
    let Some(template) = template else { return Ok(Value::Null) };
    let value = template.render(arguments, MAX_VALUE).map_err(|fault| render_fault(&fault))?;
    Ok(value.unwrap_or(Value::Null))
}

/// An answer of rows, in the shape that a `sql` action's has.
fn rows(rows: Vec<Value>, cut: Option<String>) -> Outcome {
    let count = rows.len();
    let answer = [
        ("rows".to_owned(), Value::Array(rows)),
        ("rowCount".to_owned(), count.into()),
        ("truncated".to_owned(), cut.is_some().into()),
    ];
    let answer: Map<String, Value> = answer.into_iter().collect();
    Outcome { truncated: cut, ..Outcome::json(Value::Object(answer)) }
}

/// The JSON Schema of [`rows`] that have these properties.
fn schema(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "items": { "type": "object", "properties": properties, "required": required },
            },
            "rowCount": { "type": "integer" },
            "truncated": { "type": "boolean" },
        },
        "required": ["rows", "rowCount", "truncated"],
    })
}
