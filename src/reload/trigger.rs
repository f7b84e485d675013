//! What starts a reload: a [`Trigger`] that resolves when what the spec was read from has really changed, or when
//! somebody asks (`SIGHUP`, [`Bell::ring`]). It knows paths, no spec and no catalog.
//!
//! ```text
//! watcher (events of folders) ─┐
//! clock (every 2 s, or --poll) ├─▶ look: fingerprints then and now ──differ──▶ Cause::Files
//! set_paths ───────────────────┘
//! SIGHUP, Bell::ring ────────────────────────────────────────────────────────▶ Cause::Hangup
//! ```
//!
//! An event only says *when* to look; the fingerprints alone say *whether* something changed. So an event too many
//! costs a few `stat` calls, and an event lost (a full queue, a renamed ancestor, a network file system) costs two
//! seconds.
//!
//! # Nothing is lost between a load and `set_paths`
//!
//! - Fingerprints are taken when [`Trigger::changed`] resolves, which is *before* the load it causes.
//!   [`Trigger::set_paths`] keeps those of the paths it knew, so a write that lands during the load differs from
//!   them and is reported by the next `changed`.
//! - A path that is new has no such fingerprint. When its inode, or a link on the way to it, was touched after the
//!   load could have begun (after `changed` resolved, or [`Trigger::new`]), what the loader read is in doubt, and it
//!   is reported once. (A new path that vanished in that time is the exception: nothing tells when it went.)

mod debounce;
mod fingerprint;
mod hangup;
mod snapshot;
mod trail;
mod watcher;

#[cfg(test)]
mod tests;

use std::future::pending;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use debounce::Burst;
use hangup::Hangup;
use snapshot::Snapshot;
use watcher::Watcher;

/// How often the fingerprints are compared when no event says so.
const BACKSTOP: Duration = Duration::from_secs(2);

/// The shortest poll interval; a shorter wish is raised to it.
const SHORTEST_POLL: Duration = Duration::from_millis(10);

/// How coarse a file's time stamps may be: the kernel's tick, 10 ms at `HZ=100`.
const TICK: Duration = Duration::from_millis(10);

/// How changes are noticed.
#[derive(Debug, Clone)]
pub struct WatchConfig {
    /// Whether files are looked at, at all; without, only `SIGHUP` and [`Bell::ring`] reload.
    pub watch: bool,
    /// Compare at this interval (at least 10 ms) and use no events of the operating system.
    pub poll: Option<Duration>,
    /// How long a path must be quiet before it is looked at; while events keep coming, at most 500 ms pass.
    pub debounce: Duration,
}

impl Default for WatchConfig {
    fn default() -> WatchConfig {
        WatchConfig { watch: true, poll: None, debounce: Duration::from_millis(60) }
    }
}

/// Why to reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The content behind these paths changed; each as it was given to [`Trigger::set_paths`], sorted.
    Files(Vec<PathBuf>),
    /// Somebody asked, by `SIGHUP` or [`Bell::ring`]; files may have changed or not.
    Hangup,
}

/// Asks for a reload by hand: from a test, or from a console.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Makes [`Trigger::changed`] resolve with [`Cause::Hangup`]; rings before it resolved count as one.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    async fn rung(&self) {
        self.0.notified().await;
    }
}

/// Waits for changes of files, and for `SIGHUP`.
///
/// Make it before the first load; then, for ever: load, [`set_paths`](Trigger::set_paths),
/// [`changed`](Trigger::changed).
#[derive(Debug)]
pub struct Trigger {
    watch: bool,
    debounce: Duration,
    /// Between two looks that no event asked for.
    every: Duration,
    /// None when polling. Locked only to aim it; its events come through `events`.
    watcher: Option<Arc<Mutex<Watcher>>>,
    events: Bell,
    bell: Bell,
    hangup: Hangup,
    asked: bool,
    snapshot: Arc<Snapshot>,
    burst: Option<Burst>,
    next_look: Instant,
    /// A load may have read from here on; a little early, for coarse time stamps.
    loading_since: SystemTime,
}

impl Trigger {
    /// A trigger without paths yet, inside a Tokio runtime. From now on `SIGHUP` no longer ends the process (when
    /// its handler can't be installed, a warning says so).
    ///
    /// When the operating system gives no watcher (inotify's limits), a warning says so and files are compared
    /// every 2 s.
    pub fn new(config: WatchConfig) -> Trigger {
        Trigger::hearing(Hangup::listen(), config)
    }

    /// One that `SIGHUP` does not ask, for other files than those of the spec.
    pub fn of_files(config: WatchConfig) -> Trigger {
        Trigger::hearing(Hangup::none(), config)
    }

    fn hearing(hangup: Hangup, config: WatchConfig) -> Trigger {
        let events = Bell::default();
        let wants_events = config.watch && config.poll.is_none();
        let watcher = if wants_events { Watcher::new(events.clone()) } else { None };
        Trigger {
            watch: config.watch,
            debounce: config.debounce,
            every: config.poll.unwrap_or(BACKSTOP).max(SHORTEST_POLL),
            watcher: watcher.map(|watcher| Arc::new(Mutex::new(watcher))),
            events,
            bell: Bell::default(),
            hangup,
            asked: false,
            snapshot: Arc::default(),
            burst: None,
            next_look: Instant::now(),
            loading_since: now_or_a_tick_ago(),
        }
    }

    /// A handle that asks for a reload by hand.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// The paths that matter from now on: files and folders, existing or not, relative ones to the current folder.
    /// To be called after every load, a failed one too.
    ///
    /// Of a file the bytes matter, of a folder the names in it (hidden, backup and database side files apart).
    /// Known paths keep the fingerprint from before the load, see the module's text.
    pub fn set_paths(&mut self, paths: &[PathBuf]) {
        if !self.watch {
            return;
        }
        self.snapshot = Arc::new(self.snapshot.choose(paths, self.loading_since));
        aim(self.watcher.as_deref(), &self.snapshot);
        // One look follows at once: for what is in doubt, and for what changed before the watcher was aimed.
        self.note_event();
    }

    /// Resolves when the content behind one of the paths changed, once for a burst of changes, or when `SIGHUP`
    /// came or the bell was rung (then also without a change). With `watch` off only the latter.
    ///
    /// Cancel-safe: what a dropped call had noticed is noticed again by the next.
    pub async fn changed(&mut self) -> Cause {
        loop {
            if self.asked {
                let (now, _) = self.compare().await;
                self.accept(now);
                self.asked = false;
                return self.resolve(Cause::Hangup);
            }
            let due = self.due();
            tokio::select! {
                () = self.hangup.received() => self.asked = true,
                () = self.bell.rung() => self.asked = true,
                () = self.events.rung() => self.note_event(),
                () = sleep_to(due) => {
                    let changed = self.look().await;
                    if !changed.is_empty() {
                        return self.resolve(Cause::Files(changed));
                    }
                }
            }
        }
    }

    /// What changed, its burst being over. A change that the clock found first is only the start of a burst.
    async fn look(&mut self) -> Vec<PathBuf> {
        let (now, changed) = self.compare().await;
        if self.burst.is_none() && !changed.is_empty() {
            self.note_event();
            return Vec::new();
        }
        self.accept(now);
        changed
    }

    /// The fingerprints of now, and the paths whose content differs. Changes nothing that a cancelled call would
    /// lose. On a thread of its own, as a network file system may hang.
    async fn compare(&self) -> (Arc<Snapshot>, Vec<PathBuf>) {
        let (watcher, before) = (self.watcher.clone(), Arc::clone(&self.snapshot));
        let compared = tokio::task::spawn_blocking(move || {
            aim(watcher.as_deref(), &before);
            before.retake()
        });
        match compared.await {
            Ok((now, changed)) => (Arc::new(now), changed),
            Err(_) => (Arc::clone(&self.snapshot), Vec::new()),
        }
    }

    fn accept(&mut self, now: Arc<Snapshot>) {
        self.snapshot = now;
        self.burst = None;
        self.next_look = Instant::now() + self.every;
    }

    fn resolve(&mut self, cause: Cause) -> Cause {
        self.loading_since = now_or_a_tick_ago();
        cause
    }

    fn note_event(&mut self) {
        self.burst = Some(Burst::extend(self.burst, Instant::now()));
    }

    fn due(&self) -> Option<Instant> {
        let due = self.burst.map_or(self.next_look, |burst| burst.due(self.debounce));
        self.watch.then_some(due)
    }
}

fn aim(watcher: Option<&Mutex<Watcher>>, snapshot: &Snapshot) {
    if let Some(watcher) = watcher {
        watcher.lock().unwrap_or_else(PoisonError::into_inner).aim(&snapshot.places());
    }
}

/// A file written from now on has a later time stamp than this.
fn now_or_a_tick_ago() -> SystemTime {
    let now = SystemTime::now();
    now.checked_sub(TICK).unwrap_or(now)
}

async fn sleep_to(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
