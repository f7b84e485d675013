//! Tools that write and say nothing of it: clients ask before a destructive call, if they know that it is one.

use super::Subject;
use crate::spec::{Code, Diagnostic, Diagnostics, Node};

/// Actions whose effect is known from what is written.
const WRITERS: [&str; 4] = ["sql", "http", "write", "edit"];

pub fn lint(subject: &Subject<'_>, sink: &mut Diagnostics) {
    for entry in subject.section("tools") {
        let Some(action) = WRITERS.iter().find_map(|key| entry.value.get(key)) else { continue };
        let listed = subject.catalog.tool(&entry.key.value).and_then(|tool| tool.listed.annotations.as_ref());
        let writes = listed.is_some_and(|hints| hints.read_only_hint == Some(false));
        // What a statement destroys is known; to add rows destroys nothing.
        let harmless = listed.is_some_and(|hints| hints.destructive_hint == Some(false));
        if writes && !harmless && !is_marked(&entry.value) {
            let words =
                format!("tool `{}` writes, and neither says whether it destroys nor asks first", entry.key.value);
            let found = Diagnostic::warning(Code::UnmarkedWrite, entry.key.span, words);
            let found = found.related(action.key.span, "this writes");
            sink.push(found.help("add `annotations: { destructiveHint: … }`, or `confirm: …` to ask the user first"));
        }
    }
}

/// Whether the author has said what it does.
fn is_marked(tool: &Node) -> bool {
    let hints = tool.get("annotations").map(|entry| &entry.value);
    let said = |key: &str| hints.is_some_and(|hints| hints.get(key).is_some());
    tool.get("confirm").is_some() || said("destructiveHint") || said("readOnlyHint")
}
