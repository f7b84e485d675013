//! What a program may call, and the guard that ends it.

use jaq_core::box_iter::box_once;
use jaq_core::data::HasLut;
use jaq_core::load::Lexer;
use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{Def, Parser};
use jaq_core::native::{Fun, v};
use jaq_core::{Cv, DataT, Error, Exn, Lut, Native, ValXs};
use jaq_json::Val;
use std::cmp::Ordering::{Equal, Greater, Less};
use std::sync::atomic::{AtomicBool, Ordering};

/// Filters and variables of jq that reach the environment, the process, the clock or files, and what to do
/// instead. They are taken out, so that a program that uses one does not compile.
pub const REFUSED: [(&str, &str); 15] = [
    ("env", "pass the value as a param"),
    ("$ENV", "pass the value as a param"),
    ("halt", "use `error` to fail"),
    ("halt_error", "use `error` to fail"),
    ("input", "the input is `.`"),
    ("inputs", "the input is `.`"),
    ("input_filename", "the input is `.`"),
    ("input_line_number", "the input is `.`"),
    ("debug", "run the program with `jq` to debug it"),
    ("stderr", "run the program with `jq` to debug it"),
    ("now", "pass the time as a param"),
    ("localtime", "use `gmtime`: the server's time zone is not known"),
    ("strflocaltime", "use `strftime`: the server's time zone is not known"),
    ("get_search_list", "a program cannot import"),
    ("modulemeta", "a program cannot import"),
];

/// Natives that the standard definitions of refused filters are made of.
const HIDDEN: [&str; 2] = ["debug_empty", "stderr_empty"];

/// Called at the head of every definition that a program or [`LOOPS`] makes; a name that no program can write.
const TICK: &str = "!tick";

/// The standard definitions that can run without end, written anew to have [`TICK`] in them.
const LOOPS: &str = "
    def repeat(f): def again: f, again; again;
    def recurse(f): def down: ., (f | down); down;
    def while(more; next): def again: if more then ., (next | again) else [] | .[] end; again;
    def until(done; next): def again: if done then . else next | again end; again;
";

/// Formats of jq that jaq's library lacks.
const FORMATS: &str = r#"
    def _row(f): map(
        if . == null then "" elif isstring then f
        elif isarray or isobject then error("a row of @csv or @tsv cannot hold an " + type)
        else tostring end);
    def @csv: _row("\"" + (. / "\"" | join("\"\"")) + "\"") | join(",");
    def @tsv: _row(. / "\\" | join("\\\\") / "\t" | join("\\t") / "\n" | join("\\n") / "\r" | join("\\r")) | join("\t");
"#;

/// The types that programs run over.
pub struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Guard<'a>;
}

/// What every filter of a run can see: the program and whether to go on.
#[derive(Clone, Copy)]
pub struct Guard<'a> {
    lut: &'a Lut<Kind>,
    abandoned: &'a AtomicBool,
    stack_start: usize,
    stack_bytes: usize,
}

impl<'a> HasLut<'a, Kind> for Guard<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

impl<'a> Guard<'a> {
    /// A guard for this thread, which has `stack_bytes` of stack and has hardly used any.
    pub fn new(lut: &'a Lut<Kind>, abandoned: &'a AtomicBool, stack_bytes: usize) -> Self {
        Guard { lut, abandoned, stack_start: stack_position(), stack_bytes }
    }

    /// An exception that no `try` catches once the run is abandoned; an error when it recurses so deep that
    /// the stack would overflow, which would end the process.
    pub fn check(&self) -> Result<(), Exn<'static, Val>> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(Exn::halt(1));
        }
        if stack_position().abs_diff(self.stack_start) > self.stack_bytes / 2 {
            return Err(Exn::from(Error::str("the recursion is too deep")));
        }
        Ok(())
    }
}

#[inline(never)]
fn stack_position() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// The native filters that a program may use.
pub fn natives() -> impl Iterator<Item = Fun<Kind>> {
    let all = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let kept = all.filter(|(name, ..)| !is_refused(name) && !HIDDEN.contains(name) && *name != "range");
    kept.chain([("range", v(3), Native::new(|cv: Cv<'_, Kind>| range(cv))), (TICK, v(0), tick())])
}

/// The filters that are defined in jq itself.
pub fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let mut loops = parsed(LOOPS);
    let all = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let written = all.filter(|def| !is_refused(def.name)).map(move |def| {
        let same = |l: &Def<&'static str>| l.name == def.name && l.args.len() == def.args.len();
        match loops.iter().position(same) {
            Some(found) => loops.swap_remove(found),
            None => def,
        }
    });
    written.chain(parsed(FORMATS))
}

/// Name and number of arguments of every filter.
pub fn names() -> Vec<(&'static str, usize)> {
    let written = natives().map(|(name, args, _)| (name, args.len()));
    written.chain(definitions().map(|def| (def.name, def.args.len()))).collect()
}

fn is_refused(name: &str) -> bool {
    REFUSED.iter().any(|(refused, _)| *refused == name)
}

fn parsed(definitions: &'static str) -> Vec<Def<&'static str>> {
    let tokens = Lexer::new(definitions).lex().map(with_ticks).unwrap_or_default();
    Parser::new(&tokens).parse(|p| p.defs()).unwrap_or_default()
}

/// Puts a tick at the head of every definition's body: `def f(g): body` becomes `def f(g): !tick | body`.
/// Nothing in jq repeats without a definition that calls itself, except `range`.
pub fn with_ticks(tokens: Vec<Token<&str>>) -> Vec<Token<&str>> {
    let mut ticked = Vec::with_capacity(tokens.len());
    let mut head = Head::Outside;
    for Token(text, kind) in tokens {
        head = head.then(text, &kind);
        ticked.push(Token(text, inside(kind)));
        if head == Head::Colon {
            ticked.extend([Token(TICK, Tok::Word), Token("|", Tok::Sym)]);
        }
    }
    ticked
}

fn inside(kind: Tok<&str>) -> Tok<&str> {
    match kind {
        Tok::Block(tokens) => Tok::Block(with_ticks(tokens)),
        Tok::Str(parts) => Tok::Str(parts.into_iter().map(in_part).collect()),
        other => other,
    }
}

fn in_part<'s>(part: StrPart<&'s str, Token<&'s str>>) -> StrPart<&'s str, Token<&'s str>> {
    match part {
        StrPart::Term(Token(text, kind)) => StrPart::Term(Token(text, inside(kind))),
        other => other,
    }
}

/// How far into the head of a definition the last token was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Outside,
    Def,
    Name,
    Params,
    Colon,
}

impl Head {
    fn then(self, text: &str, kind: &Tok<&str>) -> Head {
        match (self, kind) {
            (Head::Def, Tok::Word | Tok::Fmt) => Head::Name,
            (Head::Name, Tok::Block(_)) => Head::Params,
            (Head::Name | Head::Params, Tok::Sym) if text == ":" => Head::Colon,
            (_, Tok::Word) if text == "def" => Head::Def,
            _ => Head::Outside,
        }
    }
}

/// The identity, in all three ways that jq runs a filter, as long as the run may go on.
fn tick() -> Native<Kind> {
    Native::new(|cv: Cv<'_, Kind>| box_once(cv.0.data().check().map(|()| cv.1)))
        .with_paths(|cv| box_once(cv.0.data().check().map(|()| cv.1)))
        .with_update(|cv, f| match cv.0.data().check() {
            Ok(()) => f(cv.1),
            Err(e) => box_once(Err(e)),
        })
}

/// `range($from; $to; $by)`.
fn range<'a>(mut cv: Cv<'a, Kind>) -> ValXs<'a, Val> {
    let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
    let guard = *cv.0.data();
    let direction = by.cmp(&Val::from(0_isize));
    let mut next = Some(from);
    Box::new(std::iter::from_fn(move || {
        let at = next.take()?;
        let ahead = match direction {
            Greater => at < to,
            Less => at > to,
            Equal => at != to,
        };
        if !ahead {
            return None;
        }
        Some(guard.check().and_then(|()| {
            next = Some((at.clone() + by.clone()).map_err(Exn::from)?);
            Ok(at)
        }))
    }))
}
