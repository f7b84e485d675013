//! Answers to GET that are kept (RFC 9111), or for a time that the spec says (`ttl`).
//!
//! An answer is found again only for a request that is the same in all that went into it: the URL and every header, so
//! that what a caller put into a request is never answered to another. `Vary` is satisfied by that. What the API calls
//! `private` is not kept.

mod control;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, SET_COOKIE, TRANSFER_ENCODING,
};
use reqwest::{Body, Method, Request, Response, ResponseBuilderExt, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::fault;
use crate::action::store::{self, Store};
use crate::outcome::ActionError;

/// How long an answer is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// This long, if not as long as the answer itself says.
    pub ttl: Option<Duration>,
}

/// All that went into a request, except what a source adds to each of its own by `oauth2`.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    url: Url,
    headers: HeaderMap,
    keep: Keep,
}

/// An answer that is kept.
#[derive(Debug)]
pub struct Kept {
    key: Key,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// When it stops to be fresh.
    stale: Instant,
}

impl Key {
    /// What it is found by.
    pub fn name(&self) -> &str {
        self.url.as_str()
    }

    /// The key of a request whose answer may be kept: a GET of a whole thing without conditions of its own.
    pub fn of(request: &Request, keep: Keep) -> Option<Key> {
        const OWN: [reqwest::header::HeaderName; 6] =
            [RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE];
        let headers = request.headers();
        let whole = request.method() == Method::GET && !OWN.iter().any(|name| headers.contains_key(name));
        (whole && !headers.contains_key(CACHE_CONTROL)).then(|| Key {
            url: request.url().clone(),
            headers: headers.clone(),
            keep,
        })
    }
}

impl Kept {
    /// Whether it is an answer to this.
    pub fn is_for(&self, key: &Key) -> bool {
        self.key == *key
    }

    /// Whether it can be given without a question.
    pub fn is_fresh(&self) -> bool {
        Instant::now() < self.stale
    }

    /// Makes a request ask whether the answer still holds (RFC 9110 section 13.1); whether it can.
    pub fn ask(&self, request: &mut Request) -> bool {
        let pairs = [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)];
        let mut asks = false;
        for (validator, condition) in pairs {
            if let Some(value) = self.headers.get(validator) {
                request.headers_mut().insert(condition, value.clone());
                asks = true;
            }
        }
        asks
    }

    /// The same answer, found to hold still by one with status 304 (RFC 9111 section 4.3.4).
    pub fn renewed(&self, fresh: &HeaderMap) -> Option<Kept> {
        let mut headers = self.headers.clone();
        for name in fresh.keys().filter(|name| !matches!(**name, CONTENT_LENGTH | CONTENT_ENCODING | TRANSFER_ENCODING))
        {
            if let Some(value) = fresh.get(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        let life = control::lifetime(self.status, &headers, self.key.keep)?;
        let stale = Instant::now().checked_add(life)?;
        Some(Kept { key: self.key.clone(), status: self.status, headers, body: self.body.clone(), stale })
    }

    /// It, as if it had just come.
    ///
    /// # Errors
    /// Never for what came as an answer once.
    pub fn response(&self) -> Result<Response, ActionError> {
        let mut response = http::Response::builder().status(self.status).url(self.key.url.clone());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(&self.headers);
        }
        let response = response.body(self.body.clone());
        response.map(Response::from).map_err(|_| ActionError::failed("the answer that was kept can't be read"))
    }
}

impl store::Keep for Kept {
    fn size(&self) -> usize {
        let of =
            |headers: &HeaderMap| headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        self.body.len() + of(&self.headers) + of(&self.key.headers)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// Keeps an answer if that is allowed and it is not too large, and gives it on.
///
/// # Errors
/// If it breaks off.
pub async fn keep(store: &Store<Kept>, key: Key, response: Response, host: &str) -> Result<Response, ActionError> {
    // a redirect was followed: the answer is another URL's
    let own = *response.url() == key.url || key.keep.ttl.is_some();
    let life = control::lifetime(response.status(), response.headers(), key.keep).filter(|_| own);
    let Some(stale) = life.and_then(|life| Instant::now().checked_add(life)) else { return Ok(response) };
    let url = response.url().clone();
    let (mut parts, mut body) = http::Response::<Body>::from(response).into_parts();
    let mut read = BytesMut::new();
    let mut whole = true;
    {
        use http_body_util::BodyExt;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| fault::transport(error, host))?;
            if let Ok(chunk) = frame.into_data() {
                read.extend_from_slice(&chunk);
            }
            if read.len() > store.largest() {
                whole = false;
                break;
            }
        }
    }
    let read = read.freeze();
    if whole {
        let mut headers = parts.headers.clone();
        headers.remove(SET_COOKIE);
        let name = key.name().to_owned();
        store.put(&name, Kept { key, status: parts.status, headers, body: read.clone(), stale });
        return Ok(rebuilt(parts, url, read.into()));
    }
    let rest = http_body_util::BodyExt::into_data_stream(body);
    parts.headers.remove(CONTENT_LENGTH);
    let body = Body::wrap_stream(futures_util::stream::once(async { Ok(read) }).chain(rest));
    Ok(rebuilt(parts, url, body))
}

/// An answer with another body. What travels with it (its extensions) still does.
fn rebuilt(mut parts: http::response::Parts, url: Url, body: Body) -> Response {
    if let Ok(with_url) = http::Response::builder().url(url).body(()) {
        parts.extensions.extend(with_url.into_parts().0.extensions);
    }
    Response::from(http::Response::from_parts(parts, body))
}
