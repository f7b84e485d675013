//! Access tokens (RFC 6749): fetched by the client's own credentials or a refresh token, kept, and renewed in time.

mod settings;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;

use super::answer::bytes;
use super::auth::secret;
use super::fault;
use crate::outcome::ActionError;
use crate::spec::Text;
pub use settings::Settings;

/// How long fetching a token may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const MAX_BYTES: usize = 64 * 1024;
/// A token is renewed this long before it expires, or a tenth of its life before if that is less.
const MARGIN: Duration = Duration::from_secs(60);

/// Where the tokens of a source come from. Its callers share one token, and one look-up of it.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    settings: Settings,
    client: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The look-up that is under way.
    fetch: Option<Fetch>,
    /// The refresh token that came last, which stands in for the spec's own.
    refresh: Option<String>,
}

type Fetch = Shared<BoxFuture<'static, Result<HeaderValue, ActionError>>>;

struct Token {
    /// As `Authorization` has it; marked sensitive.
    header: HeaderValue,
    text: String,
    /// From when on it is renewed; `None` if nobody said.
    stale: Option<Instant>,
}

/// RFC 6749 sections 5.1 and 5.2.
#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<f64>,
    refresh_token: Option<String>,
    error: Option<String>,
}

impl OAuth {
    /// One that has no token yet.
    pub fn new(settings: &Settings, client: Client) -> Self {
        OAuth(Arc::new(Inner { settings: settings.clone(), client, state: Mutex::default() }))
    }

    /// What stands in `Authorization`. Whoever asks while a token is being fetched waits for that one; a caller that
    /// goes away takes it from nobody else.
    ///
    /// # Errors
    /// If no token can be had.
    pub async fn authorization(&self) -> Result<HeaderValue, ActionError> {
        let fetch = {
            let mut state = self.0.state();
            match &state.token {
                Some(token) if token.stale.is_none_or(|stale| Instant::now() < stale) => {
                    return Ok(token.header.clone());
                }
                _ => state.fetch.get_or_insert_with(|| Inner::start(&self.0)).clone(),
            }
        };
        fetch.await
    }

    /// Forgets a token that the API no longer takes.
    pub fn forget(&self, used: &HeaderValue) {
        self.0.state().token.take_if(|token| token.header == *used);
    }

    /// What must not be seen in a message.
    pub fn secrets(&self) -> Vec<Text> {
        let state = self.0.state();
        let texts = [state.token.as_ref().map(|token| token.text.as_str()), state.refresh.as_deref()];
        texts.into_iter().flatten().map(secret).collect()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(inner: &Arc<Inner>) -> Fetch {
        let inner = inner.clone();
        let task = tokio::spawn(async move {
            let fetched = tokio::time::timeout(FETCH_TIMEOUT, inner.fetch()).await;
            inner.settle(fetched.unwrap_or_else(|_| Err(inner.failed("it took too long"))))
        });
        let ended =
            |done: Result<_, _>| done.unwrap_or_else(|_| Err(ActionError::failed("no token: it was broken off")));
        task.map(ended).boxed().shared()
    }

    /// Keeps what was fetched, for those who waited and those who come.
    fn settle(&self, fetched: Result<(Token, Option<String>), ActionError>) -> Result<HeaderValue, ActionError> {
        let mut state = self.state();
        state.fetch = None;
        let (token, refresh) = fetched?;
        let header = token.header.clone();
        state.token = Some(token);
        if refresh.is_some() && self.settings.refresh().is_some() {
            state.refresh = refresh;
        }
        Ok(header)
    }

    async fn fetch(&self) -> Result<(Token, Option<String>), ActionError> {
        let refresh = self.state().refresh.clone();
        let form = self.settings.form(refresh.as_deref());
        let mut request = self.client.post(self.settings.url().clone()).form(&form).header(ACCEPT, "application/json");
        if let Some(basic) = self.settings.basic() {
            request = request.header(AUTHORIZATION, basic);
        }
        let host = self.settings.host();
        let none = |error: ActionError| ActionError { message: format!("no token: {}", error.message), ..error };
        let response = request.send().await.map_err(|error| none(fault::transport(error, host)))?;
        let status = response.status();
        let (bytes, cut) = bytes(response, MAX_BYTES).await.map_err(|broken| none(broken.told(host)))?;
        let answer: Option<Answer> = if cut { None } else { serde_json::from_slice(&bytes).ok() };
        match answer {
            Some(answer) if status == StatusCode::OK => self.token(answer),
            answer => Err(self.refused(status, answer.and_then(|answer| answer.error))),
        }
    }

    fn token(&self, answer: Answer) -> Result<(Token, Option<String>), ActionError> {
        if answer.token_type.as_ref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(self.failed("it gave a token that is no bearer token"));
        }
        let text = answer.access_token.filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| self.failed("its answer has no `access_token`"))?;
        let header = HeaderValue::try_from(format!("Bearer {text}"));
        let mut header = header.map_err(|_| self.failed("its token can't stand in a header"))?;
        header.set_sensitive(true);
        let life = answer.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let stale = life.and_then(|life| Instant::now().checked_add(life.saturating_sub(MARGIN.min(life / 10))));
        Ok((Token { header, text, stale }, answer.refresh_token))
    }

    /// A token endpoint's refusal, by its code alone: what else it says may quote what it was sent.
    fn refused(&self, status: StatusCode, code: Option<String>) -> ActionError {
        let is_code = |code: &String| code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        match code.filter(is_code) {
            Some(code) => self.failed(&format!("it answered {} ({code})", status.as_u16())),
            None if status == StatusCode::OK => self.failed("its answer is no JSON of RFC 6749"),
            None => self.failed(&format!("it answered {}", status.as_u16())),
        }
    }

    fn failed(&self, why: &str) -> ActionError {
        ActionError::failed(format!("no token from {}: {why}", self.settings.host()))
    }
}
