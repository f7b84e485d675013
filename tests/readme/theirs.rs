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
        "python" => python(&block.text),
        _ => Err(format!("no rule covers a block of `{language} theirs`")),
    }
}

/// Whether a text is Python; it would take their library to say more, and it takes a Python to say this.
fn python(text: &str) -> Verdict {
    let parse = ["-c", "import ast, sys; ast.parse(sys.argv[1])", text];
    match std::process::Command::new("python3").args(parse).output() {
        Ok(output) if !output.status.success() => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        _ => Ok(()),
    }
}

/// Whether a text is YAML: a spec takes any below a key that begins with `x-`.
fn is_yaml(workshop: &Workshop, document: &str, line: usize) -> Verdict {
    let text: String = document.lines().map(|l| format!("  {l}\n")).collect();
    let block = Block { line, words: Vec::new(), text: format!("x-theirs:\n{text}") };
    check_part(workshop, "yaml", "top", "", &block)
}
