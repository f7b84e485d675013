//! Lints: what is no mistake, and what the author should look at before others use the spec. They are told by `check`
//! alone, and only of a spec without errors: faults first, and no noise at each start and reload.

pub mod allow;
mod descriptions;
mod hidden;
pub mod made;
mod names;
pub mod secrets;
mod suspicious;
mod uses;
mod walk;
mod writes;

use super::{Catalog, Loaded};
use crate::spec::node::Entry;
use crate::spec::{Diagnostics, Node};

/// What a lint looks at.
struct Subject<'s> {
    /// The tree as written, includes and all; what an import stands for is not in it.
    root: &'s Node,
    /// What became of it.
    catalog: &'s Catalog,
    /// What imports and the like bring.
    made: &'s [made::Made],
    /// The texts of files that the spec names, such as statements.
    others: Vec<&'s str>,
}

impl<'s> Subject<'s> {
    /// The entries of one of the spec's sections, such as `tools`.
    fn section(&self, key: &str) -> &'s [Entry] {
        entries(self.root, key).1
    }
}

/// The entries that matter below a key of a map: not those that are ignored.
fn entries<'n>(node: &'n Node, key: &str) -> (&'n Node, &'n [Entry]) {
    node.get(key).map_or((node, &[]), |entry| (&entry.value, entry.value.entries()))
}

/// Every lint, in the order in which `docs/errors.md` has their codes.
const LINTS: [fn(&Subject<'_>, &mut Diagnostics); 7] =
    [descriptions::lint, names::lint, uses::lint, hidden::lint, suspicious::lint, writes::lint, made::lint];

impl Loaded {
    /// Adds what lints find, unless there are errors, and what is wrong with the comments that allow warnings.
    pub fn lint(&mut self) {
        if let (Some(catalog), Some(root)) = (&self.catalog, &self.root) {
            let others = self.files.others().collect();
            let subject = Subject { root, catalog, made: &self.made, others };
            LINTS.iter().for_each(|lint| lint(&subject, &mut self.diagnostics));
            secrets::lint(&self.secrets, &mut self.diagnostics);
        }
        self.allows.apply(&mut self.diagnostics, &self.files);
        self.allows.judge(&mut self.diagnostics, self.catalog.is_some());
    }
}
