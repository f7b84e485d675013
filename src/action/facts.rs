//! What is known of an action before it runs: for MCP's hints, for schemas, and for who may call it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Action, Capabilities, Limits, folder};
use crate::schema::object;

impl Action {
    /// The JSON Schema of its answer, where it is known before a call. Nothing can be said against it.
    pub fn output_schema(&self) -> Option<Arc<Map<String, Value>>> {
        match self {
            Action::Sql(sql) => sql.output_schema(),
            Action::Tables(tables) => tables.output_schema().and_then(object),
            Action::Graphql(graphql) => graphql.output_schema(),
            Action::Files(_) => object(folder::List::schema()),
            Action::Search(_) => object(folder::Search::schema()),
            Action::Write(_) => object(folder::Write::schema()),
            Action::Edit(_) => object(folder::Edit::schema()),
            Action::Around(around) => around.action.output_schema(),
            _ => None,
        }
    }

    /// Whether it changes nothing, where that is known: MCP's `readOnlyHint`.
    pub fn read_only(&self) -> Option<bool> {
        match self {
            Action::Sql(sql) => sql.effects().read_only,
            Action::Http(http) => Some(http.read_only()),
            Action::Graphql(graphql) => Some(graphql.read_only()),
            Action::Tables(_) | Action::File(_) | Action::Files(_) | Action::Search(_) | Action::Text(_) => Some(true),
            Action::Write(_) | Action::Edit(_) => Some(false),
            Action::Content(blocks) => blocks.read_only(),
            Action::Exec(_) | Action::Shell(_) => None,
            Action::Mcp(mcp) => mcp.read_only(),
            Action::Steps(steps) => steps.hints().read_only,
            Action::Around(around) => around.action.read_only(),
        }
    }

    /// Whether it may destroy something, and whether doing it again changes nothing more, where that is known: MCP's
    /// `destructiveHint` and `idempotentHint`.
    pub fn effects(&self) -> (Option<bool>, Option<bool>) {
        match self {
            Action::Sql(sql) => (sql.effects().destructive, sql.effects().idempotent),
            Action::Around(around) => around.action.effects(),
            Action::Steps(steps) => (steps.hints().destructive, steps.hints().idempotent),
            Action::Graphql(graphql) => ((!graphql.read_only()).then_some(true), None),
            _ => (None, None),
        }
    }

    /// Whether it reaches what is outside of the spec's own world, where that is known: MCP's `openWorldHint`.
    pub fn open_world(&self) -> Option<bool> {
        match self {
            Action::Http(_) | Action::Graphql(_) => Some(true),
            Action::Sql(_) | Action::Text(_) => Some(false),
            Action::File(_) | Action::Files(_) | Action::Search(_) | Action::Write(_) | Action::Edit(_) => Some(false),
            Action::Content(blocks) => blocks.is_closed().then_some(false),
            Action::Steps(steps) => steps.hints().open_world,
            Action::Around(around) => around.action.open_world(),
            _ => None,
        }
    }

    /// Whether it never says anything to the client while it runs, nor asks it anything.
    pub fn is_silent(&self) -> bool {
        match self {
            Action::Sql(_) | Action::Tables(_) | Action::Text(_) | Action::Graphql(_) => true,
            Action::File(_) | Action::Files(_) | Action::Search(_) | Action::Write(_) | Action::Edit(_) => true,
            Action::Http(http) => !http.has_pages(),
            Action::Around(around) => around.action.is_silent(),
            Action::Exec(_) | Action::Shell(_) | Action::Content(_) | Action::Mcp(_) | Action::Steps(_) => false,
        }
    }

    /// What the client has to be able to do for it, whatever the arguments.
    pub fn requires(&self) -> Capabilities {
        match self {
            Action::Steps(steps) => steps.requires(),
            Action::Content(blocks) => blocks.requires(),
            Action::Around(around) => around.action.requires(),
            _ => Capabilities::default(),
        }
    }

    /// Whether its answer is a list of rows with their count.
    pub fn gives_rows(&self) -> bool {
        match self {
            Action::Sql(sql) => sql.gives_rows(),
            Action::Tables(tables) => tables.gives_rows(),
            Action::Around(around) => around.action.gives_rows(),
            Action::Files(_) | Action::Search(_) => true,
            _ => false,
        }
    }

    /// The bounds that it has of its own, where it can be told them.
    pub fn limits(&self) -> Option<Limits> {
        match self {
            Action::Sql(sql) => Some(sql.limits),
            Action::Http(http) => Some(http.limits),
            Action::Graphql(graphql) => Some(graphql.limits),
            Action::Exec(exec) => Some(exec.limits()),
            Action::Shell(shell) => Some(shell.limits()),
            Action::Around(around) => around.action.limits(),
            Action::Mcp(mcp) => Some(mcp.limits()),
            Action::Tables(_)
            | Action::File(_)
            | Action::Files(_)
            | Action::Search(_)
            | Action::Write(_)
            | Action::Edit(_)
            | Action::Text(_)
            | Action::Content(_)
            | Action::Steps(_) => None,
        }
    }

    /// The media type of its answer, where it is known before a call.
    pub fn mime_type(&self) -> Option<String> {
        match self {
            Action::Sql(sql) => Some(sql.mime_type().to_owned()),
            Action::Tables(_)
            | Action::Graphql(_)
            | Action::Files(_)
            | Action::Search(_)
            | Action::Write(_)
            | Action::Edit(_) => Some("application/json".to_owned()),
            Action::File(file) => file.mime_type(),
            Action::Text(_) => Some("text/plain".to_owned()),
            Action::Content(blocks) => blocks.mime_type(),
            Action::Around(around) => around.action.mime_type(),
            _ => None,
        }
    }
}
