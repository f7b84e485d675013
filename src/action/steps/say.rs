//! `log` and `progress`: what the client is told while the steps run.

use serde_json::Value;

use crate::action::call::Level;
use crate::action::{Arguments, Builder, Call, Scope, render_fault};
use crate::outcome::ActionError;
use crate::spec::model::steps::{LogStep, ProgressStep};
use crate::spec::read::refuse;
use crate::spec::{Code, Diagnostic, Kind, Node};
use crate::template::{Template, ValueTemplate};

/// A log message.
#[derive(Debug)]
pub(super) struct Log {
    level: Level,
    logger: Option<String>,
    data: ValueTemplate,
    max_bytes: usize,
}

impl Log {
    pub(super) fn compile(written: &LogStep, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let data = match (&written.message, &written.data) {
            (Some(message), None) => builder.template(message, scope).map(ValueTemplate::from),
            (None, Some(data)) => builder.json(data, scope),
            (Some(_), Some(data)) => {
                let words = "a log step has a `message` or `data`, this one has both";
                builder.sink.error(Code::NameClash, data.span, words);
                None
            }
            (None, None) => {
                let found = Diagnostic::error(Code::MissingKey, written.at, "this log step says nothing");
                builder.sink.push(found.label("give it a `message` or `data`"));
                None
            }
        };
        Some(Log {
            level: written.level.as_ref().map_or(Level::Info, |level| level.value),
            logger: written.logger.as_ref().map(|logger| logger.value.clone()),
            data: data?,
            max_bytes: builder.limits.max_bytes,
        })
    }

    pub(super) async fn run(&self, names: &Arguments, call: &Call) -> Result<(), ActionError> {
        if !call.client.hears(self.level) {
            return Ok(());
        }
        let data = self.data.render(names, self.max_bytes).map_err(|fault| render_fault(&fault))?;
        call.client.room().await;
        call.client.say(self.level, self.logger.as_deref(), data.unwrap_or_default());
        Ok(())
    }
}

/// How far the call is.
#[derive(Debug)]
pub(super) struct Progress {
    progress: ValueTemplate,
    total: Option<ValueTemplate>,
    message: Option<Template>,
    max_bytes: usize,
}

impl Progress {
    pub(super) fn compile(written: &ProgressStep, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let progress = written.progress.get().and_then(|node| number(node, scope, builder));
        let total = written.total.as_ref().map(|node| number(node, scope, builder));
        let message = written.message.as_ref().map(|text| builder.template(text, scope));
        Some(Progress {
            progress: progress?,
            total: match total {
                Some(total) => Some(total?),
                None => None,
            },
            message: match message {
                Some(message) => Some(message?),
                None => None,
            },
            max_bytes: builder.limits.max_bytes,
        })
    }

    pub(super) fn run(&self, names: &Arguments, call: &Call) -> Result<(), ActionError> {
        if !call.client.follows() {
            return Ok(());
        }
        let value = |template: &ValueTemplate, what: &str| {
            let value = template.render(names, self.max_bytes).map_err(|fault| render_fault(&fault))?;
            let number = match &value {
                Some(Value::String(text)) => text.trim().parse().ok(),
                Some(value) => value.as_f64(),
                None => None,
            };
            number.ok_or_else(|| ActionError::invalid(format!("`{what}` is not a number")))
        };
        let total = self.total.as_ref().map(|total| value(total, "total")).transpose()?;
        let message = self.message.as_ref().map(|text| text.render(names, self.max_bytes)).transpose();
        let message = message.map_err(|fault| render_fault(&fault))?;
        call.client.progress(value(&self.progress, "progress")?, total, message);
        Ok(())
    }
}

/// A number, or a template for one.
fn number(node: &Node, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<ValueTemplate> {
    match &node.kind {
        Kind::Number(_) => Some(ValueTemplate::Literal(node.to_json())),
        Kind::String(text) if text.written().contains("{{") => builder.json(node, scope),
        _ => {
            let label = "or a name that stands for one: `\"{{done}}\"`";
            refuse(node, "a number", builder.sink, |found| found.label(label));
            None
        }
    }
}
