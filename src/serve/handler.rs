//! MCP's requests, answered from the catalog.
#![expect(deprecated, reason = "versions before 2026-07-28 have logging/setLevel")]

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, CompletionInfo,
    CustomRequest, CustomResult, GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequiredResult,
    JsonObject, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Reference,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

use super::ask::{Asked, Ended, from_mcp, is_modern};
use super::updates::{MAX_SUBSCRIPTIONS, TooMany};
use super::{Handler, feed, methods};
use crate::action::Call;
use crate::catalog::completion::Completed;
use crate::catalog::lists::{Freshness, Page, Paging};
use crate::catalog::{Answer, Catalog, Listed};
use crate::outcome::{ActionError, ErrorKind};

type Context = RequestContext<RoleServer>;

/// MCP's lists; each is a capability of its own.
#[derive(Clone, Copy)]
enum List {
    Tools,
    Resources,
    Prompts,
}

impl Handler {
    /// Whether the server has such a list: it is not empty, or may be filled by a reload.
    fn has(&self, catalog: &Catalog, list: List) -> bool {
        self.reloads
            || match list {
                List::Tools => catalog.tools().next().is_some(),
                List::Resources => catalog.resources().next().is_some(),
                List::Prompts => catalog.prompts().next().is_some(),
            }
    }

    /// The current catalog, if it has such a list.
    fn with(&self, list: List, method: &str) -> Result<std::sync::Arc<Catalog>, ErrorData> {
        let catalog = self.current();
        if self.has(&catalog, list) { Ok(catalog) } else { Err(undeclared(method)) }
    }
}

/// The page of a list that a request wants.
fn page<T: serde::Serialize>(
    paging: Paging,
    list: Vec<T>,
    request: Option<PaginatedRequestParams>,
) -> Result<Page<T>, ErrorData> {
    let unknown = |_| ErrorData::invalid_params("unknown cursor: the list has changed, or never had it", None);
    paging.page(list, request.and_then(|r| r.cursor).as_deref()).map_err(unknown)
}

/// MCP's result of a list: only 2026-07-28 knows for how long it holds.
macro_rules! listed {
    ($result:ident, $paging:expr, $entries:expr, $request:expr, $catalog:expr, $context:expr) => {{
        let page = page($paging, $entries, $request)?;
        let Freshness { ttl_ms, cache_scope } = freshness($paging.freshness, $context);
        let meta = meta($catalog, $context);
        Ok($result { next_cursor: page.next, ttl_ms, cache_scope, meta, ..$result::with_all_items(page.entries) })
    }};
}

/// What the spec says of an answer's freshness, for those who know of it.
fn freshness(written: Freshness, context: &Context) -> Freshness {
    if is_modern(context) { written } else { Freshness::default() }
}

fn undeclared(method: &str) -> ErrorData {
    let words = format!("{method}: this server has none");
    ErrorData::new(rmcp::model::ErrorCode::METHOD_NOT_FOUND, words, None)
}

/// A call whose action can't talk to the client.
fn call(context: &Context) -> Call {
    Call::new(context.ct.clone(), Default::default(), Default::default())
}

/// The `_meta` of every result of 2026-07-28, where no handshake says who answers.
fn meta(catalog: &Catalog, context: &Context) -> Option<MetaObject> {
    let server = || ("io.modelcontextprotocol/serverInfo".to_owned(), json!(catalog.server));
    is_modern(context).then(|| MetaObject(JsonObject::from_iter([server()])))
}

/// What the client is asked before there is an answer.
fn input_required(mut asks: InputRequiredResult, catalog: &Catalog, context: &Context) -> InputRequiredResult {
    asks.meta = meta(catalog, context);
    asks
}

/// A tool's answer. Before 2026-07-28 structured content has to be an object.
fn result(answer: Answer, catalog: &Catalog, context: &Context) -> CallToolResult {
    let mut result = match answer.is_error {
        true => CallToolResult::error(answer.content),
        false => CallToolResult::success(answer.content),
    };
    result.structured_content = answer.structured.filter(|value| value.is_object() || is_modern(context));
    result.meta = meta(catalog, context);
    result
}

fn failure(error: ActionError, what: &str, uri: Option<&str>) -> ErrorData {
    if let Some(detail) = &error.detail {
        tracing::warn!("{what}: {detail}");
    }
    match (error.kind, uri) {
        (ErrorKind::NotFound, Some(uri)) => ErrorData::resource_not_found(error.message, Some(json!({ "uri": uri }))),
        (ErrorKind::Invalid | ErrorKind::NotFound, _) => ErrorData::invalid_params(error.message, None),
        _ => ErrorData::internal_error(error.message, None),
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let catalog = self.current();
        let mut capabilities = ServerCapabilities::default();
        let changes = self.reloads.then_some(true);
        if self.has(&catalog, List::Tools) {
            capabilities.tools = Some(Default::default());
            capabilities.tools.iter_mut().for_each(|c| c.list_changed = changes);
        }
        if self.has(&catalog, List::Resources) {
            capabilities.resources = Some(Default::default());
            let subscribe = catalog.has_subscriptions().then_some(true);
            capabilities.resources.iter_mut().for_each(|c| (c.list_changed, c.subscribe) = (changes, subscribe));
        }
        if self.has(&catalog, List::Prompts) {
            capabilities.prompts = Some(Default::default());
            capabilities.prompts.iter_mut().for_each(|c| c.list_changed = changes);
        }
        if self.has(&catalog, List::Resources) || self.has(&catalog, List::Prompts) {
            capabilities.completions = Some(Default::default());
        }
        capabilities.logging = Some(Default::default());
        let mut info = ServerConfig::new(capabilities).with_server_info(catalog.server.clone());
        info.instructions = catalog.instructions.clone();
        info
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if self.begins() {
            tokio::spawn(feed::session(self.clone(), context.peer));
        }
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let catalog = self.current();
        let mut accepted = requested.supported_by(&self.get_info().capabilities);
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| catalog.resource(uri).is_some());
            uris.truncate(MAX_SUBSCRIPTIONS);
        }
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        feed::subscription(self, &context).await;
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let catalog = self.with(List::Tools, "tools/list")?;
        let tools = catalog.tools().map(|t| t.listed.clone()).collect();
        listed!(ListToolsResult, catalog.lists.tools, tools, request, &catalog, &context)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.catalog.borrow().tool(name).map(|tool| tool.listed.clone())
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        let catalog = self.current();
        let Some(tool) = catalog.tool(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let asked = Asked {
            method: "tools/call",
            name: &request.name,
            arguments: &arguments,
            edition: catalog.edition,
            responses: request.input_responses,
            state: request.request_state,
        };
        match self.converse(asked, &context, async |call| tool.attempt(arguments.clone(), call).await).await? {
            Ended::Done(Ok(answer)) => Ok(result(answer, &catalog, &context).into()),
            Ended::Done(Err(error)) => Ok(result(Answer::error(error.message), &catalog, &context).into()),
            Ended::InputRequired(asks) => Ok(input_required(asks, &catalog, &context).into()),
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let catalog = self.with(List::Resources, "resources/list")?;
        let resources = catalog.listed_resources(&call(&context)).await;
        listed!(ListResourcesResult, catalog.lists.resources, resources, request, &catalog, &context)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let catalog = self.with(List::Resources, "resources/templates/list")?;
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
        let catalog = self.with(List::Resources, "resources/read")?;
        let asked = Asked {
            method: "resources/read",
            name: &request.uri,
            arguments: &Default::default(),
            edition: catalog.edition,
            responses: request.input_responses,
            state: request.request_state,
        };
        match self.converse(asked, &context, async |call| catalog.read(&request.uri, call).await).await? {
            Ended::Done(Ok(contents)) => {
                let Freshness { ttl_ms, cache_scope } = freshness(contents.freshness, &context);
                let mut result = ReadResourceResult::new(contents.all);
                (result.ttl_ms, result.cache_scope) = (ttl_ms, cache_scope);
                result.meta = meta(&catalog, &context);
                Ok(result.into())
            }
            Ended::Done(Err(error)) => Err(failure(error, "resources/read", Some(&request.uri))),
            Ended::InputRequired(asks) => Ok(input_required(asks, &catalog, &context).into()),
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let catalog = self.with(List::Prompts, "prompts/list")?;
        let prompts = catalog.prompts().map(|p| p.listed.clone()).collect();
        listed!(ListPromptsResult, catalog.lists.prompts, prompts, request, &catalog, &context)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let catalog = self.with(List::Prompts, "prompts/get")?;
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
        match self.converse(asked, &context, async |call| prompt.get(given.clone(), &catalog, call).await).await? {
            Ended::Done(Ok(messages)) => {
                let mut result = GetPromptResult::new(messages);
                result.description = prompt.listed.description.clone();
                result.meta = meta(&catalog, &context);
                Ok(result.into())
            }
            Ended::Done(Err(error)) => Err(failure(error, "prompts/get", None)),
            Ended::InputRequired(asks) => Ok(input_required(asks, &catalog, &context).into()),
        }
    }

    async fn complete(&self, request: CompleteRequestParams, context: Context) -> Result<CompleteResult, ErrorData> {
        let catalog = self.current();
        if !self.has(&catalog, List::Resources) && !self.has(&catalog, List::Prompts) {
            return Err(undeclared("completion/complete"));
        }
        let invalid = |words: String| ErrorData::invalid_params(words, None);
        let name = &request.argument.name;
        let (params, completion) = match &request.r#ref {
            Reference::Prompt(of) => {
                let unknown = || invalid(format!("there is no prompt `{}`", of.name));
                let prompt = catalog.prompt(&of.name).ok_or_else(unknown)?;
                (prompt.parameters(), prompt.completion(name))
            }
            Reference::Resource(of) => {
                let unknown = || invalid(format!("there is no resource template `{}`", of.uri));
                let resource = catalog.resources().find(|r| r.uri() == of.uri).ok_or_else(unknown)?;
                (resource.parameters(), resource.completion(name))
            }
            _ => return Err(invalid("only prompts and resource templates are completed".to_owned())),
        };
        let others = request.context.and_then(|c| c.arguments).unwrap_or_default();
        let others = others.into_iter().map(|(name, text)| (name, text.into())).collect();
        let completed = match completion {
            Some(completion) => {
                let completed = completion.complete(&request.argument.value, others, params, &call(&context)).await;
                completed.map_err(|error| failure(error, "completion/complete", None))?
            }
            None => Completed { total: Some(0), ..Completed::default() },
        };
        let mut info = CompletionInfo::new(completed.values).map_err(|why| ErrorData::internal_error(why, None))?;
        info.total = completed.total.and_then(|total| u32::try_from(total).ok());
        info.has_more = Some(completed.more);
        let mut result = CompleteResult::new(info);
        result.meta = meta(&catalog, &context);
        Ok(result)
    }

    async fn subscribe(&self, request: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        let catalog = self.current();
        if !catalog.has_subscriptions() {
            return Err(undeclared("resources/subscribe"));
        }
        if catalog.resource(&request.uri).is_none() {
            let uri = json!({ "uri": request.uri });
            return Err(ErrorData::resource_not_found("there is no such resource", Some(uri)));
        }
        self.subscriptions.add(&request.uri, &self.updates).map_err(|TooMany| {
            let words = format!("a client may be subscribed to {MAX_SUBSCRIPTIONS} resources at a time");
            ErrorData::invalid_params(words, None)
        })
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        if !self.current().has_subscriptions() {
            return Err(undeclared("resources/unsubscribe"));
        }
        self.subscriptions.remove(&request.uri);
        Ok(())
    }

    async fn set_level(&self, request: SetLevelRequestParams, context: Context) -> Result<(), ErrorData> {
        if is_modern(&context) {
            return Err(undeclared("logging/setLevel"));
        }
        self.level.send_replace(from_mcp(request.level));
        Ok(())
    }

    async fn on_custom_request(&self, request: CustomRequest, context: Context) -> Result<CustomResult, ErrorData> {
        Err(methods::refuse(&request, is_modern(&context)))
    }
}
