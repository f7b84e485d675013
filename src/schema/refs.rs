//! References of a schema: they stay inside it and lead somewhere. Circles are left to validation, which ends them.

use super::SchemaFault;
use super::keywords::near;
use super::pointer;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// What references can name.
pub struct Targets<'s> {
    root: &'s Value,
    anchors: HashSet<&'s str>,
    ids: Vec<&'s str>,
}

impl<'s> Targets<'s> {
    /// The targets in `root`, whose schemas (with their pointers) are `schemas`.
    pub fn new(root: &'s Value, schemas: &[(String, &'s Map<String, Value>)]) -> Self {
        let named =
            |keyword: &'static str| schemas.iter().filter_map(move |(_, s)| s.get(keyword).and_then(Value::as_str));
        let anchors = named("$anchor").chain(named("$dynamicAnchor")).collect();
        Targets { root, anchors, ids: named("$id").collect() }
    }

    /// What is wrong with the references of the schema at `at`.
    pub fn check(&self, at: &str, schema: &Map<String, Value>) -> Vec<SchemaFault> {
        let refs = ["$ref", "$dynamicRef"].into_iter().filter_map(|k| Some((k, schema.get(k)?.as_str()?)));
        refs.filter_map(|(keyword, target)| self.fault(pointer::join(at, keyword), target)).collect()
    }

    fn fault(&self, at: String, target: &str) -> Option<SchemaFault> {
        if target.contains(|c: char| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(c)) {
            let fault = SchemaFault::new(at, format!("`{}` is not a URI reference", target.escape_debug()));
            return Some(fault.help("write what a URI cannot hold as `%` and two digits, a space as `%20`"));
        }
        let Some(fragment) = target.strip_prefix('#') else {
            return self.is_outside(target).then(|| {
                let message = format!("`{target}` is outside this schema, and references are never fetched");
                SchemaFault::new(at, message).help("put it under `$defs` and refer to it as `#/$defs/name`")
            });
        };
        // a nested `$id` changes what `#` means: that is left to the compiler
        if fragment.is_empty() || !self.ids.is_empty() {
            return None;
        }
        let found = match fragment.starts_with('/') {
            true => pointer::from_fragment(fragment).is_some_and(|p| self.root.pointer(&p).is_some()),
            false => self.anchors.contains(fragment),
        };
        if found {
            return None;
        }
        let fault = SchemaFault::new(at, format!("`{target}` does not exist in this schema"));
        Some(match self.meant(fragment) {
            Some(meant) => fault.help(format!("did you mean `{meant}`?")),
            None => fault,
        })
    }

    fn is_outside(&self, target: &str) -> bool {
        if target.starts_with("https://json-schema.org/") || target.starts_with("http://json-schema.org/") {
            return false;
        }
        let document = target.split('#').next().unwrap_or(target);
        let same = |id: &&str| id.split('#').next() == Some(document) || id.ends_with(&format!("/{document}"));
        !self.ids.iter().any(same)
    }

    fn meant(&self, fragment: &str) -> Option<String> {
        let (parent, name) = fragment.rsplit_once('/')?;
        let siblings = |parent: &str| {
            let names = self.root.pointer(parent).and_then(Value::as_object);
            names.and_then(|names| near(name, names.keys().map(String::as_str)))
        };
        let lead = [parent, "/$defs", "/definitions"].into_iter().find_map(|p| Some((p, siblings(p)?)));
        lead.map(|(parent, name)| format!("#{}", pointer::join(parent, name)))
    }
}
