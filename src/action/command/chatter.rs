//! What a command says on stderr while it runs, as progress and log messages for the client.

use regex::Regex;
use serde_json::json;

use super::Setting;
use crate::action::call::Level;
use crate::action::process::{self, Finished, ProcessFault, Run};
use crate::action::{Builder, Call};
use crate::spec::{Code, Diagnostic, Spanned};

/// Listens to a command.
#[derive(Debug)]
pub struct Chatter {
    /// Its first group is how much is done, its second out of how much.
    progress: Option<Regex>,
}

impl Chatter {
    /// Checks and compiles a command's `progress`.
    pub fn compile(progress: Option<&Spanned<String>>, builder: &mut Builder<'_>) -> Option<Self> {
        let Some(written) = progress else { return Some(Chatter { progress: None }) };
        match Regex::new(&written.value) {
            Ok(pattern) if (2..=3).contains(&pattern.captures_len()) => Some(Chatter { progress: Some(pattern) }),
            Ok(pattern) => {
                let words = format!("`progress` has one or two groups, this has {}", pattern.captures_len() - 1);
                let found = Diagnostic::error(Code::BadValue, written.span, words);
                builder.sink.push(found.label("how much is done, and out of how much: `(\\d+) of (\\d+)`"));
                None
            }
            Err(fault) => {
                let fault = fault.to_string();
                let why = fault.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let words = format!("`progress` is not a regular expression: {why}");
                builder.sink.push(Diagnostic::error(Code::BadValue, written.span, words));
                None
            }
        }
    }

    /// Runs a command and tells the client what it says meanwhile, if the client wants to hear it.
    ///
    /// # Errors
    /// Those of [`process::run`].
    pub async fn run(
        &self,
        name: &str,
        setting: &Setting,
        run: Run<'_>,
        call: &Call,
    ) -> Result<Finished, ProcessFault> {
        let follows = self.progress.is_some() && call.client.follows();
        if !follows && !call.client.hears(Level::Warning) {
            return process::run(run, &call.cancel).await;
        }
        let told = |line: &str| self.tell(line, name, setting, call);
        let finished = process::watch(run, &call.cancel, Some(&told)).await?;
        if !setting.exits.is_ok(finished.exit) && !finished.truncated {
            call.client.say(Level::Warning, Some(name), json!(finished.exit.to_string()));
        }
        Ok(finished)
    }

    fn tell(&self, line: &str, name: &str, setting: &Setting, call: &Call) {
        match self.progress.as_ref().and_then(|pattern| read(pattern, line)) {
            Some((progress, total)) => call.client.progress(progress, total, None),
            None if call.client.hears(Level::Info) => {
                call.client.say(Level::Info, Some(name), json!(setting.mask(line.to_owned())));
            }
            None => {}
        }
    }
}

/// How much is done, and out of how much, if the line says it.
fn read(pattern: &Regex, line: &str) -> Option<(f64, Option<f64>)> {
    let groups = pattern.captures(line)?;
    let number = |group: usize| groups.get(group)?.as_str().parse::<f64>().ok().filter(|n| n.is_finite());
    Some((number(1)?, number(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_lines() {
        let percent = Regex::new(r"(\d+)%").unwrap();
        assert_eq!(read(&percent, "done 40% of it"), Some((40.0, None)));
        assert_eq!(read(&percent, "done"), None);
        let of = Regex::new(r"([\d.]+)/(\S+)").unwrap();
        assert_eq!(read(&of, "1.5/9"), Some((1.5, Some(9.0))));
        assert_eq!(read(&of, "1.5/many"), Some((1.5, None)));
        assert_eq!(read(&of, "1.5.2/9"), None);
        assert_eq!(read(&Regex::new("(.*)").unwrap(), "inf"), None);
    }
}
