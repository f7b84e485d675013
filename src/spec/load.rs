//! From a path to a document: files, folders, includes.

mod beside;
mod merge;

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::env::{self, Environment};
use super::model::Document;
use super::node::{Entry, Kind, Node};
use super::outside::Outside;
use super::read::{At, FromNode};
use super::source::{FileId, Files, Span, Spanned};
use super::text::Text;
use merge::merge;

/// Bytes that one file may have.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Files that one spec may be made of.
const MAX_FILES: usize = 1000;
/// Endings of spec files.
pub const ENDINGS: [&str; 4] = ["yaml", "yml", "toml", "json"];

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
    /// What it takes from outside; its files are of `inputs` too.
    pub outside: Outside,
    /// The whole tree as written, includes and all; `None` if there is none.
    pub root: Option<Node>,
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
        outside: Outside::default(),
        sink: Diagnostics::default(),
        open: Vec::new(),
        done: Vec::new(),
    };
    let root = match input {
        Input::Text(text) => loader.text("<stdin>", PathBuf::from("-"), text.clone()),
        Input::Path(path) if path.is_dir() => loader.folder(path),
        Input::Path(path) => loader.file(path, None),
    };
    let document = root.as_ref().and_then(|root| Document::read(root, &mut loader.sink));
    loader.inputs.extend(loader.outside.files.iter().cloned());
    let Loader { files, inputs, outside, sink, .. } = loader;
    Loaded { files, inputs, outside, root, document, diagnostics: sink }
}

struct Loader<'e> {
    env: &'e Environment,
    files: Files,
    inputs: Vec<PathBuf>,
    outside: Outside,
    sink: Diagnostics,
    /// The files that include each other just now, outermost first: canonical path, and path as it was given.
    open: Vec<(PathBuf, PathBuf)>,
    /// Canonical paths of all the files read.
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
        let mut paths: Vec<PathBuf> = listed
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| ends_with(p, &ENDINGS) && !is_recording(p))
            .collect();
        paths.sort();
        if paths.is_empty() {
            self.unreadable(folder, "no .yaml, .yml, .toml or .json file in this folder", None);
        }
        let parts: Vec<Node> = paths.iter().filter_map(|path| self.file(path, None)).collect();
        if self.refuse_wholes(&parts) {
            return None;
        }
        let mut whole: Option<Node> = None;
        for node in parts {
            match &mut whole {
                Some(whole) if !matches!(whole.kind, Kind::Null) => merge(whole, node, &mut self.sink),
                _ => whole = Some(node),
            }
        }
        whole
    }

    /// Reports files of a folder that each say who the server is: they are specs of their own, not parts of one,
    /// and all else that they have in common would be called a duplicate.
    fn refuse_wholes(&mut self, parts: &[Node]) -> bool {
        let mut servers = parts.iter().filter_map(|part| Some(part.get("server")?.key.span));
        let (Some(first), Some(second)) = (servers.next(), servers.next()) else { return false };
        let words = "several files of this folder have a `server`, so each seems to be a whole spec";
        let found = Diagnostic::error(Code::DuplicateKey, second, words).label("a `server` is here");
        let found = [first].into_iter().chain(servers).fold(found, |found, at| found.related(at, "and here"));
        self.sink.push(found.help("name one of them in place of the folder, or keep `server` in one of them"));
        true
    }

    /// Reads a file with what it includes. `None` after a mistake that leaves nothing, or if it is read already.
    fn file(&mut self, path: &Path, included_at: Option<Span>) -> Option<Node> {
        self.inputs.push(path.to_owned());
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.open.iter().any(|(open, _)| *open == canonical) {
            if let Some(span) = included_at {
                self.cycle(path, &canonical, span);
            }
            return None;
        }
        let text = self.unread(path, &canonical, included_at)?;
        self.open.push((canonical, path.to_owned()));
        let node = self.text(&path.display().to_string(), path.to_owned(), text);
        self.open.pop();
        node
    }

    /// The text of a file of the spec; `None` if it is read already, or can't be read.
    fn unread(&mut self, path: &Path, canonical: &Path, named_at: Option<Span>) -> Option<String> {
        if self.done.iter().any(|done| done == canonical) {
            return None;
        }
        if self.done.len() >= MAX_FILES {
            self.unreadable(path, &format!("a spec is made of at most {MAX_FILES} files"), named_at);
            return None;
        }
        self.done.push(canonical.to_owned());
        let read = if named_at.is_some() { read_text } else { read_given };
        read(path).map_err(|why| self.unreadable(path, &why, named_at)).ok()
    }

    fn text(&mut self, name: &str, path: PathBuf, text: String) -> Option<Node> {
        let toml = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        let file = self.files.add_spec(name, path, text);
        let parsed = if toml {
            super::toml::parse(file, &self.files, &mut self.sink)
        } else {
            super::yaml::parse(file, &self.files, &mut self.sink)
        };
        let mut node = parsed?;
        env::interpolate(&mut node, self.env, &self.files, &mut self.sink, &mut self.outside);
        self.partial_files(&mut node, file);
        self.prompt_files(&mut node, file);
        let includes: Vec<Spanned<Text>> = node.get("include").map(|e| self.paths(e)).unwrap_or_default();
        for include in includes {
            let parts = self.matching(file, &include, &ENDINGS);
            for path in parts.into_iter().filter(|path| !is_recording(path)) {
                if let Some(part) = self.file(&path, Some(include.span)) {
                    merge(&mut node, part, &mut self.sink);
                }
            }
        }
        Some(node)
    }

    /// A path, or a list of paths.
    fn paths(&mut self, entry: &Entry) -> Vec<Spanned<Text>> {
        let at = At::key(entry);
        let read = match &entry.value.kind {
            Kind::String(_) => Spanned::<Text>::from_node(&entry.value, at, &mut self.sink).map(|t| vec![t]),
            _ => Vec::from_node(&entry.value, at, &mut self.sink),
        };
        read.unwrap_or_default()
    }

    /// The files that an `include` means, in alphabetical order. A pattern means files with one of these `endings`, and
    /// not the file that it stands in.
    fn matching(&mut self, file: FileId, include: &Spanned<Text>, endings: &[&str]) -> Vec<PathBuf> {
        let folder = self.files.folder(file).to_owned();
        let path = folder.join(include.expose());
        if !include.expose().contains(['*', '?', '[']) {
            return vec![path];
        }
        self.inputs.extend(path.parent().map(Path::to_owned));
        // The folder's own name is no pattern, whatever characters are in it.
        let absolute = Path::new(include.expose()).is_absolute() || folder.as_os_str().is_empty();
        let pattern = match absolute {
            true => include.expose().to_owned(),
            false => format!("{}/{}", glob::Pattern::escape(&folder.to_string_lossy()), include.expose()),
        };
        let found = match glob::glob(&pattern) {
            Ok(found) => found,
            Err(error) => {
                let found = Diagnostic::error(Code::BadValue, include.span, "not a pattern of file names");
                self.sink.push(found.label(error.msg));
                return Vec::new();
            }
        };
        let itself = self.files.path(file).and_then(|p| p.canonicalize().ok());
        let others = found.filter_map(Result::ok).filter(|p| ends_with(p, endings) && p.canonicalize().ok() != itself);
        let others: Vec<PathBuf> = others.take(MAX_FILES).collect();
        if others.is_empty() {
            let found = Diagnostic::warning(Code::MissingFile, include.span, "this pattern matches no file");
            self.sink.push(found.label(format!("its files end in .{}", endings.join(", ."))));
        }
        others
    }

    fn unreadable(&mut self, path: &Path, why: &str, included_at: Option<Span>) {
        let words = format!("can't read {}: {why}", path.display());
        let Some(span) = included_at else {
            let found = Diagnostic::nowhere(Code::Unreadable, words);
            let near = near_file(path).map(|near| format!("did you mean `{near}`?"));
            self.sink.push(near.into_iter().fold(found, Diagnostic::help));
            return;
        };
        let found = Diagnostic::error(Code::MissingFile, span, words);
        self.sink.push(match path.is_dir() {
            true => found.label("name its files, as in `folder/*.yaml`"),
            false => match near_file(path) {
                Some(near) => found.label(format!("did you mean `{near}`?")),
                None => found,
            },
        });
    }

    /// A file that includes itself, with the way that leads back to it.
    fn cycle(&mut self, path: &Path, canonical: &Path, included_at: Span) {
        let from = self.open.iter().position(|(open, _)| open == canonical).unwrap_or(0);
        let way = self.open.iter().skip(from).map(|(_, name)| name.display().to_string());
        let way: Vec<String> = way.chain([path.display().to_string()]).collect();
        let found = Diagnostic::error(Code::BadValue, included_at, format!("{} includes itself", path.display()));
        self.sink.push(if way.len() > 2 { found.label(way.join(" → ")) } else { found });
    }
}

/// Whether a file is what `mcp-declare test --record` keeps beside a spec, which is no part of one.
fn is_recording(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".recordings.json")
}

/// Files of a folder that are looked at for one of a near name.
const MAX_NEIGHBOURS: usize = 1000;

/// The spec file beside a path without a file that was most likely meant: one with another ending, or a near name.
fn near_file(path: &Path) -> Option<String> {
    if path.symlink_metadata().is_ok() {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let listed = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let files = listed.filter_map(|entry| Some(entry.ok()?.path())).take(MAX_NEIGHBOURS);
    let mut names: Vec<String> = files
        .filter(|file| ends_with(file, &ENDINGS) && !is_recording(file))
        .filter_map(|file| file.file_name()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    let wanted = path.file_name()?.to_str()?;
    let stem = Path::new(wanted).file_stem();
    let same = names.iter().find(|name| {
        let other = Path::new(name.as_str()).file_stem();
        other == stem || other == Some(wanted.as_ref())
    });
    let near = same.map(String::as_str).or_else(|| super::nearest(wanted, names.iter().map(String::as_str)))?;
    Some(path.with_file_name(near).display().to_string())
}

/// Whether this is a file with one of these endings, and not hidden.
fn ends_with(path: &Path, endings: &[&str]) -> bool {
    let hidden = path.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    !hidden && ending.is_some_and(|e| endings.contains(&e.as_str())) && path.is_file()
}

/// Opens a file that a spec names. Never waits for a pipe's other end, also when one is put in the file's place.
///
/// # Errors
/// Words saying why it can't be had.
pub fn open(path: &Path) -> Result<File, String> {
    let words = |e: std::io::Error| reason(&e).to_owned();
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(words)?;
    let metadata = file.metadata().map_err(words)?;
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err("it is a folder".to_owned()),
        _ => Err("it is not a file".to_owned()),
    }
}

/// The content of a text file that a spec names, bounded.
///
/// # Errors
/// Words saying why it can't be had.
pub fn read_text(path: &Path) -> Result<String, String> {
    read_text_of(open(path)?, MAX_BYTES)
}

/// The same, with a bound of its own in bytes.
///
/// # Errors
/// Words saying why it can't be had.
pub fn read_text_up_to(path: &Path, max: u64) -> Result<String, String> {
    read_text_of(open(path)?, max)
}

/// The same, of a file that the command line names, which may be a pipe.
///
/// # Errors
/// Words saying why it can't be had.
pub fn read_given(path: &Path) -> Result<String, String> {
    read_text_of(File::open(path).map_err(|e| reason(&e).to_owned())?, MAX_BYTES)
}

fn read_text_of(file: File, max: u64) -> Result<String, String> {
    let words = |e: std::io::Error| reason(&e).to_owned();
    let metadata = file.metadata().map_err(words)?;
    if metadata.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let too_large = || format!("it is larger than {} MiB", max >> 20);
    if metadata.len() > max {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(words)?;
    if bytes.len() as u64 > max {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.yaml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read_text(&pipe).unwrap_err(), "it is not a file");
        assert_eq!(read_text(folder.path()).unwrap_err(), "it is a folder");
        let spec = folder.path().join("spec.yaml");
        std::fs::write(&spec, "server: { name: x, version: \"${file:./pipe.yaml}\" }\ninclude: ./pipe.yaml\n").unwrap();
        assert_eq!(load(&Input::Path(spec), &Environment::default()).diagnostics.errors(), 2);
    }
}
