//! The methods that MCP defines, and what to say to a request for one whose params do not fit.
//!
//! rmcp hands a request with unfitting params to `ServerHandler::on_custom_request` as if its method were
//! unknown; a handler answers there with [`refuse`].

use rmcp::model::{
    CallToolRequestParams, CancelTaskParams, CompleteRequestParams, CustomRequest, ErrorCode, ErrorData,
    GetPromptRequestParams, GetTaskParams, InitializeRequestParams, PaginatedRequestParams, ReadResourceRequestParams,
    SubscribeRequestParams, SubscriptionsListenRequestParams, UnsubscribeRequestParams, UpdateTaskParams,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Whether a version of MCP from 2024-11-05 to 2026-07-28 defines `method` as a request that servers answer.
pub fn known_method(method: &str) -> bool {
    matches!(
        method,
        "initialize"
            | "server/discover"
            | "ping"
            | "tools/list"
            | "tools/call"
            | "prompts/list"
            | "prompts/get"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "subscriptions/listen"
            | "completion/complete"
            | "logging/setLevel"
            | "tasks/get"
            | "tasks/update"
            | "tasks/cancel"
    )
}

/// Whether 2026-07-28 no longer has a method that [`known_method`] knows.
fn removed(method: &str) -> bool {
    matches!(method, "initialize" | "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe")
}

/// The error for a request that rmcp could not read as one of its own: -32602 with the reason where MCP
/// defines the method (in 2026-07-28, if the request is `modern`), -32601 otherwise.
pub fn refuse(request: &CustomRequest, modern: bool) -> ErrorData {
    let method = request.method.as_str();
    if !known_method(method) || (modern && removed(method)) {
        return ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("unknown method `{method}`"), None);
    }
    let params = request.params.clone().unwrap_or_else(|| Value::Object(Map::new()));
    ErrorData::invalid_params(unfitting(method, params), None)
}

/// The error for a list that `text` asks for with params that do not fit: rmcp would take them for none.
pub fn refuse_list(method: &str, text: &[u8]) -> Option<ErrorData> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        params: Value,
    }
    if !known_method(method) || !method.ends_with("/list") {
        return None;
    }
    let params = serde_json::from_slice::<Message>(text).map(|message| message.params).unwrap_or_default();
    let fits = params.is_null() || reason(method, params.clone()).is_none();
    (!fits).then(|| ErrorData::invalid_params(unfitting(method, params), None))
}

/// Why `params` are no params of `method`.
fn unfitting(method: &str, params: Value) -> String {
    match reason(method, params).as_deref().and_then(plain) {
        Some(reason) => format!("the params of {method} do not fit: {reason}"),
        None => format!("the params of {method} do not fit"),
    }
}

#[expect(deprecated, reason = "versions before 2026-07-28 have logging/setLevel")]
fn reason(method: &str, params: Value) -> Option<String> {
    fn fault<T: DeserializeOwned>(params: Value) -> Option<String> {
        serde_json::from_value::<T>(params).err().map(|fault| fault.to_string())
    }
    match method {
        "initialize" => fault::<InitializeRequestParams>(params),
        "tools/call" => fault::<CallToolRequestParams>(params),
        "prompts/get" => fault::<GetPromptRequestParams>(params),
        "resources/read" => fault::<ReadResourceRequestParams>(params),
        "resources/subscribe" => fault::<SubscribeRequestParams>(params),
        "resources/unsubscribe" => fault::<UnsubscribeRequestParams>(params),
        "subscriptions/listen" => fault::<SubscriptionsListenRequestParams>(params),
        "completion/complete" => fault::<CompleteRequestParams>(params),
        "logging/setLevel" => fault::<rmcp::model::SetLevelRequestParams>(params),
        "tasks/get" => fault::<GetTaskParams>(params),
        "tasks/update" => fault::<UpdateTaskParams>(params),
        "tasks/cancel" => fault::<CancelTaskParams>(params),
        method if method.ends_with("/list") => fault::<PaginatedRequestParams>(params),
        _ => None,
    }
}

/// `reason` without the names that this program's own types have, which mean nothing to a caller.
fn plain(reason: &str) -> Option<&str> {
    let ours = |text: &str| ["struct ", "enum ", "variant "].iter().any(|word| text.contains(word));
    let (fault, expected) = reason.split_once(", expected ").unwrap_or((reason, ""));
    match (ours(fault), ours(expected)) {
        (true, _) => None,
        (false, true) => Some(fault),
        (false, false) => Some(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(method: &str, params: Value) -> (i32, String) {
        let error = refuse(&CustomRequest::new(method, Some(params)), false);
        (error.code.0, error.message.into_owned())
    }

    #[test]
    fn unknown_methods_are_unknown() {
        assert_eq!(refusal("tools/cal", json!({})), (-32601, "unknown method `tools/cal`".into()));
        assert!(!known_method("notifications/initialized"));
        for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
            assert_eq!(refuse(&CustomRequest::new(method, None), true).code, ErrorCode::METHOD_NOT_FOUND);
        }
    }

    #[test]
    fn unfitting_params_are_told_with_the_reason() {
        let (code, message) = refusal("tools/call", json!({}));
        assert_eq!((code, message.as_str()), (-32602, "the params of tools/call do not fit: missing field `name`"));
        let (code, message) = refusal("resources/read", json!({"uri": 5}));
        assert_eq!(code, -32602);
        assert!(message.contains("invalid type: integer `5`, expected a string"), "{message}");
        assert_eq!(refusal("tools/list", json!({"cursor": []})).0, -32602);
    }

    #[test]
    fn a_list_has_a_text_for_a_cursor_or_none() {
        let refused = |method: &str, params: Value| {
            refuse_list(method, json!({ "params": params }).to_string().as_bytes()).map(|error| error.code.0)
        };
        for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            for params in [json!({}), json!({ "cursor": "a", "_meta": {} }), json!({ "cursor": null }), json!(null)] {
                assert_eq!(refused(method, params), None);
            }
            for params in [json!({ "cursor": 5 }), json!({ "cursor": ["a"] }), json!({ "cursor": {} }), json!(5)] {
                assert_eq!(refused(method, params), Some(-32602));
            }
            assert_eq!(refuse_list(method, b"{}"), None);
        }
        assert_eq!(refused("tools/call", json!({ "cursor": 5 })), None);
        assert_eq!(refused("nothing/list", json!({ "cursor": 5 })), None);
    }

    #[test]
    fn missing_params_count_as_empty() {
        let error = refuse(&CustomRequest::new("prompts/get", None), false);
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert!(error.message.ends_with("missing field `name`"), "{}", error.message);
    }

    #[test]
    fn no_type_of_ours_is_named() {
        for (method, params) in [
            ("completion/complete", json!({"ref": 5, "argument": 3})),
            ("completion/complete", json!({"ref": {"type": "ref/else"}, "argument": 3})),
            ("initialize", json!({"protocolVersion": "2025-06-18", "capabilities": 7})),
            ("tools/call", json!({"name": "x", "arguments": [1]})),
            ("logging/setLevel", json!({"level": "loud"})),
            ("subscriptions/listen", json!({"notifications": 4})),
        ] {
            let (code, message) = refusal(method, params);
            assert_eq!(code, -32602);
            for word in ["Params", "struct", "enum ", "Capabilities", "Reference"] {
                assert!(!message.contains(word), "{message}");
            }
        }
    }
}
