//! `shell`: a fixed script. Params reach it as environment variables, so no value is ever parsed as script.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::command::{self, MAX_ARGUMENT};
use super::process;
use super::{Arguments, Builder, Call, Limits, Param, Scope, mask};
use crate::outcome::{ActionError, Outcome};
use crate::spec::model::{ShellAction, command::ShellName};
use crate::spec::{Code, Diagnostic, Spanned};

/// Variables that change what a shell or a program does; no param may be one of them.
const DANGEROUS: [&str; 24] = [
    "PATH",
    "IFS",
    "ENV",
    "BASH_ENV",
    "PS1",
    "PS2",
    "PS4",
    "HOME",
    "SHELL",
    "SHELLOPTS",
    "BASHOPTS",
    "CDPATH",
    "GLOBIGNORE",
    "PROMPT_COMMAND",
    "TERM",
    "TMPDIR",
    "PWD",
    "OLDPWD",
    "OPTIND",
    "OPTARG",
    "POSIXLY_CORRECT",
    "TZ",
    "LANG",
    "LANGUAGE",
];
/// The beginnings of more such names: the loader's, the locale's, git's, interpreters' search paths.
const DANGEROUS_BEGINNINGS: [&str; 10] =
    ["LD_", "DYLD_", "LC_", "BASH_FUNC_", "GIT_", "PYTHON", "PERL", "RUBY", "NODE_", "SUDO_"];

/// A compiled script.
#[derive(Debug)]
pub struct Shell {
    program: PathBuf,
    script: String,
    params: Vec<String>,
    setting: command::Setting,
    /// Params whose values are not shown.
    secrets: Vec<String>,
}

impl Shell {
    /// Its bounds.
    pub(super) fn limits(&self) -> Limits {
        self.setting.limits
    }

    /// Compiles it.
    pub fn compile(written: &ShellAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Self> {
        let (at, stdin) = (written.at, written.stdin.as_ref());
        let shared = command::Written { at, stdin, env: &written.env, run: &written.run };
        let setting = command::Setting::compile(shared, scope, builder);
        let params: Vec<bool> = scope.params.iter().map(|param| check_name(param, builder)).collect();
        let shell = match written.shell.as_ref().map(|s| s.value) {
            None | Some(ShellName::Sh) => "sh",
            Some(ShellName::Bash) => "bash",
        };
        let program = process::resolve(shell, Path::new("."));
        if let Err(why) = &program {
            let at = written.shell.as_ref().map_or(written.at, |s| s.span);
            command::missing(
                written.optional.as_ref(),
                &Spanned::new(shell.to_owned(), at),
                why.clone(),
                scope,
                builder,
            );
        }
        let programs = find_programs(written, scope, builder);
        let script = written.script.get()?;
        let mut sound = params.into_iter().all(|sound| sound);
        if let Some(at) = script.value.find("{{") {
            let place = script.at(at..at + 2);
            let found = Diagnostic::error(Code::BadCommand, place, "a template can't stand in a script");
            builder.sink.push(found.label("params are variables here: `\"$name\"`"));
            sound = false;
        }
        if script.value.contains('\0') {
            builder.sink.error(Code::BadCommand, script.span, "a NUL character in the script");
            sound = false;
        }
        let setting = setting?;
        if let Some(clash) = scope.params.iter().find(|p| setting.names().any(|n| n == p.name.value)) {
            let words = format!("`{}` is both a param and a variable of `env`", clash.name.value);
            builder.sink.error(Code::NameClash, clash.name.span, words);
            sound = false;
        }
        (sound && programs).then_some(())?;
        Some(Shell {
            program: program.ok()?,
            script: script.value.clone(),
            params: scope.names().map(str::to_owned).collect(),
            setting,
            secrets: scope.secrets(),
        })
    }

    /// Runs it with `-eu`: an error and an unset variable end it.
    ///
    /// # Errors
    /// If a value can't be a variable, the script ends with another status than 0, or takes too long.
    pub async fn run(&self, arguments: &Arguments, call: &Call) -> Result<Outcome, ActionError> {
        let argv = vec!["-eu".to_owned(), "-c".to_owned(), self.script.clone(), "script".to_owned()];
        let variables = self.variables(arguments)?;
        let start = command::Start { name: "script", program: &self.program, argv, variables };
        self.setting.run(start, arguments, call).await
    }

    /// The shell, the variables and the script of a call.
    ///
    /// # Errors
    /// If a value can't be a variable.
    pub fn explain(&self, arguments: &Arguments) -> Result<String, ActionError> {
        let arguments = mask::arguments(arguments, &self.secrets);
        let mut lines = vec![format!("{} -eu", self.program.display()), self.setting.explain(&arguments)?];
        let variables = self.variables(&arguments)?;
        lines.extend(variables.into_iter().map(|(n, v)| format!("{n} = {}", Value::String(v))));
        lines.push(self.script.trim_end().to_owned());
        Ok(lines.join("\n"))
    }

    /// The params that were given, as variables: text as it is, all else as JSON.
    fn variables(&self, arguments: &Arguments) -> Result<Vec<(String, String)>, ActionError> {
        let given = self.params.iter().filter_map(|name| Some((name, arguments.get(name).filter(|v| !v.is_null())?)));
        given
            .map(|(name, value)| {
                let text = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                if text.contains('\0') {
                    return Err(ActionError::invalid(format!("`{name}` can't hold a NUL byte")));
                }
                if name.len() + 1 + text.len() > MAX_ARGUMENT {
                    let words =
                        format!("`{name}` is too long for a variable ({} bytes, at most {MAX_ARGUMENT})", text.len());
                    return Err(ActionError::invalid(words));
                }
                Ok((name.clone(), text))
            })
            .collect()
    }
}

/// Whether all the programs of the script are there.
fn find_programs(written: &ShellAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> bool {
    let mut all = true;
    for name in written.programs.iter().flatten() {
        let folder = builder.files.folder(name.span.file).to_owned();
        if let Err(why) = process::resolve(&name.value, &folder) {
            command::missing(written.optional.as_ref(), name, why, scope, builder);
            all = false;
        }
    }
    all
}

/// Reports a param whose name can't be, or must not be, a shell variable.
fn check_name(param: &Param, builder: &mut Builder<'_>) -> bool {
    let name = param.name.value.as_str();
    let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let words = if !identifier {
        format!("`{name}` can't be a shell variable")
    } else if DANGEROUS.contains(&name) || DANGEROUS_BEGINNINGS.iter().any(|b| name.starts_with(b)) {
        format!("`{name}` would change how the script runs")
    } else {
        return true;
    };
    let found = Diagnostic::error(Code::BadCommand, param.name.span, words);
    builder.sink.push(found.label("give the param another name: letters, digits and `_`"));
    false
}
