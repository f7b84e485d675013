//! The outcome as JUnit XML, which CI systems read: what Ant's schema of it asks for, and no more.

use std::fmt::Write;
use std::path::Path;

use quick_xml::escape::escape;

use super::report::{Outcome, Tally};

/// One `testsuite`, named after the spec.
pub fn xml(spec: &Path, tally: &Tally) -> String {
    let seconds: f64 = tally.0.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    let suite = text(&spec.display().to_string());
    let (count, failed, left_out) = (tally.0.len(), tally.failed(), tally.left_out());
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S");
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String does not fail.
    let _ = writeln!(
        xml,
        "<testsuite name=\"{suite}\" tests=\"{count}\" failures=\"{failed}\" errors=\"0\" skipped=\"{left_out}\" \
         time=\"{seconds:.3}\" timestamp=\"{now}\" hostname=\"localhost\">\n  <properties/>"
    );
    for outcome in &tally.0 {
        let (name, time, inside) = (text(&outcome.name), outcome.took.as_secs_f64(), inside(outcome));
        let _ =
            writeln!(xml, "  <testcase classname=\"{suite}\" name=\"{name}\" time=\"{time:.3}\">{inside}</testcase>");
    }
    xml.push_str("  <system-out/>\n  <system-err/>\n</testsuite>\n");
    xml
}

fn inside(outcome: &Outcome) -> String {
    if let Some(why) = &outcome.left_out {
        return format!("<skipped message=\"{}\"/>", text(why));
    }
    if outcome.faults.is_empty() {
        return String::new();
    }
    let said = text(&outcome.faults.join("\n"));
    format!("<failure type=\"failure\" message=\"{}\">{said}</failure>", text(&outcome.place))
}

/// A text for XML 1.0, without the characters that it can't have (section 2.2).
fn text(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\t' | '\r' => c,
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    escape(text.chars().map(plain).collect::<String>()).into_owned()
}
