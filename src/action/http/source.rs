//! An HTTP API: where it is, what every request to it carries, and where it may redirect to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::HeaderMap;
use url::Origin;

use super::auth::{Credentials, Means};
use super::base::{self, Base, Wrong};
use super::client::{self, Reach};
use super::header;
use crate::action::mask::{self, MASK};
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned, Text, model};
use crate::uri::encode_segment;

/// An open HTTP source: its configuration and its connections.
pub struct HttpSource {
    config: Config,
    /// For the source's own origin.
    client: Client,
    /// For the origins that `redirects` lists; `None` if it lists none.
    elsewhere: Option<Client>,
}

/// All that two sources have to share for one to stand in for the other.
#[derive(PartialEq)]
struct Config {
    base: Base,
    headers: HeaderMap,
    /// Encoded, without a `?`; written with secrets masked.
    query: Option<Text>,
    timeout: Option<Duration>,
    redirects: Vec<Origin>,
    allow_private: bool,
    secrets: Vec<Text>,
}

impl HttpSource {
    /// Checks a source and opens it; no connection is made yet. The previous source is given back if it has the same
    /// configuration. `None` after mistakes, all of which are reported.
    pub fn open(
        name: &Spanned<String>,
        written: &model::HttpSource,
        previous: Option<&Arc<HttpSource>>,
        sink: &mut Diagnostics,
    ) -> Option<Arc<HttpSource>> {
        let config = Config::read(name, written, sink)?;
        if let Some(previous) = previous.filter(|p| p.config == config) {
            return Some(previous.clone());
        }
        match Self::with(config) {
            Ok(source) => Some(Arc::new(source)),
            Err(why) => {
                let words = format!("no HTTP client can be set up: {why}");
                sink.push(Diagnostic::error(Code::Unreachable, name.span, words));
                None
            }
        }
    }

    /// What stands in for a source where an action names a whole URL.
    ///
    /// # Errors
    /// If this machine has no certificates.
    pub fn bare(base: Base) -> Result<Arc<HttpSource>, String> {
        let client = client::shared(base.tls)?;
        let config = Config {
            base,
            headers: HeaderMap::new(),
            query: None,
            timeout: None,
            redirects: Vec::new(),
            allow_private: false,
            secrets: Vec::new(),
        };
        Ok(Arc::new(HttpSource { config, client, elsewhere: None }))
    }

    fn with(config: Config) -> Result<Self, String> {
        let client = client::build(Reach { tls: config.base.tls, private: true })?;
        let elsewhere = match config.redirects.is_empty() {
            true => None,
            false => {
                let tls = config.redirects.iter().any(|o| matches!(o, Origin::Tuple(scheme, ..) if scheme == "https"));
                Some(client::build(Reach { tls, private: config.allow_private })?)
            }
        };
        Ok(HttpSource { config, client, elsewhere })
    }

    /// Where it is.
    pub fn base(&self) -> &Base {
        &self.config.base
    }

    /// What every request carries, credentials among it.
    pub fn headers(&self) -> &HeaderMap {
        &self.config.headers
    }

    /// What every request's query has, encoded, without a `?`; written with secrets masked.
    pub fn query(&self) -> Option<&Text> {
        self.config.query.as_ref()
    }

    /// How long a call may take that does not say otherwise.
    pub fn timeout(&self) -> Option<Duration> {
        self.config.timeout
    }

    /// What connects to this origin; `None` if a redirect may not lead there.
    pub fn client(&self, origin: &Origin) -> Option<&Client> {
        match *origin == self.config.base.origin {
            true => Some(&self.client),
            false if self.config.redirects.contains(origin) => self.elsewhere.as_ref(),
            false => None,
        }
    }

    /// Whether redirects may lead to addresses that are not on the internet.
    pub fn allows_private(&self) -> bool {
        self.config.allow_private
    }

    /// A text from outside, with this source's secrets masked.
    pub fn mask(&self, text: String) -> String {
        mask::text(text, &self.config.secrets)
    }
}

/// Nothing of the configuration is printed: secrets stand anywhere in it.
impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("host", &self.config.base.host).finish_non_exhaustive()
    }
}

impl Config {
    fn read(name: &Spanned<String>, written: &model::HttpSource, sink: &mut Diagnostics) -> Option<Config> {
        let errors = sink.errors();
        let url = written.url.get();
        let base = url.and_then(|url| reported(Base::parse(url, Some(name)), url, sink));
        let credentials = written.auth.as_ref().and_then(|auth| Credentials::read(auth, sink));
        let redirects = written.redirects.iter().flatten();
        let redirects = redirects.filter_map(|r| reported(base::origin(r.expose()), r, sink)).collect();
        let mut query = Query::default();
        let mut config = Config {
            headers: headers(written, sink),
            query: None,
            timeout: written.timeout.as_ref().map(|t| t.value),
            redirects,
            allow_private: written.allow_private.as_ref().is_some_and(|a| a.value),
            secrets: secrets(written),
            base: base?,
        };
        written.query.iter().for_each(|(name, value)| query.push(name, value));
        if let Some(credentials) = credentials {
            config.secrets.extend(credentials.secrets);
            match credentials.means {
                Means::Query(name, value) => query.push(&name, &value),
                Means::Header(name, value) => {
                    if config.headers.insert(&name, value).is_some() {
                        let words = format!("`{name}` is set by `headers` and by `auth`");
                        let place = written.auth.as_ref().map_or(written.at, |auth| auth.at);
                        sink.error(Code::DuplicateKey, place, words);
                    }
                }
            }
        }
        config.query = query.finish();
        config.secrets = config.secrets.iter().flat_map(|secret| spellings(secret.expose())).collect();
        (sink.errors() == errors).then_some(config)
    }
}

/// The value, or its mistake at its place.
fn reported<T>(read: Result<T, Wrong>, text: &Spanned<Text>, sink: &mut Diagnostics) -> Option<T> {
    read.map_err(|wrong| sink.push(Diagnostic::error(Code::BadRequest, text.span, wrong.message).label(wrong.label)))
        .ok()
}

fn headers(written: &model::HttpSource, sink: &mut Diagnostics) -> HeaderMap {
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

/// Every value from outside, and what stands after its last space: `Token ${KEY}`.
fn secrets(written: &model::HttpSource) -> Vec<Text> {
    let values = written.headers.iter().chain(written.query.iter()).map(|(_, value)| &value.value);
    let secret = values.filter(|value| value.is_secret()).map(Text::expose);
    let parts = secret.flat_map(|s| [Some(s), s.rsplit_once(' ').map(|(_, last)| last)]).flatten();
    parts.map(|s| Text::new(MASK).with_value(s.to_owned())).collect()
}

/// A secret as it may come back in an answer: as it is, percent-encoded as in a URL, or inside of JSON.
fn spellings(secret: &str) -> Vec<Text> {
    let encoded = encode_segment(secret);
    let small = encoded.split('%').enumerate().map(|(i, part)| match part.split_at_checked(2) {
        Some((digits, rest)) if i > 0 => format!("%{}{rest}", digits.to_ascii_lowercase()),
        _ => part.to_owned(),
    });
    let small = small.collect::<String>();
    let form = encoded.replace("%20", "+");
    let quoted = serde_json::Value::from(secret).to_string();
    let quoted = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or(&quoted).to_owned();
    let mut all = vec![secret.to_owned()];
    for other in [encoded, small, form, quoted] {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all.into_iter().map(|s| Text::new("***").with_value(s)).collect()
}

/// A query that is being put together, as it is and as it may be seen.
#[derive(Default)]
struct Query {
    real: String,
    shown: String,
}

impl Query {
    fn push(&mut self, name: &str, value: &Text) {
        let name = encode_segment(name);
        let encoded = encode_segment(value.expose());
        let shown = if value.is_secret() { MASK } else { &encoded };
        for (query, value) in [(&mut self.real, encoded.as_str()), (&mut self.shown, shown)] {
            if !query.is_empty() {
                query.push('&');
            }
            query.extend([&name, "=", value]);
        }
    }

    fn finish(self) -> Option<Text> {
        (!self.real.is_empty()).then(|| Text::new(self.shown).with_value(self.real))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_every_spelling() {
        let all: Vec<String> = spellings("a+b/c =\"\\").iter().map(|s| s.expose().to_owned()).collect();
        for spelling in
            ["a+b/c =\"\\", "a%2Bb%2Fc%20%3D%22%5C", "a%2bb%2fc%20%3d%22%5c", "a%2Bb%2Fc+%3D%22%5C", "a+b/c =\\\"\\\\"]
        {
            assert!(all.iter().any(|s| s == spelling), "{spelling} is not in {all:?}");
        }
        assert_eq!(spellings("plain-token").len(), 1);
    }
}
