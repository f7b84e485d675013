//! HTML as Markdown (CommonMark, with GitHub's tables), for readers that are models.
//!
//! The page is read as a stream of tags, not as a tree: however deep or broken it is, that takes one pass. What is no
//! content (scripts, styles, forms' insides) is left out.

mod containers;
mod writer;

use html5gum::{DefaultEmitter, EndTag, HtmlString, StartTag, Token, Tokenizer};
use serde_json::Value;

use super::Read;
use writer::Writer;

/// Elements of which nothing is taken.
const SKIPPED: [&str; 10] =
    ["script", "style", "template", "noscript", "svg", "iframe", "object", "title", "select", "textarea"];
/// Characters of a link's target that are kept; longer ones carry data.
const MAX_TARGET: usize = 2000;

/// A page as Markdown.
pub(super) fn markdown(html: &str, max_bytes: usize) -> Read {
    let mut emitter = DefaultEmitter::<()>::new_with_span();
    emitter.naively_switch_states(true);
    let mut page = Page { out: Writer::default(), skipping: None };
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => page.start(&tag),
            Token::EndTag(tag) => page.end(&tag),
            Token::String(text) if page.skipping.is_none() => page.out.text(&words(&text.value)),
            _ => {}
        }
        if page.out.len() > max_bytes {
            break;
        }
    }
    let mut text = page.out.finish();
    let whole = text.len() <= max_bytes;
    if !whole {
        text.truncate(text.floor_char_boundary(max_bytes));
    }
    Read { value: Value::from(text), whole }
}

struct Page {
    out: Writer,
    /// The element that is left out, and how often it is open.
    skipping: Option<(String, usize)>,
}

fn words(text: &HtmlString) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| words(&value.value))
}

impl Page {
    fn start(&mut self, tag: &StartTag<()>) {
        let name = words(&tag.name);
        match &mut self.skipping {
            Some((skipped, depth)) if *skipped == name && !tag.self_closing => *depth += 1,
            Some(_) => {}
            None if SKIPPED.contains(&name.as_str()) => {
                if !tag.self_closing {
                    self.skipping = Some((name, 1));
                }
            }
            None => self.open(&name, tag),
        }
    }

    fn open(&mut self, name: &str, tag: &StartTag<()>) {
        let out = &mut self.out;
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                out.block(2);
                out.heading(name.bytes().last().map_or(1, |digit| usize::from(digit.saturating_sub(b'0'))));
            }
            "ul" | "menu" => out.open_list(None),
            "ol" => out.open_list(Some(attribute(tag, "start").and_then(|n| n.parse().ok()).unwrap_or(1))),
            "li" => out.open_item(),
            "blockquote" => out.open_quote(),
            "pre" => out.open_code_block(),
            "code" | "kbd" | "samp" | "tt" => out.open_code(language(tag)),
            "strong" | "b" => out.open_mark("**"),
            "em" | "i" => out.open_mark("*"),
            "del" | "s" => out.open_mark("~~"),
            "a" => out.open_link(attribute(tag, "href").filter(|href| is_target(href))),
            "img" => out.image(
                &attribute(tag, "alt").unwrap_or_default(),
                &attribute(tag, "src").filter(|src| is_target(src)).unwrap_or_default(),
            ),
            "br" => out.line_break(),
            "hr" => out.rule(),
            "table" => out.open_table(),
            "tr" => out.open_row(),
            "td" | "th" => out.open_cell(),
            _ if is_paragraph(name) => out.block(2),
            _ if is_block(name) => out.block(1),
            _ => {}
        }
    }

    fn end(&mut self, tag: &EndTag<()>) {
        let name = words(&tag.name);
        if let Some((skipped, depth)) = &mut self.skipping {
            if *skipped == name {
                *depth -= 1;
            }
            if *depth == 0 {
                self.skipping = None;
            }
            return;
        }
        let out = &mut self.out;
        match name.as_str() {
            "ul" | "menu" | "ol" => out.close_list(),
            "li" => out.close_item(),
            "blockquote" => out.close_quote(),
            "pre" => out.close_code_block(),
            "code" | "kbd" | "samp" | "tt" => out.close_code(),
            "strong" | "b" => out.close_mark("**"),
            "em" | "i" => out.close_mark("*"),
            "del" | "s" => out.close_mark("~~"),
            "a" => out.close_link(),
            "table" => out.close_table(),
            "tr" => out.close_row(),
            "td" | "th" => {}
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => out.block(2),
            _ if is_paragraph(&name) => out.block(2),
            _ if is_block(&name) => out.block(1),
            _ => {}
        }
    }
}

fn is_paragraph(name: &str) -> bool {
    matches!(name, "p" | "section" | "article" | "main" | "header" | "footer" | "nav" | "aside" | "figure" | "dl")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "body"
            | "address"
            | "dt"
            | "dd"
            | "figcaption"
            | "form"
            | "fieldset"
            | "details"
            | "summary"
            | "caption"
            | "option"
    )
}

/// What a link may lead to: no script, no data.
fn is_target(target: &str) -> bool {
    let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme.trim());
    let safe = !["javascript", "data", "vbscript"].iter().any(|bad| scheme.eq_ignore_ascii_case(bad));
    safe && target.len() <= MAX_TARGET && !target.trim().is_empty()
}

/// `language-rust` among the classes.
fn language(tag: &StartTag<()>) -> Option<String> {
    let classes = attribute(tag, "class")?;
    let named = classes.split_whitespace().find_map(|class| class.strip_prefix("language-"))?;
    let plain = !named.is_empty() && named.chars().all(|c| c.is_ascii_alphanumeric() || "+-#_.".contains(c));
    plain.then(|| named.to_owned())
}
