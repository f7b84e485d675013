//! A source's `auth`.

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::oauth::Settings;
use super::{cookie, header};
use crate::action::mask::MASK;
use crate::outcome::base64;
use crate::spec::model::api::{ApiKey, Basic};
use crate::spec::model::{Auth, Str};
use crate::spec::{Code, Diagnostic, Diagnostics, Span, Spanned, Text};

/// How requests show who sends them.
pub struct Credentials {
    /// Where it is shown.
    pub means: Means,
    /// What must not be seen in a message.
    pub secrets: Vec<Text>,
}

/// Where credentials stand in a request.
pub enum Means {
    /// Nowhere.
    None,
    /// In a header; the value is marked sensitive.
    Header(HeaderName, HeaderValue),
    /// In the query.
    Query(String, Text),
    /// In a cookie.
    Cookie(String, Text),
    /// In `Authorization`, as a token that is fetched first.
    OAuth2(Settings),
}

impl Credentials {
    /// Reads `auth`; mistakes are reported, but for those in a value, which have been.
    pub fn read(auth: &Auth, sink: &mut Diagnostics) -> Option<Credentials> {
        match (&auth.bearer, &auth.basic, &auth.api_key, &auth.oauth2) {
            (Some(token), None, None, None) => bearer(token.0.as_ref()?, sink),
            (None, Some(basic), None, None) => self::basic(basic.0.as_ref()?, sink),
            (None, None, Some(key), None) => api_key(key.0.as_ref()?, sink),
            (None, None, None, Some(oauth)) => {
                let (settings, secrets) = Settings::read(oauth.0.as_ref()?, sink)?;
                Some(Credentials { means: Means::OAuth2(settings), secrets })
            }
            (None, None, None, None) if auth.faulty => None,
            _ => {
                let found = Diagnostic::error(Code::BadValue, auth.at, "`auth` is exactly one thing");
                sink.push(found.label("one of `bearer`, `basic`, `apiKey`, `oauth2`"));
                None
            }
        }
    }
}

/// RFC 6750 section 2.1.
fn bearer(token: &Spanned<Text>, sink: &mut Diagnostics) -> Option<Credentials> {
    let value = format!("Bearer {}", given(token, sink)?);
    in_header(AUTHORIZATION, &value, vec![secret(token.expose())], token.span, sink)
}

/// RFC 7617 section 2.
fn basic(basic: &Basic, sink: &mut Diagnostics) -> Option<Credentials> {
    let (user, password) = (basic.username.get()?, basic.password.get()?);
    if user.expose().contains(':') {
        let found = Diagnostic::error(Code::BadValue, user.span, "a user name can't hold a `:`");
        sink.push(found.label("it would end there (RFC 7617)"));
        return None;
    }
    let encoded = base64(format!("{}:{}", user.expose(), password.expose()).as_bytes());
    let secrets = vec![secret(password.expose()), secret(&encoded)];
    in_header(AUTHORIZATION, &format!("Basic {encoded}"), secrets, basic.at, sink)
}

fn api_key(key: &ApiKey, sink: &mut Diagnostics) -> Option<Credentials> {
    let value = key.value.get()?;
    let text = given(value, sink)?;
    let secrets = vec![secret(text)];
    match (&key.header, &key.query, &key.cookie) {
        (Some(name), None, None) => in_header(header::name(name, sink)?, text, secrets, value.span, sink),
        (None, Some(name), None) => {
            Some(Credentials { means: Means::Query(query_name(name, sink)?, secret(text)), secrets })
        }
        (None, None, Some(name)) => {
            let name = cookie::name(name, sink)?;
            if !cookie::is_value(text) {
                sink.error(Code::BadValue, value.span, cookie::VALUE);
                return None;
            }
            Some(Credentials { means: Means::Cookie(name, secret(text)), secrets })
        }
        (None, None, None) if key.faulty => None,
        _ => {
            let found = Diagnostic::error(Code::BadValue, key.at, "an `apiKey` goes to exactly one place");
            sink.push(found.label("give it one of `header`, `query`, `cookie`"));
            None
        }
    }
}

fn in_header(
    name: HeaderName,
    value: &str,
    secrets: Vec<Text>,
    span: Span,
    sink: &mut Diagnostics,
) -> Option<Credentials> {
    let Some(mut value) = header::value(value) else {
        let words = "it holds a line break or another control character, which no header can";
        sink.error(Code::BadValue, span, words);
        return None;
    };
    value.set_sensitive(true);
    Some(Credentials { means: Means::Header(name, value), secrets })
}

fn query_name(name: &Str, sink: &mut Diagnostics) -> Option<String> {
    if name.value.is_empty() {
        sink.error(Code::BadValue, name.span, "the name is empty");
        return None;
    }
    Some(name.value.clone())
}

/// The text, which must not be empty; reported otherwise.
pub fn given<'t>(text: &'t Spanned<Text>, sink: &mut Diagnostics) -> Option<&'t str> {
    if text.expose().is_empty() {
        sink.error(Code::BadValue, text.span, "it is empty");
        return None;
    }
    Some(text.expose())
}

/// A secret even where the spec itself holds it.
pub fn secret(value: &str) -> Text {
    Text::new(MASK).with_value(value.to_owned())
}
