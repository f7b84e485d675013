//! `ask`, `sample`, `roots` and a tool's `confirm`: questions to the client, one round of them at a time, the same in
//! both eras of MCP.

use serde_json::{Map, Value, json};

use super::form;
use super::sample::{self, Sample};
use crate::action::call::{self, Input as Question, Reply, Request};
use crate::action::{Arguments, Builder, Call, Capabilities, Scope, render_fault};
use crate::outcome::{ActionError, ErrorKind};
use crate::schema::Schema;
use crate::spec::model::Str;
use crate::spec::model::steps::{AskStep, FormAsk, Input as Written, OnDecline, RootsStep, SampleStep};
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;

/// How often a client that is there is asked before its answers count as no answers.
const ATTEMPTS: usize = 3;

/// Questions that are asked together.
#[derive(Debug)]
pub struct Ask {
    inputs: Vec<Input>,
}

#[derive(Debug)]
struct Input {
    /// Its name; `None` if it is the only one.
    name: Option<String>,
    /// Left out when the client can't answer it.
    optional: bool,
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

impl Ask {
    /// Checks and compiles an `ask`.
    pub fn compile(written: &AskStep, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let inputs = match written {
            AskStep::One(form) => vec![Input::form(None, form, scope, builder)],
            AskStep::Round(inputs) => {
                inputs.names().for_each(|name| check_name(name, builder));
                inputs.all().map(|(name, input)| Input::compile(name, input?, scope, builder)).collect()
            }
        };
        inputs.into_iter().collect::<Option<_>>().map(|inputs| Ask { inputs })
    }

    /// Checks and compiles a `sample`.
    pub fn sample(written: &SampleStep, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        Some(Ask { inputs: vec![Input::sample(None, written, scope, builder)?] })
    }

    /// Compiles a `roots`.
    pub fn roots(written: &RootsStep) -> Self {
        Ask { inputs: vec![Input::roots(None, written)] }
    }

    /// Compiles a tool's `confirm`.
    pub fn confirm(message: &Str, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
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
        Some(Ask { inputs: vec![Input { name: None, optional: false, what: What::Form(Box::new(form)) }] })
    }

    /// Asks a tool's `confirm`.
    ///
    /// # Errors
    /// If the user does not say yes, besides those of [`Ask::run`].
    pub async fn confirmed(&self, names: &Arguments, call: &Call) -> Result<(), ActionError> {
        let here = call.within("confirm-call");
        if self.run(names, &here).await?.pointer("/content/confirm") == Some(&Value::Bool(true)) {
            return Ok(());
        }
        Err(ActionError::failed("the user did not say yes, so nothing was done"))
    }

    /// All that may be asked of the client.
    pub fn needs(&self) -> Capabilities {
        self.inputs.iter().fold(Capabilities::default(), |all, input| all.and(input.needs()))
    }

    /// What the client has to be able to do.
    pub fn requires(&self) -> Capabilities {
        let wanted = self.inputs.iter().filter(|input| !input.optional);
        wanted.fold(Capabilities::default(), |all, input| all.and(input.needs()))
    }

    /// Whether the outcome may be nothing.
    pub fn is_optional(&self) -> bool {
        self.inputs.iter().any(|input| input.optional)
    }

    /// Asks what was not answered before; null stands for what the client can't answer.
    ///
    /// # Errors
    /// If the client can't be asked, refuses, gives no answer that fits, or the user declines; and
    /// [`ErrorKind::Unanswered`] where the client is to call again with the answers.
    pub async fn run(&self, names: &Arguments, call: &Call) -> Result<Value, ActionError> {
        let mut open = Vec::new();
        for input in &self.inputs {
            let able = input.needs().without(call.client.capabilities()).is_empty();
            let here = input.place(call);
            if here.recall().is_none() && (able || !input.optional) {
                open.push(Open { input, here, fault: None });
            }
        }
        let needs = open.iter().fold(Capabilities::default(), |all, open| all.and(open.input.needs()));
        call.client.require(needs).await?;
        let mut answered = Vec::new();
        for _ in 0..ATTEMPTS {
            if open.is_empty() {
                break;
            }
            let mut answers = ask(&open, names, call).await?;
            for mut question in std::mem::take(&mut open) {
                match question.take(&mut answers) {
                    Some(value) => answered.push((question.here.place().to_owned(), value)),
                    None => open.push(question),
                }
            }
        }
        if let Some(question) = open.into_iter().next() {
            let why = question.fault.unwrap_or_else(|| "there is none".to_owned());
            return Err(ActionError::failed(format!("no answer that fits: {why}")));
        }
        self.outcome(answered, names, call)
    }

    /// The answers as the step's outcome: that of the one question, or an object of them by name.
    fn outcome(&self, answered: Vec<(String, Value)>, names: &Arguments, call: &Call) -> Result<Value, ActionError> {
        let mut all = Map::new();
        for input in &self.inputs {
            let here = input.place(call);
            let new = answered.iter().find(|(place, _)| place == here.place()).map(|(_, value)| value.clone());
            let value = new.or_else(|| here.recall()).unwrap_or_default();
            input.declined(&value, names)?;
            match &input.name {
                None => return Ok(value),
                Some(name) => all.insert(name.clone(), value),
            };
        }
        Ok(Value::Object(all))
    }
}

/// A question without an answer.
struct Open<'a> {
    input: &'a Input,
    here: Call,
    /// What was wrong with the last answer.
    fault: Option<String>,
}

impl Open<'_> {
    fn question(&self, names: &Arguments) -> Result<Question, ActionError> {
        let mut request = self.input.request(names)?;
        if let (Request::Elicit { message, .. }, Some(fault)) = (&mut request, &self.fault) {
            message.push_str(&format!("\n({fault})"));
        }
        Ok(Question { key: self.here.place().to_owned(), request })
    }

    /// Its answer, if there is one that fits.
    fn take(&mut self, answers: &mut Map<String, Value>) -> Option<Value> {
        let answer = answers.remove(self.here.place())?;
        match self.input.read(answer) {
            Ok(value) => {
                self.here.record(&value);
                Some(value)
            }
            Err(fault) => {
                self.fault = Some(fault);
                None
            }
        }
    }
}

async fn ask(open: &[Open<'_>], names: &Arguments, call: &Call) -> Result<Map<String, Value>, ActionError> {
    let questions = open.iter().map(|open| open.question(names)).collect::<Result<Vec<_>, _>>()?;
    let reply = tokio::select! {
        biased;
        () = call.cancel.cancelled() => return Err(call::cancelled()),
        reply = call.client.ask(questions) => reply,
    };
    match reply {
        Reply::Answers(answers) => Ok(answers),
        Reply::Later => Err(ActionError::new(ErrorKind::Unanswered, "the client is asked first")),
        Reply::Failed(why) => Err(ActionError::failed(why)),
    }
}

impl Input {
    fn compile(name: &Str, written: &Written, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let name = Some(name.value.clone());
        match written {
            Written::Form(form) => Self::form(name, form, scope, builder),
            Written::Sample(sample) => Self::sample(name, sample, scope, builder),
            Written::Roots(roots) => Some(Self::roots(name, roots)),
        }
    }

    fn form(name: Option<String>, written: &FormAsk, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
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

    fn sample(
        name: Option<String>,
        written: &SampleStep,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let what = What::Sample(Sample::compile(written, scope, builder)?);
        Some(Input { name, optional: is_true(written.optional.as_ref()), what })
    }

    fn roots(name: Option<String>, written: &RootsStep) -> Self {
        Input { name, optional: is_true(written.optional.as_ref()), what: What::Roots }
    }

    /// Its own place in the call.
    fn place(&self, call: &Call) -> Call {
        self.name.as_ref().map_or_else(|| call.clone(), |name| call.within(name))
    }

    fn needs(&self) -> Capabilities {
        let none = Capabilities::default();
        match self.what {
            What::Form(_) => Capabilities { elicitation: true, ..none },
            What::Sample(_) => Capabilities { sampling: true, ..none },
            What::Roots => Capabilities { roots: true, ..none },
        }
    }

    fn request(&self, names: &Arguments) -> Result<Request, ActionError> {
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
    fn read(&self, answer: Value) -> Result<Value, String> {
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
    fn declined(&self, value: &Value, names: &Arguments) -> Result<(), ActionError> {
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

/// Reports a name among `inputs` that no template could say.
fn check_name(name: &Str, builder: &mut Builder<'_>) {
    if !super::is_path(&name.value, false) {
        let found = Diagnostic::error(Code::BadValue, name.span, format!("`{}` can't be an input's name", name.value));
        builder.sink.push(found.label("letters, digits and `_`, not a digit first"));
    }
}
