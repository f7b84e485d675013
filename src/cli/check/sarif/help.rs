//! What `docs/errors.md` says of a code, for whoever sees it elsewhere.

use crate::spec::Code;

const PAGE: &str = include_str!("../../../../docs/errors.md");

/// The code's section as Markdown, with links that lead nowhere else taken out.
pub fn markdown(code: Code) -> String {
    let heading = format!("\n### `{}`\n", code.name());
    let section = PAGE.split_once(&heading).map_or("", |(_, rest)| rest);
    let end = section.find("\n##").unwrap_or(section.len());
    let section = section.get(..end).unwrap_or(section).trim();
    let lines = section.lines().map(|line| match line.strip_prefix("```yaml ") {
        Some(kind) if kind.starts_with("right") => "Right:\n\n```yaml".to_owned(),
        Some(_) => "Wrong:\n\n```yaml".to_owned(),
        None => without_links(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same as plain text.
pub fn text(code: Code) -> String {
    let markdown = markdown(code);
    let lines = markdown.lines().filter(|line| !line.starts_with("```"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `[words](target)` as its words.
fn without_links(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, words, after)) = link(rest) {
        text.push_str(before);
        text.push_str(words);
        rest = after;
    }
    text + rest
}

/// What is before the first link, its words, and what is behind it.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.split_once("](")?;
    let (before, words) = head.rsplit_once('[')?;
    let (_, after) = rest.split_once(')')?;
    Some((before, words, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        for code in Code::ALL {
            let (markdown, text) = (markdown(*code), text(*code));
            assert!(text.len() > 60 && !text.contains("```") && !text.contains("]("), "{}: {text}", code.name());
            assert!(!markdown.contains("###") && markdown.matches("```").count().is_multiple_of(2), "{markdown}");
        }
        assert!(markdown(Code::UnknownKey).contains("Wrong:\n\n```yaml\n"), "{}", markdown(Code::UnknownKey));
    }

    #[test]
    fn links_leave_their_words() {
        assert_eq!(without_links("see [a b](c.md#d), [x] and [e](f)."), "see a b, [x] and e.");
    }
}
