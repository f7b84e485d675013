//! What `exec` and `shell` share: where and with what a command runs, and what its end means.

mod blot;
mod chatter;
pub mod confine;
mod exits;
mod folder;
mod input;
pub mod trust;

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use blot::End;
use chatter::Chatter;
use exits::Exits;
use folder::Folder;
use input::Input;

use super::process::{Exit, Finished, ProcessFault, Run};
use super::{Arguments, Builder, Call, Limits, Scope, mask};
use crate::outcome::{ActionError, Content, ErrorKind, Outcome};
use crate::sandbox::Sandbox;
use crate::spec::model::Stdin;
use crate::spec::model::command::CommandRun;
use crate::spec::read::Foreign;
use crate::spec::{Code, Diagnostic, Diagnostics, Fault, Span, Spanned, Text};

/// Bytes that one argument or variable may have: Linux's own bound (`MAX_ARG_STRLEN`), less the ending NUL.
pub const MAX_ARGUMENT: usize = 128 * 1024 - 1;

/// Signals of the limits of a sandbox.
const XCPU: i32 = 24;
const XFSZ: i32 = 25;

/// The keys that `exec` and `shell` share, as written.
#[derive(Debug, Clone, Copy)]
pub struct Written<'w> {
    /// The place of the action's key.
    pub at: Span,
    /// `stdin`.
    pub stdin: Option<&'w Stdin>,
    /// `env`.
    pub env: &'w Foreign<Spanned<Text>>,
    /// All others.
    pub run: &'w CommandRun,
}

/// Where and with what a command runs.
#[derive(Debug)]
pub struct Setting {
    folder: Folder,
    env: Vec<(String, Text)>,
    input: Input,
    exits: Exits,
    chatter: Chatter,
    sandbox: Option<Sandbox>,
    /// Its bounds.
    pub limits: Limits,
}

/// One call of a command, bound.
#[derive(Debug)]
pub struct Start<'s> {
    /// What it is called in messages.
    pub name: &'s str,
    /// The program's absolute path.
    pub program: &'s Path,
    /// Its arguments, after its own name.
    pub argv: Vec<String>,
    /// Variables beside those of `env`.
    pub variables: Vec<(String, String)>,
}

impl Setting {
    /// Checks and compiles the keys that `exec` and `shell` share.
    pub fn compile(written: Written<'_>, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let Written { at, stdin, env, run } = written;
        trust::refuse_writable(at, builder.trust, builder.files, builder.sink);
        let folder = Folder::compile(run.cwd.as_ref(), at, scope, builder);
        let env = environment(env, builder.sink);
        let input = Input::compile(stdin, scope, builder);
        let exits = Exits::compile(run.ok_exit.as_deref(), &run.errors, scope, builder);
        let chatter = Chatter::compile(run.progress.as_ref(), builder);
        let sandbox = confine::compile(run.sandbox.as_ref(), builder.sandbox, builder.files, builder.sink);
        let limits = builder.limits.with(run.timeout.as_ref(), None, run.max_bytes.as_ref());
        Some(Setting {
            folder: folder?,
            env,
            input: input?,
            exits: exits?,
            chatter: chatter?,
            sandbox: sandbox?,
            limits,
        })
    }

    /// The names that the spec sets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.env.iter().map(|(name, _)| name.as_str())
    }

    /// Runs a command and turns its end into an answer.
    ///
    /// # Errors
    /// If it can't be started, does not end well, or takes too long.
    pub async fn run(&self, start: Start<'_>, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let stdin = self.input.bytes(arguments)?;
        let begun = Instant::now();
        let folder = self.folder.open(arguments)?;
        let mut env: Vec<_> = self.env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
        env.extend(start.variables);
        let run = Run {
            program: start.program,
            arguments: start.argv,
            env,
            cwd: &folder.path,
            stdin,
            timeout: self.limits.timeout.saturating_sub(begun.elapsed()),
            max_bytes: self.limits.max_bytes,
            sandbox: self.sandbox.as_ref(),
        };
        let finished = self.chatter.run(start.name, self, run, call).await;
        self.outcome(start.name, finished, arguments)
    }

    /// The lines of an explanation: the folder and the variables, what came from outside the spec masked.
    ///
    /// # Errors
    /// If the folder's path can't be made.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let shown = |text: &Text| if text.is_secret() { "***".to_owned() } else { text.expose().to_owned() };
        let env = self.env.iter().map(|(name, value)| format!("\nenv {name} = {}", Value::String(shown(value))));
        let folder = self.folder.explain(arguments)?;
        Ok(format!("cwd = {}{}", folder.display(), env.collect::<String>()))
    }

    fn outcome(
        &self,
        name: &str,
        finished: Result<Finished, ProcessFault>,
        arguments: &Arguments,
    ) -> Result<Outcome, ActionError> {
        let finished = finished.map_err(|fault| {
            let (kind, fault) = match fault {
                // Waiting for a turn took some of it.
                ProcessFault::TimedOut(_) => (ErrorKind::TimedOut, ProcessFault::TimedOut(self.limits.timeout)),
                ProcessFault::Busy(_) => (ErrorKind::TimedOut, ProcessFault::Busy(self.limits.timeout)),
                ProcessFault::Cancelled => (ErrorKind::Cancelled, fault),
                fault => (ErrorKind::Failed, fault),
            };
            ActionError::new(kind, format!("`{name}`: {fault}"))
        })?;
        let secrets = self.secrets();
        if !finished.truncated && !self.exits.is_ok(finished.exit) {
            return Err(self.failure(name, finished, &secrets, arguments));
        }
        let truncated = finished.truncated.then(|| format!("cut after {} bytes (maxBytes)", self.limits.max_bytes));
        let stdout = blot::blot(finished.stdout, &secrets, finished.truncated.then_some(End::Last));
        Ok(Outcome { truncated, ..Outcome::new(content(stdout, finished.truncated), None) })
    }

    /// What went wrong, in the spec's words or the program's own.
    fn failure(&self, name: &str, finished: Finished, secrets: &[&[u8]], arguments: &Arguments) -> ActionError {
        let stderr = blot::blot(finished.stderr, secrets, finished.stderr_truncated.then_some(End::First));
        let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
        let ended = match finished.exit {
            Exit::Code(code) => format!("`{name}` ended with status {code}"),
            Exit::Signal(XCPU) if self.sandbox.is_some() => {
                format!("`{name}` used more processor time than its sandbox allows")
            }
            Exit::Signal(XFSZ) if self.sandbox.is_some() => {
                format!("`{name}` wrote a larger file than its sandbox allows")
            }
            Exit::Signal(signal) => format!("`{name}` was ended by signal {signal}"),
        };
        let whole = if stderr.is_empty() { ended } else { format!("{ended}: {stderr}") };
        match self.exits.words(finished.exit, arguments) {
            Some(words) => ActionError::failed(words).detail(whole),
            None => ActionError::failed(whole),
        }
    }

    /// The values that came into `env` from outside the spec.
    fn secrets(&self) -> Vec<&[u8]> {
        self.env.iter().filter(|(_, v)| v.is_secret()).map(|(_, v)| v.expose().as_bytes()).collect()
    }

    /// Blots out the values that came into `env` from outside the spec.
    fn mask(&self, text: String) -> String {
        mask::text(text, self.env.iter().map(|(_, value)| value))
    }
}

/// Reports a program that is not there; where it is `optional`, as a note: what needs it is left out then.
pub fn missing(
    optional: Option<&Spanned<bool>>,
    name: &Spanned<String>,
    why: Fault,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) {
    let found = match optional.is_some_and(|optional| optional.value) {
        true => Diagnostic::note(Code::CommandNotFound, name.at(why.range), why.message)
            .label(format!("{} is left out (`optional: true`)", scope.owner)),
        false => Diagnostic::fault(Code::CommandNotFound, name, why),
    };
    builder.sink.push(found);
}

/// Text, or bytes if it is none. A cut can go through a character, of which nothing is left then.
fn content(stdout: Vec<u8>, truncated: bool) -> Content {
    match String::from_utf8(stdout) {
        Ok(text) => Content::Text(text),
        Err(error) if truncated && error.utf8_error().error_len().is_none() => {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            Content::Text(String::from_utf8(bytes).unwrap_or_default())
        }
        Err(error) => Content::Bytes(error.into_bytes()),
    }
}

/// `env`; mistakes are reported at their places.
pub fn environment(written: &Foreign<Spanned<Text>>, sink: &mut Diagnostics) -> Vec<(String, Text)> {
    for (name, value) in written.iter() {
        if name.value.is_empty() || name.value.contains(['=', '\0']) || value.expose().contains('\0') {
            let words = format!("`{}` can't be an environment variable", name.value);
            sink.error(Code::BadCommand, name.span, words);
        }
        if value.written().contains("{{") {
            let found = Diagnostic::error(Code::BadTemplate, value.span, "params can't stand in `env`");
            let label = "pass them as arguments or on `stdin`; a `shell` script has them as variables";
            sink.push(found.label(label));
        }
    }
    written.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect()
}
