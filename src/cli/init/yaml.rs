//! JSON as the YAML that a person would write.

use serde_json::Value;

/// A whole document.
pub fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(sections) => {
            for (name, section) in sections {
                text.push('\n');
                entry(name, section, 0, Dollar::of(name), &mut text);
            }
        }
        other => scalar(other, 0, Dollar::Parted, &mut text),
    }
    text
}

/// A string of the sections `server` and `sources` with no variables in it, to be put into a text.
pub fn name(words: &str) -> String {
    flow(&Value::from(words), Dollar::Escaped)
}

/// What a `$` is in the strings of a section.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Dollar {
    /// The author of the strings knows that `${…}` is replaced.
    Meant,
    /// It would be replaced, and is not meant to be.
    Escaped,
    /// `${` can't stand there at all.
    Parted,
}

impl Dollar {
    fn of(section: &str) -> Self {
        match section {
            "sources" => Dollar::Meant,
            "server" => Dollar::Escaped,
            _ => Dollar::Parted,
        }
    }
}

fn entry(key: &str, value: &Value, depth: usize, dollar: Dollar, text: &mut String) {
    indent(depth, text);
    text.push_str(&plain_or_quoted(key));
    text.push(':');
    under(value, depth + 1, dollar, text);
}

/// What comes after a key's colon or an item's dash.
fn under(value: &Value, depth: usize, dollar: Dollar, text: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            fields.iter().for_each(|(key, value)| entry(key, value, depth, dollar, text));
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            text.push_str(" [");
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                text.push_str(&flow(item, dollar));
            }
            text.push_str("]\n");
        }
        Value::Array(items) => {
            text.push('\n');
            for item in items {
                indent(depth, text);
                text.push('-');
                under(item, depth + 1, dollar, text);
            }
        }
        scalar_value => {
            text.push(' ');
            scalar(scalar_value, depth, dollar, text);
        }
    }
}

fn scalar(value: &Value, depth: usize, dollar: Dollar, text: &mut String) {
    match value {
        Value::String(words) if is_block(words) => {
            text.push_str("|-\n");
            for line in escaped(words, dollar).split('\n') {
                if !line.is_empty() {
                    indent(depth, text);
                    text.push_str(line);
                }
                text.push('\n');
            }
        }
        other => {
            text.push_str(&flow(other, dollar));
            text.push('\n');
        }
    }
}

/// A scalar on one line, as it can also stand in a list.
fn flow(value: &Value, dollar: Dollar) -> String {
    match value {
        Value::String(words) => plain_or_quoted(&escaped(words, dollar)),
        other => other.to_string(),
    }
}

fn escaped(words: &str, dollar: Dollar) -> String {
    match dollar {
        Dollar::Meant => words.to_owned(),
        Dollar::Escaped => words.replace('$', "$$"),
        Dollar::Parted => words.replace("${", "$ {"),
    }
}

/// Whether a text had to be changed to be written.
pub fn is_changed(value: &Value) -> bool {
    match value {
        Value::String(words) => words.contains("${"),
        Value::Array(items) => items.iter().any(is_changed),
        Value::Object(fields) => fields.values().any(is_changed),
        _ => false,
    }
}

/// Whether a text can stand as lines: several of them, none of which begins or ends with what YAML would take away.
fn is_block(words: &str) -> bool {
    let sound = |line: &str| line.trim_end() == line && !line.contains(|c: char| c.is_control());
    let begins = words.chars().next().is_some_and(|c| !c.is_whitespace());
    words.contains('\n')
        && begins
        && !words.ends_with('\n')
        && words.split('\n').all(sound)
        && !words.contains('\u{feff}')
}

/// A string without quotes where nobody could take it for something else.
fn plain_or_quoted(words: &str) -> String {
    let letters = |c: char| c.is_ascii_alphanumeric() || "_-./ ()'".contains(c);
    let begins = words.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&words.to_lowercase().as_str());
    match begins && !word && !words.ends_with(' ') && words.chars().all(letters) {
        true => words.to_owned(),
        false => quoted(words),
    }
}

/// JSON's quotes are YAML's, but for characters that YAML wants to see written out.
fn quoted(words: &str) -> String {
    let json = Value::from(words).to_string();
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            other => text.push(other),
        }
    }
    text
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("  ", depth));
}
