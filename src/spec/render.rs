//! Diagnostics as a person reads them, and as a program does.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Severity};
use super::source::{FileId, Files, Place};

/// One diagnostic in the form that compilers use, ending with an empty line; coloured if `styled`.
pub fn text(diagnostic: &Diagnostic, files: &Files, styled: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.name());
    let mut group = Group::with_title(title);
    for file in involved(diagnostic) {
        group = group.element(excerpt(diagnostic, files, file));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    format!("{}\n\n", renderer.render(&[group]))
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

/// The lines of one file that the diagnostic is about; only those are given to the renderer, which reads
/// all that it is given.
fn excerpt<'a>(
    diagnostic: &'a Diagnostic,
    files: &'a Files,
    file: FileId,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let whole = files.text(file);
    let primary = diagnostic.place.iter().map(|p| (AnnotationKind::Primary, p, diagnostic.label.as_str()));
    let related = diagnostic.related.iter().map(|(p, words)| (AnnotationKind::Context, p, words.as_str()));
    let marks: Vec<_> = primary
        .chain(related)
        .filter(|(_, place, _)| place.span.file == file)
        .map(|(kind, place, words)| (kind, first_line(whole, files.locate(place)), words))
        .collect();
    let from = marks.iter().map(|(_, range, _)| range.start).min().unwrap_or(0);
    let to = marks.iter().map(|(_, range, _)| range.end).max().unwrap_or(0);
    let from = whole.get(..from).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    let to = whole.get(to..).and_then(|after| after.find('\n')).map_or(whole.len(), |n| to + n);
    let (line, _) = files.line_column(file, from);
    let mut snippet = Snippet::source(whole.get(from..to).unwrap_or("")).line_start(line).path(files.name(file));
    for (kind, range, words) in marks {
        let mut mark = kind.span(range.start - from..range.end - from);
        if !words.is_empty() {
            mark = mark.label(words);
        }
        snippet = snippet.annotation(mark);
    }
    snippet
}

/// A range cut at the end of its first line, on character boundaries.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (boundary(range.start), boundary(range.end.max(range.start)));
    let cut = text.get(start..end).and_then(|s| s.find(['\n', '\r']));
    start..cut.map_or(end, |n| start + n)
}

/// One diagnostic as a JSON object: `severity`, `code`, `message`, `file`, `line`, `column`, `endLine`,
/// `endColumn` (characters, from 1), `label`, `help`, `related`.
pub fn json(diagnostic: &Diagnostic, files: &Files) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
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

fn position(place: &Place, files: &Files) -> serde_json::Map<String, Value> {
    let file = place.span.file;
    let range = first_line(files.text(file), files.locate(place));
    let (line, column) = files.line_column(file, range.start);
    let (end_line, end_column) = files.line_column(file, range.end);
    [
        ("file".to_owned(), json!(files.name(file))),
        ("line".to_owned(), json!(line)),
        ("column".to_owned(), json!(column)),
        ("endLine".to_owned(), json!(end_line)),
        ("endColumn".to_owned(), json!(end_column)),
    ]
    .into_iter()
    .collect()
}
