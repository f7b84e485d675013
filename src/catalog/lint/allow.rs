//! `# mcp-declare: allow(code)`: comments by which an author says that a warning is known. Behind a value it is for its
//! line, on a line of its own for the next one with all that belongs to it, and above the first key for the whole file.

mod block;

use crate::spec::{Code, Diagnostic, Diagnostics, FileId, Files, Severity, Span, nearest};

/// How such a comment begins.
const MARK: &str = "# mcp-declare:";

/// All the comments of a spec.
#[derive(Debug, Default)]
pub struct Allows(Vec<Allow>);

/// One code of a comment.
#[derive(Debug)]
struct Allow {
    /// The code as written.
    code: String,
    at: Span,
    scope: Scope,
    /// What it did so far.
    met: Met,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scope {
    File,
    /// From one line to another, both of them among them.
    Lines(usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Met {
    Nothing,
    Warning,
    Error,
}

impl Allows {
    /// Reads the comments of a spec's own files; what is no such list of codes is reported.
    pub fn read(files: &Files, sink: &mut Diagnostics) -> Self {
        let mut allows = Allows::default();
        for file in files.specs() {
            allows.read_file(file, files, sink);
        }
        allows
    }

    fn read_file(&mut self, file: FileId, files: &Files, sink: &mut Diagnostics) {
        let (mut start, mut begun) = (0, false);
        let mut waiting = self.0.len();
        let toml = files.path(file).and_then(|path| path.extension()).is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        let text = files.text(file);
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let trimmed = line.trim_start_matches('\u{FEFF}').trim();
            let alone = trimmed.starts_with('#');
            let content = !(alone || trimmed.is_empty() || trimmed == "---" || trimmed.starts_with('%'));
            if content {
                // A comment of its own is for the next line that says something.
                let mut above = self.0.iter_mut().skip(waiting).filter(|allow| allow.scope != Scope::File).peekable();
                let last = above.peek().map(|_| number + block::lines(text.get(start..).unwrap_or(""), toml));
                above.for_each(|allow| allow.scope = Scope::Lines(number + 1, last.unwrap_or(number + 1)));
                begun = true;
            }
            let scope = if begun { Scope::Lines(number + 1, number + 1) } else { Scope::File };
            let comment = line
                .find(MARK)
                .filter(|at| *at == 0 || line.get(..*at).is_some_and(|b| b.ends_with([' ', '\t', '\u{FEFF}'])));
            if let Some(at) = comment {
                self.read_comment(line.trim_end(), at, Span::new(file, start..start), scope, sink);
            }
            if content {
                waiting = self.0.len();
            }
            start += line.len();
        }
    }

    /// Reads the codes of a comment that begins at byte `at` of a line; `line_at` is where the line begins.
    fn read_comment(&mut self, line: &str, at: usize, line_at: Span, scope: Scope, sink: &mut Diagnostics) {
        let place = |range: std::ops::Range<usize>| {
            let start = line_at.range().start;
            Span::new(line_at.file, start + range.start..start + range.end)
        };
        let open = line.get(at..).and_then(|c| c.find('(')).map(|n| at + n);
        let said = open.and_then(|open| line.get(at + MARK.len()..open)).map(str::trim);
        let close = open.and_then(|open| line.get(open..)?.find(')').map(|n| open + n));
        let (Some("allow"), Some(open), Some(close)) = (said, open, close) else {
            let found = Diagnostic::warning(Code::BadAllow, place(at..line.len()), "this comment allows nothing");
            sink.push(found.label("write `# mcp-declare: allow(code)`, or several codes with commas"));
            return;
        };
        let mut from = open + 1;
        for word in line.get(open + 1..close).unwrap_or("").split(',') {
            let code = word.trim();
            let start = from + (word.len() - word.trim_start().len());
            from += word.len() + 1;
            let at = place(start..start + code.len());
            match Code::NAMES.contains(&code) {
                true => self.0.push(Allow { code: code.to_owned(), at, scope, met: Met::Nothing }),
                false => {
                    let found = Diagnostic::warning(Code::BadAllow, at, format!("there is no code `{code}`"));
                    let found = found.nearest(code, Code::NAMES.iter().copied());
                    let found = if nearest(code, Code::NAMES.iter().copied()).is_none() {
                        found.label("docs/errors.md has all of them")
                    } else {
                        found
                    };
                    sink.push(found);
                }
            }
        }
    }

    /// Takes out the warnings that are allowed.
    pub fn apply(&mut self, sink: &mut Diagnostics, files: &Files) {
        if self.0.is_empty() {
            return;
        }
        sink.retain(|found| {
            let line =
                found.place.as_ref().map(|p| (p.span.file, files.line_column(p.span.file, files.locate(p).start).0));
            let mut allowed = false;
            for allow in self.0.iter_mut().filter(|allow| allow.code == found.code.name() && allow.covers(line)) {
                let error = found.severity == Severity::Error;
                allow.met = if error { Met::Error } else { Met::Warning };
                allowed |= !error;
            }
            !allowed
        });
    }

    /// Reports those that allowed nothing: if lints have run, all of them, otherwise those that met an error.
    pub fn judge(&self, sink: &mut Diagnostics, linted: bool) {
        for allow in &self.0 {
            let (words, label) = match allow.met {
                Met::Error => {
                    (format!("`{}` is an error here, which can't be allowed", allow.code), "mend what it says")
                }
                Met::Nothing if linted => (format!("there is no `{}` here to allow", allow.code), "take it out"),
                _ => continue,
            };
            sink.push(Diagnostic::warning(Code::BadAllow, allow.at, words).label(label));
        }
    }
}

impl Allow {
    fn covers(&self, place: Option<(FileId, usize)>) -> bool {
        match (self.scope, place) {
            (Scope::File, None) => true,
            (Scope::File, Some((file, _))) => file == self.at.file,
            (Scope::Lines(first, last), Some((file, line))) => file == self.at.file && (first..=last).contains(&line),
            (Scope::Lines(..), None) => false,
        }
    }
}
