//! A program's text to a filter, or to faults with their places.

use super::natives::{self, Kind, REFUSED};
use crate::spec::{Fault, nearest};
use jaq_core::compile::Undefined;
use jaq_core::load::lex::{self, StrPart, Tok, Token};
use jaq_core::load::parse::{self, Def, Parser};
use jaq_core::load::{Arena, File, Lexer, Loader};
use jaq_core::{Compiler, Filter};
use std::ops::Range;

/// Longest program in bytes.
const MAX_PROGRAM: usize = 16 << 10;

/// Most tokens of a program: each can be one level of recursion in jaq, for which there must be stack.
const MAX_TOKENS: usize = 4_000;

/// The definition that holds the program.
const MAIN: &str = "__mcp_declare_program";

/// Compiles on a thread with room for programs that are nested as deep as their length allows.
pub fn compile(program: &str, vars: &[&str]) -> Result<Filter<Kind>, Vec<Fault>> {
    if program.len() > MAX_PROGRAM {
        return Err(vec![whole(program, format!("the program is longer than {MAX_PROGRAM} bytes"))]);
    }
    let gave_up = || vec![whole(program, "the program cannot be compiled".to_owned())];
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(super::STACK);
        let thread = builder.spawn_scoped(scope, || build(program, vars)).map_err(|_| gave_up())?;
        thread.join().unwrap_or_else(|_| Err(gave_up()))
    })
}

fn whole(program: &str, message: String) -> Fault {
    Fault::new(0..program.len(), message)
}

fn build(program: &str, vars: &[&str]) -> Result<Filter<Kind>, Vec<Fault>> {
    let source = Source { program, vars };
    let tokens =
        Lexer::new(program).lex().map_err(|e| e.into_iter().map(|e| source.lex_fault(e)).collect::<Vec<_>>())?;
    source.refuse_imports(&tokens)?;
    if count(&tokens) > MAX_TOKENS {
        return Err(vec![whole(program, format!("the program has more than {MAX_TOKENS} tokens"))]);
    }
    let tokens = natives::with_ticks(tokens);
    let body = Parser::new(&tokens)
        .parse(|p| p.term())
        .map_err(|e| e.into_iter().map(|e| source.parse_fault(e)).collect::<Vec<_>>())?;
    let main = Def { name: MAIN, args: Vec::new(), body };
    let arena = Arena::default();
    let mut prelude: Vec<Def<&str>> = natives::definitions().collect();
    prelude.push(main);
    let modules = Loader::new(prelude)
        .load(&arena, File { code: MAIN, path: () })
        .map_err(|_| vec![whole(program, "the program cannot be loaded".to_owned())])?;
    Compiler::default()
        .with_funs(natives::natives())
        .with_global_vars(vars.iter().copied())
        .compile(modules)
        .map_err(|files| files.into_iter().flat_map(|(_, errors)| errors).map(|e| source.unknown(e.0, &e.1)).collect())
}

/// Tokens at every depth.
fn count(tokens: &[Token<&str>]) -> usize {
    let within = tokens.iter().map(|Token(_, kind)| match kind {
        Tok::Block(tokens) => count(tokens),
        Tok::Str(parts) => parts.iter().map(count_part).sum(),
        _ => 0,
    });
    tokens.len() + within.sum::<usize>()
}

fn count_part(part: &StrPart<&str, Token<&str>>) -> usize {
    match part {
        StrPart::Term(token) => count(std::slice::from_ref(token)),
        _ => 0,
    }
}

/// The text that faults point into.
struct Source<'s> {
    program: &'s str,
    vars: &'s [&'s str],
}

impl<'s> Source<'s> {
    /// Where `part`, a slice of the program, stands in it.
    fn range(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr().checked_sub(self.program.as_ptr().addr());
        match start.map(|start| start..start + part.len()) {
            Some(range) if range.end <= self.program.len() => range,
            _ => 0..self.program.len(),
        }
    }

    /// The first character of `part`, or the empty range at its start.
    fn first(&self, part: &str) -> Range<usize> {
        let range = self.range(part);
        range.start..range.start + part.chars().next().map_or(0, char::len_utf8)
    }

    fn lex_fault(&self, (expected, found): lex::Error<&'s str>) -> Fault {
        if let lex::Expect::Delim(open) = expected {
            return Fault::new(self.first(open), format!("this `{open}` is never closed"));
        }
        let range = self.first(found);
        match found.chars().next() {
            Some(c) if matches!(expected, lex::Expect::Token) => Fault::new(range, format!("unexpected `{c}`")),
            Some(c) => Fault::new(range, format!("expected a {}, found `{c}`", expected.as_str())),
            None => Fault::new(range, format!("expected a {}, found the end of the program", expected.as_str())),
        }
    }

    fn parse_fault(&self, (expected, found): (parse::Expect<&'s str>, Option<&Token<&'s str>>)) -> Fault {
        if self.program.trim().is_empty() {
            return whole(self.program, "the program is empty".to_owned()).help("`.` gives the input as it is");
        }
        let expected = match expected {
            parse::Expect::Just(text) => format!("`{text}`"),
            parse::Expect::Nothing => "an operator or the end".to_owned(),
            other => other.as_str().to_owned(),
        };
        match found {
            None => {
                let end = self.program.len();
                Fault::new(end..end, format!("expected {expected}, found the end of the program"))
            }
            Some(Token(text, _)) => {
                let shown = text.get(..1).filter(|open| ["(", "[", "{", "\""].contains(open)).unwrap_or(text);
                let range = self.range(text);
                Fault::new(range.start..range.start + shown.len(), format!("expected {expected}, found `{shown}`"))
            }
        }
    }

    fn refuse_imports(&self, tokens: &[Token<&'s str>]) -> Result<(), Vec<Fault>> {
        match tokens.first() {
            Some(Token(word @ ("import" | "include" | "module"), _)) => {
                Err(vec![Fault::new(self.range(word), "a program cannot import or include files")])
            }
            _ => Ok(()),
        }
    }

    fn unknown(&self, name: &'s str, kind: &Undefined) -> Fault {
        let range = self.range(name);
        if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Fault::new(range, format!("`{name}` is not available here")).help(*instead);
        }
        match kind {
            Undefined::Var => {
                let known = self.vars.iter().copied();
                suggest(Fault::new(range, format!("unknown variable `{name}`")), name, known)
            }
            Undefined::Filter(arity) => self.unknown_filter(name, *arity),
            other => Fault::new(range, format!("unknown {} `{name}`", other.as_str())),
        }
    }

    fn unknown_filter(&self, name: &str, arity: usize) -> Fault {
        let known = natives::names();
        let range = self.range(name);
        let mut arities: Vec<_> =
            known.iter().filter(|(n, _)| *n == name).map(|(_, arity)| arity.to_string()).collect();
        if arities.is_empty() {
            let names = known.iter().map(|(name, _)| *name);
            return suggest(Fault::new(range, format!("unknown filter `{name}`")), name, names);
        }
        arities.sort_unstable();
        arities.dedup();
        let takes = arities.join(" or ");
        Fault::new(range, format!("`{name}` takes {takes} arguments, separated by `;`, got {arity}"))
    }
}

fn suggest<'k>(fault: Fault, name: &str, known: impl Iterator<Item = &'k str>) -> Fault {
    match nearest(name, known) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault,
    }
}
