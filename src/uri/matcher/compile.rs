//! Template parts to elements, refusing what can't be matched in one way only.

use std::ops::Range;

use super::{Element, Known, Matcher, Parameters, Unnamed};
use crate::spec::Fault;
use crate::uri::operator::Operator;
use crate::uri::{Expression, Modifier, Name, Part, percent};

/// The matcher of a template.
///
/// # Errors
/// See [`crate::uri::UriTemplate::matcher`].
pub(in crate::uri) fn compile(parts: &[Part]) -> Result<Matcher, Fault> {
    let mut compiler = Compiler { elements: Vec::new(), value: None, open: None, zone: Zone::Path };
    for part in parts {
        match part {
            Part::Literal { encoded, range } => compiler.literal(&normal(encoded), range)?,
            Part::Expression(expression) if expression.operator.named() => compiler.parameters(expression)?,
            Part::Expression(expression) => compiler.values(expression)?,
        }
    }
    let mut elements = compiler.elements;
    stop_before_what_follows(&mut elements);
    Ok(Matcher { elements })
}

/// The part of a URI that an expression stands in.
#[derive(Clone, Copy)]
enum Zone {
    Path,
    Query,
    Fragment,
}

struct Compiler {
    elements: Vec<Element>,
    /// The expression of the value that ends here, with nothing after it yet.
    value: Option<Range<usize>>,
    /// The last value of this zone that may hold `/`.
    open: Option<Range<usize>>,
    zone: Zone,
}

impl Compiler {
    /// Adds `text`, which stands at `range`.
    fn literal(&mut self, text: &str, range: &Range<usize>) -> Result<(), Fault> {
        self.check_follows(text, range)?;
        self.value = None;
        if text.contains(['?', '#']) {
            self.open = None;
        }
        self.zone = match self.zone {
            _ if text.contains('#') => Zone::Fragment,
            Zone::Path if text.contains('?') => Zone::Query,
            zone => zone,
        };
        if let Some(Element::Literal(before)) = self.elements.last_mut() {
            before.push_str(text);
        } else {
            self.elements.push(Element::Literal(text.to_owned()));
        }
        Ok(())
    }

    /// Whether the element before has an end that can be told when `text` comes next.
    fn check_follows(&self, text: &str, range: &Range<usize>) -> Result<(), Fault> {
        match self.elements.last() {
            Some(Element::Parameters(before)) => check_after_parameters(before, text, range),
            Some(Element::Value(Unnamed { split: Some(separator @ (',' | '.')), .. }))
                if text.starts_with(*separator) =>
            {
                let at = self.value.clone().unwrap_or(range.clone()).start..range.end;
                Err(Fault::new(
                    at,
                    format!(
                        "a URI does not tell where this list ends, as its members too are separated by `{separator}`"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn values(&mut self, expression: &Expression) -> Result<(), Fault> {
        let operator = expression.operator;
        let range = &expression.range;
        for (n, name) in expression.names.iter().enumerate() {
            check_modifier(name)?;
            let separator = operator.separator().to_string();
            match if n == 0 { operator.first() } else { &separator } {
                "" => self.check_starts(range)?,
                text => self.literal(text, range)?,
            }
            self.check_open(operator, name)?;
            let split = (name.modifier == Modifier::Explode).then_some(operator.separator());
            let stops = self.stops(operator, name).to_vec();
            self.elements.push(Element::Value(Unnamed { variable: name.text.clone(), stops, split }));
            self.value = Some(range.clone());
        }
        Ok(())
    }

    /// A value without a character before it can't follow another value, nor parameters.
    fn check_starts(&self, range: &Range<usize>) -> Result<(), Fault> {
        if let Some(before) = &self.value {
            let fault = Fault::new(before.start..range.end, "a URI does not tell where the first of these values ends");
            return Err(fault.help("put a character between the two expressions, such as `/`"));
        }
        match self.elements.last() {
            Some(Element::Parameters(before)) => check_after_parameters(before, "", range),
            _ => Ok(()),
        }
    }

    /// Two values that may hold `/` can't share a zone.
    fn check_open(&mut self, operator: Operator, name: &Name) -> Result<(), Fault> {
        if !may_hold_slash(operator, name) {
            return Ok(());
        }
        if let Some(before) = self.open.replace(name.range.clone()) {
            let fault = Fault::new(
                before.start..name.range.end,
                "a URI does not tell where the first of these ends, as both may hold `/`",
            );
            return Err(fault.help("only one variable of a path may hold `/`; write the others as `{name}`"));
        }
        Ok(())
    }

    fn stops(&self, operator: Operator, name: &Name) -> &'static [u8] {
        match self.zone {
            _ if operator.keep() == percent::Keep::Reserved => b"",
            Zone::Path if may_hold_slash(operator, name) => b"?#",
            Zone::Path => b"/?#",
            Zone::Query => b"&#",
            Zone::Fragment => b"#",
        }
    }

    fn parameters(&mut self, expression: &Expression) -> Result<(), Fault> {
        let operator = expression.operator;
        let range = &expression.range;
        let introducer = operator.first().bytes().next().unwrap_or(b'?');
        let mut known = Vec::new();
        for name in &expression.names {
            check_modifier(name)?;
            let explode = name.modifier == Modifier::Explode;
            known.push(Known { name: normal(&name.text), variable: name.text.clone(), explode });
        }
        self.value = None;
        if operator != Operator::Parameter {
            self.zone = Zone::Query;
        }
        if operator == Operator::Query {
            self.open = None;
        }
        match self.elements.last_mut() {
            Some(Element::Parameters(before)) if before.separator() == char::from(introducer) => {
                before.known.append(&mut known);
                return Ok(());
            }
            Some(Element::Parameters(before)) => check_after_parameters(before, operator.first(), range)?,
            _ => {}
        }
        self.elements.push(Element::Parameters(Parameters { introducer, known }));
        Ok(())
    }
}

/// A prefix has lost the rest of its value.
fn check_modifier(name: &Name) -> Result<(), Fault> {
    let Modifier::Prefix(length) = name.modifier else { return Ok(()) };
    let range = name.range.start..name.range.end + 1 + length.to_string().len();
    let fault = Fault::new(range, "the value of a variable with a prefix length can't be read from a URI");
    Err(fault.help(format!("write `{}`", name.text)))
}

/// Parameters end where another part of the URI begins.
fn check_after_parameters(before: &Parameters, text: &str, range: &Range<usize>) -> Result<(), Fault> {
    let (what, ends): (_, &[char]) = match before.introducer {
        b';' => ("after the parameters of `{;…}`, only `/`, `?` or `#` can come next", &['/', '?', '#']),
        _ => ("after a query, only a fragment can come", &['#']),
    };
    if text.starts_with(ends) {
        return Ok(());
    }
    let fault = Fault::new(range.clone(), what);
    Err(if text == "?" { fault.help("write `{&…}` for more of the same query") } else { fault })
}

fn may_hold_slash(operator: Operator, name: &Name) -> bool {
    match operator {
        Operator::Reserved | Operator::Fragment => true,
        Operator::Path => name.modifier == Modifier::Explode,
        _ => false,
    }
}

/// Values end at the characters that open a later part of the URI, so that `{+path}{?page}` takes no query
/// for a path.
fn stop_before_what_follows(elements: &mut [Element]) {
    let mut ahead: Vec<u8> = Vec::new();
    for element in elements.iter_mut().rev() {
        match element {
            Element::Literal(text) => ahead.extend(text.bytes().filter(|byte| matches!(byte, b'?' | b'#'))),
            Element::Parameters(parameters) => ahead.push(parameters.introducer),
            Element::Value(value) => {
                value.stops.extend(&ahead);
                value.stops.sort_unstable();
                value.stops.dedup();
            }
        }
        ahead.sort_unstable();
        ahead.dedup();
    }
}

/// The normal form of a template's own text, which the parser found well-formed.
fn normal(text: &str) -> String {
    percent::normalise(text).unwrap_or_default().into_owned()
}
