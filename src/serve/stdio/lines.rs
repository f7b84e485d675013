//! Lines of bounded length, read so that no byte is lost when reading is broken off and taken up again.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// What a kept buffer is cut back to after a long line, in bytes.
const KEPT_CAPACITY: usize = 64 * 1024;

/// What the reader found next.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// A line without its end, or what stands after the last line end.
    Whole(&'a [u8]),
    /// A line longer than allowed. Said once; the rest of it is skipped.
    TooLong,
    /// Nothing more will come.
    End,
}

/// Reads lines of at most `max` bytes, line end included.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    max: usize,
    /// The line was given out; the next read begins a new one.
    given: bool,
    /// Inside a line that is too long.
    skipping: bool,
}

enum Step {
    More,
    Whole,
    TooLong,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, max: usize) -> Self {
        Lines { reader: BufReader::new(reader), line: Vec::new(), max, given: false, skipping: false }
    }

    /// The next line. Dropping the future before it is done loses nothing: the only wait is for bytes that are
    /// not taken yet.
    pub(super) async fn next(&mut self) -> io::Result<Line<'_>> {
        if std::mem::take(&mut self.given) {
            self.line.clear();
            self.line.shrink_to(KEPT_CAPACITY);
        }
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(self.end());
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            let step = if self.skipping {
                self.skipping = end.is_none();
                Step::More
            } else if self.line.len() + taken > self.max {
                self.line.clear();
                self.skipping = end.is_none();
                Step::TooLong
            } else {
                self.line.extend(available.iter().take(taken));
                if end.is_some() { Step::Whole } else { Step::More }
            };
            self.reader.consume(taken);
            match step {
                Step::More => {}
                Step::TooLong => return Ok(Line::TooLong),
                Step::Whole => return Ok(self.give()),
            }
        }
    }

    fn end(&mut self) -> Line<'_> {
        if self.line.is_empty() { Line::End } else { self.give() }
    }

    fn give(&mut self) -> Line<'_> {
        self.given = true;
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn all(text: &[u8], max: usize) -> Vec<String> {
        let mut lines = Lines::new(text, max);
        let mut found = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::Whole(line) => found.push(String::from_utf8_lossy(line).into_owned()),
                Line::TooLong => found.push("<too long>".into()),
                Line::End => return found,
            }
        }
    }

    #[tokio::test]
    async fn splits_at_either_line_end_and_keeps_the_last() {
        assert_eq!(all(b"one\ntwo\r\n\nlast", 100).await, ["one", "two", "", "last"]);
        assert_eq!(all(b"", 100).await, [""; 0]);
    }

    #[tokio::test]
    async fn a_long_line_is_named_once_and_skipped() {
        let long = "x".repeat(20_000);
        let text = format!("a\n{long}\nb\n{long}");
        assert_eq!(all(text.as_bytes(), 100).await, ["a", "<too long>", "b", "<too long>"]);
        assert_eq!(all(b"12345\n1234\n", 5).await, ["<too long>", "1234"]);
    }

    #[tokio::test]
    async fn memory_of_a_long_line_is_given_back() {
        let text = format!("{}\nb\n", "x".repeat(1 << 20));
        let mut lines = Lines::new(text.as_bytes(), 1 << 21);
        assert!(matches!(lines.next().await.unwrap(), Line::Whole(_)));
        assert_eq!(lines.next().await.unwrap(), Line::Whole(b"b"));
        assert!(lines.line.capacity() <= KEPT_CAPACITY);
    }

    #[tokio::test]
    async fn broken_off_reads_lose_nothing() {
        let (mut sender, receiver) = tokio::io::duplex(64);
        let mut lines = Lines::new(receiver, 100);
        for part in ["he", "ll"] {
            sender.write_all(part.as_bytes()).await.unwrap();
            assert!(tokio::time::timeout(Duration::from_millis(5), lines.next()).await.is_err());
        }
        sender.write_all(b"o\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), Line::Whole(b"hello"));
    }
}
