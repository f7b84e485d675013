//! The architecture's arrows go one way; this reads every `crate::…` path in `src` and fails where one goes back.

use std::path::{Path, PathBuf};

/// Modules from the top to the bottom; a module may use those of its own line and of lines below.
const FLOORS: [&[&str]; 6] = [
    &["cli"],
    &["reload", "serve", "import"],
    &["catalog"],
    &["action"],
    &["openapi", "template", "uri", "schema", "outcome", "sandbox"],
    &["spec"],
];

/// Files below `action` that all actions share; any other is an action, which knows no sibling.
const SHARED_BY_ACTIONS: [&str; 6] = ["call", "command", "files", "mask", "process", "source"];

fn sources() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// A file's module path below `src`: `action/sql/lexer.rs` is `action`, `sql`, `lexer`.
fn module(path: &Path) -> Vec<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap().with_extension("");
    below.iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|names| names.contains(&name))
}

/// The names behind `prefix` in the code of a file; comments don't count.
fn named<'t>(text: &'t str, prefix: &'t str) -> impl Iterator<Item = (usize, String)> + 't {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")).flat_map(move |(at, line)| {
        line.match_indices(prefix).map(move |(start, _)| {
            let rest = &line[start + prefix.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (at + 1, rest[..end].to_owned())
        })
    })
}

#[test]
fn arrows_go_one_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module(&path);
        let Some(own) = floor(&module[0]) else { continue };
        for (line, name) in named(&text, "crate::") {
            if floor(&name).is_some_and(|used| used < own) {
                wrong.push(format!("{}:{line} uses crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that go back:\n{}", wrong.join("\n"));
}

#[test]
fn actions_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module(&path);
        let [first, own, ..] = module.as_slice() else { continue };
        if first != "action" || SHARED_BY_ACTIONS.contains(&own.as_str()) {
            continue;
        }
        let prefixes: &[&str] = if module.len() == 2 { &["crate::action::", "super::"] } else { &["crate::action::"] };
        for (line, name) in prefixes.iter().flat_map(|prefix| named(&text, prefix)) {
            let siblings = ["sql", "http", "exec", "shell", "file", "text", "content", "mcp", "steps"];
            // An MCP server that is reached by URL is reached as any HTTP API is.
            let lent = own == "mcp" && name == "http";
            if siblings.contains(&name.as_str()) && name != *own && !lent {
                wrong.push(format!("{}:{line} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "actions that know a sibling:\n{}", wrong.join("\n"));
}

#[test]
fn rmcp_stays_where_it_belongs() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module(&path);
        for (line, name) in named(&text, "rmcp::") {
            let allowed = match module[0].as_str() {
                "serve" => true,
                // There we are the client.
                "action" => module.get(1).is_some_and(|own| own == "mcp"),
                "catalog" | "cli" => name == "model",
                _ => false,
            };
            if !allowed {
                wrong.push(format!("{}:{line} uses rmcp::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "rmcp where it does not belong:\n{}", wrong.join("\n"));
}

#[test]
fn the_tests_of_arrows_see_something() {
    let all = sources();
    assert!(all.len() > 30);
    let uses: usize = all.iter().map(|(_, text)| named(text, "crate::").count()).sum();
    assert!(uses > 100);
}
