//! `file`: a file below a folder that no path leads out of.

use std::path::PathBuf;

use super::files::{FileContent, FileFault, mime_type_of_name};
use super::folder::{Place, count, fault};
use super::{Arguments, Builder, Scope};
use crate::outcome::{ActionError, Content, Outcome};
use crate::spec::model::FileAction;
use crate::spec::node::Kind;
use crate::spec::read::{At, FromNode};
use crate::spec::{Node, Spanned};
use crate::template::ValueTemplate;

/// A compiled file action.
#[derive(Debug)]
pub struct FileRead {
    place: Place,
    offset: Option<ValueTemplate>,
    length: Option<ValueTemplate>,
    max_bytes: usize,
}

impl FileRead {
    /// Compiles it. A path without variables has to be there already.
    pub fn compile(written: &FileAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let place = Place::of_file(written, scope, builder);
        let mut number = |node: &Option<Node>| match node {
            Some(node) => counting(node, builder).and_then(|()| builder.json(node, scope)).map(Some),
            None => Some(None),
        };
        let (offset, length) = (number(&written.offset), number(&written.length));
        let max_bytes = builder.limits.with(None, None, written.max_bytes.as_ref()).max_bytes;
        Some(FileRead { place: place?, offset: offset?, length: length?, max_bytes })
    }

    /// Reads the file, or the part of it that the call asks for.
    ///
    /// # Errors
    /// If there is no such file, or the path leads outside of the folder.
    pub async fn run(&self, arguments: &Arguments) -> Result<Outcome, ActionError> {
        let path = self.place.file(arguments)?;
        let offset = count(self.offset.as_ref(), "offset", arguments)?.unwrap_or(0);
        let length = count(self.length.as_ref(), "length", arguments)?;
        let length = length.map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(usize::MAX));
        let (at, enough) = (path.clone(), length.min(self.max_bytes));
        let read = self.place.root.blocking(&path, move |root| root.read_range(&at, offset, enough)).await;
        let FileContent { bytes, truncated, mime_type } = read.map_err(|f| fault(&f))?;
        let part = truncated || offset > 0;
        let content = match String::from_utf8(bytes) {
            Ok(text) => Content::Text(text),
            Err(error) if part && is_text(&mime_type) => {
                Content::Text(String::from_utf8_lossy(error.as_bytes()).trim_matches('\u{fffd}').to_owned())
            }
            Err(error) => Content::Bytes(error.into_bytes()),
        };
        let cut = truncated && length > self.max_bytes;
        let truncated = cut.then(|| format!("cut after {} bytes (maxBytes)", self.max_bytes));
        Ok(Outcome { truncated, ..Outcome::new(content, Some(mime_type)) })
    }

    /// Where the file of a call lies, or would lie; `None` for what leads outside of the folder or is no file.
    pub async fn location(&self, arguments: &Arguments) -> Option<PathBuf> {
        let path = self.place.file(arguments).ok()?;
        let at = path.clone();
        let opened = self.place.root.blocking(&path, move |root| root.open_file(&at).map(drop)).await;
        matches!(opened, Ok(()) | Err(FileFault::NotFound(_))).then(|| self.place.folder.join(path))
    }

    /// The path that a call would read, below the folder.
    ///
    /// # Errors
    /// If a value can't stand in it.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        Ok(format!("read {}", self.place.file(arguments)?))
    }

    /// The media type by the path's ending, when that is fixed.
    pub fn mime_type(&self) -> Option<String> {
        let path = self.place.written();
        let name = path.rsplit('/').next().unwrap_or(path);
        // What a variable stands for is a part of the name, so that `{name}.png` is no hidden file.
        let name = name.rsplit_once('}').map_or(name.to_owned(), |(_, ending)| format!("x{ending}"));
        name.contains('.').then(|| mime_type_of_name(&name)).flatten().map(str::to_owned)
    }
}

/// Refuses what can't be a number of bytes, whatever the arguments are.
fn counting(node: &Node, builder: &mut Builder<'_>) -> Option<()> {
    match &node.kind {
        Kind::String(_) => Some(()),
        _ => Spanned::<u64>::from_node(node, At::place(node.span), builder.sink).map(drop),
    }
}

fn is_text(mime_type: &str) -> bool {
    mime_type.starts_with("text/") || mime_type == "application/json"
}
