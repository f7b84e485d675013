//! From a path to a document: files, folders, includes.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::env::{self, Environment};
use super::model::Document;
use super::node::{Entry, Kind, Node};
use super::source::{FileId, Files, Span, Spanned};
use super::text::Text;

/// Bytes that one file may have.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Files that one spec may be made of.
const MAX_FILES: usize = 1000;
/// Endings of spec files.
const ENDINGS: [&str; 4] = ["yaml", "yml", "toml", "json"];
/// Sections in which several files may define names.
const SHARED: [&str; 5] = ["sources", "partials", "tools", "resources", "prompts"];

/// Where a spec comes from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file, or a folder whose spec files are one spec.
    Path(PathBuf),
    /// Text that was read already, as from standard input; relative paths start at the current folder.
    Text(String),
}

/// A spec as read, or as far as it could be.
#[derive(Debug)]
pub struct Loaded {
    /// The texts, for diagnostics.
    pub files: Files,
    /// Every path that the result depends on, those that are not there included.
    pub inputs: Vec<PathBuf>,
    /// The document; `None` if there is nothing to go on with.
    pub document: Option<Document>,
    /// What was found.
    pub diagnostics: Diagnostics,
}

/// Reads a spec and everything that it includes.
pub fn load(input: &Input, env: &Environment) -> Loaded {
    let mut loader = Loader {
        env,
        files: Files::default(),
        inputs: Vec::new(),
        sink: Diagnostics::default(),
        open: Vec::new(),
        done: Vec::new(),
    };
    let root = match input {
        Input::Text(text) => loader.text("<stdin>", PathBuf::from("-"), text.clone()),
        Input::Path(path) if path.is_dir() => loader.folder(path),
        Input::Path(path) => loader.file(path, None),
    };
    let document = root.and_then(|root| Document::read(&root, &mut loader.sink));
    Loaded { files: loader.files, inputs: loader.inputs, document, diagnostics: loader.sink }
}

struct Loader<'e> {
    env: &'e Environment,
    files: Files,
    inputs: Vec<PathBuf>,
    sink: Diagnostics,
    /// Canonical paths of the files that include each other just now, outermost first.
    open: Vec<PathBuf>,
    done: Vec<PathBuf>,
}

impl Loader<'_> {
    fn folder(&mut self, folder: &Path) -> Option<Node> {
        self.inputs.push(folder.to_owned());
        let listed = match std::fs::read_dir(folder) {
            Ok(listed) => listed,
            Err(error) => {
                self.unreadable(folder, reason(&error), None);
                return None;
            }
        };
        let mut paths: Vec<PathBuf> = listed.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_spec(p)).collect();
        paths.sort();
        let mut whole: Option<Node> = None;
        for path in &paths {
            let Some(node) = self.file(path, None) else { continue };
            match &mut whole {
                None => whole = Some(node),
                Some(whole) => merge(whole, node, &mut self.sink),
            }
        }
        if paths.is_empty() {
            self.unreadable(folder, "no .yaml, .yml, .toml or .json file in this folder", None);
        }
        whole
    }

    /// Reads a file with what it includes. `None` after a mistake that leaves nothing, or if it is read already.
    fn file(&mut self, path: &Path, included_at: Option<Span>) -> Option<Node> {
        self.inputs.push(path.to_owned());
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.open.contains(&canonical) {
            if let Some(span) = included_at {
                let words = format!("{} includes itself", path.display());
                self.sink.error(Code::BadValue, span, words);
            }
            return None;
        }
        if self.done.contains(&canonical) {
            return None;
        }
        if self.done.len() >= MAX_FILES {
            self.unreadable(path, &format!("a spec is made of at most {MAX_FILES} files"), included_at);
            return None;
        }
        self.done.push(canonical.clone());
        let text = match read_text(path) {
            Ok(text) => text,
            Err(why) => {
                self.unreadable(path, &why, included_at);
                return None;
            }
        };
        self.open.push(canonical);
        let node = self.text(&path.display().to_string(), path.to_owned(), text);
        self.open.pop();
        node
    }

    fn text(&mut self, name: &str, path: PathBuf, text: String) -> Option<Node> {
        let toml = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        let file = self.files.add(name, path, text);
        let parsed = if toml {
            super::toml::parse(file, &self.files, &mut self.sink)
        } else {
            super::yaml::parse(file, &self.files, &mut self.sink)
        };
        let mut node = parsed?;
        env::interpolate(&mut node, self.env, &self.files, &mut self.sink, &mut self.inputs);
        let includes: Vec<Spanned<Text>> = node.get("include").map(|e| self.includes(e)).unwrap_or_default();
        for include in includes {
            for path in self.matching(file, &include) {
                if let Some(part) = self.file(&path, Some(include.span)) {
                    merge(&mut node, part, &mut self.sink);
                }
            }
        }
        Some(node)
    }

    fn includes(&mut self, entry: &Entry) -> Vec<Spanned<Text>> {
        use super::read::FromNode;
        let read = match &entry.value.kind {
            Kind::String(_) => {
                Spanned::<Text>::from_node(&entry.value, entry.key.span, &mut self.sink).map(|t| vec![t])
            }
            _ => Vec::from_node(&entry.value, entry.key.span, &mut self.sink),
        };
        read.unwrap_or_default()
    }

    /// The files that an `include` means, in alphabetical order.
    fn matching(&mut self, file: FileId, include: &Spanned<Text>) -> Vec<PathBuf> {
        let path = self.files.folder(file).join(include.expose());
        let pattern = path.to_string_lossy();
        if !pattern.contains(['*', '?', '[']) {
            return vec![path];
        }
        if let Some(folder) = path.parent() {
            self.inputs.push(folder.to_owned());
        }
        match glob::glob(&pattern) {
            Ok(found) => found.filter_map(Result::ok).filter(|p| is_spec(p)).take(MAX_FILES).collect(),
            Err(error) => {
                let found = Diagnostic::error(Code::BadValue, include.span, "not a pattern of file names");
                self.sink.push(found.label(error.msg));
                Vec::new()
            }
        }
    }

    fn unreadable(&mut self, path: &Path, why: &str, included_at: Option<Span>) {
        let words = format!("can't read {}: {why}", path.display());
        self.sink.push(match included_at {
            Some(span) => Diagnostic::error(Code::MissingFile, span, words),
            None => Diagnostic::nowhere(Code::Unreadable, words),
        });
    }
}

fn is_spec(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    !hidden && ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) && path.is_file()
}

/// A text file's content, bounded.
///
/// # Errors
/// Words saying why it can't be had.
pub fn read_text(path: &Path) -> Result<String, String> {
    let words = |e: std::io::Error| reason(&e).to_owned();
    let metadata = std::fs::metadata(path).map_err(words)?;
    if metadata.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let too_large = || format!("it is larger than {} MiB", MAX_BYTES >> 20);
    if metadata.len() > MAX_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(words)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(words)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    let text = String::from_utf8(bytes)
        .map_err(|e| format!("it is not UTF-8 text (byte {} is not)", e.utf8_error().valid_up_to() + 1))?;
    match text.find('\0') {
        Some(at) => Err(format!("it is not text (byte {} is NUL)", at + 1)),
        None => Ok(text),
    }
}

/// An I/O error in plain words.
pub fn reason(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound => "there is no such file",
        PermissionDenied => "permission denied",
        IsADirectory => "it is a folder",
        NotADirectory => "a part of its path is no folder",
        _ => "reading it failed",
    }
}

/// Adds the sections of `part` to those of `whole`. A name, and a section that is not shared, may be defined
/// once in all.
fn merge(whole: &mut Node, part: Node, sink: &mut Diagnostics) {
    let (Kind::Map(sections), Kind::Map(more)) = (&mut whole.kind, part.kind) else { return };
    for section in more {
        let name = section.key.value.as_str();
        if name == "include" || name.starts_with("x-") {
            continue;
        }
        let Some(existing) = sections.iter_mut().find(|e| e.key.value == name) else {
            sections.push(section);
            continue;
        };
        if !SHARED.contains(&name) {
            sink.push(super::yaml::duplicate(&section.key, existing.key.span));
            continue;
        }
        match (&mut existing.value.kind, section.value.kind) {
            (Kind::Map(entries), Kind::Map(added)) => add(entries, added, sink),
            (kind @ Kind::Null, added) => *kind = added,
            _ => {}
        }
    }
}

fn add(entries: &mut Vec<Entry>, added: Vec<Entry>, sink: &mut Diagnostics) {
    let known: std::collections::HashMap<String, Span> =
        entries.iter().map(|e| (e.key.value.clone(), e.key.span)).collect();
    for entry in added {
        match known.get(&entry.key.value) {
            Some(first) => sink.push(super::yaml::duplicate(&entry.key, *first)),
            None => entries.push(entry),
        }
    }
}
