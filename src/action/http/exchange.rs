//! A request and its answer, with all that a source does around it.
//!
//! ```text
//! cache ─▶ tries (retry) ─▶ token (oauth2) ─▶ turn (concurrency, rateLimit) ─▶ circuit breaker ─▶ redirects
//! ```

use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use reqwest::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::cache::{self, Keep, Key};
use super::fault::Failed;
use super::redirect;
use super::source::HttpSource;
use super::tape;
use crate::action::gate::{Gate, Pass};
use crate::outcome::ActionError;

/// What a call brings along to its exchanges.
#[derive(Clone, Copy)]
pub struct Exchange<'e> {
    /// Where requests go.
    pub source: &'e HttpSource,
    /// The action's own bounds.
    pub gate: &'e Gate,
    /// Whether answers are kept.
    pub keep: Option<Keep>,
    /// Whether its requests may be sent again although their method does not say so: they only read.
    pub again: bool,
    /// When the time of the call is over.
    pub deadline: Instant,
}

/// The turns of a request; they travel with its answer and end when that has been read.
#[derive(Clone)]
struct Turns(#[expect(dead_code, reason = "held, not read")] Arc<[Pass; 2]>);

impl Exchange<'_> {
    /// Sends a request that was bound to the source, and gives its answer or one that was kept.
    ///
    /// # Errors
    /// If nothing answers, the source is left alone just now, no token can be had, there is no turn in time, or a
    /// redirect leads where it may not.
    pub async fn send(&self, request: Request) -> Result<Response, ActionError> {
        match tape::current() {
            Some(tape) => tape.play(self.source, request, |request| self.live(request)).await,
            None => self.live(request).await,
        }
    }

    async fn live(&self, mut request: Request) -> Result<Response, ActionError> {
        let store = &self.source.store;
        let Some(key) = self.keep.and_then(|keep| Key::of(&request, keep)) else {
            let changed = (!request.method().is_safe()).then(|| request.url().clone());
            let response = self.tries(request).await?;
            if let Some(url) = changed.filter(|_| !response.status().is_client_error()) {
                store.forget(url.as_str());
            }
            return Ok(response);
        };
        let kept = store.find(key.name(), |kept| kept.is_for(&key));
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh()) {
            return kept.response();
        }
        let asked = kept.filter(|kept| kept.ask(&mut request));
        let response = self.tries(request).await?;
        match asked {
            Some(kept) if response.status() == StatusCode::NOT_MODIFIED => {
                match kept.renewed(response.headers()) {
                    Some(renewed) => store.put(key.name(), renewed),
                    None => store.forget(response.url().as_str()),
                }
                kept.response()
            }
            _ => cache::keep(store, key, response, &self.source.base().host).await,
        }
    }

    /// Tries until it goes well, it is no use, or time is over.
    async fn tries(&self, request: Request) -> Result<Response, ActionError> {
        let retry = self.source.retry();
        let mut next = request;
        for tried in 1.. {
            let again = if self.again || retry.covers(next.method()) { next.try_clone() } else { None };
            let outcome = self.attempt(next).await;
            let (Some(due), Some(again)) = (retry.next(tried, &outcome, self.deadline), again) else {
                return Ok(outcome?);
            };
            // the turns of the last try are given back before the wait
            drop(outcome);
            tokio::time::sleep_until(due).await;
            next = again;
        }
        Err(ActionError::failed("it was tried too often"))
    }

    /// Tries once; a token that the API no longer takes is fetched anew, once.
    async fn attempt(&self, request: Request) -> Result<Response, Failed> {
        let Some(oauth) = self.source.oauth() else { return self.once(request).await };
        let again = request.try_clone();
        let send = async |mut request: Request| {
            let token = oauth.authorization().await.map_err(Failed::Refused)?;
            request.headers_mut().insert(AUTHORIZATION, token.clone());
            Ok((self.once(request).await?, token))
        };
        let (response, token) = send(request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        oauth.forget(&token);
        match again {
            Some(again) => {
                drop(response);
                Ok(send(again).await?.0)
            }
            None => Ok(response),
        }
    }

    async fn once(&self, request: Request) -> Result<Response, Failed> {
        let turn = async |gate: &Gate| gate.pass(self.deadline).await.map_err(Failed::Refused);
        let turns = [turn(self.gate).await?, turn(&self.source.gate).await?];
        let breaker = self.source.breaker.as_ref().map(|breaker| breaker.admit(self.deadline));
        let admitted = breaker.transpose().map_err(Failed::Refused)?;
        let outcome = redirect::send(self.source, request).await;
        if let Some(admitted) = admitted {
            let well = match &outcome {
                Ok(response) => !response.status().is_server_error(),
                Err(Failed::Unreachable(_)) => false,
                Err(Failed::Refused(_)) => true,
            };
            admitted.came_out(well);
        }
        let mut response = outcome?;
        response.extensions_mut().insert(Turns(Arc::new(turns)));
        Ok(response)
    }
}
