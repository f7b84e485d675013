use super::*;
use crate::spec::{Code, Span};

fn files(content: &str) -> (Files, FileId) {
    let mut files = Files::default();
    let file = files.add("spec.yaml", "spec.yaml", content.to_owned());
    (files, file)
}

/// The text of a diagnostic at the first `at`, and related to the first `related`.
fn shown(content: &str, at: &str, related: Option<&str>) -> String {
    let (files, file) = files(content);
    let span = |part: &str| {
        let start = content.find(part).unwrap();
        Span::new(file, start..start + part.len())
    };
    let mut found = Diagnostic::error(Code::BadValue, span(at), "something is wrong").label("mend it");
    if let Some(related) = related {
        found = found.related(span(related), "because of this");
    }
    text(&found, &files, false)
}

#[test]
fn shows_the_line_and_marks_it() {
    assert_eq!(
        shown("a: 1\nb: two\n", "two", None),
        "error[bad-value]: something is wrong\n --> spec.yaml:2:4\n  |\n2 | b: two\n  |    ^^^ mend it\n\n"
    );
}

#[test]
fn shows_two_places_that_are_far_apart() {
    let content = format!("first: 1\n{}second: 2\n", "between: 0\n".repeat(100_000));
    let words = shown(&content, "second", Some("first"));
    assert!(words.contains(" --> spec.yaml:100002:1\n"), "{words}");
    assert!(words.contains("second: 2\n"), "{words}");
    assert!(words.contains("spec.yaml:1:1\n"), "{words}");
    assert!(words.contains("----- because of this"), "{words}");
    assert!(words.len() < 500, "{words}");
}

#[test]
fn shows_what_is_around_a_mark_in_a_very_long_line() {
    let content = format!("a: 1\nb: {}here{}\n", "ü".repeat(50_000), "ö".repeat(50_000));
    let words = shown(&content, "here", None);
    assert!(words.contains(" --> spec.yaml:2:50004\n"), "{words}");
    assert!(words.contains("üüüühereöööö"), "{words}");
    assert!(words.contains("^^^^ mend it"), "{words}");
    assert!(words.len() < 1000 && !words.contains(":::"), "{} bytes: {words}", words.len());
}

#[test]
fn takes_any_span_without_panic() {
    let (files, file) = files("ü: 1\r\n\tb: 2");
    for start in 0..20 {
        for end in 0..20 {
            let found = Diagnostic::error(Code::BadValue, Span::new(file, start..end), "x").label("y");
            text(&found, &files, false);
            json(&found, &files);
        }
    }
    text(&Diagnostic::nowhere(Code::Unreadable, "x"), &files, false);
}
