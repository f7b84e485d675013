//! In which order tools are compiled: one that another calls comes first.

use indexmap::IndexMap;

use crate::spec::model::{Document, Str, Tool};
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

/// The tools, each behind those that it calls. A circle is reported, and its tools are left out.
pub fn by_calls<'d>(document: &'d Document, sink: &mut Diagnostics) -> Vec<(&'d Spanned<String>, &'d Tool)> {
    let tools: IndexMap<&str, (&Spanned<String>, &Tool)> =
        document.tools.iter().map(|(name, tool)| (name.value.as_str(), (name, tool))).collect();
    let mut walk = Walk { tools, done: IndexMap::new(), under_way: Vec::new(), sink };
    for (name, _) in document.tools.iter() {
        walk.visit(&name.value);
    }
    let Walk { tools, done, .. } = walk;
    done.into_iter().filter(|(_, sound)| *sound).filter_map(|(name, _)| tools.get(name).copied()).collect()
}

struct Walk<'d, 's> {
    tools: IndexMap<&'d str, (&'d Spanned<String>, &'d Tool)>,
    /// In order, and whether it can be compiled.
    done: IndexMap<&'d str, bool>,
    under_way: Vec<&'d str>,
    sink: &'s mut Diagnostics,
}

impl<'d> Walk<'d, '_> {
    /// Puts a tool behind those that it calls; false if it leads back to one that is under way.
    fn visit(&mut self, name: &'d str) -> bool {
        if let Some(sound) = self.done.get(name) {
            return *sound;
        }
        let Some((_, tool)) = self.tools.get(name).copied() else { return true };
        self.under_way.push(name);
        let mut sound = true;
        for called in tool.action.as_ref().map(|action| action.calls()).unwrap_or_default() {
            sound &= match self.under_way.iter().position(|open| *open == called.value) {
                Some(start) => {
                    self.circle(start, called);
                    false
                }
                None => self.visit(&called.value),
            };
        }
        self.under_way.pop();
        self.done.insert(name, sound);
        sound
    }

    fn circle(&mut self, start: usize, called: &Str) {
        let way: Vec<&str> = self.under_way.iter().skip(start).copied().chain([called.value.as_str()]).collect();
        let words = match way.as_slice() {
            [name, _] => format!("tool `{name}` calls itself"),
            _ => format!("tools call each other in a circle: {}", way.join(" → ")),
        };
        let found = Diagnostic::error(Code::BadValue, called.span, words).label("a call that would never end");
        let first = self.tools.get(called.value.as_str()).map(|(name, _)| name.span);
        self.sink.push(match first {
            Some(first) => found.related(first, "leads back to here"),
            None => found,
        });
    }
}
