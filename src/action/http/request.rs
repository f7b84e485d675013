//! A whole request: everything that can be is checked and encoded at load, the rest is bound at a call.

use std::borrow::Cow;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::field::{self, Field};
use super::source::HttpSource;
use super::target::{Target, path_of};
use super::{header, line};
use crate::action::mask::{self, MASK};
use crate::action::{Arguments, Builder, Limits, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::HttpAction;
use crate::spec::{Code, Diagnostic};
use crate::template::ValueTemplate;

/// What an API is asked for where the spec says nothing.
const ACCEPT_JSON: HeaderValue = HeaderValue::from_static("application/json, */*;q=0.5");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// [`MASK`], percent-encoded.
pub const ENCODED_MASK: &str = "%2A%2A%2A";

/// A compiled request.
#[derive(Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    pub(super) target: Target,
    /// The headers that are the same at each call, the source's among them.
    pub(super) fixed: HeaderMap,
    pub(super) headers: Vec<Field<HeaderName>>,
    pub(super) query: Vec<Field<String>>,
    pub(super) json: Option<ValueTemplate>,
    /// Params whose values are not shown.
    pub(super) secrets: Vec<String>,
}

/// What is known of a request from its line and source; `None` for what was at fault.
pub struct Parts<'p> {
    /// The method.
    pub method: Option<Method>,
    /// The rest of the line.
    pub target: Option<line::Template<'p>>,
    /// Where it goes.
    pub source: Option<&'p HttpSource>,
}

/// A request that is ready to be sent.
pub struct Bound {
    /// What is sent.
    pub request: reqwest::Request,
    /// Its method and path, for messages.
    pub what: String,
}

impl Request {
    /// Compiles it; mistakes are reported, those of the other parts too where one part is at fault.
    pub fn compile(
        parts: Parts<'_>,
        written: &HttpAction,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let errors = builder.sink.errors();
        let target = parts.target.and_then(|target| Target::compile(target, scope, builder));
        let mut fixed = parts.source.map(|source| source.headers().clone()).unwrap_or_default();
        let headers = headers(written, &mut fixed, scope, builder);
        let query = written.query.iter();
        let query = query.filter_map(|(name, text)| Field::compile(name.value.clone(), text, scope, builder)).collect();
        let json = written.json.as_ref().and_then(|node| {
            if let Some(method) = parts.method.as_ref().filter(|m| [Method::GET, Method::HEAD].contains(m)) {
                let words = format!("a {method} request has no body");
                let found = Diagnostic::error(Code::BadRequest, node.span, words);
                builder.sink.push(found.label("put values into the path or `query`, or use another method"));
            }
            builder.json(node, scope)
        });
        fixed.entry(ACCEPT).or_insert(ACCEPT_JSON);
        if json.is_some() {
            fixed.entry(CONTENT_TYPE).or_insert(JSON);
        }
        let secrets = scope.secrets();
        let sound = builder.sink.errors() == errors;
        let request = Request { method: parts.method?, target: target?, fixed, headers, query, json, secrets };
        sound.then_some(request)
    }

    /// The request with a call's values.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it.
    pub fn bind(&self, source: &HttpSource, arguments: &Arguments, limits: &Limits) -> Result<Bound, ActionError> {
        let mut target = self.target.expand(arguments)?;
        let what = self.what(&target, arguments);
        for field in &self.query {
            field.append(arguments, limits.max_bytes, &mut target)?;
        }
        let url = url(source, target)?;
        let mut request = reqwest::Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers(arguments, limits.max_bytes)?;
        if let Some(json) = self.body(arguments, limits.max_bytes)? {
            *request.body_mut() = Some(json.to_string().into());
        }
        Ok(Bound { request, what })
    }

    /// Method and path, for messages: they end up in logs, so what the caller keeps secret is masked.
    fn what(&self, target: &str, arguments: &Arguments) -> String {
        let shown = match self.secrets.is_empty() {
            true => Cow::Borrowed(target),
            false => self.target.show(&self.masked(arguments)).replace(ENCODED_MASK, MASK).into(),
        };
        match path_of(&shown) {
            "" => format!("{} /", self.method),
            path => format!("{} {path}", self.method),
        }
    }

    /// The arguments without secrets, for what is shown.
    pub(super) fn masked(&self, arguments: &Arguments) -> Arguments {
        mask::arguments(arguments, &self.secrets)
    }

    /// All headers of a call.
    pub(super) fn headers(&self, arguments: &Arguments, max_bytes: usize) -> Result<HeaderMap, ActionError> {
        let mut headers = self.fixed.clone();
        for field in &self.headers {
            if let Some(value) = field.header(arguments, max_bytes)? {
                headers.insert(field.name.clone(), value);
            }
        }
        Ok(headers)
    }

    /// The body of a call.
    pub(super) fn body(&self, arguments: &Arguments, max_bytes: usize) -> Result<Option<Value>, ActionError> {
        match &self.json {
            Some(json) => json.render(arguments, max_bytes).map_err(|fault| render_fault(&fault)),
            None => Ok(None),
        }
    }
}

/// The whole URL, checked again: whatever the values are, it is below the source's base.
fn url(source: &HttpSource, mut target: String) -> Result<Url, ActionError> {
    if let Some(query) = source.query() {
        field::append(&mut target, query.expose());
    }
    let base = source.base();
    let text = [base.prefix.expose(), &target].concat();
    match Url::parse(&text) {
        Ok(url) if base.holds(&url) => Ok(url),
        Ok(_) => Err(ActionError::invalid("the values would lead outside of the API's own address")),
        Err(_) => Err(ActionError::invalid("the values make no URL")),
    }
}

/// The action's headers: those without params go to the fixed ones, the others are given.
fn headers(
    written: &HttpAction,
    fixed: &mut HeaderMap,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Vec<Field<HeaderName>> {
    header::refuse_twice(written.headers.names(), builder.sink);
    let mut fields = Vec::new();
    for (name, text) in written.headers.iter() {
        let Some(name) = header::name(name, builder.sink) else { continue };
        let Some(field) = Field::compile(name, text, scope, builder) else { continue };
        match field.literal() {
            None => fields.push(field),
            Some(literal) => match header::value(literal) {
                Some(value) => {
                    fixed.insert(field.name.clone(), value);
                }
                None => {
                    let words = "a header can't hold line breaks or control characters";
                    builder.sink.error(Code::BadValue, text.span, words);
                }
            },
        }
    }
    fields
}
