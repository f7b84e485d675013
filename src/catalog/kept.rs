//! Answers that were too long, whole, for a while: who got the link can read them, nobody else finds them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{ContentBlock, Resource, ResourceContents};

use crate::outcome::{Data, Whole, base64};

/// How long an answer is kept.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Answers that are kept at a time; the oldest goes first.
const MAX_ANSWERS: usize = 64;
/// Their bytes together.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What the URIs begin with. After that come 128 random bits.
const SCHEME: &str = "answer://";

/// The answers of one process; reloads keep them.
#[derive(Debug, Clone, Default)]
pub struct Kept(Arc<Mutex<VecDeque<Entry>>>);

#[derive(Debug)]
struct Entry {
    uri: String,
    since: Instant,
    whole: Arc<Whole>,
}

impl Kept {
    /// Keeps an answer and gives the link to it; `None` if it is too large, or the system has no random numbers.
    pub fn keep(&self, whole: Whole, name: &str) -> Option<ContentBlock> {
        let size = whole.data.len();
        if size > MAX_BYTES {
            return None;
        }
        let uri = uri()?;
        let mut link = Resource::new(uri.clone(), name);
        link.description = Some(format!("The whole answer, for {} minutes.", LIFETIME.as_secs() / 60));
        link.mime_type = whole.mime_type.clone();
        link.size = u64::try_from(size).ok();
        self.with(|all| {
            all.push_back(Entry { uri, since: Instant::now(), whole: Arc::new(whole) });
            while all.len() > MAX_ANSWERS || all.iter().map(|entry| entry.whole.data.len()).sum::<usize>() > MAX_BYTES {
                all.pop_front();
            }
        });
        self.forget_in_time();
        Some(ContentBlock::resource_link(link))
    }

    /// The contents of an answer that is kept.
    pub fn read(&self, uri: &str) -> Option<ResourceContents> {
        let whole = self.with(|all| all.iter().find(|entry| entry.uri == uri).map(|entry| entry.whole.clone()))?;
        let contents = match &whole.data {
            Data::Text(text) => ResourceContents::text(text, uri),
            Data::Bytes(bytes) => ResourceContents::blob(base64(bytes), uri),
        };
        Some(match &whole.mime_type {
            Some(mime_type) => contents.with_mime_type(mime_type),
            None => contents,
        })
    }

    /// Works on those that are not too old.
    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<Entry>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.front().is_some_and(|oldest| oldest.since.elapsed() >= LIFETIME) {
            all.pop_front();
        }
        work(&mut all)
    }

    /// Gives the memory back also if nobody asks again.
    fn forget_in_time(&self) {
        let kept = Arc::downgrade(&self.0);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(LIFETIME).await;
                if let Some(all) = kept.upgrade() {
                    Kept(all).with(|_| ());
                }
            });
        }
    }
}

/// A URI that nobody guesses.
fn uri() -> Option<String> {
    let mut random = [0_u8; 16];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random)).ok()?;
    Some(random.iter().fold(SCHEME.to_owned(), |uri, byte| format!("{uri}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(bytes: usize) -> Whole {
        Whole { data: Data::Text("x".repeat(bytes)), mime_type: Some("text/plain".to_owned()) }
    }

    fn keep(kept: &Kept, bytes: usize) -> String {
        let link = json!(kept.keep(answer(bytes), "a").unwrap());
        assert_eq!((&link["type"], &link["size"]), (&json!("resource_link"), &json!(bytes)));
        link["uri"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let kept = Kept::default();
        assert!(kept.keep(answer(MAX_BYTES + 1), "a").is_none());
        let first = keep(&kept, 1);
        assert!(kept.read(&first).is_some());
        assert_eq!(first.len(), SCHEME.len() + 32);
        for _ in 1..MAX_ANSWERS {
            keep(&kept, 1);
        }
        assert!(kept.read(&first).is_some());
        let last = keep(&kept, 1);
        assert!(kept.read(&first).is_none(), "the oldest goes first");
        assert!(kept.read(&last).is_some());
        keep(&kept, MAX_BYTES);
        assert!(kept.read(&last).is_none());
        assert_eq!(kept.with(|all| all.len()), 1);
    }

    #[test]
    fn nothing_else_is_found() {
        let kept = Kept::default();
        keep(&kept, 1);
        for uri in ["answer://", "answer://00000000000000000000000000000000", ""] {
            assert!(kept.read(uri).is_none());
        }
    }
}
