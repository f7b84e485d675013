//! How one task is: what its client sees of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, DetailedTask, InputRequests, InputResponses, JsonObject, Task, TaskPayload, TaskStatus,
};
use rmcp::task_manager::current_timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::MOST_RESULTS;
use crate::action::Capabilities;
use crate::action::call::{Input, Message, Reply};
use crate::outcome::{ActionError, ErrorKind};
use crate::serve::ask::words;

/// How often a client should look after a task, in milliseconds.
const POLL: u64 = 1000;

/// What became of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The call was answered, well or not.
    Completed(JsonObject),
    /// It could not be answered.
    Failed(JsonObject),
    /// It was stopped.
    Cancelled,
}

impl End {
    /// The end of a call that gave this.
    pub(super) fn of(given: Result<CallToolResult, ActionError>, lacking: Capabilities) -> Self {
        match given {
            Ok(result) => End::Completed(object(&result)),
            Err(error) if error.kind == ErrorKind::Lacking => End::Failed(object(&words::lacking(lacking))),
            Err(error) => End::failed(error.message),
        }
    }

    /// A task that gives nothing, for this reason.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        End::Failed(object(&ErrorData::internal_error(why.into(), None)))
    }

    /// The end, with the room that it takes. A result for which there is none is not kept.
    pub(super) fn kept(self, results: &Arc<Semaphore>) -> (Self, Option<OwnedSemaphorePermit>) {
        let End::Completed(result) = &self else { return (self, None) };
        let size = json!(result).to_string().len();
        let room = u32::try_from(size).ok().and_then(|size| results.clone().try_acquire_many_owned(size).ok());
        match room {
            Some(room) => (self, Some(room)),
            None => {
                let most = MOST_RESULTS;
                let why =
                    format!("the result has {size} bytes, and all results may have {most}: there is no room left");
                (End::failed(why), None)
            }
        }
    }
}

fn object(value: &impl Serialize) -> JsonObject {
    match json!(value) {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// How a task is.
#[derive(Debug)]
pub(super) struct State(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    task: Task,
    round: Option<Round>,
    /// All keys of questions that there ever were: none may be used twice.
    used: HashSet<String>,
    lacking: Capabilities,
    end: Option<(End, Option<OwnedSemaphorePermit>)>,
}

/// Questions that wait for answers.
#[derive(Debug)]
struct Round {
    open: InputRequests,
    /// The names that the call has for them.
    names: BTreeMap<String, String>,
    given: Map<String, Value>,
    reply: oneshot::Sender<Reply>,
}

impl State {
    /// A task that begins, and what its client is told of it first.
    pub(super) fn new(id: &str, life: Duration) -> (Self, Task) {
        let now = current_timestamp();
        let life = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let task = Task::new(id, TaskStatus::Working, now.clone(), now).with_ttl_ms(life).with_poll_interval_ms(POLL);
        let inner =
            Inner { task: task.clone(), round: None, used: HashSet::new(), lacking: Default::default(), end: None };
        (State(Mutex::new(inner)), task)
    }

    /// Takes in what the call says.
    pub(super) fn hear(&self, message: Message) {
        let mut inner = self.lock();
        match message {
            Message::Progress { progress, total, message } => {
                let counted = || total.map_or_else(|| progress.to_string(), |total| format!("{progress} of {total}"));
                inner.task.status_message = Some(message.unwrap_or_else(counted));
            }
            Message::Ask(inputs, reply) => inner.ask(inputs, reply),
            Message::Lacks(missing) => inner.lacking = inner.lacking.and(missing),
            // There is no stream that would take it.
            Message::Log { .. } | Message::Visited(_) | Message::Begins(_) => return,
        }
        inner.touch();
    }

    /// What the client lacks that the call needs.
    pub(super) fn lacking(&self) -> Capabilities {
        self.lock().lacking
    }

    /// Takes in answers. The call hears of them when it has all that it asked for.
    pub(super) fn answer(&self, responses: InputResponses) {
        let mut inner = self.lock();
        let Some(mut round) = inner.round.take() else { return };
        for (key, response) in responses {
            if round.open.remove(&key).is_some()
                && let Some(name) = round.names.remove(&key)
            {
                round.given.insert(name, response);
            }
        }
        match round.open.is_empty() {
            // Fails only where the call waits no longer.
            true => drop(round.reply.send(Reply::Answers(round.given))),
            false => inner.round = Some(round),
        }
        inner.touch();
    }

    /// The task is over.
    pub(super) fn end(&self, end: (End, Option<OwnedSemaphorePermit>)) {
        let mut inner = self.lock();
        (inner.round, inner.end) = (None, Some(end));
        inner.touch();
    }

    /// The task as its client sees it.
    pub(super) fn show(&self) -> DetailedTask {
        let inner = self.lock();
        let payload = match (&inner.end, &inner.round) {
            (Some((End::Completed(result), _)), _) => TaskPayload::Completed { result: result.clone() },
            (Some((End::Failed(error), _)), _) => TaskPayload::Failed { error: error.clone() },
            (Some((End::Cancelled, _)), _) => TaskPayload::Cancelled,
            // A call that was stopped waits for no answer.
            (None, Some(round)) if !round.reply.is_closed() => {
                TaskPayload::InputRequired { input_requests: round.open.clone() }
            }
            (None, _) => TaskPayload::Working,
        };
        DetailedTask::new(inner.task.clone(), payload)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn touch(&mut self) {
        self.task.last_updated_at = current_timestamp();
    }

    fn ask(&mut self, inputs: Vec<Input>, reply: oneshot::Sender<Reply>) {
        let (mut open, mut names) = (InputRequests::new(), BTreeMap::new());
        for Input { key: name, request } in inputs {
            let Some(question) = words::question(request) else {
                drop(reply.send(Reply::Failed("this can't be asked in MCP's words".to_owned())));
                return;
            };
            let key = self.key(&name);
            names.insert(key.clone(), name);
            open.insert(key, question);
        }
        self.round = Some(Round { open, names, given: Map::new(), reply });
    }

    /// A key that was not used before. A question is asked again if its answer does not fit.
    fn key(&mut self, name: &str) -> String {
        let others = (2_u64..).map(|count| format!("{name}-{count}"));
        let mut keys = std::iter::once(name.to_owned()).chain(others);
        let key = keys.find(|key| !self.used.contains(key)).unwrap_or_default();
        self.used.insert(key.clone());
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::call::Request;
    use rmcp::model::ContentBlock;

    fn state() -> State {
        State::new("id", Duration::from_secs(5)).0
    }

    fn ask(state: &State, keys: &[&str]) -> oneshot::Receiver<Reply> {
        let (reply, answer) = oneshot::channel();
        let inputs = keys.iter().map(|key| Input { key: (*key).to_owned(), request: Request::Roots });
        state.hear(Message::Ask(inputs.collect(), reply));
        answer
    }

    fn asked(state: &State) -> Vec<String> {
        match state.show().payload {
            TaskPayload::InputRequired { input_requests } => input_requests.into_keys().collect(),
            other => panic!("{other:?}"),
        }
    }

    fn responses(keys: &[&str]) -> InputResponses {
        keys.iter().map(|key| ((*key).to_owned(), json!(key))).collect()
    }

    #[test]
    fn a_round_is_over_when_all_of_it_is_answered() {
        let state = state();
        let mut answer = ask(&state, &["a", "b"]);
        assert_eq!(asked(&state), ["a", "b"]);
        state.answer(responses(&["a", "x"]));
        assert_eq!(asked(&state), ["b"]);
        state.answer(responses(&["a"]));
        assert!(answer.try_recv().is_err());
        state.answer(responses(&["b"]));
        let Ok(Reply::Answers(given)) = answer.try_recv() else { panic!("no answers") };
        assert_eq!(json!(given), json!({ "a": "a", "b": "b" }));
        assert_eq!(state.show().payload, TaskPayload::Working);
    }

    #[test]
    fn a_key_is_used_once() {
        let state = state();
        let mut answers = Vec::new();
        for key in ["a", "a-2", "a-3"] {
            answers.push(ask(&state, &["a"]));
            assert_eq!(asked(&state), [key]);
            state.answer(responses(&[key]));
        }
        let Ok(Reply::Answers(given)) = answers[2].try_recv() else { panic!("no answers") };
        assert_eq!(json!(given), json!({ "a": "a-3" }), "the call knows it by its own name");
    }

    #[test]
    fn a_question_that_nobody_waits_for_is_none() {
        let state = state();
        drop(ask(&state, &["a"]));
        assert_eq!(state.show().payload, TaskPayload::Working);
        let answer = ask(&state, &["b"]);
        state.end((End::Cancelled, None));
        assert_eq!(state.show().payload, TaskPayload::Cancelled);
        drop(answer);
    }

    #[test]
    fn results_have_room_as_long_as_they_are_kept() {
        let all = Arc::new(Semaphore::new(300));
        let result =
            || End::of(Ok(CallToolResult::success(vec![ContentBlock::text("x".repeat(100))])), Default::default());
        let first = result().kept(&all);
        assert!(matches!(first, (End::Completed(_), Some(_))));
        let (second, room) = result().kept(&all);
        let (End::Failed(error), None) = (second, room) else { panic!("there is no room") };
        assert!(error["message"].as_str().unwrap().contains("there is no room left"), "{error:?}");
        drop(first);
        assert!(matches!(result().kept(&all), (End::Completed(_), Some(_))));
    }
}
