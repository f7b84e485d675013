//! MCP over the stdin and stdout of a process of ours: a JSON message a line.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::RoleClient;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// Messages that wait to be written, or to be taken.
const MOST_WAITING: usize = 64;
/// Lines in a row that are no message, after which the process is given up.
const MOST_GARBAGE: usize = 1000;

type Written = oneshot::Sender<io::Result<()>>;

/// The two ends of a process that speaks MCP.
pub struct Lines {
    out: mpsc::Sender<(Vec<u8>, Written)>,
    read: mpsc::Receiver<RxJsonRpcMessage<RoleClient>>,
}

/// What keeps the two pipes open: when it is dropped, the process is at the end of its stdin.
pub struct Pipes {
    /// Why no more is read, where that is known.
    pub fault: Arc<Mutex<Option<String>>>,
    _writing: AbortOnDropHandle<()>,
    _reading: AbortOnDropHandle<()>,
}

impl Lines {
    /// Begins to read and to write. A message of more than `max` bytes ends it.
    pub fn new(stdout: ChildStdout, stdin: ChildStdin, max: usize) -> (Lines, Pipes) {
        let (out, to_write) = mpsc::channel(MOST_WAITING);
        let (taken, read) = mpsc::channel(MOST_WAITING);
        let fault = Arc::<Mutex<Option<String>>>::default();
        let reading = tokio::spawn({
            let fault = fault.clone();
            async move {
                let why = read_all(stdout, max, &taken).await.err();
                *fault.lock().unwrap_or_else(PoisonError::into_inner) = why;
            }
        });
        let pipes = Pipes {
            fault,
            _writing: AbortOnDropHandle::new(tokio::spawn(write_all(stdin, to_write))),
            _reading: AbortOnDropHandle::new(reading),
        };
        (Lines { out, read }, pipes)
    }
}

impl Transport<RoleClient> for Lines {
    type Error = io::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleClient>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let out = self.out.clone();
        async move {
            let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
            let mut line = serde_json::to_vec(&item)?;
            line.push(b'\n');
            let (written, done) = oneshot::channel();
            out.send((line, written)).await.map_err(|_| gone())?;
            done.await.map_err(|_| gone())?
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        self.read.recv().await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.read.close();
        Ok(())
    }
}

async fn write_all(mut stdin: ChildStdin, mut lines: mpsc::Receiver<(Vec<u8>, Written)>) {
    while let Some((line, written)) = lines.recv().await {
        let result = match stdin.write_all(&line).await {
            Ok(()) => stdin.flush().await,
            fault => fault,
        };
        let _ = written.send(result);
    }
}

/// Reads messages to the end.
///
/// # Errors
/// In words, why it was given up before that.
async fn read_all(
    stdout: ChildStdout,
    max: usize,
    taken: &mpsc::Sender<RxJsonRpcMessage<RoleClient>>,
) -> Result<(), String> {
    let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let (mut line, mut garbage) = (Vec::new(), 0_usize);
    loop {
        line.clear();
        let read = (&mut stdout).take(bound).read_until(b'\n', &mut line).await;
        match read {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) if line.last() != Some(&b'\n') && line.len() > max => {
                return Err(format!("it sent a message of more than {max} bytes (maxBytes)"));
            }
            Ok(_) => {}
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(message) => {
                garbage = 0;
                if taken.send(message).await.is_err() {
                    return Ok(());
                }
            }
            Err(_) => {
                garbage = garbage.saturating_add(1);
                tracing::debug!(bytes = line.len(), "a line on its stdout is no MCP message");
                if garbage > MOST_GARBAGE {
                    return Err("what it writes on its stdout is no MCP".to_owned());
                }
            }
        }
        if line.capacity() > 1 << 20 {
            line = Vec::new();
        }
    }
}
