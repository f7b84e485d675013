//! An HTTP API: where it is, what every request to it carries, and all that its requests share.

mod config;
mod pairs;
mod secret;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName};
use url::Origin;

use super::base::Base;
use super::breaker::Breaker;
use super::cache::{Keep, Kept};
use super::client::{self, Reach};
use super::oauth::OAuth;
use super::retry::Retry;
use crate::action::gate::Gate;
use crate::action::mask;
use crate::action::store::Store;
use crate::spec::model::api;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned, Text};
use config::Config;

/// An open HTTP source: its configuration, its connections, and what is known of it by now.
pub struct HttpSource {
    config: Config,
    /// For the source's own origin.
    client: Client,
    /// For the origins that `redirects` lists; `None` if it lists none.
    elsewhere: Option<Client>,
    oauth: Option<OAuth>,
    /// How many requests there may be.
    pub(super) gate: Gate,
    /// Whether it is left alone for a while.
    pub(super) breaker: Option<Breaker>,
    /// Answers that are kept.
    pub(super) store: Store<Kept>,
}

impl HttpSource {
    /// Checks a source and opens it; no connection is made yet. The previous source is given back if it has the same
    /// configuration, and its connections go on if they would lead to the same places. `None` after mistakes, all of
    /// which are reported.
    pub fn open(
        name: &Spanned<String>,
        written: &api::HttpSource,
        files: &Files,
        previous: Option<&Arc<HttpSource>>,
        sink: &mut Diagnostics,
        inputs: &mut Vec<PathBuf>,
    ) -> Option<Arc<HttpSource>> {
        let config = Config::read(name, written, files, sink, inputs)?;
        if let Some(previous) = previous.filter(|p| p.config == config) {
            return Some(previous.clone());
        }
        match Self::with(config, previous) {
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
        Ok(Arc::new(Self::of(Config::bare(base), client, None, None)))
    }

    fn with(config: Config, previous: Option<&Arc<HttpSource>>) -> Result<Self, String> {
        if let Some(previous) = previous.filter(|p| p.config.connects_like(&config)) {
            let (client, elsewhere, oauth) = (&previous.client, &previous.elsewhere, &previous.oauth);
            return Ok(Self::of(config, client.clone(), elsewhere.clone(), oauth.clone()));
        }
        let home = |tls| client::build(&config.connections, Reach { tls, home: true, private: true });
        let client = home(config.base.tls)?;
        let oauth = match &config.oauth {
            Some(settings) if settings.origin() == config.base.origin => Some(OAuth::new(settings, client.clone())),
            Some(settings) => Some(OAuth::new(settings, home(settings.tls())?)),
            None => None,
        };
        let is_tls = |o: &Origin| matches!(o, Origin::Tuple(scheme, ..) if scheme == "https");
        let elsewhere = match config.redirects.is_empty() {
            true => None,
            false => {
                let tls = config.redirects.iter().any(is_tls);
                Some(client::build(&config.connections, Reach { tls, home: false, private: config.allow_private })?)
            }
        };
        Ok(Self::of(config, client, elsewhere, oauth))
    }

    fn of(config: Config, client: Client, elsewhere: Option<Client>, oauth: Option<OAuth>) -> Self {
        let gate = Gate::new(&config.bounds, &config.base.host);
        let breaker = config.threshold.map(Breaker::new);
        let store = Store::new(config.room);
        HttpSource { config, client, elsewhere, oauth, gate, breaker, store }
    }

    /// Where it is.
    pub fn base(&self) -> &Base {
        &self.config.base
    }

    /// What every request carries, credentials among it.
    pub fn headers(&self) -> &HeaderMap {
        &self.config.headers
    }

    /// The header that credentials stand in.
    pub fn auth_header(&self) -> Option<&HeaderName> {
        self.config.auth_header.as_ref()
    }

    /// What every request's query has, encoded, without a `?`; written with secrets masked.
    pub fn query(&self) -> Option<&Text> {
        self.config.query.as_ref()
    }

    /// What every request's `Cookie` header has; written with secrets masked.
    pub fn cookies(&self) -> Option<&Text> {
        self.config.cookies.as_ref()
    }

    /// Where its tokens come from.
    pub fn oauth(&self) -> Option<&OAuth> {
        self.oauth.as_ref()
    }

    /// How long a call may take that does not say otherwise.
    pub fn timeout(&self) -> Option<Duration> {
        self.config.timeout
    }

    /// When a request is sent again.
    pub fn retry(&self) -> &Retry {
        &self.config.retry
    }

    /// How long answers are kept that an action says nothing of.
    pub fn keep(&self) -> Option<Keep> {
        self.config.keep
    }

    /// What connects to the source's own origin.
    pub fn home(&self) -> &Client {
        &self.client
    }

    /// What connects to an origin that `redirects` lists.
    pub fn elsewhere(&self, origin: &Origin) -> Option<&Client> {
        self.elsewhere.as_ref().filter(|_| self.config.redirects.contains(origin))
    }

    /// Whether redirects may lead to addresses that are not on the internet.
    pub fn allows_private(&self) -> bool {
        self.config.allow_private
    }

    /// What must not be seen, in every spelling in which it may come back.
    pub fn secrets(&self) -> Vec<Text> {
        self.config.secrets.iter().cloned().chain(self.oauth.iter().flat_map(OAuth::secrets)).collect()
    }

    /// A text from outside, with this source's secrets masked.
    pub fn mask(&self, text: String) -> String {
        let text = mask::text(text, &self.config.secrets);
        match self.oauth.as_ref().map(OAuth::secrets) {
            Some(tokens) => mask::text(text, &tokens),
            None => text,
        }
    }
}

/// Nothing of the configuration is printed: secrets stand anywhere in it.
impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("host", &self.config.base.host).finish_non_exhaustive()
    }
}
