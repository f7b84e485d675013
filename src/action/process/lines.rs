//! A stream of bytes as lines, for somebody who listens while the program runs.

/// Bytes of a line that are kept; the rest of it is dropped.
const MAX_LINE: usize = 4 * 1024;

/// What is told of each line.
pub type Told<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Splits a stream at line feeds and carriage returns, as progress bars are drawn with those.
pub(super) struct Lines<'a> {
    told: Told<'a>,
    rest: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(told: Told<'a>) -> Self {
        Lines { told, rest: Vec::new() }
    }

    /// Tells the lines that `bytes` end.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).peekable();
        while let Some(piece) = pieces.next() {
            let room = MAX_LINE.saturating_sub(self.rest.len());
            self.rest.extend(piece.iter().take(room));
            if pieces.peek().is_some() {
                self.end();
            }
        }
    }

    /// Tells what is left at the end of the stream.
    pub(super) fn end(&mut self) {
        let line = String::from_utf8_lossy(&self.rest);
        let line = line.trim();
        if !line.is_empty() {
            (self.told)(line);
        }
        self.rest.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let told = Mutex::new(Vec::new());
        let tell = |line: &str| told.lock().unwrap().push(line.to_owned());
        let mut lines = Lines::new(&tell);
        pieces.iter().for_each(|piece| lines.feed(piece));
        lines.end();
        drop(lines);
        told.into_inner().unwrap()
    }

    #[test]
    fn lines_end_where_they_end() {
        assert_eq!(lines(&[b"a\nb", b"c\r\n\n  \nd"]), ["a", "bc", "d"]);
        assert_eq!(lines(&[b"10%\r20%\r", b"30%"]), ["10%", "20%", "30%"]);
        assert_eq!(lines(&[b"\xff\xc3", b"\xa4\n"]), ["\u{fffd}ä"]);
        assert!(lines(&[b"", b"\n\r\n"]).is_empty());
    }

    #[test]
    fn a_line_has_a_bound() {
        let long = [b'x'; 3 * MAX_LINE];
        assert_eq!(lines(&[&long, b"y\nz"]), ["x".repeat(MAX_LINE), "z".to_owned()]);
    }
}
