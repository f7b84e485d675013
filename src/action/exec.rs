//! `exec`: a program with arguments. Every element of the argv is one argument, whatever its value holds.

mod code;

use std::path::PathBuf;

use code::Language;
use serde_json::Value;

use super::command::{self, MAX_ARGUMENT};
use super::process;
use super::{Arguments, Builder, Call, Limits, Scope, mask, render_fault};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::ExecAction;
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;

/// Bytes that are rendered before an argument is called too long, so that it can be said by its name.
const MAX_RENDERED: usize = 64 * 1024 * 1024;
/// A compiled command.
#[derive(Debug)]
pub struct Exec {
    program: PathBuf,
    /// The program as the spec names it.
    name: String,
    arguments: Vec<Argument>,
    setting: command::Setting,
    /// Params whose values are not shown.
    secrets: Vec<String>,
}

/// One element of the argv after the program.
#[derive(Debug)]
struct Argument {
    template: Template,
    /// Whether a value may start it with `-`: a literal `--` came before, the element has a literal prefix,
    /// or its value is a number.
    may_be_option: bool,
}

impl Exec {
    /// Its bounds.
    pub(super) fn limits(&self) -> Limits {
        self.setting.limits
    }

    /// Compiles it and finds the program.
    pub fn compile(written: &ExecAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let (at, stdin) = (written.at, written.stdin.as_ref());
        let shared = command::Written { at, stdin, env: &written.env, run: &written.run };
        let setting = command::Setting::compile(shared, scope, builder);
        let elements = written.command.get()?;
        let Some((name, rest)) = elements.split_first() else {
            builder.sink.error(Code::BadCommand, written.at, "the command is empty");
            return None;
        };
        let program = find_program(name, written.optional.as_ref(), scope, builder);
        refuse_code(elements, scope, builder);
        let arguments = arguments(rest, scope, builder);
        Some(Exec {
            program: program?,
            name: name.value.clone(),
            arguments: arguments?,
            setting: setting?,
            secrets: scope.secrets(),
        })
    }

    /// Runs it.
    ///
    /// # Errors
    /// If a value can't be an argument, the program ends with another status than 0, or takes too long.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let argv = self.argv(arguments)?;
        let start = command::Start { name: &self.name, program: &self.program, argv, variables: Vec::new() };
        self.setting.run(start, arguments, call).await
    }

    /// The argv that a call would run, one element a line.
    ///
    /// # Errors
    /// If a value can't be an argument.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let arguments = mask::arguments(arguments, &self.secrets);
        let argv = self.argv(&arguments)?;
        let elements = std::iter::once(self.program.display().to_string()).chain(argv);
        let lines: Vec<String> =
            elements.enumerate().map(|(i, e)| format!("argv[{i}] = {}", Value::String(e))).collect();
        Ok(format!("{}\n{}", lines.join("\n"), self.setting.explain(&arguments)?))
    }

    fn argv(&self, arguments: &Arguments) -> Result<Vec<String>, ActionError> {
        let mut argv = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            argv.extend(argument.bind(arguments)?);
        }
        Ok(argv)
    }
}

impl Argument {
    /// The argument with its values; `None` if one of them was not given, or nothing is left of its blocks.
    fn bind(&self, arguments: &Arguments) -> Result<Option<String>, ActionError> {
        if self.template.shown().any(|name| arguments.get(name).is_none_or(Value::is_null)) {
            return Ok(None);
        }
        let text = self.template.render(arguments, MAX_RENDERED).map_err(|f| render_fault(&f))?;
        if self.template.is_fixed() {
            return Ok((!text.is_empty() || self.template.is_literal().is_some()).then_some(text));
        }
        let exact = self.template.exact();
        let what = || match self.template.names().first() {
            Some(name) => format!("`{}`", name.name),
            None => "an argument".to_owned(),
        };
        if text.starts_with('-') && !self.may_be_option {
            let words = match exact {
                Some(name) => format!("`{name}` can't start with `-`"),
                None => format!("the argument with {} can't start with `-`", what()),
            };
            return Err(ActionError::invalid(words));
        }
        if text.contains('\0') {
            return Err(ActionError::invalid(format!("{} can't hold a NUL byte", what())));
        }
        if text.len() > MAX_ARGUMENT {
            let words =
                format!("{} is too long for an argument ({} bytes, at most {MAX_ARGUMENT})", what(), text.len());
            return Err(ActionError::invalid(words));
        }
        Ok(Some(text))
    }
}

/// The program's file: fixed by the spec, found at load.
fn find_program(
    name: &Spanned<String>,
    optional: Option<&Spanned<bool>>,
    scope: &Scope<'_>,
    builder: &mut Builder<'_>,
) -> Option<PathBuf> {
    if name.value.contains("{{") {
        let found = Diagnostic::error(Code::BadCommand, name.span, "the program can't come from a value");
        builder.sink.push(found.label("name it; values may be its arguments"));
        return None;
    }
    let folder = builder.files.folder(name.span.file).to_owned();
    match process::resolve(&name.value, &folder) {
        Ok(program) => Some(program),
        Err(why) => {
            command::missing(optional, name, why, scope, builder);
            None
        }
    }
}

/// Reports a value in a place where an interpreter reads code: `[sh, -c, "… {{x}} …"]`.
fn refuse_code(elements: &[Spanned<String>], scope: &Scope<'_>, builder: &mut Builder<'_>) {
    let texts: Vec<&str> = elements.iter().map(|e| e.value.as_str()).collect();
    for place in code::places(&texts) {
        let Some(element) = elements.get(place.index) else { continue };
        let template = Template::compile(element, builder.partials).ok();
        let name = |name: &str| scope.get(name).is_some_and(is_harmless);
        let harmless = template.is_some_and(|t| t.names().iter().all(|n| name(&n.name)));
        if place.language == Language::Editor && harmless {
            continue;
        }
        let found = Diagnostic::error(Code::BadCommand, element.span, "a value would become code here");
        let found = found.label("pass it as an argument after the code, or use `shell`, where params are variables");
        builder.sink.push(found);
    }
}

/// Whether no value of the param can be code: a number, a boolean or one of a list.
fn is_harmless(param: &super::Param) -> bool {
    matches!(param.kind(), Some("integer" | "number" | "boolean")) || param.schema.get("enum").is_some()
}

fn arguments(rest: &[Spanned<String>], scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Vec<Argument>> {
    let mut after_dashes = false;
    let compiled: Vec<Option<Argument>> = rest
        .iter()
        .map(|element| {
            let template = builder.template(element, scope)?;
            let number = template.exact().and_then(|name| scope.get(name)).and_then(super::Param::kind);
            let may_be_option =
                after_dashes || !template.literal_prefix().is_empty() || matches!(number, Some("integer" | "number"));
            after_dashes |= template.is_literal() == Some("--");
            Some(Argument { template, may_be_option })
        })
        .collect();
    compiled.into_iter().collect()
}
