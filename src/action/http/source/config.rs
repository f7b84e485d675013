//! A source as it is written, checked: all that two sources have to share for one to stand in for the other.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use url::{Origin, Url};

use super::pairs::Pairs;
use super::secret::{secrets, spellings};
use crate::action::gate::{Bounds, count};
use crate::action::http::auth::{Credentials, Means};
use crate::action::http::base::{self, Base, Wrong};
use crate::action::http::breaker::Threshold;
use crate::action::http::cache::Keep;
use crate::action::http::client::Connections;
use crate::action::http::oauth::Settings;
use crate::action::http::retry::Retry;
use crate::action::http::tls::Tls;
use crate::action::http::{cookie, header};
use crate::action::store::Room;
use crate::spec::model::api;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned, Text};

/// A sound source.
#[derive(PartialEq)]
pub struct Config {
    pub base: Base,
    /// What every request carries.
    pub headers: HeaderMap,
    /// The header that credentials stand in.
    pub auth_header: Option<HeaderName>,
    /// Encoded, without a `?`; written with secrets masked.
    pub query: Option<Text>,
    /// As in a `Cookie` header; written with secrets masked.
    pub cookies: Option<Text>,
    pub oauth: Option<Settings>,
    pub timeout: Option<Duration>,
    pub connections: Connections,
    pub retry: Retry,
    pub bounds: Bounds,
    pub threshold: Option<Threshold>,
    pub keep: Option<Keep>,
    pub room: Room,
    pub redirects: Vec<Origin>,
    pub allow_private: bool,
    pub secrets: Vec<Text>,
}

impl Config {
    /// Whether connections and tokens of the one do for the other: what else a request carries, and how long it may
    /// take, is not of the connection.
    pub fn connects_like(&self, other: &Config) -> bool {
        let to = |config: &Config| (config.base.origin.clone(), config.base.tls, config.allow_private);
        to(self) == to(other)
            && self.connections == other.connections
            && self.oauth == other.oauth
            && self.redirects == other.redirects
    }
}

/// The most answers that a cache may be told to hold.
const MOST_ENTRIES: u64 = 10_000;
/// The most connections that may be told to be kept.
const MOST_IDLE: u64 = 10_000;

impl Config {
    /// The configuration of what has nothing but an address.
    pub fn bare(base: Base) -> Config {
        Config {
            base,
            headers: HeaderMap::new(),
            auth_header: None,
            query: None,
            cookies: None,
            oauth: None,
            timeout: None,
            connections: Connections::default(),
            retry: Retry::default(),
            bounds: Bounds::default(),
            threshold: None,
            keep: None,
            room: Room::default(),
            redirects: Vec::new(),
            allow_private: false,
            secrets: Vec::new(),
        }
    }

    /// Reads a source; mistakes are reported. Files that it names are added to `inputs`.
    pub fn read(
        name: &Spanned<String>,
        written: &api::HttpSource,
        files: &Files,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<Config> {
        let errors = sink.errors();
        let url = written.url.get();
        let base = url.and_then(|url| reported(Base::parse(url, Some(name)), url, sink));
        let credentials = written.requests.auth.as_ref().and_then(|auth| Credentials::read(auth, sink));
        let redirects = written.redirects.origins.iter().flatten();
        let redirects = redirects.filter_map(|r| reported(base::origin(r.expose()), r, sink)).collect();
        let tls = written.requests.tls.as_ref().map(|tls| Tls::read(tls, files, sink, inputs));
        let timeout = written.requests.timeout.as_ref().map(|t| &t.0);
        let mut config = Config {
            headers: headers(&written.requests, sink),
            timeout: timeout.and_then(|t| t.total.as_ref()).map(|t| t.value),
            connections: connections(&written.requests, tls.flatten().unwrap_or_default(), sink),
            retry: written.requests.retry.as_ref().map(|retry| Retry::read(retry, sink)).unwrap_or_default(),
            bounds: Bounds::read(written.requests.rate_limit.as_ref(), written.requests.concurrency.as_ref(), sink),
            threshold: written.requests.circuit_breaker.as_ref().and_then(|breaker| Threshold::read(breaker, sink)),
            keep: written.cache.as_ref().map(|cache| Keep { ttl: cache.ttl.as_ref().map(|ttl| ttl.value) }),
            room: room(written.cache.as_ref(), sink),
            redirects,
            allow_private: written.redirects.allow_private.as_ref().is_some_and(|a| a.value),
            secrets: secrets(&written.requests),
            ..Config::bare(base?)
        };
        config.authorize(written, credentials, sink);
        config.refuse_unchecked(written, sink);
        config.secrets = config.secrets.iter().flat_map(|secret| spellings(secret.expose())).collect();
        (sink.errors() == errors).then_some(config)
    }

    /// Puts query, cookies and credentials together.
    fn authorize(&mut self, written: &api::HttpSource, credentials: Option<Credentials>, sink: &mut Diagnostics) {
        let (mut query, mut cookies) = (Pairs::default(), Pairs::default());
        written.requests.query.iter().for_each(|(name, value)| query.query(name, value));
        for (name, value) in written.requests.cookies.iter() {
            let Some(name) = cookie::name(name, sink) else { continue };
            match cookie::is_value(value.expose()) {
                true => cookies.cookie(&name, value),
                false => sink.error(Code::BadValue, value.span, cookie::VALUE),
            }
        }
        let place = written.requests.auth.as_ref().map_or(written.at, |auth| auth.at);
        let mut twice = |words: String| sink.error(Code::DuplicateKey, place, words);
        let Credentials { means, secrets } = match credentials {
            Some(credentials) => credentials,
            None => Credentials { means: Means::None, secrets: Vec::new() },
        };
        self.secrets.extend(secrets);
        match means {
            Means::None => {}
            Means::Query(name, value) => query.query(&name, &value),
            Means::Cookie(name, _) if written.requests.cookies.names().any(|n| n.value == name) => {
                twice(format!("the cookie `{name}` is set by `cookies` and by `auth`"));
            }
            Means::Cookie(name, value) => cookies.cookie(&name, &value),
            Means::Header(name, value) => {
                if self.headers.insert(&name, value).is_some() {
                    twice(format!("`{name}` is set by `headers` and by `auth`"));
                }
                self.auth_header = Some(name);
            }
            Means::OAuth2(settings) => {
                if self.headers.contains_key(reqwest::header::AUTHORIZATION) {
                    twice("`authorization` is set by `headers` and by `auth`".to_owned());
                }
                self.auth_header = Some(reqwest::header::AUTHORIZATION);
                self.oauth = Some(settings);
            }
        }
        self.query = query.finish();
        self.cookies = cookies.finish();
    }

    /// A proxy looks names up by itself, so that nobody here sees to which address a redirect elsewhere leads.
    fn refuse_unchecked(&self, written: &api::HttpSource, sink: &mut Diagnostics) {
        if let (Some(proxy), false, false) = (&written.requests.proxy, self.redirects.is_empty(), self.allow_private) {
            let words = "behind a proxy it can't be seen to which addresses `redirects` lead";
            let found = Diagnostic::error(Code::BadValue, proxy.span, words);
            sink.push(found.label("say `allowPrivate: true` if they may lead anywhere, or leave `redirects` out"));
        }
    }
}

fn connections(written: &api::Requests, tls: Tls, sink: &mut Diagnostics) -> Connections {
    let timeout = written.timeout.as_ref().map(|t| &t.0);
    let pool = written.pool.as_ref();
    Connections {
        connect_timeout: timeout.and_then(|t| t.connect.as_ref()).map(|t| t.value),
        http2: written.http2.as_ref().map(|h| h.value),
        max_idle: pool.and_then(|p| p.max_idle.as_ref()).and_then(|n| count(n, 0, MOST_IDLE, sink)),
        idle_timeout: pool.and_then(|p| p.idle_timeout.as_ref()).map(|t| t.value),
        proxy: written.proxy.as_ref().and_then(|proxy| self::proxy(proxy, sink)),
        tls,
    }
}

fn proxy(written: &Spanned<Text>, sink: &mut Diagnostics) -> Option<String> {
    let url = Url::parse(written.expose()).ok();
    let sound = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/";
    match url.filter(sound) {
        Some(url) => Some(url.into()),
        None => {
            let found = Diagnostic::error(Code::BadRequest, written.span, "expected the URL of a proxy");
            sink.push(found.label("such as `http://proxy.example.org:3128`"));
            None
        }
    }
}

fn room(written: Option<&api::Cache>, sink: &mut Diagnostics) -> Room {
    let default = Room::default();
    let entries = written.and_then(|c| c.max_entries.as_ref()).and_then(|n| count(n, 1, MOST_ENTRIES, sink));
    let bytes = written.and_then(|c| c.max_bytes.as_ref()).map(|b| b.value.0);
    Room { entries: entries.unwrap_or(default.entries), bytes: bytes.unwrap_or(default.bytes) }
}

/// The value, or its mistake at its place.
fn reported<T>(read: Result<T, Wrong>, text: &Spanned<Text>, sink: &mut Diagnostics) -> Option<T> {
    read.map_err(|wrong| sink.push(Diagnostic::error(Code::BadRequest, text.span, wrong.message).label(wrong.label)))
        .ok()
}

fn headers(written: &api::Requests, sink: &mut Diagnostics) -> HeaderMap {
    let mut headers = HeaderMap::new();
    header::refuse_twice(written.headers.names(), sink);
    for (name, text) in written.headers.iter() {
        let Some(name) = header::name(name, sink) else { continue };
        match header::value(text.expose()) {
            Some(mut value) => {
                value.set_sensitive(text.is_secret());
                headers.insert(name, value);
            }
            None => sink.error(Code::BadValue, text.span, "a header can't hold line breaks or control characters"),
        }
    }
    headers
}
