//! Named pieces of templates.

use std::collections::BTreeMap;

use super::lower::lower;
use super::parse::{Parsed, parse};
use super::scope::Scopes;
use crate::spec::Fault;

/// Named fragments for `{{> name}}`. A fragment sees the names of the place that it is put in; `../` doesn't lead out
/// of it.
#[derive(Debug, Clone, Default)]
pub struct Partials(BTreeMap<String, Parsed>);

impl Partials {
    /// Adds the fragment `name`, in place of one that had this name.
    ///
    /// # Errors
    /// The first fault of the text's syntax. What depends on the place (unknown names, `@index` outside of a loop) is
    /// found by compiling a template that puts it in.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        let first = |faults: Vec<Fault>| faults.into_iter().next();
        match parse(text) {
            Ok(parsed) => {
                self.0.insert(name.to_owned(), parsed);
                Ok(())
            }
            Err(faults) => Err(first(faults).unwrap_or_else(|| Fault::new(0..0, "this fragment can't be read"))),
        }
    }

    /// What is wrong with the fragments wherever they are put in, each fault with its fragment's name and its range
    /// there. A template that puts a faulty fragment in reports the same at the place where it does.
    pub fn check(&self) -> Vec<(&str, Fault)> {
        let faults = |parsed| lower(parsed, self, Scopes::anywhere()).err().unwrap_or_default();
        self.0.iter().flat_map(|(name, parsed)| faults(parsed).into_iter().map(move |f| (name.as_str(), f))).collect()
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Parsed> {
        self.0.get(name)
    }
}
