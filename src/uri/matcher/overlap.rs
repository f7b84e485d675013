//! What two templates have in common: whether the URIs of one are among those of the other, and a URI of both.

use std::collections::{HashMap, VecDeque};

use super::{Element, Matcher, Parameters, Unnamed};

/// Pairs of states that are looked at before two templates count as having nothing in common.
const MOST_PAIRS: usize = 1 << 20;

impl Matcher {
    /// Whether every URI of this one is one of `other` too, as far as their parts show it one by one.
    pub fn is_within(&self, other: &Matcher) -> bool {
        fn rest(mine: &[Element], theirs: &[Element]) -> bool {
            match (mine.split_first(), theirs.split_first()) {
                (None, None) => true,
                (Some((Element::Literal(a), mine)), Some((Element::Literal(b), theirs))) => {
                    a == b && rest(mine, theirs)
                }
                (Some((Element::Value(a), mine)), Some((Element::Value(b), theirs))) => {
                    a.is_within(b) && rest(mine, theirs)
                }
                (Some((Element::Parameters(a), mine)), Some((Element::Parameters(b), theirs))) => {
                    a.is_within(b) && rest(mine, theirs)
                }
                (_, Some((Element::Parameters(_), theirs))) => rest(mine, theirs),
                _ => false,
            }
        }
        rest(&self.elements, &other.elements)
    }

    /// Grows with what its values may hold: of two templates with the same literal text, one whose URIs are all among
    /// those of the other has less.
    pub fn breadth(&self) -> usize {
        let parts = self.elements.iter().map(|element| match element {
            Element::Literal(_) => 0,
            Element::Value(value) => {
                256usize.saturating_sub(value.stops.len()) * 2 + usize::from(value.split.is_none())
            }
            Element::Parameters(parameters) => {
                1 + parameters.known.iter().map(|known| 1 + usize::from(known.explode)).sum::<usize>()
            }
        });
        parts.sum()
    }

    /// A URI that is one of this and one of `other`; `None` if none was found.
    pub fn common(&self, other: &Matcher) -> Option<String> {
        if let (Some(Element::Literal(mine)), Some(Element::Literal(theirs))) =
            (self.elements.first(), other.elements.first())
            && mine.bytes().zip(theirs.bytes()).any(|(a, b)| a != b)
        {
            return None;
        }
        let uri = meet(&Machine::of(&self.elements), &Machine::of(&other.elements))?;
        (self.matches(&uri).is_some() && other.matches(&uri).is_some()).then_some(uri)
    }
}

impl Unnamed {
    fn is_within(&self, other: &Unnamed) -> bool {
        other.stops.iter().all(|stop| self.stops.contains(stop)) && (other.split.is_none() || self.split == other.split)
    }
}

impl Parameters {
    fn is_within(&self, other: &Parameters) -> bool {
        let mut names = self.known.iter();
        self.introducer == other.introducer
            && names.all(|mine| other.known.iter().any(|o| o.name == mine.name && (o.explode || !mine.explode)))
    }
}

/// What leads from one state to another: nothing at all, one character (a byte, or a triplet with its `%`), or any
/// character but some.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step<'m> {
    Nothing,
    One(&'m str),
    But(&'m [u8]),
}

/// The URIs of a template, as states and the steps between them; the last state is the end.
#[derive(Default)]
struct Machine<'m> {
    steps: Vec<Vec<(Step<'m>, usize)>>,
}

impl<'m> Machine<'m> {
    fn of(elements: &'m [Element]) -> Self {
        let mut machine = Machine { steps: vec![Vec::new()] };
        for element in elements {
            match element {
                Element::Literal(text) => machine.text(text),
                Element::Value(value) => {
                    let from = machine.last();
                    let to = machine.add();
                    machine.step(from, Step::But(&value.stops), to);
                    machine.step(to, Step::But(&value.stops), to);
                }
                Element::Parameters(parameters) => machine.parameters(parameters),
            }
        }
        machine
    }

    /// Nothing, or the introducer and any number of `name=value`.
    fn parameters(&mut self, parameters: &'m Parameters) {
        let (introducer, separator, but): (_, _, &[u8]) = match parameters.introducer {
            b';' => (";", ";", b";/?#"),
            b'&' => ("&", "&", b"&#"),
            _ => ("?", "&", b"&#"),
        };
        let before = self.last();
        let names = self.add();
        self.step(before, Step::One(introducer), names);
        let mut ends = vec![before];
        for known in &parameters.known {
            let start = self.add();
            self.step(names, Step::Nothing, start);
            self.text(&known.name);
            let named = self.last();
            let value = self.add();
            self.step(named, Step::One("="), value);
            self.step(value, Step::But(but), value);
            self.step(value, Step::One(separator), names);
            self.step(named, Step::One(separator), names);
            ends.extend([named, value]);
        }
        let end = self.add();
        ends.into_iter().for_each(|from| self.step(from, Step::Nothing, end));
    }

    fn text(&mut self, text: &'m str) {
        let mut rest = text;
        while !rest.is_empty() {
            let length = if rest.starts_with('%') { 3 } else { 1 };
            let (character, more) = rest.split_at_checked(length).unwrap_or((rest, ""));
            let from = self.last();
            let to = self.add();
            self.step(from, Step::One(character), to);
            rest = more;
        }
    }

    fn last(&self) -> usize {
        self.steps.len().saturating_sub(1)
    }

    fn add(&mut self) -> usize {
        self.steps.push(Vec::new());
        self.last()
    }

    fn step(&mut self, from: usize, step: Step<'m>, to: usize) {
        if let Some(steps) = self.steps.get_mut(from) {
            steps.push((step, to));
        }
    }

    fn from(&self, state: usize) -> &[(Step<'m>, usize)] {
        self.steps.get(state).map_or(&[], Vec::as_slice)
    }
}

/// The character that two steps both take; `None` if there is none.
fn both<'m>(one: &Step<'m>, other: &Step<'m>) -> Option<&'m str> {
    let passes = |character: &str, stops: &[u8]| character.bytes().next().is_some_and(|byte| !stops.contains(&byte));
    match (one, other) {
        (Step::Nothing, _) | (_, Step::Nothing) => None,
        (Step::One(a), Step::One(b)) => (a == b).then_some(a),
        (Step::One(character), Step::But(stops)) | (Step::But(stops), Step::One(character)) => {
            passes(character, stops).then_some(character)
        }
        // No stop is a letter.
        (Step::But(_), Step::But(_)) => Some("x"),
    }
}

/// The shortest text that leads both machines to their ends.
fn meet<'m>(one: &Machine<'m>, other: &Machine<'m>) -> Option<String> {
    type Pair = (usize, usize);
    let end = (one.last(), other.last());
    let mut came: HashMap<Pair, (Pair, &str)> = HashMap::from([((0, 0), ((0, 0), ""))]);
    let mut next: VecDeque<Pair> = VecDeque::from([(0, 0)]);
    while let Some(pair @ (a, b)) = next.pop_front() {
        if pair == end || came.len() > MOST_PAIRS {
            break;
        }
        let mut go = |to: Pair, character: &'m str| {
            came.entry(to).or_insert_with(|| {
                next.push_back(to);
                (pair, character)
            });
        };
        for (mine, to) in one.from(a) {
            if *mine == Step::Nothing {
                go((*to, b), "");
            }
            for (theirs, at) in other.from(b) {
                if let Some(character) = both(mine, theirs) {
                    go((*to, *at), character);
                }
            }
        }
        for (_, at) in other.from(b).iter().filter(|(step, _)| *step == Step::Nothing) {
            go((a, *at), "");
        }
    }
    let mut characters = Vec::new();
    let mut at = end;
    while at != (0, 0) {
        let (before, character) = came.get(&at)?;
        characters.push(*character);
        at = *before;
    }
    Some(characters.into_iter().rev().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::UriTemplate;

    #[track_caller]
    fn matcher(template: &str) -> Matcher {
        UriTemplate::parse(template).unwrap().matcher().unwrap()
    }

    #[test]
    fn a_uri_of_both_is_found() {
        for (one, other, uri) in [
            ("a://{x}/b", "a://a/{y}", Some("a://a/b")),
            ("a://{x}", "a://{+y}", Some("a://x")),
            ("a://s{?q}", "a://s{?page}", Some("a://s")),
            ("a://s{?q}", "a://s?q={x}", Some("a://s?q=x")),
            ("a://{x}/é", "a://{y}{/z}", Some("a://x/%C3%A9")),
            ("a{/p*}/end", "a/{x}/{y}", Some("a/x/end")),
            ("{a}.{b}", "{c}-{d}", Some("x-.x")),
            ("m{;a}/x", "m;a=1/{y}", Some("m;a=1/x")),
            ("a://{x}", "b://{x}", None),
            ("a://{x}", "a://{x}/", None),
            ("a://{x}/b", "a://{y}/c", None),
            ("a://{x}", "a://x/y", None),
            ("a://s{?q}", "a://s?page={x}", None),
            ("", "a", None),
        ] {
            assert_eq!(matcher(one).common(&matcher(other)).as_deref(), uri, "{one} {other}");
            assert_eq!(matcher(other).common(&matcher(one)).is_some(), uri.is_some(), "{other} {one}");
        }
        let deep = |variables: usize| (0..variables).map(|n| format!("/{{v{n}}}")).collect::<String>();
        assert!(matcher(&deep(256)).common(&matcher(&deep(256))).is_some());
    }

    #[test]
    fn what_is_within_another_is_narrower() {
        for (inner, outer) in [
            ("a://{x}", "a://{+x}"),
            ("a://{x}", "a://{x}{?q}"),
            ("a://s", "a://s{?q}"),
            ("a://s{?q}", "a://s{?q,page}"),
            ("a://s{?q}", "a://s{?q*}"),
            ("a{/p*}", "a/{+p}"),
            ("a/{p*}", "a/{p}"),
        ] {
            let (inner, outer) = (matcher(inner), matcher(outer));
            assert!(inner.is_within(&outer) && !outer.is_within(&inner), "{inner:?} {outer:?}");
            assert!(inner.breadth() < outer.breadth(), "{inner:?} {outer:?}");
        }
        for (one, other) in [("a://{x}", "a://{y}"), ("a://s{?a,b}", "a://s{?b,a}")] {
            let (one, other) = (matcher(one), matcher(other));
            assert!(one.is_within(&other) && other.is_within(&one));
        }
        for (one, other) in [("a://{x}/b", "a://a/{y}"), ("a://s{?q}", "a://s{?p}")] {
            assert!(!matcher(one).is_within(&matcher(other)));
        }
    }
}
