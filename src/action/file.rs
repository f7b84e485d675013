//! `file`: a file below a folder that no path leads out of.

use serde_json::Value;

use super::files::{FileContent, FileFault, Root};
use super::{Arguments, Builder, Scope};
use crate::outcome::{ActionError, Content, ErrorKind, Outcome};
use crate::spec::Code;
use crate::spec::model::FileAction;
use crate::uri::UriTemplate;

/// A compiled file action.
#[derive(Debug)]
pub struct FileRead {
    root: Root,
    path: UriTemplate,
    max_bytes: usize,
}

impl FileRead {
    /// Compiles it. A path without variables has to be there already.
    pub fn compile(written: &FileAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let named = written.root.as_ref();
        let folder = builder.folder(named.map(|r| (r.value.as_str(), r.span)), written.at);
        let path = builder.uri_template(written.path.get()?, scope)?;
        let folder = folder?;
        let at = written.path.get()?;
        let root = match Root::open(&folder) {
            Ok(root) => root,
            Err(why) => {
                builder.sink.error(Code::MissingFile, at.span, why);
                return None;
            }
        };
        if path.is_literal() {
            let relative = crate::uri::decode(path.as_str()).unwrap_or_default();
            builder.inputs.push(folder.join(&relative));
            if let Err(why) = root.read(&relative, 1) {
                builder.sink.error(Code::MissingFile, at.span, why.to_string());
                return None;
            }
        }
        let max_bytes = builder.limits.with(None, None, written.max_bytes.as_ref()).max_bytes;
        Some(FileRead { root, path, max_bytes })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If there is no such file, or the path leads outside of the folder.
    pub async fn run(&self, arguments: &Arguments) -> Result<Outcome, ActionError> {
        let path = self.relative(arguments)?;
        let FileContent { bytes, truncated, mime_type } =
            self.root.read_async(&path, self.max_bytes).await.map_err(|f| fault(&f))?;
        let content = match String::from_utf8(bytes) {
            Ok(text) => Content::Text(text),
            Err(error) if truncated && is_text(&mime_type) => {
                Content::Text(String::from_utf8_lossy(error.as_bytes()).trim_end_matches('\u{fffd}').to_owned())
            }
            Err(error) => Content::Bytes(error.into_bytes()),
        };
        let truncated = truncated.then(|| format!("cut after {} bytes (maxBytes)", self.max_bytes));
        Ok(Outcome { content, mime_type: Some(mime_type), truncated })
    }

    /// The path that a call would read, below the folder.
    ///
    /// # Errors
    /// If a value can't stand in it.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        Ok(format!("read {}", self.relative(arguments)?))
    }

    /// The media type by the path's ending, when that is fixed.
    pub fn mime_type(&self) -> Option<String> {
        let path = self.path.as_str();
        let ending = path.rsplit(['/', '}']).next().unwrap_or(path);
        ending.contains('.').then(|| super::files::mime_type_of_name(ending)).flatten().map(str::to_owned)
    }

    /// The path with its values, which are taken as they are: a URI's percent-encoding is undone again.
    fn relative(&self, arguments: &Arguments) -> Result<String, ActionError> {
        for variable in self.path.variables() {
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
        crate::uri::decode(&self.path.expand(arguments))
            .ok_or_else(|| ActionError::invalid("the path is not valid percent-encoded UTF-8"))
    }
}

fn is_text(mime_type: &str) -> bool {
    mime_type.starts_with("text/") || mime_type == "application/json"
}

fn fault(fault: &FileFault) -> ActionError {
    let kind = match fault {
        FileFault::NotFound(_) => ErrorKind::NotFound,
        FileFault::Outside(_) | FileFault::NotAFile(_) => ErrorKind::Invalid,
        _ => ErrorKind::Failed,
    };
    ActionError::new(kind, fault.to_string())
}
