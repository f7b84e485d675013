//! What clients see change between two catalogs.

use super::Catalog;

/// The lists whose visible content differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// `tools/list`
    pub tools: bool,
    /// `resources/list` or `resources/templates/list`
    pub resources: bool,
    /// `prompts/list`
    pub prompts: bool,
}

impl Changes {
    /// Compares what the two list. What only runs differently is no change.
    pub fn between(old: &Catalog, new: &Catalog) -> Self {
        Changes {
            tools: !old.tools().map(|t| &t.listed).eq(new.tools().map(|t| &t.listed)),
            resources: !old.resources().map(|r| &r.listed).eq(new.resources().map(|r| &r.listed)),
            prompts: !old.prompts().map(|p| &p.listed).eq(new.prompts().map(|p| &p.listed)),
        }
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.tools || self.resources || self.prompts
    }
}
