//! rmcp's own client. Answers are handed on as JSON, after rmcp has read them into its types.

use rmcp::model::{ClientRequest, ErrorData, ProtocolVersion, ResourceUpdatedNotificationParam};
use rmcp::service::{ClientLifecycleMode, NotificationContext, RunningService, Subscription};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientHandler, ClientServiceExt, RoleClient, ServiceError};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Process, soon};

/// The two ways to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// A session, begun with `initialize`.
    Legacy,
    /// 2026-07-28: every request stands for itself.
    Modern,
}

/// A client, and the server if it is its own.
pub struct Client {
    service: RunningService<RoleClient, Ears>,
    heard: UnboundedReceiver<&'static str>,
    process: Option<Process>,
}

/// Which lists a client was told of; `updated` for a resource.
struct Ears(UnboundedSender<&'static str>);

impl ClientHandler for Ears {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.send("tools").unwrap_or_default();
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.send("resources").unwrap_or_default();
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.send("prompts").unwrap_or_default();
    }

    async fn on_resource_updated(&self, _: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.send("updated").unwrap_or_default();
    }
}

impl Era {
    fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        }
    }
}

impl Client {
    pub async fn over_stdio(mut process: Process, era: Era) -> Client {
        let (sender, heard) = unbounded_channel();
        let beginning = Ears(sender).serve_with_lifecycle(process.ends(), era.lifecycle());
        match soon("the server's first answer", beginning).await {
            Ok(service) => Client { service, heard, process: Some(process) },
            Err(why) => panic!("{why}: {}", process.stderr()),
        }
    }

    pub async fn over_http(url: &str, era: Era) -> Client {
        let (sender, heard) = unbounded_channel();
        let transport = StreamableHttpClientTransport::from_uri(url);
        let beginning = Ears(sender).serve_with_lifecycle(transport, era.lifecycle());
        Client { service: soon("the server's first answer", beginning).await.unwrap(), heard, process: None }
    }

    /// The server's process; only over stdio.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    /// What the server said of itself at the beginning.
    pub fn server(&self) -> Value {
        json!(self.service.peer_info().unwrap())
    }

    /// The result of a request.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, ErrorData> {
        let request: ClientRequest =
            serde_json::from_value(json!({ "method": method, "params": params })).expect("a request");
        match soon(method, self.service.send_request(request)).await {
            Ok(result) => Ok(json!(result)),
            Err(ServiceError::McpError(error)) => Err(error),
            Err(other) => panic!("{method}: {other}"),
        }
    }

    /// The error that a request gets: its code and its words.
    pub async fn refused(&self, method: &str, params: Value) -> (i32, String) {
        let error = self.ask(method, params).await.expect_err("a refusal");
        (error.code.0, error.message.into_owned())
    }

    /// A list: `tools`, `prompts`, `resources` or `resourceTemplates`.
    pub async fn list(&self, what: &str) -> Vec<Value> {
        let method = if what == "resourceTemplates" { "resources/templates" } else { what };
        let mut page = self.ask(&format!("{method}/list"), json!({})).await.unwrap();
        page[what].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The whole result of a call.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await.unwrap()
    }

    /// The structured answer of a call that must go well.
    pub async fn json(&self, tool: &str, arguments: Value) -> Value {
        let mut answer = self.call(tool, arguments).await;
        assert_eq!(answer["isError"], false, "{tool}: {answer}");
        answer["structuredContent"].take()
    }

    /// The text of a call that must go well.
    pub async fn text(&self, tool: &str, arguments: Value) -> String {
        let answer = self.call(tool, arguments).await;
        assert_eq!(answer["isError"], false, "{tool}: {answer}");
        text_of(&answer)
    }

    /// The words of a call that must fail.
    pub async fn fails(&self, tool: &str, arguments: Value) -> String {
        let answer = self.call(tool, arguments).await;
        assert_eq!(answer["isError"], true, "{tool}: {answer}");
        text_of(&answer)
    }

    /// The contents of a resource.
    pub async fn read(&self, uri: &str) -> Value {
        let mut result = self.ask("resources/read", json!({ "uri": uri })).await.unwrap();
        assert_eq!(result["contents"].as_array().unwrap().len(), 1, "{result}");
        result["contents"][0].take()
    }

    /// A prompt's messages.
    pub async fn prompt(&self, name: &str, arguments: Value) -> Value {
        self.ask("prompts/get", json!({ "name": name, "arguments": arguments })).await.unwrap()["messages"].take()
    }

    /// What `typed` completes to, for an argument of a prompt or a variable of a resource template.
    pub async fn complete(&self, of: &str, argument: &str, typed: &str) -> Value {
        let reference = match of.contains(':') {
            true => json!({ "type": "ref/resource", "uri": of }),
            false => json!({ "type": "ref/prompt", "name": of }),
        };
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": typed } });
        self.ask("completion/complete", params).await.unwrap()["completion"].take()
    }

    /// The next list that the server says has changed.
    pub async fn hears(&mut self) -> &'static str {
        soon("a notification", self.heard.recv()).await.unwrap()
    }

    /// What the client hears from now on, for somebody else to listen while it calls.
    pub fn ears(&mut self) -> UnboundedReceiver<&'static str> {
        std::mem::replace(&mut self.heard, unbounded_channel().1)
    }

    /// A subscription (2026-07-28) to what `filter` says.
    pub async fn listen(&self, filter: Value) -> Subscription {
        soon("a subscription", self.service.listen(serde_json::from_value(filter).unwrap())).await.unwrap()
    }
}

/// The first text of a tool's answer.
pub fn text_of(answer: &Value) -> String {
    answer["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}")).to_owned()
}
