//! What a call and its client say to each other while the call runs: progress, log messages and questions, the same
//! for the action in both eras of MCP. Up to 2025-11-25 a question is a request of ours; from 2026-07-28 on it is
//! the answer to the call, and the client calls again with what it was asked for.

mod relay;
mod state;
mod words;

use rmcp::ErrorData;
use rmcp::model::{InputRequiredResult, InputResponses, ProtocolVersion};
use rmcp::service::RequestContext;
use serde_json::{Map, Value};

use super::Handler;
use crate::action::Call;
use crate::action::call::{Client, Journal, Wants};
use crate::outcome::{ActionError, ErrorKind};
use relay::{Asking, Relay};
pub(super) use state::Seal;
pub(super) use words::from_mcp;

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

/// Whether the request is of 2026-07-28 or later.
pub(super) fn is_modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
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
        let modern = is_modern(context);
        let identity = || state::identity(asked.method, asked.name, asked.arguments, asked.edition);
        let before = match asked.state.filter(|_| modern) {
            None => Map::new(),
            Some(state) => self.seal.open(&state, &identity()).ok_or_else(stale)?,
        };
        let journal = if modern { Journal::kept(before) } else { Journal::default() };
        let (client, messages) = Client::open(self.wants(context, modern));
        let asking = match modern {
            true => Asking::Rounds { answers: asked.responses.unwrap_or_default(), open: Default::default() },
            false => Asking::Requests,
        };
        let mut relay = Relay {
            peer: context.peer.clone(),
            token: context.meta.get_progress_token(),
            messages,
            cancel: context.ct.clone(),
            closing: self.closing.clone(),
            asking,
            lacking: Default::default(),
        };
        let call = Call::new(context.ct.clone(), client, journal.clone());
        let given = relay.carry(async move { run(&call).await }).await;
        match (given, relay.asking) {
            (Err(error), _) if error.kind == ErrorKind::Lacking && modern => Err(words::lacking(relay.lacking)),
            (Err(error), Asking::Rounds { open, .. }) if error.kind == ErrorKind::Unanswered => {
                Ok(match self.seal.close(&journal.entries(), &identity()) {
                    Ok(state) => Ended::InputRequired(InputRequiredResult::new(Some(open), Some(state))),
                    Err(why) => Ended::Done(Err(ActionError::failed(why))),
                })
            }
            (given, _) => Ok(Ended::Done(given)),
        }
    }

    /// What the client of a request wants to hear.
    fn wants(&self, context: &Context, modern: bool) -> Wants {
        Wants {
            capabilities: words::capabilities(context.client_capabilities().as_ref()),
            level: match modern {
                true => context.meta.log_level().map(from_mcp),
                false => Some(*self.level.borrow()),
            },
            progress: context.meta.get_progress_token().is_some(),
        }
    }
}

fn stale() -> ErrorData {
    let words = "the `requestState` is not of this request, or no longer valid: make the request again without it";
    ErrorData::invalid_params(words, None)
}
