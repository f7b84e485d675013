//! Blocks of templates and what they give, of files that a spec names, and of prompts.

use std::fs;

use serde_json::{Value, json};

use super::blocks::Block;
use super::commands::run;
use super::{Verdict, Workshop};

/// Keeps the data of the page's templates.
pub fn keep_data(workshop: &mut Workshop, text: &str) -> Verdict {
    workshop.data = super::specs::json(text)?;
    Ok(())
}

/// Lines `TEMPLATE → TEXT`: each gives its text, over the page's data.
pub fn check_lines(workshop: &Workshop, text: &str) -> Verdict {
    let mut resources = serde_json::Map::new();
    let mut expected = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let (template, gives) = line.split_once(" → ").ok_or_else(|| format!("no arrow in `{line}`"))?;
        let result = json!({ "as": "json", "text": template.trim_end() });
        resources.insert(format!("line:{n}"), json!({ "file": "./data.json", "result": result }));
        expected.push((template.trim_end(), gives.trim_start()));
    }
    let folder = workshop.top().join("templates");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("data.json"), workshop.data.to_string()).unwrap();
    let spec = json!({ "server": { "name": "templates" }, "resources": Value::Object(resources) });
    fs::write(folder.join("spec.json"), spec.to_string()).unwrap();
    for (n, (template, gives)) in expected.into_iter().enumerate() {
        let command = format!("mcp-declare read '{}' line:{n}", folder.join("spec.json").display());
        let found = run(workshop, &command).text;
        if found.trim_end() != gives.trim_end() {
            return Err(format!("`{template}` gives\n{found}"));
        }
    }
    Ok(())
}

/// A file that the specs of the page name, beside them.
pub fn keep_file(workshop: &Workshop, name: &str, block: &Block) -> Verdict {
    for folder in [workshop.shop(), workshop.parts()] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &block.text).unwrap();
    }
    Ok(())
}

/// What a prompt of the last whole spec says.
pub fn check_prompt(workshop: &Workshop, words: &[&str], text: &str) -> Verdict {
    let said = run(workshop, &format!("mcp-declare prompt '{}' {}", workshop.spec.display(), words.join(" ")));
    if said.text.trim_end() == text.trim_end() { Ok(()) } else { Err(format!("the prompt says\n{}", said.text)) }
}
