//! `multipart/form-data` (RFC 7578).

use reqwest::multipart::{self, Form};

use super::upload::{self, Opened, Upload};
use crate::action::{Arguments, Builder, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::http::WrittenPart;
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;

/// A compiled part.
#[derive(Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    content: Content,
    media: Option<String>,
    filename: Option<Template>,
}

#[derive(Debug)]
enum Content {
    Text(Template),
    File(Upload),
    /// As base64.
    Bytes(Template),
}

impl Part {
    /// Compiles it; mistakes are reported.
    pub fn compile(
        name: &Spanned<String>,
        written: &WrittenPart,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Part> {
        if name.value.is_empty() || name.value.contains(char::is_control) {
            builder.sink.error(Code::BadValue, name.span, "this can't be a part's name");
        }
        let content = match (&written.text, &written.file, &written.base64) {
            (Some(text), None, None) => builder.template(text, scope).map(Content::Text),
            (None, None, Some(text)) => builder.template(text, scope).map(Content::Bytes),
            (None, Some(file), None) => Upload::compile(&file.0, scope, builder).map(Content::File),
            _ => {
                let found = Diagnostic::error(Code::BadValue, name.span, "a part holds exactly one thing");
                builder.sink.push(found.label("give it one of `text`, `file` and `base64`"));
                None
            }
        };
        let media = match &written.content_type {
            Some(text) => super::media_type(text, builder).map(|_| Some(text.value.clone())),
            None => Some(None),
        };
        let filename = match &written.filename {
            Some(text) => builder.template(text, scope).map(Some),
            None => Some(None),
        };
        Some(Part { name: name.value.clone(), content: content?, media: media?, filename: filename? })
    }

    /// The params in it.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.content {
            Content::Text(template) | Content::Bytes(template) => {
                template.names().iter().map(|name| name.name.as_str()).collect()
            }
            Content::File(file) => file.names().collect(),
        };
        names.extend(self.filename.iter().flat_map(Template::names).map(|name| name.name.as_str()));
        names
    }

    /// Whether it is nothing but a param that was not given.
    fn is_absent(&self, arguments: &Arguments) -> bool {
        let name = match &self.content {
            Content::Text(template) | Content::Bytes(template) => template.exact(),
            Content::File(file) => file.names().next(),
        };
        super::is_absent(name, arguments)
    }
}

/// The parts of a call.
pub struct Parts<'p>(Vec<Bound<'p>>);

struct Bound<'p> {
    part: &'p Part,
    content: BoundContent<'p>,
    filename: Option<String>,
}

enum BoundContent<'p> {
    Text(String),
    File(&'p Upload, String),
    Bytes(String),
}

impl<'p> Parts<'p> {
    /// The parts with a call's values; one that is nothing but a param that was not given is left out.
    ///
    /// # Errors
    /// If a template or path can't take a value.
    pub fn render(parts: &'p [Part], arguments: &Arguments, max_bytes: usize) -> Result<Self, ActionError> {
        let text = |template: &Template| template.render(arguments, max_bytes).map_err(|fault| render_fault(&fault));
        let given = parts.iter().filter(|part| !part.is_absent(arguments));
        let bound = given.map(|part| {
            let content = match &part.content {
                Content::Text(template) => BoundContent::Text(text(template)?),
                Content::File(file) => BoundContent::File(file, file.path(arguments)?),
                Content::Bytes(template) => BoundContent::Bytes(text(template)?),
            };
            let filename = part.filename.as_ref().map(text).transpose()?;
            let own = match &content {
                BoundContent::File(_, path) => path.rsplit('/').next().map(str::to_owned),
                BoundContent::Text(_) | BoundContent::Bytes(_) => None,
            };
            let filename = filename.or(own);
            if filename.as_ref().is_some_and(|name| name.contains(char::is_control)) {
                let words = "a file's name can't hold a line break or another control character";
                return Err(ActionError::invalid(format!("the part `{}`: {words}", part.name)));
            }
            Ok(Bound { part, content, filename })
        });
        bound.collect::<Result<_, _>>().map(Parts)
    }

    /// Opens the files.
    ///
    /// # Errors
    /// If one can't be read, or is too large.
    pub async fn open(self) -> Result<Form, ActionError> {
        let mut form = Form::new();
        for Bound { part, content, filename } in self.0 {
            let (content, media) = match content {
                BoundContent::Text(text) => (multipart::Part::text(text), None),
                BoundContent::Bytes(text) => {
                    let bytes = super::decode(&text, &format!("the part `{}`", part.name))?;
                    (multipart::Part::bytes(bytes), None)
                }
                BoundContent::File(file, path) => {
                    let Opened { body, length } = file.open(&path).await?;
                    let media = upload::media_type(&path).to_str().map(str::to_owned).ok();
                    (multipart::Part::stream_with_length(body, length), media)
                }
            };
            let content = match filename {
                Some(name) => content.file_name(name),
                None => content,
            };
            let content = match part.media.clone().or(media) {
                Some(media) => {
                    content.mime_str(&media).map_err(|_| ActionError::failed("a part's media type is none"))?
                }
                None => content,
            };
            form = form.part(part.name.clone(), content);
        }
        Ok(form)
    }

    /// As they may be seen, a line each.
    pub fn shown(&self) -> String {
        let lines = self.0.iter().map(|Bound { part, content, filename }| {
            let content = match content {
                BoundContent::Text(text) => text.clone(),
                BoundContent::Bytes(text) => format!("<base64: {text}>"),
                BoundContent::File(_, path) => format!("<{path}>"),
            };
            let filename = filename.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            format!("{}{filename}: {content}", part.name)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
