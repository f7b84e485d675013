//! Characters that people don't see and models read: a text that is reviewed should be the text that is sent.

use super::Subject;
use super::walk::strings;
use crate::spec::{Code, Diagnostic, Diagnostics, Spanned};

pub fn lint(subject: &Subject<'_>, sink: &mut Diagnostics) {
    for found in strings(subject.root) {
        let text = found.written();
        if let Some((at, c)) = first(&text.value) {
            let place = text.at(at..at + c.len_utf8());
            sink.push_once(Diagnostic::warning(Code::HiddenCharacters, place, said(c)).label("take it out"));
        }
    }
    for section in ["tools", "prompts", "resources", "sources"] {
        for entry in subject.section(section) {
            key(&entry.key, sink);
        }
    }
}

/// What is hidden in a text, if anything is.
pub fn in_text(text: &str) -> Option<String> {
    first(text).map(|(_, c)| said(c))
}

fn said(c: char) -> String {
    format!("a hidden character, U+{:04X} ({})", u32::from(c), name(c))
}

fn key(key: &Spanned<String>, sink: &mut Diagnostics) {
    if let Some((_, c)) = first(&key.value) {
        let words = format!("a hidden character in a name, U+{:04X} ({})", u32::from(c), name(c));
        sink.push_once(Diagnostic::warning(Code::HiddenCharacters, key.span, words).label("take it out"));
    }
}

/// The first hidden character that is not part of how a script or an emoji is written.
fn first(text: &str) -> Option<(usize, char)> {
    let flags = text.contains('\u{1F3F4}');
    text.char_indices().find(|(at, c)| {
        let joins = || {
            let before = text.get(..*at).and_then(|t| t.chars().next_back());
            let after = text.get(at + c.len_utf8()..).and_then(|t| t.chars().next());
            before.is_some_and(|c| !c.is_ascii()) && after.is_some_and(|c| !c.is_ascii())
        };
        match c {
            '\u{200C}' | '\u{200D}' => !joins(),
            '\u{E0000}'..='\u{E007F}' => !flags,
            _ => !name(*c).is_empty(),
        }
    })
}

/// What a hidden character is; empty for any other.
fn name(c: char) -> &'static str {
    match c {
        '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            "turns the direction of the text"
        }
        '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}' => "has no width",
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' => "is blank",
        '\u{E0000}'..='\u{E007F}' => "a tag, which only programs read",
        '\u{1B}' | '\u{9B}' => "begins a command to a terminal",
        '\u{8}' | '\u{7F}' => "deletes a character on a terminal",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn scripts_and_emoji_are_left_alone() {
        for fine in ["Find books.", "می\u{200C}خواهم", "👩\u{200D}🚀", "🏴\u{E0067}\u{E0062}\u{E007F}", "naïve\n\t日本"]
        {
            assert_eq!(first(fine), None, "{fine:?}");
        }
        for (ill, at) in
            [("a\u{202E}b", 1), ("Find\u{200B}", 4), ("x\u{E0041}", 1), ("\u{1B}[2J", 0), ("a\u{200D}b", 1)]
        {
            assert_eq!(first(ill).map(|(at, _)| at), Some(at), "{ill:?}");
        }
    }
}
