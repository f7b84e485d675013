//! A request as it may be seen, and where in it each param goes.

use std::borrow::Cow;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};

use super::field;
use super::request::{ENCODED_MASK, Request};
use super::source::HttpSource;
use crate::action::mask::MASK;
use crate::action::{Arguments, Limits};
use crate::outcome::ActionError;
use crate::spec::Text;

/// The request line, headers and body of a call; secrets of the spec and of the caller are masked. Then, for each param,
/// the places that it goes to.
///
/// # Errors
/// If a value can't stand where the spec puts it.
pub fn explain(
    request: &Request,
    source: &HttpSource,
    arguments: &Arguments,
    limits: &Limits,
) -> Result<String, ActionError> {
    let max = limits.max_bytes;
    request.url(source, arguments, max)?;
    request.headers(arguments, max)?;
    request.cookies(None, arguments, max)?;
    request.body.render(arguments, max)?;
    let arguments = request.masked(arguments);
    let mut target = request.target.show(&arguments);
    for field in &request.query {
        field.append(&arguments, max, &mut target)?;
    }
    if let Some(query) = source.query() {
        field::append(&mut target, query.written());
    }
    let target = target.replace(ENCODED_MASK, MASK);
    let mut text = format!("{} {}{target}", request.method, source.base().prefix.written());
    let mut headers = request.headers(&arguments, max)?;
    show_token(source, &mut headers);
    if let Some(mut cookies) = request.cookies(source.cookies().map(Text::written), &arguments, max)? {
        cookies.set_sensitive(false);
        headers.insert(COOKIE, cookies);
    }
    show_headers(&headers, &mut text);
    if let Some(body) = request.body.render(&arguments, max)?.shown() {
        text.extend(["\n\n", &body.replace(ENCODED_MASK, MASK)]);
    }
    show_places(request, &mut text);
    Ok(text)
}

/// Puts a token's place in, where the source fetches one.
pub fn show_token(source: &HttpSource, headers: &mut HeaderMap) {
    if source.oauth().is_some() {
        let mut token = HeaderValue::from_static("Bearer ***");
        token.set_sensitive(true);
        headers.insert(AUTHORIZATION, token);
    }
}

/// A line for each header, secrets masked.
pub fn show_headers(headers: &HeaderMap, text: &mut String) {
    for (name, value) in headers {
        let shown = String::from_utf8_lossy(value.as_bytes());
        let shown = match (value.is_sensitive(), shown.split_once(' ')) {
            // the scheme of RFC 9110 section 11.4 is no secret
            (true, Some((scheme, _))) if *name == AUTHORIZATION => format!("{scheme} {MASK}"),
            (true, _) => MASK.to_owned(),
            (false, _) => shown.into_owned(),
        };
        text.extend(["\n", name.as_str(), ": ", &shown]);
    }
}

/// `id → path`, a line for each param.
fn show_places(request: &Request, text: &mut String) {
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    let mut into = |name: &str, place: Cow<'_, str>| match places.iter_mut().find(|(known, _)| known == name) {
        Some((_, all)) if all.iter().any(|known| *known == place) => {}
        Some((_, all)) => all.push(place.into_owned()),
        None => places.push((name.to_owned(), vec![place.into_owned()])),
    };
    request.target.places(&mut into);
    for field in &request.query {
        field.names().for_each(|name| into(name, format!("query `{}`", field.name).into()));
    }
    for field in &request.headers {
        field.names().for_each(|name| into(name, format!("header `{}`", field.name).into()));
    }
    for field in &request.cookies {
        field.names().for_each(|name| into(name, format!("cookie `{}`", field.name).into()));
    }
    request.body.places(&mut into);
    if !places.is_empty() {
        text.push('\n');
    }
    for (name, places) in places {
        text.extend(["\n", &name, " → ", &places.join(", ")]);
    }
}
