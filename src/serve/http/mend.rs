//! What stands between HTTP and rmcp: requests that rmcp would refuse although they are fine are put right, and
//! those that it would refuse under a wrong name are refused under the right one.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
    request::Parts,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rmcp::{
    model::{
        CustomRequest, ErrorCode, InitializeRequestParams, ProtocolVersion, RequestId, SubscriptionsListenRequestParams,
    },
    transport::StreamableHttpService,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    accept::{self, Wanted},
    direct::Direct,
    sessions::Sessions,
};
use crate::serve::{
    methods,
    updates::Ahead,
    wire::{Heading, Refusal},
};

const SESSION: &str = "mcp-session-id";
/// What a person reads who opens the URL.
const FOR_CLIENTS: &str = "This is an MCP server. Give this URL to an MCP client: `mcp-declare install SPEC --client CLIENT --http URL` does it.\n";
/// How long the body of a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// What is read of a body that is too long, in bytes, so that its sender gets to read the answer.
const DRAINED: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAINING: Duration = Duration::from_secs(2);

/// The endpoint: rmcp's, and what stands before it.
pub(super) struct Mend<H> {
    pub(super) endpoint: StreamableHttpService<H, Sessions>,
    /// Answers what rmcp need not see.
    pub(super) handler: H,
    pub(super) max_body_bytes: usize,
    pub(super) sessions: Arc<Sessions>,
    /// Counts calls until their answers are out.
    pub(super) calls: TaskTracker,
    /// Ends calls in flight.
    pub(super) stop: CancellationToken,
}

impl<H: Direct> Mend<H> {
    /// Mends one request to the endpoint, and answers it.
    pub(super) async fn answer(&self, mut request: Request) -> Response {
        let wanted = Wanted::read(request.headers());
        let method = request.method().clone();
        if method == Method::GET && accept::is_browser(request.headers()) {
            return (StatusCode::NOT_ACCEPTABLE, [(CONTENT_TYPE, "text/plain; charset=utf-8")], FOR_CLIENTS)
                .into_response();
        }
        accept::write_out(&method, request.headers_mut());
        if method != Method::POST {
            return self.pass(request).await;
        }
        let call = self.calls.token();
        let mut response = self.post(wanted, request).await.unwrap_or_else(|refused| refused);
        // The counted body below does not know its length any more.
        if let Some(length) = response.body().size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        // The call lasts as long as its answer, which may be a stream.
        keeping(response, call)
    }

    /// Hands a request to rmcp.
    async fn pass(&self, request: Request) -> Response {
        // Boxed: there is room in it for every kind of request and answer.
        Box::pin(self.endpoint.handle(request)).await.map(Body::new)
    }

    async fn post(&self, wanted: Wanted, request: Request) -> Result<Response, Response> {
        if !is_json(request.headers()) {
            return Ok(self.pass(request).await);
        }
        let (head, body) = request.into_parts();
        let text = self.read(body).await?;
        if text.trim_ascii_start().starts_with(b"[")
            && let Some(session) = session(&head)
        {
            match self.sessions.version(session) {
                Some(version) if version == ProtocolVersion::V_2025_03_26 => {
                    return self.batch(wanted, head, &text).await;
                }
                Some(_) => {}
                // 404 makes its client begin another one.
                None => {
                    return Err(refusal(StatusCode::NOT_FOUND, &Refusal::invalid(None, "there is no such session")));
                }
            }
        }
        self.single(wanted, head, text).await
    }

    /// The answer to a single message.
    pub(super) async fn single(&self, wanted: Wanted, head: Parts, text: Bytes) -> Result<Response, Response> {
        let heading = Heading::read(&text).map_err(|refused| refusal(StatusCode::BAD_REQUEST, &refused))?;
        let session = session(&head).map(str::to_owned);
        let begins = matches!(&heading, Heading::Request { method, .. } if method == "initialize");
        let in_session = begins || session.is_some();
        let id = match &heading {
            Heading::Request { id, method } => {
                if let Some(refused) = self.refused(wanted, id, method, &text, session.is_some()) {
                    return Err(refused);
                }
                Some(id.clone())
            }
            Heading::Notification | Heading::Answer => None,
        };
        let is_call = matches!(&heading, Heading::Request { method, .. } if method == "tools/call");
        let direct = match is_call && !in_session && wanted != Wanted::Other {
            true => self.directly(&head.headers, &text).await,
            false => None,
        };
        let listens = matches!(&heading, Heading::Request { method, .. } if method == "subscriptions/listen");
        let looked = match listens && !in_session {
            true => self.look_ahead(&text).await,
            false => None,
        };
        let response = match direct {
            Some(response) => response,
            None => self.pass(Request::from_parts(head, Body::from(text))).await,
        };
        let response = match looked {
            Some(looked) => keeping(response, looked),
            None => response,
        };
        // The content type is right, so it is the message that rmcp could not read.
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            let unreadable = Refusal::invalid(None, "not a JSON-RPC message");
            return Err(refusal(StatusCode::BAD_REQUEST, &heading.unreadable().unwrap_or(unreadable)));
        }
        Ok(match wanted {
            Wanted::Either | Wanted::Other => response,
            // Without a session nothing is asked while a call runs.
            Wanted::Any if !in_session => response,
            Wanted::Any | Wanted::Json => accept::as_json(response, id, &self.sessions, session.as_deref()).await,
            Wanted::Events => accept::as_events(response).await,
        })
    }

    /// Looks at what a subscription asks for, before rmcp acknowledges it.
    async fn look_ahead(&self, text: &[u8]) -> Option<Ahead> {
        #[derive(Deserialize)]
        struct Listen {
            params: SubscriptionsListenRequestParams,
        }
        let listen: Listen = serde_json::from_slice(text).ok()?;
        Some(self.handler.look_ahead(&listen.params.notifications).await)
    }

    /// The refusal of a request that rmcp would take for something else, or could not answer.
    fn refused(&self, wanted: Wanted, id: &RequestId, method: &str, text: &[u8], in_session: bool) -> Option<Response> {
        match method {
            "initialize" => {
                if let Err(refused) = check_initialize(id, text) {
                    return Some(refusal(StatusCode::BAD_REQUEST, &refused));
                }
                (!in_session && !self.sessions.make_room()).then(busy)
            }
            "subscriptions/listen" if wanted == Wanted::Json => {
                let refused = Refusal::invalid(Some(id.clone()), "this is answered with an event stream alone");
                Some(refusal(StatusCode::NOT_ACCEPTABLE, &refused))
            }
            _ => methods::refuse_list(method, text).map(|error| {
                let status = if in_session { StatusCode::OK } else { StatusCode::BAD_REQUEST };
                refusal(status, &Refusal::of(id.clone(), error))
            }),
        }
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

/// The same response, with something that is kept until it is out.
fn keeping(response: Response, kept: impl Send + 'static) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &kept;
            frame
        }))
    })
}

/// The id of the session that a request belongs to.
fn session(head: &Parts) -> Option<&str> {
    head.headers.get(SESSION)?.to_str().ok()
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

/// rmcp would take an `initialize` with unfitting params for a request that lacks its session. One that says that it
/// is of 2026-07-28, which has none, has no session to lack.
fn check_initialize(id: &RequestId, text: &[u8]) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Params {
        #[serde(default)]
        params: Value,
    }
    let params = serde_json::from_slice::<Params>(text).map(|message| message.params).unwrap_or_default();
    let version = params.pointer("/_meta/io.modelcontextprotocol~1protocolVersion").and_then(Value::as_str);
    let modern = version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str());
    if modern || serde_json::from_value::<InitializeRequestParams>(params.clone()).is_ok() {
        return Ok(());
    }
    let params = Some(params).filter(|params| !params.is_null());
    Err(Refusal::of(id.clone(), methods::refuse(&CustomRequest::new("initialize", params), false)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_name() {
        let is = |value: &str| is_json(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]));
        assert!(is("application/json") && is("Application/JSON; charset=utf-8") && is(" application/json ;x"));
        assert!(!is("text/plain") && !is("application/jsonx") && !is(""));
        assert!(!is_json(&HeaderMap::new()));
    }
}
