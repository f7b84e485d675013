//! Blocks in the formats of other products, whose meaning is not ours to check.

use super::blocks::Block;
use super::specs::{check_part, json};
use super::{Verdict, Workshop};

/// Whether a text is of its language at all.
pub fn check(workshop: &Workshop, language: &str, block: &Block) -> Verdict {
    match language {
        "toml" => toml::de::DeTable::parse(&block.text).map(drop).map_err(|why| why.to_string()),
        "json" => json(&block.text).map(drop),
        "yaml" => block.text.split("---\n").try_for_each(|document| is_yaml(workshop, document, block.line)),
        // it would take a Python, and their library, to say more
        "python" => Ok(()),
        _ => Err(format!("no rule covers a block of `{language} theirs`")),
    }
}

/// Whether a text is YAML: a spec takes any below a key that begins with `x-`.
fn is_yaml(workshop: &Workshop, document: &str, line: usize) -> Verdict {
    let text: String = document.lines().map(|l| format!("  {l}\n")).collect();
    let block = Block { line, words: Vec::new(), text: format!("x-theirs:\n{text}") };
    check_part(workshop, "yaml", "top", "", &block)
}
