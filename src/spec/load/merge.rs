//! Several files as one spec.

use std::collections::HashMap;

use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::{Entry, Kind, Node};
use crate::spec::read::refuse;
use crate::spec::source::Span;

/// Sections in which several files may define names.
const SHARED: [&str; 7] = ["sources", "partials", "tools", "resources", "prompts", "files", "tests"];
/// Lists to which several files may add.
const LISTS: [&str; 1] = ["import"];

/// Adds the sections of `part` to those of `whole`. A name, and a section that is not shared, may be defined
/// once in all.
pub fn merge(whole: &mut Node, part: Node, sink: &mut Diagnostics) {
    let more = match part.kind {
        Kind::Map(more) => more,
        Kind::Null | Kind::Fault => return,
        _ => return refuse(&part, "a map with the keys of a spec", sink, |found| found),
    };
    let Kind::Map(sections) = &mut whole.kind else { return };
    for section in more {
        let name = section.key.value.as_str();
        if ["include", "promptFiles"].contains(&name) || name.starts_with("x-") {
            continue;
        }
        let Some(existing) = sections.iter_mut().find(|e| e.key.value == name) else {
            sections.push(section);
            continue;
        };
        if name == "mcpDeclare" && existing.value.to_json() == section.value.to_json() {
            continue;
        }
        if let (true, Kind::List(all), Kind::List(more)) =
            (LISTS.contains(&name), &mut existing.value.kind, &section.value.kind)
        {
            all.extend(more.iter().cloned());
            continue;
        }
        if !SHARED.contains(&name) {
            sink.push(crate::spec::yaml::duplicate(&section.key, Some(existing.key.span)));
            continue;
        }
        merge_section(existing, section, sink);
    }
}

fn merge_section(existing: &mut Entry, section: Entry, sink: &mut Diagnostics) {
    for node in [&existing.value, &section.value] {
        if !matches!(node.kind, Kind::Map(_) | Kind::Null) {
            refuse(node, "a map from names to values", sink, |found| found);
        }
    }
    match (&mut existing.value.kind, section.value.kind) {
        (Kind::Map(entries), Kind::Map(added)) => add(entries, added, sink),
        (Kind::Map(_), _) => {}
        (kind, added @ Kind::Map(_)) => *kind = added,
        (kind, _) => *kind = Kind::Null,
    }
}

fn add(entries: &mut Vec<Entry>, added: Vec<Entry>, sink: &mut Diagnostics) {
    let known: HashMap<String, Span> = entries.iter().map(|e| (e.key.value.clone(), e.key.span)).collect();
    for entry in added {
        match known.get(&entry.key.value) {
            Some(first) => sink.push(crate::spec::yaml::duplicate(&entry.key, Some(*first))),
            None => entries.push(entry),
        }
    }
}
