//! `{{> name}}`: a partial's pieces are put in at its place, with the names of that place.

use std::ops::Range;

use handlebars::template::{DecoratorTemplate, Parameter};

use super::{Lower, Source, push_text};
use crate::spec::{Fault, nearest};
use crate::template::node::Node;
use crate::template::parse::Parsed;
use crate::template::scope::Scope;

impl<'a> Lower<'a> {
    pub(super) fn partial(&mut self, call: &DecoratorTemplate, tag: Range<usize>, nodes: &mut Vec<Node>) {
        let Some(name) = partial_name(&call.name) else {
            return self.fault(tag, "the name of a partial has to be written out");
        };
        let Some(parsed) = self.partials.get(name) else {
            return self.report(self.missing(name, tag));
        };
        if let Some(at) = self.including.iter().position(|n| n == name) {
            let way = self.including.get(at..).unwrap_or_default().join("` → `");
            return self.fault(tag, format!("the partial includes itself: `{way}` → `{name}`"));
        }
        if call.params.len() > 1 {
            self.fault(tag.clone(), format!("a partial takes 1 value at most, not {}", call.params.len()));
        }
        let this = call.params.first().map(|param| self.expr(param));
        let mut given: Vec<_> = call.hash.iter().collect();
        given.sort_by_key(|(key, _)| key.as_str());
        let (keys, params): (Vec<_>, Vec<_>) = given
            .into_iter()
            .map(|(key, value)| {
                self.setting(key);
                (key.clone(), self.expr(value))
            })
            .unzip();
        let inside = match &this {
            Some(Some(expr)) => self.scopes.inside(expr),
            _ => self.scopes.this(),
        };
        self.scopes.push(Scope { this: inside, looped: self.scopes.looped(), params: keys });
        let body = self.inside_partial(name, parsed, tag);
        self.scopes.pop();
        if let [Node::Text(text)] = body.as_slice() {
            return push_text(nodes, text);
        }
        let params = params.into_iter().collect::<Option<Vec<_>>>();
        if let (Some(params), Some(this)) = (params, this.map_or(Some(None), |this| this.map(Some))) {
            nodes.push(Node::Partial { this, params, body });
        }
    }

    fn inside_partial(&mut self, name: &str, parsed: &'a Parsed, tag: Range<usize>) -> Vec<Node> {
        let outermost = self.via.is_none();
        if outermost {
            self.via = Some((tag, name.to_owned()));
        }
        let source = std::mem::replace(&mut self.source, Source { parsed, next: 0, words: None });
        let floor = self.scopes.close();
        self.including.push(name.to_owned());
        let body = self.tree(&parsed.tree);
        self.including.pop();
        self.scopes.reopen(floor);
        self.source = source;
        if outermost {
            self.via = None;
        }
        body
    }

    fn missing(&self, name: &str, tag: Range<usize>) -> Fault {
        if name == "@partial-block" {
            return Fault::new(tag, "partial blocks are not supported");
        }
        let fault = Fault::new(tag, format!("there is no partial `{name}`"));
        fault.help(match nearest(name, self.partials.names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "partials are declared under `partials:`".to_owned(),
        })
    }
}

fn partial_name(name: &Parameter) -> Option<&str> {
    match name {
        Parameter::Subexpression(_) | Parameter::Literal(_) => None,
        name => name.as_name(),
    }
}
