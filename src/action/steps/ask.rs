//! `ask`, `sample`, `roots` and a tool's `confirm`: questions to the client, one round of them at a time, the same in
//! both eras of MCP.

mod input;

use serde_json::{Map, Value};

use crate::action::call::{self, Input as Question, Reply, Request};
use crate::action::{Arguments, Builder, Call, Capabilities, Scope};
use crate::outcome::{ActionError, ErrorKind};
use crate::spec::model::Str;
use crate::spec::model::steps::{AskStep, RootsStep, SampleStep};
use crate::spec::{Code, Diagnostic};
use input::Input;

/// How often a client that is there is asked before its answers count as no answers.
const ATTEMPTS: usize = 3;

/// Questions that are asked together.
#[derive(Debug)]
pub struct Ask {
    inputs: Vec<Input>,
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
        Some(Ask { inputs: vec![Input::confirm(message, scope, builder)?] })
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

/// Reports a name among `inputs` that no template could say.
fn check_name(name: &Str, builder: &mut Builder<'_>) {
    if !super::is_path(&name.value, false) {
        let found = Diagnostic::error(Code::BadValue, name.span, format!("`{}` can't be an input's name", name.value));
        builder.sink.push(found.label("letters, digits and `_`, not a digit first"));
    }
}
