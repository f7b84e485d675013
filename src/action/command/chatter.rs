//! What a command says on stderr while it runs, as progress and log messages for the client.

use regex::Regex;
use regex_syntax::hir::{Hir, HirKind};
use serde_json::json;

use super::Setting;
use crate::action::call::Level;
use crate::action::process::{self, Finished, ProcessFault, Run};
use crate::action::{Builder, Call};
use crate::spec::{Code, Diagnostic, Spanned};

/// Listens to a command.
#[derive(Debug)]
pub struct Chatter {
    progress: Option<Pattern>,
}

/// What lines say how much is done.
#[derive(Debug)]
struct Pattern {
    /// Its first group is how much is done, its second out of how much.
    regex: Regex,
    /// Out of how much, where no second group says it: 100 for a percentage.
    total: Option<f64>,
}

impl Chatter {
    /// Checks and compiles a command's `progress`.
    pub fn compile(progress: Option<&Spanned<String>>, builder: &mut Builder<'_>) -> Option<Self> {
        let Some(written) = progress else { return Some(Chatter { progress: None }) };
        match Regex::new(&written.value) {
            Ok(regex) if (2..=3).contains(&regex.captures_len()) => {
                Some(Chatter { progress: Some(Pattern::new(regex)) })
            }
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
        match self.progress.as_ref().and_then(|pattern| pattern.read(line)) {
            Some((progress, total)) => call.client.progress(progress, total, None),
            None if call.client.hears(Level::Info) => {
                call.client.say(Level::Info, Some(name), json!(setting.mask(line.to_owned())));
            }
            None => {}
        }
    }
}

impl Pattern {
    fn new(regex: Regex) -> Pattern {
        let parsed = regex_syntax::parse(regex.as_str()).ok().filter(|_| regex.captures_len() == 2);
        let total = parsed.is_some_and(|whole| has_percentage(&whole)).then_some(100.0);
        Pattern { regex, total }
    }

    /// How much is done, and out of how much, if the line says it.
    fn read(&self, line: &str) -> Option<(f64, Option<f64>)> {
        let groups = self.regex.captures(line)?;
        let number = |group: usize| groups.get(group)?.as_str().parse::<f64>().ok().filter(|n| n.is_finite());
        Some((number(1)?, number(2).or(self.total)))
    }
}

/// Whether a percent sign comes right after a group. The depth is bounded by the parser.
fn has_percentage(pattern: &Hir) -> bool {
    let is_sign =
        |next: &Hir| matches!(next.kind(), HirKind::Literal(text) if text.0.trim_ascii_start().starts_with(b"%"));
    match pattern.kind() {
        HirKind::Concat(parts) => {
            let pairs = parts.iter().zip(parts.iter().skip(1));
            let follows = |(part, next): (&Hir, &Hir)| matches!(part.kind(), HirKind::Capture(_)) && is_sign(next);
            pairs.into_iter().any(follows) || parts.iter().any(has_percentage)
        }
        HirKind::Alternation(parts) => parts.iter().any(has_percentage),
        HirKind::Repetition(repeated) => has_percentage(&repeated.sub),
        HirKind::Capture(group) => has_percentage(&group.sub),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_lines() {
        let read = |pattern: &str, line: &str| Pattern::new(Regex::new(pattern).unwrap()).read(line);
        assert_eq!(read(r"(\d+)%", "done 40% of it"), Some((40.0, Some(100.0))));
        assert_eq!(read(r"(\d+)%", "done"), None);
        assert_eq!(read(r"([\d.]+)/(\S+)", "1.5/9"), Some((1.5, Some(9.0))));
        assert_eq!(read(r"([\d.]+)/(\S+)", "1.5/many"), Some((1.5, None)));
        assert_eq!(read(r"([\d.]+)/(\S+)", "1.5.2/9"), None);
        assert_eq!(read("(.*)", "inf"), None);
    }

    #[test]
    fn a_percent_sign_after_the_number_is_a_total_of_100() {
        let total = |pattern: &str| Pattern::new(Regex::new(pattern).unwrap()).total;
        for percentage in [r"(\d+)%", r"\[ *(\d+) %\]", r"(?:at|to) (?:(?<done>\d+)\%)+", r"^(?:done|(\d+)%)"] {
            assert_eq!(total(percentage), Some(100.0), "{percentage}");
        }
        for other in [r"(\d+)", r"% (\d+)", r"(\d+)/(\d+)%", r"(\d+)[%]?", r"(\d+) of 9%"] {
            assert_eq!(total(other), None, "{other}");
        }
    }
}
