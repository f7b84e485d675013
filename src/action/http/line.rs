//! The request line: `METHOD target`.

use std::ops::Range;

use reqwest::Method;

use super::base::{Base, Wrong};
use crate::spec::model::Str;
use crate::spec::{Code, Diagnostic, Diagnostics, Text};

/// The methods that people write; others are fine if they look like none of these.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A request line, taken apart. Ranges are bytes of the line.
#[derive(Debug)]
pub struct Line<'l> {
    text: &'l Str,
    /// The method; `None` for one at fault.
    pub method: Option<Method>,
    target: Range<usize>,
}

/// The part of a line that is a URI template, and where in the line it starts.
#[derive(Debug, Clone, Copy)]
pub struct Template<'l> {
    /// The whole line.
    pub line: &'l Str,
    /// Its first byte.
    pub start: usize,
}

impl<'l> Line<'l> {
    /// Reads a line; mistakes are reported.
    pub fn parse(text: &'l Str, sink: &mut Diagnostics) -> Option<Line<'l>> {
        let line = text.value.trim_end();
        let (word, target) = line.split_once(' ').unwrap_or((line, ""));
        let target = line.len() - target.trim_start().len()..line.len();
        let at = |range: Range<usize>, words: &str, label: String| {
            Diagnostic::error(Code::BadRequest, text.at(range), words).label(label)
        };
        if word.starts_with(['/', '{']) || word.contains("://") {
            sink.push(at(0..word.len(), "the method is missing", format!("such as `GET {word}`")));
            return None;
        }
        let method = method(word).map_err(|(words, label)| sink.push(at(0..word.len(), &words, label)));
        if target.is_empty() {
            sink.push(at(0..line.len(), "the request has no target", "expected `METHOD /path`".to_owned()));
            return None;
        }
        Some(Line { text, method: method.ok(), target })
    }

    /// The target's template when it is below a source: it has to begin with a path or a query.
    pub fn below_source(&self, sink: &mut Diagnostics) -> Option<Template<'l>> {
        let target = self.target();
        if target.contains("://") && !target.starts_with(['/', '{']) {
            let found = self.error(self.target.clone(), "with a `source`, a request has no scheme and host");
            sink.push(found.label("leave them out, or leave out `source`"));
            return None;
        }
        self.path(self.target.start, sink)
    }

    /// Scheme and host, and the template of what follows, when there is no source.
    pub fn absolute(&self, sink: &mut Diagnostics) -> Option<(Base, Template<'l>)> {
        let target = self.target();
        if target.starts_with(['/', '{']) && !target.contains("://") {
            let found = self.error(self.target.clone(), "a request without a `source` needs a whole URL");
            sink.push(found.label("give it a `source`, or write `https://host/path`"));
            return None;
        }
        let end = authority_end(target);
        let (written, rest) = target.split_at(end);
        if let Some(value) = value_before_path(target, end) {
            let place = self.target.start + value.start..self.target.start + value.end;
            let found = self.error(place, "no values can stand in scheme and host");
            sink.push(found.label("values start with the path: `https://api.example.org/{x}`"));
            return None;
        }
        let base = Base::parse(&Text::new(written), None);
        let base = base.map_err(|Wrong { message, label }| {
            sink.push(self.error(self.target.start..self.target.start + end, message).label(label));
        });
        let path = match rest {
            "" => Some(Template { line: self.text, start: self.target.end }),
            _ => self.path(self.target.start + end, sink),
        };
        Some((base.ok()?, path?))
    }

    /// Checks what can be seen of a path and query before there are values.
    fn path(&self, start: usize, sink: &mut Diagnostics) -> Option<Template<'l>> {
        let path = self.text.value.get(start..self.target.end)?;
        let wrong = |range: Range<usize>, words: &str, label: &str| {
            self.error(start + range.start..start + range.end, words).label(label)
        };
        let first = path.find(['/', '?', '{']).unwrap_or(path.len());
        let found = if first > 0 || (path.starts_with('{') && !path.starts_with("{/") && !path.starts_with("{?")) {
            Some(wrong(0..path.len(), "the target begins with a `/`", "such as `GET /books/{id}`"))
        } else if path.starts_with("//") {
            Some(wrong(0..2, "`//` would name another host", "begin with one `/`"))
        } else if let Some(at) = path.find('#') {
            Some(wrong(at..path.len(), "a request has no fragment (`#…`)", "leave it out"))
        } else {
            let dots = dot_segment(path);
            dots.map(|range| wrong(range, "a path has no `.` and `..`", "write the path that is meant"))
        };
        match found {
            Some(found) => {
                sink.push(found);
                None
            }
            None => Some(Template { line: self.text, start }),
        }
    }

    fn target(&self) -> &'l str {
        self.text.value.get(self.target.clone()).unwrap_or("")
    }

    fn error(&self, range: Range<usize>, words: &str) -> Diagnostic {
        Diagnostic::error(Code::BadRequest, self.text.at(range), words)
    }
}

/// Where path or query of a whole URL start; a value right after the host ends it too.
fn authority_end(url: &str) -> usize {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find(['/', '?', '#', '{']));
    end.map_or(url.len(), |at| host + at)
}

/// The expression that stands in scheme, host or port, or right after them without `/` or `?`.
fn value_before_path(url: &str, end: usize) -> Option<Range<usize>> {
    let start = url.find('{').filter(|at| *at <= end)?;
    let rest = url.get(start..)?;
    if start == end && (rest.starts_with("{/") || rest.starts_with("{?")) {
        return None;
    }
    Some(start..start + rest.find('}').map_or(rest.len(), |at| at + 1))
}

/// A segment of the template that is `.` or `..` as it stands.
fn dot_segment(path: &str) -> Option<Range<usize>> {
    let path = path.split('?').next().unwrap_or(path);
    let mut start = 0;
    for segment in path.split('/') {
        if super::target::is_dots(segment) {
            return Some(start..start + segment.len());
        }
        start += segment.len() + 1;
    }
    None
}

/// A method (RFC 9110 section 9.1), or what is wrong with it and the remedy.
fn method(word: &str) -> Result<Method, (String, String)> {
    if METHODS.contains(&word) {
        return Method::from_bytes(word.as_bytes()).map_err(|_| (String::new(), String::new()));
    }
    let near = crate::spec::nearest(word, METHODS);
    let remedy =
        near.map_or_else(|| format!("one of {}", METHODS.join(", ")), |near| format!("did you mean `{near}`?"));
    if matches!(word, "CONNECT" | "TRACE") {
        return Err((format!("`{word}` can't be sent"), format!("one of {}", METHODS.join(", "))));
    }
    let is_token = !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    match Method::from_bytes(word.as_bytes()) {
        Ok(method) if is_token && near.is_none() => Ok(method),
        _ => Err((format!("`{word}` is no method"), remedy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_methods() {
        for word in METHODS.iter().chain(&["PROPFIND", "PURGE", "QUERY", "SEARCH", "REPORT", "M-SEARCH", "LINK"]) {
            assert_eq!(method(word).unwrap().as_str(), *word);
        }
        for (word, near) in [("get", "GET"), ("Post", "POST"), ("GTE", "GET"), ("DELET", "DELETE"), ("PSOT", "POST")] {
            assert_eq!(method(word).unwrap_err().1, format!("did you mean `{near}`?"));
        }
        for word in ["CONNECT", "TRACE", "", "GET:", "G T", "ÄB", "G\u{0}", "connect"] {
            assert!(method(word).is_err(), "{word:?}");
        }
    }
}
