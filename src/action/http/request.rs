//! A whole request: everything that can be is checked and encoded at load, the rest is bound at a call.

use std::borrow::Cow;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::body::Body;
use super::field::{self, Field};
use super::source::HttpSource;
use super::target::{Target, path_of};
use super::{cookie, header, line};
use crate::action::mask::{self, MASK};
use crate::action::{Arguments, Builder, Limits, Scope};
use crate::outcome::ActionError;
use crate::spec::model::HttpAction;
use crate::spec::{Code, Diagnostic, Text};

/// What an API is asked for where the spec says nothing.
const ACCEPT_JSON: HeaderValue = HeaderValue::from_static("application/json, */*;q=0.5");

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
    pub(super) cookies: Vec<Field<String>>,
    pub(super) body: Body,
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
        let headers = headers(written, parts.source, &mut fixed, scope, builder);
        let query = written.query.iter();
        let query = query.filter_map(|(name, text)| Field::compile(name.value.clone(), text, scope, builder)).collect();
        let cookies = cookies(written, scope, builder);
        let body = Body::compile(written, parts.method.as_ref(), scope, builder);
        fixed.entry(ACCEPT).or_insert(ACCEPT_JSON);
        if let Some(media) = body.as_ref().and_then(Body::content_type) {
            fixed.entry(CONTENT_TYPE).or_insert(media);
        }
        let secrets = scope.secrets();
        let sound = builder.sink.errors() == errors;
        let request =
            Request { method: parts.method?, target: target?, fixed, headers, query, cookies, body: body?, secrets };
        sound.then_some(request)
    }

    /// The request with a call's values; files that it sends are opened.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it, or a file can't be read.
    pub async fn bind(
        &self,
        source: &HttpSource,
        arguments: &Arguments,
        limits: &Limits,
    ) -> Result<Bound, ActionError> {
        let (url, what) = self.url(source, arguments, limits.max_bytes)?;
        let mut request = reqwest::Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers(arguments, limits.max_bytes)?;
        if let Some(cookies) = self.cookies(source.cookies().map(Text::expose), arguments, limits.max_bytes)? {
            request.headers_mut().insert(COOKIE, cookies);
        }
        self.body.render(arguments, limits.max_bytes)?.put(&mut request, source.home()).await?;
        Ok(Bound { request, what })
    }

    /// The URL of a call, and method and path for messages.
    ///
    /// # Errors
    /// If a value can't stand where the spec puts it.
    pub(super) fn url(
        &self,
        source: &HttpSource,
        arguments: &Arguments,
        max_bytes: usize,
    ) -> Result<(Url, String), ActionError> {
        let mut target = self.target.expand(arguments)?;
        let what = self.what(&target, arguments);
        for field in &self.query {
            field.append(arguments, max_bytes, &mut target)?;
        }
        Ok((url(source, target)?, what))
    }

    /// The `Cookie` header of a call: the action's cookies after `first`, the source's. Marked sensitive.
    pub(super) fn cookies(
        &self,
        first: Option<&str>,
        arguments: &Arguments,
        max_bytes: usize,
    ) -> Result<Option<HeaderValue>, ActionError> {
        let mut cookies = first.unwrap_or("").to_owned();
        for field in &self.cookies {
            field.cookie(arguments, max_bytes, &mut cookies)?;
        }
        let value = header::value(&cookies).filter(|_| !cookies.is_empty());
        Ok(value.map(|mut value| {
            value.set_sensitive(true);
            value
        }))
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
    source: Option<&HttpSource>,
    fixed: &mut HeaderMap,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Vec<Field<HeaderName>> {
    header::refuse_twice(written.headers.names(), builder.sink);
    let mut fields = Vec::new();
    for (name, text) in written.headers.iter() {
        let place = name.span;
        let Some(name) = header::name(name, builder.sink) else { continue };
        if source.and_then(HttpSource::auth_header) == Some(&name) {
            let words = format!("`{name}` is set by the source's `auth`");
            builder.sink.push(Diagnostic::error(Code::DuplicateKey, place, words).label("an action can't replace it"));
            continue;
        }
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

/// The action's cookies; what is wrong in one without params is reported.
fn cookies(written: &HttpAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Vec<Field<String>> {
    let mut fields = Vec::new();
    for (name, text) in written.cookies.iter() {
        let Some(name) = cookie::name(name, builder.sink) else { continue };
        let Some(field) = Field::compile(name, text, scope, builder) else { continue };
        if field.literal().is_some_and(|literal| !cookie::is_value(literal)) {
            builder.sink.error(Code::BadValue, text.span, cookie::VALUE);
        }
        fields.push(field);
    }
    fields
}
