//! Names of prompts that some clients can't take. A tool's name is checked where the tool is compiled.

use super::Subject;
use crate::spec::{Code, Diagnostic, Diagnostics};

/// Characters that MCP gives a tool's name at most; clients hold prompts to the same.
const MAX_NAME: usize = 128;

pub fn lint(subject: &Subject<'_>, sink: &mut Diagnostics) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for entry in subject.section("prompts") {
        let name = &entry.key;
        if name.value.len() > MAX_NAME || !name.value.chars().all(allowed) {
            let words = format!("not every client can show a prompt named `{}`", name.value);
            let found = Diagnostic::warning(Code::OddName, name.span, words);
            let label = format!("1 to {MAX_NAME} letters, digits, `_`, `-` or `.`; `title` is for people");
            sink.push(found.label(label));
        }
    }
}
