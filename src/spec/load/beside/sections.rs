//! The parts of a prompt's file: front matter between two lines `---`, and a text, in which a line `{{role "…"}}`
//! begins another message.

use std::ops::Range;

use crate::spec::Fault;

/// What one message says. Ranges are bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Who says it, as written; `None` for what stands before the first line that tells.
    pub role: Option<Range<usize>>,
    /// What is said, without the white space around it.
    pub text: Range<usize>,
}

/// Where the front matter ends and where the text begins; both are 0 in a file without front matter.
///
/// # Errors
/// A front matter that has no end.
pub fn split(file: &str) -> Result<(usize, usize), Fault> {
    let mut lines = lines(file, 0);
    let Some((first, _)) = lines.next().filter(|(_, line)| line.trim_start_matches('\u{feff}').trim_end() == "---")
    else {
        return Ok((0, 0));
    };
    match lines.find(|(_, line)| line.trim_end() == "---") {
        Some((close, _)) => Ok((close.start, close.end)),
        None => Err(Fault::new(first.start..first.end, "this front matter has no end")),
    }
}

/// The messages of a text that begins at byte `from` of its file; none of a text that is blank.
pub fn of(text: &str, from: usize) -> Vec<Section> {
    let mut sections = Vec::new();
    let (mut role, mut start) = (None, from);
    let said = |range: Range<usize>| {
        let part = text.get(range.start - from..range.end - from).unwrap_or_default();
        let start = range.start + part.len() - part.trim_start().len();
        start..start + part.trim().len()
    };
    let mut end = |role: Option<Range<usize>>, range: Range<usize>| {
        let text = said(range);
        if role.is_some() || !text.is_empty() {
            sections.push(Section { role, text });
        }
    };
    for (range, line) in lines(text, from) {
        if let Some(word) = role_of(line) {
            end(role.take(), start..range.start);
            role = Some(range.start + word.start..range.start + word.end);
            start = range.end;
        }
    }
    end(role, start..from + text.len());
    sections
}

/// The lines of a text with their places, line ends among them.
fn lines(text: &str, from: usize) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = from;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start..at, line)
    })
}

/// The word of a line that is `{{role "word"}}` and nothing else.
fn role_of(line: &str) -> Option<Range<usize>> {
    let inside = line.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let quoted = inside.trim().strip_prefix("role")?.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let word = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let start = line.find(quote)? + 1;
    (!word.contains(quote)).then_some(start..start + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(file: &str) -> Vec<(Option<&str>, &str)> {
        let (_, body) = split(file).unwrap();
        let sections = of(&file[body..], body);
        sections.into_iter().map(|s| (s.role.map(|r| &file[r]), &file[s.text])).collect()
    }

    #[test]
    fn front_matter_stands_between_two_lines() {
        for (file, head) in [
            ("---\na: 1\n---\ntext", "---\na: 1\n"),
            ("---\r\na: 1\r\n---\r\ntext", "---\r\na: 1\r\n"),
            ("\u{feff}---\na: 1\n--- \ntext", "\u{feff}---\na: 1\n"),
            ("---\n---\ntext", "---\n"),
            ("text", ""),
            ("\n---\na: 1\n---\n", ""),
            ("----\n", ""),
            ("", ""),
        ] {
            let (end, _) = split(file).unwrap();
            assert_eq!(&file[..end], head, "{file:?}");
        }
        assert_eq!(split("---\na: 1\n").unwrap_err().range, 0..4);
    }

    #[test]
    fn a_line_begins_another_message() {
        assert_eq!(parts("---\na: 1\n---\n\n Hello\n---\nyou \n\n"), [(None, "Hello\n---\nyou")]);
        assert_eq!(parts("\n\n"), []);
        assert_eq!(
            parts("---\n---\n\n{{role \"user\"}}\nHi ü\n{{ role 'assistant' }}\r\n\nHo\n{{role \"user\"}}\n"),
            [(Some("user"), "Hi ü"), (Some("assistant"), "Ho"), (Some("user"), "")]
        );
        assert_eq!(parts("a\n{{role \"user\"}}\nb"), [(None, "a"), (Some("user"), "b")]);
        for other in
            ["{{role user}}", "x {{role \"user\"}}", "{{role \"a\" \"b\"}}", "{{roles}}", "{{role}}", "{{rôle \"x\"}}"]
        {
            assert_eq!(parts(other), [(None, other)]);
        }
    }
}
