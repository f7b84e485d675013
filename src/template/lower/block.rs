//! `{{#if}}`, `{{#unless}}`, `{{#each}}`, `{{#with}}`.

use std::ops::Range;

use handlebars::template::{BlockParam, HelperTemplate, Parameter, Template as Tree};
use serde_json::Value;

use super::Lower;
use crate::spec::Fault;
use crate::template::helper;
use crate::template::node::Node;
use crate::template::scope::{Scope, This};

impl Lower<'_> {
    /// Lowers a block whose opening tag has just been entered; its closing tag is left to the caller.
    pub(super) fn block(&mut self, block: &HelperTemplate, tag: Range<usize>) -> Option<Node> {
        let name = block.name.as_name().unwrap_or("");
        let range = self.find(name);
        if !helper::BLOCKS.contains(&name) {
            self.report(unknown_block(name, range));
            return self.unknown(block);
        }
        if block.params.len() != 1 {
            let message = format!("`{{{{#{name}}}}}` takes 1 value, not {}", block.params.len());
            self.report(Fault::new(range.clone(), message).help(format!("for example `{{{{#{name} x}}}}`")));
        }
        let subject = block.params.iter().map(|param| self.expr(param)).collect::<Vec<_>>();
        let subject = subject.into_iter().next().flatten();
        let zero_is_true = self.zero_is_true(name, block);
        let params = self.params(name, block, tag);
        match name {
            "if" | "unless" => {
                let then = self.body(block.template.as_ref());
                let otherwise = self.otherwise(block);
                let (then, otherwise) = if name == "if" { (then, otherwise) } else { (otherwise, then) };
                Some(Node::If { condition: subject?, zero_is_true, then, otherwise })
            }
            "each" => {
                let body = self.scoped(Scope { this: This::Item, looped: true, params }, block);
                let otherwise = self.otherwise(block);
                Some(Node::Each { over: subject?, body, otherwise })
            }
            _ => {
                let this = subject.as_ref().map_or(This::Item, |subject| self.scopes.inside(subject));
                let body = self.scoped(Scope { this, looped: self.scopes.looped(), params }, block);
                let otherwise = self.otherwise(block);
                Some(Node::With { this: subject?, body, otherwise })
            }
        }
    }

    fn scoped(&mut self, scope: Scope, block: &HelperTemplate) -> Vec<Node> {
        self.scopes.push(scope);
        let body = self.body(block.template.as_ref());
        self.scopes.pop();
        body
    }

    fn body(&mut self, tree: Option<&Tree>) -> Vec<Node> {
        tree.map(|tree| self.tree(tree)).unwrap_or_default()
    }

    /// Walks a block that nobody knows for the faults inside; what its names mean can't be told.
    fn unknown(&mut self, block: &HelperTemplate) -> Option<Node> {
        let params = names(block).map(str::to_owned).collect();
        self.scoped(Scope { this: This::Item, looped: true, params }, block);
        self.otherwise(block);
        None
    }

    /// `{{#if x includeZero=true}}` takes 0 for true.
    fn zero_is_true(&mut self, name: &str, block: &HelperTemplate) -> bool {
        let mut zero = false;
        for (key, value) in &block.hash {
            let range = self.setting(key);
            match (name, key.as_str(), value) {
                ("if" | "unless", "includeZero", Parameter::Literal(Value::Bool(b))) => zero = *b,
                ("if" | "unless", "includeZero", _) => {
                    self.fault(range, "`includeZero` is written `true` or `false`");
                }
                _ => self.fault(range, format!("`{{{{#{name}}}}}` has no setting `{key}`")),
            }
        }
        zero
    }

    /// The names behind `as`: item and index (or value and key) of `each`, the value of `with`.
    fn params(&mut self, name: &str, block: &HelperTemplate, tag: Range<usize>) -> Vec<String> {
        let params: Vec<String> = names(block).map(str::to_owned).collect();
        let allowed = match name {
            "each" => 2,
            "with" => 1,
            _ => 0,
        };
        if params.len() > allowed {
            let most = if allowed == 0 { "no names" } else { "one name" };
            self.fault(tag, format!("`{{{{#{name}}}}}` takes {most} behind `as`"));
        }
        params
    }
}

fn names(block: &HelperTemplate) -> impl Iterator<Item = &str> {
    let (first, second) = match &block.block_param {
        Some(BlockParam::Single(name)) => (Some(name), None),
        Some(BlockParam::Pair((first, second))) => (Some(first), Some(second)),
        _ => (None, None),
    };
    first.into_iter().chain(second).filter_map(Parameter::as_name)
}

fn unknown_block(name: &str, range: Range<usize>) -> Fault {
    if helper::named(name).is_some() {
        return Fault::new(range, format!("`{name}` is a helper, not a block"))
            .help(format!("write `{{{{{name} …}}}}`, or `{{{{#if ({name} …)}}}}`"));
    }
    let help = match helper::nearest(name).filter(|near| helper::BLOCKS.contains(near)) {
        Some(near) => format!("did you mean `{{{{#{near}}}}}`?"),
        None => format!("for a value write `{{{{#each {name}}}}}`, `{{{{#if {name}}}}}` or `{{{{#with {name}}}}}`"),
    };
    Fault::new(range, format!("unknown block `{{{{#{name}}}}}`: there are if, unless, each and with")).help(help)
}
