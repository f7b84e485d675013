//! `onError`: what follows when a step fails.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::call::CallTool;
use super::names;
use super::report::Did;
use crate::action::{Arguments, Builder, Call, Param, Scope};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model::steps as written;

/// What the error is called in the arguments of the tool that is called after it.
const ERROR: &str = "error";

/// A compiled `onError`.
#[derive(Debug)]
pub(super) enum OnError {
    /// The steps go on.
    Continue,
    /// A tool is called, then the steps end with the error.
    Call(CallTool),
}

impl OnError {
    /// Checks and compiles it.
    pub(super) fn compile(written: &written::OnError, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let call = match written {
            written::OnError::Continue(_) => return Some(OnError::Continue),
            written::OnError::Call(call) => call,
        };
        if let Some(clash) = scope.get(ERROR) {
            let remedy = "`onError` gives this name to the error: rename the other";
            names::taken(ERROR, call.tool.span, clash, scope.owner, remedy, builder);
            return None;
        }
        let error = names::made(ERROR, call.tool.span, Arc::new(json!({ "type": "string" })), false);
        let seen: Vec<Param> = scope.params.iter().cloned().chain([error]).collect();
        CallTool::compile(call, &Scope { params: &seen, ..*scope }, builder).map(OnError::Call)
    }

    /// The error that a tool began to be called after, before this call.
    pub(super) fn begun(&self, here: &Call) -> Option<ActionError> {
        match (self, here.beside("failed").recall()) {
            (OnError::Call(_), Some(Value::String(why))) => Some(ActionError::failed(why)),
            _ => None,
        }
    }

    /// Does what follows an error.
    ///
    /// # Errors
    /// The error itself, with what was done after it.
    pub(super) async fn meet(&self, error: ActionError, names: &Arguments, here: &Call) -> Result<Did, ActionError> {
        if let Some(detail) = &error.detail {
            tracing::warn!(step = here.place(), "{detail}");
        }
        let OnError::Call(tool) = self else { return Ok(Did::failed(&error)) };
        let why = Value::String(error.message.clone());
        here.beside("failed").record(&why);
        let mut names = names.clone();
        names.insert(ERROR.to_owned(), why);
        Err(match tool.run(&names, &here.beside("undo")).await {
            Ok(_) => error.since(format!("`{}` was called after it", tool.name())),
            Err(first) if matches!(first.kind, ErrorKind::Unanswered | ErrorKind::Lacking) => first,
            Err(fault) => error.since(format!("`{}` was called after it and failed: {}", tool.name(), fault.message)),
        })
    }
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnError::Continue => f.write_str("goes on"),
            OnError::Call(tool) => write!(f, "calls the tool {} and ends", tool.name()),
        }
    }
}
