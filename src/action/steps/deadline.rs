//! `timeout`: work that is told to stop when its time is over.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::outcome::{ActionError, ErrorKind};

/// How long work that was told to stop may take to do so; then it is dropped.
pub(super) const MERCY: Duration = Duration::from_secs(5);

/// Runs `work`, which `cancel` stops, for at most `time`.
pub(super) async fn in_time<T>(
    time: Duration,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, ActionError>>,
) -> Result<T, ActionError> {
    let mut work = std::pin::pin!(work);
    if let Ok(given) = timeout(time, &mut work).await {
        return given;
    }
    cancel.cancel();
    let words = format!("took longer than {time:?}");
    match timeout(MERCY, work).await {
        // What the client is to do first it can do in another call, where the time begins anew.
        Ok(Err(error)) if error.kind == ErrorKind::Unanswered => Err(error),
        Ok(Err(error)) => Err(error.because(ErrorKind::TimedOut, words)),
        // It was done at the last moment.
        Ok(Ok(given)) => Ok(given),
        Err(_) => Err(ActionError::new(ErrorKind::TimedOut, words)),
    }
}
