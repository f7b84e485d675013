//! Diagnostics as a person reads them, and as a program does.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Severity};
use super::source::{FileId, Files, Place};

/// One diagnostic in the form that compilers use, ending with an empty line; coloured if `styled`.
pub fn text(diagnostic: &Diagnostic, files: &Files, styled: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.name());
    let mut group = Group::with_title(title);
    for file in involved(diagnostic) {
        let marks = marks(diagnostic, files, file);
        let text = files.text(file);
        group = match lines(text, &marks).len() <= MAX_EXCERPT {
            true => group.element(excerpt(&marks, files, file)),
            false => marks.iter().fold(group, |group, mark| far_excerpt(group, mark, files, file)),
        };
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    format!("{}\n\n", without_nameless(&renderer.render(&[group])))
}

/// Without the empty header that the renderer gives to an excerpt whose place was said already.
fn without_nameless(rendered: &str) -> String {
    let nameless = |line: &&str| anstream::adapter::strip_str(line).to_string().trim() != ":::";
    rendered.lines().filter(nameless).collect::<Vec<_>>().join("\n")
}

/// The files that a diagnostic points into, the primary one first.
fn involved(diagnostic: &Diagnostic) -> Vec<FileId> {
    let mut found: Vec<FileId> = Vec::new();
    for place in diagnostic.place.iter().chain(diagnostic.related.iter().map(|(p, _)| p)) {
        if !found.contains(&place.span.file) {
            found.push(place.span.file);
        }
    }
    found
}

/// Bytes of text that are shown together.
const MAX_EXCERPT: usize = 16 * 1024;
/// Bytes of a very long line that are shown before a mark and after its start.
const AROUND: usize = 60;

/// A place of a diagnostic in one file, and what is said there.
struct Mark<'a> {
    kind: AnnotationKind,
    range: Range<usize>,
    words: &'a str,
}

fn marks<'a>(diagnostic: &'a Diagnostic, files: &Files, file: FileId) -> Vec<Mark<'a>> {
    let primary = diagnostic.place.iter().map(|p| (AnnotationKind::Primary, p, diagnostic.label.as_str()));
    let related = diagnostic.related.iter().map(|(p, words)| (AnnotationKind::Context, p, words.as_str()));
    let here = primary.chain(related).filter(|(_, place, _)| place.span.file == file);
    let mark = |(kind, place, words): (_, &Place, _)| {
        let range = first_line(files.text(file), files.locate(place));
        Mark { kind, range, words }
    };
    here.map(mark).collect()
}

/// The whole lines from the first mark to the last.
fn lines(text: &str, marks: &[Mark<'_>]) -> Range<usize> {
    let from = marks.iter().map(|m| m.range.start).min().unwrap_or(0);
    let to = marks.iter().map(|m| m.range.end).max().unwrap_or(0);
    let start = text.get(..from).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    start..text.get(to..).and_then(|after| after.find('\n')).map_or(text.len(), |n| to + n)
}

/// The lines of one file that the diagnostic is about; only those are given to the renderer, which reads
/// all that it is given.
fn excerpt<'a>(marks: &[Mark<'a>], files: &'a Files, file: FileId) -> Snippet<'a, Annotation<'a>> {
    let range = lines(files.text(file), marks);
    let (line, _) = files.line_column(file, range.start);
    cut_out(marks, files.text(file), range).line_start(line).path(files.name(file))
}

fn cut_out<'a>(marks: &[Mark<'a>], text: &'a str, range: Range<usize>) -> Snippet<'a, Annotation<'a>> {
    let start = range.start;
    let source = text.get(range).unwrap_or("");
    let annotation = |mark: &Mark<'a>| {
        let inside = |at: usize| at.saturating_sub(start).min(source.len());
        let found = mark.kind.span(inside(mark.range.start)..inside(mark.range.end));
        if mark.words.is_empty() { found } else { found.label(mark.words) }
    };
    Snippet::source(source).annotations(marks.iter().map(annotation))
}

/// One mark without the others, which are far from it; of a very long line only what is around it.
fn far_excerpt<'a>(group: Group<'a>, mark: &Mark<'a>, files: &'a Files, file: FileId) -> Group<'a> {
    let text = files.text(file);
    let mark = std::slice::from_ref(mark);
    let whole = lines(text, mark);
    let Some(Mark { range, .. }) = mark.first().filter(|_| whole.len() > MAX_EXCERPT) else {
        return group.element(excerpt(mark, files, file));
    };
    let (line, column) = files.line_column(file, range.start);
    let from = boundary(text, range.start.saturating_sub(AROUND)).max(whole.start);
    let to = boundary(text, range.start + AROUND).min(whole.end);
    let origin = Origin::path(files.name(file)).line(line).char_column(column);
    group.element(origin).element(cut_out(mark, text, from..to).line_start(line))
}

/// The nearest start of a character at a byte or before it.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A range cut at the end of its first line, on character boundaries.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let (start, end) = (boundary(text, range.start), boundary(text, range.end.max(range.start)));
    let cut = text.get(start..end).and_then(|s| s.find(['\n', '\r']));
    start..cut.map_or(end, |n| start + n)
}

/// One diagnostic as a JSON object: `severity`, `code`, `message`, `file`, `line`, `column`, `endLine`,
/// `endColumn` (characters, from 1), `label`, `help`, `related`.
pub fn json(diagnostic: &Diagnostic, files: &Files) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut object = json!({ "severity": severity, "code": diagnostic.code.name(), "message": diagnostic.message });
    if let (Value::Object(into), Some(place)) = (&mut object, &diagnostic.place) {
        into.append(&mut position(place, files));
    }
    if let Value::Object(into) = &mut object {
        if !diagnostic.label.is_empty() {
            into.insert("label".into(), json!(diagnostic.label));
        }
        if !diagnostic.help.is_empty() {
            into.insert("help".into(), json!(diagnostic.help));
        }
        if !diagnostic.related.is_empty() {
            let related = diagnostic.related.iter().map(|(place, words)| {
                let mut at = position(place, files);
                at.insert("message".into(), json!(words));
                Value::Object(at)
            });
            into.insert("related".into(), related.collect());
        }
    }
    object
}

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Characters.
    Characters,
    /// UTF-16 code units, as editors' protocols have it.
    Utf16,
}

/// Where a diagnostic points, in lines and columns from 1; the end is behind the last character.
#[derive(Debug, Clone, Copy)]
pub struct Region {
    /// The line.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The line of the end: the same.
    pub end_line: usize,
    /// The column behind the last character.
    pub end_column: usize,
}

/// The first line of what a place means.
pub fn region(place: &Place, files: &Files, columns: Columns) -> Region {
    let file = place.span.file;
    let text = files.text(file);
    let range = first_line(text, files.locate(place));
    let at = |offset: usize| {
        let (line, column) = files.line_column(file, offset);
        match columns {
            Columns::Characters => (line, column),
            Columns::Utf16 => {
                let start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
                (line, text.get(start..offset).unwrap_or("").encode_utf16().count() + 1)
            }
        }
    };
    let ((line, column), (end_line, end_column)) = (at(range.start), at(range.end));
    Region { line, column, end_line, end_column }
}

fn position(place: &Place, files: &Files) -> serde_json::Map<String, Value> {
    let Region { line, column, end_line, end_column } = region(place, files, Columns::Characters);
    [
        ("file".to_owned(), json!(files.name(place.span.file))),
        ("line".to_owned(), json!(line)),
        ("column".to_owned(), json!(column)),
        ("endLine".to_owned(), json!(end_line)),
        ("endColumn".to_owned(), json!(end_column)),
    ]
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests;
