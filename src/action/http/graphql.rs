//! `graphql`: an operation of a GraphQL API. Values are its variables, never a part of its document.
//!
//! | file | what |
//! |---|---|
//! | `source`, `schema`, `introspection` | an API and its schema, from a file or as it tells it |
//! | `document`, `faults` | a document, held against the schema, and what is wrong in it |
//! | `bind` | where the values of its variables come from |
//! | `input`, `output` | GraphQL's types as JSON Schema |
//! | `answer` | `data` and `errors` |

mod answer;
mod bind;
mod document;
mod faults;
mod input;
mod introspection;
mod output;
mod schema;
mod source;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

pub use source::GraphqlSource;

use super::{explain, took_longer};
use crate::action::gate::{Bounds, Gate};
use crate::action::{Arguments, Builder, Call, Limits, Param, Scope, mask, read, render_fault};
use crate::outcome::{ActionError, ErrorKind, Outcome};
use crate::schema::{Schema, object};
use crate::spec::model::GraphqlAction;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};
use bind::{Bound, Operation, Origin};
use document::Variable;
use input::Wording;

/// A compiled operation.
#[derive(Debug)]
pub struct Graphql {
    source: Arc<GraphqlSource>,
    /// The document, as it is sent.
    text: String,
    /// The operation's name, if it has one.
    name: Option<String>,
    is_query: bool,
    variables: Vec<Bound>,
    /// What the variables may be.
    check: Option<Schema>,
    output: Option<Arc<Map<String, Value>>>,
    pub(in crate::action) limits: Limits,
    gate: Gate,
    /// Params whose values are not shown.
    secrets: Vec<String>,
    /// The operation, for messages.
    what: String,
}

impl Graphql {
    /// Compiles it. Nothing is sent. `None` after mistakes, all of which are reported.
    pub fn compile(written: &GraphqlAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let errors = builder.sink.errors();
        let source = written.source.get().and_then(|name| builder.sources.graphql(name, builder.sink));
        let text = text(written, builder)?;
        let schema = source.as_ref().and_then(|source| source.schema());
        let document = document::read(&text, written.operation_name.as_ref(), schema, builder.sink)?;
        let operation =
            Operation { variables: &document.variables, text: &text, schema: schema.map(|schema| &**schema) };
        let variables = operation.bind(written, scope, builder);
        let check = operation.check();
        let (source, sound) = (source?, builder.sink.errors() == errors);
        sound.then_some(())?;
        let limits = source.http().timeout().map_or(builder.limits, |timeout| Limits { timeout, ..builder.limits });
        let kind = if document.is_query { "query" } else { "mutation" };
        Some(Graphql {
            what: document.name.as_ref().map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}")),
            check,
            text: text.value.trim().to_owned(),
            name: document.name,
            is_query: document.is_query,
            variables,
            output: document.output.filter(|schema| Schema::check(schema).is_ok()).and_then(object),
            limits: limits.with(written.timeout.as_ref(), None, written.max_bytes.as_ref()),
            gate: Gate::new(&Bounds::default(), "this operation"),
            secrets: scope.secrets(),
            source,
        })
    }

    /// The params that a tool has by its operation, where the spec names none: its variables. `None` if the document
    /// can't be read, which compiling it reports.
    pub fn params(written: &GraphqlAction, builder: &mut Builder<'_>) -> Option<Vec<Param>> {
        let mut silent = Diagnostics::default();
        let source = builder.sources.graphql(written.source.get()?, &mut silent);
        let text = match (&written.query, &written.file) {
            (Some(query), _) => query.clone(),
            (None, Some(file)) => read(builder.files, file, file.span, &mut silent, builder.inputs)?,
            (None, None) => return None,
        };
        let schema = source.as_ref().and_then(|source| source.schema());
        let document = document::read(&text, written.operation_name.as_ref(), schema, &mut silent)?;
        let open = |variable: &&Variable| written.variables.names().all(|name| name.value != *variable.name);
        let param = |variable: &Variable| {
            let schema = input::json_schema(schema.map(|schema| &**schema), &variable.kind, Wording::Clients);
            let mut schema = input::described(schema, variable.description.as_ref());
            let default = variable.default.clone().filter(|default| !default.is_null());
            let optional = !variable.required && default.is_none();
            if let (Value::Object(schema), Some(default)) = (&mut schema, default) {
                schema.insert("default".to_owned(), default);
            }
            Param { name: variable.name.clone(), schema: Arc::new(schema), optional, secret: false }
        };
        Some(document.variables.iter().filter(open).map(param).collect())
    }

    /// Sends the operation and reads its answer.
    ///
    /// # Errors
    /// If a value is none that its variable takes, nothing answers in time, or the answer has `errors`.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let deadline = Instant::now().checked_add(self.limits.timeout).unwrap_or_else(Instant::now);
        let body = self.body(arguments)?;
        let exchange = async {
            let sent = self.source.send(body, &self.gate, self.is_query, deadline).await;
            let response = sent.map_err(|mut error| {
                error.message = format!("{}: {}", self.what, error.message);
                error
            })?;
            answer::read(response, &self.source, &self.what, self.limits.max_bytes).await
        };
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(ActionError::new(ErrorKind::Cancelled, "the call was cancelled")),
            done = tokio::time::timeout_at(deadline, exchange) => {
                done.unwrap_or_else(|_| Err(took_longer(&self.what, self.limits.timeout)))
            }
        }
    }

    /// The body of a call (GraphQL over HTTP, section 5.4).
    fn body(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let variables = Value::Object(self.values(arguments)?);
        if let Some(check) = &self.check {
            let faults: Vec<String> = check.faults(&variables).into_iter().map(|fault| fault.message).collect();
            if !faults.is_empty() {
                return Err(ActionError::invalid(faults.join("\n")));
            }
        }
        let mut body = json!({ "query": self.text, "variables": variables });
        if let (Some(name), Value::Object(body)) = (&self.name, &mut body) {
            body.insert("operationName".to_owned(), name.as_str().into());
        }
        Ok(body.to_string())
    }

    /// The variables of a call.
    fn values(&self, arguments: &Arguments) -> Result<Map<String, Value>, ActionError> {
        let mut values = Map::new();
        for variable in &self.variables {
            let value = match &variable.value {
                Origin::Param => arguments.get(&variable.name).cloned(),
                Origin::Template(template) => {
                    template.render(arguments, self.limits.max_bytes).map_err(|fault| render_fault(&fault))?
                }
            };
            values.extend(value.map(|value| (variable.name.clone(), value)));
        }
        Ok(values)
    }

    /// The request that a call would send: its line, headers, document and variables, secrets masked.
    ///
    /// # Errors
    /// If a value is none that its variable takes.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        self.body(arguments)?;
        let mut text = format!("POST {}", self.source.shown());
        let mut headers = self.source.headers();
        explain::show_token(self.source.http(), &mut headers);
        explain::show_headers(&headers, &mut text);
        text.extend(["\n\n", &self.text, "\n"]);
        for (name, value) in self.values(&mask::arguments(arguments, &self.secrets))? {
            text.extend(["\n$", &name, " = ", &value.to_string()]);
        }
        Ok(text.trim_end().to_owned())
    }

    /// The JSON Schema of its answer, where the schema is known.
    pub fn output_schema(&self) -> Option<Arc<Map<String, Value>>> {
        self.output.clone()
    }

    /// Whether it is a query.
    pub fn read_only(&self) -> bool {
        self.is_query
    }
}

/// The document, which stands in the spec or in a file that the spec names.
fn text(written: &GraphqlAction, builder: &mut Builder<'_>) -> Option<Spanned<String>> {
    match (&written.query, &written.file) {
        (Some(query), None) => Some(query.clone()),
        (None, Some(file)) => builder.read(file),
        (Some(_), Some(file)) => {
            let words = "a graphql action has a `query` or a `file`, this one has both";
            builder.sink.push(Diagnostic::error(Code::NameClash, file.span, words).label("keep one of them"));
            None
        }
        (None, None) => {
            let found = Diagnostic::error(Code::MissingKey, written.at, "this graphql action has no document");
            builder.sink.push(found.label("give it a `query` or a `file`"));
            None
        }
    }
}
