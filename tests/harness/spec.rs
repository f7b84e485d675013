//! Specs, in folders that vanish with them.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Client, Era, Process, Site, dedent, soon};

/// A spec and the files beside it.
pub struct Spec {
    /// Shared with the processes that serve it, so that it outlives them.
    pub(super) folder: Arc<TempDir>,
    name: String,
    /// How often its text was written; the version of its server.
    edits: Cell<usize>,
    pub(super) env: Vec<(String, String)>,
}

/// What a command that ended left behind.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Spec {
    /// A YAML spec; `server` is put in front where it has none.
    pub fn new(text: &str) -> Spec {
        Spec::named("spec.yaml", text)
    }

    /// A YAML spec of these tools alone.
    pub fn tools(text: &str) -> Spec {
        Spec::new(&tools(text))
    }

    /// A spec in a file of this name.
    pub fn named(name: &str, text: &str) -> Spec {
        let spec = Spec::empty(name);
        spec.write(text);
        spec
    }

    /// A copy of the bookshop; `name` is the spec in it that is served.
    pub fn bookshop(name: &str) -> Spec {
        Spec::copy_of("examples/bookshop", name).env("OPENLIBRARY_URL", "http://127.0.0.1:9")
    }

    /// A copy of a folder of this repository; `name` is the spec in it that is served.
    pub fn copy_of(folder: &str, name: &str) -> Spec {
        let spec = Spec::empty(name);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), spec.folder());
        spec
    }

    fn empty(name: &str) -> Spec {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Spec { folder, name: name.to_owned(), edits: Cell::new(0), env: Vec::new() }
    }

    /// A file beside the spec, which may lie in a folder of its own.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Spec {
        self.put(name, content);
        self
    }

    /// The same with another text.
    pub fn with(self, text: &str) -> Spec {
        self.write(text);
        self
    }

    /// A variable of the environment that the binary runs in.
    pub fn env(mut self, name: &str, value: &str) -> Spec {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self) -> PathBuf {
        self.folder().join(&self.name)
    }

    /// Writes the spec anew, in place.
    pub fn write(&self, text: &str) {
        self.put(&self.name, self.next(text));
    }

    /// Writes the spec anew into another file, which then takes its name, as most editors do.
    pub fn rename_over(&self, text: &str) {
        self.put("spec.new", self.next(text));
        std::fs::rename(self.folder().join("spec.new"), self.path()).unwrap();
    }

    /// The next text, with a `server` of a new version if it has none of its own.
    fn next(&self, text: &str) -> String {
        self.edits.set(self.edits.get() + 1);
        let text = dedent(text);
        if text.contains("server") {
            text
        } else {
            format!("server: {{ name: test, version: {} }}\n{text}", self.version())
        }
    }

    /// The version of the server of the last text that was written.
    pub fn version(&self) -> String {
        format!("0.0.{}", self.edits.get())
    }

    /// Writes a file beside the spec.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The text of a file beside the spec.
    pub fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Runs `mcp-declare COMMAND SPEC ARGUMENTS…` to its end.
    pub async fn run(&self, command: &str, arguments: &[&str]) -> Output {
        let mut child = Process::command(self, command);
        let running = child.args(arguments).stdin(Stdio::null()).output();
        let output = soon(command, running).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Serves it over stdio to a client.
    pub async fn stdio(&self, era: Era) -> Client {
        Client::over_stdio(Process::serve(self, &[]), era).await
    }

    /// Serves it over HTTP, on a free port.
    pub async fn http(&self) -> Site {
        Site::new(Process::serve(self, &["--http", "127.0.0.1:0"])).await
    }
}

/// The text of a spec of these tools alone.
pub fn tools(text: &str) -> String {
    let indented: String = dedent(text).lines().map(|line| format!("  {line}\n")).collect();
    format!("tools:\n{indented}")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else if !name.to_string_lossy().contains(".db") {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
