//! What runs: the list of backends. A new one is a file below this one, a line in each match here, and one in those of
//! `facts.rs` that know something of it.

mod around;
mod builder;
pub mod call;
pub mod callee;
pub mod command;
pub mod content;
pub mod exec;
mod facts;
pub mod file;
pub mod files;
pub mod folder;
mod gate;
pub mod hints;
pub mod http;
mod limits;
mod mask;
pub mod mcp;
pub mod process;
mod scope;
pub mod shell;
pub mod source;
pub mod sql;
pub mod steps;
mod store;
pub mod text;

use serde_json::{Map, Value};

use crate::outcome::shape::Wants;
use crate::outcome::{ActionError, Outcome};
use crate::spec::model;
use crate::template::RenderFault;
use around::Around;
pub use around::refuse_cache;
use builder::read;
pub use builder::{Builder, Trust};
pub use call::{Call, Capabilities};
pub use limits::Limits;
pub use scope::{Param, Scope};

/// Arguments by name, validated, with their defaults.
pub type Arguments = Map<String, Value>;

/// An action that is ready to run.
#[derive(Debug)]
pub enum Action {
    /// A statement on a database.
    Sql(sql::Sql),
    /// What a database's catalog tells of its tables, and their rows.
    Tables(Box<sql::Tables>),
    /// A request to an HTTP API.
    Http(Box<http::Http>),
    /// An operation of a GraphQL API.
    Graphql(Box<http::Graphql>),
    /// A program with arguments.
    Exec(Box<exec::Exec>),
    /// A shell script.
    Shell(Box<shell::Shell>),
    /// A file's content.
    File(Box<file::FileRead>),
    /// The files of a folder.
    Files(folder::List),
    /// Lines of the files of a folder.
    Search(Box<folder::Search>),
    /// A file that is written.
    Write(folder::Write),
    /// A file that is changed.
    Edit(folder::Edit),
    /// A handlebars text.
    Text(text::Text),
    /// MCP content blocks.
    Content(content::Blocks),
    /// What another MCP server does.
    Mcp(Box<mcp::Mcp>),
    /// Several things, one after the other.
    Steps(steps::Steps),
    /// Any of these with bounds of its own, or whose answers are kept.
    Around(Box<Around>),
}

impl Action {
    /// Checks and compiles an action; `None` after mistakes, all of which are in the builder's sink.
    pub async fn compile(written: &model::Action, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Action> {
        let around = written.around().map(|around| (around.at, around::Settings::read(around, builder)));
        let action = Self::compile_bare(written, scope, builder).await?;
        match around {
            Some((at, settings)) => settings?.put_around(action, at, scope, builder),
            None => Some(action),
        }
    }

    async fn compile_bare(written: &model::Action, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Action> {
        match written {
            model::Action::Sql(sql) => sql::Sql::compile(sql, scope, builder).await.map(Action::Sql),
            model::Action::Tables(tables) => {
                sql::Tables::compile(tables, scope, builder).await.map(|tables| Action::Tables(Box::new(tables)))
            }
            model::Action::Http(http) => {
                http::Http::compile(http, scope, builder).map(|http| Action::Http(Box::new(http)))
            }
            model::Action::Graphql(graphql) => {
                http::Graphql::compile(graphql, scope, builder).map(|graphql| Action::Graphql(Box::new(graphql)))
            }
            model::Action::Exec(exec) => exec::Exec::compile(exec, scope, builder).map(Box::new).map(Action::Exec),
            model::Action::Shell(shell) => {
                shell::Shell::compile(shell, scope, builder).map(Box::new).map(Action::Shell)
            }
            model::Action::File(file) => file::FileRead::compile(file, scope, builder).map(Box::new).map(Action::File),
            model::Action::Files(list) => folder::List::compile(list, scope, builder).map(Action::Files),
            model::Action::Search(search) => {
                folder::Search::compile(search, scope, builder).map(Box::new).map(Action::Search)
            }
            model::Action::Write(write) => folder::Write::compile(write, scope, builder).map(Action::Write),
            model::Action::Edit(edit) => folder::Edit::compile(edit, scope, builder).map(Action::Edit),
            model::Action::Text(text) => text::Text::compile(text, scope, builder).map(Action::Text),
            model::Action::Content(blocks) => {
                content::Blocks::compile(blocks, scope, builder).await.map(Action::Content)
            }
            model::Action::Mcp(mcp) => mcp::Mcp::compile(mcp, scope, builder).map(Box::new).map(Action::Mcp),
            model::Action::Steps(steps) => steps::Steps::compile(steps, scope, builder).await.map(Action::Steps),
        }
    }

    /// It without what stands around it.
    pub fn bare(&self) -> &Action {
        match self {
            Action::Around(around) => &around.action,
            bare => bare,
        }
    }

    /// Whether answers of it are kept, whatever they say themselves.
    pub fn keeps_answers(&self) -> bool {
        matches!(self, Action::Around(around) if around.keeps())
    }

    /// The params that a tool of this action has where the spec names none, if the action tells them.
    pub fn params(written: &model::Action, builder: &mut Builder<'_>) -> Option<Vec<Param>> {
        match written {
            model::Action::Graphql(graphql) => http::Graphql::params(graphql, builder),
            _ => None,
        }
    }

    /// The same, where a shape wants something else than what bytes mean by their media type.
    pub fn wanted(mut self, wants: Wants) -> Self {
        if let Action::Http(http) = &mut self {
            http.wanted(wants);
        }
        self
    }

    /// Runs it.
    ///
    /// # Errors
    /// Whatever kept it from an answer, in words for the caller.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        // Steps may ask something first, and what is around an action may give an answer without it.
        if !matches!(self, Action::Steps(_) | Action::Around(_)) {
            call.client.begins().await;
        }
        match self {
            Action::Sql(sql) => sql.run(arguments, call).await,
            Action::Tables(tables) => Box::pin(tables.run(arguments, call)).await,
            // What these keep while they run is large, and a call that is none of them would carry it around.
            Action::Http(http) => Box::pin(http.run(arguments, call)).await,
            Action::Graphql(graphql) => Box::pin(graphql.run(arguments, call)).await,
            Action::Exec(exec) => Box::pin(exec.run(arguments, call)).await,
            Action::Shell(shell) => Box::pin(shell.run(arguments, call)).await,
            Action::File(file) => file.run(arguments).await,
            Action::Files(list) => list.run(arguments, call).await,
            Action::Search(search) => search.run(arguments, call).await,
            Action::Write(write) => write.run(arguments).await,
            Action::Edit(edit) => edit.run(arguments).await,
            Action::Text(text) => text.run(arguments),
            Action::Content(blocks) => blocks.run(arguments, call).await,
            Action::Mcp(mcp) => Box::pin(mcp.run(arguments, call)).await,
            Action::Steps(steps) => steps.run(arguments, call).await,
            Action::Around(around) => around.run(arguments, call).await,
        }
    }

    /// Runs it for the resource that is read as `uri`, of which `own` is the URI or template in the spec.
    ///
    /// # Errors
    /// Those of [`Action::run`].
    pub async fn read(&self, own: &str, uri: &str, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        match self {
            // Another server's resource is asked for by the very URI that the client named.
            Action::Mcp(mcp) if mcp.is_resource(own) => Box::pin(mcp.read(uri, call)).await,
            _ => self.run(arguments, call).await,
        }
    }

    /// What a call would do, secrets masked, as lines of text; nothing is run.
    ///
    /// # Errors
    /// As in [`Action::run`], for what shows before anything runs.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        match self {
            Action::Sql(sql) => sql.explain(arguments),
            Action::Tables(tables) => tables.explain(arguments),
            Action::Http(http) => http.explain(arguments),
            Action::Graphql(graphql) => graphql.explain(arguments),
            Action::Exec(exec) => exec.explain(arguments),
            Action::Shell(shell) => shell.explain(arguments),
            Action::File(file) => file.explain(arguments),
            Action::Files(list) => list.explain(arguments),
            Action::Search(search) => search.explain(arguments),
            Action::Write(write) => write.explain(arguments),
            Action::Edit(edit) => edit.explain(arguments),
            Action::Text(text) => text.explain(arguments),
            Action::Content(blocks) => blocks.explain(arguments),
            Action::Mcp(mcp) => mcp.explain(arguments),
            Action::Steps(steps) => steps.explain(arguments),
            Action::Around(around) => around.action.explain(arguments),
        }
    }
}

/// A template's fault at a call, in words for the caller.
pub fn render_fault(fault: &RenderFault) -> ActionError {
    match fault {
        RenderFault::TooLong { max } => ActionError::invalid(format!("the rendered text is longer than {max} bytes")),
        RenderFault::Failed(why) => ActionError::invalid(why.clone()),
    }
}
