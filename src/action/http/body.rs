//! A request's body: JSON, a form, parts, text, bytes, or a file.

mod multipart;
mod upload;

use std::borrow::Cow;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::field::Field;
use super::header;
use crate::action::{Arguments, Builder, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::HttpAction;
use crate::spec::model::http::RawBody;
use crate::spec::read::list_names;
use crate::spec::{Code, Diagnostic, Span};
use crate::template::{Template, ValueTemplate};
use multipart::{Part, Parts};
use upload::{Opened, Upload};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A compiled body.
#[derive(Debug)]
pub enum Body {
    /// None at all.
    None,
    /// Typed values.
    Json(ValueTemplate),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<Field<String>>),
    /// `multipart/form-data`.
    Multipart(Vec<Part>),
    /// A text, and its media type.
    Text(Template, HeaderValue),
    /// Bytes given as base64, and their media type.
    Bytes(Template, HeaderValue),
    /// A file, and its media type; by its name without one.
    File(Upload, Option<HeaderValue>),
}

/// A body with the values of a call. No file is open yet.
pub enum Payload<'b> {
    /// None at all.
    None,
    /// A JSON value.
    Json(Value),
    /// A text.
    Text(String),
    /// Bytes, as base64.
    Bytes(String),
    /// Parts.
    Multipart(Parts<'b>),
    /// A file, by its path below its folder, and its media type if that is fixed.
    File(&'b Upload, String, Option<&'b HeaderValue>),
}

impl Body {
    /// Compiles the one body that is written; mistakes are reported.
    pub fn compile(
        written: &HttpAction,
        method: Option<&Method>,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Body> {
        let raw = written.body.as_ref().map(|body| match body {
            RawBody::Text(text) => text.span,
            RawBody::Made(made) => made.at,
        });
        let places = [
            ("json", written.json.as_ref().map(|node| node.span)),
            ("form", written.form.as_ref().map(|form| form.at)),
            ("multipart", written.multipart.as_ref().map(|parts| parts.at)),
            ("body", raw),
        ];
        let given: Vec<(&str, Span)> = places.iter().filter_map(|(name, place)| Some((*name, (*place)?))).collect();
        let sound = Self::check(&given, written, method, builder);
        let media = match &written.content_type {
            Some(text) => Some(media_type(text, builder)?),
            None => None,
        };
        let body = match (&written.json, &written.form, &written.multipart, &written.body) {
            (Some(node), ..) => builder.json(node, scope).map(Body::Json),
            (_, Some(form), ..) => {
                let fields =
                    form.all.iter().map(|(name, text)| Field::compile(name.value.clone(), text, scope, builder));
                fields.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Body::Form)
            }
            (_, _, Some(parts), _) => {
                let parts = parts.all.iter().map(|(name, part)| Part::compile(name, &part.0, scope, builder));
                parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Body::Multipart)
            }
            (.., Some(RawBody::Text(text))) => Some(Body::Text(builder.template(text, scope)?, media.unwrap_or(TEXT))),
            (.., Some(RawBody::Made(made))) => match (&made.file, &made.base64) {
                (Some(file), None) => Some(Body::File(Upload::compile(&file.0, scope, builder)?, media)),
                (None, Some(text)) => Some(Body::Bytes(builder.template(text, scope)?, media.unwrap_or(BYTES))),
                (None, None) if made.faulty => None,
                _ => {
                    let found = Diagnostic::error(Code::BadValue, made.at, "a body holds exactly one thing");
                    builder.sink.push(found.label("give it either `file` or `base64`"));
                    None
                }
            },
            (None, None, None, None) => Some(Body::None),
        };
        body.filter(|_| sound.is_some())
    }

    /// Reports two bodies, a body where there can be none, and a media type that nothing has.
    fn check(
        given: &[(&str, Span)],
        written: &HttpAction,
        method: Option<&Method>,
        builder: &mut Builder<'_>,
    ) -> Option<()> {
        let errors = builder.sink.errors();
        if let [(first, at), (second, place), ..] = given {
            let words = format!("a request has one body, this one has {}", list_names(&[first, second]));
            let found = Diagnostic::error(Code::BadRequest, *place, words).label("keep one of them");
            builder.sink.push(found.related(*at, "first given here"));
        }
        let bodiless = method.filter(|m| [Method::GET, Method::HEAD].contains(m));
        if let (Some(method), Some((_, place))) = (bodiless, given.first()) {
            let words = format!("a {method} request has no body");
            let found = Diagnostic::error(Code::BadRequest, *place, words);
            builder.sink.push(found.label("put values into the path or `query`, or use another method"));
        }
        let typed = given.iter().any(|(name, _)| *name == "body");
        if let (Some(media), false) = (&written.content_type, typed) {
            let found = Diagnostic::error(Code::BadRequest, media.span, "`contentType` goes with `body`");
            builder.sink.push(found.label("the other bodies have a media type of their own"));
        }
        let content_type = written.headers.names().find(|name| name.value.eq_ignore_ascii_case("content-type"));
        if let (Some(name), Some(_)) = (content_type, &written.multipart) {
            let found = Diagnostic::error(Code::BadRequest, name.span, "`multipart` sets `Content-Type` by itself");
            builder.sink.push(found.label("leave it out: it says where a part ends"));
        }
        (builder.sink.errors() == errors).then_some(())
    }

    /// The media type, where it is the same at each call.
    pub fn content_type(&self) -> Option<HeaderValue> {
        match self {
            Body::Json(_) => Some(JSON),
            Body::Form(_) => Some(FORM),
            Body::Text(_, media) | Body::Bytes(_, media) => Some(media.clone()),
            Body::File(_, media) => media.clone(),
            Body::None | Body::Multipart(_) => None,
        }
    }

    /// The body with a call's values.
    ///
    /// # Errors
    /// If a template or path can't take a value.
    pub fn render(&self, arguments: &Arguments, max_bytes: usize) -> Result<Payload<'_>, ActionError> {
        Ok(match self {
            Body::None => Payload::None,
            Body::Json(json) => match json.render(arguments, max_bytes).map_err(|fault| render_fault(&fault))? {
                Some(value) => Payload::Json(value),
                None => Payload::None,
            },
            Body::Form(fields) => {
                let mut form = Serializer::new(String::new());
                for field in fields {
                    for text in field.texts(arguments, max_bytes)? {
                        form.append_pair(&field.name, &text);
                    }
                }
                Payload::Text(form.finish())
            }
            Body::Multipart(parts) => Payload::Multipart(Parts::render(parts, arguments, max_bytes)?),
            Body::Text(template, _) => {
                Payload::Text(template.render(arguments, max_bytes).map_err(|fault| render_fault(&fault))?)
            }
            Body::Bytes(template, _) if is_absent(template.exact(), arguments) => Payload::None,
            Body::Bytes(template, _) => {
                Payload::Bytes(template.render(arguments, max_bytes).map_err(|fault| render_fault(&fault))?)
            }
            Body::File(file, media) => Payload::File(file, file.path(arguments)?, media.as_ref()),
        })
    }

    /// Each param in it, and where in it.
    pub fn places(&self, into: &mut impl FnMut(&str, Cow<'_, str>)) {
        match self {
            Body::None => {}
            Body::Json(json) => json.names().into_iter().for_each(|name| into(name, Cow::Borrowed("json"))),
            Body::Form(fields) => fields.iter().for_each(|field| {
                field.names().for_each(|name| into(name, format!("form `{}`", field.name).into()));
            }),
            Body::Multipart(parts) => parts.iter().for_each(|part| {
                part.names().into_iter().for_each(|name| into(name, format!("part `{}`", part.name).into()));
            }),
            Body::Text(template, _) | Body::Bytes(template, _) => {
                template.names().iter().for_each(|name| into(&name.name, Cow::Borrowed("body")))
            }
            Body::File(file, _) => file.names().for_each(|name| into(name, Cow::Borrowed("path of the file"))),
        }
    }
}

impl Payload<'_> {
    /// Puts it into a request; files are opened.
    ///
    /// # Errors
    /// If a file can't be read, or is too large.
    pub async fn put(self, request: &mut reqwest::Request, client: &Client) -> Result<(), ActionError> {
        match self {
            Payload::None => {}
            Payload::Json(value) => *request.body_mut() = Some(value.to_string().into()),
            Payload::Text(text) => *request.body_mut() = Some(text.into()),
            Payload::Bytes(text) => *request.body_mut() = Some(decode(&text, "the body")?.into()),
            Payload::Multipart(parts) => {
                let form = parts.open().await?;
                // the builder alone knows the length of a form
                let built = client.post(request.url().clone()).multipart(form).build();
                let mut built = built.map_err(|_| ActionError::failed("the parts can't be put together"))?;
                for name in [CONTENT_TYPE, CONTENT_LENGTH] {
                    if let Some(value) = built.headers_mut().remove(&name) {
                        request.headers_mut().insert(name, value);
                    }
                }
                *request.body_mut() = built.body_mut().take();
            }
            Payload::File(file, path, media) => {
                let Opened { body, length } = file.open(&path).await?;
                if media.is_none() {
                    request.headers_mut().entry(CONTENT_TYPE).or_insert(upload::media_type(&path));
                }
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
                *request.body_mut() = Some(body);
            }
        }
        Ok(())
    }

    /// As it may be seen, if there is one.
    pub fn shown(&self) -> Option<String> {
        match self {
            Payload::None => None,
            Payload::Json(value) => Some(format!("{value:#}")),
            Payload::Text(text) => Some(text.clone()),
            Payload::Bytes(text) => Some(format!("<base64: {text}>")),
            Payload::Multipart(parts) => Some(parts.shown()),
            Payload::File(_, path, _) => Some(format!("<{path}>")),
        }
    }
}

/// Whether this is the name of a param that was not given.
fn is_absent(name: Option<&str>, arguments: &Arguments) -> bool {
    name.is_some_and(|name| arguments.get(name).is_none_or(Value::is_null))
}

/// The bytes that base64 stands for (RFC 4648 section 4); line breaks and missing padding are let pass.
///
/// # Errors
/// If it is none; `what` says whose it is.
fn decode(text: &str, what: &str) -> Result<Vec<u8>, ActionError> {
    use base64::Engine;
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
    const ANY_PADDING: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, ANY_PADDING);
    let text: String = text.split_ascii_whitespace().collect();
    engine.decode(text).map_err(|_| ActionError::invalid(format!("{what} is not base64 (RFC 4648 section 4)")))
}

/// A media type that a spec gives a body; reported if it is none.
fn media_type(text: &crate::spec::model::Str, builder: &mut Builder<'_>) -> Option<HeaderValue> {
    let is_type = text.value.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    match header::value(&text.value).filter(|_| is_type && text.value.is_ascii()) {
        Some(value) => Some(value),
        None => {
            let words = format!("`{}` is no media type", text.value.escape_debug());
            builder.sink.push(Diagnostic::error(Code::BadValue, text.span, words).label("such as `text/csv`"));
            None
        }
    }
}
