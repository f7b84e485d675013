//! Calls that a server of 2026-07-28 answers later (MCP's extension `io.modelcontextprotocol/tasks`): they are waited
//! for, so that who calls sees a plain call.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use rmcp::ServiceError;
use rmcp::model::{
    CancelTaskParams, ClientRequest, CustomResult, ErrorCode, ErrorData, GetTaskParams, InputRequests, InputResponses,
    Request, ServerResult, TASKS_EXTENSION_ID, TaskPayload, UpdateTaskParams,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::session::{MAX_ROUNDS, Session, Within};
use super::{questions, words};
use crate::action::Call;
use crate::action::call::cancelled;
use crate::outcome::{ActionError, ErrorKind};

/// How often a task is looked at, whatever its server says.
const POLL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// The same where the server says nothing.
const USUAL: Duration = Duration::from_millis(500);
/// How long taking a task back may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The part of a call that names the task that it became.
pub const TASK: &str = "task";
/// The part that holds what the task was told, question round by question round.
const TOLD: &str = "told";

/// What a task ended with.
type Ended = Result<ServerResult, ActionError>;

/// Whether a call is refused because it is to be a task.
pub fn is_demanded(answer: &Result<ServerResult, ServiceError>) -> bool {
    let Err(ServiceError::McpError(error)) = answer else { return false };
    let required = error.data.as_ref().and_then(|data| data.get("requiredCapabilities")?.get("extensions"));
    error.code == ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY
        && required.is_some_and(|extensions| extensions.get(TASKS_EXTENSION_ID).is_some())
}

impl Session {
    /// Waits for the end of a task that a call became, and answers what it asks. A task that is given up before it ended
    /// is cancelled; one whose client is to call again is not given up.
    pub async fn follow(&self, task: &str, call: &Call, within: Within) -> Result<ServerResult, ActionError> {
        let given = self.look(task, call, within).await;
        if given.as_ref().is_err_and(|error| error.kind == ErrorKind::Unanswered) {
            return given.flatten();
        }
        // Who makes the call again means another task.
        [TASK, TOLD].iter().for_each(|part| call.within(part).forget());
        if given.is_err() {
            let request = ClientRequest::CancelTaskRequest(Request::new(CancelTaskParams::new(task)));
            // Without the call's cancellation, which has come already.
            let detached = Call::default();
            let _ = self.exchange(request, Some(&detached), PATIENCE.into(), true).await;
        }
        given.flatten()
    }

    /// Fails if the task is given up.
    async fn look(&self, task: &str, call: &Call, within: Within) -> Result<Ended, ActionError> {
        let told = call.within(TOLD).recall();
        let mut told = told.and_then(|told| serde_json::from_value(told).ok()).unwrap_or_default();
        let mut deadline = Instant::now() + within.left;
        loop {
            let left = Within { left: deadline.saturating_duration_since(Instant::now()), ..within };
            let request = ClientRequest::GetTaskRequest(Request::new(GetTaskParams::new(task)));
            let answer = self.exchange(request, Some(call), left, true).await?;
            let ServerResult::GetTaskResult(state) = self.answer(answer, Some(call)).await? else {
                return Err(ActionError::failed(format!("the server `{}` says nothing of its task", self.name)));
            };
            match state.task.payload {
                TaskPayload::Completed { result } => {
                    return Ok(Ok(ServerResult::CustomResult(CustomResult::new(Value::Object(result)))));
                }
                TaskPayload::Failed { error } => {
                    let words = format!("the server `{}` says that its task failed", self.name);
                    let error = serde_json::from_value::<ErrorData>(Value::Object(error));
                    return Ok(Err(match error {
                        Ok(error) => words::refused(&self.name, &error, &self.config),
                        Err(_) => ActionError::failed(words),
                    }));
                }
                TaskPayload::InputRequired { input_requests } => {
                    if self.tell(task, input_requests, &mut told, call, within).await? {
                        deadline = Instant::now() + within.all;
                    }
                }
                TaskPayload::Working => {}
                _ => return Ok(Err(ActionError::failed(format!("the server `{}` cancelled its task", self.name)))),
            }
            let pause = state.task.task.poll_interval_ms.map_or(USUAL, Duration::from_millis).clamp(POLL.0, POLL.1);
            tokio::select! {
                biased;
                () = call.cancel.cancelled() => return Err(cancelled()),
                () = sleep(pause) => {}
            }
        }
    }

    /// Hands on the answers to what a task asks, unless it was told all of them before. Gives whether it was not.
    async fn tell(
        &self,
        task: &str,
        mut asks: InputRequests,
        told: &mut Vec<InputResponses>,
        call: &Call,
        within: Within,
    ) -> Result<bool, ActionError> {
        // A task's questions have names that it uses once, but it may show one for a while after it has the answer.
        asks.retain(|key, _| !told.iter().any(|answers| answers.contains_key(key)));
        if asks.is_empty() {
            return Ok(false);
        }
        if told.len() >= MAX_ROUNDS {
            return Err(self.asks_on());
        }
        let mut hash = DefaultHasher::new();
        asks.keys().for_each(|key| key.hash(&mut hash));
        let here = call.within(&format!("input-{:x}", hash.finish()));
        let answers = questions::put(&self.name, asks, &here).await?;
        told.push(answers.clone());
        call.within(TOLD).record(&json!(told));
        let request = ClientRequest::UpdateTaskRequest(Request::new(UpdateTaskParams::new(task, answers)));
        let answer = self.exchange(request, Some(call), within.all.into(), true).await?;
        self.answer(answer, Some(call)).await.map(|_| true)
    }
}
