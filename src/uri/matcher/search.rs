//! Finds which bytes of a URI belong to which element.

use std::ops::Range;

use super::Element;

/// The bytes of `text` (a URI in normal form) that each element takes, if they take all of it.
pub(super) fn ranges(elements: &[Element], text: &str) -> Option<Vec<Range<usize>>> {
    let found = vec![Found { range: 0..0, tried: 0 }; elements.len()];
    let mut search = Search { elements, text: text.as_bytes(), found };
    let matched = search.rest_matches(0, 0);
    matched.then(|| search.found.into_iter().map(|found| found.range).collect())
}

/// What is known of an element.
#[derive(Clone)]
struct Found {
    range: Range<usize>,
    /// The furthest end that was tried for a value.
    tried: usize,
}

/// Backtracking in O(text × values): where a value starts never moves back, because the value before it only
/// grows, so an end that failed once need not be tried again from another start.
struct Search<'m> {
    elements: &'m [Element],
    text: &'m [u8],
    found: Vec<Found>,
}

impl Search<'_> {
    /// Whether the elements from `index` on take the text from `at` on. As deep as there are elements.
    fn rest_matches(&mut self, index: usize, at: usize) -> bool {
        let elements = self.elements;
        let rest = self.text.get(at..).unwrap_or_default();
        let length = match elements.get(index) {
            None => return rest.is_empty(),
            Some(Element::Value(value)) => return self.value_matches(index, at, &value.stops),
            Some(Element::Literal(literal)) if rest.starts_with(literal.as_bytes()) => literal.len(),
            Some(Element::Literal(_)) => return false,
            Some(Element::Parameters(parameters)) if rest.first() == Some(&parameters.introducer) => {
                let stops = parameters.stops();
                1 + rest.iter().skip(1).take_while(|byte| !stops.contains(byte)).count()
            }
            Some(Element::Parameters(_)) => 0,
        };
        self.set_range(index, at..at + length);
        self.rest_matches(index + 1, at + length)
    }

    /// Grows the value at `at` a character at a time until the rest matches. A triplet is a character.
    fn value_matches(&mut self, index: usize, at: usize, stops: &[u8]) -> bool {
        let mut end = self.found.get(index).map_or(at, |found| found.tried.max(at));
        while let Some(byte) = self.text.get(end).filter(|byte| !stops.contains(byte)) {
            end += if *byte == b'%' { 3 } else { 1 };
            if let Some(found) = self.found.get_mut(index) {
                found.tried = end;
            }
            if self.rest_matches(index + 1, end) {
                self.set_range(index, at..end);
                return true;
            }
        }
        false
    }

    fn set_range(&mut self, index: usize, range: Range<usize>) {
        if let Some(found) = self.found.get_mut(index) {
            found.range = range;
        }
    }
}
