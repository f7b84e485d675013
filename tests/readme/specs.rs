//! Blocks that are specs, parts of specs, or what a client sees of one.

use std::fs;
use std::path::{Path, PathBuf};

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
    holds(workshop, path, &block.text)
}

/// A file that the reader writes; a spec has to hold too.
pub fn keep_file(workshop: &mut Workshop, name: &str, text: &str) -> Verdict {
    let path = workshop.current.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    if is_whole(text) { holds(workshop, path, text) } else { Ok(()) }
}

/// What the reader adds at the end of a file.
pub fn add_to_file(workshop: &mut Workshop, name: &str, text: &str) -> Verdict {
    let before = fs::read_to_string(workshop.current.join(name)).map_err(|why| format!("{name}: {why}"))?;
    keep_file(workshop, name, &format!("{before}\n{text}"))
}

/// Takes a whole spec for the page's last, if it passes `check` and the tests that it has of itself.
fn holds(workshop: &mut Workshop, path: PathBuf, text: &str) -> Verdict {
    passes(workshop, &path, "")?;
    if text.lines().any(|line| line == "tests:" || line.starts_with("[tests.")) {
        let Ran { text, code } = run(workshop, &format!("mcp-declare test '{}'", path.display()));
        if code != 0 {
            return Err(format!("its own tests fail:\n{text}"));
        }
    }
    workshop.spec = path;
    Ok(())
}

/// `check` finds something of one code, and nothing else.
pub fn check_wrong(workshop: &Workshop, code: &str, block: &Block) -> Verdict {
    let path = written(workshop, block);
    let Ran { text, .. } = run(workshop, &format!("mcp-declare check '{}' --format json", path.display()));
    fs::remove_file(path).unwrap();
    let found = json(&text)?;
    let codes: Vec<&str> = found.as_array().into_iter().flatten().filter_map(|d| d["code"].as_str()).collect();
    let meant = !codes.is_empty() && codes.iter().all(|found| *found == code);
    if meant { Ok(()) } else { Err(format!("not wrong by `{code}`:\n{text}")) }
}

/// A spec that gives not even a warning.
pub fn check_right(workshop: &Workshop, block: &Block) -> Verdict {
    let path = written(workshop, block);
    let verdict = passes(workshop, &path, "--deny-warnings");
    fs::remove_file(path).unwrap();
    verdict
}

fn written(workshop: &Workshop, block: &Block) -> std::path::PathBuf {
    let path = workshop.shop().join(format!("line-{}.yaml", block.line));
    fs::write(&path, &block.text).unwrap();
    path
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
