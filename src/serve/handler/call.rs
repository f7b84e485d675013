//! Calls of tools: answered when they are done, or made tasks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, CreateTaskResult};

use super::{Context, answers, silent};
use crate::action::{Arguments, Call};
use crate::catalog::{Answer, Catalog};
use crate::outcome::{ActionError, ErrorKind};
use crate::serve::Handler;
use crate::serve::ask::{Asked, Begun, Ended, Started, Work, is_modern, takes_tasks};

impl Handler {
    /// Answers `tools/call`.
    pub(super) async fn call(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        let catalog = self.current();
        let Some(tool) = catalog.tool(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let modern = is_modern(&context);
        let write = |answer| answers::tool(&request.name, answer, &catalog, modern);
        let life = tool.task.filter(|_| takes_tasks(&context));
        if life.is_none() && tool.is_silent() && request.request_state.is_none() {
            // It needs no line to its client.
            let answer = Box::pin(tool.call(arguments, &silent(&context))).await;
            return Ok(write(answer).into());
        }
        let asked = Asked {
            method: "tools/call",
            name: &request.name,
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
                let run = |call| task(catalog.clone(), request.name.to_string(), arguments.clone(), call);
                match self.begin(asked, &context, run).await? {
                    Started::Ended(ended) => ended,
                    Started::Begun(begun) => return Ok(self.start(&request.name, begun, life, &catalog)),
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
