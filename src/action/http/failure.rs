//! `errors`: what the caller is told of a status that is not 2xx.

use indexmap::IndexMap;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Reader, bytes};
use crate::action::{Builder, Param, Scope};
use crate::outcome::formats::{MediaType, json, text};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model::HttpAction;
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;

/// Bytes of a failure's body that are read.
const BODY_BYTES: usize = 64 * 1024;
/// Characters of it that are told where the spec says nothing else.
const TOLD: usize = 500;
/// Characters of what the spec says.
const MAX_WORDS: usize = 4000;
/// Headers that templates see, and bytes of each.
const MAX_HEADERS: usize = 64;
const MAX_HEADER: usize = 1024;

/// The names that a template of `errors` has beside the params.
const NAMES: [&str; 4] = ["status", "reason", "body", "headers"];

/// Templates for failures, by status.
#[derive(Debug, Default)]
pub struct Errors(IndexMap<Statuses, Template>);

/// Which statuses a template is for. What is more exact goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Statuses {
    /// One: `404`.
    One(u16),
    /// Those of a class: `4xx`.
    Class(u16),
    /// `default`
    Any,
}

impl Statuses {
    fn parse(key: &str) -> Option<Statuses> {
        let class = key.strip_suffix("xx").or_else(|| key.strip_suffix("XX"));
        match (key, class.and_then(|digit| digit.parse().ok()), key.parse()) {
            ("default", ..) => Some(Statuses::Any),
            (_, Some(class @ (1 | 3..=5)), _) => Some(Statuses::Class(class)),
            (_, _, Ok(status @ (100..=199 | 300..=599))) => Some(Statuses::One(status)),
            _ => None,
        }
    }
}

impl Errors {
    /// Compiles them; mistakes are reported. `None` after one.
    pub fn compile(written: &HttpAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Errors> {
        let errors = builder.sink.errors();
        let mut all = IndexMap::new();
        if written.errors.is_empty() {
            return Some(Errors(all));
        }
        for name in NAMES {
            if let Some(clash) = scope.get(name) {
                let words = format!("`{name}` is a param, and what `errors` calls a part of the answer");
                let found = Diagnostic::error(Code::NameClash, clash.name.span, words);
                builder.sink.push(found.label("give the param another name"));
            }
        }
        let parts = NAMES.map(|name| Param {
            name: Spanned::new(name.to_owned(), written.at),
            schema: json!({}).into(),
            optional: false,
            secret: false,
        });
        let names: Vec<Param> = scope.params.iter().cloned().chain(parts).collect();
        let scope = Scope { params: &names, ..*scope };
        for (key, text) in written.errors.iter() {
            let Some(statuses) = Statuses::parse(key) else {
                let words = format!("`{}` is no status that is an error", key.value);
                let found = Diagnostic::error(Code::BadValue, key.span, words);
                builder.sink.push(found.label("such as `404`, `4xx`, `default`"));
                continue;
            };
            if let Some(template) = builder.template(text, &scope) {
                all.insert(statuses, template);
            }
        }
        (builder.sink.errors() == errors).then_some(Errors(all))
    }

    /// The error that an answer of another status than 2xx is.
    pub async fn failure(&self, response: Response, media: Option<&MediaType>, reader: &Reader<'_>) -> ActionError {
        let status = response.status();
        let headers = headers(response.headers());
        // a body that breaks off says no more than none
        let (body, cut) = bytes(response, BODY_BYTES).await.unwrap_or_default();
        let body = body_of(body, cut, media);
        let usual = reader.source.mask(usual(reader.what, status, &body));
        let kind = match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => ErrorKind::NotFound,
            _ => ErrorKind::Failed,
        };
        let Some(template) = self.template(status) else { return ActionError::new(kind, usual) };
        let mut names = reader.arguments.clone();
        names.insert("status".to_owned(), status.as_u16().into());
        names.insert("reason".to_owned(), status.canonical_reason().unwrap_or("").into());
        names.insert("body".to_owned(), body);
        names.insert("headers".to_owned(), Value::Object(headers));
        match template.render(&names, BODY_BYTES) {
            Ok(words) if !words.trim().is_empty() => {
                let words = reader.source.mask(words);
                ActionError::new(kind, shortened(words.trim(), MAX_WORDS)).detail(usual)
            }
            // the usual words are always there
            _ => ActionError::new(kind, usual),
        }
    }

    fn template(&self, status: StatusCode) -> Option<&Template> {
        let code = status.as_u16();
        let one = self.0.get(&Statuses::One(code)).or_else(|| self.0.get(&Statuses::Class(code / 100)));
        one.or_else(|| self.0.get(&Statuses::Any))
    }
}

/// What is told of a failure whose body was read already.
pub fn told(what: &str, status: StatusCode, body: Vec<u8>, cut: bool, media: Option<&MediaType>) -> String {
    usual(what, status, &body_of(body, cut, media))
}

/// Request, status and the first part of the body.
fn usual(what: &str, status: StatusCode, body: &Value) -> String {
    let mut words = format!("{what} answered {}", status.as_u16());
    if let Some(reason) = status.canonical_reason() {
        words.extend([" ", reason]);
    }
    let said = match body {
        Value::Null => String::new(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        body => body.to_string(),
    };
    if !said.is_empty() {
        words.extend([": ", &shortened(&said, TOLD)]);
    }
    words
}

fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}

/// JSON as it is, other text as a string; null for what is no text.
fn body_of(body: Vec<u8>, cut: bool, media: Option<&MediaType>) -> Value {
    use crate::outcome::formats::Format;
    use crate::outcome::formats::media_type::Kind;
    let kind = media.map(MediaType::kind);
    let is_json = matches!(kind, Some(Kind::Text(Format::Json)));
    match kind {
        _ if body.is_empty() => Value::Null,
        Some(Kind::Bytes) => Value::Null,
        None if std::str::from_utf8(&body).is_err() => Value::Null,
        _ => {
            let text = text::decode(body, media.and_then(|media| media.charset.as_deref()), cut);
            let read = is_json.then(|| json::read(&text, cut, BODY_BYTES).ok()).flatten();
            read.map_or_else(|| Value::from(text), |read| read.value)
        }
    }
}

/// Names in small letters, the first of several values.
fn headers(all: &HeaderMap) -> Map<String, Value> {
    let texts = all.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let mut seen = Map::new();
    for (name, value) in texts.filter(|(_, value)| value.len() <= MAX_HEADER).take(MAX_HEADERS) {
        seen.entry(name).or_insert_with(|| Value::from(value));
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_one_a_class_or_any() {
        for (key, statuses) in [
            ("404", Some(Statuses::One(404))),
            ("304", Some(Statuses::One(304))),
            ("4xx", Some(Statuses::Class(4))),
            ("5XX", Some(Statuses::Class(5))),
            ("default", Some(Statuses::Any)),
            ("200", None),
            ("2xx", None),
            ("6xx", None),
            ("40x", None),
            ("", None),
        ] {
            assert_eq!(Statuses::parse(key), statuses, "{key}");
        }
    }

    #[test]
    fn bodies_are_json_or_text() {
        let read =
            |body: &[u8], media: Option<&str>| body_of(body.to_vec(), false, media.map(MediaType::parse).as_ref());
        assert_eq!(read(b"{\"a\":1}", Some("application/problem+json")), json!({ "a": 1 }));
        assert_eq!(read(b"{\"a\":1}", Some("text/plain")), json!("{\"a\":1}"));
        assert_eq!(read(b"no", Some("application/json")), json!("no"));
        assert_eq!(read(b"caf\xe9", Some("text/html; charset=latin1")), json!("café"));
        assert_eq!(read(b"\xff", Some("application/octet-stream")), Value::Null);
        assert_eq!(read(b"\xff", None), Value::Null);
        assert_eq!(read(b"", None), Value::Null);
    }
}
