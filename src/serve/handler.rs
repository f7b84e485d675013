//! MCP's requests, answered from the catalog.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, CompletionInfo,
    CustomRequest, CustomResult, GetPromptRequestParams, GetPromptResponse, GetPromptResult, JsonObject,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    Reference, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

use super::{Handler, feed, methods};
use crate::action::Call;
use crate::catalog::completion::Completed;
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

    /// The current catalog, for a page of a list. All of a list is one page, so no cursor was ever given out.
    fn page(
        &self,
        list: List,
        method: &str,
        request: Option<PaginatedRequestParams>,
    ) -> Result<std::sync::Arc<Catalog>, ErrorData> {
        let catalog = self.current();
        if !self.has(&catalog, list) {
            return Err(undeclared(method));
        }
        match request.and_then(|r| r.cursor) {
            Some(_) => Err(ErrorData::invalid_params("unknown cursor", None)),
            None => Ok(catalog),
        }
    }
}

fn undeclared(method: &str) -> ErrorData {
    let words = format!("{method}: this server has none");
    ErrorData::new(rmcp::model::ErrorCode::METHOD_NOT_FOUND, words, None)
}

fn call(context: &Context) -> Call {
    Call { cancel: context.ct.clone() }
}

/// Whether the request is one of 2026-07-28, which has no sessions.
fn is_modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// The `_meta` of every result of 2026-07-28, where no handshake says who answers.
fn meta(catalog: &Catalog, context: &Context) -> Option<MetaObject> {
    let server = || ("io.modelcontextprotocol/serverInfo".to_owned(), json!(catalog.server));
    is_modern(context).then(|| MetaObject(JsonObject::from_iter([server()])))
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
            capabilities.resources.iter_mut().for_each(|c| c.list_changed = changes);
        }
        if self.has(&catalog, List::Prompts) {
            capabilities.prompts = Some(Default::default());
            capabilities.prompts.iter_mut().for_each(|c| c.list_changed = changes);
        }
        if self.has(&catalog, List::Resources) || self.has(&catalog, List::Prompts) {
            capabilities.completions = Some(Default::default());
        }
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
        Some(requested.supported_by(&self.get_info().capabilities))
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
        let catalog = self.page(List::Tools, "tools/list", request)?;
        let mut result = ListToolsResult::with_all_items(catalog.tools().map(|t| t.listed.clone()).collect());
        result.meta = meta(&catalog, &context);
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.catalog.borrow().tool(name).map(|tool| tool.listed.clone())
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        let catalog = self.current();
        let Some(tool) = catalog.tool(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None));
        };
        let answer = tool.call(request.arguments.unwrap_or_default(), &call(&context)).await;
        Ok(result(answer, &catalog, &context).into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let catalog = self.page(List::Resources, "resources/list", request)?;
        let fixed = catalog.resources().filter_map(|r| match &r.listed {
            Listed::Resource(resource) => Some(resource.clone()),
            Listed::Template(_) => None,
        });
        let mut result = ListResourcesResult::with_all_items(fixed.collect());
        result.meta = meta(&catalog, &context);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let catalog = self.page(List::Resources, "resources/templates/list", request)?;
        let templates = catalog.resources().filter_map(|r| match &r.listed {
            Listed::Template(template) => Some(template.clone()),
            Listed::Resource(_) => None,
        });
        let mut result = ListResourceTemplatesResult::with_all_items(templates.collect());
        result.meta = meta(&catalog, &context);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let catalog = self.current();
        if !self.has(&catalog, List::Resources) {
            return Err(undeclared("resources/read"));
        }
        match catalog.read(&request.uri, &call(&context)).await {
            Ok(contents) => {
                let mut result = ReadResourceResult::new(vec![contents]);
                result.meta = meta(&catalog, &context);
                Ok(result.into())
            }
            Err(error) => Err(failure(error, "resources/read", Some(&request.uri))),
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let catalog = self.page(List::Prompts, "prompts/list", request)?;
        let mut result = ListPromptsResult::with_all_items(catalog.prompts().map(|p| p.listed.clone()).collect());
        result.meta = meta(&catalog, &context);
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let catalog = self.current();
        if !self.has(&catalog, List::Prompts) {
            return Err(undeclared("prompts/get"));
        }
        let Some(prompt) = catalog.prompt(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no prompt `{}`", request.name), None));
        };
        let given = request.arguments.unwrap_or_default();
        let messages =
            prompt.get(given, &catalog, &call(&context)).await.map_err(|e| failure(e, "prompts/get", None))?;
        let mut result = GetPromptResult::new(messages);
        result.description = prompt.listed.description.clone();
        result.meta = meta(&catalog, &context);
        Ok(result.into())
    }

    async fn complete(&self, request: CompleteRequestParams, context: Context) -> Result<CompleteResult, ErrorData> {
        let catalog = self.current();
        let name = &request.argument.name;
        let completion = match &request.r#ref {
            Reference::Prompt(prompt) => {
                let unknown = || ErrorData::invalid_params(format!("there is no prompt `{}`", prompt.name), None);
                catalog.prompt(&prompt.name).ok_or_else(unknown)?.completion(name)
            }
            Reference::Resource(resource) => {
                let unknown =
                    || ErrorData::invalid_params(format!("there is no resource template `{}`", resource.uri), None);
                catalog.resources().find(|r| r.uri() == resource.uri).ok_or_else(unknown)?.completion(name)
            }
            _ => return Err(ErrorData::invalid_params("only prompts and resource templates are completed", None)),
        };
        let none = Completed { values: Vec::new(), total: 0 };
        let Completed { values, total } = completion.map_or(none, |c| c.complete(&request.argument.value));
        let has_more = total > values.len();
        let mut info = CompletionInfo::new(values).map_err(|why| ErrorData::internal_error(why, None))?;
        info.total = u32::try_from(total).ok();
        info.has_more = Some(has_more);
        let mut result = CompleteResult::new(info);
        result.meta = meta(&catalog, &context);
        Ok(result)
    }

    async fn on_custom_request(&self, request: CustomRequest, _: Context) -> Result<CustomResult, ErrorData> {
        Err(methods::refuse(&request))
    }
}
