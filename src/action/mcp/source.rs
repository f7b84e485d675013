//! The `mcp:` source: another MCP server, whether it can be reached or not.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{ClientRequest, InputResponses};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::config::{Config, Door};
use super::keeper::{Keeper, Standing, Why};
use super::offers::{self, Offers};
use super::session::Within;
use super::wanted::{Wanted, Watching};
use super::words;
use crate::action::Call;
use crate::action::call::cancelled;
use crate::action::source::{Ground, Mode};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Severity, Spanned};

/// How long the start of our own server waits for another.
const START: Duration = Duration::from_secs(10);
/// How long the end of our own server waits for another.
const END: Duration = Duration::from_secs(5);
/// Names that are remembered of all that a server ever offered.
const MOST_NAMES: usize = 10_000;
/// Lines of its stderr that a diagnostic shows.
const SHOWN_LINES: usize = 5;

/// Another MCP server. It is connected to as long as this is kept.
#[derive(Debug)]
pub struct McpSource {
    name: Arc<str>,
    config: Arc<Config>,
    mode: Mode,
    standing: watch::Receiver<Standing>,
    wanted: Arc<Wanted>,
    turns: Semaphore,
    /// The edition of its lists that a load has seen.
    seen: AtomicU64,
    /// All that it ever offered to a load.
    ever: Mutex<HashSet<String>>,
    /// The edition of the spec that uses it and is served.
    settled: Mutex<Option<u64>>,
    closing: DropGuard,
}

impl McpSource {
    /// Checks a source and begins to connect, unless `previous` is configured the same: that is taken then, with its
    /// process and all.
    pub fn open(
        name: &Spanned<String>,
        written: &model::McpSource,
        ground: &mut Ground<'_>,
        previous: Option<&Arc<McpSource>>,
    ) -> Option<Arc<McpSource>> {
        let config = Config::read(name, written, ground, previous.map(|p| p.config.as_ref()))?;
        if let Some(previous) = previous.filter(|p| *p.config == config && p.mode == ground.mode) {
            return Some(previous.clone());
        }
        let (config, wanted, closing) = (Arc::new(config), Arc::<Wanted>::default(), CancellationToken::new());
        let (sender, standing) = watch::channel(Standing::default());
        let label: Arc<str> = name.value.as_str().into();
        if ground.mode != Mode::Offline {
            let keeper = Keeper {
                name: label.clone(),
                config: config.clone(),
                standing: sender,
                wanted: wanted.clone(),
                closing: closing.clone(),
                legacy: false,
            };
            tokio::spawn(keeper.run());
        }
        let turns = Semaphore::new(config.at_once);
        Some(Arc::new(McpSource {
            name: label,
            config,
            mode: ground.mode,
            standing,
            wanted,
            turns,
            seen: AtomicU64::new(0),
            ever: Mutex::default(),
            settled: Mutex::default(),
            closing: closing.drop_guard(),
        }))
    }

    /// Waits until it is known whether the server is there, and reports it if not. What it offers from here on that
    /// is not the same is a reason to load the spec again.
    pub async fn ready(&self, name: &Spanned<String>, written: &model::McpSource, ground: &mut Ground<'_>) {
        if ground.mode == Mode::Offline {
            return;
        }
        let patience = match ground.mode {
            Mode::Serve => self.config.ready().min(START),
            _ => self.config.ready(),
        };
        let mut standing = self.standing.clone();
        let known = timeout(patience, standing.wait_for(|now| now.session.is_some() || now.why.is_some())).await;
        let now = match known {
            Ok(Ok(now)) => now.clone(),
            Ok(Err(_)) | Err(_) => self.standing.borrow().clone(),
        };
        self.seen.store(now.edition, Ordering::SeqCst);
        if let Some(offers) = &now.offers {
            let mut ever = self.ever.lock().unwrap_or_else(PoisonError::into_inner);
            let names = offers.tool_names().chain(offers.prompt_names()).chain(offers.uris());
            for name in names {
                if ever.len() < MOST_NAMES {
                    ever.insert(name.to_owned());
                }
            }
        }
        if now.session.is_none() {
            let late = || Why { words: format!("it was not ready within {patience:?}"), said: Vec::new() };
            self.report(&now.why.unwrap_or_else(late), name, written, ground);
        }
    }

    fn report(&self, why: &Why, name: &Spanned<String>, written: &model::McpSource, ground: &mut Ground<'_>) {
        let is = |flag: &Option<Spanned<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
        let tolerant = is(&written.optional) || (ground.mode == Mode::Serve && !is(&written.required));
        let place = match written.server.get() {
            Some(model::McpServer::Url(url)) => url.span,
            Some(model::McpServer::Command(command)) => command.at,
            None => name.span,
        };
        let found = match &self.config.door {
            Door::Missing(why) if is(&written.optional) => {
                let words = format!("the MCP server `{}` is left out: {why}", name.value);
                Diagnostic::note(Code::CommandNotFound, place, words).label("`optional: true`")
            }
            Door::Missing(why) => {
                let words = format!("the MCP server `{}` is not there: {why}", name.value);
                Diagnostic::error(Code::Unreachable, place, words).label("`optional: true` would leave it out")
            }
            _ => {
                let words = format!("can't reach the MCP server `{}`: {}", name.value, why.words);
                match tolerant {
                    true => Diagnostic::warning(Code::Unreachable, place, words)
                        .label("what it offers appears as soon as it is there"),
                    false => Diagnostic::error(Code::Unreachable, place, words),
                }
            }
        };
        let lines = why.said.iter().rev().take(SHOWN_LINES).rev();
        ground.sink.push(lines.fold(found, |found, line| found.help(format!("it said: {line}"))));
    }

    /// What the server offers; `None` if it was never there.
    pub fn offers(&self) -> Option<Arc<Offers>> {
        self.standing.borrow().offers.clone()
    }

    /// Whether nothing is asked of it, because nothing is asked of anybody.
    pub fn is_offline(&self) -> bool {
        self.mode == Mode::Offline
    }

    /// A spec of this edition that uses it is served: calls of another can't be gone on with.
    pub fn settle(&self, edition: u64) {
        let before = self.settled.lock().unwrap_or_else(PoisonError::into_inner).replace(edition);
        if before.is_some_and(|before| before != edition)
            && let Some(session) = &self.standing.borrow().session
        {
            session.open.clear();
        }
    }

    /// Whether a spec that uses it was served before.
    pub fn is_settled(&self) -> bool {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits until the server offers something else than when the spec was loaded; that is told once.
    pub async fn changed(&self) {
        let mut standing = self.standing.clone();
        let news = standing.wait_for(|now| now.edition != self.seen.load(Ordering::SeqCst)).await;
        match news.map(|now| now.edition) {
            Ok(edition) => self.seen.store(edition, Ordering::SeqCst),
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends the connection and waits a little for the end of the process.
    pub async fn close(&self) {
        self.closing_token().cancel();
        let mut standing = self.standing.clone();
        let ended = async { while standing.changed().await.is_ok() {} };
        let _ = timeout(END, ended).await;
    }

    fn closing_token(&self) -> CancellationToken {
        self.closing.token().clone()
    }

    /// The diagnostic for a name that the server does not offer: of the author's mistake, or of the server's change.
    /// `None` where it does, and where that can't be known.
    pub fn unknown<'n>(
        &self,
        what: &str,
        name: &Spanned<String>,
        known: impl Iterator<Item = &'n str> + Clone,
    ) -> Option<Diagnostic> {
        if known.clone().any(|other| other == name.value) {
            return None;
        }
        if self.is_settled() && self.ever.lock().unwrap_or_else(PoisonError::into_inner).contains(&name.value) {
            let words = format!("the MCP server `{}` no longer has a {what} `{}`", self.name, name.value);
            return Some(Diagnostic::warning(Code::UnknownName, name.span, words));
        }
        let words = format!("the MCP server `{}` has no {what} `{}`", self.name, name.value);
        let found = Diagnostic::error(Code::UnknownName, name.span, words).nearest(&name.value, known.clone());
        let names: Vec<&str> = known.take(20).collect();
        Some(match (found.label.is_empty(), names.is_empty()) {
            (false, _) => found,
            (true, true) => found.label(format!("it has no {what}s")),
            (true, false) => found.label(format!("it has {}", crate::spec::read::list_names(&names))),
        })
    }

    /// A diagnostic for what the server brings about: an error, unless it served well before.
    pub fn blame(&self, found: Diagnostic) -> Diagnostic {
        match self.is_settled() {
            true => Diagnostic { severity: Severity::Warning, ..found },
            false => found,
        }
    }

    /// How long a call may take that does not say otherwise.
    pub fn timeout(&self) -> Option<Duration> {
        self.config.timeout
    }

    /// The server, for explanations.
    pub fn place(&self) -> String {
        format!("the MCP server `{}` ({})", self.name, self.config.place())
    }

    /// Its name in the spec.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A text of the server, bounded and with the source's secrets masked.
    pub fn plain(&self, text: &str) -> String {
        words::plain(text, &self.config)
    }

    /// Listens to changes of a resource, if the server tells of them.
    pub fn watch(&self, uri: &str) -> Option<Watching> {
        self.offers().filter(|offers| offers.subscribe).map(|_| self.wanted.watch(uri))
    }

    /// Asks for something that belongs to a call; gives the result as JSON.
    ///
    /// # Errors
    /// Whatever kept it from an answer, in words for the caller.
    pub async fn ask(
        &self,
        call: &Call,
        within: Duration,
        request: impl Fn(Option<InputResponses>, Option<String>) -> ClientRequest,
    ) -> Result<Value, ActionError> {
        let deadline = Instant::now() + within;
        let _turn = tokio::select! {
            biased;
            () = call.cancel.cancelled() => return Err(cancelled()),
            turn = timeout_at(deadline, self.turns.acquire()) => turn.map_err(|_| self.busy())?,
        };
        let session = {
            let now = self.standing.borrow();
            match (&now.session, &now.why) {
                (Some(session), _) => session.clone(),
                (None, Some(why)) => return Err(words::away(&self.name, &why.words)),
                (None, None) => return Err(words::away(&self.name, "it is still starting")),
            }
        };
        let left = deadline.saturating_duration_since(Instant::now());
        session.converse(call, Within { left, all: within }, request).await.map(offers::value)
    }

    fn busy(&self) -> ActionError {
        let words =
            format!("the server `{}` is busy: {} calls are in flight; try again", self.name, self.config.at_once);
        ActionError::new(ErrorKind::TimedOut, words)
    }
}
