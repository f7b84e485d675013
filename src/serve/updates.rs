//! Noticing that resources changed: each is looked at by one task, however many clients are subscribed, and only
//! while one is.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{SetOnce, broadcast, watch};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::action::Call;
use crate::catalog::Catalog;
use crate::outcome::ErrorKind;

/// Resources that one client may be subscribed to.
pub const MAX_SUBSCRIPTIONS: usize = 256;
/// Updates that a client may be behind before it is told that everything changed.
const BEHIND: usize = 1024;
/// How long a subscription's answer waits for the first look at its resource.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The URI of a resource that changed.
pub type Updated = Arc<str>;

/// The resources that somebody is subscribed to.
#[derive(Debug)]
pub struct Updates {
    catalog: watch::Receiver<Arc<Catalog>>,
    watched: Mutex<HashMap<Arc<str>, Weak<Watched>>>,
    updated: broadcast::Sender<Updated>,
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

impl Updates {
    /// Nothing is looked at yet.
    pub fn new(catalog: watch::Receiver<Arc<Catalog>>) -> Self {
        Updates { catalog, watched: Mutex::default(), updated: broadcast::channel(BEHIND).0 }
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
        let task = tokio::spawn(look(uri.clone(), current, catalog, seen.clone(), self.updated.clone()));
        let watched = Arc::new(Watched { seen, _task: AbortOnDropHandle::new(task) });
        all.insert(uri, Arc::downgrade(&watched));
        watched
    }
}

/// Tells of each change of what the resource holds: of those that a look finds, and of those that a reload brings.
/// A look that fails says nothing, unless a reload made it fail.
async fn look(
    uri: Arc<str>,
    mut current: Arc<Catalog>,
    mut catalog: watch::Receiver<Arc<Catalog>>,
    first: Arc<SetOnce<()>>,
    updated: broadcast::Sender<Updated>,
) {
    let mut seen = state(&current, &uri).await;
    // It is set here alone.
    let _ = first.set(());
    loop {
        let poll = current.resource(&uri).and_then(|(resource, _)| resource.poll());
        let reloaded = tokio::select! {
            () = tick(poll) => false,
            changed = catalog.changed() => {
                if changed.is_err() {
                    return;
                }
                current = catalog.borrow_and_update().clone();
                true
            }
        };
        let now = state(&current, &uri).await;
        if now != seen && (now.is_some() || reloaded) {
            seen = now;
            // Fails only where nobody listens any more.
            let _ = updated.send(uri.clone());
        }
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
