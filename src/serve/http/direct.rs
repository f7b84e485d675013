//! The short way of a plain call of 2026-07-28, one that never says anything to its client while it runs: it is
//! answered here. rmcp serves each request of that version like a session of its own, with three queues and two
//! tasks, which costs more than a small call itself, and 60 KiB for as long as it runs.
//!
//! Only a call whose headers plainly fit goes this way. Whatever is at fault or unusual, rmcp answers.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientRequest, ErrorCode, GetMeta, JsonRpcMessage,
    ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
};
use tokio_util::sync::CancellationToken;

use super::{
    accept::JSON,
    mend::{Mend, refusal},
};
use crate::serve::foresight::Foresight;
use crate::serve::wire::{self, Refusal};

/// A handler that can answer some calls without a line to their client.
pub trait Direct: Foresight {
    /// The call, to be answered as 2026-07-28 has it, that `cancelled` ends early. None where the handler needs more
    /// than that: it is then asked by rmcp.
    fn direct(
        &self,
        _request: CallToolRequestParams,
        _cancelled: CancellationToken,
    ) -> Option<BoxFuture<'static, CallToolResult>> {
        None
    }
}

impl<H: Direct> Mend<H> {
    /// The answer to `text`, if that is a plain call. A client that goes away cancels it.
    pub(super) async fn directly(&self, headers: &HeaderMap, text: &[u8]) -> Option<Response> {
        let (id, request) = plain(headers, text)?;
        let cancelled = self.stop.child_token();
        let call = self.handler.direct(request, cancelled.clone())?;
        let _gone = cancelled.drop_guard();
        // In a task of its own: what runs is told to end, and not dropped.
        let answer = match tokio::spawn(call).await {
            Ok(result) => {
                let result = ServerResult::from(CallToolResponse::from(result));
                serde_json::to_vec(&ServerJsonRpcMessage::response(result, id.clone())).ok()
            }
            Err(_) => None,
        };
        Some(match answer {
            Some(answer) => ([(CONTENT_TYPE, JSON)], Body::from(answer)).into_response(),
            None => {
                let message = "the call broke off".to_owned();
                let refused = Refusal { id: Some(id), code: ErrorCode::INTERNAL_ERROR, message };
                refusal(StatusCode::INTERNAL_SERVER_ERROR, &refused)
            }
        })
    }
}

/// The call that `text` is, if its headers and `_meta` are what 2026-07-28 wants (transports, standard headers).
fn plain(headers: &HeaderMap, text: &[u8]) -> Option<(RequestId, CallToolRequestParams)> {
    let only = |name: &str, wanted: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| value == wanted) && values.next().is_none()
    };
    let version = ProtocolVersion::V_2026_07_28;
    if !only("mcp-protocol-version", version.as_str()) || !only("mcp-method", "tools/call") {
        return None;
    }
    let JsonRpcMessage::Request(message) = wire::tool_call(text)? else { return None };
    let meta = message.request.get_meta();
    let whole = meta.protocol_version().as_ref() == Some(&version) && meta.missing_required_keys(&version).is_empty();
    let ClientRequest::CallToolRequest(call) = message.request else { return None };
    (whole && only("mcp-name", &call.params.name)).then_some((message.id, call.params))
}
