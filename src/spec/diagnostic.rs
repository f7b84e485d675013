//! Mistakes of the spec's author, as data: collected, all of them, and printed at the end.

use super::source::{Place, Span};
use super::{Fault, Spanned};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The spec can't be served.
    Error,
    /// The spec can be served; the author should look.
    Warning,
    /// Nothing is wrong; the author may want to know.
    Note,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// What kind of mistake it is. The names are stable: scripts and `docs/errors.md` go by them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Code {
            /// The stable names of all codes.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// What it means: a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$variant => concat!($($doc),*).trim_ascii(),)*
                }
            }

            /// The code's stable name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }
        }
    };
}

codes! {
    /// The text is not YAML, TOML or JSON.
    Syntax = "syntax",
    /// A file can't be read as a spec at all.
    Unreadable = "unreadable",
    /// Too large or too deep.
    TooLarge = "too-large",
    /// A key that stands twice in one map, or a name defined in two files.
    DuplicateKey = "duplicate-key",
    /// A key that the language does not have at this place.
    UnknownKey = "unknown-key",
    /// A value of another type than the key takes.
    WrongType = "wrong-type",
    /// A key that has to be there.
    MissingKey = "missing-key",
    /// A value of the right type that makes no sense here.
    BadValue = "bad-value",
    /// A tool, resource or data entry with more than one action.
    TwoActions = "two-actions",
    /// A tool, resource or data entry without an action.
    NoAction = "no-action",
    /// A source that is not defined, or is of another kind than the action needs.
    UnknownSource = "unknown-source",
    /// A name in a template, statement or URI that nothing defines.
    UnknownName = "unknown-name",
    /// Two things of one name in one place.
    NameClash = "name-clash",
    /// A handlebars text that does not compile.
    BadTemplate = "bad-template",
    /// A URI template that RFC 6570 refuses or that can't be matched.
    BadUriTemplate = "bad-uri-template",
    /// A JSON Schema that does not compile or contradicts itself.
    BadSchema = "bad-schema",
    /// A description of an API that can't be imported, or of which something is not.
    BadImport = "bad-import",
    /// A request line or URL that can't be sent.
    BadRequest = "bad-request",
    /// A command line that could let a value become code, or that can't run.
    BadCommand = "bad-command",
    /// A program that is not on this machine.
    CommandNotFound = "command-not-found",
    /// A jq program that does not compile.
    BadJq = "bad-jq",
    /// A file or folder that the spec names and that is not there.
    MissingFile = "missing-file",
    /// `${NAME}` without a value.
    MissingVariable = "missing-variable",
    /// `${…}` where values from outside are not allowed.
    MisplacedVariable = "misplaced-variable",
    /// A statement that the database refuses.
    Sql = "sql",
    /// A GraphQL document or schema that is at fault.
    Graphql = "graphql",
    /// A database, API or server that can't be reached.
    Unreachable = "unreachable",
    /// A folder or file that others can write and that names commands to run.
    UnsafePermissions = "unsafe-permissions",
    /// A sandbox whose promises this system can't keep.
    Sandbox = "sandbox",
    /// A tool, prompt or param without a description.
    MissingDescription = "missing-description",
    /// A description that says too little for a model to choose by.
    ShortDescription = "short-description",
    /// A name that some clients can't take.
    OddName = "odd-name",
    /// A secret written out in the spec.
    PlainSecret = "plain-secret",
    /// A source that nothing uses.
    UnusedSource = "unused-source",
    /// A param or argument that its owner does not use.
    UnusedParam = "unused-param",
    /// An entry of a prompt's data that no message uses.
    UnusedData = "unused-data",
    /// A partial that nothing uses.
    UnusedPartial = "unused-partial",
    /// A character that people don't see.
    HiddenCharacters = "hidden-characters",
    /// Instructions to the model in what should only describe.
    SuspiciousText = "suspicious-text",
    /// A tool that writes and neither says so nor asks.
    UnmarkedWrite = "unmarked-write",
    /// An `allow(…)` comment that allows nothing.
    BadAllow = "bad-allow",
}

/// One mistake and its place.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The kind of mistake.
    pub code: Code,
    /// What is wrong: a lowercase sentence fragment.
    pub message: String,
    /// Where; `None` for what has no place in a text, such as a file that is not there.
    pub place: Option<Place>,
    /// What the caret says: most often the remedy.
    pub label: String,
    /// Other places that explain it.
    pub related: Vec<(Place, String)>,
    /// What to do.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            place: Some(place.into()),
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning at a place.
    pub fn warning(code: Code, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// A note at a place.
    pub fn note(code: Code, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Note, ..Self::error(code, place, message) }
    }

    /// An error that has no place in a text.
    pub fn nowhere(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            place: None,
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A fault inside a scalar, as an error at its place in the file.
    pub fn fault(code: Code, text: &Spanned<String>, fault: Fault) -> Self {
        let found = Self::error(code, text.at(fault.range), fault.message);
        match fault.help {
            Some(help) => found.label(help),
            None => found,
        }
    }

    /// Puts words at the caret.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Puts `did you mean …?` at the caret if a name of `known` is near `name`.
    pub fn nearest<'k>(self, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        match super::nearest(name, known) {
            Some(near) => self.label(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Adds another place that explains it.
    pub fn related(mut self, place: impl Into<Place>, words: impl Into<String>) -> Self {
        self.related.push((place.into(), words.into()));
        self
    }

    /// Adds advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Errors that are kept of one spec, and warnings.
const MAX_KEPT: usize = 200;

/// The sink that every step of loading pushes to. Bounded: after [`MAX_KEPT`] it only says that there are more.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let kept = self.0.iter().filter(|d| d.severity == diagnostic.severity).count();
        if kept < MAX_KEPT {
            self.0.push(diagnostic);
        } else if kept == MAX_KEPT && diagnostic.severity != Severity::Note {
            let what = if diagnostic.severity == Severity::Error { "mistakes" } else { "warnings" };
            let words = format!("there are more than {MAX_KEPT} {what}; the others are not shown");
            let more = Diagnostic::nowhere(Code::TooLarge, words);
            self.0.push(Diagnostic { severity: diagnostic.severity, ..more });
        }
    }

    /// Adds what was found, unless it was found there before: several actions may share what is written once.
    pub fn push_once(&mut self, diagnostic: Diagnostic) {
        if !self.holds(&diagnostic) {
            self.push(diagnostic);
        }
    }

    /// Takes out those that are not wanted.
    pub fn retain(&mut self, wanted: impl FnMut(&Diagnostic) -> bool) {
        self.0.retain(wanted);
    }

    /// Takes out what was said before of the same place: what an anchor or `defaults` writes once is read for each use.
    pub fn retain_first(&mut self) {
        let place = |d: &Diagnostic| d.place.as_ref().map(|p| (p.span, p.within.as_ref().map(|w| w.1.clone())));
        let same = |a: &Diagnostic, b: &Diagnostic| a.code == b.code && a.message == b.message && place(a) == place(b);
        let mut first: Vec<Diagnostic> = Vec::new();
        for found in std::mem::take(&mut self.0) {
            if found.place.is_none() || !first.iter().any(|before| same(before, &found)) {
                first.push(found);
            }
        }
        self.0 = first;
    }

    /// The same for those behind the first `known` alone.
    pub fn retain_of(&mut self, known: usize, mut wanted: impl FnMut(&Diagnostic) -> bool) {
        let mut at = 0;
        self.0.retain(|found| {
            at += 1;
            at <= known || wanted(found)
        });
    }

    /// Adds an error at a place; for those that need no more words.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::error(code, span, message));
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// The first error that was found.
    pub fn first_error(&self) -> Option<&Diagnostic> {
        self.0.iter().find(|d| d.severity == Severity::Error)
    }

    /// How many are errors.
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// Whether all the errors are of databases that can't be reached.
    pub fn only_unreachable(&self) -> bool {
        self.has_errors()
            && self.0.iter().filter(|d| d.severity == Severity::Error).all(|d| d.code == Code::Unreachable)
    }

    /// How many are warnings.
    pub fn warnings(&self) -> usize {
        self.0.iter().filter(|d| d.severity == Severity::Warning).count()
    }

    /// All of them, in the order of the files' text; last those without a place.
    pub fn sorted(&self, files: &super::Files) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.0.iter().collect();
        let place = |d: &&Diagnostic| d.place.as_ref().map(|p| (p.span.file, files.locate(p).start));
        all.sort_by_cached_key(|d| (d.place.is_none(), place(d)));
        all
    }

    /// Whether the same was found already: the same words at the same span.
    pub fn holds(&self, other: &Diagnostic) -> bool {
        let span = |d: &Diagnostic| d.place.as_ref().map(|p| p.span);
        self.0.iter().any(|d| d.code == other.code && d.message == other.message && span(d) == span(other))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Those behind the first `known`, for who can say more of them.
    pub fn since(&mut self, known: usize) -> impl Iterator<Item = &mut Diagnostic> {
        self.0.iter_mut().skip(known)
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the same was found anywhere.
    pub fn says(&self, code: Code, message: &str) -> bool {
        self.0.iter().any(|d| d.code == code && d.message == message)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FileId, Files};
    use super::*;

    #[test]
    fn keeps_a_bounded_number_and_says_so() {
        let (mut sink, mut files) = (Diagnostics::default(), Files::default());
        files.add("x", "x", "text".to_owned());
        for n in 0..10 * MAX_KEPT {
            sink.error(Code::BadValue, Span::new(FileId::default(), 0..1), n.to_string());
        }
        let all = sink.sorted(&files);
        assert_eq!(all.len(), MAX_KEPT + 1);
        assert!(all.last().unwrap().message.contains("more than 200 mistakes"), "{:?}", all.last());
    }

    #[test]
    fn says_the_same_of_a_place_once() {
        let mut sink = Diagnostics::default();
        let place = |at: u32| Span::new(FileId::default(), at as usize..at as usize + 1);
        for (at, words) in [(0, "a"), (0, "b"), (4, "a"), (0, "a"), (4, "a")] {
            sink.error(Code::BadValue, place(at), words);
        }
        sink.retain_first();
        let said: Vec<&str> = sink.0.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(said, ["a", "b", "a"]);
    }
}
