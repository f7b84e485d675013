//! Noticing that resources changed: each is looked at by one task, however many clients are subscribed, and only
//! while one is. A file is looked at when the operating system says that it changed, anything else now and then.

mod files;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{SetOnce, broadcast, watch};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::action::Call;
use crate::action::mcp::Watching;
use crate::catalog::Catalog;
use crate::outcome::ErrorKind;
use files::{FileWatch, Files};

/// Resources that one client may be subscribed to.
pub const MAX_SUBSCRIPTIONS: usize = 256;
/// Updates that a client may be behind before it is told that everything changed.
const BEHIND: usize = 1024;
/// How long a subscription's answer waits for the first look at its resource.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// How often a file is looked at that can't be watched.
const FILE_POLL: Duration = Duration::from_secs(2);

/// The URI of a resource that changed.
pub type Updated = Arc<str>;

/// The resources that somebody is subscribed to.
#[derive(Debug)]
pub struct Updates {
    catalog: watch::Receiver<Arc<Catalog>>,
    watched: Mutex<HashMap<Arc<str>, Weak<Watched>>>,
    updated: broadcast::Sender<Updated>,
    files: Arc<Files>,
}

/// A resource that is looked at as long as this is kept.
#[derive(Debug)]
pub struct Watched {
    seen: Arc<SetOnce<()>>,
    _task: AbortOnDropHandle<()>,
}

impl Watched {
    /// Waits for the first look, but not for ever: what changes from then on is told.
    pub async fn seen(&self) {
        // A resource that takes longer to read is told of as soon as it has been read.
        let _ = timeout(FIRST_LOOK, self.seen.wait()).await;
    }
}

/// Resources that are looked at before somebody subscribes to them, until this is dropped.
#[derive(Debug, Default)]
pub struct Ahead(Vec<Arc<Watched>>);

impl Ahead {
    /// Begins to look at these.
    pub fn new<'u>(uris: impl Iterator<Item = &'u String>, updates: &Updates) -> Self {
        Ahead(uris.map(|uri| updates.watch(uri)).collect())
    }

    /// Waits for the first look at each, as [`Watched::seen`] does.
    pub async fn seen(self) -> Self {
        join_all(self.0.iter().map(|watched| watched.seen())).await;
        self
    }
}

impl Updates {
    /// Nothing is looked at yet.
    pub fn new(catalog: watch::Receiver<Arc<Catalog>>) -> Self {
        Updates { catalog, watched: Mutex::default(), updated: broadcast::channel(BEHIND).0, files: Arc::default() }
    }

    /// The updates from now on, of all resources that are looked at.
    pub fn listen(&self) -> broadcast::Receiver<Updated> {
        self.updated.subscribe()
    }

    /// Looks at a resource, unless somebody else has it looked at already.
    pub fn watch(&self, uri: &str) -> Arc<Watched> {
        let mut all = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = all.get(uri).and_then(Weak::upgrade) {
            return watched;
        }
        all.retain(|_, watched| watched.strong_count() > 0);
        let uri: Arc<str> = uri.into();
        let mut catalog = self.catalog.clone();
        // Taken here and not in the task: a reload that comes before that runs is a change.
        let current = catalog.borrow_and_update().clone();
        let seen = Arc::new(SetOnce::new());
        let looker = Looker { uri: uri.clone(), catalog, files: self.files.clone(), updated: self.updated.clone() };
        // So is the time: whoever waits for the first look begins to wait now, whenever the task does.
        let task = tokio::spawn(looker.look(current, Instant::now(), seen.clone()));
        let watched = Arc::new(Watched { seen, _task: AbortOnDropHandle::new(task) });
        all.insert(uri, Arc::downgrade(&watched));
        watched
    }
}

/// The task that looks at one resource.
struct Looker {
    uri: Arc<str>,
    catalog: watch::Receiver<Arc<Catalog>>,
    files: Arc<Files>,
    updated: broadcast::Sender<Updated>,
}

impl Looker {
    /// Tells of each change of what the resource holds: of those that a look finds, and of those that a reload brings.
    /// A look that fails says nothing, unless a reload made it fail.
    async fn look(mut self, mut current: Arc<Catalog>, begun: Instant, first: Arc<SetOnce<()>>) {
        let mut cue = Cue::of(&current, &self.uri, &self.files).await;
        let mut seen = state(&current, &self.uri).await;
        // It is set here alone.
        let _ = first.set(());
        if begun.elapsed() >= FIRST_LOOK {
            // Its subscribers were answered meanwhile: whether it changed since then is not known.
            let _ = self.updated.send(self.uri.clone());
        }
        loop {
            let reloaded = tokio::select! {
                () = cue.given() => false,
                changed = self.catalog.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    current = self.catalog.borrow_and_update().clone();
                    cue = Cue::of(&current, &self.uri, &self.files).await;
                    true
                }
            };
            let now = state(&current, &self.uri).await;
            if now != seen && (now.is_some() || reloaded) {
                seen = now;
                // Fails only where nobody listens any more.
                let _ = self.updated.send(self.uri.clone());
            }
        }
    }
}

/// What says that it is time to look at a resource again.
#[derive(Debug, Default)]
struct Cue {
    watch: Option<FileWatch>,
    /// Another server's word on what is its own.
    word: Option<Watching>,
    poll: Option<Duration>,
}

impl Cue {
    /// That of a resource; what only a reload changes has none.
    async fn of(catalog: &Catalog, uri: &str, files: &Files) -> Cue {
        let Some((resource, variables)) = catalog.resource(uri) else { return Cue::default() };
        let watch = resource.file(variables).await.and_then(|path| files.watch(path));
        let unwatched = (resource.is_file() && watch.is_none()).then_some(FILE_POLL);
        let word = resource.watch(uri);
        if let Some(word) = &word {
            // Not without end: a server may never say that it will tell.
            let _ = timeout(FIRST_LOOK, word.asked()).await;
        }
        Cue { watch, word, poll: resource.poll().or(unwatched) }
    }

    async fn given(&mut self) {
        tokio::select! {
            () = tick(self.poll) => {}
            () = told(self.word.as_mut()) => {}
            () = changed(self.watch.as_ref()) => {}
        }
    }
}

async fn told(word: Option<&mut Watching>) {
    match word {
        Some(word) => word.next().await,
        None => std::future::pending().await,
    }
}

async fn changed(watch: Option<&FileWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

async fn tick(every: Option<Duration>) {
    match every {
        Some(every) => tokio::time::sleep(every).await,
        None => std::future::pending().await,
    }
}

/// What tells one state of a resource from another; `None` where it can't be had right now.
async fn state(catalog: &Catalog, uri: &str) -> Option<u64> {
    let mut hash = DefaultHasher::new();
    match catalog.read(uri, &Call::default()).await {
        Ok(contents) => serde_json::to_string(&contents.all).ok()?.hash(&mut hash),
        Err(error) if error.kind == ErrorKind::NotFound => {}
        Err(_) => return None,
    }
    Some(hash.finish())
}

/// The resources that one client is subscribed to; when it is dropped, they are looked at no longer.
#[derive(Debug, Default)]
pub struct Subscriptions(Mutex<HashMap<String, Arc<Watched>>>);

/// A client is subscribed to as many resources as it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Subscriptions {
    /// Subscribes; to be subscribed already is no mistake.
    ///
    /// # Errors
    /// If the client has [`MAX_SUBSCRIPTIONS`].
    pub fn add(&self, uri: &str, updates: &Updates) -> Result<Arc<Watched>, TooMany> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = all.get(uri) {
            return Ok(watched.clone());
        }
        if all.len() >= MAX_SUBSCRIPTIONS {
            return Err(TooMany);
        }
        let watched = updates.watch(uri);
        all.insert(uri.to_owned(), watched.clone());
        Ok(watched)
    }

    /// Ends a subscription, if there is one.
    pub fn remove(&self, uri: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
    }

    /// Those of the updates that the client wants; all that it is subscribed to if it missed some.
    pub fn wanted(&self, update: Result<Updated, broadcast::error::RecvError>) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match update {
            Ok(uri) => all.contains_key(uri.as_ref()).then(|| uri.to_string()).into_iter().collect(),
            Err(_) => all.keys().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Trust;
    use crate::action::source::Mode;
    use crate::spec::Environment;
    use crate::spec::load::Input;

    async fn cell() -> watch::Sender<Arc<Catalog>> {
        let text = "{ server: { name: t }, resources: { 'a:{b}': { text: '{{b}}', subscribe: { poll: 100ms } } } }";
        let input = Input::Text(text.to_owned());
        let loaded = Catalog::load(&input, &Environment::default(), Mode::Check, Trust::Owner, None).await;
        watch::channel(loaded.catalog.unwrap()).0
    }

    fn looked_at(updates: &Updates) -> usize {
        updates.watched.lock().unwrap().values().filter(|w| w.strong_count() > 0).count()
    }

    #[tokio::test]
    async fn a_resource_is_looked_at_once_and_only_for_subscribers() {
        let cell = cell().await;
        let updates = Updates::new(cell.subscribe());
        let (first, second) = (Subscriptions::default(), Subscriptions::default());
        first.add("a:1", &updates).unwrap();
        second.add("a:1", &updates).unwrap();
        second.add("a:2", &updates).unwrap();
        let one = |of: &Subscriptions| of.0.lock().unwrap().get("a:1").unwrap().clone();
        assert!(Arc::ptr_eq(&one(&first), &one(&second)));
        assert_eq!(looked_at(&updates), 2);
        second.remove("a:1");
        second.remove("a:1");
        assert_eq!(looked_at(&updates), 2);
        drop(first);
        assert_eq!(looked_at(&updates), 1);
        drop(second);
        assert_eq!(looked_at(&updates), 0);
        updates.watch("a:3");
        assert_eq!(updates.watched.lock().unwrap().len(), 1, "what nobody looks at is forgotten");
    }

    #[tokio::test]
    async fn a_client_is_told_of_its_own() {
        let cell = cell().await;
        let updates = Updates::new(cell.subscribe());
        let mine = Subscriptions::default();
        mine.add("a:1", &updates).unwrap();
        mine.add("a:2", &updates).unwrap();
        assert_eq!(mine.wanted(Ok("a:1".into())), ["a:1"]);
        assert!(mine.wanted(Ok("a:3".into())).is_empty());
        let mut all = mine.wanted(Err(broadcast::error::RecvError::Lagged(5)));
        all.sort();
        assert_eq!(all, ["a:1", "a:2"]);
    }

    #[tokio::test]
    async fn a_client_has_so_many_and_no_more() {
        let cell = cell().await;
        let updates = Updates::new(cell.subscribe());
        let mine = Subscriptions::default();
        for n in 0..MAX_SUBSCRIPTIONS {
            mine.add(&format!("a:{n}"), &updates).unwrap();
        }
        assert_eq!(mine.add("a:x", &updates).unwrap_err(), TooMany);
        mine.add("a:0", &updates).unwrap();
        mine.remove("a:0");
        mine.add("a:x", &updates).unwrap();
    }
}
