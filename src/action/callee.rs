//! The spec's tools as actions see them: each behind a callback, as an action knows no catalog.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::Value;

use super::hints::Hints;
use super::{Arguments, Call, Capabilities, Param};
use crate::outcome::ActionError;

type Run = dyn Fn(Arguments, Call) -> BoxFuture<'static, Result<Value, ActionError>> + Send + Sync;

/// A tool that steps can call.
#[derive(Clone)]
pub struct Callee {
    /// What it takes.
    pub params: Vec<Param>,
    /// What is known of it.
    pub hints: Hints,
    /// How many levels of steps there are in it.
    pub depth: usize,
    /// What the client has to be able to do for it.
    pub requires: Capabilities,
    /// Calls it.
    pub run: Arc<Run>,
}

impl fmt::Debug for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callee").field("params", &self.params).finish_non_exhaustive()
    }
}

/// The spec's tools by name; `None` for one that is at fault, or that would have to call itself.
#[derive(Debug, Default)]
pub struct Callees {
    /// Those that are known.
    pub known: IndexMap<String, Option<Callee>>,
    /// Whether another server may have more, which was not asked or can't be reached.
    pub partial: bool,
}
