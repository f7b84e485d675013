//! One question: a form, a sample or the roots.

use serde_json::{Value, json};

use crate::action::call::Request;
use crate::action::steps::form;
use crate::action::steps::sample::{self, Sample};
use crate::action::{Arguments, Builder, Call, Capabilities, Scope, render_fault};
use crate::outcome::ActionError;
use crate::schema::Schema;
use crate::spec::Spanned;
use crate::spec::model::Str;
use crate::spec::model::steps::{FormAsk, Input as Written, OnDecline, RootsStep, SampleStep};
use crate::template::Template;

#[derive(Debug)]
pub(super) struct Input {
    /// Its name; `None` if it is the only one.
    pub(super) name: Option<String>,
    /// Left out when the client can't answer it.
    pub(super) optional: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Form(Box<Form>),
    Sample(Sample),
    Roots,
}

#[derive(Debug)]
struct Form {
    message: Template,
    schema: Schema,
    on_decline: OnDecline,
    max_bytes: usize,
}

impl Input {
    pub(super) fn compile(name: &Str, written: &Written, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let name = Some(name.value.clone());
        match written {
            Written::Form(form) => Self::form(name, form, scope, builder),
            Written::Sample(sample) => Self::sample(name, sample, scope, builder),
            Written::Roots(roots) => Some(Self::roots(name, roots)),
        }
    }

    pub(super) fn form(
        name: Option<String>,
        written: &FormAsk,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let message = written.message.get().and_then(|text| builder.template(text, scope));
        let schema = written.schema.get().and_then(|node| form::compile(node, builder.sink));
        let form = Form {
            message: message?,
            schema: schema?,
            on_decline: written.on_decline.as_ref().map_or(OnDecline::End, |word| word.value),
            max_bytes: builder.limits.max_bytes,
        };
        Some(Input { name, optional: is_true(written.optional.as_ref()), what: What::Form(Box::new(form)) })
    }

    pub(super) fn sample(
        name: Option<String>,
        written: &SampleStep,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let what = What::Sample(Sample::compile(written, scope, builder)?);
        Some(Input { name, optional: is_true(written.optional.as_ref()), what })
    }

    pub(super) fn roots(name: Option<String>, written: &RootsStep) -> Self {
        Input { name, optional: is_true(written.optional.as_ref()), what: What::Roots }
    }

    /// A tool's `confirm`: yes or no.
    pub(super) fn confirm(message: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let schema = json!({
            "type": "object",
            "properties": { "confirm": { "type": "boolean", "title": "Yes, do it", "default": false } },
            "required": ["confirm"],
        });
        let form = Form {
            message: builder.template(message, scope)?,
            schema: Schema::compile(schema).ok()?,
            on_decline: OnDecline::End,
            max_bytes: builder.limits.max_bytes,
        };
        Some(Input { name: None, optional: false, what: What::Form(Box::new(form)) })
    }

    /// Its own place in the call.
    pub(super) fn place(&self, call: &Call) -> Call {
        self.name.as_ref().map_or_else(|| call.clone(), |name| call.within(name))
    }

    pub(super) fn needs(&self) -> Capabilities {
        let none = Capabilities::default();
        match self.what {
            What::Form(_) => Capabilities { elicitation: true, ..none },
            What::Sample(_) => Capabilities { sampling: true, ..none },
            What::Roots => Capabilities { roots: true, ..none },
        }
    }

    pub(super) fn request(&self, names: &Arguments) -> Result<Request, ActionError> {
        Ok(match &self.what {
            What::Form(form) => Request::Elicit {
                message: form.message(names)?,
                schema: Value::Object(form.schema.json().as_ref().clone()),
            },
            What::Sample(sample) => Request::Sample(sample.params(names)?),
            What::Roots => Request::Roots,
        })
    }

    /// Checks MCP's result for this question and makes the outcome of it.
    pub(super) fn read(&self, answer: Value) -> Result<Value, String> {
        match &self.what {
            What::Form(form) => form.read(answer),
            What::Sample(_) => sample::read(&answer),
            What::Roots => match answer.get("roots") {
                Some(Value::Array(roots)) => Ok(Value::Array(roots.clone())),
                _ => Err("it has no list of `roots`".to_owned()),
            },
        }
    }

    /// Fails if the user declined and that ends the call.
    pub(super) fn declined(&self, value: &Value, names: &Arguments) -> Result<(), ActionError> {
        let What::Form(form) = &self.what else { return Ok(()) };
        let how = match value.get("action").and_then(Value::as_str) {
            Some("decline") => "declined",
            Some("cancel") => "cancelled",
            _ => return Ok(()),
        };
        match form.on_decline {
            OnDecline::Continue => Ok(()),
            OnDecline::End => Err(ActionError::failed(format!("the user {how}: {}", form.message(names)?))),
        }
    }
}

impl Form {
    fn message(&self, names: &Arguments) -> Result<String, ActionError> {
        self.message.render(names, self.max_bytes).map_err(|fault| render_fault(&fault))
    }

    /// `{action, content}`; content is there, and fits the form, if the action is `accept`.
    fn read(&self, answer: Value) -> Result<Value, String> {
        let Value::Object(mut answer) = answer else { return Err("it is not an object".to_owned()) };
        match answer.get("action").and_then(Value::as_str) {
            Some("accept") => {
                let content = answer.remove("content").unwrap_or_else(|| json!({}));
                let faults = self.schema.faults(&content);
                if faults.is_empty() {
                    return Ok(json!({ "action": "accept", "content": content }));
                }
                Err(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "))
            }
            Some(action @ ("decline" | "cancel")) => Ok(json!({ "action": action })),
            _ => Err("its `action` is not one of `accept`, `decline`, `cancel`".to_owned()),
        }
    }
}

fn is_true(word: Option<&Spanned<bool>>) -> bool {
    word.is_some_and(|word| word.value)
}
