//! Keeps the connection to one server: makes it, notices its end, and makes it again, ever more slowly.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rmcp::ClientServiceExt;
use rmcp::RoleClient;
use rmcp::model::{
    ClientRequest, ProtocolVersion, Request, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
};
use rmcp::service::{ClientLifecycleMode, ServiceError, Subscription};
use rmcp::transport::Transport;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::calls::Calls;
use super::config::{Command, Config, Door};
use super::lines::Lines;
use super::offers::Offers;
use super::questions::Ears;
use super::session::Session;
use super::tap::Tap;
use super::wanted::Wanted;
use super::{remote, words};
use crate::action::process::{self, Run};

/// Before the second try, and before any in the end.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// A connection that lasted so long is no failed try.
const LASTED: Duration = Duration::from_secs(10);
/// Changes of lists that come so close are one.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// How often lists are asked for at most.
const SOONEST: Duration = Duration::from_millis(500);
/// How long a request that is of no call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a server stands.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The connection, if there is one.
    pub session: Option<Arc<Session>>,
    /// Why there is none; `None` until the first try has ended.
    pub why: Option<Why>,
    /// What it offers, or offered when it was last there.
    pub offers: Option<Arc<Offers>>,
    /// One more each time that it offers something else.
    pub edition: u64,
}

/// Why there is no connection.
#[derive(Debug, Clone)]
pub struct Why {
    /// A sentence fragment about "it".
    pub words: String,
    /// What it said last on its stderr.
    pub said: Vec<String>,
}

/// What keeps a connection.
pub struct Keeper {
    pub name: Arc<str>,
    pub config: Arc<Config>,
    pub standing: watch::Sender<Standing>,
    pub wanted: Arc<Wanted>,
    pub closing: CancellationToken,
    /// It gave up on the handshakes with `server/discover`.
    pub legacy: bool,
}

impl Keeper {
    /// Keeps it until `closing`.
    pub async fn run(mut self) {
        let mut pause = PAUSES.0;
        loop {
            let begun = Instant::now();
            let before = self.legacy;
            let why = self.connect().await;
            if self.closing.is_cancelled() {
                return;
            }
            if self.legacy && !before {
                continue;
            }
            self.down(why);
            if begun.elapsed() >= LASTED {
                pause = PAUSES.0;
            }
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)) => {}
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    fn down(&self, why: Why) {
        let was_up = self.standing.borrow().session.is_some();
        if was_up {
            tracing::warn!(source = %self.name, "the server is gone: {}", why.words);
        } else {
            tracing::info!(source = %self.name, "the server can't be reached: {}", why.words);
        }
        self.standing.send_modify(|standing| {
            standing.session = None;
            standing.why = Some(why);
        });
        self.wanted.asked_for(BTreeSet::new());
    }

    /// One connection, from its beginning to its end; why it ended.
    async fn connect(&mut self) -> Why {
        let config = self.config.clone();
        match &config.door {
            Door::Missing(why) => {
                self.down(Why { words: why.clone(), said: Vec::new() });
                self.closing.cancelled().await;
                Why { words: why.clone(), said: Vec::new() }
            }
            Door::Http(remote) => {
                let transport = remote::transport(remote, config.at_once, config.max_message);
                Why { words: self.until_closed(transport).await, said: Vec::new() }
            }
            Door::Command(command) => self.process(command).await,
        }
    }

    /// The same for a process of ours, which has an end with it.
    async fn process(&mut self, command: &Command) -> Why {
        let run = Run {
            program: &command.program,
            arguments: command.arguments.clone(),
            env: command.env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
            cwd: &command.cwd,
            stdin: Some(Vec::new()),
            timeout: self.config.ready(),
            max_bytes: 0,
            sandbox: command.sandbox.as_ref(),
        };
        let (name, masked) = (self.name.clone(), self.config.clone());
        let told = move |line: &str| tracing::debug!(source = %name, "stderr: {}", words::plain(line, &masked));
        let (companion, stdout, stdin) = match process::talk(&run, told) {
            Ok(parts) => parts,
            Err(fault) => return Why { words: fault.to_string(), said: Vec::new() },
        };
        let (lines, pipes) = Lines::new(stdout, stdin, self.config.max_message);
        let words = tokio::select! {
            words = self.until_closed(lines) => words,
            () = companion.too_much(command.sandbox.as_ref()) => "it used more memory than its sandbox allows".to_owned(),
        };
        let fault = pipes.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Its stdin ends here.
        drop(pipes);
        let said = companion.said().iter().map(|line| words::plain(line, &self.config)).collect();
        let (exit, by_itself) = companion.end().await;
        let words = match (fault, by_itself && !self.closing.is_cancelled()) {
            (Some(fault), _) => fault,
            (None, true) => format!("{words} ({exit})"),
            (None, false) => words,
        };
        Why { words, said }
    }

    /// Talks until the connection or the source ends.
    async fn until_closed<T: Transport<RoleClient> + 'static>(&mut self, transport: T) -> String {
        let closing = self.closing.clone();
        tokio::select! {
            () = closing.cancelled() => "it was closed".to_owned(),
            words = self.talk(transport) => words,
        }
    }

    async fn talk<T: Transport<RoleClient> + 'static>(&mut self, transport: T) -> String {
        let calls = Arc::new(Calls::default());
        let tap = Tap::new(transport, calls.clone(), self.wanted.clone());
        let versions = vec![ProtocolVersion::V_2026_07_28];
        let mode = match self.legacy {
            true => ClientLifecycleMode::Initialize,
            false => ClientLifecycleMode::Auto { preferred_versions: versions, legacy_version: None },
        };
        let ready = self.config.ready();
        let service = match timeout(ready, Ears(calls.clone()).serve_with_lifecycle(tap, mode)).await {
            Ok(Ok(service)) => service,
            Ok(Err(error)) => {
                let (why, another) = words::not_begun(&error, &self.config);
                // Some servers end when their first message is none that they know.
                self.legacy = another && !self.legacy;
                return why;
            }
            Err(_) => return format!("it was not ready within {ready:?}"),
        };
        let Some(info) = service.peer().peer_info() else { return "it said nothing of itself".to_owned() };
        let session = Arc::new(Session {
            name: self.name.clone(),
            config: self.config.clone(),
            peer: service.peer().clone(),
            calls: calls.clone(),
            info,
            suspect: Default::default(),
            open: Default::default(),
        });
        listen_to_logs(&session).await;
        match timeout(ready, Offers::ask(&session, ready)).await {
            Ok(Ok(offers)) => self.up(&session, offers),
            Ok(Err(why)) => return why,
            Err(_) => return format!("its lists did not end within {ready:?}"),
        }
        self.wanted.all_updated();
        let ended = self.attend(&session).await;
        drop(service);
        ended
    }

    fn up(&self, session: &Arc<Session>, offers: Offers) {
        self.standing.send_modify(|standing| {
            if standing.offers.as_deref() != Some(&offers) {
                standing.edition = standing.edition.saturating_add(1);
                standing.offers = Some(Arc::new(offers));
            }
            standing.session = Some(session.clone());
            standing.why = None;
        });
    }

    /// Follows what changes, until the connection ends.
    async fn attend(&self, session: &Arc<Session>) -> String {
        let mut feed = Feed { session, wanted: &self.wanted, asked: BTreeSet::new(), listening: None };
        loop {
            if let Err(why) = feed.follow(self.offers().as_deref()).await {
                return why;
            }
            tokio::select! {
                biased;
                () = session.calls.gone.cancelled() => return "its connection ended".to_owned(),
                () = session.suspect.notified() => return "its connection broke".to_owned(),
                () = session.calls.lists.notified() => {
                    sleep(DEBOUNCE).await;
                    let again = Instant::now() + SOONEST;
                    match timeout(self.config.ready(), Offers::ask(session, self.config.ready())).await {
                        Ok(Ok(offers)) => self.up(session, offers),
                        Ok(Err(why)) if session.calls.gone.is_cancelled() => return why,
                        Ok(Err(why)) => tracing::warn!(source = %self.name, "its lists can't be read: {why}"),
                        Err(_) => tracing::warn!(source = %self.name, "its lists can't be read in time"),
                    }
                    tokio::time::sleep_until(again).await;
                }
                () = self.wanted.changed.notified() => {}
                () = ended(&mut feed.listening) => {
                    feed.listening = None;
                    // What changed meanwhile was not told.
                    session.calls.lists.notify_one();
                    self.wanted.all_updated();
                    sleep(SOONEST).await;
                }
            }
        }
    }

    fn offers(&self) -> Option<Arc<Offers>> {
        self.standing.borrow().offers.clone()
    }
}

/// Up to 2025-11-25 a server is told once what messages are wanted.
async fn listen_to_logs(session: &Session) {
    if session.is_modern() || session.info.capabilities.logging.is_none() {
        return;
    }
    let request = json!({ "method": "logging/setLevel", "params": { "level": "info" } });
    if let Ok(request) = serde_json::from_value::<ClientRequest>(request)
        && let Err(error) = session.ask(request, None, PATIENCE.into()).await
    {
        tracing::debug!(source = %session.name, "its messages are not heard: {}", error.message);
    }
}

/// Waits for the end of a subscription; for ever without one.
async fn ended(listening: &mut Option<Subscription>) {
    match listening {
        // What it tells was taken on the way here, so that nothing but the end comes out.
        Some(subscription) => while matches!(subscription.next().await, Ok(Some(_))) {},
        None => std::future::pending().await,
    }
}

/// What the server is asked to tell of.
struct Feed<'k> {
    session: &'k Session,
    wanted: &'k Wanted,
    /// The resources that it was asked for, up to 2025-11-25.
    asked: BTreeSet<Arc<str>>,
    /// From 2026-07-28 on.
    listening: Option<Subscription>,
}

impl Feed<'_> {
    /// Asks for what is wanted now.
    ///
    /// # Errors
    /// In words, if the connection is over.
    async fn follow(&mut self, offers: Option<&Offers>) -> Result<(), String> {
        let Some(offers) = offers else { return Ok(()) };
        let uris = self.wanted.all();
        match self.session.is_modern() {
            true => self.listen(offers, &uris).await?,
            false if offers.subscribe => self.subscribe(&uris).await,
            false => {}
        }
        if self.session.calls.gone.is_cancelled() {
            return Err("its connection ended".to_owned());
        }
        // Also those that it does not tell of: nobody is to wait for that.
        self.wanted.asked_for(uris);
        Ok(())
    }

    async fn subscribe(&mut self, uris: &BTreeSet<Arc<str>>) {
        let more = uris.difference(&self.asked).map(|uri| {
            let params = SubscribeRequestParams::new(uri.to_string());
            ClientRequest::SubscribeRequest(Request::new(params))
        });
        let less = self.asked.difference(uris).map(|uri| {
            let params = UnsubscribeRequestParams::new(uri.to_string());
            ClientRequest::UnsubscribeRequest(Request::new(params))
        });
        for request in more.chain(less) {
            if let Err(error) = self.session.ask(request, None, PATIENCE.into()).await {
                tracing::debug!(source = %self.session.name, "it does not tell of a resource: {}", error.message);
            }
        }
        self.asked.clone_from(uris);
    }

    async fn listen(&mut self, offers: &Offers, uris: &BTreeSet<Arc<str>>) -> Result<(), String> {
        let [tools, resources, prompts] = offers.tells;
        let wants = tools || resources || prompts || (offers.subscribe && !uris.is_empty());
        if !wants || (self.listening.is_some() && self.asked == *uris) {
            return Ok(());
        }
        let mut filter = SubscriptionFilter::new();
        filter.tools_list_changed = tools.then_some(true);
        filter.resources_list_changed = resources.then_some(true);
        filter.prompts_list_changed = prompts.then_some(true);
        let all = || uris.iter().map(|uri| uri.to_string()).collect();
        filter.resource_subscriptions = (offers.subscribe && !uris.is_empty()).then(all);
        match timeout(PATIENCE, self.session.peer.listen(filter)).await {
            // The one before it ends only now: nothing is missed in between.
            Ok(Ok(subscription)) => self.listening = Some(subscription),
            Ok(Err(fault @ ServiceError::McpError(_))) => {
                tracing::debug!(source = %self.session.name, %fault, "it does not tell of changes");
            }
            Ok(Err(_)) | Err(_) => return Err("its connection broke".to_owned()),
        }
        self.asked.clone_from(uris);
        Ok(())
    }
}
