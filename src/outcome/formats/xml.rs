//! XML as JSON. An element with nothing but text is that text. Any other is an object: attributes are `@name`, text is
//! `#text`, elements go by their names, and of several with one name there is an array.
//!
//! Document types and the entities that they define are not read: what they can do is blow up. The five entities of
//! XML itself and numbered characters are known; any other stays as it is written.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::{FormatFault, MAX_DEPTH, Read, Room};

/// The key of an element's text where it has more than that.
const TEXT: &str = "#text";

/// An element that is not closed yet.
struct Element {
    name: String,
    fields: Map<String, Value>,
    text: String,
}

/// Reads a document: an object with its root element.
pub(super) fn read(text: &str, cut: bool, room: &mut Room) -> Result<Read, FormatFault> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element { name: String::new(), fields: Map::new(), text: String::new() }];
    let whole = loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) if cut => break false,
            Err(_) => return Err(FormatFault::new(format!("is not XML (line {})", line(text, &reader)))),
        };
        let depth = open.len();
        let Some(innermost) = open.last_mut() else { break true };
        let fits = match event {
            Event::Start(_) if depth > MAX_DEPTH => {
                return Err(FormatFault::new(format!("is nested deeper than {MAX_DEPTH}")));
            }
            Event::Start(start) => element(&start, room).map(|element| open.push(element)),
            Event::Empty(start) => element(&start, room).map(|element| innermost.add(element)),
            Event::End(_) => {
                close(&mut open);
                Some(())
            }
            Event::Text(words) => room.take(words.len()).map(|()| innermost.text.push_str(&words.xml10_content())),
            Event::CData(words) => room.take(words.len()).map(|()| innermost.text.push_str(&words.xml10_content())),
            Event::GeneralRef(name) => room.take(name.len()).map(|()| innermost.text.push_str(&character(&name))),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => Some(()),
            Event::Eof => break open.len() == 1,
        };
        if fits.is_none() {
            break false;
        }
    };
    while open.len() > 1 {
        close(&mut open);
    }
    match open.pop().map(|document| document.fields) {
        Some(root) if !root.is_empty() && (whole || cut || room.is_used_up()) => {
            Ok(Read { value: Value::Object(root), whole })
        }
        _ => Err(FormatFault::new("is not XML: no element is whole")),
    }
}

/// An element that begins, with its attributes; `None` if there is no room for it.
fn element(start: &BytesStart<'_>, room: &mut Room) -> Option<Element> {
    let name = start.name().into_inner().to_owned();
    room.take(name.len() + 5)?;
    let mut fields = Map::new();
    // duplicates are not looked for: that takes time quadratic in their number, and the last one wins
    for attribute in start.attributes().with_checks(false).flatten() {
        let key = attribute.key.into_inner();
        room.take(key.len() + attribute.value.len() + 7)?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| attribute.value.to_string(), |v| v.into_owned());
        fields.insert(format!("@{key}"), Value::from(value));
    }
    Some(Element { name, fields, text: String::new() })
}

/// Ends the innermost element.
fn close(open: &mut Vec<Element>) {
    if let (Some(done), Some(parent)) = (open.pop_if(|element| !element.name.is_empty()), open.last_mut()) {
        parent.add(done);
    }
}

impl Element {
    /// Takes an element in.
    fn add(&mut self, child: Element) {
        let Element { name, mut fields, text } = child;
        let text = text.trim();
        let value = match fields.is_empty() {
            true => Value::from(text),
            false => {
                if !text.is_empty() {
                    fields.insert(TEXT.to_owned(), Value::from(text));
                }
                Value::Object(fields)
            }
        };
        match self.fields.get_mut(&name) {
            None => {
                self.fields.insert(name, value);
            }
            // an element is never an array by itself
            Some(Value::Array(twins)) => twins.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

/// What `&name;` stands for.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> String {
    let named = match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    };
    named.map_or_else(|| format!("&{};", &**reference), String::from)
}

/// The line at which reading stopped.
fn line(text: &str, reader: &Reader<&[u8]>) -> usize {
    let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX).min(text.len());
    1 + text.bytes().take(at).filter(|b| *b == b'\n').count()
}
