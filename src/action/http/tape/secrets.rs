//! The secrets of a request and its answer, as a recording must not hold them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use reqwest::Request;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::action::http::source::HttpSource;
use crate::action::mask::{self, MASK};

/// Characters of Base64 that are told from ordinary words.
const LEAST_ENCODED: usize = 8;
/// Headers of an answer that are not recorded: they are of one connection, or of one caller.
const LEFT_OUT: [&str; 7] =
    ["set-cookie", "date", "connection", "transfer-encoding", "content-length", "content-encoding", "alt-svc"];

/// What of a request and its answer does not belong into a file.
pub(super) struct Secrets<'s> {
    source: &'s HttpSource,
    /// The values of headers that are secret.
    headers: Vec<String>,
    /// What the secrets look like in Base64, wherever in it they stand.
    encoded: Vec<String>,
}

impl<'s> Secrets<'s> {
    pub(super) fn of(source: &'s HttpSource, request: &Request) -> Self {
        let all = source.headers().values().chain(request.headers().values());
        let sensitive = all.filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let mut headers: Vec<String> = sensitive.flat_map(credentials).map(str::to_owned).collect();
        // A secret that is a part of another one is looked for after it.
        headers.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        headers.dedup();
        Secrets { source, headers, encoded: encoded(source) }
    }

    /// With the tokens that were fetched meanwhile.
    pub(super) fn with_tokens(self) -> Self {
        Secrets { encoded: encoded(self.source), ..self }
    }

    /// The method and URL of a request, secrets masked.
    pub(super) fn line(&self, request: &Request) -> String {
        let mut url = self.unplaced(request.url().as_str());
        if let Some(query) = self.source.query() {
            url = url.replace(query.expose(), query.written());
        }
        format!("{} {}", request.method(), self.masked(&url))
    }

    pub(super) fn kept(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let kept = headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
        let text = |value: &HeaderValue| value.to_str().ok().map(|value| self.masked(value));
        kept.filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect()
    }

    /// A text without secrets.
    pub(super) fn masked(&self, text: &str) -> String {
        let text = mask::text(text.to_owned(), [self.source.query(), self.source.cookies()].into_iter().flatten());
        let text = self.source.mask(text);
        let others = self.headers.iter().chain(&self.encoded);
        others.fold(text, |text, secret| text.replace(secret.as_str(), MASK))
    }

    /// A body masked, one of JSON however its strings are escaped (RFC 8259, section 7).
    pub(super) fn masked_body(&self, text: &str) -> String {
        let masked = self.masked(text);
        match serde_json::from_str::<Value>(&masked) {
            Ok(json) => {
                let plain = self.masked_json(json.clone());
                if plain == json { masked } else { plain.to_string() }
            }
            Err(_) => masked,
        }
    }

    fn masked_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.masked(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.masked_json(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (self.masked(&name), self.masked_json(value))).collect()
            }
            other => other,
        }
    }

    /// The same for what is no text: its bytes as characters, of which there are as many.
    pub(super) fn masked_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        self.masked(&text).chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
    }

    /// With the source's base URL as the spec has it: `${API:-https://api.example.com}` is its default, wherever it led
    /// when the answer was recorded, and `${API}` stands as it is.
    pub(super) fn unplaced(&self, text: &str) -> String {
        text.replace(self.source.base().prefix.expose(), &self.address())
    }

    /// With the base URL as it is now, so that links in answers lead to where the API is.
    pub(super) fn placed(&self, text: &str) -> String {
        text.replace(&self.address(), self.source.base().prefix.expose())
    }

    fn address(&self) -> String {
        without_variables(self.source.base().prefix.written())
    }
}

/// A text in which each `${NAME:-DEFAULT}` is its default.
fn without_variables(written: &str) -> String {
    let mut rest = written;
    let mut text = String::new();
    while let Some((before, (variable, after))) =
        rest.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text.push_str(before);
        match variable.split_once(":-") {
            Some((_, default)) => text.push_str(default),
            None => text.extend(["${", variable, "}"]),
        }
        rest = after;
    }
    text + rest
}

/// How the secrets of a source begin and go on in Base64, of either alphabet: the characters that do not depend on what
/// stands around them, in each of the three places that a byte can have in a group.
fn encoded(source: &HttpSource) -> Vec<String> {
    let mut all = Vec::new();
    for secret in source.secrets().iter().map(|secret| secret.expose().as_bytes()) {
        for (engine, before) in [&STANDARD, &URL_SAFE].iter().flat_map(|engine| (0..3).map(move |n| (engine, n))) {
            let text = engine.encode([vec![0; before], secret.to_vec()].concat());
            let (from, to) = ((before * 8).div_ceil(6), (before + secret.len()) * 8 / 6);
            all.extend(text.get(from..to).filter(|core| core.len() >= LEAST_ENCODED).map(str::to_owned));
        }
    }
    all.sort_by_key(|core| std::cmp::Reverse(core.len()));
    all.dedup();
    all
}

/// A sensitive header's value, and the credentials behind its scheme.
fn credentials(value: &str) -> Vec<&str> {
    let behind = value.split_once(' ').map(|(_, credentials)| credentials);
    [Some(value), behind].into_iter().flatten().filter(|secret| secret.len() >= 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_the_default() {
        for (written, address) in [
            ("https://a.example", "https://a.example"),
            ("${API:-https://a.example}/v1", "https://a.example/v1"),
            ("https://${HOST:?which one}/${V:-v1}", "https://${HOST:?which one}/v1"),
            ("${API", "${API"),
        ] {
            assert_eq!(without_variables(written), address);
        }
    }
}
