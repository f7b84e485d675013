//! The two ends of the line to the client, and how much is under way between them.

use std::{
    collections::HashSet,
    io,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

use rmcp::model::RequestId;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::{Mutex as AsyncMutex, watch},
};
use tokio_util::sync::CancellationToken;

use super::{batch::Batches, lines::Lines};

/// The longest line that is read, in bytes, as over HTTP event streams.
const MAX_LINE: usize = 16 * 1024 * 1024;
/// Requests whose answers are not written yet. Reading stops here until one is, so a client that asks but does
/// not read costs no more memory than this many answers.
const MAX_REQUESTS: usize = 256;
/// Refusals, and answers to batches, that are not written yet; reading stops here too.
const MAX_REFUSALS: usize = 64;

/// What still has to be written.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) requests: HashSet<RequestId>,
    /// Texts that are written beside rmcp.
    pub(super) refusals: usize,
}

impl Load {
    pub(super) fn has_room(&self) -> bool {
        self.requests.len() < MAX_REQUESTS && self.refusals < MAX_REFUSALS
    }

    pub(super) fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.refusals == 0
    }
}

/// The line, which outlives what rmcp runs on it.
pub(super) struct Link<R, W> {
    pub(super) lines: AsyncMutex<Lines<R>>,
    writer: AsyncMutex<W>,
    pub(super) load: watch::Sender<Load>,
    batches: Mutex<Batches>,
    /// Whether there is a session: `initialize` was asked for.
    pub(super) session: AtomicBool,
    pub(super) closing: CancellationToken,
    read_fault: Mutex<Option<io::Error>>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Link<R, W> {
    pub(super) fn new(reader: R, writer: W, closing: CancellationToken) -> Self {
        Link {
            lines: AsyncMutex::new(Lines::new(reader, MAX_LINE)),
            writer: AsyncMutex::new(writer),
            load: watch::Sender::new(Load::default()),
            batches: Mutex::default(),
            session: AtomicBool::new(false),
            closing,
            read_fault: Mutex::new(None),
        }
    }

    /// Writes one message and a line end. A client that no longer reads ends the service: it can't be told anything.
    pub(super) async fn write(&self, mut message: Vec<u8>) -> io::Result<()> {
        message.push(b'\n');
        let mut writer = self.writer.lock().await;
        let outcome = async {
            writer.write_all(&message).await?;
            writer.flush().await
        };
        outcome.await.inspect_err(|fault| {
            tracing::debug!(%fault, "the client does not read any more");
            self.closing.cancel();
        })
    }

    pub(super) fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These requests are owed nothing any more.
    pub(super) fn settle<'a>(&self, requests: impl IntoIterator<Item = &'a RequestId>) {
        self.load.send_modify(|load| {
            for id in requests {
                load.requests.remove(id);
            }
        });
    }

    pub(super) fn keep_read_fault(&self, fault: io::Error) {
        *self.read_fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    pub(super) fn take_read_fault(&self) -> Option<io::Error> {
        self.read_fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
