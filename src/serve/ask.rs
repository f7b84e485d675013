//! What a call and its client say to each other while the call runs: progress, log messages and questions, the same
//! for the action in both eras of MCP. Up to 2025-11-25 a question is a request of ours; from 2026-07-28 on it is
//! the answer to the call, and the client calls again with what it was asked for.

mod relay;
mod state;
pub(super) mod words;

use futures_util::future::BoxFuture;
use rmcp::ErrorData;
use rmcp::model::{InputRequiredResult, InputResponses, ProtocolVersion};
use rmcp::service::RequestContext;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Handler;
use crate::action::Call;
use crate::action::call::{Client, Journal, Message, Wants};
use crate::outcome::{ActionError, ErrorKind};
use relay::{Asking, Go, Relay};
pub(super) use state::Seal;

type Context = RequestContext<rmcp::RoleServer>;

/// A request whose action may talk to the client.
pub(super) struct Asked<'r> {
    /// Its method.
    pub(super) method: &'static str,
    /// The tool, prompt or resource.
    pub(super) name: &'r str,
    /// Its arguments.
    pub(super) arguments: &'r Map<String, Value>,
    /// What the catalog that answers was read from.
    pub(super) edition: u64,
    /// What the client brings back of an earlier answer.
    pub(super) responses: Option<InputResponses>,
    /// As `responses`.
    pub(super) state: Option<String>,
}

/// What became of a request.
pub(super) enum Ended<T> {
    /// It is done, well or not.
    Done(Result<T, ActionError>),
    /// The client is asked first.
    InputRequired(InputRequiredResult),
}

/// What a call that may become a task does.
pub(super) type Work<T> = BoxFuture<'static, Result<T, ActionError>>;

/// A call that asked all that it had to ask first, and waits to go on.
pub(super) struct Begun<T> {
    /// What it does.
    pub(super) work: Work<T>,
    /// Lets it go on.
    pub(super) go: Go,
    /// What it says from then on.
    pub(super) messages: mpsc::Receiver<Message>,
    /// Ends it.
    pub(super) cancel: CancellationToken,
}

/// Whether the request is of 2026-07-28 or later.
pub(super) fn is_modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// Whether the client of a request can be given a task: it says so, in a version that has them.
pub(super) fn takes_tasks(context: &Context) -> bool {
    is_modern(context) && context.client_capabilities().is_some_and(|declared| declared.supports_tasks())
}

/// What became of a request whose call may become a task.
pub(super) enum Started<T> {
    /// No task.
    Ended(Ended<T>),
    /// A call that is to be one.
    Begun(Begun<T>),
}

/// A request that is being answered.
struct Open<'r> {
    asked: Asked<'r>,
    relay: Relay,
    call: Call,
    journal: Journal,
}

impl Handler {
    /// Runs what a request asks for with a line to its client.
    ///
    /// # Errors
    /// If the state that the client brought back is not ours, or the client lacks what the call can't do without
    /// (from 2026-07-28 on; before, that is an error of the action like any other).
    pub(super) async fn converse<T>(
        &self,
        asked: Asked<'_>,
        context: &Context,
        run: impl AsyncFnOnce(&Call) -> Result<T, ActionError>,
    ) -> Result<Ended<T>, ErrorData> {
        let mut open = self.open(asked, context, false)?;
        let call = std::mem::take(&mut open.call);
        // Boxed, as a request is moved several times before it runs, with all that it will keep while it does.
        let work = Box::pin(async move { run(&call).await });
        let given = match open.relay.carry(work).await {
            Ok(given) => given,
            Err((work, _)) => work.await,
        };
        self.close(open, given)
    }

    /// The same for a call that may become a task: it is given back where it begins to do something.
    ///
    /// # Errors
    /// Those of [`Handler::converse`].
    pub(super) async fn begin<T>(
        &self,
        asked: Asked<'_>,
        context: &Context,
        run: impl FnOnce(Call) -> Work<T>,
    ) -> Result<Started<T>, ErrorData> {
        let mut open = self.open(asked, context, true)?;
        let work = run(std::mem::take(&mut open.call));
        match open.relay.carry(work).await {
            Ok(given) => self.close(open, given).map(Started::Ended),
            Err((work, go)) => {
                let Relay { messages, cancel, taken_back, .. } = open.relay;
                if taken_back.is_cancelled() {
                    cancel.cancel();
                }
                Ok(Started::Begun(Begun { work, go, messages, cancel }))
            }
        }
    }

    fn open<'r>(&self, mut asked: Asked<'r>, context: &Context, task: bool) -> Result<Open<'r>, ErrorData> {
        let modern = is_modern(context);
        let before = match asked.state.take().filter(|_| modern) {
            None => Map::new(),
            Some(state) => self.seal.open(&state, &asked.identity()).ok_or_else(stale)?,
        };
        let journal = if modern { Journal::kept(before) } else { Journal::default() };
        let (client, messages) = Client::open(self.wants(context, task));
        let asking = match modern {
            true => Asking::Rounds { answers: asked.responses.take().unwrap_or_default(), open: Default::default() },
            false => Asking::Requests,
        };
        // A task goes on when its request is over.
        let cancel = if task { CancellationToken::new() } else { context.ct.clone() };
        let relay = Relay {
            peer: context.peer.clone(),
            token: context.meta.get_progress_token(),
            messages,
            taken_back: context.ct.clone(),
            cancel: cancel.clone(),
            closing: self.closing.clone(),
            asking,
            lacking: Default::default(),
        };
        Ok(Open { asked, relay, call: Call::new(cancel, client, journal.clone()), journal })
    }

    fn close<T>(&self, open: Open<'_>, given: Result<T, ActionError>) -> Result<Ended<T>, ErrorData> {
        let Open { asked, relay, journal, .. } = open;
        match (given, relay.asking) {
            (Err(error), Asking::Rounds { .. }) if error.kind == ErrorKind::Lacking => {
                Err(words::lacking(relay.lacking))
            }
            (Err(error), Asking::Rounds { open, .. }) if error.kind == ErrorKind::Unanswered => {
                Ok(match self.seal.close(&journal.entries(), &asked.identity()) {
                    Ok(state) => Ended::InputRequired(InputRequiredResult::new(Some(open), Some(state))),
                    Err(why) => Ended::Done(Err(ActionError::failed(why))),
                })
            }
            (given, _) => Ok(Ended::Done(given)),
        }
    }

    /// What the client of a request wants to hear.
    fn wants(&self, context: &Context, task: bool) -> Wants {
        let modern = is_modern(context);
        let mut capabilities = words::capabilities(context.client_capabilities().as_ref());
        capabilities.tasks &= modern;
        Wants {
            capabilities,
            level: match modern {
                true => context.meta.log_level().map(Into::into),
                false => Some(*self.level.borrow()),
            },
            // Of a task it is part of the state.
            progress: task || context.meta.get_progress_token().is_some(),
            task,
        }
    }
}

impl Asked<'_> {
    /// What tells this request from others.
    fn identity(&self) -> Vec<u8> {
        state::identity(self.method, self.name, self.arguments, self.edition)
    }
}

fn stale() -> ErrorData {
    let words = "the `requestState` is not of this request, or no longer valid: make the request again without it";
    ErrorData::invalid_params(words, None)
}
