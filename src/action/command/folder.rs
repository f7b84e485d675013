//! The folder that a command starts in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::action::{Arguments, Builder, Scope, render_fault};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::{Code, Diagnostic, Span, Spanned, Text};
use crate::template::Template;

/// Bytes of a path below the fixed folder.
const LONGEST_PATH: usize = 4095;

/// `cwd`.
#[derive(Debug)]
pub enum Folder {
    /// The same for every call.
    Fixed(PathBuf),
    /// Below a fixed one, by a call's values. The fixed one is held open, and the way down from it can't leave it.
    Below {
        /// The fixed one, for explanations.
        path: PathBuf,
        /// The fixed one, open.
        root: Arc<Dir>,
        /// The path below it.
        below: Template,
    },
}

/// A folder that a command is about to start in, held open where its path alone would not lead there for sure.
#[derive(Debug)]
pub struct Opened {
    /// The path by which the command gets there.
    pub path: PathBuf,
    _held: Option<Dir>,
}

impl Folder {
    /// Checks and compiles it. Where a value stands in it, the folders before that are fixed.
    pub fn compile(
        written: Option<&Spanned<Text>>,
        at: Span,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let Some(cwd) = written.filter(|cwd| cwd.written().contains("{{")) else {
            return builder.folder(written.map(|cwd| (cwd.expose(), cwd.span)), at).map(Folder::Fixed);
        };
        let text = cwd.expose();
        let value = text.find("{{").unwrap_or(text.len());
        let start = text.get(..value).and_then(|before| before.rfind('/')).map_or(0, |slash| slash + 1);
        let (fixed, below) = text.split_at(start);
        let below = Spanned::new(below.to_owned(), cwd.span);
        let below = builder.template(&below, scope);
        let path = builder.folder(Some((fixed, cwd.span)), at)?;
        match Dir::open_ambient_dir(&path, ambient_authority()) {
            Ok(root) => Some(Folder::Below { path, root: Arc::new(root), below: below? }),
            Err(_) => {
                let words = format!("the folder {} can't be opened", path.display());
                builder.sink.push(Diagnostic::error(Code::MissingFile, cwd.span, words));
                None
            }
        }
    }

    /// The folder of a call.
    ///
    /// # Errors
    /// If there is none, or it is outside of the fixed one.
    pub fn open(&self, arguments: &Arguments) -> Result<Opened, ActionError> {
        let (path, root, below) = match self {
            Folder::Fixed(path) => return Ok(Opened { path: path.clone(), _held: None }),
            Folder::Below { path, root, below } => (path, root, render(below, arguments)?),
        };
        let there = if below.is_empty() { "." } else { below.as_str() };
        match root.open_dir(there) {
            Ok(folder) => {
                Ok(Opened { path: by_handle(&folder).unwrap_or_else(|| path.join(there)), _held: Some(folder) })
            }
            Err(_) => Err(ActionError::new(ErrorKind::NotFound, format!("there is no folder `{below}`"))),
        }
    }

    /// The folder of a call, for an explanation.
    ///
    /// # Errors
    /// If its path can't be made.
    pub fn explain(&self, arguments: &Arguments) -> Result<PathBuf, ActionError> {
        match self {
            Folder::Fixed(path) => Ok(path.clone()),
            Folder::Below { path, below, .. } => Ok(path.join(render(below, arguments)?)),
        }
    }
}

fn render(below: &Template, arguments: &Arguments) -> Result<String, ActionError> {
    below.render(arguments, LONGEST_PATH).map_err(|fault| render_fault(&fault))
}

/// The path that means this open folder in the process that is about to become the command, whatever its name leads to by
/// then.
#[cfg(target_os = "linux")]
fn by_handle(folder: &Dir) -> Option<PathBuf> {
    use std::os::fd::{AsFd, AsRawFd};
    let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd()));
    Path::new("/proc/self/fd").exists().then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn by_handle(_: &Dir) -> Option<PathBuf> {
    None
}
