//! The operators of expressions and what they write (RFC 6570 section 2.2 and the table of appendix A).

use super::percent::Keep;

/// The character after `{` that says how values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `{a,b}`
    Simple,
    /// `{+a,b}`: may write reserved characters such as `/`.
    Reserved,
    /// `{#a,b}`: like [`Operator::Reserved`], after a `#`.
    Fragment,
    /// `{.a,b}`: each after a dot.
    Label,
    /// `{/a,b}`: each a path segment.
    Path,
    /// `{;a,b}`: each a `;name=value`.
    Parameter,
    /// `{?a,b}`: a query.
    Query,
    /// `{&a,b}`: more of a query.
    Continuation,
}

impl Operator {
    /// Whether a value may write reserved characters such as `/` as they are.
    pub fn allows_reserved(self) -> bool {
        matches!(self, Operator::Reserved | Operator::Fragment)
    }

    /// The operator that `first`, the first character in the braces, stands for, if it is one.
    pub(super) fn of(first: char) -> Option<Operator> {
        Some(match first {
            '+' => Operator::Reserved,
            '#' => Operator::Fragment,
            '.' => Operator::Label,
            '/' => Operator::Path,
            ';' => Operator::Parameter,
            '?' => Operator::Query,
            '&' => Operator::Continuation,
            _ => return None,
        })
    }

    /// What stands before the first defined value.
    pub(super) fn first(self) -> &'static str {
        match self {
            Operator::Simple | Operator::Reserved => "",
            Operator::Fragment => "#",
            Operator::Label => ".",
            Operator::Path => "/",
            Operator::Parameter => ";",
            Operator::Query => "?",
            Operator::Continuation => "&",
        }
    }

    /// What stands between values, and between the members of an exploded one.
    pub(super) fn separator(self) -> char {
        match self {
            Operator::Simple | Operator::Reserved | Operator::Fragment => ',',
            Operator::Label => '.',
            Operator::Path => '/',
            Operator::Parameter => ';',
            Operator::Query | Operator::Continuation => '&',
        }
    }

    /// Whether each value is written after its name.
    pub(super) fn named(self) -> bool {
        matches!(self, Operator::Parameter | Operator::Query | Operator::Continuation)
    }

    /// What follows the name of an empty value.
    pub(super) fn if_empty(self) -> &'static str {
        match self {
            Operator::Query | Operator::Continuation => "=",
            _ => "",
        }
    }

    /// The characters that values keep as they are.
    pub(super) fn keep(self) -> Keep {
        match self {
            Operator::Reserved | Operator::Fragment => Keep::Reserved,
            _ => Keep::Unreserved,
        }
    }
}
