//! Blocks that are specs, parts of specs, or what a client sees of one.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::blocks::Block;
use super::commands::{Ran, run};
use super::{Verdict, Workshop};

/// Whether a text is a spec of its own.
pub fn is_whole(text: &str) -> bool {
    let first = text.lines().find(|l| !l.trim().is_empty() && !l.starts_with('#'));
    first.is_some_and(|l| l.starts_with("server:") || l.starts_with("[server]"))
}

pub fn check_whole(workshop: &mut Workshop, language: &str, block: &Block) -> Verdict {
    let path = workshop.shop().join(format!("line-{}.{language}", block.line));
    fs::write(&path, &block.text).unwrap();
    workshop.spec.clone_from(&path);
    passes(workshop, &path, "")
}

pub fn check_part(workshop: &Workshop, language: &str, place: &str, option: &str, block: &Block) -> Verdict {
    let text = match (language, place) {
        (_, "top") => block.text.clone(),
        ("yaml", "tool") => format!("tools:\n  example:\n{}", indented(&block.text, "    ")),
        ("yaml", "sources" | "tools" | "resources" | "prompts") => {
            format!("{place}:\n{}", indented(&block.text, "  "))
        }
        _ => return Err(format!("a part of a spec can't stand at `{place}` in {language}")),
    };
    let path = workshop.parts().join(format!("part.{language}"));
    fs::write(&path, text).unwrap();
    let verdict = passes(workshop, &workshop.parts(), option);
    fs::remove_file(path).unwrap();
    verdict
}

fn indented(text: &str, by: &str) -> String {
    text.lines().map(|l| if l.is_empty() { "\n".to_owned() } else { format!("{by}{l}\n") }).collect()
}

fn passes(workshop: &Workshop, path: &Path, option: &str) -> Verdict {
    let Ran { text, code } = run(workshop, &format!("mcp-declare check '{}' {option}", path.display()));
    if code == 0 { Ok(()) } else { Err(format!("not a spec that passes `check`:\n{text}")) }
}

/// A `mcpServers` entry: what it starts has to serve until its input ends.
pub fn check_client(workshop: &Workshop, text: &str) -> Verdict {
    let value = json(text)?;
    let servers = value.get("mcpServers").and_then(Value::as_object).ok_or("no `mcpServers` in this JSON")?;
    for (name, server) in servers {
        let words =
            |key: &str| server.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        if let Some(url) = server.get("url") {
            if url != "http://127.0.0.1:8000/mcp" {
                return Err(format!("{name}: {url} is not the default endpoint"));
            }
            continue;
        }
        if server.get("command") != Some(&Value::from("mcp-declare")) {
            return Err(format!("{name}: the command is not mcp-declare"));
        }
        let here = workshop.top().display().to_string();
        let arguments: Vec<String> = words("args").map(|a| format!("'{}'", a.replace("/path/to", &here))).collect();
        let Ran { text, code } = run(workshop, &format!("mcp-declare {}", arguments.join(" ")));
        if code != 0 || !text.contains("mcp-declare: serving ") {
            return Err(format!("{name} does not serve:\n{text}"));
        }
    }
    Ok(())
}

/// A tool as `tools/list` has it; keys may be left out.
pub fn check_listed(workshop: &Workshop, tool: &str, text: &str) -> Verdict {
    let shown = json(text)?;
    let listed = run(workshop, &format!("mcp-declare list '{}' --json", workshop.spec.display()));
    let listed = json(&listed.text)?;
    let mut tools = listed["tools"].as_array().into_iter().flatten();
    let found = tools.find(|t| t["name"] == tool).ok_or_else(|| format!("there is no tool `{tool}`"))?;
    for (key, value) in shown.as_object().into_iter().flatten() {
        if found[key] != *value {
            return Err(format!("`{key}` is {}", found[key]));
        }
    }
    Ok(())
}

/// A call's structured answer.
pub fn check_answer(workshop: &Workshop, call: &[&str], text: &str) -> Verdict {
    let answer = run(workshop, &format!("mcp-declare call '{}' {}", workshop.spec.display(), call.join(" ")));
    if json(&answer.text)? == json(text)? { Ok(()) } else { Err(format!("the answer is\n{}", answer.text)) }
}

pub fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|why| format!("{why} in\n{text}"))
}
