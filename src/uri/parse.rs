//! Text to template parts, by the grammar of RFC 6570 section 2.

use std::ops::Range;

use super::operator::Operator;
use super::percent::{self, Keep};
use super::{Expression, Modifier, Name, Part};
use crate::spec::Fault;

/// The longest template, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// The most variables in a template.
const MAX_VARIABLES: usize = 256;

/// The literals and expressions of `text` in order.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Fault> {
    if text.len() > MAX_LENGTH {
        return Err(Fault::new(0..text.len(), format!("a URI template can't be longer than {MAX_LENGTH} bytes")));
    }
    let mut parts = Vec::new();
    let mut variables = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        if let Some(inner) = rest.strip_prefix('{') {
            let (body, after) = body(inner, start)?;
            let expression = expression(body, start)?;
            variables += expression.names.len();
            if variables > MAX_VARIABLES {
                let message = format!("a URI template can't have more than {MAX_VARIABLES} variables");
                return Err(Fault::new(expression.range, message));
            }
            parts.push(Part::Expression(expression));
            rest = after;
        } else {
            let (literal_text, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            parts.push(literal(literal_text, start)?);
            rest = after;
        }
    }
    Ok(parts)
}

/// Splits what follows a `{` (which stands at `start`) at its `}`.
fn body(inner: &str, start: usize) -> Result<(&str, &str), Fault> {
    match inner.split_once('}') {
        Some((body, after)) if !body.contains('{') => Ok((body, after)),
        _ if inner.starts_with('{') => {
            let fault = Fault::new(start..start + 2, "a variable of a URI template stands in single braces");
            Err(fault.help("write `{name}`"))
        }
        _ => {
            let fault = Fault::new(start..start + 1, "this `{` has no `}`");
            Err(fault.help("close it, or write `%7B` for the character itself"))
        }
    }
}

fn literal(text: &str, start: usize) -> Result<Part, Fault> {
    for (at, c) in text.char_indices() {
        let range = start + at..start + at + c.len_utf8();
        match c {
            '%' if percent::triplet(text, at).is_none() => {
                let fault = Fault::new(range, "`%` needs two hex digits after it");
                return Err(fault.help("write `%25` for a percent sign"));
            }
            '}' => {
                let fault = Fault::new(range, "this `}` has no `{`");
                return Err(fault.help("open it, or write `%7D` for the character itself"));
            }
            c if !is_literal(c) => {
                let fault = Fault::new(range, format!("{} can't stand in a URI template", shown(c)));
                return Err(fault.help(format!("write it percent-encoded: `{}`", encoded(c))));
            }
            _ => {}
        }
    }
    let mut encoded = String::with_capacity(text.len());
    percent::encode(text, Keep::Reserved, &mut encoded);
    Ok(Part::Literal { encoded, range: start..start + text.len() })
}

/// Section 2.1: the characters that may stand outside expressions.
fn is_literal(c: char) -> bool {
    match c {
        '\0'..='\u{9F}' => c.is_ascii_graphic() && !r#""<>\^`{|}"#.contains(c),
        // section 1.5, ucschar and iprivate: all but a few specials and what is no character
        '\u{FDD0}'..='\u{FDEF}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}' => false,
        _ => u32::from(c) & 0xFFFF < 0xFFFE,
    }
}

/// The expression whose `{` stands at `start`.
fn expression(body: &str, start: usize) -> Result<Expression, Fault> {
    let first = body.chars().next();
    if let Some(reserved @ ('=' | ',' | '!' | '@' | '|')) = first {
        let fault =
            Fault::new(start + 1..start + 2, format!("the operator `{reserved}` is reserved and has no meaning yet"));
        return Err(fault.help("the operators are `+` `#` `.` `/` `;` `?` and `&`"));
    }
    let operator = first.and_then(Operator::of);
    let mut at = start + 1 + usize::from(operator.is_some());
    let mut names = Vec::new();
    let list = if operator.is_some() { body.get(1..).unwrap_or_default() } else { body };
    for item in list.split(',') {
        names.push(variable(item, at)?);
        at += item.len() + 1;
    }
    Ok(Expression { operator: operator.unwrap_or(Operator::Simple), names, range: start..start + body.len() + 2 })
}

/// A name with its modifier.
fn variable(text: &str, start: usize) -> Result<Name, Fault> {
    let (name, modified) = text.split_at(text.find([':', '*']).unwrap_or(text.len()));
    check_name(name, start)?;
    let range = start..start + name.len();
    let modifier = modifier(modified, range.end..start + text.len())?;
    Ok(Name { text: name.into(), range, modifier })
}

/// Section 2.3: letters, digits, `_` and triplets, in groups between single dots.
fn check_name(name: &str, start: usize) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(Fault::new(start..start, "a variable's name is missing here").help("write `{name}`"));
    }
    let mut group_is_empty = true;
    for (at, c) in name.char_indices() {
        match c {
            '.' if !group_is_empty && at + 1 < name.len() => group_is_empty = true,
            '.' => {
                let message = "a dot in a variable's name must stand between two other characters";
                return Err(Fault::new(start + at..start + at + 1, message));
            }
            _ if c.is_ascii_alphanumeric() || c == '_' || percent::triplet(name, at).is_some() => {
                group_is_empty = false
            }
            _ => return Err(bad_name_character(c, start + at, at == 0)),
        }
    }
    Ok(())
}

fn bad_name_character(c: char, at: usize, leads: bool) -> Fault {
    let fault = Fault::new(at..at + c.len_utf8(), format!("{} can't stand in a variable's name", shown(c)));
    fault.help(match c {
        '-' => "write `_` instead".to_owned(),
        ' ' => "leave it out".to_owned(),
        _ if !c.is_ascii() => format!("write it percent-encoded: `{}`", encoded(c)),
        _ if leads && Operator::of(c).is_some() => "an expression has one operator, before its first name".to_owned(),
        _ => "a name is made of letters, digits, `_`, `%` with two hex digits, and single dots between them".to_owned(),
    })
}

/// Section 2.4: nothing, `*`, or `:` and a number.
fn modifier(text: &str, range: Range<usize>) -> Result<Modifier, Fault> {
    match text.strip_prefix(':') {
        None if text.is_empty() => Ok(Modifier::None),
        None if text == "*" => Ok(Modifier::Explode),
        None => {
            let fault = Fault::new(range, format!("`*` ends a variable; `{text}` goes on"));
            Err(fault.help("separate variables with `,`"))
        }
        Some(number) => prefix_length(number).map(Modifier::Prefix).ok_or_else(|| {
            if number.ends_with('*') {
                return Fault::new(range, "a variable can't have both a prefix length and `*`");
            }
            Fault::new(range, "`:` needs a number from 1 to 9999 after it")
                .help("write `{name:3}` for the first 3 characters")
        }),
    }
}

/// 1 to 9999 without a leading zero.
fn prefix_length(number: &str) -> Option<usize> {
    let plain =
        (1..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
    if plain { number.parse().ok() } else { None }
}

/// How a message shows a character.
fn shown(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        c if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
        c => format!("`{c}`"),
    }
}

fn encoded(c: char) -> String {
    percent::encode_segment(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::super::UriTemplate;

    fn fault(text: &str) -> (String, String, String) {
        let fault = UriTemplate::parse(text).unwrap_err();
        (text[fault.range].to_owned(), fault.message, fault.help.unwrap_or_default())
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, at, message, help) in [
            ("/ü{id", "{", "this `{` has no `}`", "close it"),
            ("a{b{c}", "{", "this `{` has no `}`", "close it"),
            ("/{{id}}", "{{", "single braces", "`{name}`"),
            ("/id}", "}", "this `}` has no `{`", "%7D"),
            ("{}", "", "name is missing", "`{name}`"),
            ("{?}", "", "name is missing", ""),
            ("{a,}", "", "name is missing", ""),
            ("{a,,b}", "", "name is missing", ""),
            ("{=a}", "=", "reserved", "operators are"),
            ("{,a}", ",", "reserved", ""),
            ("{!a}", "!", "reserved", ""),
            ("{@a}", "@", "reserved", ""),
            ("{|a}", "|", "reserved", ""),
            ("{$a}", "$", "can't stand in a variable's name", "letters"),
            ("{user-id}", "-", "`-` can't stand", "`_`"),
            ("{a, b}", " ", "a space can't stand", "leave it out"),
            ("{straße}", "ß", "`ß` can't stand", "`%C3%9F`"),
            ("{/?id}", "?", "`?` can't stand", "one operator"),
            ("{%2x}", "%", "`%` can't stand", ""),
            ("{a..b}", ".", "a dot", ""),
            ("{a.}", ".", "a dot", ""),
            ("{..a}", ".", "a dot", ""),
            ("{a:0}", ":0", "1 to 9999", ""),
            ("{a:}", ":", "1 to 9999", ""),
            ("{a:+1}", ":+1", "1 to 9999", ""),
            ("{a:10000}", ":10000", "1 to 9999", ""),
            ("{a:2*}", ":2*", "both", ""),
            ("{a*:2}", "*:2", "`*` ends", "`,`"),
            ("{a**}", "**", "`*` ends", ""),
            ("/a b", " ", "a space", "`%20`"),
            ("/a\"b", "\"", "`\"`", "`%22`"),
            ("/a\nb", "\n", "U+000A", "`%0A`"),
            ("/a\u{85}", "\u{85}", "U+0085", ""),
            ("/a\u{FFFD}", "\u{FFFD}", "can't stand", "`%EF%BF%BD`"),
            ("50%", "%", "two hex digits", "`%25`"),
            ("%é1", "%", "two hex digits", "`%25`"),
        ] {
            let found = fault(text);
            assert_eq!(found.0, at, "{text}");
            assert!(found.1.contains(message) && found.2.contains(help), "{text}: {found:?}");
        }
    }

    #[test]
    fn refuses_each_character_that_is_no_literal() {
        for c in "\"<>\\^`|\u{7F}\u{0}\u{9F}\u{FDD0}\u{1FFFE}\u{E0001}".chars() {
            assert!(UriTemplate::parse(&format!("a{c}b{{x}}")).is_err(), "{c:?}");
        }
        for c in "!#$&'()*+,-./:;=?@[]_~é\u{A0}\u{E000}\u{1F600}\u{10FFFD}".chars() {
            assert!(UriTemplate::parse(&format!("a{c}b{{x}}")).is_ok(), "{c:?}");
        }
    }

    #[test]
    fn is_bounded() {
        assert!(UriTemplate::parse(&"a".repeat(8192)).is_ok());
        assert!(UriTemplate::parse(&"a".repeat(8193)).is_err());
        assert!(UriTemplate::parse(&"/{a}".repeat(256)).is_ok());
        assert!(UriTemplate::parse(&"/{a}".repeat(257)).is_err());
        assert!(UriTemplate::parse(&"{".repeat(8000)).is_err());
    }
}
