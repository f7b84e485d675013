//! A source as it is written, checked: all that two sources have to share for one to stand in for the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::action::command::{confine, environment, trust};
use crate::action::http::HttpSource;
use crate::action::http::tape::{self, Tape};
use crate::action::source::Ground;
use crate::action::{mask, process};
use crate::sandbox::Sandbox;
use crate::spec::model::{McpCommand, McpServer, McpSource, api};
use crate::spec::read::{Named, Required};
use crate::spec::{Code, Diagnostic, Spanned, Text};

/// Calls at the same time, of a source that does not say otherwise.
const AT_ONCE: usize = 16;
/// The most that it may say.
const MOST_AT_ONCE: u64 = 1000;
/// Bytes of a message, of a source that does not say otherwise.
const MAX_MESSAGE: usize = 16 << 20;
/// How long a server may take to be ready, and a list of what it offers, where the source does not say otherwise.
const READY: Duration = Duration::from_secs(30);

/// Why a server that is reached by URL is not there while tests run.
const NOT_ASKED: &str = "tests ask no MCP server over the network (`--live` does)";

/// A sound source.
#[derive(Debug)]
pub struct Config {
    pub door: Door,
    /// How long a call may take that does not say otherwise.
    pub timeout: Option<Duration>,
    pub at_once: usize,
    pub max_message: usize,
}

/// Where the server is.
#[derive(Debug)]
pub enum Door {
    /// A process of ours.
    Command(Box<Command>),
    /// None: its program is not on this machine, or tests may not ask the network. In words.
    Missing(String),
    /// Somewhere else.
    Http(Remote),
}

/// A process of ours. It has no `Debug`, for its environment holds secrets.
#[derive(PartialEq)]
pub struct Command {
    pub program: PathBuf,
    /// As the spec names it.
    pub name: String,
    pub arguments: Vec<String>,
    pub env: Vec<(String, Text)>,
    pub cwd: PathBuf,
    pub sandbox: Option<Sandbox>,
}

/// A server that is reached by URL.
#[derive(Debug)]
pub struct Remote {
    /// As it was written, slashes at its end and all.
    pub url: Text,
    /// What its requests carry, and what they are sent by.
    pub http: Arc<HttpSource>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        let doors = match (&self.door, &other.door) {
            (Door::Command(one), Door::Command(another)) => one == another,
            (Door::Missing(one), Door::Missing(another)) => one == another,
            (Door::Http(one), Door::Http(another)) => one.url == another.url && Arc::ptr_eq(&one.http, &another.http),
            _ => false,
        };
        let numbers = |config: &Config| (config.timeout, config.at_once, config.max_message);
        doors && numbers(self) == numbers(other)
    }
}

impl Config {
    /// Reads a source; mistakes are reported. The connections of `previous` go on if they lead to the same place.
    pub fn read(
        name: &Spanned<String>,
        written: &McpSource,
        ground: &mut Ground<'_>,
        previous: Option<&Config>,
    ) -> Option<Config> {
        let errors = ground.sink.errors();
        let door = match written.server.get()? {
            McpServer::Url(url) => match remote(name, url, written, ground, previous) {
                Some(_) if tape::current().is_some_and(Tape::plays) => Some(Door::Missing(NOT_ASKED.to_owned())),
                remote => remote.map(Door::Http),
            },
            McpServer::Command(command) => {
                refuse_http_keys(written, ground);
                command_door(command, written, ground)
            }
        };
        if let (Some(optional), Some(required)) = (&written.optional, &written.required)
            && optional.value
            && required.value
        {
            let found = Diagnostic::error(Code::BadValue, required.span, "a source can't be both");
            ground.sink.push(found.label("keep one of `optional` and `required`").related(optional.span, "said here"));
        }
        let at_once = written.concurrency.as_ref().and_then(|n| count(n, ground));
        let max_message = written.max_bytes.as_ref().map_or(MAX_MESSAGE, |bytes| bytes.value.0);
        let timeout = written.timeout.as_ref().map(|t| t.value);
        let config = Config { door: door?, timeout, at_once: at_once.unwrap_or(AT_ONCE), max_message };
        (ground.sink.errors() == errors).then_some(config)
    }

    /// How long the server may take to be ready.
    pub fn ready(&self) -> Duration {
        self.timeout.unwrap_or(READY)
    }

    /// A text from outside, with this source's secrets masked.
    pub fn mask(&self, text: String) -> String {
        match &self.door {
            Door::Command(command) => mask::text(text, command.env.iter().map(|(_, value)| value)),
            Door::Http(remote) => remote.http.mask(mask::text(text, [&remote.url])),
            Door::Missing(_) => text,
        }
    }

    /// What the server is, for messages: the command without its arguments, or the host.
    pub fn place(&self) -> String {
        match &self.door {
            Door::Command(command) => format!("the command `{}`", command.name),
            Door::Http(remote) => remote.http.base().host.clone(),
            Door::Missing(why) => why.clone(),
        }
    }
}

fn count(written: &Spanned<u64>, ground: &mut Ground<'_>) -> Option<usize> {
    if !(1..=MOST_AT_ONCE).contains(&written.value) {
        let words = format!("expected a number from 1 to {MOST_AT_ONCE}, found {}", written.value);
        ground.sink.error(Code::BadValue, written.span, words);
        return None;
    }
    usize::try_from(written.value).ok()
}

/// Reports what only requests can carry.
fn refuse_http_keys(written: &McpSource, ground: &mut Ground<'_>) {
    let headers = written.headers.names().next().map(|name| (name.span, "headers"));
    let auth = written.auth.as_ref().map(|auth| (auth.at, "auth"));
    let tls = written.tls.as_ref().map(|tls| (tls.at, "tls"));
    for (span, key) in [headers, auth, tls].into_iter().flatten() {
        let words = format!("`{key}` is for a server that is reached by URL, this one is a command");
        ground.sink.push(Diagnostic::error(Code::BadValue, span, words).label("give a command what it needs by `env`"));
    }
}

fn command_door(written: &McpCommand, source: &McpSource, ground: &mut Ground<'_>) -> Option<Door> {
    trust::refuse_writable(written.at, ground.trust, ground.files, ground.sink);
    let env = environment(&written.env, ground.sink);
    let sandbox = confine::compile(written.sandbox.as_ref(), ground.sandbox, ground.files, ground.sink);
    let cwd = folder(written, ground);
    let elements = written.command.get()?;
    let Some((name, rest)) = elements.split_first() else {
        ground.sink.error(Code::BadCommand, written.at, "the command is empty");
        return None;
    };
    for element in elements.iter().filter(|element| element.value.contains("{{")) {
        let found = Diagnostic::error(Code::BadCommand, element.span, "a source's command takes no values");
        ground.sink.push(found.label("it is started once, when the spec is loaded"));
    }
    let program = match process::resolve(&name.value, ground.files.folder(name.span.file)) {
        Ok(program) => program,
        Err(why) if source.optional.as_ref().is_some_and(|optional| optional.value) => {
            return Some(Door::Missing(why.message));
        }
        Err(why) => {
            ground.sink.push(Diagnostic::fault(Code::CommandNotFound, name, why));
            return None;
        }
    };
    let (name, arguments) = (name.value.clone(), rest.iter().map(|element| element.value.clone()).collect());
    Some(Door::Command(Box::new(Command { program, name, arguments, env, cwd: cwd?, sandbox: sandbox? })))
}

/// The working folder: the one that is named, or the spec's.
fn folder(written: &McpCommand, ground: &mut Ground<'_>) -> Option<PathBuf> {
    let (named, span) = match &written.cwd {
        Some(cwd) => (cwd.expose(), cwd.span),
        None => ("", written.at),
    };
    let path = ground.files.folder(span.file).join(named);
    let path = std::path::absolute(if path.as_os_str().is_empty() { Path::new(".") } else { &path }).ok()?;
    if !path.is_dir() {
        let shown = written.cwd.as_ref().map_or_else(|| path.display().to_string(), |cwd| cwd.written().to_owned());
        ground.sink.error(Code::MissingFile, span, format!("there is no folder {shown}"));
        return None;
    }
    Some(path)
}

/// Opens what carries the requests, as a source of kind `http` would be.
fn remote(
    name: &Spanned<String>,
    url: &Spanned<Text>,
    written: &McpSource,
    ground: &mut Ground<'_>,
    previous: Option<&Config>,
) -> Option<Remote> {
    let before = match previous.map(|config| &config.door) {
        Some(Door::Http(remote)) => Some(&remote.http),
        _ => None,
    };
    let source = as_http(url, written);
    let http = HttpSource::open(name, &source, ground.files, before, ground.sink, ground.inputs)?;
    let url = match http.query() {
        None => url.value.clone(),
        Some(query) => Text::new(format!("{}?{}", url.written(), query.written())).with_value(format!(
            "{}?{}",
            url.expose(),
            query.expose()
        )),
    };
    Some(Remote { url, http })
}

fn as_http(url: &Spanned<Text>, written: &McpSource) -> api::HttpSource {
    let (at, faulty) = (written.at, written.faulty);
    let requests = api::Requests {
        at,
        faulty,
        headers: written.headers.clone(),
        query: Named::default(),
        cookies: Named::default(),
        auth: written.auth.clone(),
        timeout: None,
        tls: written.tls.clone(),
        proxy: None,
        http2: None,
        pool: None,
        retry: None,
        rate_limit: None,
        concurrency: None,
        circuit_breaker: None,
    };
    let redirects = api::Redirects { at, faulty, origins: None, allow_private: None };
    api::HttpSource { at, faulty, url: Required(Some(url.clone())), requests, cache: None, redirects }
}
