//! A spec as it was read, to be compiled once more: each test finds its sources as new, whatever was done before it and
//! whatever becomes of the files meanwhile.

use std::sync::Arc;

use super::import::Expanded;
use super::{Catalog, Loaded};
use crate::action::Trust;
use crate::action::source::Mode;
use crate::spec::Diagnostics;
use crate::spec::model::{Document, TestCase};
use crate::spec::read::Named;

/// What catalogs are compiled from, before anything was connected to.
#[derive(Debug)]
pub(super) struct Draft {
    /// All but the tests.
    spec: Expanded,
    tests: Named<TestCase>,
    trust: Trust,
}

impl Draft {
    pub(super) fn of(spec: &Expanded, trust: Trust) -> Draft {
        let document = Document { tests: Named::default(), ..spec.document.clone() };
        let tests = spec.document.tests.clone();
        Draft { spec: Expanded { document, known: spec.known.clone(), whole: spec.whole }, tests, trust }
    }
}

impl Loaded {
    /// The spec compiled once more, with new sources and this one test. Only what was loaded for tests has it.
    ///
    /// # Errors
    /// Words, if that is no longer possible: a database that has gone, say.
    pub async fn anew(&self, test: &str) -> Result<Arc<Catalog>, String> {
        let Some(draft) = &self.draft else { return Err("it was not read for tests".to_owned()) };
        let mut spec = draft.spec.clone();
        if let Some((name, written)) = draft.tests.iter().find(|(name, _)| name.value == test) {
            spec.document.tests.add(name.clone(), Some(written.clone()));
        }
        let (mut files, mut sink, mut inputs) = (self.files.clone(), Diagnostics::default(), Vec::new());
        let compiled =
            Catalog::compile(&mut spec, &mut files, Mode::Test, draft.trust, None, &mut sink, &mut inputs).await;
        let fault = sink.first_error().map(|found| found.message.clone());
        match (compiled, fault) {
            (Some(catalog), None) => {
                catalog.sources.settle(catalog.edition);
                Ok(Arc::new(catalog))
            }
            (_, fault) => Err(fault.unwrap_or_else(|| "it can't be used".to_owned())),
        }
    }
}
