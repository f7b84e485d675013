//! YAML 1.2 (and so JSON) text into the tree, by the core schema of section 10.3. Merge keys (`<<`) are
//! understood; duplicate keys are reported and reading goes on.

mod merge;
mod traps;

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span as ParserSpan, Tag, options};

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Entry, Kind, Node};
use super::number;
use super::source::{FileId, Files, Span, Spanned};
use super::text::Text;

/// Maps and lists inside each other.
const MAX_DEPTH: usize = 64;
/// Values that aliases may stand for in all.
const MAX_ALIASED: usize = 50_000;
/// Values and keys in one file; those that anchors and aliases copy count again.
pub const MAX_VALUES: usize = 500_000;

/// Reads a file's text. `None` when it is no YAML at all; what can be read in spite of a mistake is given.
pub fn parse(file: FileId, files: &Files, sink: &mut Diagnostics) -> Option<Node> {
    parse_to(file, files.text(file), sink)
}

/// Reads the beginning of a file's text: `text` is as much of it.
pub fn parse_to(file: FileId, text: &str, sink: &mut Diagnostics) -> Option<Node> {
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let anchors = HashMap::new();
    let mut composer = Composer { parser, file, text, anchors, aliased: 0, values: 0, unquoted: None, sink };
    composer.document()
}

/// Why reading stops. The diagnostic has been pushed already.
struct Stop;

struct Composer<'t, 's> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    file: FileId,
    text: &'t str,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    values: usize,
    /// Where the last template without quotes ends.
    unquoted: Option<usize>,
    sink: &'s mut Diagnostics,
}

impl<'t> Composer<'t, '_> {
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        while let Ok((event, span)) = self.next() {
            match event {
                Event::StreamEnd => {
                    return Some(root.unwrap_or(Node { span: Span::new(self.file, 0..0), kind: Kind::Null }));
                }
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_none() => {}
                Event::DocumentStart(..) => {
                    let place = self.span(&span);
                    let found = Diagnostic::error(Code::Syntax, place, "a second YAML document in one file");
                    self.sink.push(found.help("a spec is one document: put the second one into a file of its own"));
                    return root;
                }
                event => root = Some(self.node(event, &span, 0).ok()?),
            }
        }
        None
    }

    fn next(&mut self) -> Result<(Event<'t>, ParserSpan), Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
                self.syntax(&error.info(), at);
                Err(Stop)
            }
            None => Err(Stop),
        }
    }

    /// Counts values, so that no text makes the tree of it too large.
    fn count(&mut self, more: usize, place: Span) -> Result<(), Stop> {
        self.values += more;
        if self.values <= MAX_VALUES {
            return Ok(());
        }
        self.sink.error(Code::TooLarge, place, format!("more than {MAX_VALUES} values in one file"));
        Err(Stop)
    }

    fn span(&self, span: &ParserSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        Span::new(self.file, range)
    }

    fn node(&mut self, event: Event<'t>, span: &ParserSpan, depth: usize) -> Result<Node, Stop> {
        let place = self.span(span);
        if depth > MAX_DEPTH {
            self.sink.error(Code::TooLarge, place, format!("nested more than {MAX_DEPTH} deep"));
            return Err(Stop);
        }
        self.count(1, place)?;
        let anchor = event.anchor_id();
        let node = match event {
            Event::Scalar(value, ScalarStyle::Plain, ..) if self.cut_quote(value.as_ref(), place) => {
                Node { span: place, kind: Kind::Fault }
            }
            Event::Scalar(value, style, _, tag) => self.scalar(value, style, tag.as_deref(), place),
            Event::SequenceStart(_, _, tag) => {
                self.collection_tag(tag.as_deref(), "seq", place);
                self.list(place, depth)?
            }
            Event::MappingStart(_, _, tag) => {
                self.collection_tag(tag.as_deref(), "map", place);
                self.map(place, depth)?
            }
            Event::Alias(id) => return self.alias(id, place),
            Event::UnresolvedAlias(name) => {
                let found =
                    Diagnostic::error(Code::Syntax, place, format!("no anchor `&{name}` stands before this alias"));
                let near = crate::spec::nearest(&name, self.anchors_before(place)).map(str::to_owned);
                self.sink.push(match near {
                    Some(near) => found.label(format!("did you mean `*{near}`?")),
                    None => found.label(format!("quote it if the text `*{name}` is meant")),
                });
                Node { span: place, kind: Kind::Fault }
            }
            _ => Node { span: place, kind: Kind::Null },
        };
        if let Some(id) = anchor {
            self.count(size(&node), place)?;
            self.anchors.insert(id, node.clone());
        }
        Ok(node)
    }

    /// What looks like the name of an anchor before a place.
    fn anchors_before(&self, place: Span) -> impl Iterator<Item = &'t str> {
        let before = self.text.get(..place.range().start).unwrap_or("");
        let words = before.split(|c: char| c.is_whitespace() || "[]{},".contains(c));
        words.filter_map(|word| word.strip_prefix('&')).filter(|name| !name.is_empty())
    }

    fn alias(&mut self, id: usize, place: Span) -> Result<Node, Stop> {
        let Some(node) = self.anchors.get(&id) else {
            self.sink.error(Code::Syntax, place, "an alias inside the value that it stands for");
            return Err(Stop);
        };
        let size = size(node);
        self.count(size, place)?;
        self.aliased += size;
        if self.aliased > MAX_ALIASED {
            let words = format!("the aliases of this file stand for more than {MAX_ALIASED} values");
            self.sink.error(Code::TooLarge, place, words);
            return Err(Stop);
        }
        self.anchors.get(&id).cloned().ok_or(Stop)
    }

    fn list(&mut self, open: Span, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    return Ok(Node { span: self.until(open, &end), kind: Kind::List(items) });
                }
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, open: Span, depth: usize) -> Result<Node, Stop> {
        if self.text.get(open.start as usize..).is_some_and(|t| t.starts_with("{{")) {
            return self.unquoted_template(open);
        }
        let flow = self.text.get(open.start as usize..).is_some_and(|t| t.starts_with('{'));
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if let Event::MappingEnd = event {
                self.merge(&mut entries, merged, &seen);
                return Ok(Node { span: self.until(open, &span), kind: Kind::Map(entries) });
            }
            let plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, _, _));
            let key = self.node(event, &span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            let Some(key) = self.key(key) else { continue };
            if flow && matches!(value.kind, Kind::Null) && !self.has_colon(&key, &value) {
                self.bare_key(&key, entries.last_mut());
                continue;
            }
            if plain && key.value == "<<" {
                merged.push(value);
                continue;
            }
            if let Some(first) = seen.get(&key.value) {
                self.sink.push(duplicate(&key, Some(*first)));
                continue;
            }
            seen.insert(key.value.clone(), key.span);
            entries.push(Entry { key, value });
        }
    }

    /// A key as text: `1:` and `true:` are keys as they are written.
    fn key(&mut self, node: Node) -> Option<Spanned<String>> {
        match node.kind {
            Kind::String(text) => Some(Spanned::new(text.written().to_owned(), node.span)),
            Kind::Bool(_) | Kind::Number(_) => {
                Some(Spanned::new(self.text.get(node.span.range()).unwrap_or("").to_owned(), node.span))
            }
            _ => {
                let found = Diagnostic::error(
                    Code::WrongType,
                    node.span,
                    format!("a key has to be text, found {}", node.what()),
                );
                self.sink.push(found);
                None
            }
        }
    }

    fn scalar(&mut self, value: Cow<'t, str>, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        let tagged = match tag {
            None => None,
            Some(tag) if tag.is_yaml_core_schema_tag("str") => Some(Kind::String(Text::new(value.as_ref()))),
            Some(tag) if tag.is_yaml_core_schema() => None,
            Some(tag) => {
                self.unknown_tag(tag, span);
                None
            }
        };
        let unknown = tag.is_some_and(|tag| !tag.is_yaml_core_schema());
        let kind = match tagged {
            _ if unknown => Kind::Fault,
            Some(kind) => kind,
            None if style == ScalarStyle::Plain => self.plain(&value, span),
            None => Kind::String(Text::new(value)),
        };
        Node { span, kind }
    }

    fn plain(&mut self, value: &str, span: Span) -> Kind {
        match value {
            "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
            "true" | "True" | "TRUE" => Kind::Bool(true),
            "false" | "False" | "FALSE" => Kind::Bool(false),
            _ => match number::yaml(value) {
                Ok(None) => Kind::String(Text::new(value)),
                Ok(Some(number)) => Kind::Number(number),
                Err(why) => {
                    self.sink.push(Diagnostic::error(Code::BadValue, span, why).label("quote it if text is meant"));
                    Kind::Fault
                }
            },
        }
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, allowed: &str, span: Span) {
        if let Some(tag) = tag.filter(|t| !t.is_yaml_core_schema_tag(allowed)) {
            self.unknown_tag(tag, span);
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, span: Span) {
        let words = format!("the tag `{}` means nothing here", tag.original());
        self.sink.push(Diagnostic::error(Code::Syntax, span, words).label("quote the value if the `!` belongs to it"));
    }

    fn until(&self, open: Span, end: &ParserSpan) -> Span {
        let end = end.byte_range().map_or(open.end as usize, |r| r.end);
        let written = self.text.get(open.start as usize..end).unwrap_or("");
        Span::new(self.file, open.start as usize..open.start as usize + written.trim_end().len())
    }
}

/// The diagnostic for a key that stands twice.
pub fn duplicate(key: &Spanned<String>, first: Option<Span>) -> Diagnostic {
    let found = Diagnostic::error(Code::DuplicateKey, key.span, format!("the key `{}` stands twice", key.value));
    let found = found.label("here again");
    match first {
        Some(first) => found.related(first, "first defined here"),
        None => found,
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(entries) => entries.iter().map(|e| 1 + size(&e.value)).sum::<usize>(),
        _ => 0,
    }
}
