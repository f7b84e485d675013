//! Who may ask: the Host and Origin checks of all routes, and the words that browsers want to hear (CORS).

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, HOST, ORIGIN,
        VARY,
    },
};

use super::{mend::refusal, origins::Allowed};
use crate::serve::wire::Refusal;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
/// What a page may read of an answer besides its body.
const EXPOSED: HeaderValue = HeaderValue::from_static("mcp-session-id, www-authenticate");
/// What a page may send if its browser does not say what it wants to send.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id",
);
/// How long a browser may remember an answer to OPTIONS, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// Bytes of a header that the log shows.
const MAX_SHOWN: usize = 255;

/// What a request's Host and Origin are checked against.
#[derive(Debug)]
pub(super) struct Guard {
    allowed: Allowed,
}

impl Guard {
    pub(super) fn new(allowed: Allowed) -> Self {
        Guard { allowed }
    }

    /// Every host that the request names, in its target (RFC 9112, section 3.2.2; `:authority` in HTTP/2) or in
    /// `Host`, must be allowed, and there must be one.
    fn admits_host(&self, request: &Request) -> bool {
        let target = request.uri().authority().map(|authority| Some(authority.as_str()));
        let mut hosts = texts(request.headers(), HOST).chain(target).peekable();
        hosts.peek().is_some() && hosts.all(|host| host.is_some_and(|host| self.allowed.host(host)))
    }

    fn admits_origin(&self, headers: &HeaderMap) -> bool {
        texts(headers, ORIGIN).all(|origin| origin.is_some_and(|origin| self.allowed.origin(origin)))
    }

    /// Refuses requests of strangers with 403, answers OPTIONS, and lets allowed pages read the answers of `next`.
    pub(super) async fn guard<Answer: Future<Output = Response>>(
        &self,
        request: Request,
        next: impl FnOnce(Request) -> Answer,
    ) -> Response {
        if !self.admits_host(&request) {
            tracing::warn!(host = %shown(request.headers(), HOST), "refused a request for another host");
            return forbidden("the host that this request names is not one of this server's");
        }
        if !self.admits_origin(request.headers()) {
            tracing::warn!(origin = %shown(request.headers(), ORIGIN), "refused a request from another origin");
            return forbidden("requests from this web origin are not allowed");
        }
        let origin = request.headers().get(ORIGIN).cloned();
        let mut response = match (request.method(), &origin) {
            (&Method::OPTIONS, Some(_)) => preflight(request.headers()),
            (&Method::OPTIONS, None) => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, METHODS)]).into_response(),
            _ => next(request).await,
        };
        if let Some(origin) = origin {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        response
    }
}

/// The values of a header; None for one that is not ASCII.
fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    headers.get_all(name).into_iter().map(|value| value.to_str().ok())
}

/// A header's value for the log: bounded, and nothing in it that could pass for more than one value.
fn shown(headers: &HeaderMap, name: HeaderName) -> String {
    let value = headers.get(name).map_or(&b""[..], |value| value.as_bytes());
    let plain = |byte: &u8| match byte {
        b' ' => "\\x20".to_owned(),
        byte => byte.escape_ascii().to_string(),
    };
    value.iter().take(MAX_SHOWN).map(plain).collect()
}

/// The answer to a browser that asks what it may send. The origin is allowed, so whatever it wants.
fn preflight(headers: &HeaderMap) -> Response {
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(ACCEPTED);
    let answer = [
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, wanted),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    (StatusCode::NO_CONTENT, answer, Body::empty()).into_response()
}

fn forbidden(reason: &str) -> Response {
    refusal(StatusCode::FORBIDDEN, &Refusal::invalid(None, reason))
}
