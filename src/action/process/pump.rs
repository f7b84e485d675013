//! Feeds a program and reads what it writes, all three streams at the same time and bounded.

use std::future::Future;
use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdout};

use super::lines::{Lines, Told};
use super::{Exit, Finished};

/// Bytes of stderr that are kept: the last ones, where programs say what went wrong.
pub const STDERR_KEPT: usize = 64 * 1024;

/// The least room for one read.
const READ_ROOM: usize = 8 * 1024;

/// Why the streams are no longer served.
#[derive(Debug)]
pub(super) enum Stop {
    /// Stdout has more than is kept of it.
    Full,
    /// The system gave up on a pipe.
    Broken(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Broken(error)
    }
}

/// What was read so far. It stands outside of the future that reads, so that it outlives it.
#[derive(Debug)]
pub(super) struct Output {
    max_bytes: usize,
    stdout: Vec<u8>,
    /// The pipe of a program that was cut: closed once the program has been killed, so that it does not end
    /// by itself of a closed pipe before.
    held: Option<ChildStdout>,
    stderr: Tail,
}

impl Output {
    /// Nothing yet; `max_bytes` of stdout will be kept.
    pub(super) fn new(max_bytes: usize) -> Self {
        Output { max_bytes, stdout: Vec::new(), held: None, stderr: Tail::default() }
    }

    /// The end: what was kept, and how the program ended.
    pub(super) fn finish(self, exit: Exit) -> Finished {
        let Output { max_bytes, mut stdout, stderr, .. } = self;
        let truncated = stdout.len() > max_bytes;
        stdout.truncate(max_bytes);
        let (stderr, stderr_truncated) = stderr.finish();
        Finished { stdout, stderr, truncated, stderr_truncated, exit }
    }
}

/// Serves the streams of `child` until both outputs are at their end and the input is written or refused.
pub(super) fn pump<'o>(
    child: &mut Child,
    stderr: pipe::Receiver,
    stdin: Option<Vec<u8>>,
    output: &'o mut Output,
    told: Option<Told<'o>>,
) -> impl Future<Output = Result<(), Stop>> + use<'o> {
    let (input, stdout) = (child.stdin.take(), child.stdout.take());
    let Output { max_bytes, stdout: kept, held, stderr: tail } = output;
    let enough = max_bytes.saturating_add(1);
    async move {
        tokio::try_join!(
            feed(input, stdin),
            read_head(stdout, kept, held, enough),
            read_tail(stderr, tail, told.map(Lines::new))
        )?;
        Ok(())
    }
}

/// Writes all of the input and closes it. A program need not read to the end.
async fn feed(pipe: Option<impl AsyncWriteExt + Unpin>, bytes: Option<Vec<u8>>) -> Result<(), Stop> {
    let (Some(mut pipe), Some(bytes)) = (pipe, bytes) else { return Ok(()) };
    match pipe.write_all(&bytes).await {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Reads up to `enough` bytes; getting as many means that there are too many.
async fn read_head<P: AsyncRead + Unpin>(
    pipe: Option<P>,
    kept: &mut Vec<u8>,
    held: &mut Option<P>,
    enough: usize,
) -> Result<(), Stop> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut pipe = pipe.take(u64::try_from(enough).unwrap_or(u64::MAX));
    loop {
        kept.reserve(READ_ROOM.min(enough.saturating_sub(kept.len())).max(1));
        if pipe.read_buf(kept).await? == 0 {
            if kept.len() < enough {
                return Ok(());
            }
            *held = Some(pipe.into_inner());
            return Err(Stop::Full);
        }
    }
}

async fn read_tail(
    mut pipe: impl AsyncRead + Unpin,
    tail: &mut Tail,
    mut lines: Option<Lines<'_>>,
) -> Result<(), Stop> {
    loop {
        let before = tail.bytes.len();
        if pipe.read_buf(tail.room()).await? == 0 {
            break;
        }
        if let Some(lines) = &mut lines {
            lines.feed(tail.bytes.get(before..).unwrap_or_default());
        }
        tail.forget();
    }
    lines.iter_mut().for_each(Lines::end);
    Ok(())
}

/// The last bytes of a stream of any length.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.reserve(READ_ROOM);
        &mut self.bytes
    }

    /// Drops what is too old, seldom enough that each byte is moved about once.
    fn forget(&mut self) {
        if self.bytes.len() >= 2 * STDERR_KEPT {
            self.cut_to_size();
        }
    }

    fn cut_to_size(&mut self) {
        let old = self.bytes.len().saturating_sub(STDERR_KEPT);
        self.cut |= old > 0;
        self.bytes.drain(..old);
    }

    fn finish(mut self) -> (Vec<u8>, bool) {
        self.cut_to_size();
        (self.bytes, self.cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_head_ends_where_it_is_full() {
        for (length, enough, full) in
            [(0_usize, 1, false), (1, 1, true), (99, 100, false), (100, 100, true), (1 << 20, 100, true)]
        {
            let stream = vec![b'x'; length];
            let mut kept = Vec::new();
            let stop = read_head(Some(stream.as_slice()), &mut kept, &mut None, enough).await;
            assert_eq!(matches!(stop, Err(Stop::Full)), full, "{length} of {enough}");
            assert_eq!(kept.len(), length.min(enough));
        }
    }

    #[tokio::test]
    async fn the_tail_is_the_end_of_the_stream() {
        for length in [0, 10, STDERR_KEPT, STDERR_KEPT + 1, 2 * STDERR_KEPT, 1_000_003] {
            let stream: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let mut tail = Tail::default();
            read_tail(stream.as_slice(), &mut tail, None).await.unwrap();
            assert!(tail.bytes.capacity() <= 4 * STDERR_KEPT);
            let (kept, cut) = tail.finish();
            assert_eq!(kept, stream[length.saturating_sub(STDERR_KEPT)..]);
            assert_eq!(cut, length > STDERR_KEPT);
        }
    }
}
