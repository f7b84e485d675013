//! What clients would see change from one catalog to another, entry by entry: for people. Who only has to know
//! which list to fetch again compares [`Visible`](super::Visible).

pub(super) mod fields;

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::lock::{LISTS, Lock};
use super::{Catalog, Listed};

/// What changed: the server, then tools, prompts, resources and templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

/// One thing that changed; displayed as one line: `~ tool find: description`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    kind: &'static str,
    /// A tool's or prompt's name, or a URI; none for the server and for a whole list.
    name: Option<String>,
    how: How,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum How {
    Added,
    Removed,
    /// These of its fields.
    Changed(Vec<String>),
}

impl Changes {
    /// Compares what the two show. What only runs differently is no change.
    pub fn between(old: &Catalog, new: &Catalog) -> Self {
        let mut all = Vec::new();
        if (&old.server, &old.instructions) != (&new.server, &new.instructions) {
            all.extend(Change::of("server", None, fields::changed(&server(old), &server(new))));
        }
        let changed = old.visible.changed(new.visible);
        let searched = [old, new].map(|catalog| catalog.search().is_some());
        if let [true, false] | [false, true] = searched {
            all.extend(Change::of("tool", None, vec!["toolMode".to_owned()]));
        }
        // Who searches tools sees them too, one by one.
        if changed.tools || searched.contains(&true) {
            let named = |catalog| Catalog::tools(catalog).map(|tool| (tool.listed.name.as_ref(), &tool.listed));
            compare("tool", named(old), named(new), &mut all);
        }
        if changed.prompts {
            let named = |catalog| Catalog::prompts(catalog).map(|prompt| (prompt.listed.name.as_str(), &prompt.listed));
            compare("prompt", named(old), named(new), &mut all);
        }
        if changed.resources {
            compare("resource", resources(old), resources(new), &mut all);
            compare("template", templates(old), templates(new), &mut all);
        }
        Changes(all)
    }

    /// Compares what was locked with what would be locked now.
    pub(super) fn of_locks(old: &Lock, new: &Lock) -> Self {
        let mut all = Vec::new();
        all.extend(Change::of("server", None, fields::changed(old.server(), new.server())));
        for (kind, list) in LISTS {
            compare(kind, old.list(list), new.list(list), &mut all);
        }
        Changes(all)
    }

    /// One after another.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.0.iter()
    }

    /// Whether clients see the same.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub(super) fn server(catalog: &Catalog) -> Value {
    let mut server = json!(catalog.server);
    if let (Value::Object(server), Some(instructions)) = (&mut server, &catalog.instructions) {
        server.insert("instructions".to_owned(), json!(instructions));
    }
    server
}

pub(super) fn resources(catalog: &Catalog) -> impl Iterator<Item = (&str, &rmcp::model::Resource)> {
    catalog.resources().filter_map(|resource| match &resource.listed {
        Listed::Resource(listed) => Some((listed.uri.as_str(), listed)),
        Listed::Template(_) => None,
    })
}

pub(super) fn templates(catalog: &Catalog) -> impl Iterator<Item = (&str, Template<'_>)> {
    catalog.resources().filter_map(|resource| match &resource.listed {
        Listed::Template(listed) => {
            Some((listed.uri_template.as_str(), Template { listed, members: resource.members_edition() }))
        }
        Listed::Resource(_) => None,
    })
}

/// A template, and its members in the list of resources.
#[derive(Clone, Copy, PartialEq, Serialize)]
pub(super) struct Template<'c> {
    #[serde(flatten)]
    pub(super) listed: &'c rmcp::model::ResourceTemplate,
    /// Which files its members are, if it has members.
    members: Option<u64>,
}

/// Compares two lists whose entries have names: what is new or different in the order of the new one, then what is
/// gone, then whether what both have stands in another order.
fn compare<'c, T: Serialize + PartialEq + Copy>(
    kind: &'static str,
    old: impl Iterator<Item = (&'c str, T)>,
    new: impl Iterator<Item = (&'c str, T)>,
    all: &mut Vec<Change>,
) {
    let (old, new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
    let (before, after): (HashMap<_, _>, HashMap<_, _>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    for (name, listed) in &new {
        match before.get(name) {
            None => all.push(Change { kind, name: Some((*name).to_owned()), how: How::Added }),
            Some(was) if was == listed => {}
            Some(was) => all.extend(Change::of(kind, Some(name), fields::changed(&json!(was), &json!(listed)))),
        }
    }
    let gone = old.iter().filter(|(name, _)| !after.contains_key(name));
    all.extend(gone.map(|(name, _)| Change { kind, name: Some((*name).to_owned()), how: How::Removed }));
    let stayed = old.iter().filter(|(name, _)| after.contains_key(name)).map(|(name, _)| name);
    if !stayed.eq(new.iter().filter(|(name, _)| before.contains_key(name)).map(|(name, _)| name)) {
        all.extend(Change::of(kind, None, vec!["order".to_owned()]));
    }
}

impl Change {
    fn of(kind: &'static str, name: Option<&str>, fields: Vec<String>) -> Option<Change> {
        let name = name.map(str::to_owned);
        (!fields.is_empty()).then_some(Change { kind, name, how: How::Changed(fields) })
    }
}

/// Fields that a line names; it counts the others.
const NAMED: usize = 12;

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match &self.how {
            How::Added => '+',
            How::Removed => '-',
            How::Changed(_) => '~',
        };
        write!(f, "{sign} {}", self.kind)?;
        match (&self.name, self.kind) {
            (Some(name), _) => write!(f, " {}", plain(name))?,
            (None, "server") => {}
            (None, _) => f.write_str("s")?,
        }
        if let How::Changed(fields) = &self.how {
            let named: Vec<String> = fields.iter().take(NAMED).map(|field| plain(field)).collect();
            write!(f, ": {}", named.join(", "))?;
            if fields.len() > NAMED {
                write!(f, " and {} more", fields.len() - NAMED)?;
            }
        }
        Ok(())
    }
}

/// A name without what would break its line, or move a terminal's cursor.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
