//! Calls of tools: answered when they are done, or made tasks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, CreateTaskResult};
use tokio_util::sync::CancellationToken;

use super::{Context, answers, silent};
use crate::action::{Arguments, Call};
use crate::catalog::{Answer, Catalog, Resolved};
use crate::outcome::{ActionError, ErrorKind};
use crate::serve::Handler;
use crate::serve::ask::{Asked, Begun, Ended, Started, Work, is_modern, takes_tasks};
use crate::serve::http::Direct;

impl Handler {
    /// Answers `tools/call`.
    pub(super) async fn call(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        let catalog = self.current();
        let modern = is_modern(&context);
        let (tool, arguments) = match catalog.resolve(&request.name, request.arguments.unwrap_or_default()) {
            Some(Resolved::Tool(tool, arguments)) => (tool, arguments),
            Some(Resolved::Answer(answer)) => return Ok(answers::tool(&request.name, answer, &catalog, modern).into()),
            None => return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None)),
        };
        let name = tool.listed.name.as_ref();
        let write = |answer| answers::tool(name, answer, &catalog, modern);
        let life = tool.task.filter(|_| takes_tasks(&context));
        if life.is_none() && tool.is_silent() && request.request_state.is_none() {
            // It needs no line to its client.
            let answer = Box::pin(tool.call(arguments, &silent(&context))).await;
            return Ok(write(answer).into());
        }
        let asked = Asked {
            method: "tools/call",
            name,
            arguments: &arguments,
            edition: catalog.edition,
            responses: request.input_responses,
            state: request.request_state,
        };
        let ended = match life {
            None => {
                let run = async |call: &Call| tool.attempt(arguments.clone(), call).await.map(write);
                self.converse(asked, &context, run).await?
            }
            Some(life) => {
                let run = |call| task(catalog.clone(), name.to_owned(), arguments.clone(), call);
                match self.begin(asked, &context, run).await? {
                    Started::Ended(ended) => ended,
                    Started::Begun(begun) => return Ok(self.start(name, begun, life, &catalog)),
                }
            }
        };
        Ok(match ended {
            Ended::Done(Ok(result)) => result.into(),
            Ended::Done(Err(error)) => write(Answer::error(error.message)).into(),
            Ended::InputRequired(asks) => answers::input_required(asks, &catalog, &context).into(),
        })
    }

    /// Makes a call a task, and says so.
    fn start(&self, name: &str, begun: Begun<CallToolResult>, life: Duration, catalog: &Catalog) -> CallToolResponse {
        match self.tasks.start(begun, life) {
            Ok(task) => {
                let mut result = CreateTaskResult::new(task);
                result.meta = Some(catalog.meta.clone());
                result.into()
            }
            Err(why) => answers::tool(name, Answer::error(why), catalog, true).into(),
        }
    }
}

impl Direct for Handler {
    fn direct(
        &self,
        request: CallToolRequestParams,
        cancelled: CancellationToken,
    ) -> Option<BoxFuture<'static, CallToolResult>> {
        let catalog = self.current();
        let tool = catalog.tool(&request.name)?;
        if tool.task.is_some() || tool.has_headers || !tool.is_silent() || request.request_state.is_some() {
            return None;
        }
        let answering = async move {
            let call = Call::new(cancelled, Default::default(), Default::default());
            let answer = match catalog.tool(&request.name) {
                Some(tool) => tool.call(request.arguments.unwrap_or_default(), &call).await,
                None => Answer::error("there is no such tool"),
            };
            answers::tool(&request.name, answer, &catalog, true)
        };
        Some(answering.boxed())
    }
}

/// A call that may become a task. It keeps the catalog that it began with, whatever is swapped meanwhile.
fn task(catalog: Arc<Catalog>, name: String, arguments: Arguments, call: Call) -> Work<CallToolResult> {
    async move {
        let gone = || ActionError::new(ErrorKind::NotFound, "there is no such tool");
        let tool = catalog.tool(&name).ok_or_else(gone)?;
        let answer = tool.attempt(arguments, &call).await?;
        Ok(answers::tool(&name, answer, &catalog, true))
    }
    .boxed()
}
