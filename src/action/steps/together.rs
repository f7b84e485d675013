//! Work side by side, on the task of the call: so much at the same time, and none of it goes on when a part fails.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::deadline::MERCY;
use super::report::Did;
use crate::action::Call;
use crate::outcome::{ActionError, ErrorKind};

/// What became of the parts, by their positions.
#[derive(Debug, Default)]
pub(super) struct Ended {
    parts: BTreeMap<usize, Result<Did, ActionError>>,
    /// The first that failed.
    failed: Option<usize>,
}

/// Does `work` for every item, at most `most` at the same time. A part that waits for the client keeps its place, so
/// that no more is asked at once than is done at once; the others go on.
pub(super) async fn together<'f, I: IntoIterator>(
    items: I,
    most: usize,
    call: &Call,
    work: impl Fn(usize, I::Item, Call) -> BoxFuture<'f, Result<Did, ActionError>>,
) -> Ended {
    let branch = call.branch();
    let mut items = items.into_iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut ended = Ended::default();
    let (mut waiting, mut mercy) = (0_usize, None);
    loop {
        while ended.failed.is_none() && running.len().saturating_add(waiting) < most {
            let Some((at, item)) = items.next() else { break };
            running.push(work(at, item, branch.clone()).map(move |given| (at, given)));
        }
        let Some((at, given)) = next(running.next(), mercy).await else { return ended };
        match &given {
            Err(error) if error.kind == ErrorKind::Unanswered => waiting = waiting.saturating_add(1),
            Err(_) if ended.failed.is_none() => {
                ended.failed = Some(at);
                branch.cancel.cancel();
                mercy = Instant::now().checked_add(MERCY);
            }
            _ => {}
        }
        ended.parts.insert(at, given);
    }
}

/// The next part that ends; `None` if there is none, or the time for it is over.
async fn next<T>(part: impl Future<Output = Option<T>>, until: Option<Instant>) -> Option<T> {
    let Some(until) = until else { return part.await };
    let part = pin!(part);
    tokio::select! {
        part = part => part,
        () = sleep_until(until) => None,
    }
}

impl Ended {
    /// What all of them did, in order.
    ///
    /// # Errors
    /// That of the first that failed, with what was done of the others, which `id` names; else that of one that waits
    /// for the client.
    pub(super) fn all(mut self, id: impl Fn(usize) -> Option<String>) -> Result<Vec<Did>, ActionError> {
        if let Some(error) = self.failed.and_then(|at| self.parts.remove(&at)).and_then(Result::err) {
            let done = self.parts.into_iter().flat_map(|(at, given)| match given {
                Ok(did) if did.is_done() => id(at).into_iter().collect(),
                Ok(_) => Vec::new(),
                Err(error) => error.done().to_vec(),
            });
            return Err(error.after(&done.collect::<Vec<_>>()));
        }
        self.parts.into_values().collect()
    }
}
