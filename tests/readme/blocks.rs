//! Markdown's fenced blocks, and the comments that change a file for one of them.

/// A fenced block.
pub struct Block {
    /// The line of its opening fence, from 1.
    pub line: usize,
    /// The words behind the fence; only the first is ever shown.
    pub words: Vec<String>,
    /// What it holds.
    pub text: String,
}

/// In a file, one text in place of another.
pub struct Edit {
    pub file: String,
    pub old: String,
    pub new: String,
}

pub enum Item {
    Block(Block),
    Edit(Edit),
}

/// The blocks and edits of a page, in order.
pub fn read(page: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(edit) = line.strip_prefix("<!-- in ") {
            items.push(Item::Edit(edit_of(edit).unwrap_or_else(|| panic!("line {}: {line}", at + 1))));
        } else if let Some(info) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "```").collect();
            let words = info.split_whitespace().map(str::to_owned).collect();
            items.push(Item::Block(Block { line: at + 1, words, text: inside.join("\n") + "\n" }));
        } else {
            assert!(!line.trim_start().starts_with("```"), "line {}: a fence stands at the left", at + 1);
        }
    }
    items
}

/// `FILE, "old" is "new" -->`
fn edit_of(text: &str) -> Option<Edit> {
    let (file, rest) = text.strip_suffix(" -->")?.split_once(", \"")?;
    let (old, new) = rest.strip_suffix('"')?.split_once("\" is \"")?;
    Some(Edit { file: file.to_owned(), old: old.to_owned(), new: new.to_owned() })
}
