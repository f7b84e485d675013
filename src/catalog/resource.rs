//! MCP resources and resource templates.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{self as mcp, ResourceContents};
use serde_json::json;

use super::completion::Completion;
use super::content;
use super::lists::Freshness;
use super::members::Members;
use super::params::{self, Params};
use super::shape;
use super::watch::Watch;
use crate::action::mcp::Watching;
use crate::action::{Action, Arguments, Builder, Call, Param, Scope};
use crate::outcome::shape::{Shape, ShapeLimits};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};
use crate::uri::{Matcher, Modifier, Operator, UriTemplate};

/// A resource or resource template, ready to be listed and read.
#[derive(Debug)]
pub struct Resource {
    /// What clients see.
    pub listed: Listed,
    matcher: Matcher,
    params: Params,
    action: Action,
    shape: Shape,
    limits: ShapeLimits,
    completions: Vec<Completion>,
    members: Option<Members>,
    /// How its changes are noticed while somebody is subscribed.
    watch: Watch,
    freshness: Freshness,
}

/// What reading a resource gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// MCP's contents: one, unless the spec writes out several.
    pub all: Vec<ResourceContents>,
    /// How long they may be kept.
    pub freshness: Freshness,
}

impl Contents {
    /// An answer that is kept for a while.
    pub fn kept(contents: ResourceContents) -> Self {
        Contents { all: vec![contents], freshness: Freshness::default() }
    }
}

/// A resource in one of MCP's two lists.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed {
    /// In `resources/list`.
    Resource(mcp::Resource),
    /// In `resources/templates/list`.
    Template(mcp::ResourceTemplate),
}

impl Resource {
    /// Checks and compiles a resource.
    pub async fn compile(uri: &Spanned<String>, written: &model::Resource, builder: &mut Builder<'_>) -> Option<Self> {
        let owner = format!("resource `{}`", uri.value);
        let template = parse(uri, builder.sink);
        let (names, params) = match &template {
            Some((template, _)) => variables(uri, template, written, builder.sink),
            None => (Params::names(&written.params, builder.sink), None),
        };
        let scope = Scope { owner: &owner, params: &names, remedy: "make it a variable of the URI" };
        Completion::check_names(&written.complete, &scope, builder);
        let complete = |name: &str| written.complete.iter().find(|(n, _)| n.value == name).map(|(_, c)| c);
        let completions = Completion::compile_all(complete, &scope, builder).await;
        let members = match (&written.list, &template) {
            (Some(list), Some((template, _))) => Members::compile(list, template, &owner, builder).await.map(Some),
            _ => Some(None),
        };
        let watch = Watch::compile(written.subscribe.as_ref(), builder);
        let shape = shape::compile(written.result.as_ref(), builder);
        let action = match &written.action {
            Some(action) => Action::compile(action, &scope, builder).await,
            None => None,
        };
        let annotations = content::annotations(written.annotations.as_ref(), builder.sink);
        let meta = content::meta(written.meta.as_ref(), builder.sink);
        let (template, matcher) = template?;
        let (action, shape, params) = (action?, shape?, params?);
        let action = action.wanted(shape.wants());
        if let Action::Content(blocks) = &action
            && let Err(words) = blocks.as_contents()
        {
            builder.sink.error(Code::BadValue, uri.span, words);
            return None;
        }
        let listed = listed(&template, written, &action, annotations, meta);
        let freshness = Freshness::compile(written.ttl_ms.as_ref(), written.cache_scope.as_ref(), Freshness::default());
        let limits = action.limits().unwrap_or(builder.limits).into();
        Some(Resource {
            listed,
            matcher,
            params,
            action,
            shape,
            limits,
            completions: completions?,
            members: members?,
            watch,
            freshness,
        })
    }

    /// The variables of a URI that this resource has; `None` if it is another's.
    pub fn matches(&self, uri: &str) -> Option<Arguments> {
        self.matcher.matches(uri)
    }

    /// The place of its template among those that a URI is held against: the more literal come first, and of those that
    /// are as literal the narrower.
    pub fn precedence(&self) -> (Reverse<usize>, usize) {
        (Reverse(self.matcher.literal_len()), self.matcher.breadth())
    }

    /// The URI or URI template.
    pub fn uri(&self) -> &str {
        match &self.listed {
            Listed::Resource(resource) => &resource.uri,
            Listed::Template(template) => &template.uri_template,
        }
    }

    fn mime_type(&self) -> Option<&str> {
        match &self.listed {
            Listed::Resource(resource) => resource.mime_type.as_deref(),
            Listed::Template(template) => template.mime_type.as_deref(),
        }
    }

    /// The completion of a variable.
    pub fn completion(&self, variable: &str) -> Option<&Completion> {
        self.completions.iter().find(|c| c.name == variable)
    }

    /// The names of the variables that are completed.
    pub fn completions(&self) -> impl Iterator<Item = &str> {
        self.completions.iter().map(|completion| completion.name.as_str())
    }

    /// Its variables.
    pub fn parameters(&self) -> &Params {
        &self.params
    }

    /// Tells whether the files that it lists are the same as in another catalog; `None` for what has no members.
    pub fn members_edition(&self) -> Option<u64> {
        self.members.as_ref().map(|members| members.edition)
    }

    /// How often it is looked at while somebody is subscribed, if the spec says so.
    pub fn poll(&self) -> Option<Duration> {
        self.watch.poll
    }

    /// Whether it changes with a file, of which the operating system tells.
    pub fn is_file(&self) -> bool {
        self.watch.file.is_some() || matches!(self.action.bare(), Action::File(_))
    }

    /// Where the file lies that it changes with, or would; `None` for anything else, and for a file outside of its folder.
    /// `variables` as [`Resource::matches`] gave them.
    pub async fn file(&self, variables: Arguments) -> Option<PathBuf> {
        if let Some(file) = &self.watch.file {
            return Some(file.clone());
        }
        let Action::File(file) = self.action.bare() else { return None };
        let arguments = self.params.check(self.params.coerce(variables)).ok()?;
        file.location(&arguments).await
    }

    /// Listens to whoever tells of its changes; `None` where nobody does.
    pub fn watch(&self, uri: &str) -> Option<Watching> {
        if let Action::Mcp(mcp) = &self.action { mcp.watch(uri) } else { None }
    }

    /// Whether its changes are noticed while the catalog stays the same.
    pub fn is_followed(&self) -> bool {
        self.is_file() || self.poll().is_some() || matches!(&self.action, Action::Mcp(mcp) if mcp.tells())
    }

    /// What `resources/list` has of it: itself, or the members that a template lists. A list that fails is left out,
    /// with a word in the log.
    pub async fn members(&self, call: &Call) -> Vec<mcp::Resource> {
        match (&self.listed, &self.members) {
            (Listed::Resource(resource), _) => vec![resource.clone()],
            (Listed::Template(_), None) => Vec::new(),
            (Listed::Template(template), Some(members)) => match members.list(template, self.limits, call).await {
                Ok(all) => all,
                Err(error) => {
                    let detail = error.detail.unwrap_or_default();
                    tracing::warn!(
                        resource = template.uri_template,
                        detail,
                        "can't list its members: {}",
                        error.message
                    );
                    Vec::new()
                }
            },
        }
    }

    /// Reads it; `variables` as [`Resource::matches`] gave them.
    ///
    /// # Errors
    /// If a variable's value is wrong or the action fails.
    pub async fn read(&self, uri: &str, variables: Arguments, call: &Call) -> Result<Contents, ActionError> {
        let arguments = self.params.check(self.params.coerce(variables)).map_err(|faults| {
            ActionError::new(ErrorKind::NotFound, format!("there is no such resource: {}", faults.join("; ")))
        })?;
        call.client.require(self.action.requires()).await?;
        let outcome = self.action.read(self.uri(), uri, &arguments, call).await?;
        let shaped = self.shape.apply(outcome, self.limits).await?;
        Ok(Contents { all: content::resource(shaped, uri, self.mime_type()), freshness: self.freshness })
    }
}

/// Why somebody else's URI or URI template can't be one of ours, if it can't.
pub fn refusal(uri: &Spanned<String>) -> Option<String> {
    let mut sink = Diagnostics::default();
    parse(uri, &mut sink);
    sink.first_error().map(|found| found.message.clone())
}

/// Parses a resource's key and makes sure that URIs can be matched back to its variables.
fn parse(uri: &Spanned<String>, sink: &mut Diagnostics) -> Option<(UriTemplate, Matcher)> {
    let template = match UriTemplate::parse(uri) {
        Ok(template) => template,
        Err(fault) => {
            sink.push(Diagnostic::fault(Code::BadUriTemplate, uri, fault));
            return None;
        }
    };
    let scheme = uri.value.split_once(':').map(|(scheme, _)| scheme);
    let sound = |s: &str| {
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    if !scheme.is_some_and(sound) {
        let found = Diagnostic::error(Code::BadUriTemplate, uri.span, "a resource's key is a URI");
        sink.push(found.label("begin with a scheme of your own, such as `shop://`"));
        return None;
    }
    match template.matcher() {
        Ok(matcher) => Some((template, matcher)),
        Err(fault) => {
            sink.push(Diagnostic::fault(Code::BadUriTemplate, uri, fault));
            None
        }
    }
}

/// The variables with their schemas: those that `params` describes, and any string for the others.
fn variables(
    uri: &Spanned<String>,
    template: &UriTemplate,
    written: &model::Resource,
    sink: &mut Diagnostics,
) -> (Vec<Param>, Option<Params>) {
    for (name, _) in written.params.all() {
        if !template.variables().any(|v| v.name == name.value) {
            let words = format!("`{}` is not a variable of this resource's URI", name.value);
            let known: Vec<&str> = template.variables().map(|v| v.name).collect();
            let found = Diagnostic::error(Code::UnknownName, name.span, words);
            let found = found.nearest(&name.value, known.iter().copied());
            sink.push(match known.is_empty() {
                _ if !found.label.is_empty() => found,
                true => found.label(format!("it has none: write `{{{}}}` in it", name.value)),
                false => found.label(format!("its variables: {}", crate::spec::read::list_names(&known))),
            });
        }
    }
    let described = Params::names(&written.params, sink);
    let mut names: Vec<Param> = Vec::new();
    for variable in template.variables() {
        if names.iter().any(|p| p.name.value == variable.name) {
            continue;
        }
        let kind = if variable.modifier == Modifier::Explode { "array" } else { "string" };
        let mut param = described.iter().find(|p| p.name.value == variable.name).cloned().unwrap_or_else(|| Param {
            name: Spanned::new(variable.name.to_owned(), uri.span),
            schema: Arc::new(json!({ "type": kind })),
            optional: false,
            secret: false,
        });
        param.optional |= matches!(variable.operator, Operator::Query | Operator::Continuation | Operator::Parameter);
        names.push(param);
    }
    let params = Params::assemble(names.clone(), |pointer| params::place_of(&written.params, pointer, uri.span), sink);
    (names, params)
}

/// What clients see of a resource.
fn listed(
    template: &UriTemplate,
    written: &model::Resource,
    action: &Action,
    annotations: Option<mcp::Annotations>,
    meta: Option<mcp::MetaObject>,
) -> Listed {
    let text = |text: &Option<Spanned<String>>| text.as_ref().map(|t| t.value.trim_end().to_owned());
    let uri = template.as_str().to_owned();
    let name = text(&written.name).unwrap_or_else(|| uri.clone());
    let mime_type = text(&written.mime_type).or_else(|| written.result.is_none().then(|| action.mime_type()).flatten());
    let icons = content::icons(written.icons.as_deref());
    if template.is_literal() {
        let mut listed = mcp::Resource::new(uri, name);
        listed.title = text(&written.title);
        listed.description = text(&written.description);
        listed.mime_type = mime_type;
        listed.icons = icons;
        listed.annotations = annotations;
        listed.meta = meta;
        Listed::Resource(listed)
    } else {
        let mut listed = mcp::ResourceTemplate::new(uri, name);
        listed.title = text(&written.title);
        listed.description = text(&written.description);
        listed.mime_type = mime_type;
        listed.icons = icons;
        listed.annotations = annotations;
        listed.meta = meta;
        Listed::Template(listed)
    }
}
