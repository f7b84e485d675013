//! What a server asks while it works on a call, passed on to whoever made the call: a form for the user, a sample of
//! its language model, its roots.
#![expect(deprecated, reason = "MCP has sampling and roots until 2027-07-28 at least")]

use std::sync::Arc;

use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ElicitationCapability, ErrorCode, ErrorData, Implementation, InputRequest, InputRequests,
    InputResponses, ListRootsResult, RootsCapabilities, SamplingCapability,
};
use rmcp::service::RequestContext;
use rmcp::{ClientHandler, RoleClient};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::caller::Caller;
use super::calls::Calls;
use super::visits;
use crate::action::Call;
use crate::action::call::{self, Capabilities, Input, Reply, Request};
use crate::outcome::{ActionError, ErrorKind};

/// Questions that one request may ask while it runs.
pub const MOST_QUESTIONS: usize = 20;

/// What we can do for a server, as a caller can. Up to 2025-11-25 it is said once, before anybody calls.
pub fn capabilities(of: Capabilities) -> ClientCapabilities {
    let mut all = ClientCapabilities::default();
    all.elicitation = match (of.elicitation, of.urls) {
        (false, false) => None,
        (true, false) => Some(ElicitationCapability::default()),
        (forms, _) => {
            let mut elicitation = ElicitationCapability::default();
            elicitation.form = forms.then(Default::default);
            elicitation.url = Some(Default::default());
            Some(elicitation)
        }
    };
    all.sampling = of.sampling.then(SamplingCapability::default);
    all.roots = of.roots.then(RootsCapabilities::default);
    if of.tasks {
        all.extensions = ClientCapabilities::builder().enable_tasks().build().extensions;
    }
    all
}

/// Answers what a server asks by requests of its own: up to 2025-11-25.
#[derive(Debug)]
pub struct Ears(pub Arc<Calls>);

impl ClientHandler for Ears {
    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.pass_on(Request::Sample(json!(params)), &context).await
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let request = elicitation(params).map_err(refusal)?;
        self.pass_on(request, &context).await
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "roots/list", None))
    }

    fn get_info(&self) -> ClientConfig {
        let all = Capabilities { elicitation: true, urls: true, sampling: true, ..Capabilities::default() };
        let us = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        ClientConfig::new(capabilities(all), us)
    }
}

impl Ears {
    /// Asks the client whose call is the only one in flight: a server does not say for which call it asks.
    async fn pass_on<T: DeserializeOwned>(
        &self,
        request: Request,
        context: &RequestContext<RoleClient>,
    ) -> Result<T, ErrorData> {
        let Some(caller) = self.0.only() else {
            return Err(refusal("it can't be told whom to ask: not one call is in flight, but none or several"));
        };
        let number = caller.asks();
        let answer = match number > MOST_QUESTIONS {
            true => Err(ActionError::failed("this call has asked enough")),
            false => tokio::select! {
                answer = asked(&caller, number, &request) => answer,
                () = context.ct.cancelled() => Err(call::cancelled()),
                () = caller.over() => Err(ActionError::failed("the call is over")),
            },
        };
        caller.answered();
        let answer = answer.map_err(|error| refusal(error.message))?;
        serde_json::from_value(answer).map_err(|_| refusal("the client's answer is not one that MCP knows"))
    }
}

/// The answer to a question of a call. A client that is to call again is asked again when it does.
async fn asked(caller: &Caller, number: usize, request: &Request) -> Result<Value, ActionError> {
    loop {
        let (Some(call), round) = caller.seated().await else { return Err(call::cancelled()) };
        if !request.needs().without(call.client.capabilities()).is_empty() {
            return Err(ActionError::failed(format!("the client of this call can't be asked for {}", wanted(request))));
        }
        if let Request::Visit { id: Some(id), .. } = request {
            caller.sends(id);
        }
        let place = call.within(&format!("question-{number}"));
        drop(call);
        let answer = ask(vec![Input { key: place.place().to_owned(), request: request.clone() }], &place).await;
        // The line to the client ends with the last that holds it.
        drop(place);
        match answer {
            Ok(answers) => return answers.into_iter().next().ok_or_else(|| ActionError::failed("there is no answer")),
            Err(error) if error.kind == ErrorKind::Unanswered => caller.leave(round),
            // Another question of the call made its client leave.
            Err(_) if caller.has_left(round) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a question is for, in words.
fn wanted(request: &Request) -> &'static str {
    match request {
        Request::Elicit { .. } => "a form",
        Request::Visit { .. } => "a visit to a web page (elicitation's `url` mode)",
        Request::Sample(_) => "its language model",
        Request::Roots => "its roots",
    }
}

fn refusal(words: impl Into<String>) -> ErrorData {
    ErrorData::new(ErrorCode::INVALID_REQUEST, words.into(), None)
}

/// Answers what a server asks by its answer: from 2026-07-28 on. What was answered before is not asked again.
///
/// # Errors
/// If the caller can't be asked, and [`ErrorKind::Unanswered`] where it is to call again with the answers.
pub async fn answer(name: &str, asks: InputRequests, here: &Call) -> Result<InputResponses, ActionError> {
    if let Some(Value::Object(before)) = here.recall() {
        return Ok(before.into_iter().collect());
    }
    let answers = put(name, asks, here).await?;
    here.record(&json!(answers));
    Ok(answers)
}

/// The same of questions that were not answered before; the answers are not noted.
///
/// # Errors
/// Those of [`answer`].
pub async fn put(name: &str, asks: InputRequests, here: &Call) -> Result<InputResponses, ActionError> {
    if asks.len() > MOST_QUESTIONS {
        return Err(ActionError::failed(format!("the server `{name}` asks more than {MOST_QUESTIONS} things at once")));
    }
    let keys: Vec<String> = asks.keys().cloned().collect();
    let mut inputs = Vec::with_capacity(asks.len());
    for (key, request) in asks {
        let request = question(request).map_err(|why| ActionError::failed(format!("the server `{name}`: {why}")))?;
        inputs.push(Input { key: here.within(&key).place().to_owned(), request });
    }
    let needs = inputs.iter().fold(Capabilities::default(), |all, input| all.and(input.request.needs()));
    if !needs.without(here.client.capabilities()).is_empty() {
        let words = format!("the server `{name}` asks for what the client of this call can't be asked");
        return Err(ActionError::failed(words));
    }
    Ok(keys.into_iter().zip(ask(inputs, here).await?).collect())
}

/// The answers, in the order of the questions.
///
/// # Errors
/// If the client does not answer, and [`ErrorKind::Unanswered`] where it is to call again with the answers.
pub async fn ask(inputs: Vec<Input>, here: &Call) -> Result<Vec<Value>, ActionError> {
    let keys: Vec<String> = inputs.iter().map(|input| input.key.clone()).collect();
    let reply = tokio::select! {
        biased;
        () = here.cancel.cancelled() => return Err(call::cancelled()),
        reply = here.client.ask(inputs) => reply,
    };
    let mut answers = match reply {
        Reply::Answers(answers) => answers,
        Reply::Later => return Err(ActionError::new(ErrorKind::Unanswered, "the client is asked first")),
        Reply::Failed(why) => return Err(ActionError::failed(why)),
    };
    let found = keys.iter().map(|key| answers.remove(key)).collect::<Option<Vec<_>>>();
    found.ok_or_else(|| ActionError::failed("the client left a question without an answer"))
}

fn question(request: InputRequest) -> Result<Request, &'static str> {
    match request {
        InputRequest::Elicitation(request) => elicitation(request.params),
        InputRequest::CreateMessage(request) => Ok(Request::Sample(json!(request.params))),
        InputRequest::ListRoots(_) => Ok(Request::Roots),
        _ => Err("it asks for something that is not known here"),
    }
}

/// A form, or a web page to visit.
///
/// # Errors
/// In words about the server, if it can't be passed on.
pub fn elicitation(params: ElicitRequestParams) -> Result<Request, &'static str> {
    match params {
        ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
            Ok(Request::Elicit { message, schema: json!(requested_schema) })
        }
        ElicitRequestParams::UrlElicitationParams { message, url, elicitation_id, .. } => {
            if !visits::is_page(&url) {
                return Err("it sends the user to an address that is no web page");
            }
            let id = Some(elicitation_id).filter(|id| !id.is_empty());
            Ok(Request::Visit { message, url, id })
        }
        _ => Err("it asks for something that is not known here"),
    }
}
