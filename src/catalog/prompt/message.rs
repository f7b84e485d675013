//! The messages of a prompt.

use rmcp::model::{self as mcp, ContentBlock};
use serde_json::{Map, Value};

use super::super::{Catalog, content};
use super::data::noted;
use crate::action::content::Block;
use crate::action::file::FileRead;
use crate::action::{Builder, Call, Scope, render_fault};
use crate::outcome::shape::media;
use crate::outcome::{ActionError, Content, base64};
use crate::spec::model::{self, FileAction, Role};
use crate::spec::read::Written;
use crate::spec::{Code, Diagnostic, Span, Spanned};
use crate::template::Template;

/// A message, ready to be said.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) role: mcp::Role,
    pub(super) body: Body,
}

/// What a message says.
#[derive(Debug)]
pub(super) enum Body {
    Text(Template),
    /// The URI of a resource of this server.
    Resource(Template),
    /// An `image` or a sound (`audio`).
    Media(&'static str, FileRead),
    File(FileRead),
    Content(Box<Block>),
}

/// Compiles them; `None` after a mistake.
pub(super) async fn compile(
    name: &Spanned<String>,
    written: &model::Prompt,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<Vec<Message>> {
    match (&written.messages, &written.template) {
        (Some(Written(messages)), None) if messages.as_ref().is_none_or(|all| !all.is_empty()) => {
            let mut compiled = Vec::new();
            for written in messages.as_ref()? {
                compiled.push(match &written.0 {
                    Some(written) => message(written, scope, builder).await,
                    None => None,
                });
            }
            compiled.into_iter().collect()
        }
        (None, Some(Written(template))) => {
            let body = Body::Text(builder.template(template.as_ref()?, scope)?);
            Some(vec![Message { role: mcp::Role::User, body }])
        }
        (Some(_), Some(Written(template))) => {
            let words = "a prompt has `messages` or a `template`, this one has both";
            let at = template.as_ref().map_or(name.span, |template| template.span);
            builder.sink.push(Diagnostic::error(Code::NameClash, at, words).label("keep one of them"));
            None
        }
        _ => {
            let found = Diagnostic::error(Code::MissingKey, name.span, "this prompt says nothing");
            builder.sink.push(found.label("give it `messages` or a `template`"));
            None
        }
    }
}

async fn message(written: &model::Message, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Message> {
    let bodies = [&written.text, &written.resource, &written.image, &written.audio, &written.file];
    let given = bodies.into_iter().flatten().map(|body| body.span);
    let given: Vec<Span> = given.chain(written.content.as_ref().map(|block| block.at)).collect();
    if given.is_empty() && written.faulty {
        return None;
    }
    if given.len() != 1 {
        let words = "a message has one of `text`, `resource`, `image`, `audio`, `file`, `content`";
        let at = given.get(1).copied().unwrap_or(written.at);
        let label = if given.is_empty() { "this one has none" } else { "keep one of them" };
        builder.sink.push(Diagnostic::error(Code::BadValue, at, words).label(label));
    }
    let file = |path: &Spanned<String>, builder: &mut Builder<'_>| {
        let action = FileAction::of(path.clone());
        FileRead::compile(&action, scope, builder)
    };
    let body = if let Some(text) = &written.text {
        builder.template(text, scope).map(Body::Text)
    } else if let Some(uri) = &written.resource {
        builder.template(uri, scope).map(Body::Resource)
    } else if let Some((kind, path)) = media_of(written) {
        let media = file(path, builder);
        let mime_type = media.as_ref().and_then(FileRead::mime_type).unwrap_or_default();
        if media.is_some() && !mime_type.starts_with(kind) {
            let words =
                if kind == "audio" { "by its name this file is no sound" } else { "by its name this file is no image" };
            builder.sink.error(Code::BadValue, path.span, words);
        }
        media.map(|file| Body::Media(kind, file))
    } else if let Some(block) = &written.content {
        Block::compile(block, scope, builder).await.map(|block| Body::Content(Box::new(block)))
    } else {
        written.file.as_ref().and_then(|path| file(path, builder)).map(Body::File)
    };
    Some(Message { role: role(written.role.get()?.value), body: body? })
}

/// The file that a message shows or plays, and what it has to be.
fn media_of(written: &model::Message) -> Option<(&'static str, &Spanned<String>)> {
    let image = written.image.as_ref().map(|path| ("image", path));
    image.or(written.audio.as_ref().map(|path| ("audio", path)))
}

/// MCP's word for who says a message.
fn role(role: Role) -> mcp::Role {
    match role {
        Role::User => mcp::Role::User,
        Role::Assistant => mcp::Role::Assistant,
    }
}

impl Body {
    /// What it says: one block, or one for each of a resource's contents.
    pub(super) async fn contents(
        &self,
        names: &Map<String, Value>,
        max_bytes: usize,
        catalog: &Catalog,
        call: &Call,
    ) -> Result<Vec<ContentBlock>, ActionError> {
        Ok(match self {
            Body::Text(template) => {
                vec![ContentBlock::text(template.render(names, max_bytes).map_err(|f| render_fault(&f))?)]
            }
            Body::Resource(template) => {
                let uri = template.render(names, max_bytes).map_err(|f| render_fault(&f))?;
                let read = catalog.read(uri.trim(), call).await?;
                read.all.into_iter().map(ContentBlock::resource).collect()
            }
            Body::File(file) => {
                let outcome = file.run(names).await?;
                match outcome.content {
                    Content::Text(text) => vec![ContentBlock::text(noted(text, outcome.truncated))],
                    _ => return Err(ActionError::failed("the file of this prompt is not text")),
                }
            }
            Body::Media(kind, file) => {
                let media = media(file.run(names).await?, kind)?;
                let mime_type = media.mime_type.clone().unwrap_or_default();
                match media.content {
                    Content::Bytes(bytes) if *kind == "audio" => vec![ContentBlock::audio(base64(&bytes), mime_type)],
                    Content::Bytes(bytes) => vec![ContentBlock::image(base64(&bytes), mime_type)],
                    _ => Vec::new(),
                }
            }
            Body::Content(block) => content::written_out(vec![block.json(names, call).await?]),
        })
    }
}
