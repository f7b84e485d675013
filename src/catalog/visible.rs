//! What clients see of a catalog, in a few bytes: who has been told something keeps these and not the catalog.

use std::hash::{DefaultHasher, Hasher};
use std::io;

use rmcp::model::Tool;
use serde::Serialize;

use super::{Listed, Prompt, Resource};

/// A digest of each list; the same for lists that look the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visible {
    tools: u64,
    resources: u64,
    prompts: u64,
}

/// The lists that look different: MCP's three `list_changed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangedLists {
    /// `tools/list`
    pub tools: bool,
    /// `resources/list` or `resources/templates/list`
    pub resources: bool,
    /// `prompts/list`
    pub prompts: bool,
}

impl Visible {
    /// Digests the lists. Their order counts, and what only runs differently does not.
    pub fn of<'c>(
        tools: impl Iterator<Item = &'c Tool>,
        resources: impl Iterator<Item = &'c Resource> + Clone,
        prompts: impl Iterator<Item = &'c Prompt>,
    ) -> Self {
        let mut all = Visible::default();
        let mut digest = Digest::default();
        tools.for_each(|tool| digest.add(tool));
        all.tools = digest.finish();
        // Two lists: how one is mixed with the other in the spec is not seen, but where a template's members stand is.
        resources.clone().for_each(|resource| match &resource.listed {
            Listed::Resource(resource) => digest.add(resource),
            Listed::Template(template) => {
                if let Some(members) = resource.members_edition() {
                    digest.add(&("members of", &template.uri_template, members));
                }
            }
        });
        resources.for_each(|resource| match &resource.listed {
            Listed::Resource(_) => {}
            Listed::Template(template) => digest.add(&("template", template)),
        });
        all.resources = digest.finish();
        prompts.for_each(|prompt| digest.add(&prompt.listed));
        all.prompts = digest.finish();
        all
    }

    /// The lists that look different in `new`.
    pub fn changed(self, new: Visible) -> ChangedLists {
        ChangedLists {
            tools: self.tools != new.tools,
            resources: self.resources != new.resources,
            prompts: self.prompts != new.prompts,
        }
    }
}

impl ChangedLists {
    /// Whether there is any.
    pub fn any(self) -> bool {
        self.tools || self.resources || self.prompts
    }
}

/// Hashes what is listed as its JSON, without ever holding that.
#[derive(Default)]
struct Digest(DefaultHasher);

impl Digest {
    fn add(&mut self, listed: &impl Serialize) {
        // Neither these types nor the hasher fail.
        let _ = serde_json::to_writer(&mut *self, listed);
    }

    /// The digest of all that was added since the last one.
    fn finish(&mut self) -> u64 {
        std::mem::take(&mut self.0).finish()
    }
}

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
