//! What the exit status of a command means.

use crate::action::process::Exit;
use crate::action::{Arguments, Builder, Scope};
use crate::spec::read::Foreign;
use crate::spec::{Code, Diagnostic, Spanned};
use crate::template::Template;

/// The largest status that a program can end with.
const LARGEST: u64 = 255;
/// Bytes of an error's words.
const MAX_WORDS: usize = 64 * 1024;

/// `okExit` and `errors`.
#[derive(Debug)]
pub struct Exits {
    ok: Vec<i32>,
    words: Vec<(i32, Template)>,
}

impl Exits {
    /// Checks and compiles both.
    pub fn compile(
        ok: Option<&[Spanned<u64>]>,
        errors: &Foreign<Spanned<String>>,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let ok: Option<Vec<i32>> = match ok {
            Some(written) => written.iter().map(|status| check(status.value, status, builder)).collect(),
            None => Some(vec![0]),
        };
        let mut words = Some(Vec::new());
        for (status, text) in errors.iter() {
            let template = builder.template(text, scope);
            let number = check(status.value.parse().unwrap_or(u64::MAX), status, builder);
            if let Some(number) = number.filter(|number| ok.as_ref().is_some_and(|ok| ok.contains(number))) {
                let found = format!("status {number} is no error here");
                let label = "leave it out, or leave it out of `okExit` (which is `[0]` if it is not given)";
                builder.sink.push(Diagnostic::error(Code::BadValue, status.span, found).label(label));
            }
            match (words.as_mut(), number, template) {
                (Some(words), Some(number), Some(template)) => words.push((number, template)),
                _ => words = None,
            }
        }
        Some(Exits { ok: ok?, words: words? })
    }

    /// Whether the command did what it should.
    pub fn is_ok(&self, exit: Exit) -> bool {
        matches!(exit, Exit::Code(code) if self.ok.contains(&code))
    }

    /// The spec's words for it, if there are any.
    pub fn words(&self, exit: Exit, arguments: &Arguments) -> Option<String> {
        let Exit::Code(code) = exit else { return None };
        let (_, template) = self.words.iter().find(|(status, _)| *status == code)?;
        template.render(arguments, MAX_WORDS).ok()
    }
}

/// A status that a program can end with.
fn check<T>(status: u64, written: &Spanned<T>, builder: &mut Builder<'_>) -> Option<i32> {
    let number = (status <= LARGEST).then(|| i32::try_from(status).ok()).flatten();
    if number.is_none() {
        let found = Diagnostic::error(Code::BadValue, written.span, "this is no exit status");
        builder.sink.push(found.label(format!("a whole number from 0 to {LARGEST}")));
    }
    number
}
