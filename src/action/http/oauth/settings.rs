//! `auth: { oauth2: … }` as it is written, checked.

use reqwest::header::HeaderValue;
use url::form_urlencoded::byte_serialize;
use url::{Origin, Url};

use crate::action::http::auth::{given, secret};
use crate::action::http::base;
use crate::outcome::base64;
use crate::spec::model::api::{ClientAuth, OAuth2};
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned, Text};

/// How tokens are asked for. Nothing of it is printed.
#[derive(Clone, PartialEq)]
pub struct Settings {
    url: Url,
    /// The token endpoint, for messages.
    host: String,
    /// What the form always has.
    form: Vec<(String, String)>,
    basic: Option<HeaderValue>,
    refresh: Option<String>,
}

impl Settings {
    /// Reads `oauth2`, and what of it must not be seen; mistakes are reported.
    pub fn read(written: &OAuth2, sink: &mut Diagnostics) -> Option<(Settings, Vec<Text>)> {
        let url = written.token_url.get().and_then(|url| token_url(url, sink));
        let id = written.client_id.get().and_then(|id| given(id, sink));
        let key = written.client_secret.as_ref().map(|key| given(key, sink));
        let refresh = written.refresh_token.as_ref().map(|token| given(token, sink));
        if written.client_secret.is_none() && written.refresh_token.is_none() {
            let found = Diagnostic::error(Code::MissingKey, written.at, "a client without a secret gets no token");
            sink.push(found.label("give it `clientSecret`, or a `refreshToken`"));
            return None;
        }
        let (url, id) = (url?, id?);
        let key = if let Some(key) = key { Some(key?) } else { None };
        let refresh = if let Some(refresh) = refresh { Some(refresh?) } else { None };
        let mut form = vec![];
        let scopes: Vec<&str> = written.scopes.iter().flatten().map(|scope| scope.expose()).collect();
        if !scopes.is_empty() {
            form.push(("scope".to_owned(), scopes.join(" ")));
        }
        form.extend(written.params.iter().map(|(name, value)| (name.value.clone(), value.expose().to_owned())));
        let in_body = written.client_auth.as_ref().is_some_and(|auth| auth.value == ClientAuth::Body);
        let mut secrets: Vec<Text> = [key, refresh].into_iter().flatten().map(secret).collect();
        let basic = match key {
            Some(key) if !in_body => {
                // RFC 6749 section 2.3.1: each is encoded as in a form first
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let credentials = base64(format!("{}:{}", encoded(id), encoded(key)).as_bytes());
                secrets.push(secret(&credentials));
                let mut header = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
                header.set_sensitive(true);
                Some(header)
            }
            key => {
                form.push(("client_id".to_owned(), id.to_owned()));
                form.extend(key.map(|key| ("client_secret".to_owned(), key.to_owned())));
                None
            }
        };
        let secret_host = written.token_url.get().is_some_and(|url| url.is_secret());
        let host = if secret_host { "the token endpoint".to_owned() } else { base::authority(&url) };
        Some((Settings { url, host, form, basic, refresh: refresh.map(str::to_owned) }, secrets))
    }

    /// Where tokens are asked for.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The same, for messages.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and port of it.
    pub fn origin(&self) -> Origin {
        self.url.origin()
    }

    /// Whether it is https.
    pub fn tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The client's credentials, where `Authorization` shows them.
    pub fn basic(&self) -> Option<&HeaderValue> {
        self.basic.as_ref()
    }

    /// The spec's refresh token.
    pub fn refresh(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    /// What the token endpoint is told; `newer` is a refresh token that came after the spec's.
    pub fn form(&self, newer: Option<&str>) -> Vec<(String, String)> {
        let mut form = match self.refresh.as_deref().map(|spec| newer.unwrap_or(spec)) {
            Some(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
            None => vec![("grant_type", "client_credentials")],
        };
        form.extend(self.form.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

fn token_url(written: &Spanned<Text>, sink: &mut Diagnostics) -> Option<Url> {
    let url = Url::parse(written.expose()).ok();
    let sound = |url: &Url| {
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        matches!(url.scheme(), "http" | "https") && url.has_host() && bare
    };
    match url.filter(sound) {
        Some(url) => Some(url),
        None => {
            let found = Diagnostic::error(Code::BadRequest, written.span, "expected the URL of a token endpoint");
            sink.push(found.label("such as `https://login.example.org/oauth/token`"));
            None
        }
    }
}
