//! The outcome as JUnit XML, which CI systems read.

use std::fmt::Write;
use std::path::Path;

use quick_xml::escape::escape;

use super::report::Tally;

/// One `testsuite`, named after the spec.
pub fn xml(spec: &Path, tally: &Tally) -> String {
    let seconds: f64 = tally.0.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let suite = spec.display().to_string();
    let (count, failed) = (tally.0.len(), tally.failed());
    // Writing to a String does not fail.
    let _ = writeln!(
        xml,
        "<testsuite name=\"{}\" tests=\"{count}\" failures=\"{failed}\" time=\"{seconds:.3}\">",
        escape(&suite)
    );
    for outcome in &tally.0 {
        let (name, place, time) = (escape(&outcome.name), escape(&outcome.place), outcome.took.as_secs_f64());
        let _ = write!(xml, "  <testcase classname=\"{}\" name=\"{name}\" time=\"{time:.3}\"", escape(&suite));
        if outcome.faults.is_empty() {
            xml.push_str("/>\n");
            continue;
        }
        let said = printable(&outcome.faults.join("\n"));
        let _ = writeln!(xml, ">\n    <failure message=\"{place}\">{}</failure>\n  </testcase>", escape(&said));
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Without the control characters that XML 1.0 can't have (section 2.2).
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t' | '\r') { '\u{fffd}' } else { c }).collect()
}
