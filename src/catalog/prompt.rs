//! MCP prompts.

use futures_util::future::join_all;
use rmcp::model::{self as mcp, ContentBlock, PromptMessage};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::completion::Completion;
use super::params::{self, Params};
use super::{Catalog, content, shape};
use crate::action::content::Block;
use crate::action::file::FileRead;
use crate::action::{Action, Arguments, Builder, Call, Capabilities, Param, Scope, render_fault};
use crate::outcome::shape::{Shape, ShapeLimits, media};
use crate::outcome::{ActionError, Content, ErrorKind, base64};
use crate::spec::model::{self, FileAction, Role};
use crate::spec::read::Written;
use crate::spec::{Code, Diagnostic, Named, Span, Spanned};
use crate::template::Template;

/// A prompt, ready to be listed and got.
#[derive(Debug)]
pub struct Prompt {
    /// What clients see.
    pub listed: mcp::Prompt,
    params: Params,
    completions: Vec<Completion>,
    data: Vec<Data>,
    messages: Vec<Message>,
    limits: ShapeLimits,
}

/// A named action whose answer the messages use.
#[derive(Debug)]
struct Data {
    name: String,
    action: Action,
    shape: Shape,
}

#[derive(Debug)]
struct Message {
    role: mcp::Role,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Text(Template),
    /// The URI of a resource of this server.
    Resource(Template),
    Image(FileRead),
    File(FileRead),
    Content(Box<Block>),
}

/// MCP's word for who says a message.
pub fn role(role: Role) -> mcp::Role {
    match role {
        Role::User => mcp::Role::User,
        Role::Assistant => mcp::Role::Assistant,
    }
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
        let data = data(&written.data, &argument_scope, builder).await;
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
        let messages = messages(name, written, &scope, builder).await;
        let complete =
            |name: &str| written.arguments.iter().find(|(n, _)| n.value == name).and_then(|(_, a)| a.complete.as_ref());
        let completions = Completion::compile_all(complete, &argument_scope, builder).await;
        let meta = content::meta(written.meta.as_ref(), builder.sink);
        Some(Prompt {
            listed: listed(name, written, meta),
            completions: completions?,
            params: params?,
            data: data?,
            messages: messages?,
            limits: builder.limits.into(),
        })
    }

    /// The completion of an argument.
    pub fn completion(&self, argument: &str) -> Option<&Completion> {
        self.completions.iter().find(|c| c.name == argument)
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
        let needs = self.data.iter().fold(Capabilities::default(), |all, data| all.and(data.action.requires()));
        call.client.require(needs).await?;
        let found = join_all(self.data.iter().map(|data| data.run(&names, self.limits, call))).await;
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
}

impl Data {
    /// What the name stands for in the messages: rows are the list of them, a text is a string.
    async fn run(&self, arguments: &Arguments, limits: ShapeLimits, call: &Call) -> Result<Value, ActionError> {
        let here = call.within(&self.name);
        if let Some(value) = here.recall() {
            return Ok(value);
        }
        let value = self.value(arguments, limits, &here).await?;
        here.record(&value);
        Ok(value)
    }

    async fn value(&self, arguments: &Arguments, limits: ShapeLimits, call: &Call) -> Result<Value, ActionError> {
        let outcome = self.action.run(arguments, call).await?;
        let limits = self.action.limits().map_or(limits, ShapeLimits::from);
        let shaped = self.shape.apply(outcome, limits).await?;
        if let Some(text) = shaped.text {
            return Ok(Value::String(text));
        }
        let truncated = shaped.outcome.truncated.clone();
        Ok(match shaped.outcome.into_value() {
            Value::String(text) => Value::String(noted(text, truncated)),
            Value::Object(mut object) if self.action.gives_rows() && !self.shape.reshapes() => {
                object.remove("rows").unwrap_or_default()
            }
            other => other,
        })
    }
}

impl Body {
    /// What it says: one block, or one for each of a resource's contents.
    async fn contents(
        &self,
        names: &Map<String, Value>,
        max_bytes: usize,
        catalog: &Catalog,
        call: &Call,
    ) -> Result<Vec<ContentBlock>, ActionError> {
        Ok(match self {
            Body::Text(template) => {
                vec![ContentBlock::text(template.render(names, max_bytes).map_err(|f| render_fault(&f))?)]
            }
            Body::Resource(template) => {
                let uri = template.render(names, max_bytes).map_err(|f| render_fault(&f))?;
                let read = catalog.read(uri.trim(), call).await?;
                read.all.into_iter().map(ContentBlock::resource).collect()
            }
            Body::File(file) => {
                let outcome = file.run(names).await?;
                match outcome.content {
                    Content::Text(text) => vec![ContentBlock::text(noted(text, outcome.truncated))],
                    _ => return Err(ActionError::failed("the file of this prompt is not text")),
                }
            }
            Body::Image(file) => {
                let image = media(file.run(names).await?, "image")?;
                let mime_type = image.mime_type.clone().unwrap_or_default();
                match image.content {
                    Content::Bytes(bytes) => vec![ContentBlock::image(base64(&bytes), mime_type)],
                    _ => Vec::new(),
                }
            }
            Body::Content(block) => content::written_out(vec![block.json(names, call).await?]),
        })
    }
}

/// A text with the bound that cut it, if one did.
fn noted(text: String, truncated: Option<String>) -> String {
    match truncated {
        Some(words) => format!("{text}\n{}", content::cut(&words)),
        None => text,
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

async fn data(written: &Named<model::Data>, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Vec<Data>> {
    let mut all = Vec::new();
    for (name, data) in written.all() {
        let compiled = match data {
            Some(data) => {
                let shape = shape::compile(data.result.as_ref(), builder);
                match &data.action {
                    Some(action) => Action::compile(action, scope, builder).await.zip(shape),
                    None => None,
                }
            }
            None => None,
        };
        let ready = |(action, shape): (Action, Shape)| Data {
            name: name.value.clone(),
            action: action.wanted(shape.wants()),
            shape,
        };
        all.push(compiled.map(ready));
    }
    all.into_iter().collect()
}

async fn messages(
    name: &Spanned<String>,
    written: &model::Prompt,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<Vec<Message>> {
    match (&written.messages, &written.template) {
        (Some(Written(messages)), None) if messages.as_ref().is_none_or(|all| !all.is_empty()) => {
            let mut compiled = Vec::new();
            for written in messages.as_ref()? {
                compiled.push(match &written.0 {
                    Some(written) => message(written, scope, builder).await,
                    None => None,
                });
            }
            compiled.into_iter().collect()
        }
        (None, Some(Written(template))) => {
            let body = Body::Text(builder.template(template.as_ref()?, scope)?);
            Some(vec![Message { role: mcp::Role::User, body }])
        }
        (Some(_), Some(Written(template))) => {
            let words = "a prompt has `messages` or a `template`, this one has both";
            let at = template.as_ref().map_or(name.span, |template| template.span);
            builder.sink.push(Diagnostic::error(Code::NameClash, at, words).label("keep one of them"));
            None
        }
        _ => {
            let found = Diagnostic::error(Code::MissingKey, name.span, "this prompt says nothing");
            builder.sink.push(found.label("give it `messages` or a `template`"));
            None
        }
    }
}

async fn message(written: &model::Message, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Message> {
    let bodies = [&written.text, &written.resource, &written.image, &written.file];
    let given = bodies.into_iter().flatten().map(|body| body.span);
    let given: Vec<Span> = given.chain(written.content.as_ref().map(|block| block.at)).collect();
    if given.len() != 1 {
        let words = "a message has one of `text`, `resource`, `image`, `file`, `content`";
        let at = given.get(1).copied().unwrap_or(written.at);
        let label = if given.is_empty() { "this one has none" } else { "keep one of them" };
        builder.sink.push(Diagnostic::error(Code::BadValue, at, words).label(label));
    }
    let file = |path: &Spanned<String>, builder: &mut Builder<'_>| {
        let action = FileAction::of(path.clone());
        FileRead::compile(&action, scope, builder)
    };
    let body = if let Some(text) = &written.text {
        builder.template(text, scope).map(Body::Text)
    } else if let Some(uri) = &written.resource {
        builder.template(uri, scope).map(Body::Resource)
    } else if let Some(path) = &written.image {
        let image = file(path, builder);
        let mime_type = image.as_ref().and_then(FileRead::mime_type).unwrap_or_default();
        if image.is_some() && !mime_type.starts_with("image/") {
            builder.sink.error(Code::BadValue, path.span, "by its name this file is no image");
        }
        image.map(Body::Image)
    } else if let Some(block) = &written.content {
        Block::compile(block, scope, builder).await.map(|block| Body::Content(Box::new(block)))
    } else {
        written.file.as_ref().and_then(|path| file(path, builder)).map(Body::File)
    };
    Some(Message { role: role(written.role.get()?.value), body: body? })
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
