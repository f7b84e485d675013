//! Every code block of the README, of `docs/` and of the examples' READMEs is true.
//!
//! | fence | what is done |
//! |---|---|
//! | `yaml`, `toml` that begins with `server` | it is a spec of its own and has to pass `check`, and its own `tests` if it has some |
//! | `LANGUAGE file NAME` | a file that the reader writes, where the page's commands run; a spec as above |
//! | `LANGUAGE add NAME` | what the reader adds at the end of such a file |
//! | `LANGUAGE theirs` | the format of another product: only that it is YAML, TOML, JSON or Python at all |
//! | `yaml PLACE`, `toml top` | it is a part of a spec; with `server` and some sources around it, it has to pass `check` |
//! | `yaml PLACE offline` | the same, with `check --offline`, for servers that are not there |
//! | `yaml wrong CODE` | `check` finds something of this code, and nothing of another |
//! | `yaml right` | a spec of its own that passes `check --deny-warnings` |
//! | `console` | each `$ command` has to print what stands below it; a line `...` stands for any lines |
//! | `json tool NAME`, `json answer NAME …` | what a client sees of the last spec of the page |
//! | `json health` | what `/health` answers |
//! | `json data` | what the templates of the page are about |
//! | `handlebars` | lines `TEMPLATE → TEXT`: each gives its text |
//! | `markdown FILE`, `handlebars FILE` | a file beside the specs of the page |
//! | `text prompt NAME …` | what a prompt of the last spec of the page says |
//! | `json` with `mcpServers` | what it starts has to serve |
//! | `LANGUAGE as FILE` | a file of the repository, word for word |
//! | `sh elsewhere` | what is run on a machine that has more than this one: only that a shell can read it, that the files in `.ci` are there, and the options of `mcp-declare` |
//!
//! A comment `<!-- in FILE, "old" is "new" -->` changes a file for the next block alone. PLACE is `top`, `sources`,
//! `tools`, `resources`, `prompts`, or `tool` for the keys of one tool. Any other block fails.

mod blocks;
mod commands;
mod elsewhere;
mod options;
mod specs;
mod templates;
mod theirs;
mod workshop;

use std::path::{Path, PathBuf};

use blocks::{Block, Edit, Item};
use workshop::Workshop;
pub use workshop::copy;

/// What a block is found to be: nothing, or in words why it is not true.
type Verdict = Result<(), String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files of a folder.
fn markdown(folder: &str) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    listed.filter(|path| path.extension().is_some_and(|e| e == "md")).collect()
}

/// Checks a page; commands run in `folder` of a copy of the repository's examples.
fn check(page: &Path, folder: &str) {
    let text = std::fs::read_to_string(page).unwrap();
    let name = page.strip_prefix(root()).unwrap().display();
    let mut workshop = Workshop::new(folder);
    let mut edits: Vec<Edit> = Vec::new();
    let mut faults = Vec::new();
    let mut count = 0;
    for item in blocks::read(&text) {
        match item {
            Item::Edit(edit) => edits.push(edit),
            Item::Block(block) => {
                count += 1;
                let undo: Vec<Edit> = edits.drain(..).map(|edit| workshop.apply(&edit)).collect();
                if let Err(why) = judge(&block, &mut workshop) {
                    faults.push(format!("{name}:{}: {why}", block.line));
                }
                undo.iter().rev().for_each(|edit| drop(workshop.apply(edit)));
            }
        }
    }
    assert!(edits.is_empty(), "{name}: an edit without a block after it");
    assert!(faults.is_empty(), "{} of {count} blocks:\n\n{}\n", faults.len(), faults.join("\n\n"));
}

fn judge(block: &Block, workshop: &mut Workshop) -> Verdict {
    let words: Vec<&str> = block.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [_, "file", name] => specs::keep_file(workshop, name, &block.text),
        [_, "add", name] => specs::add_to_file(workshop, name, &block.text),
        [language, "theirs"] => theirs::check(workshop, language, block),
        [language @ ("yaml" | "toml")] if specs::is_whole(&block.text) => specs::check_whole(workshop, language, block),
        ["yaml", "wrong", code] => specs::check_wrong(workshop, code, block),
        ["yaml", "right"] => specs::check_right(workshop, block),
        [language @ ("yaml" | "toml"), place] => specs::check_part(workshop, language, place, "", block),
        [language @ "yaml", place, "offline"] => specs::check_part(workshop, language, place, "--offline", block),
        ["console"] => commands::check(workshop, &block.text),
        ["json", "data"] => templates::keep_data(workshop, &block.text),
        ["handlebars"] => templates::check_lines(workshop, &block.text),
        ["markdown" | "handlebars", file] => templates::keep_file(workshop, file, block),
        ["text", "prompt", prompt @ ..] => templates::check_prompt(workshop, prompt, &block.text),
        ["json"] => specs::check_client(workshop, &block.text),
        ["json", "tool", tool] => specs::check_listed(workshop, tool, &block.text),
        ["json", "answer", call @ ..] => specs::check_answer(workshop, call, &block.text),
        [_, "as", file] => elsewhere::check_same(file, &block.text),
        ["sh", "elsewhere"] => elsewhere::check(workshop, &block.text),
        ["json", "health"] => commands::check_health(workshop, &block.text),
        _ => Err(format!("no rule covers a block of `{}`", words.join(" "))),
    }
}

#[test]
fn the_readme_is_true() {
    check(&root().join("README.md"), "");
}

#[test]
fn the_docs_are_true() {
    let mut pages = markdown("docs");
    pages.sort();
    assert!(!pages.is_empty());
    // who follows the tutorial begins in an empty folder, everybody else beside the bookshop
    let folder = |page: &Path| if page.ends_with("docs/tutorial.md") { "my-server" } else { "examples/bookshop" };
    pages.iter().for_each(|page| check(page, folder(page)));
}

#[test]
fn the_readmes_of_the_examples_are_true() {
    check(&root().join("specs/README.md"), "");
    for example in std::fs::read_dir(root().join("examples")).unwrap() {
        let page = example.unwrap().path().join("README.md");
        check(&page, "");
    }
}

/// The first screen: what it is, a spec, the command that serves, what a client sees; then how to install it.
#[test]
fn the_readme_begins_with_a_spec_a_command_and_what_a_client_sees() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<Block> =
        blocks::read(&text).into_iter().filter_map(|i| if let Item::Block(b) = i { Some(b) } else { None }).collect();
    let kinds: Vec<&str> = blocks.iter().map(|b| b.words[0].as_str()).take(3).collect();
    assert_eq!(kinds, ["yaml", "console", "json"]);
    assert!(blocks[2].line < 55, "what a client sees begins in line {}", blocks[2].line);
    let consoles = blocks.iter().filter(|b| b.words[0] == "console");
    let commands: Vec<&str> = consoles.flat_map(|b| b.text.lines()).filter_map(|l| l.strip_prefix("$ ")).collect();
    assert!(commands[0].starts_with("cargo run ") && commands[0].contains(" serve examples/bookshop/bookshop.yaml"));
    assert_eq!(commands[1..3], ["cargo test", "cargo install --path ."]);
}

/// The anchors of a page's headings; the second of one name ends in `-1`, and so on.
fn anchors(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let mut fenced = false;
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let heading = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#') && !fenced);
        let Some(heading) = heading else { continue };
        let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        let anchor = heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
        let before = found.iter().filter(|known| **known == anchor).count();
        found.push(if before == 0 { anchor } else { format!("{anchor}-{before}") });
    }
    found
}

/// The targets of a page's links, without those to other sites.
fn links(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|link| !link.contains("://")).map(str::to_owned).collect()
}

fn pages() -> Vec<PathBuf> {
    let mut pages = markdown("docs");
    pages.extend(["README.md", "CHANGELOG.md", "specs/README.md"].map(|page| root().join(page)));
    pages.extend(std::fs::read_dir(root().join("examples")).unwrap().map(|e| e.unwrap().path().join("README.md")));
    pages
}

/// Every link to a file of the repository leads to one, and every anchor to a heading.
#[test]
fn links_lead_somewhere() {
    for page in pages() {
        for link in links(&page) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(file.exists(), "{}: {link}", page.display());
            assert!(anchor.is_empty() || anchors(&file).iter().any(|a| a == anchor), "{}: {link}", page.display());
        }
    }
}

/// Every ready-made spec is in the table of them.
#[test]
fn every_ready_made_spec_is_listed() {
    let known = links(&root().join("specs/README.md"));
    for entry in std::fs::read_dir(root().join("specs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".yaml") || known.contains(&name), "{name} is not in specs/README.md");
    }
}

/// The README leads to every page, and a page of many headings begins with links to its own.
#[test]
fn every_page_is_linked_and_lists_its_sections() {
    let known = links(&root().join("README.md"));
    for page in markdown("docs") {
        let name = format!("docs/{}", page.file_name().unwrap().to_string_lossy());
        assert!(known.contains(&name), "the README does not lead to {name}");
        let text = std::fs::read_to_string(&page).unwrap();
        let own = links(&page).iter().filter(|link| link.starts_with('#')).count();
        let sections = text.lines().filter(|line| line.starts_with("## ")).count();
        assert!(
            text.lines().count() < 200 || own >= sections,
            "{name} is long and has no list of its {sections} sections"
        );
    }
}

/// `docs/errors.md` lists every code of a diagnostic, and no other.
#[test]
fn every_code_is_listed() {
    let source = std::fs::read_to_string(root().join("src/spec/diagnostic.rs")).unwrap();
    let codes: Vec<&str> =
        source.lines().filter_map(|l| l.trim().strip_suffix("\",")?.split_once(" = \"").map(|(_, c)| c)).collect();
    let page = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let listed: Vec<&str> =
        page.lines().filter_map(|l| l.strip_prefix("| [`")?.split_once('`').map(|(c, _)| c)).collect();
    assert!(codes.len() > 20);
    assert_eq!(listed, codes);
}

/// Each code has a section of `docs/errors.md` in the order of the table, with a wrong and a right example unless
/// it is not the text that is wrong.
#[test]
fn every_code_is_explained() {
    let page = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let listed: Vec<&str> =
        page.lines().filter_map(|l| l.strip_prefix("| [`")?.split_once('`').map(|(c, _)| c)).collect();
    let sections: Vec<(&str, &str)> =
        page.split("\n### `").skip(1).filter_map(|section| section.split_once("`\n")).collect();
    assert_eq!(sections.iter().map(|(code, _)| *code).collect::<Vec<_>>(), listed);
    for (code, text) in sections {
        let shown = text.contains(&format!("```yaml wrong {code}\n")) && text.contains("```yaml right\n");
        let of_the_machine = ["unreadable", "unsafe-permissions", "sandbox"].contains(&code);
        assert!(shown || of_the_machine, "{code} has no wrong and right example");
    }
}
