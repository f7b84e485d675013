//! MCP's results, made of what the catalog gives, as the version of the request has them.

use rmcp::model::{
    CallToolResult, ErrorCode, ErrorData, GetPromptResult, InputRequiredResult, JsonObject, MetaObject,
    PaginatedRequestParams, PromptMessage, ReadResourceResult, Tool,
};
use serde::Serialize;
use serde_json::json;

use super::Context;
use crate::catalog::lists::{Freshness, Page, Paging};
use crate::catalog::{Answer, Catalog, Contents, Prompt};
use crate::outcome::{ActionError, ErrorKind};
use crate::serve::ask::is_modern;

/// The page of a list that a request wants.
pub fn page<T: Serialize>(
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
        let page = answers::page($paging, $entries, $request)?;
        let Freshness { ttl_ms, cache_scope } = answers::freshness($paging.freshness, $context);
        let meta = answers::meta($catalog, $context);
        Ok($result { next_cursor: page.next, ttl_ms, cache_scope, meta, ..$result::with_all_items(page.entries) })
    }};
}
pub(super) use listed;

/// What the spec says of an answer's freshness, for those who know of it.
pub fn freshness(written: Freshness, context: &Context) -> Freshness {
    if is_modern(context) { written } else { Freshness::default() }
}

/// The error for a method that the server does not have.
pub fn undeclared(method: &str) -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("{method}: this server has none"), None)
}

/// The `_meta` of every result of 2026-07-28, where no handshake says who answers.
pub fn meta(catalog: &Catalog, context: &Context) -> Option<MetaObject> {
    is_modern(context).then(|| catalog.meta.clone())
}

/// What the client is asked before there is an answer.
pub fn input_required(mut asks: InputRequiredResult, catalog: &Catalog, context: &Context) -> InputRequiredResult {
    asks.meta = meta(catalog, context);
    asks
}

/// A tool in a list. Before 2026-07-28 a tool can only promise objects.
pub fn listing(tool: &Tool, modern: bool) -> Tool {
    let mut listed = tool.clone();
    let is_object = |schema: &JsonObject| schema.get("type").is_some_and(|kind| kind == "object");
    listed.output_schema = listed.output_schema.filter(|schema| modern || is_object(schema));
    listed
}

/// A tool's answer. Before 2026-07-28 structured content has to be an object.
pub fn tool(name: &str, mut answer: Answer, catalog: &Catalog, modern: bool) -> CallToolResult {
    answer.content.extend(answer.whole.and_then(|whole| catalog.keep(whole, name)));
    let mut result = match answer.is_error {
        true => CallToolResult::error(answer.content),
        false => CallToolResult::success(answer.content),
    };
    result.structured_content = answer.structured.filter(|value| value.is_object() || modern);
    result.meta = modern.then(|| catalog.meta.clone());
    result
}

/// A resource's contents.
pub fn resource(contents: Contents, catalog: &Catalog, context: &Context) -> ReadResourceResult {
    let Freshness { ttl_ms, cache_scope } = freshness(contents.freshness, context);
    let mut result = ReadResourceResult::new(contents.all);
    (result.ttl_ms, result.cache_scope) = (ttl_ms, cache_scope);
    result.meta = meta(catalog, context);
    result
}

/// A prompt's messages.
pub fn prompt(messages: Vec<PromptMessage>, prompt: &Prompt, catalog: &Catalog, context: &Context) -> GetPromptResult {
    let mut result = GetPromptResult::new(messages);
    result.description = prompt.listed.description.clone();
    result.meta = meta(catalog, context);
    result
}

/// The error of an action, as that of a request.
pub fn failure(error: ActionError, what: &str, uri: Option<&str>) -> ErrorData {
    if let Some(detail) = &error.detail {
        tracing::warn!("{what}: {detail}");
    }
    match (error.kind, uri) {
        (ErrorKind::NotFound, Some(uri)) => ErrorData::resource_not_found(error.message, Some(json!({ "uri": uri }))),
        (ErrorKind::Invalid | ErrorKind::NotFound, _) => ErrorData::invalid_params(error.message, None),
        _ => ErrorData::internal_error(error.message, None),
    }
}
