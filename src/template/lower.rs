//! Syntax tree → compiled pieces: every name gets its place, every helper its arguments, every mistake its report.

use std::ops::Range;

use handlebars::Path;
use handlebars::template::{HelperTemplate, Parameter, Template as Tree, TemplateElement};

use super::node::{Expr, Node};
use super::parse::{Parsed, Words};
use super::partials::Partials;
use super::scope::Scopes;
use super::tags::{Kind, Tag};
use super::{Name, scope};
use crate::spec::Fault;

mod block;
mod call;
mod partial;

/// Elements and KiB of text that a template may come to with its partials put in.
const MAX_SIZE: usize = 100_000;
/// How deep blocks and partials may nest together; rendering goes as deep.
const MAX_NESTING: usize = 64;

/// What a text comes to.
pub(super) struct Lowered {
    pub nodes: Vec<Node>,
    pub names: Vec<Name>,
}

/// Gives `parsed`, which stands in `scopes`, its meaning, or tells all that is wrong with it.
pub(super) fn lower(parsed: &Parsed, partials: &Partials, scopes: Scopes) -> Result<Lowered, Vec<Fault>> {
    let mut lower = Lower {
        partials,
        source: Source { parsed, next: 0, words: None },
        via: None,
        including: Vec::new(),
        scopes,
        size: 0,
        depth: 0,
        names: Vec::new(),
        faults: Vec::new(),
    };
    let nodes = lower.tree(&parsed.tree);
    let Lower { mut names, mut faults, .. } = lower;
    if faults.is_empty() {
        names.sort_by(|a: &Name, b| (a.range.start, &a.name).cmp(&(b.range.start, &b.name)));
        names.dedup();
        return Ok(Lowered { nodes, names });
    }
    faults.sort_by(|a, b| (a.range.start, &a.message).cmp(&(b.range.start, &b.message)));
    faults.dedup();
    Err(faults)
}

/// The text being walked.
struct Source<'a> {
    parsed: &'a Parsed,
    /// Index of the tag that the next element stands in.
    next: usize,
    words: Option<Words>,
}

struct Lower<'a> {
    partials: &'a Partials,
    source: Source<'a>,
    /// Inside a partial: the outermost `{{> name}}`, where all that concerns it is reported.
    via: Option<(Range<usize>, String)>,
    including: Vec<String>,
    scopes: Scopes,
    size: usize,
    depth: usize,
    names: Vec<Name>,
    faults: Vec<Fault>,
}

impl<'a> Lower<'a> {
    /// Goes to the next tag, in which the element at hand stands.
    fn enter_tag(&mut self) -> Range<usize> {
        let tag = self.source.parsed.tags.get(self.source.next);
        self.source.next += 1;
        self.source.words = tag.map(|tag| Words::of(self.source.parsed, tag));
        tag.map_or(0..0, |tag| tag.range.clone())
    }

    fn next_tag(&self) -> Option<&'a Tag> {
        self.source.parsed.tags.get(self.source.next)
    }

    /// The place of the next `word` in the tag.
    fn find(&mut self, word: &str) -> Range<usize> {
        self.source.words.as_mut().map_or(0..0, |words| words.next(word))
    }

    fn fault(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.report(Fault::new(range, message));
    }

    fn report(&mut self, mut fault: Fault) {
        if let Some((range, name)) = &self.via {
            fault.range = range.clone();
            fault.message = format!("in the partial `{name}`: {}", fault.message);
        }
        self.faults.push(fault);
    }

    fn tree(&mut self, tree: &Tree) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(tree.elements.len());
        self.depth += 1;
        if self.depth > MAX_NESTING {
            self.fault(0..0, format!("blocks and partials nest deeper than {MAX_NESTING} in all"));
            // Ends the walk: what would follow is out of step with the tags.
            self.size = MAX_SIZE + 1;
        }
        for element in &tree.elements {
            if !self.grow(1) {
                break;
            }
            self.element(element, &mut nodes);
        }
        self.depth -= 1;
        nodes
    }

    /// Whether the template may still grow; the first time that it may not is a fault.
    fn grow(&mut self, by: usize) -> bool {
        let fits = self.size <= MAX_SIZE;
        self.size += by;
        if fits && self.size > MAX_SIZE {
            self.fault(0..0, "the template is too large with its partials put in");
        }
        self.size <= MAX_SIZE
    }

    fn element(&mut self, element: &TemplateElement, nodes: &mut Vec<Node>) {
        match element {
            TemplateElement::RawString(text) if text.is_empty() => {}
            TemplateElement::RawString(text) => {
                self.grow(text.len() / 1024);
                push_text(nodes, text);
            }
            TemplateElement::Comment(_) => drop(self.enter_tag()),
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                self.enter_tag();
                nodes.extend(self.shown(call).map(Node::Show));
            }
            TemplateElement::HelperBlock(block) => {
                let range = self.enter_tag();
                nodes.extend(self.block(block, range));
                // An `{{else if}}` has no end of its own; it is lowered by the block that it belongs to.
                self.enter_tag();
            }
            TemplateElement::PartialExpression(call) => {
                let range = self.enter_tag();
                self.partial(call, range, nodes);
            }
            _ => {
                let range = self.enter_tag();
                self.fault(range, "decorators and partial blocks are not supported");
            }
        }
    }

    /// `{{x}}` is always a value, also where a helper has that name: a param may be called `date`.
    fn shown(&mut self, call: &HelperTemplate) -> Option<Expr> {
        match &call.name {
            name if call.params.is_empty() && call.hash.is_empty() => self.expr(name),
            name => self.call(name.as_name().unwrap_or(""), call),
        }
    }

    fn expr(&mut self, parameter: &Parameter) -> Option<Expr> {
        match parameter {
            Parameter::Literal(value) => Some(Expr::Literal(value.clone())),
            Parameter::Path(path) => self.path(path, parameter.as_name().unwrap_or("")),
            Parameter::Subexpression(sub) => match sub.as_element() {
                TemplateElement::Expression(call) => self.call(call.name.as_name().unwrap_or(""), call),
                _ => None,
            },
            _ => {
                let name = parameter.as_name().unwrap_or("");
                let range = self.find(name);
                self.fault(range, format!("`{name}` is not a value"));
                None
            }
        }
    }

    fn path(&mut self, path: &Path, raw: &str) -> Option<Expr> {
        let range = self.find(raw);
        match self.scopes.resolve(path) {
            Ok(resolved) => {
                if let Some(name) = resolved.name {
                    self.name(name, raw, range);
                }
                Some(resolved.expr)
            }
            Err(message) => {
                self.fault(range, message);
                None
            }
        }
    }

    /// Records that the root name `name` is read by the path `raw` at `range`.
    fn name(&mut self, name: String, raw: &str, range: Range<usize>) {
        let rest = scope::strip_this(raw).unwrap_or(raw);
        let skip = raw.len() - rest.len() + if rest.starts_with("@root") { "@root.".len() } else { 0 };
        let within = raw.get(skip..).and_then(|rest| rest.find(&name)).map(|at| range.start + skip + at);
        let range = match (&self.via, within) {
            (Some((range, _)), _) => range.clone(),
            (None, Some(start)) if range.len() == raw.len() => start..start + name.len(),
            (None, _) => range,
        };
        self.names.push(Name { name, range });
    }

    /// What follows `{{else}}` or `{{else if}}`, if that is the next tag.
    fn otherwise(&mut self, block: &HelperTemplate) -> Vec<Node> {
        let chained = match self.next_tag().map(|tag| tag.kind) {
            Some(Kind::Else { chained }) => chained,
            _ => return Vec::new(),
        };
        let range = self.enter_tag();
        match (&block.inverse, chained) {
            (Some(tree), false) => self.tree(tree),
            (Some(tree), true) => match tree.elements.first() {
                Some(TemplateElement::HelperBlock(block)) => self.block(block, range).into_iter().collect(),
                _ => Vec::new(),
            },
            (None, _) => Vec::new(),
        }
    }
}

fn push_text(nodes: &mut Vec<Node>, text: &str) {
    match nodes.last_mut() {
        Some(Node::Text(last)) => last.push_str(text),
        _ => nodes.push(Node::Text(text.to_owned())),
    }
}
