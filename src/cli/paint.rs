//! What data looks like on a terminal, and that it goes elsewhere as it is.

use std::io::IsTerminal as _;

use serde_json::{Map, Value};

use super::{print, print_bytes};

const KEY: &str = "\x1b[34m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[36m";
const WORD: &str = "\x1b[35m";
const DIM: &str = "\x1b[2m";
const END: &str = "\x1b[0m";

/// Whether standard output is looked at by a person.
pub fn is_seen() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether colours are wanted there.
pub fn is_coloured() -> bool {
    is_seen() || anstream::ColorChoice::global() == anstream::ColorChoice::Always
}

/// Prints somebody's text: on a terminal what could command it is made visible, elsewhere it is not touched.
pub fn data(text: &str) {
    match is_seen() {
        true => print(&visible(text)),
        false => print_bytes(text.as_bytes()),
    }
}

/// Words about what is printed, in a weaker colour.
pub fn aside(text: &str) -> String {
    format!("{DIM}{text}{END}")
}

/// The text with control characters as their pictures, but for the ends of lines and tabs, and without what changes the
/// direction of writing (Unicode Standard Annex 9) or ends lines in secret.
pub fn visible(text: &str) -> String {
    let picture = |c: char| match c {
        '\n' | '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => {
            char::REPLACEMENT_CHARACTER
        }
        other => other,
    };
    text.replace("\r\n", "\n").chars().map(picture).collect()
}

/// JSON over several lines, in colours.
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => object(fields, depth, text),
        Value::Array(items) if !items.is_empty() => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                begin(at, depth + 1, text);
                write(item, depth + 1, text);
            }
            end(']', depth, text);
        }
        Value::Object(_) | Value::Array(_) => text.push_str(&value.to_string()),
        Value::String(_) => coloured(TEXT, value, text),
        Value::Number(_) => coloured(NUMBER, value, text),
        Value::Bool(_) | Value::Null => coloured(WORD, value, text),
    }
}

fn object(fields: &Map<String, Value>, depth: usize, text: &mut String) {
    text.push('{');
    for (at, (key, value)) in fields.iter().enumerate() {
        begin(at, depth + 1, text);
        coloured(KEY, &Value::String(key.clone()), text);
        text.push_str(": ");
        write(value, depth + 1, text);
    }
    end('}', depth, text);
}

fn begin(at: usize, depth: usize, text: &mut String) {
    text.push_str(if at > 0 { ",\n" } else { "\n" });
    text.extend(std::iter::repeat_n("  ", depth));
}

fn end(bracket: char, depth: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
    text.push(bracket);
}

fn coloured(colour: &str, value: &Value, text: &mut String) {
    text.push_str(colour);
    text.push_str(&visible(&value.to_string()));
    text.push_str(END);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_keeps_its_form_under_the_colours() {
        let value = json!({ "a": [1, "x\u{1b}y", null, {}, []], "b": { "c": true } });
        let plain = anstream::adapter::strip_str(&json(&value)).to_string();
        assert_eq!(plain, format!("{value:#}"));
        assert!(json(&value).contains("\x1b[34m\"a\"\x1b[0m: ["), "{}", json(&value));
    }

    #[test]
    fn nothing_in_a_text_commands_the_terminal() {
        assert_eq!(visible("a\x1b[2J\r\nb\tc\u{9b}1m\x7f\rd"), "a␛[2J\nb\tc\u{fffd}1m\u{2421}␍d");
        assert_eq!(visible("a\u{202e}b\u{2028}c\u{2069}ش"), "a\u{fffd}b\u{fffd}c\u{fffd}ش");
    }
}
