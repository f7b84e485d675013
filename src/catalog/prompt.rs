//! MCP prompts.

mod data;
mod message;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rmcp::model::{self as mcp, PromptMessage};
use serde_json::{Map, Value, json};

use super::completion::Completion;
use super::params::{self, Params};
use super::{Catalog, content};
use crate::action::mcp::Mcp;
use crate::action::{Arguments, Builder, Call, Param, Scope};
use crate::outcome::shape::ShapeLimits;
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model;
use crate::spec::read::Required;
use crate::spec::{Code, Diagnostic, Span, Spanned};
use data::Data;
use message::Message;

/// A prompt, ready to be listed and got.
#[derive(Debug)]
pub struct Prompt {
    /// What clients see.
    pub listed: mcp::Prompt,
    params: Params,
    completions: Vec<Completion>,
    data: Vec<Data>,
    /// How long all of `data` may take; `None` where somebody is asked something meanwhile.
    data_time: Option<Duration>,
    messages: Vec<Message>,
    /// Another server's prompt, whose messages are these in place of `messages`.
    other: Option<Mcp>,
    limits: ShapeLimits,
}

impl Prompt {
    /// Checks and compiles a prompt.
    pub async fn compile(name: &Spanned<String>, written: &model::Prompt, builder: &mut Builder<'_>) -> Option<Self> {
        let owner = format!("prompt `{}`", name.value);
        let names: Vec<Param> =
            written.arguments.all().map(|(name, argument)| argument_param(name, argument)).collect();
        let place = |pointer: &str| place_of(written, pointer, name.span);
        let params = Params::assemble(names.clone(), place, builder.sink);
        let remedy = "add it to `arguments`";
        let argument_scope = Scope { owner: &owner, params: &names, remedy };
        let data = data::compile(&written.data, &argument_scope, builder).await;
        let mut known = names.clone();
        for name in written.data.names() {
            if let Some(clash) = names.iter().find(|p| p.name.value == name.value) {
                let words = format!("`{}` is both an argument and a data entry of this prompt", name.value);
                let found = Diagnostic::error(Code::NameClash, name.span, words).label("give one of them another name");
                builder.sink.push(found.related(clash.name.span, "first defined here"));
            }
            known.push(Param { name: name.clone(), schema: Arc::new(json!({})), optional: false, secret: false });
        }
        let scope = Scope { owner: &owner, params: &known, remedy };
        let (messages, other) = match &written.mcp {
            Some(action) => (Some(Vec::new()), Some(other(action, name, written, &argument_scope, builder))),
            None => (message::compile(name, written, &scope, builder).await, None),
        };
        let complete =
            |name: &str| written.arguments.iter().find(|(n, _)| n.value == name).and_then(|(_, a)| a.complete.as_ref());
        let completions = Completion::compile_all(complete, &argument_scope, builder).await;
        let meta = content::meta(written.meta.as_ref(), builder.sink);
        Some(Prompt {
            listed: listed(name, written, meta),
            completions: completions?,
            params: params?,
            data_time: data::time(written, data.as_deref()?, builder.limits),
            data: data?,
            messages: messages?,
            other: match other {
                Some(other) => Some(other?),
                None => None,
            },
            limits: builder.limits.into(),
        })
    }

    /// The completion of an argument.
    pub fn completion(&self, argument: &str) -> Option<&Completion> {
        self.completions.iter().find(|c| c.name == argument)
    }

    /// The names of the arguments that are completed.
    pub fn completions(&self) -> impl Iterator<Item = &str> {
        self.completions.iter().map(|completion| completion.name.as_str())
    }

    /// Its arguments.
    pub fn parameters(&self) -> &Params {
        &self.params
    }

    /// The prompt's messages for these arguments.
    ///
    /// # Errors
    /// If an argument is wrong, an action of `data` fails, or a message can't be made.
    pub async fn get(
        &self,
        given: Arguments,
        catalog: &Catalog,
        call: &Call,
    ) -> Result<Vec<PromptMessage>, ActionError> {
        let given = given.into_iter().filter(|(_, value)| !value.is_null()).collect();
        let mut names =
            self.params.check(self.params.coerce(given)).map_err(|faults| ActionError::invalid(faults.join("; ")))?;
        if let Some(other) = &self.other {
            return content::messages(other.messages(&names, call).await?);
        }
        call.client.require(data::requires(&self.data)).await?;
        let found = join_all(self.data.iter().map(|data| self.in_time(data.run(&names, self.limits, call)))).await;
        let mut unanswered = None;
        for (data, value) in self.data.iter().zip(found) {
            match value {
                Ok(value) => _ = names.insert(data.name.clone(), value),
                Err(error) if error.kind == ErrorKind::Unanswered => unanswered = Some(error),
                Err(error) => {
                    return Err(ActionError { message: format!("{}: {}", data.name, error.message), ..error });
                }
            }
        }
        if let Some(error) = unanswered {
            return Err(error);
        }
        let mut messages = Vec::with_capacity(self.messages.len());
        for (at, message) in self.messages.iter().enumerate() {
            let call = call.within(&format!("message-{}", at.saturating_add(1)));
            let contents = message.body.contents(&names, self.limits.max_bytes, catalog, &call).await?;
            messages.extend(contents.into_iter().map(|c| PromptMessage::new(message.role.clone(), c)));
        }
        Ok(messages)
    }

    /// Waits for an entry of `data`: all of them begin together, so they have one deadline.
    async fn in_time(&self, run: impl Future<Output = Result<Value, ActionError>>) -> Result<Value, ActionError> {
        match self.data_time {
            Some(time) => tokio::time::timeout(time, run).await.unwrap_or_else(|_| {
                Err(ActionError::new(ErrorKind::TimedOut, format!("it took longer than {time:?}")))
            }),
            None => run.await,
        }
    }
}

/// An argument as a param: text, unless the spec says what else it is.
fn argument_param(name: &Spanned<String>, written: Option<&model::Argument>) -> Param {
    let mut schema = Map::new();
    let required = written.and_then(|a| a.required.as_ref()).is_some_and(|r| r.value);
    if let Some(argument) = written {
        let kind = argument.kind.as_ref().map_or("string", |k| k.value.as_str());
        let strings = argument.allowed.as_ref().is_none_or(|all| all.iter().all(|v| v.to_json().is_string()));
        if argument.kind.is_some() || strings {
            schema.insert("type".to_owned(), json!(kind));
        }
        if let Some(allowed) = &argument.allowed {
            schema.insert("enum".to_owned(), allowed.iter().map(crate::spec::Node::to_json).collect());
        }
        if let Some(default) = &argument.default {
            schema.insert("default".to_owned(), default.to_json());
        }
    }
    Param { name: name.clone(), schema: Arc::new(Value::Object(schema)), optional: !required, secret: false }
}

/// Where the part `/properties/NAME/…` of the schema that the arguments make is written; `otherwise` for what is not
/// written there.
fn place_of(written: &model::Prompt, pointer: &str, otherwise: Span) -> Span {
    let Some((name, rest)) = params::steps(pointer) else { return otherwise };
    let Some((name, argument)) = written.arguments.iter().find(|(n, _)| n.value == name) else { return otherwise };
    let part = match rest.as_deref().and_then(|rest| rest.get(1..)?.split('/').next()) {
        Some("type") => argument.kind.as_ref().map(|kind| kind.span),
        Some("default") => argument.default.as_ref().map(|default| default.span),
        Some("enum") => argument.allowed.as_ref().and_then(|all| all.first()).map(|first| first.span),
        _ => None,
    };
    part.unwrap_or(name.span)
}

/// Another server's prompt, which leaves nothing more to say.
fn other(
    action: &Required<model::McpAction>,
    name: &Spanned<String>,
    written: &model::Prompt,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<Mcp> {
    let action = action.get()?;
    if written.messages.is_some() || written.template.is_some() || !written.data.is_empty() {
        let words = "with `mcp` the messages are another server's, and this prompt has its own";
        let found = Diagnostic::error(Code::NameClash, name.span, words);
        builder.sink.push(found.label("use `mcp` in `data` to put its messages into yours"));
        return None;
    }
    if action.prompt.is_none() || action.argument.is_some() {
        let found = Diagnostic::error(Code::BadValue, action.at, "a prompt's messages are those of a prompt");
        builder.sink.push(found.label("name it: `prompt: …`"));
        return None;
    }
    Mcp::compile(action, scope, builder)
}

fn listed(name: &Spanned<String>, written: &model::Prompt, meta: Option<mcp::MetaObject>) -> mcp::Prompt {
    let text = |text: &Option<Spanned<String>>| text.as_ref().map(|t| t.value.trim_end().to_owned());
    let argument = |(name, written): (&Spanned<String>, &model::Argument)| {
        let mut listed = mcp::PromptArgument::new(name.value.clone());
        listed.title = text(&written.title);
        listed.description = text(&written.description);
        listed.required = written.required.as_ref().map(|r| r.value);
        listed
    };
    let arguments: Vec<_> = written.arguments.iter().map(argument).collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    let mut listed = mcp::Prompt::new(name.value.clone(), text(&written.description), arguments);
    listed.title = text(&written.title);
    listed.icons = content::icons(written.icons.as_deref());
    listed.meta = meta;
    listed
}
