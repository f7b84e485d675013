//! A small handler for the tests of the transports.

use std::{sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult,
        Implementation, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
        ServerCapabilities, ServerConfig, ServerRequest, SubscriptionFilter, Tool,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{foresight::Foresight, http::Direct, methods};

/// What the handlers of one server saw.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) initialized: usize,
    pub(crate) started: usize,
    pub(crate) cancelled: usize,
}

/// `echo {text}`, `slow {ms}` (without `ms` until [`Echo::released`]; stops when cancelled), `notify {}` (changes the tool list), `report {}` (tells of
/// progress) and `ask {}` (asks the client something and says whether it answered).
pub(crate) const TOOLS: [&str; 5] = ["echo", "slow", "notify", "report", "ask"];

/// A handler of [`TOOLS`].
#[derive(Clone)]
pub(crate) struct Echo {
    closing: CancellationToken,
    changed: Arc<watch::Sender<u64>>,
    pub(crate) seen: Arc<watch::Sender<Seen>>,
    pub(crate) released: CancellationToken,
}

impl Echo {
    pub(crate) fn new(closing: &CancellationToken) -> Self {
        Echo {
            closing: closing.clone(),
            changed: Arc::default(),
            seen: Arc::default(),
            released: CancellationToken::new(),
        }
    }

    /// Waits until the handlers saw what `wanted` wants.
    pub(crate) async fn until(&self, wanted: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.subscribe();
        tokio::time::timeout(Duration::from_secs(60), seen.wait_for(wanted)).await.unwrap().unwrap();
    }

    fn tool(name: &'static str) -> Tool {
        let schema = json!({"type": "object"}).as_object().unwrap().clone();
        Tool::new(name, "a tool of the tests", schema)
    }

    async fn report(context: RequestContext<RoleServer>) -> CallToolResult {
        let token = context.meta.get_progress_token().unwrap();
        context.peer.notify_progress(ProgressNotificationParam::new(token, 1.0)).await.unwrap();
        CallToolResult::success(vec![ContentBlock::text("reported")])
    }

    async fn ask(context: RequestContext<RoleServer>) -> CallToolResult {
        let asked = context.peer.send_request(ServerRequest::PingRequest(Default::default())).await;
        CallToolResult::success(vec![ContentBlock::text(if asked.is_ok() { "answered" } else { "refused" })])
    }

    async fn slow(&self, ms: Option<u64>, context: RequestContext<RoleServer>) -> CallToolResult {
        self.seen.send_modify(|seen| seen.started += 1);
        let slept = async {
            match ms {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => self.released.cancelled().await,
            }
        };
        tokio::select! {
            () = slept => CallToolResult::success(vec![ContentBlock::text("slept")]),
            () = context.ct.cancelled() => {
                self.seen.send_modify(|seen| seen.cancelled += 1);
                CallToolResult::error(vec![ContentBlock::text("cancelled")])
            }
        }
    }
}

impl Foresight for Echo {}

impl Direct for Echo {}

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("echo", "1.0.0"))
    }

    async fn on_initialized(&self, _: NotificationContext<RoleServer>) {
        self.seen.send_modify(|seen| seen.initialized += 1);
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changed = self.changed.subscribe();
        loop {
            tokio::select! {
                () = self.closing.cancelled() => return Ok(()),
                () = context.cancelled() => return Ok(()),
                change = changed.changed() => {
                    if change.is_err() || context.sink().notify_tool_list_changed().await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(TOOLS.map(Echo::tool).to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        TOOLS.into_iter().find(|known| *known == name).map(Echo::tool)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let result = match request.name.as_ref() {
            "echo" => {
                let text = arguments.get("text").and_then(Value::as_str).unwrap_or_default();
                CallToolResult::success(vec![ContentBlock::text(text)])
            }
            "slow" => self.slow(arguments.get("ms").and_then(Value::as_u64), context).await,
            "notify" => {
                self.changed.send_modify(|count| *count += 1);
                if context.protocol_version().is_some_and(|version| version < ProtocolVersion::V_2026_07_28) {
                    context.peer.notify_tool_list_changed().await.unwrap();
                }
                CallToolResult::success(vec![])
            }
            "report" => Echo::report(context).await,
            "ask" => Echo::ask(context).await,
            _ => return Err(ErrorData::invalid_params("unknown tool", None)),
        };
        Ok(result.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(methods::refuse(&request, false))
    }
}

/// The `_meta` of a 2026-07-28 request.
pub(crate) fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    })
}

/// A request with `params`; `modern` adds the metadata of 2026-07-28.
pub(crate) fn request(id: impl Into<Value>, method: &str, mut params: Value, modern: bool) -> Value {
    if modern {
        params["_meta"] = modern_meta();
    }
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// An `initialize` request for `version`.
pub(crate) fn initialize(id: impl Into<Value>, version: &str) -> Value {
    let client = json!({"name": "test", "version": "1"});
    request(id, "initialize", json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client}), false)
}

/// A call of one of [`TOOLS`].
pub(crate) fn call(id: impl Into<Value>, tool: &str, arguments: Value, modern: bool) -> Value {
    request(id, "tools/call", json!({"name": tool, "arguments": arguments}), modern)
}

/// A subscription to changes of the list of tools.
pub(crate) fn listen(id: impl Into<Value>) -> Value {
    request(id, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}), true)
}

/// The text of a tool's answer.
pub(crate) fn text_of(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}
