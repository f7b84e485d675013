//! Which fields of its input a program reads, as far as its text shows it plainly.

use std::ops::Range;

use jaq_core::load::Lexer;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Parser, Term};
use jaq_core::path::{Part, Path};

/// A field of the input and where the program names it.
pub type Field = (String, Range<usize>);

/// The fields that stand for themselves or in what decides something: those of `.a == 1 and (.b.c | not)` are `a` and
/// `b`. None of a program that does not parse.
pub fn fields(program: &str) -> Vec<Field> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(super::STACK);
        let thread = builder.spawn_scoped(scope, || read(program));
        thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_default()
    })
}

fn read(program: &str) -> Vec<Field> {
    let mut found = Vec::new();
    if let Ok(tokens) = Lexer::new(program).lex()
        && let Ok(term) = Parser::new(&tokens).parse(|p| p.term())
    {
        walk(&term, program, &mut found);
    }
    found
}

fn walk(term: &Term<&str>, program: &str, found: &mut Vec<Field>) {
    let mut each = |terms: &[&Term<&str>]| terms.iter().for_each(|term| walk(term, program, found));
    match term {
        Term::Path(of, path) => match of.as_ref() {
            Term::Id => found.extend(first(path, program)),
            of => each(&[of]),
        },
        // Behind a pipe the input is another.
        Term::BinOp(left, BinaryOp::Pipe(None), _) => each(&[left]),
        Term::BinOp(left, _, right) => each(&[left, right]),
        Term::Neg(term) | Term::Arr(Some(term)) | Term::TryCatch(term, _) => each(&[term]),
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().for_each(|(when, then)| each(&[when, then]));
            otherwise.iter().for_each(|term| each(&[term]));
        }
        _ => {}
    }
}

fn first(path: &Path<Term<&str>>, program: &str) -> Option<Field> {
    let (Part::Index(Term::Str(None, parts)), _) = path.0.first()? else { return None };
    let [StrPart::Str(name)] = parts.as_slice() else { return None };
    let start = name.as_ptr().addr().checked_sub(program.as_ptr().addr())?;
    let range = start..start.checked_add(name.len())?;
    (program.get(range.clone()) == Some(name)).then(|| ((*name).to_owned(), range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_input() {
        for (program, names) in [
            (".a", &["a"][..]),
            (".a == 1 and (.b.c | not)", &["a", "b"]),
            ("(.rows | length) > 2 or .\"x y\" // false", &["rows", "x y"]),
            ("if .a then .b else .c end", &["a", "b", "c"]),
            ("[.a[] | .inner] | any", &["a"]),
            ("any(.a[]; .inner)", &[]),
            ("-.a < 3", &["a"]),
            (". == 1", &[]),
            (".a[", &[]),
        ] {
            let found = fields(program);
            assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names, "{program}");
            assert!(found.iter().all(|(name, range)| program[range.clone()] == *name), "{program}");
        }
    }
}
