//! What a client takes for an answer (`Accept`), and answers in that form.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::BodyExt;
use rmcp::{
    ErrorData,
    model::{ClientJsonRpcMessage, RequestId},
    transport::streamable_http_server::session::SessionManager,
};

use super::{mend::refusal, sessions::Sessions};
use crate::serve::wire::{Heading, Refusal};

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The forms of an answer to POST that a client takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    /// Either, as MCP wants it.
    Either,
    /// Either, but it names no event streams, as libraries do that know nothing of MCP: they read an answer to its
    /// end, and would not see what they are asked meanwhile.
    Any,
    /// JSON alone.
    Json,
    /// An event stream alone.
    Events,
    /// None of ours.
    Other,
}

impl Wanted {
    /// Reads `Accept`; without one, anything is taken (RFC 9110, section 12.5.1).
    pub(super) fn read(headers: &HeaderMap) -> Wanted {
        let Some(ranges) = ranges(headers) else { return Wanted::Any };
        let names = |known: &[&str]| ranges.iter().any(|range| known.contains(&range.as_str()));
        let (json, events) = (names(&["application/*", "application/json"]), names(&["text/*", "text/event-stream"]));
        match (json, events, names(&["*/*"])) {
            (true, true, _) | (false, true, true) => Wanted::Either,
            (_, false, true) => Wanted::Any,
            (true, false, false) => Wanted::Json,
            (false, true, false) => Wanted::Events,
            (false, false, false) => Wanted::Other,
        }
    }
}

/// The media ranges of `Accept` in lower case, without those that it excludes. None where it names none.
fn ranges(headers: &HeaderMap) -> Option<Vec<String>> {
    let texts = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = texts.flat_map(|text| text.split(',')).map(str::trim).filter(|range| !range.is_empty()).peekable();
    named.peek()?;
    let taken = named.filter_map(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let essence = parts.next()?;
        let excluded = parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
        (!excluded).then_some(essence)
    });
    Some(taken.collect())
}

/// Writes out the media types of an `Accept` that covers ours: rmcp wants to see all of them (MCP, transports), many
/// clients send fewer.
pub(super) fn write_out(method: &Method, headers: &mut HeaderMap) {
    let whole = match (method, Wanted::read(headers)) {
        (&Method::POST, Wanted::Either | Wanted::Any | Wanted::Json | Wanted::Events) => {
            "application/json, text/event-stream"
        }
        (&Method::GET, Wanted::Either | Wanted::Any | Wanted::Events) => "text/event-stream",
        _ => return,
    };
    headers.insert(ACCEPT, HeaderValue::from_static(whole));
}

/// Whether a person looks, by a browser.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    ranges(headers).is_some_and(|ranges| ranges.iter().any(|range| range == "text/html"))
}

fn is_of_type(response: &Response, wanted: &HeaderValue) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|given| given == wanted)
}

/// Gives a client that takes no event stream the answer out of it, as JSON. What else the server says is dropped;
/// what it asks is refused in the client's name.
pub(super) async fn as_json(
    response: Response,
    id: Option<RequestId>,
    sessions: &Arc<Sessions>,
    session: Option<&str>,
) -> Response {
    if !is_of_type(&response, &EVENTS) {
        return response;
    }
    let (mut head, mut body) = response.into_parts();
    let mut text = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        text.extend(frame.into_data().unwrap_or_default());
        while let Some(message) = take_event(&mut text) {
            match Heading::read(&message) {
                Ok(Heading::Answer) => {
                    head.headers.insert(CONTENT_TYPE, JSON);
                    return Response::from_parts(head, Body::from(message));
                }
                Ok(Heading::Request { id, .. }) => refuse(id, sessions, session).await,
                Ok(Heading::Notification) | Err(_) => {}
            }
        }
    }
    let ended = Refusal { id, code: rmcp::model::ErrorCode::INTERNAL_ERROR, message: "the call was cancelled".into() };
    refusal(StatusCode::OK, &ended)
}

/// The data of the first whole event, which is taken off `text`. Empty for an event without any.
fn take_event(text: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = text.windows(2).position(|pair| pair == b"\n\n")? + 2;
    let event: Vec<u8> = text.drain(..end).collect();
    let data = event.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    Some(data.flat_map(<[u8]>::trim_ascii).copied().collect())
}

async fn refuse(id: RequestId, sessions: &Arc<Sessions>, session: Option<&str>) {
    let Some(session) = session else { return };
    let reason = "this client takes no event streams, so it can't be asked anything";
    let refused = ClientJsonRpcMessage::error(ErrorData::invalid_request(reason, None), Some(id));
    // The session may have ended meanwhile.
    let _ = sessions.accept_message(&session.into(), refused).await;
}

/// Gives a client that takes event streams alone a JSON answer as one.
pub(super) async fn as_events(response: Response) -> Response {
    if response.status() != StatusCode::OK || !is_of_type(&response, &JSON) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let text = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, EVENTS);
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let parts = [Bytes::from_static(b"data: "), text, Bytes::from_static(b"\n\n")];
    (head, Body::from(parts.concat())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept: &[&str]) -> HeaderMap {
        HeaderMap::from_iter(accept.iter().map(|text| (ACCEPT, text.parse().unwrap())))
    }

    fn written(method: Method, accept: &[&str]) -> Option<String> {
        let mut headers = headers(accept);
        write_out(&method, &mut headers);
        headers.get(ACCEPT).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn accept_is_read() {
        for (accept, wanted) in [
            (&[][..], Wanted::Any),
            (&[""], Wanted::Any),
            (&["*/*"], Wanted::Any),
            (&["application/json, text/plain, */*"], Wanted::Any),
            (&["text/html, */*;q=0.1"], Wanted::Any),
            (&["text/event-stream, */*"], Wanted::Either),
            (&["application/json, text/event-stream"], Wanted::Either),
            (&["application/json", "Text/Event-Stream"], Wanted::Either),
            (&["application/json"], Wanted::Json),
            (&["application/*;q=0.5"], Wanted::Json),
            (&["application/json, text/event-stream;q=0"], Wanted::Json),
            (&["text/event-stream;q=0.5"], Wanted::Events),
            (&["text/html"], Wanted::Other),
            (&["application/json;q=0.0"], Wanted::Other),
        ] {
            assert_eq!(Wanted::read(&headers(accept)), wanted, "{accept:?}");
        }
    }

    #[test]
    fn accept_is_written_out() {
        let whole = Some("application/json, text/event-stream");
        for accept in ["*/*", "application/json", "text/event-stream;q=0.5", ""] {
            assert_eq!(written(Method::POST, &[accept]).as_deref(), whole, "{accept}");
        }
        assert_eq!(written(Method::POST, &[]).as_deref(), whole);
        assert_eq!(written(Method::GET, &[]).as_deref(), Some("text/event-stream"));
        assert_eq!(written(Method::GET, &["*/*"]).as_deref(), Some("text/event-stream"));
    }

    #[test]
    fn an_accept_of_other_types_is_left() {
        assert_eq!(written(Method::POST, &["text/html"]).as_deref(), Some("text/html"));
        assert_eq!(written(Method::GET, &["application/json"]).as_deref(), Some("application/json"));
        assert_eq!(written(Method::DELETE, &[]), None);
    }

    #[test]
    fn events_are_taken_one_by_one() {
        let mut text = b"id: 0/1\nretry: 3000\ndata: \n\ndata: {\"a\":\ndata: 1}\n\n: alive\n\ndata: {".to_vec();
        assert_eq!(take_event(&mut text).unwrap(), b"");
        assert_eq!(take_event(&mut text).unwrap(), b"{\"a\":1}");
        assert_eq!(take_event(&mut text).unwrap(), b"");
        assert_eq!(take_event(&mut text), None);
        assert_eq!(text, b"data: {");
    }
}
