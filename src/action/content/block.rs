//! One content block: its kind, what it shows, and what is said of it.

use base64::Engine;
use serde_json::{Map, Value, json};

use super::describe;
use crate::action::{Action, Arguments, Builder, Call, Scope, render_fault};
use crate::outcome::media::sniff;
use crate::outcome::shape::media;
use crate::outcome::{ActionError, Content, Outcome, base64};
use crate::spec::model::{self, BlockKind};
use crate::spec::read::list_names;
use crate::spec::{Choice, Code, Diagnostic, Diagnostics, Span, Spanned};
use crate::template::Template;

/// A compiled block.
#[derive(Debug)]
pub struct Block {
    kind: BlockKind,
    shows: Shows,
    /// MCP's names and their texts.
    texts: Vec<(&'static str, Template)>,
    /// What needs no arguments: `size`, `icons`, `annotations`, `_meta`.
    fixed: Map<String, Value>,
    max_bytes: usize,
}

/// Where what a block shows comes from.
#[derive(Debug)]
enum Shows {
    /// A link shows nothing.
    Nothing,
    /// Base64 text.
    Data(Template),
    Action(Box<Action>),
}

/// The keys that a kind has beside those that all have.
fn keys(kind: BlockKind) -> &'static [&'static str] {
    match kind {
        BlockKind::Text => &[],
        BlockKind::Image | BlockKind::Audio => &["data", "mimeType"],
        BlockKind::Resource => &["data", "mimeType", "uri"],
        BlockKind::ResourceLink => &["mimeType", "uri", "name", "title", "description", "size", "icons"],
    }
}

impl Block {
    /// Compiles it; every mistake is reported.
    pub async fn compile(written: &model::Block, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let kind = written.kind.get()?.value;
        let fits = check_keys(written, kind, builder.sink);
        let shows = shows(written, kind, scope, builder).await;
        let texts = texts(written, scope, builder);
        let mut fixed = Map::new();
        if let Some(size) = &written.size {
            fixed.insert("size".to_owned(), json!(size.value));
        }
        if let Some(icons) = &written.icons {
            fixed.insert("icons".to_owned(), describe::icons(icons));
        }
        if let Some(annotations) = &written.annotations {
            fixed.insert("annotations".to_owned(), Value::Object(describe::annotations(annotations, builder.sink)));
        }
        if let Some(meta) = describe::meta(written.meta.as_ref(), builder.sink) {
            fixed.insert("_meta".to_owned(), Value::Object(meta));
        }
        let block = Block { kind, shows: shows?, texts: texts?, fixed, max_bytes: builder.limits.max_bytes };
        (fits && block.has_known_media(written, builder.sink)).then_some(block)
    }

    /// Reports data of an image or sound whose media type nothing tells.
    fn has_known_media(&self, written: &model::Block, sink: &mut Diagnostics) -> bool {
        let (Shows::Data(data), BlockKind::Image | BlockKind::Audio) = (&self.shows, self.kind) else { return true };
        let Some(text) = data.is_literal().filter(|_| written.mime_type.is_none()) else { return true };
        let known = decode(text).as_deref().and_then(sniff).is_some_and(|m| m.starts_with(self.kind.name()));
        if !known {
            let words = format!("`mimeType` is missing: the data is no {} of a known kind", self.kind.name());
            sink.error(Code::MissingKey, written.at, words);
        }
        known
    }

    /// The action that it shows the answer of.
    pub(super) fn action(&self) -> Option<&Action> {
        match &self.shows {
            Shows::Action(action) => Some(action),
            _ => None,
        }
    }

    pub(super) fn is_link(&self) -> bool {
        self.kind == BlockKind::ResourceLink
    }

    /// Its media type, where it is known before a call.
    pub(super) fn mime_type(&self) -> Option<String> {
        let written = self.texts.iter().find(|(name, _)| *name == "mimeType");
        match (written, &self.shows) {
            (Some((_, template)), _) => template.is_literal().map(str::to_owned),
            (None, Shows::Data(data)) => {
                data.is_literal().and_then(decode).as_deref().and_then(sniff).map(str::to_owned)
            }
            (None, Shows::Action(action)) => action.mime_type(),
            (None, Shows::Nothing) => None,
        }
    }

    /// The block as MCP's JSON.
    ///
    /// # Errors
    /// If what it shows can't be had, or is of another kind.
    pub async fn json(&self, arguments: &Arguments, call: &Call) -> Result<Value, ActionError> {
        let mut texts = Map::new();
        for (name, template) in &self.texts {
            let text = template.render(arguments, self.max_bytes).map_err(|f| render_fault(&f))?;
            texts.insert((*name).to_owned(), Value::String(text));
        }
        let mut block = Map::from_iter([("type".to_owned(), json!(self.kind.name()))]);
        match self.kind {
            BlockKind::ResourceLink => block.extend(texts),
            BlockKind::Text => {
                block.insert("text".to_owned(), json!(words(self.shown(arguments, call).await?)?));
            }
            BlockKind::Image | BlockKind::Audio => {
                let mut shown = self.shown(arguments, call).await?;
                if let Some(Value::String(mime_type)) = texts.remove("mimeType") {
                    shown.mime_type = Some(mime_type);
                }
                let shown = media(shown, self.kind.name())?;
                block.insert("data".to_owned(), shown.clone().into_value());
                block.insert("mimeType".to_owned(), json!(shown.mime_type));
            }
            BlockKind::Resource => {
                block.insert("resource".to_owned(), contents(self.shown(arguments, call).await?, texts));
            }
        }
        block.extend(self.fixed.clone());
        Ok(Value::Object(block))
    }

    async fn shown(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        match &self.shows {
            Shows::Nothing => Ok(Outcome::text("")),
            Shows::Action(action) => Box::pin(action.run(arguments, call)).await,
            Shows::Data(template) => {
                let text = template.render(arguments, self.max_bytes).map_err(|f| render_fault(&f))?;
                let bytes = decode(&text).ok_or_else(|| ActionError::invalid("the data is not base64"))?;
                Ok(Outcome::new(Content::Bytes(bytes), None))
            }
        }
    }

    /// What it is and where what it shows comes from.
    pub(super) fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let kind = self.kind.name();
        Ok(match &self.shows {
            Shows::Nothing => kind.to_owned(),
            Shows::Data(_) => format!("{kind}: data of the spec"),
            Shows::Action(action) => format!("{kind}: {}", action.explain(arguments)?),
        })
    }
}

/// An answer in words.
fn words(outcome: Outcome) -> Result<String, ActionError> {
    let mut words = match outcome.content {
        Content::Text(text) => text,
        Content::Json(value) | Content::Structured { value, .. } => value.to_string(),
        Content::Bytes(_) | Content::Blocks(_) => return Err(ActionError::failed("the answer is not text")),
    };
    if let Some(cut) = outcome.truncated {
        words.push_str(&format!("\n[{cut}]"));
    }
    Ok(words)
}

/// MCP's `ResourceContents`: text where it is text.
fn contents(outcome: Outcome, mut texts: Map<String, Value>) -> Value {
    if let (None, Some(mime_type)) = (texts.get("mimeType"), &outcome.mime_type) {
        texts.insert("mimeType".to_owned(), json!(mime_type));
    }
    if let Some(cut) = &outcome.truncated {
        tracing::warn!("an embedded resource was {cut}");
    }
    let (key, value) = match outcome.content {
        Content::Text(text) => ("text", text),
        Content::Json(value) | Content::Structured { value, .. } => ("text", value.to_string()),
        Content::Bytes(bytes) => ("blob", base64(&bytes)),
        Content::Blocks(blocks) => ("text", Value::Array(blocks).to_string()),
    };
    texts.insert(key.to_owned(), Value::String(value));
    Value::Object(texts)
}

/// Base64 (RFC 4648 section 4), over several lines if need be.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Reports the keys that the kind does not have, and those that it needs.
fn check_keys(written: &model::Block, kind: BlockKind, sink: &mut Diagnostics) -> bool {
    let span = |text: &Option<Spanned<String>>| text.as_ref().map(|t| t.span);
    let icons = written.icons.as_ref().map(|icons| icons.first().map_or(written.at, |icon| icon.at));
    let given: [(&str, Option<Span>); 8] = [
        ("data", span(&written.data)),
        ("mimeType", span(&written.mime_type)),
        ("uri", span(&written.uri)),
        ("name", span(&written.name)),
        ("title", span(&written.title)),
        ("description", span(&written.description)),
        ("size", written.size.as_ref().map(|s| s.span)),
        ("icons", icons),
    ];
    let (name, keys) = (kind.name(), keys(kind));
    let mut sound = true;
    for (key, at) in given {
        if let Some(at) = at.filter(|_| !keys.contains(&key)) {
            sound = false;
            let found = Diagnostic::error(Code::UnknownKey, at, format!("content of type `{name}` has no `{key}`"));
            let keys = if keys.is_empty() { String::new() } else { format!("it has {}", list_names(keys)) };
            sink.push(found.label(keys));
        }
    }
    let needed: &[&str] = match kind {
        BlockKind::Resource => &["uri"],
        BlockKind::ResourceLink => &["uri", "name"],
        _ => &[],
    };
    for key in needed {
        if given.iter().any(|(name, at)| name == key && at.is_none()) {
            sound = false;
            sink.error(Code::MissingKey, written.at, format!("`{key}` is missing in this content of type `{name}`"));
        }
    }
    sound
}

async fn shows(written: &model::Block, kind: BlockKind, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Shows> {
    let name = kind.name();
    match (kind, &written.action, &written.data) {
        (BlockKind::ResourceLink, Some(_), _) => {
            let words = "content of type `resource_link` shows nothing itself";
            let found = Diagnostic::error(Code::BadValue, written.at, words);
            builder.sink.push(found.label("the type `resource` has its contents with it"));
            None
        }
        (BlockKind::ResourceLink, None, _) => Some(Shows::Nothing),
        (_, Some(_), Some(data)) => {
            builder.sink.error(Code::NameClash, data.span, "content has `data` or an action, this has both");
            None
        }
        (_, Some(action), None) => {
            let action = action.get()?;
            if let model::Action::Content(inner) = action {
                builder.sink.error(Code::BadValue, inner.at, "content blocks can't stand in one another");
                return None;
            }
            let compiled = Box::pin(Action::compile(action, scope, builder)).await?;
            Some(Shows::Action(Box::new(compiled)))
        }
        (_, None, Some(data)) => {
            let template = builder.template(data, scope)?;
            if template.is_literal().is_some_and(|text| decode(text).is_none()) {
                builder.sink.error(Code::BadValue, data.span, "this is not base64");
                return None;
            }
            Some(Shows::Data(template))
        }
        (_, None, None) if written.faulty => None,
        (BlockKind::Text, None, None) => {
            let found = Diagnostic::error(Code::MissingKey, written.at, "this content says nothing");
            builder.sink.push(found.label("give it a `text`"));
            None
        }
        (_, None, None) => {
            let words = format!("this content of type `{name}` shows nothing");
            let found = Diagnostic::error(Code::MissingKey, written.at, words);
            builder.sink.push(found.label("give it `data` (base64), a `file` or another action"));
            None
        }
    }
}

fn texts(
    written: &model::Block,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<Vec<(&'static str, Template)>> {
    let given = [
        ("uri", &written.uri),
        ("mimeType", &written.mime_type),
        ("name", &written.name),
        ("title", &written.title),
        ("description", &written.description),
    ];
    let given = given.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
    let compiled: Vec<_> =
        given.map(|(name, text)| builder.template(text, scope).map(|template| (name, template))).collect();
    compiled.into_iter().collect()
}
