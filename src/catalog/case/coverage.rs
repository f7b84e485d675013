//! What clients see and no test is about.

use std::collections::HashSet;

use super::Case;
use super::does::{Completed, Does};
use crate::catalog::{Catalog, Listed};

/// One thing that clients see.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Thing<'c> {
    Tool(&'c str),
    Resource(&'c str),
    Prompt(&'c str),
    Argument { prompt: &'c str, name: &'c str },
    Variable { template: &'c str, name: &'c str },
}

/// What clients see and no test of the spec is about, in words, in the order of the lists.
pub fn untested(catalog: &Catalog) -> Vec<String> {
    let tested: HashSet<Thing<'_>> = catalog.cases().iter().filter_map(|case| tried(case, catalog)).collect();
    let mut untested = Vec::new();
    let mut look = |thing: Thing<'_>, words: String| {
        if !tested.contains(&thing) {
            untested.push(words);
        }
    };
    for tool in catalog.tools() {
        let name = tool.listed.name.as_ref();
        look(Thing::Tool(name), format!("tool {name}"));
    }
    for resource in catalog.resources() {
        let uri = resource.uri();
        let kind = if matches!(resource.listed, Listed::Template(_)) { "template" } else { "resource" };
        look(Thing::Resource(uri), format!("{kind} {uri}"));
        for name in resource.completions() {
            look(Thing::Variable { template: uri, name }, format!("completion of {name} of template {uri}"));
        }
    }
    for prompt in catalog.prompts() {
        let of = prompt.listed.name.as_str();
        look(Thing::Prompt(of), format!("prompt {of}"));
        for name in prompt.completions() {
            look(Thing::Argument { prompt: of, name }, format!("completion of {name} of prompt {of}"));
        }
    }
    untested
}

/// What a test is about.
fn tried<'c>(case: &'c Case, catalog: &'c Catalog) -> Option<Thing<'c>> {
    match &case.does {
        Does::Call(name) => Some(Thing::Tool(name)),
        Does::Read(uri) => catalog.resource(uri).map(|(resource, _)| Thing::Resource(resource.uri())),
        Does::Prompt(name) => Some(Thing::Prompt(name)),
        Does::Complete { of: Completed::Prompt(prompt), argument: name, .. } => Some(Thing::Argument { prompt, name }),
        Does::Complete { of: Completed::Template(template), argument: name, .. } => {
            Some(Thing::Variable { template, name })
        }
        Does::LeftOut(_) => None,
    }
}
