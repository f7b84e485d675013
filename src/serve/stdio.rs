//! MCP over standard input and output: one message a line, one client, the process ends with its input.
//!
//! rmcp runs the protocol; [`transport`] keeps it from the texts that would make it stop, hang or stay silent.

mod batch;
mod lines;
mod link;
#[cfg(test)]
mod tests;
mod transport;

use std::{fmt, io, sync::Arc};

use rmcp::service::{QuitReason, serve_directly_with_ct};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::foresight::{Foresight, Foresighted};
use link::Link;
use transport::StdioTransport;

/// Why serving over standard input and output ended before its time.
#[derive(Debug)]
pub enum StdioFault {
    /// Standard input could not be read.
    Read(io::Error),
    /// The protocol's own task broke.
    Broken(String),
}

impl fmt::Display for StdioFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StdioFault::Read(fault) => write!(out, "can't read standard input: {fault}"),
            StdioFault::Broken(reason) => write!(out, "serving over standard input and output broke: {reason}"),
        }
    }
}

impl std::error::Error for StdioFault {}

/// Serves one client over standard input and output until its input ends or `closing` is cancelled.
///
/// `closing` is cancelled when the input ends, so that `listen` handlers return at once. Calls in flight then
/// have five seconds to finish before they are cancelled. Input and output may be pipes, files or a terminal. A
/// read from a terminal or file can't be taken back: after `closing`, let the process exit without waiting for it.
///
/// # Errors
///
/// When the input can't be read, or the protocol's task panics. A client that goes away is no error.
pub async fn serve<H: Foresight>(handler: H, closing: CancellationToken) -> Result<(), StdioFault> {
    let (reader, writer) = rmcp::transport::stdio_pipes();
    serve_on(handler, reader, writer, closing).await
}

/// [`serve`] over any pair of byte streams.
///
/// # Errors
///
/// Those of [`serve`].
pub async fn serve_on<H, R, W>(handler: H, reader: R, writer: W, closing: CancellationToken) -> Result<(), StdioFault>
where
    H: Foresight,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let link = Arc::new(Link::new(reader, writer, closing));
    let stop = CancellationToken::new();
    let transport = StdioTransport::new(link.clone(), stop.clone());
    // Without rmcp's own beginning, which would choose one era for the whole process.
    let outcome = quit(serve_directly_with_ct(Foresighted(handler), transport, None, stop).waiting().await);
    match link.take_read_fault() {
        Some(fault) => Err(StdioFault::Read(fault)),
        None => outcome,
    }
}

fn quit(reason: Result<QuitReason, tokio::task::JoinError>) -> Result<(), StdioFault> {
    match reason {
        Ok(QuitReason::JoinError(fault)) | Err(fault) => Err(StdioFault::Broken(fault.to_string())),
        Ok(_) => Ok(()),
    }
}
