//! What stands between HTTP and rmcp: requests that rmcp would refuse although they are fine are put right, and
//! those that it would refuse under a wrong name are refused under the right one.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rmcp::model::{CustomRequest, ErrorCode, InitializeRequestParams};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::sessions::Sessions;
use crate::serve::{
    methods,
    wire::{Heading, Refusal},
};

const SESSION: &str = "mcp-session-id";
/// How long the body of a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// What is read of a body that is too long, in bytes, so that its sender gets to read the answer.
const DRAINED: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAINING: Duration = Duration::from_secs(2);

/// The state of this layer.
#[derive(Clone)]
pub(super) struct Mend {
    pub(super) max_body_bytes: usize,
    pub(super) sessions: Arc<Sessions>,
    /// Counts calls until their answers are out.
    pub(super) calls: TaskTracker,
}

/// Mends one request to the endpoint.
pub(super) async fn mend(State(mend): State<Mend>, mut request: Request, next: Next) -> Response {
    mend_accept(request.method().clone(), request.headers_mut());
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let call = mend.calls.token();
    let mut response = mend.post(request, next).await.unwrap_or_else(|refused| refused);
    // The counted body below does not know its length any more.
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    // The call lasts as long as its answer, which may be a stream.
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &call;
            frame
        }))
    })
}

impl Mend {
    async fn post(&self, request: Request, next: Next) -> Result<Response, Response> {
        if !is_json(request.headers()) {
            return Ok(next.run(request).await);
        }
        let (head, body) = request.into_parts();
        let text = self.read(body).await?;
        let heading = Heading::read(&text).map_err(|refused| refusal(StatusCode::BAD_REQUEST, &refused))?;
        if matches!(&heading, Heading::Request { method, .. } if method == "initialize") {
            check_initialize(&heading, &text).map_err(|refused| refusal(StatusCode::BAD_REQUEST, &refused))?;
            if !head.headers.contains_key(SESSION) && !self.sessions.make_room() {
                return Err(busy());
            }
        }
        let response = next.run(Request::from_parts(head, Body::from(text))).await;
        // The content type is right, so it is the message that rmcp could not read.
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            let unreadable = Refusal::invalid(None, "not a JSON-RPC message");
            return Err(refusal(StatusCode::BAD_REQUEST, &heading.unreadable().unwrap_or(unreadable)));
        }
        Ok(response)
    }

    async fn read(&self, mut body: Body) -> Result<Bytes, Response> {
        let max = self.max_body_bytes;
        let too_long = || {
            let reason = format!("the body is longer than {max} bytes");
            refusal(StatusCode::PAYLOAD_TOO_LARGE, &Refusal::invalid(None, reason))
        };
        if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
            drain(body).await;
            return Err(too_long());
        }
        match timeout(ARRIVAL, Limited::new(&mut body, max).collect()).await {
            Ok(Ok(text)) => Ok(text.to_bytes()),
            Ok(Err(fault)) if fault.is::<LengthLimitError>() => {
                drain(body).await;
                Err(too_long())
            }
            Ok(Err(_)) => Err(refusal(StatusCode::BAD_REQUEST, &Refusal::unparsable("the body broke off"))),
            Err(_) => {
                let reason = format!("the body did not arrive within {} seconds", ARRIVAL.as_secs());
                Err(refusal(StatusCode::REQUEST_TIMEOUT, &Refusal::invalid(None, reason)))
            }
        }
    }
}

/// An answer to a request that rmcp never sees, as JSON-RPC.
pub(super) fn refusal(status: StatusCode, refused: &Refusal) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], refused.to_json()).into_response()
}

fn busy() -> Response {
    let message = "too many sessions, try again later".to_owned();
    let refused = Refusal { id: None, code: ErrorCode::INTERNAL_ERROR, message };
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, &refused);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    response
}

/// rmcp would take an `initialize` with unfitting params for a request that lacks its session.
fn check_initialize(heading: &Heading, text: &[u8]) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Params {
        #[serde(default)]
        params: Value,
    }
    let Heading::Request { id, method } = heading else { return Ok(()) };
    let params = serde_json::from_slice::<Params>(text).map(|message| message.params).unwrap_or_default();
    if serde_json::from_value::<InitializeRequestParams>(params.clone()).is_ok() {
        return Ok(());
    }
    let params = Some(params).filter(|params| !params.is_null());
    let error = methods::refuse(&CustomRequest::new(method.clone(), params));
    Err(Refusal::of(id.clone(), error))
}

/// Reads and forgets. A connection that is closed with bytes unread is reset, and its client loses the answer.
async fn drain(mut body: Body) {
    let draining = async {
        let mut read = 0;
        while read < DRAINED
            && let Some(Ok(frame)) = body.frame().await
        {
            read += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    let _ = timeout(DRAINING, draining).await;
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split_once(';').map_or(value, |(essence, _)| essence);
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Writes out the media types of an `Accept` that is missing, has wildcards, or names only some of ours: rmcp wants
/// to see all of them (MCP, transports), many clients send fewer.
fn mend_accept(method: Method, headers: &mut HeaderMap) {
    let (ours, whole): (&[&str], _) = match method {
        Method::POST => (
            &["*/*", "application/*", "application/json", "text/*", "text/event-stream"],
            "application/json, text/event-stream",
        ),
        Method::GET => (&["*/*", "text/*", "text/event-stream"], "text/event-stream"),
        _ => return,
    };
    let mut given = headers.get_all(ACCEPT).into_iter().peekable();
    let fits = given.peek().is_none()
        || given
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|range| range.split_once(';').map_or(range, |(essence, _)| essence).trim().to_ascii_lowercase())
            .any(|range| range.is_empty() || ours.contains(&range.as_str()));
    if fits {
        headers.insert(ACCEPT, HeaderValue::from_static(whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(method: Method, accept: Option<&str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, accept.parse().unwrap());
        }
        mend_accept(method, &mut headers);
        headers.get(ACCEPT).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn accept_is_written_out() {
        let whole = Some("application/json, text/event-stream".to_owned());
        for accept in
            ["*/*", "application/*", "application/json", "text/event-stream;q=0.5", "text/html, */*;q=0.1", ""]
        {
            assert_eq!(mended(Method::POST, Some(accept)), whole, "{accept}");
        }
        assert_eq!(mended(Method::POST, None), whole);
        assert_eq!(mended(Method::GET, None).as_deref(), Some("text/event-stream"));
        assert_eq!(mended(Method::GET, Some("*/*")).as_deref(), Some("text/event-stream"));
    }

    #[test]
    fn an_accept_of_other_types_is_left() {
        assert_eq!(mended(Method::POST, Some("text/html")).as_deref(), Some("text/html"));
        assert_eq!(mended(Method::GET, Some("application/json")).as_deref(), Some("application/json"));
        assert_eq!(mended(Method::DELETE, None), None);
    }

    #[test]
    fn json_is_known_by_its_name() {
        let is = |value: &str| is_json(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]));
        assert!(is("application/json") && is("Application/JSON; charset=utf-8") && is(" application/json ;x"));
        assert!(!is("text/plain") && !is("application/jsonx") && !is(""));
        assert!(!is_json(&HeaderMap::new()));
    }
}
