//! Where in the steps of a call an error was, and what had been done before it.

use std::fmt;

use super::{ActionError, ErrorKind};

/// Steps that an error names; of more it says how many.
const MOST_NAMED: usize = 20;

/// The way from the call to the step that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// The names of the steps, the innermost first.
    steps: Vec<String>,
    /// What went wrong there.
    why: String,
    /// What had been done before, in order.
    done: Vec<String>,
    /// What was done after it, in words.
    since: Vec<String>,
}

impl Trail {
    /// The step that failed, with dots between the names of those around it.
    fn place(&self) -> String {
        self.steps.iter().rev().map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// Where it was and what was done besides, without what went wrong.
    pub fn summary(&self) -> String {
        let lines: Vec<String> = [format!("`{}` failed", self.place())].into_iter().chain(self.rest()).collect();
        lines.join("\n")
    }

    /// What had been done before and since, a line each.
    fn rest(&self) -> Vec<String> {
        let named: Vec<String> = self.done.iter().take(MOST_NAMED).map(|step| format!("`{step}`")).collect();
        let more = match self.done.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let before = (!named.is_empty()).then(|| format!("done before it: {}{more}", named.join(", ")));
        before.into_iter().chain(self.since.iter().cloned()).collect()
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.steps.is_empty() {
            write!(f, "`{}`: ", self.place())?;
        }
        f.write_str(&self.why)?;
        self.rest().iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl ActionError {
    /// The same error, of the step `name`.
    pub fn within(self, name: &str) -> Self {
        self.told(|trail| {
            trail.done.iter_mut().for_each(|step| *step = format!("{name}.{step}"));
            trail.steps.push(name.to_owned());
        })
    }

    /// The same error, after the steps `done`.
    pub fn after(self, done: &[String]) -> Self {
        if done.is_empty() {
            return self;
        }
        self.told(|trail| _ = trail.done.splice(0..0, done.iter().cloned()))
    }

    /// The same error, and what was done after it.
    pub fn since(self, words: String) -> Self {
        self.told(|trail| trail.since.push(words))
    }

    /// What had been done before it.
    pub fn done(&self) -> &[String] {
        self.trail.as_ref().map(|trail| trail.done.as_slice()).unwrap_or_default()
    }

    /// The same, for another reason.
    pub fn because(self, kind: ErrorKind, why: String) -> Self {
        let mut error = self.told(|trail| *trail = Trail { why, steps: Vec::new(), ..std::mem::take(trail) });
        error.kind = kind;
        error
    }

    /// The client is to do something first: that is no error of a step.
    fn told(mut self, tell: impl FnOnce(&mut Trail)) -> Self {
        if matches!(self.kind, ErrorKind::Unanswered | ErrorKind::Lacking) {
            return self;
        }
        let trail = self.trail.get_or_insert_with(|| Box::new(Trail { why: self.message.clone(), ..Trail::default() }));
        tell(trail);
        self.message = trail.to_string();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_it_was_and_what_was_done() {
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).to_owned()).collect() };
        let error = ActionError::failed("boom").within("b").after(&names(&["a"])).within("two").after(&names(&["one"]));
        assert_eq!(error.message, "`two.b`: boom\ndone before it: `one`, `two.a`");
        assert_eq!(error.done(), ["one", "two.a"]);
        let undone = error.since("`undo` was called after it".to_owned());
        assert_eq!(undone.message, "`two.b`: boom\ndone before it: `one`, `two.a`\n`undo` was called after it");
        let late = undone.because(ErrorKind::TimedOut, "took longer than 1s".to_owned());
        assert!(late.message.starts_with("took longer than 1s\ndone before it: `one`"), "{}", late.message);
    }

    #[test]
    fn a_long_list_is_counted() {
        let done: Vec<String> = (0..25).map(|n| format!("s{n}")).collect();
        let error = ActionError::failed("boom").after(&done);
        assert!(error.message.ends_with("`s18`, `s19` and 5 more"), "{}", error.message);
    }

    #[test]
    fn what_the_client_has_to_do_first_stays_as_it_is() {
        for kind in [ErrorKind::Unanswered, ErrorKind::Lacking] {
            let error = ActionError::new(kind, "first").within("a").after(&["b".to_owned()]);
            assert_eq!(error, ActionError::new(kind, "first"));
        }
    }
}
