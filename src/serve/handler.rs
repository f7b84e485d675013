//! MCP's requests, answered from the catalog.
#![expect(deprecated, reason = "versions before 2026-07-28 have logging/setLevel")]

mod answers;
mod call;
mod completion;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult, CustomRequest,
    CustomResult, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult, InitializeRequestParams,
    InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, PromptsCapability, ReadResourceRequestParams, ReadResourceResponse, ResourcesCapability,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    ToolsCapability, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

use super::ask::{Asked, Ended, is_modern};
use super::updates::{MAX_SUBSCRIPTIONS, TooMany};
use super::{Handler, feed, methods};
use crate::action::Call;
use crate::catalog::lists::Freshness;
use crate::catalog::{Listed, RequestLog};
use answers::listed;

type Context = RequestContext<RoleServer>;

impl Handler {
    /// What of a subscription can be told.
    pub(super) fn acceptable(&self, requested: &SubscriptionFilter) -> SubscriptionFilter {
        let catalog = self.current();
        let mut accepted = requested.supported_by(&self.get_info().capabilities);
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| catalog.resource(uri).is_some());
            uris.truncate(MAX_SUBSCRIPTIONS);
        }
        accepted
    }
}

/// A call whose action can't talk to the client.
fn silent(context: &Context) -> Call {
    Call::new(context.ct.clone(), Default::default(), Default::default())
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        // Before the catalog is looked at: `initialize` is answered from this.
        self.answered();
        let catalog = self.current();
        let mut capabilities = ServerCapabilities::default();
        // Lists that are empty now may be filled by a reload.
        let mut tools = ToolsCapability::default();
        let mut resources = ResourcesCapability::default();
        let mut prompts = PromptsCapability::default();
        (tools.list_changed, resources.list_changed, prompts.list_changed) = (Some(true), Some(true), Some(true));
        resources.subscribe = catalog.has_subscriptions().then_some(true);
        (capabilities.tools, capabilities.resources) = (Some(tools), Some(resources));
        (capabilities.prompts, capabilities.completions) = (Some(prompts), Some(Default::default()));
        capabilities.logging = Some(Default::default());
        // The tasks of a tool outlive the tool.
        if catalog.has_tasks() || !self.tasks.is_empty() {
            capabilities.extensions = ServerCapabilities::builder().enable_tasks().build().extensions;
        }
        let mut info = ServerConfig::new(capabilities).with_server_info(catalog.server.clone());
        info.instructions = catalog.instructions.clone();
        info
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Result<InitializeResult, ErrorData> {
        let mut info = self.negotiate_initialize(&request)?;
        let mut client = request;
        client.protocol_version = info.protocol_version.clone();
        context.peer.set_peer_info(client);
        // These versions have none.
        info.capabilities.extensions = None;
        Ok(info)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if let Some(feed) = self.begins() {
            tokio::spawn(feed::session(self.clone(), feed, context.peer));
        }
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let accepted = self.acceptable(requested);
        self.begun.begin(self, &accepted);
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        Box::pin(feed::subscription(self, &context)).await;
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let catalog = self.current();
        let tools = catalog.listed_tools();
        let tools = tools.into_iter().map(|tool| answers::listing(tool, is_modern(&context))).collect();
        listed!(ListToolsResult, catalog.lists.tools, tools, request, &catalog, &context)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let catalog = self.current();
        let listed = catalog.tool(name).map(|tool| &tool.listed);
        listed.or_else(|| catalog.listed_tools().into_iter().find(|tool| tool.name == name)).cloned()
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        // Boxed, here and below: what rmcp moves about before it runs a request has room for the largest of them.
        Box::pin(self.call(request, context)).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let catalog = self.current();
        let resources = catalog.listed_resources(&silent(&context)).await;
        listed!(ListResourcesResult, catalog.lists.resources, resources, request, &catalog, &context)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let catalog = self.current();
        let templates = catalog.resources().filter_map(|r| match &r.listed {
            Listed::Template(template) => Some(template.clone()),
            Listed::Resource(_) => None,
        });
        let (templates, paging) = (templates.collect(), catalog.lists.templates);
        listed!(ListResourceTemplatesResult, paging, templates, request, &catalog, &context)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let catalog = self.current();
        let asked = Asked {
            method: "resources/read",
            name: &request.uri,
            arguments: &Default::default(),
            edition: catalog.edition,
            responses: request.input_responses,
            state: request.request_state,
        };
        let read = async |call: &Call| {
            let log = RequestLog::begin();
            let contents = catalog.read(&request.uri, call).await;
            // By its name: a URI has values in it.
            let name = catalog.resource(&request.uri).map_or("", |(resource, _)| resource.uri());
            log.end("resources/read", name, &contents);
            contents
        };
        match Box::pin(self.converse(asked, &context, read)).await? {
            Ended::Done(Ok(contents)) => Ok(answers::resource(contents, &catalog, &context).into()),
            Ended::Done(Err(error)) => Err(answers::failure(error, "resources/read", Some(&request.uri))),
            Ended::InputRequired(asks) => Ok(answers::input_required(asks, &catalog, &context).into()),
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let catalog = self.current();
        let prompts = catalog.prompts().map(|p| p.listed.clone()).collect();
        listed!(ListPromptsResult, catalog.lists.prompts, prompts, request, &catalog, &context)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let catalog = self.current();
        let Some(prompt) = catalog.prompt(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no prompt `{}`", request.name), None));
        };
        let given = request.arguments.unwrap_or_default();
        let asked = Asked {
            method: "prompts/get",
            name: &request.name,
            arguments: &given,
            edition: catalog.edition,
            responses: request.input_responses,
            state: request.request_state,
        };
        let get = async |call: &Call| {
            let log = RequestLog::begin();
            let messages = prompt.get(given.clone(), &catalog, call).await;
            log.end("prompts/get", &request.name, &messages);
            messages
        };
        match Box::pin(self.converse(asked, &context, get)).await? {
            Ended::Done(Ok(messages)) => Ok(answers::prompt(messages, prompt, &catalog, &context).into()),
            Ended::Done(Err(error)) => Err(answers::failure(error, "prompts/get", None)),
            Ended::InputRequired(asks) => Ok(answers::input_required(asks, &catalog, &context).into()),
        }
    }

    async fn complete(&self, request: CompleteRequestParams, context: Context) -> Result<CompleteResult, ErrorData> {
        Box::pin(self.completion(request, context)).await
    }

    async fn subscribe(&self, request: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        let catalog = self.current();
        if !catalog.has_subscriptions() {
            return Err(answers::undeclared("resources/subscribe"));
        }
        if catalog.resource(&request.uri).is_none() {
            let uri = json!({ "uri": request.uri });
            return Err(ErrorData::resource_not_found("there is no such resource", Some(uri)));
        }
        let watched = self.subscriptions.add(&request.uri, &self.updates).map_err(|TooMany| {
            let words = format!("a client may be subscribed to {MAX_SUBSCRIPTIONS} resources at a time");
            ErrorData::invalid_params(words, None)
        })?;
        watched.seen().await;
        Ok(())
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        if !self.current().has_subscriptions() {
            return Err(answers::undeclared("resources/unsubscribe"));
        }
        self.subscriptions.remove(&request.uri);
        Ok(())
    }

    async fn set_level(&self, request: SetLevelRequestParams, context: Context) -> Result<(), ErrorData> {
        if is_modern(&context) {
            return Err(answers::undeclared("logging/setLevel"));
        }
        self.level.send_replace(request.level.into());
        Ok(())
    }

    async fn on_custom_request(&self, request: CustomRequest, context: Context) -> Result<CustomResult, ErrorData> {
        Err(methods::refuse(&request, is_modern(&context)))
    }

    async fn get_task(&self, request: GetTaskParams, context: Context) -> Result<GetTaskResult, ErrorData> {
        has_tasks(&context, "tasks/get")?;
        let mut result = GetTaskResult::new(self.tasks.get(&request.task_id)?);
        result.meta = answers::meta(&self.current(), &context);
        Ok(result)
    }

    async fn update_task(&self, request: UpdateTaskParams, context: Context) -> Result<(), ErrorData> {
        has_tasks(&context, "tasks/update")?;
        self.tasks.answer(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, context: Context) -> Result<(), ErrorData> {
        has_tasks(&context, "tasks/cancel")?;
        self.tasks.cancel(&request.task_id)
    }
}

/// Fails where the version of a request has no tasks, whatever its client says.
fn has_tasks(context: &Context, method: &str) -> Result<(), ErrorData> {
    if is_modern(context) { Ok(()) } else { Err(answers::undeclared(method)) }
}
