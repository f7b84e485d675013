//! A request as it may be seen.

use reqwest::header::{AUTHORIZATION, HeaderMap};

use super::field;
use super::request::{ENCODED_MASK, Request};
use super::source::HttpSource;
use crate::action::mask::MASK;
use crate::action::{Arguments, Limits};
use crate::outcome::ActionError;

/// The request line, headers and body of a call; secrets of the spec and of the caller are masked.
///
/// # Errors
/// If a value can't stand where the spec puts it.
pub fn explain(
    request: &Request,
    source: &HttpSource,
    arguments: &Arguments,
    limits: &Limits,
) -> Result<String, ActionError> {
    request.bind(source, arguments, limits)?;
    let arguments = request.masked(arguments);
    let mut target = request.target.show(&arguments);
    for field in &request.query {
        field.append(&arguments, limits.max_bytes, &mut target)?;
    }
    if let Some(query) = source.query() {
        field::append(&mut target, query.written());
    }
    let target = target.replace(ENCODED_MASK, MASK);
    let mut text = format!("{} {}{target}", request.method, source.base().prefix.written());
    show_headers(&request.headers(&arguments, limits.max_bytes)?, &mut text);
    if let Some(body) = request.body(&arguments, limits.max_bytes)? {
        text.extend(["\n\n", &format!("{body:#}")]);
    }
    Ok(text)
}

fn show_headers(headers: &HeaderMap, text: &mut String) {
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
